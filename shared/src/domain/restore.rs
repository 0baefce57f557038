//! A restore: a job that brings a snapshot back, in steps that are recorded and can be repeated.
//!
//! ```text
//! requested → running → done | failed
//!             requested | running | failed → cancelling → cancelled | failed
//! ```
//! [`next`] decides what is to be done from the record and what EC2 shows, [`undo`] the same on the way back;
//! neither does anything. What a step needs in order to be repeated or taken back (the volumes that were attached,
//! whether the instance ran) is recorded before EC2 is asked for anything.

mod apart;
mod course;
pub mod decision;
mod flags;
mod hands;
pub mod last_drill;
pub mod mode;
pub mod next;
mod old_volumes;
pub mod outlook;
mod overdue;
pub mod places;
pub mod plan;
pub mod refusal;
pub mod roles;
pub mod room;
mod safety;
pub mod seen;
pub mod step;
pub mod surroundings;
mod swap;
pub mod tokens;
pub mod transitions;
pub mod undo;
mod undo_whole;
mod volumes;
pub mod wanted;
mod whole;
pub mod words;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ImageId, InstanceId, RestoreId, ScheduleId, SnapshotId, VolumeId};
use crate::domain::later::is_default;
use crate::domain::restore::mode::{OldVolume, PlannedVolume, RestoreMode};
use crate::domain::restore::outlook::Outlook;
use crate::domain::restore::step::{Step, StepName};
use crate::domain::words::words;

/// How long one worker has a restore to itself: longer than its function may run, so that nobody acts beside it.
pub const LEASE_LASTS: SignedDuration = SignedDuration::from_mins(6);
/// When the tick looks again at a restore that waits for EC2.
pub const LOOK_AFTER: SignedDuration = SignedDuration::from_secs(20);
/// How long after EC2 was last asked for something its answers may be of before that.
pub const SETTLES_WITHIN: SignedDuration = SignedDuration::from_mins(1);

words! {
    /// Where a restore stands.
    RestoreStatus {
        /// Wanted; nothing done yet.
        Requested => "requested",
        /// Under way.
        Running => "running",
        /// Done.
        Done => "done",
        /// Stopped at a step; it can be taken up again or cancelled.
        Failed => "failed",
        /// What it did is being taken back.
        Cancelling => "cancelling",
        /// Given up, and what could be taken back is.
        Cancelled => "cancelled",
    }
}

impl RestoreStatus {
    /// Whether nothing more comes of it: its instance is free for others, and its snapshot may go.
    pub fn is_over(self) -> bool {
        match self {
            Self::Done | Self::Cancelled => true,
            Self::Requested | Self::Running | Self::Failed | Self::Cancelling => false,
        }
    }

    /// Whether somebody works at it, on the way there or back.
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Running | Self::Cancelling => true,
            Self::Requested | Self::Done | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// Why a restore stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreFailure {
    pub step: StepName,
    /// EC2's error code, or one of ours.
    pub code: String,
    pub message: String,
    /// The AWS action that our role is not permitted, if that is it.
    #[serde(default)]
    pub missing_right: Option<String>,
    pub at: Timestamp,
}

/// Who works at a restore at the moment, and until when at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Counts them.
    pub number: u64,
    /// When it is over, whatever became of the worker.
    pub until: Timestamp,
}

/// Where a volume was at a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPlace {
    pub volume_id: VolumeId,
    /// In words: `attached to i-… at /dev/sdf`.
    pub place: String,
}

/// A job that brings a snapshot back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    pub id: RestoreId,
    /// Counts the writes.
    pub version: u64,
    /// What is brought back.
    pub snapshot_id: SnapshotId,
    /// Its name when the restore was asked for.
    pub snapshot_name: String,
    /// The schedule that took it.
    #[serde(default)]
    pub schedule_id: Option<ScheduleId>,
    /// The instance that the snapshot is of.
    pub instance_id: InstanceId,
    /// Its name then.
    pub instance_name: Option<String>,
    pub region: String,
    /// The zone of new volumes.
    pub zone: Option<String>,
    /// What is to become of it.
    pub mode: RestoreMode,
    pub requested_by: String,
    /// The due time of the schedule's drill that it is; none if a person asked for it.
    #[serde(default)]
    pub drill_due: Option<Timestamp>,
    pub created_at: Timestamp,
    pub status: RestoreStatus,
    pub steps: Vec<Step>,
    /// The way back, once it is cancelled.
    #[serde(default)]
    pub undo: Vec<Step>,
    /// What a person should know: what could not be taken back, what stays.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What it was told to do and cost when it was asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outlook: Outlook,
    #[serde(flatten)]
    pub made: Made,
    #[serde(flatten)]
    pub before: Before,
    #[serde(flatten)]
    pub course: Course,
}

/// What a restore has made, or is about to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The volumes that are made.
    pub volumes: Vec<PlannedVolume>,
    /// When EC2 was last about to be asked to make something.
    #[serde(default)]
    pub creating_at: Option<Timestamp>,
    /// How many root replacements, images or instances came to nothing.
    #[serde(default)]
    pub attempt: u32,
    /// EC2's task that replaces the root volume.
    #[serde(default)]
    pub task_id: Option<String>,
    /// The image that was made.
    #[serde(default)]
    pub image_id: Option<ImageId>,
    /// The instance that was made.
    #[serde(default)]
    pub new_instance_id: Option<InstanceId>,
    /// Whether an instance may have written to volumes that were made and attached.
    #[serde(default)]
    pub is_in_use: bool,
    /// The volumes that EC2 has shown attached to something: none of them is ever deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seen_attached: Vec<VolumeId>,
}

/// What stood before a restore: what the way back brings back, and for how long it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The volumes that had to make room; none until that is recorded.
    #[serde(default)]
    pub old_volumes: Option<Vec<OldVolume>>,
    /// When a person may delete them.
    #[serde(default)]
    pub old_volumes_expire_at: Option<Timestamp>,
    /// When people were told that they, or an image that stays, may be deleted.
    #[serde(default, rename = "old_volumes_told_at", skip_serializing_if = "is_default")]
    pub told_at: Option<Timestamp>,
    /// For how many days they are to be kept.
    pub keep_old_days: u32,
    /// The snapshot that is taken first.
    #[serde(default)]
    pub snapshot_first: Option<SnapshotId>,
    /// Whether the instance ran before it was stopped.
    #[serde(default)]
    pub was_running: Option<bool>,
}

/// How far a restore has come, who works at it, and when somebody looks at it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    #[serde(default)]
    pub cancelled_by: Option<String>,
    #[serde(default)]
    pub failure: Option<RestoreFailure>,
    /// What EC2 last said against it, while it is still tried.
    #[serde(default)]
    pub trouble: Option<String>,
    /// Who works at it.
    #[serde(default)]
    pub lease: Option<Lease>,
    /// When EC2 was last about to be asked for anything.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    /// When the tick looks at it again.
    #[serde(default)]
    pub attention_at: Option<Timestamp>,
    /// When it was done or cancelled.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Where the volumes that it makes or replaces were when they were last looked at, once it has stopped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub places: Vec<SeenPlace>,
    /// Whether EC2 was asked at this step to set what comes with no attachment and no launch: whether volumes go with their
    /// instance, and that it takes traffic that is not for itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flags_asked: bool,
}

#[cfg(test)]
mod tests;
