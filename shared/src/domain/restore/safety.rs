//! Conditions of the way back, before it takes an instance apart or deletes what was made for it, and the words where
//! it does not bring everything back.

use super::Restore;
use super::decision::{Next, fail};
use super::mode::{OldVolume, RestoreMode};
use super::plan::ended_once_stopped;
use super::seen::RestoreFacts;
use super::step::{StepName, StepStatus};
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::restore::Made;

/// Whether the instance may have written to volumes that were made and attached: EC2's launch time moves at each start,
/// so only one that lies before the first of them was attached rules it out.
pub(super) fn may_be_written(restore: &Restore, instance: Option<&Instance>) -> bool {
    let Some(first) = restore.made.volumes.iter().filter_map(|volume| volume.attached_at).min()
    else {
        return false;
    };
    let Some(instance) = instance.filter(|instance| !instance.is_gone()) else { return true };
    instance.state == InstanceState::Running || instance.launched_at.is_none_or(|at| at >= first)
}

/// Has it recorded that the new volumes may have been written to, unless that is known; nothing if they were not.
pub(super) fn written(restore: &Restore, seen: &RestoreFacts) -> Option<Next> {
    let is_new = matches!(restore.mode, RestoreMode::ReplaceVolumes { .. })
        && !restore.made.is_in_use
        && may_be_written(restore, seen.instance.as_ref());
    is_new.then(|| {
        Next::Record(Box::new(Restore {
            made: Made { is_in_use: true, ..restore.made.clone() },
            ..restore.clone()
        }))
    })
}

/// Why nothing is to be taken off the instance: an old volume that is to come back cannot. Nothing if all can.
pub(super) fn old_volume_gone(
    restore: &Restore,
    instance: &Instance,
    seen: &RestoreFacts,
) -> Option<Next> {
    let is_listed =
        |old: &OldVolume| instance.volumes.iter().any(|one| one.volume_id == old.volume_id);
    for old in restore.taken_off() {
        let volume = seen.volume(&old.volume_id).filter(|volume| volume.is_usable());
        let (why, help) =
            match volume.map(|volume| (volume.is_at(&instance.id), volume.attachments.first())) {
                None if is_listed(old) => continue,
                None => ("is gone".to_owned(), String::new()),
                Some((false, Some(at))) => (
                    format!("is attached to {}", at.instance_id),
                    format!("take it off {} and retry, or ", at.instance_id),
                ),
                Some((true, _) | (false, None)) => continue,
            };
        let message = format!(
            "the old volume {}, which was at {} of {}, {why}; the way back has taken nothing off the instance: \
             {help}end the restore with {{\"leave\": true}}",
            old.volume_id, old.device, instance.id
        );
        return Some(fail(restore, "OldVolumeGone", message));
    }
    None
}

/// Why an instance that runs is not stopped on the way back: its group would end it. Nothing if it may be.
pub(super) fn must_not_stop(restore: &Restore, instance: &Instance) -> Option<Next> {
    let running = Some(instance).filter(|one| one.state == InstanceState::Running)?;
    let then = "and retry, or end the restore with {\"leave\": true}, which leaves the new volumes where they are";
    Some(fail(restore, "AutoScalingGroup", ended_once_stopped(running, then)?))
}

/// What the snapshot that was taken first is good for, where there is one.
pub(super) fn first_brings_it_back(restore: &Restore) -> String {
    let was_taken = restore
        .forward(StepName::SnapshotFirst)
        .is_some_and(|step| step.status == StepStatus::Done);
    let first = restore.before.snapshot_first.as_ref().filter(|_| was_taken);
    first
        .map(|id| format!(", and the snapshot that was taken first, {id}, brings it back"))
        .unwrap_or_default()
}

/// That the instance has no root volume, in words; nothing if it has one.
pub(super) fn root_is_off(restore: &Restore, seen: &RestoreFacts) -> Option<String> {
    let instance = seen.living_instance()?;
    if instance.volumes.iter().any(|volume| volume.boot) {
        return None;
    }
    let help = match (restore.before.old_volumes.iter().flatten().next(), &instance.root_device) {
        (Some(old), _) => {
            format!("attach the old one, {}, at {} by hand", old.volume_id, old.device)
        }
        (None, Some(device)) => format!("attach one at {device} by hand"),
        (None, None) => "attach one by hand".to_owned(),
    };
    Some(format!("{} has no root volume: {help}", instance.id))
}
