//! The replacement of a running instance's root volume.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Tags, snapshot::Fate};

/// A task as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootReplacement {
    /// `replacevol-…`
    pub id: String,
    /// Where it is.
    pub region: String,
    /// The instance.
    pub instance_id: String,
    /// The snapshot the new volume is made from.
    pub snapshot_id: Option<String>,
    /// The image the new volume is made from, when one was named.
    pub image_id: Option<String>,
    /// Where it is in its life.
    pub state: ReplacementState,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What becomes of the old volume.
    pub replaced: ReplacedVolume,
    /// Its tags.
    pub tags: Tags,
    /// The root volume when the task was asked for.
    pub old_volume_id: String,
    /// The volume that takes its place.
    pub new_volume_id: String,
    /// How it will end when nothing happens to the instance.
    pub fate: Fate,
}

/// What becomes of a root volume that has been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplacedVolume {
    /// It stays, attached to nothing.
    Keep,
    /// It is deleted.
    Delete,
}

/// The states of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplacementState {
    /// The new volume is being made.
    Pending,
    /// The volumes change places.
    InProgress,
    /// The new volume is the root volume.
    Succeeded,
    /// On its way to failed.
    Failing,
    /// The old volume is still the root volume.
    Failed,
}

impl ReplacementState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in-progress",
            Self::Succeeded => "succeeded",
            Self::Failing => "failing",
            Self::Failed => "failed",
        }
    }

    /// Whether it has not ended.
    pub(crate) fn is_under_way(self) -> bool {
        match self {
            Self::Pending | Self::InProgress | Self::Failing => true,
            Self::Succeeded | Self::Failed => false,
        }
    }
}
