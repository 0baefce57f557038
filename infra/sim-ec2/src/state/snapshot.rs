//! A snapshot, the set it belongs to, and its lock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Tags, fast_restore::FastRestore, tier::Tiering};
use crate::clock::{between, later};

/// A snapshot as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `snap-…`
    pub id: String,
    /// Where it is.
    pub region: String,
    /// The volume it was taken of; of a copy it is `vol-ffffffff`.
    pub volume_id: String,
    /// The size of that volume.
    pub volume_size_gib: u32,
    /// How much of that volume holds data.
    pub full_size_bytes: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
    /// When it was begun; the members of a set share it.
    pub started_at: Timestamp,
    /// When it will be, or was, complete.
    pub completes_at: Timestamp,
    /// Where it is in its life.
    pub state: SnapshotState,
    /// Why it is in error.
    pub state_message: Option<String>,
    /// The multi-volume set it was taken in.
    pub set: Option<String>,
    /// Whether it ends in error by itself.
    pub fate: Fate,
    /// Whether somebody deleted it while it was pending.
    pub deletion: Deletion,
    /// The lock on it.
    pub lock: Option<Lock>,
    /// What it is a copy of.
    #[serde(default)]
    pub copy_of: Option<CopySource>,
    /// The ARN of the key it is encrypted with.
    #[serde(default)]
    pub kms_key_id: Option<String>,
    /// The accounts that may make volumes of it; `all` is everybody.
    #[serde(default)]
    pub shared_with: BTreeSet<String>,
    /// Where it is stored.
    #[serde(default)]
    pub tiering: Tiering,
    /// Fast snapshot restore, by zone.
    #[serde(default)]
    pub fast_restores: BTreeMap<String, FastRestore>,
}

/// The snapshot that another is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySource {
    /// Where it is.
    pub region: String,
    /// Its id.
    pub snapshot_id: String,
    /// The volume it was taken of.
    pub volume_id: String,
    /// Whether only the difference to an earlier copy was transferred.
    pub incremental: bool,
}

impl Snapshot {
    /// The share of the data that has been copied, as EC2 shows it.
    pub(crate) fn progress(&self, now: Timestamp) -> String {
        match self.state {
            SnapshotState::Completed => "100%".to_owned(),
            SnapshotState::Pending | SnapshotState::Error => {
                let total = between(self.started_at, self.completes_at).as_millis().max(1);
                let done = between(self.started_at, now).as_millis().clamp(0, total);
                format!("{}%", (done * 100 / total).min(99))
            }
        }
    }
}

/// The states of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotState {
    /// Being copied.
    Pending,
    /// Usable.
    Completed,
    /// Failed.
    Error,
}

impl SnapshotState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Error => "error",
        }
    }
}

/// How a pending snapshot will end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Complete.
    Complete,
    /// In error, and the whole set with it.
    Fail,
}

/// Whether a snapshot goes away by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deletion {
    /// It stays.
    None,
    /// It was deleted while pending, and goes when it is complete.
    AtCompletion,
}

/// A multi-volume set, until its last member has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotSet {
    pub(crate) started_at: Timestamp,
    /// Snapshot and volume of each member.
    pub(crate) members: Vec<(String, String)>,
    /// How many members have not ended.
    pub(crate) pending: usize,
}

/// A lock against deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Who may take it off.
    pub mode: LockMode,
    /// When it was put on.
    pub created_at: Timestamp,
    /// When its duration began to count.
    pub duration_from: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Its duration in days, when it was given so.
    pub duration_days: u32,
    /// How long a compliance lock may still be taken off.
    pub cool_off_hours: Option<u32>,
}

impl Lock {
    /// When the cooling-off is over.
    pub(crate) fn cool_off_until(&self) -> Option<Timestamp> {
        let hours = self.cool_off_hours?;
        Some(later(self.created_at, SignedDuration::from_hours(i64::from(hours))))
    }

    pub(crate) fn state(&self, now: Timestamp) -> LockState {
        if self.expires_at <= now {
            return LockState::Expired;
        }
        match self.mode {
            LockMode::Governance => LockState::Governance,
            LockMode::Compliance if self.cool_off_until().is_some_and(|until| now < until) => {
                LockState::ComplianceCoolOff
            }
            LockMode::Compliance => LockState::Compliance,
        }
    }
}

/// The modes of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockMode {
    /// Somebody with the right to may take it off.
    Governance,
    /// Nobody may, once its cooling-off is over.
    Compliance,
}

/// The states of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockState {
    Governance,
    Compliance,
    ComplianceCoolOff,
    Expired,
}

impl LockState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
            Self::ComplianceCoolOff => "compliance-cooloff",
            Self::Expired => "expired",
        }
    }
}
