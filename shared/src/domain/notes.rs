//! What EC2 tells of an EBS snapshot in lists of their own and not with the snapshot: locks, fast snapshot restore, the Recycle
//! Bin, and whether everybody may make volumes of it.

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
