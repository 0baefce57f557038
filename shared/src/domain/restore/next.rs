//! The next act of a restore, decided from its record and the facts of EC2.
//!
//! A decision never changes anything by itself, and the same record and sight give the same decision: whoever
//! repeats a step looks first, and finds what a dead worker has left.

use jiff::Timestamp;

use super::decision::{Act, Next, fail, instance_gone, may_not_show};
use super::mode::{AfterUse, RestoreMode};
use super::seen::{RestoreFacts, VolumeState};
use super::step::StepName;
use super::{Restore, swap, undo, whole};
use crate::domain::snapshot::Status;

/// The code of a failure after which another snapshot is to be taken first.
pub const SNAPSHOT_FIRST_FAILED: &str = "SnapshotFirstFailed";

/// What is to be done next of the step at hand; nothing once all are behind.
pub fn next(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Option<Next> {
    let (_, step) = restore.step()?;
    if let Some(noticed) = restore.noticing(seen) {
        return Some(Next::Record(Box::new(noticed)));
    }
    Some(match step.name {
        StepName::Check => Next::Act(Act::Check),
        StepName::SnapshotFirst => snapshot_first(restore, seen),
        StepName::CreateVolumes => create_volumes(restore, seen, now),
        StepName::StopInstance => swap::stop(restore, seen),
        StepName::DetachVolumes => swap::detach(restore, seen, now),
        StepName::AttachVolumes => swap::attach(restore, seen, now),
        StepName::StartInstance => swap::start(restore, seen),
        StepName::TagOldVolumes => match &restore.before.old_volumes {
            Some(old) if !old.is_empty() => Next::Act(Act::TagOld),
            Some(_) | None => Next::Skip("no volume had to make room"),
        },
        StepName::ReplaceRoot => whole::replace_root(restore, seen, now),
        StepName::RegisterImage => whole::register_image(restore, seen),
        StepName::RunInstance => whole::run_instance(restore, seen, now),
        StepName::DeregisterImage => match (&restore.mode, &restore.made.image_id) {
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

fn snapshot_first(restore: &Restore, seen: &RestoreFacts) -> Next {
    if seen.living_instance().is_none() {
        return instance_gone(restore);
    }
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
    for (position, planned) in adopted.made.volumes.iter_mut().enumerate() {
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
    let planned = restore.made.volumes.iter().enumerate();
    let missing: Vec<_> =
        planned.filter(|(_, one)| one.volume_id.is_none()).map(|(position, _)| position).collect();
    if !missing.is_empty() {
        return Next::Act(Act::CreateVolumes(missing));
    }
    let (mut is_waiting, mut lost) = (false, Vec::new());
    for id in restore.made.volumes.iter().filter_map(|planned| planned.volume_id.as_ref()) {
        match seen.volume(id).map(|volume| volume.state) {
            Some(VolumeState::Available | VolumeState::InUse) => {}
            Some(VolumeState::Creating) => is_waiting = true,
            None if may_not_show(restore, now) => is_waiting = true,
            Some(VolumeState::Going | VolumeState::Error) | None => lost.push(id),
        }
    }
    if !lost.is_empty() {
        let named: Vec<_> = lost.iter().map(|id| id.as_str()).collect();
        let message = format!(
            "{} came to nothing; where the snapshot of a volume is encrypted, our role must be allowed to use the key",
            named.join(", ")
        );
        // Each of them is made anew by the next try.
        let record = lost.iter().fold(restore.clone(), |record, id| record.volume_lost(id));
        return Next::Fail { code: "VolumeFailed", message, record: Box::new(record) };
    }
    if is_waiting { Next::Wait("for the volumes to become available") } else { Next::Done }
}
