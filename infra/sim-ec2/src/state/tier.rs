//! The storage tier of a snapshot: ready for use, or in the archive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The tier of a snapshot, and how it came there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tiering {
    /// Where it is.
    pub tier: StorageTier,
    /// The last change of the tier.
    pub last: Option<TierChange>,
    /// When it was last put into the archive.
    pub archived_at: Option<Timestamp>,
    /// When a temporary restore ends.
    pub restored_until: Option<Timestamp>,
}

/// The tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageTier {
    /// Volumes can be made of it.
    #[default]
    Standard,
    /// It must be restored first.
    Archive,
}

impl StorageTier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Archive => "archive",
        }
    }
}

/// A change of the tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierChange {
    /// Where to.
    pub kind: TierChangeKind,
    /// How far it is.
    pub stage: TierChangeStage,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// How many days a temporary restore lasts.
    pub days: Option<u32>,
}

/// The changes of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TierChangeKind {
    /// Into the archive.
    Archival,
    /// Out of it for some days.
    TemporaryRestore,
    /// Out of it for good.
    PermanentRestore,
}

/// How far a change of the tier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TierChangeStage {
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

impl TierChange {
    /// As EC2 names the kind and the stage in one.
    pub(crate) fn status(&self) -> &'static str {
        match (self.kind, self.stage) {
            (TierChangeKind::Archival, TierChangeStage::InProgress) => "archival-in-progress",
            (TierChangeKind::Archival, TierChangeStage::Completed) => "archival-completed",
            (TierChangeKind::TemporaryRestore, TierChangeStage::InProgress) => {
                "temporary-restore-in-progress"
            }
            (TierChangeKind::TemporaryRestore, TierChangeStage::Completed) => {
                "temporary-restore-completed"
            }
            (TierChangeKind::PermanentRestore, TierChangeStage::InProgress) => {
                "permanent-restore-in-progress"
            }
            (TierChangeKind::PermanentRestore, TierChangeStage::Completed) => {
                "permanent-restore-completed"
            }
        }
    }
}
