//! The next act of a restore, decided from its record and the facts of EC2.
//!
//! A decision never changes anything by itself, and the same record and sight give the same decision: whoever
//! repeats a step looks first, and finds what a dead worker has left.

use jiff::Timestamp;

use super::mode::{AfterUse, RestoreMode};
use super::seen::{RestoreFacts, VolumeState};
use super::step::StepName;
use super::{Restore, swap, undo, whole};
use crate::domain::ids::{ImageId, InstanceId, VolumeId};
use crate::domain::snapshot::{ABSENCE_UNCERTAIN, Status};

/// The code of a failure after which another snapshot is to be taken first.
pub const SNAPSHOT_FIRST_FAILED: &str = "SnapshotFirstFailed";

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
    /// To replace the root volume.
    ReplaceRoot,
    /// An image.
    RegisterImage,
    /// An instance.
    RunInstance,
    /// To remove these images.
    Deregister(Vec<ImageId>),
    /// To delete these volumes, each of them tagged as made by this restore.
    Delete(Vec<VolumeId>),
}

/// What is to be done next of the step at hand; nothing once all are behind.
pub fn next(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Option<Next> {
    let (_, step) = restore.step()?;
    Some(match step.name {
        StepName::Check => Next::Act(Act::Check),
        StepName::SnapshotFirst => snapshot_first(restore, seen),
        StepName::CreateVolumes => create_volumes(restore, seen, now),
        StepName::StopInstance => swap::stop(restore, seen),
        StepName::DetachVolumes => swap::detach(restore, seen),
        StepName::AttachVolumes => swap::attach(restore, seen, now),
        StepName::StartInstance => swap::start(restore, seen),
        StepName::TagOldVolumes => match &restore.old_volumes {
            Some(old) if !old.is_empty() => Next::Act(Act::TagOld),
            Some(_) | None => Next::Skip("no volume had to make room"),
        },
        StepName::ReplaceRoot => whole::replace_root(restore, seen, now),
        StepName::RegisterImage => whole::register_image(restore, seen),
        StepName::RunInstance => whole::run_instance(restore, seen, now),
        StepName::DeregisterImage => match (&restore.mode, &restore.image_id) {
            (RestoreMode::NewInstance(launch), Some(image))
                if launch.image == AfterUse::Deregister =>
            {
                Next::Act(Act::Deregister(vec![image.clone()]))
            }
            _ => Next::Skip("the image stays"),
        },
        StepName::DeleteVolumes => undo::delete_made(restore, seen, now),
        StepName::StopAgain
        | StepName::DetachNewVolumes
        | StepName::ReattachOldVolumes
        | StepName::StartAgain
        | StepName::DeleteNewVolumes
        | StepName::SettleRoot
        | StepName::RemoveImage => undo::next(restore, seen, step.name, now),
    })
}

pub(super) fn fail(restore: &Restore, code: &'static str, message: impl Into<String>) -> Next {
    Next::Fail { code, message: message.into(), record: Box::new(restore.clone()) }
}

pub(super) fn instance_gone(restore: &Restore) -> Next {
    let id = restore.mode.target().map(InstanceId::as_str).unwrap_or_default();
    let message =
        format!("EC2 has no instance {id} any more; restore the snapshot as a new_instance");
    fail(restore, "InstanceNotFound", message)
}

/// Whether what EC2 was asked for a moment ago may not show yet.
pub(super) fn may_not_show(restore: &Restore, now: Timestamp) -> bool {
    restore.creating_at.is_some_and(|at| now.duration_since(at) < ABSENCE_UNCERTAIN)
}

fn snapshot_first(restore: &Restore, seen: &RestoreFacts) -> Next {
    match &seen.snapshot_first {
        None => Next::Act(Act::RequestSnapshot),
        Some((Status::Available, _)) => Next::Done,
        Some((Status::Requested | Status::Creating | Status::Pending, _)) => {
            Next::Wait("for the snapshot of the instance as it is")
        }
        Some((
            status @ (Status::Error
            | Status::Condemned
            | Status::Deleting
            | Status::Deleted
            | Status::Missing),
            why,
        )) => {
            let why = why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let message = format!(
                "the snapshot that was to be taken first is {status}{why}; nothing has been changed"
            );
            fail(restore, SNAPSHOT_FIRST_FAILED, message)
        }
    }
}

/// The text in the tag of a volume that says which attempt at which planned volume it is.
pub fn part(position: usize, attempt: u32) -> String {
    format!("{position}-{attempt}")
}

fn create_volumes(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let mut adopted = restore.clone();
    for (position, planned) in adopted.volumes.iter_mut().enumerate() {
        let wanted = part(position, planned.attempt);
        let found = seen.volumes.iter().find(|volume| {
            volume.is_made_by(&restore.id) && volume.part() == Some(&wanted) && volume.is_usable()
        });
        if planned.volume_id.is_none() {
            planned.volume_id = found.map(|volume| volume.id.clone());
        }
    }
    if adopted != *restore {
        return Next::Record(Box::new(adopted));
    }
    let planned = restore.volumes.iter().enumerate();
    let missing: Vec<_> =
        planned.filter(|(_, one)| one.volume_id.is_none()).map(|(position, _)| position).collect();
    if !missing.is_empty() {
        return Next::Act(Act::CreateVolumes(missing));
    }
    let mut is_waiting = false;
    for id in restore.volumes.iter().filter_map(|planned| planned.volume_id.as_ref()) {
        match seen.volume(id).map(|volume| volume.state) {
            Some(VolumeState::Available | VolumeState::InUse) => {}
            Some(VolumeState::Creating) => is_waiting = true,
            None if may_not_show(restore, now) => is_waiting = true,
            Some(VolumeState::Going | VolumeState::Error) | None => {
                let message = format!(
                    "the volume {id} came to nothing; where its snapshot is encrypted, our role must be allowed to \
                     use the key"
                );
                let record = Box::new(restore.volume_lost(id));
                return Next::Fail { code: "VolumeFailed", message, record };
            }
        }
    }
    if is_waiting { Next::Wait("for the volumes to become available") } else { Next::Done }
}
