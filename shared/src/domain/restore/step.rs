//! The steps of a restore.

use crate::domain::words::words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

words! {
    /// What a step does.
    StepName {
        /// Asks EC2 by dry runs whether our role may do what is to be done.
        Check => "check",
        /// Takes a snapshot of the instance as it is.
        SnapshotFirst => "snapshot_first",
        /// Makes the volumes and waits until they can be used.
        CreateVolumes => "create_volumes",
        /// Stops the instance if it runs.
        StopInstance => "stop_instance",
        /// Takes the old volumes off the instance.
        DetachVolumes => "detach_volumes",
        /// Puts the new volumes in their place.
        AttachVolumes => "attach_volumes",
        /// Starts the instance again if it ran.
        StartInstance => "start_instance",
        /// Marks the old volumes with when they may go.
        TagOldVolumes => "tag_old_volumes",
        /// Replaces the root volume of the running instance.
        ReplaceRoot => "replace_root",
        /// Registers an image of the snapshot.
        RegisterImage => "register_image",
        /// Launches an instance from it.
        RunInstance => "run_instance",
        /// Removes the image, which has served.
        DeregisterImage => "deregister_image",
        /// Deletes the volumes of a drill.
        DeleteVolumes => "delete_volumes",
        /// Back: stops the instance if volumes must change places again.
        StopAgain => "stop_again",
        /// Back: takes the new volumes off the instance.
        DetachNewVolumes => "detach_new_volumes",
        /// Back: puts the old volumes where they were.
        ReattachOldVolumes => "reattach_old_volumes",
        /// Back: starts the instance if it ran.
        StartAgain => "start_again",
        /// Back: deletes the volumes that were made.
        DeleteNewVolumes => "delete_new_volumes",
        /// Back: waits for the end of a replacement of the root volume that cannot be stopped.
        SettleRoot => "settle_root",
        /// Back: removes the image that was made.
        RemoveImage => "remove_image",
    }
}

words! {
    /// Where a step stands.
    StepStatus {
        /// Not begun.
        Pending => "pending",
        /// Under way.
        Running => "running",
        /// Done.
        Done => "done",
        /// Nothing was to be done.
        Skipped => "skipped",
        /// It went wrong.
        Failed => "failed",
    }
}

/// One step of a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub name: StepName,
    pub status: StepStatus,
    /// When it was begun, the last time.
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// What it waits for, or why there was nothing to do.
    pub note: Option<String>,
}

impl Step {
    /// A step that is not begun.
    pub fn new(name: StepName) -> Self {
        Self { name, status: StepStatus::Pending, started_at: None, finished_at: None, note: None }
    }

    /// Whether it is behind.
    pub fn is_over(&self) -> bool {
        matches!(self.status, StepStatus::Done | StepStatus::Skipped)
    }

    /// Whether it was ever begun.
    pub fn is_begun(&self) -> bool {
        self.started_at.is_some()
    }
}
