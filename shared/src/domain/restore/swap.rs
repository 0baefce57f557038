//! New volumes in the place of an instance's: what is to be done next.

use jiff::Timestamp;

use super::Restore;
use super::decision::{Act, Next, fail, instance_gone};
use super::mode::{PlannedVolume, RestoreMode};
use super::plan::ended_once_stopped;
use super::room::{self, in_the_way};
use super::seen::RestoreFacts;
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::restore::{Before, Made};

pub(super) fn stop(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
    let may_stop = matches!(restore.mode, RestoreMode::ReplaceVolumes { stop: true, .. });
    let noted = |was_running: bool| {
        Next::Record(Box::new(Restore {
            before: Before { was_running: Some(was_running), ..restore.before.clone() },
            ..restore.clone()
        }))
    };
    if instance.state == InstanceState::Running
        && let Some(message) = ended_once_stopped(instance, "and retry, or cancel")
    {
        return fail(restore, "AutoScalingGroup", message);
    }
    if instance.state == InstanceState::Running
        && let Some(next) = shared(restore, instance, seen)
    {
        return next;
    }
    match instance.state {
        InstanceState::Running if !may_stop => fail(
            restore,
            "InstanceRunning",
            format!(
                "{} is running; stop it and retry, or cancel and ask with stop: true",
                instance.id
            ),
        ),
        InstanceState::Running if restore.before.was_running != Some(true) => noted(true),
        InstanceState::Running => Next::Act(Act::Stop),
        InstanceState::Stopped if restore.before.was_running.is_none() => noted(false),
        InstanceState::Stopped => Next::Done,
        InstanceState::Pending
        | InstanceState::Stopping
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Unknown => Next::Wait("for the instance to be stopped"),
    }
}

/// That nothing is taken off the instance, because another has got a volume of it meanwhile. Nothing if that is not so.
fn shared(restore: &Restore, instance: &Instance, seen: &RestoreFacts) -> Option<Next> {
    let why = room::shared(&restore.made.volumes, instance, &seen.volumes)?;
    let message = format!("{why} and retry, or cancel");
    Some(fail(restore, "VolumeShared", message))
}

fn must_be_stopped(restore: &Restore, instance: &Instance) -> Option<Next> {
    match instance.state {
        InstanceState::Stopped => None,
        InstanceState::Stopping | InstanceState::Unknown => {
            Some(Next::Wait("for the instance to be stopped"))
        }
        InstanceState::Pending
        | InstanceState::Running
        | InstanceState::ShuttingDown
        | InstanceState::Terminated => Some(fail(
            restore,
            "InstanceRunning",
            format!("somebody has started {}; stop it and retry, or cancel", instance.id),
        )),
    }
}

pub(super) fn detach(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
    if let Some(next) = must_be_stopped(restore, instance) {
        return next;
    }
    let Some(old) = &restore.before.old_volumes else {
        let old_volumes = Some(in_the_way(&restore.made.volumes, instance));
        return Next::Record(Box::new(Restore {
            before: Before { old_volumes, ..restore.before.clone() },
            ..restore.clone()
        }));
    };
    let is_old = |id: &VolumeId| old.iter().any(|one| one.volume_id == *id);
    let others = in_the_way(&restore.made.volumes, instance);
    if let Some(other) = others.iter().find(|one| !is_old(&one.volume_id)) {
        let message = format!(
            "somebody has attached {} at {} of {}; take it off and retry, or cancel",
            other.volume_id, other.device, instance.id
        );
        return fail(restore, "DeviceInUse", message);
    }
    if let Some(next) = shared(restore, instance, seen) {
        return next;
    }
    take_off(old.iter().map(|one| &one.volume_id), &instance.id, seen).unwrap_or(Next::Done)
}

/// What is to be done so that none of these volumes is at an instance; nothing if none is.
pub(super) fn take_off<'a>(
    volumes: impl Iterator<Item = &'a VolumeId>,
    instance: &InstanceId,
    seen: &RestoreFacts,
) -> Option<Next> {
    let here = volumes.filter_map(|id| seen.volume(id));
    let here: Vec<_> = here.filter_map(|one| Some((&one.id, one.at(instance)?))).collect();
    let attached = here.iter().filter(|(_, at)| at.is_settled);
    let attached: Vec<_> = attached.map(|(id, _)| (*id).clone()).collect();
    if !attached.is_empty() {
        return Some(Next::Act(Act::Detach(attached)));
    }
    (!here.is_empty()).then_some(Next::Wait("for the volumes to be detached"))
}

pub(super) fn attach(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
    match (&restore.mode, instance.state) {
        (RestoreMode::ReplaceVolumes { .. }, _) => {
            if let Some(next) = must_be_stopped(restore, instance) {
                return next;
            }
        }
        (_, InstanceState::Running | InstanceState::Stopped) => {}
        (_, _) => return Next::Wait("for the instance to be running or stopped"),
    }
    let (mut wanted, mut is_waiting) = (Vec::new(), false);
    for planned in &restore.made.volumes {
        let (Some(id), Some(device)) = (&planned.volume_id, &planned.attach_as) else { continue };
        let Some(volume) = seen.volume(id).filter(|volume| volume.is_usable()) else {
            let message = format!("the volume {id} is gone; cancel, and restore the snapshot anew");
            return fail(restore, "VolumeGone", message);
        };
        match (volume.at(&instance.id), volume.attachments.first()) {
            (Some(at), _) if at.device == *device => is_waiting |= !at.is_settled,
            (Some(at), _) | (None, Some(at)) => {
                let message =
                    format!("somebody has attached {id} to {} at {}", at.instance_id, at.device);
                return fail(restore, "VolumeInUse", message);
            }
            (None, None) if instance.volumes.iter().any(|one| one.device == *device) => {
                let message = format!("{device} of {} is taken by another volume", instance.id);
                return fail(restore, "DeviceInUse", message);
            }
            (None, None) => wanted.push((id.clone(), device.clone())),
        }
    }
    if wanted.is_empty() {
        return if is_waiting { Next::Wait("for the volumes to be attached") } else { Next::Done };
    }
    let is_wanted =
        |one: &PlannedVolume| wanted.iter().any(|(id, _)| one.volume_id.as_ref() == Some(id));
    if restore.made.volumes.iter().any(|one| is_wanted(one) && one.attached_at.is_none()) {
        let mut noted = restore.clone();
        for one in noted.made.volumes.iter_mut().filter(|one| is_wanted(one)) {
            one.attached_at = one.attached_at.or(Some(now));
        }
        noted.made.is_in_use |= matches!(restore.mode, RestoreMode::NewVolumes { .. });
        return Next::Record(Box::new(noted));
    }
    Next::Act(Act::Attach(wanted))
}

pub(super) fn start(restore: &Restore, seen: &RestoreFacts) -> Next {
    if restore.before.was_running != Some(true) {
        return Next::Skip("the instance did not run before");
    }
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
    if !restore.made.is_in_use {
        return Next::Record(Box::new(Restore {
            made: Made { is_in_use: true, ..restore.made.clone() },
            ..restore.clone()
        }));
    }
    match instance.state {
        InstanceState::Running => Next::Done,
        InstanceState::Stopped => Next::Act(Act::Start),
        InstanceState::Pending
        | InstanceState::Stopping
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Unknown => Next::Wait("for the instance to run"),
    }
}
