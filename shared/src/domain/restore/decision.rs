//! Decisions about a restore: what to record, ask of EC2 or wait for, and why it stops.

use jiff::Timestamp;

use super::Restore;
use crate::domain::ids::{ImageId, InstanceId, VolumeId};
use crate::domain::snapshot::ABSENCE_UNCERTAIN;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, before EC2 is further.
    Wait(&'static str),
    /// The step is behind.
    Done,
    /// The step is behind: there was nothing to do.
    Skip(&'static str),
    /// This is to be recorded, before anything else is done.
    Record(Box<Restore>),
    /// EC2 is to be asked for something.
    Act(Act),
    /// The restore stops here, with this record.
    Fail {
        /// A code of ours.
        code: &'static str,
        /// In words.
        message: String,
        /// The restore as the next attempt finds it.
        record: Box<Restore>,
    },
}

/// What EC2 is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Dry runs of all that is to be done.
    Check,
    /// The snapshot that is taken first.
    RequestSnapshot,
    /// The planned volumes at these positions.
    CreateVolumes(Vec<usize>),
    /// To stop the instance.
    Stop,
    /// To start the instance.
    Start,
    /// To take these volumes off the instance.
    Detach(Vec<VolumeId>),
    /// To attach these volumes to the instance at these devices.
    Attach(Vec<(VolumeId, String)>),
    /// To mark the old volumes.
    TagOld,
    /// To take the sense out of these marks: the volumes are back.
    UntagOld,
    /// To have the volumes at these devices go with the instance, or stay.
    KeepFlags(Vec<(String, bool)>),
    /// To replace the root volume.
    ReplaceRoot,
    /// An image.
    RegisterImage,
    /// An instance.
    RunInstance,
    /// To have the new instance take traffic that is not for itself.
    TurnSourceCheckOff(InstanceId),
    /// To remove these images.
    Deregister(Vec<ImageId>),
    /// To delete these volumes, each of them tagged as made by this restore.
    Delete(Vec<VolumeId>),
}

/// The code of a failure after which a volume that was made is not there any more.
pub(super) const VOLUME_GONE: &str = "VolumeGone";
/// The code of a failure after which there is no instance any more.
pub(super) const INSTANCE_GONE: &str = "InstanceNotFound";

pub(super) fn fail(restore: &Restore, code: &'static str, message: impl Into<String>) -> Next {
    Next::Fail { code, message: message.into(), record: Box::new(restore.clone()) }
}

pub(super) fn instance_gone(restore: &Restore) -> Next {
    let id = restore.mode.target().map(InstanceId::as_str).unwrap_or_default();
    let message =
        format!("EC2 has no instance {id} any more; restore the snapshot as a new_instance");
    fail(restore, INSTANCE_GONE, message)
}

/// Whether what EC2 was asked for a moment ago may not show yet.
pub(super) fn may_not_show(restore: &Restore, now: Timestamp) -> bool {
    restore.made.creating_at.is_some_and(|at| now.duration_since(at) < ABSENCE_UNCERTAIN)
}
