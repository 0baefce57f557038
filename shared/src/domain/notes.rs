//! What EC2 tells of an EBS snapshot in lists of their own and not with the snapshot: locks, fast snapshot restore, the Recycle
//! Bin, and who else may make volumes of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::EbsSnapshotId;
use crate::domain::later::is_default;

/// What is noted of one EBS snapshot; nothing of most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Its lock, if it has one that is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockNote>,
    /// The zones in which it is enabled for fast restore, or about to be.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fast_restore_zones: BTreeSet<String>,
    /// It was deleted and lies in the Recycle Bin: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recycled_until: Option<Timestamp>,
    /// Whether every account may make volumes of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub public: bool,
    /// The accounts that may make volumes of it one by one, as far as EC2 was asked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shared_with: BTreeSet<String>,
}

/// A lock of EC2's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockNote {
    /// EC2's word for how it is locked: `governance`, `compliance`, `compliance-cooloff`.
    pub state: String,
    /// Until when, where EC2 says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// With whom EBS snapshots of a region are shared, as far as EC2 was asked. It tells the accounts of one snapshot, or the
/// snapshots of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Snapshots, each with all its accounts.
    pub of_snapshots: BTreeMap<EbsSnapshotId, BTreeSet<String>>,
    /// Accounts, each with all that is shared with it.
    pub of_accounts: BTreeMap<String, BTreeSet<EbsSnapshotId>>,
}

/// What is noted of each; those of which nothing is are left out.
pub type NotesOfRegion = BTreeMap<EbsSnapshotId, Notes>;

impl Notes {
    /// Its lock, if that is in force at `now`.
    pub fn lock_at(&self, now: Timestamp) -> Option<&LockNote> {
        self.lock.as_ref().filter(|lock| lock.until.is_none_or(|end| now < end))
    }

    /// Until when it lies in the Recycle Bin, if it still does at `now`.
    pub fn recycled_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.recycled_until.filter(|end| now < *end)
    }
}

impl Sharing {
    /// The accounts that one is shared with. What was noted before stands where EC2 was asked of neither.
    pub fn of(&self, id: &EbsSnapshotId, before: &BTreeSet<String>) -> BTreeSet<String> {
        if let Some(accounts) = self.of_snapshots.get(id) {
            return accounts.clone();
        }
        let unasked = before.iter().filter(|account| !self.of_accounts.contains_key(*account));
        let told = self.of_accounts.iter().filter(|(_, shared)| shared.contains(id));
        unasked.chain(told.map(|(account, _)| account)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> EbsSnapshotId {
        format!("snap-{number:017x}").parse().unwrap()
    }

    fn accounts(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_was_asked_is_believed_and_the_rest_stands() {
        let sharing = Sharing {
            of_snapshots: [(id(1), accounts(&["a", "b"])), (id(2), accounts(&[]))].into(),
            of_accounts: [("a".to_owned(), [id(3)].into()), ("b".to_owned(), [].into())].into(),
        };
        for (number, before, expected) in [
            // Asked about itself.
            (1, vec![], vec!["a", "b"]),
            (2, vec!["a", "c"], vec![]),
            // Asked by account: `a` has it now, `b` no more, and nobody asked about `c`.
            (3, vec!["b", "c"], vec!["a", "c"]),
            // Nothing is told of it.
            (4, vec!["c"], vec!["c"]),
            (4, vec!["a", "b"], vec![]),
        ] {
            let found = sharing.of(&id(number), &accounts(&before));

            assert_eq!(found, accounts(&expected), "{number} before {before:?}");
        }
    }
}
