//! One EBS snapshot of a set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{EbsSnapshotId, VolumeId};
use crate::domain::instance::launch::VolumeSettings;
use crate::domain::later::is_default;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsState, StorageTier, is_made_up};
use crate::domain::sighting::Sighting;

/// One EBS snapshot of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "two facts that have nothing to do with each other"
)]
pub struct Member {
    /// EC2's identifier.
    pub ebs_snapshot_id: EbsSnapshotId,
    /// The volume it is of.
    pub volume_id: VolumeId,
    /// Where that was attached; a restore attaches it there again.
    pub device: Option<String>,
    /// Whether the instance booted from it.
    #[serde(default)]
    pub boot: bool,
    /// Size of the volume in GiB.
    pub size_gib: i32,
    pub state: EbsState,
    /// How far EC2 is.
    #[serde(default)]
    pub progress_percent: u8,
    /// The full size of its data as EC2 reports it, not what is billed.
    pub full_size_bytes: Option<i64>,
    /// How the volume was made, where it is known; a restore makes it like that again.
    #[serde(default)]
    pub volume: Option<VolumeSettings>,
    /// Where EC2 keeps it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tier: StorageTier,
    /// Out of the archive for some days only: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_expires_at: Option<Timestamp>,
    /// What EC2 tells of it in lists of their own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notes: Notes,
    /// Whether it has been deleted.
    #[serde(default)]
    pub deleted: bool,
}

impl Member {
    /// Whether it is a copy: then nobody says of which volume it is, nor when its content was taken.
    pub fn is_copy(&self) -> bool {
        is_made_up(&self.volume_id)
    }

    /// Whether it is there, completed, and in the archive neither now nor again in some days, as far as is known.
    pub(super) fn is_sound(&self) -> bool {
        !self.deleted && self.state == EbsState::Completed && self.tier == StorageTier::Standard
    }

    /// The same member as `seen` in EC2 now.
    #[must_use]
    pub(super) fn refreshed(&self, seen: &Sighting) -> Self {
        Self {
            state: seen.state,
            progress_percent: seen.progress_percent,
            full_size_bytes: seen.full_size_bytes.or(self.full_size_bytes),
            tier: seen.tier,
            restore_expires_at: seen.restore_expires_at,
            ..self.clone()
        }
    }
}
