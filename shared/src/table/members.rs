//! Which set an EBS snapshot is a member of, in the table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::client::{Condition, Table, Written};
use super::keys::{self, Key};
use super::record::Record;
use super::transaction::{TRANSACTION_MAX, Write};
use crate::domain::audit::entries_of_snapshot;
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;
use crate::error::Error;

#[derive(Serialize, Deserialize)]
struct MemberBody {
    snapshot_id: SnapshotId,
}

impl Table {
    /// Which of our snapshots these EBS snapshots are members of. Others' are left out.
    pub async fn sets_of(
        &self,
        ids: &[EbsSnapshotId],
    ) -> Result<BTreeMap<EbsSnapshotId, SnapshotId>, Error> {
        let by_key: BTreeMap<Key, &EbsSnapshotId> =
            ids.iter().map(|id| (keys::member(id), id)).collect();
        let keys: Vec<_> = by_key.keys().cloned().collect();
        let found: BTreeMap<Key, MemberBody> = self.get_all(&keys).await?;
        Ok(found
            .into_iter()
            .filter_map(|(key, body)| Some(((*by_key.get(&key)?).clone(), body.snapshot_id)))
            .collect())
    }

    /// Puts `new` with all its members, if the record still is as `old` was read (or absent, without `old`), and no member
    /// belongs to another snapshot.
    ///
    /// Of a set that has a record the members are written before it: whoever finds the record without them writes the same
    /// once more. Of one that has none all is one transaction, so that no member is of a set that does not exist.
    pub async fn update_members(
        &self,
        old: Option<&Snapshot>,
        new: &Snapshot,
    ) -> Result<Written, Error> {
        let condition = old.map_or(Condition::Absent, |old| Condition::Version(old.version));
        let entries = entries_of_snapshot(old, new);
        let body = MemberBody { snapshot_id: new.id.clone() };
        let room = TRANSACTION_MAX - 1 - Self::WRITES_PER_ENTRY * entries.len();
        let written = if old.is_none() && new.members.len() <= room {
            let mut writes = Vec::new();
            for member in &new.members {
                let item = body.pointer(member).into_item()?;
                writes.push(Write::Put(item, Condition::AbsentOrSame));
            }
            writes.push(Write::Put(self.record_of(new)?.into_item()?, condition));
            self.transact_with_entries(writes, &entries).await?
        } else {
            for member in &new.members {
                let pointer = body.pointer(member);
                if !self.put(pointer, Condition::AbsentOrSame).await?.is_done() {
                    return Ok(Written::Changed);
                }
            }
            self.put_with_entries(self.record_of(new)?, condition, &entries).await?
        };
        self.count(written, old, new).await;
        Ok(written)
    }
}

impl MemberBody {
    /// The record that says of which set a member is.
    fn pointer(&self, member: &Member) -> Record<'_, Self> {
        let key = keys::member(&member.ebs_snapshot_id);
        Record { key, version: 1, indexes: Vec::new(), body: self, expires_at: None }
    }
}
