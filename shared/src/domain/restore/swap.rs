//! New volumes in the place of an instance's: what is to be done next.

use jiff::Timestamp;

use super::Restore;
use super::decision::{Act, Next, VOLUME_GONE, fail, instance_gone};
use super::flags;
use super::mode::{OldVolume, PlannedVolume, RestoreMode};
use super::plan::ended_once_stopped;
use super::room::{self, in_the_way};
use super::seen::RestoreFacts;
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::restore::{Before, Made};

pub(super) fn stop(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
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
        InstanceState::Running if !restore.may_stop() => fail(
            restore,
            "InstanceRunning",
            format!(
                "{} is running; stop it and retry, or cancel and ask with stop: true",
                instance.id
            ),
        ),
        InstanceState::Running | InstanceState::Stopped
            if let Some(next) = astray(restore, instance, seen) =>
        {
            next
        }
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

/// Why the new volumes cannot come to their places: one is gone, or somebody has attached it elsewhere. None if all can.
/// This is asked before the instance is stopped and before anything is taken off it, too: afterwards it would stand
/// still for nothing.
fn astray(restore: &Restore, instance: &Instance, seen: &RestoreFacts) -> Option<Next> {
    restore.made.volumes.iter().find_map(|planned| {
        let (Some(id), Some(device)) = (&planned.volume_id, &planned.attach_as) else { return None };
        let Some(volume) = seen.volume(id).filter(|volume| volume.is_usable()) else {
            let message = format!("the volume {id} is gone; cancel, and restore the snapshot anew");
            return Some(fail(restore, VOLUME_GONE, message));
        };
        let at = volume.at(&instance.id).or(volume.attachments.first())?;
        if at.instance_id == instance.id && at.device == *device {
            return None;
        }
        let message = format!(
            "somebody has attached {id} to {} at {}, and not to {} at {device}; attach it there and retry, or end the \
             restore with {{\"leave\": true}}",
            at.instance_id, at.device, instance.id
        );
        Some(fail(restore, "VolumeInUse", message))
    })
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

pub(super) fn detach(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
    if let Some(next) = must_be_stopped(restore, instance) {
        return next;
    }
    if let Some(next) = astray(restore, instance, seen) {
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
        if is_off(&other.volume_id, &instance.id, seen) {
            return Next::Wait("for the device to show as free");
        }
        let message = format!(
            "somebody has attached {} at {} of {}; take it off and retry, or cancel",
            other.volume_id, other.device, instance.id
        );
        return fail(restore, "DeviceInUse", message);
    }
    if let Some(next) = shared(restore, instance, seen) {
        return next;
    }
    if let Some(message) = moved(old, instance, seen) {
        return fail(restore, "VolumeMoved", message);
    }
    let to_go = |one: &&OldVolume| {
        one.detached_at.is_none()
            && seen.volume(&one.volume_id).is_some_and(|volume| volume.is_at(&instance.id))
    };
    if old.iter().any(|one| to_go(&one)) {
        let noted = old.iter().map(|one| OldVolume {
            detached_at: one.detached_at.or_else(|| to_go(&one).then_some(now)),
            ..one.clone()
        });
        let old_volumes = Some(noted.collect());
        return Next::Record(Box::new(Restore {
            before: Before { old_volumes, ..restore.before.clone() },
            ..restore.clone()
        }));
    }
    let next = take_off(old.iter().map(|one| &one.volume_id), &instance.id, seen);
    next.unwrap_or(if old.is_empty() { Next::Done } else { Next::Act(Act::TagOld) })
}

/// That an old volume is at another device than was recorded, in words; none if each is where it was or off.
fn moved(old: &[OldVolume], instance: &Instance, seen: &RestoreFacts) -> Option<String> {
    old.iter().find_map(|one| {
        let at = seen.volume(&one.volume_id)?.at(&instance.id)?;
        (at.device != one.device).then(|| {
            format!(
                "{} was at {} of {} and is at {} now: somebody has moved it; move it back and retry, or cancel and ask \
                 anew",
                one.volume_id, one.device, instance.id, at.device
            )
        })
    })
}

/// Whether a volume is at this instance no longer, by its own account: the instance may still list it, for what EC2 shows
/// of one may be older than what it shows of the other.
fn is_off(volume: &VolumeId, instance: &InstanceId, seen: &RestoreFacts) -> bool {
    seen.volume(volume).is_some_and(|volume| !volume.is_at(instance))
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
    let is_in_place = matches!(restore.mode, RestoreMode::ReplaceVolumes { .. });
    let stands = matches!(instance.state, InstanceState::Running | InstanceState::Stopped);
    if !is_in_place && !stands {
        return Next::Wait("for the instance to be running or stopped");
    }
    if let Some(next) = astray(restore, instance, seen) {
        return next;
    }
    let (mut wanted, mut is_waiting) = (Vec::new(), false);
    for planned in &restore.made.volumes {
        let (Some(id), Some(device)) = (&planned.volume_id, &planned.attach_as) else { continue };
        match seen.volume(id).and_then(|volume| volume.at(&instance.id)) {
            Some(at) => is_waiting |= !at.is_settled,
            None if instance.volumes.iter().any(|one| one.is(device, id)) => is_waiting = true,
            None if let Some(other) = instance.volumes.iter().find(|one| one.device == *device) => {
                if is_off(&other.volume_id, &instance.id, seen) {
                    is_waiting = true;
                    continue;
                }
                let message = format!(
                    "{device} of {} is taken by {}; take it off and retry, or cancel",
                    instance.id, other.volume_id
                );
                return fail(restore, "DeviceInUse", message);
            }
            None => wanted.push((id.clone(), device.clone())),
        }
    }
    // Somebody who starts it once all is in place does no harm.
    let is_to_stand_still = is_in_place && !wanted.is_empty();
    if is_to_stand_still && let Some(next) = must_be_stopped(restore, instance) {
        return next;
    }
    if wanted.is_empty() {
        if is_waiting || !show_in_place(restore, instance) {
            return Next::Wait("for the volumes to show in their places");
        }
        return flags::keep(restore, instance).unwrap_or(Next::Done);
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
    Next::Act(Act::Attach(root_first(wanted, instance)))
}

/// Whether the instance, too, lists each new volume that is to be at it.
fn show_in_place(restore: &Restore, instance: &Instance) -> bool {
    let mut ids = restore.made.volumes.iter().filter_map(|one| one.volume_id.as_ref());
    ids.all(|id| instance.volumes.iter().any(|one| one.volume_id == *id))
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
        InstanceState::Stopped => start_again(restore, instance),
        InstanceState::Pending
        | InstanceState::Stopping
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Unknown => Next::Wait("for the instance to run"),
    }
}

/// What is to be done of an instance that is stopped and is to run: it is started, unless EC2 has taken back a start of
/// this step, which it says by the reason of the state
/// (<https://repost.aws/knowledge-center/kms-iam-ec2-permission>).
pub(super) fn start_again(restore: &Restore, instance: &Instance) -> Next {
    let begun = restore.step().and_then(|(_, step)| step.started_at);
    let was_started = instance.launched_at.zip(begun).is_some_and(|(at, begun)| at >= begun);
    let reason = instance.circumstances.reason.as_ref().filter(|_| was_started);
    match reason {
        Some(reason) if reason.is_shutdown() => {
            let message = format!(
                "somebody has stopped {} since it was started; start it, or retry to have it started",
                instance.id
            );
            fail(restore, "InstanceStopped", message)
        }
        Some(reason) if !reason.passes() => {
            let message = format!(
                "EC2 has taken back the start of {}: {}; mend that and retry, or cancel",
                instance.id, reason.message
            );
            fail(restore, "StartTakenBack", message)
        }
        // For want of capacity it is tried again and again.
        Some(_) | None => Next::Act(Act::Start),
    }
}

/// The places with that of the root first: with it alone the instance can at least be started.
pub(super) fn root_first(
    mut places: Vec<(VolumeId, String)>,
    instance: &Instance,
) -> Vec<(VolumeId, String)> {
    places.sort_by_key(|(_, device)| instance.root_device.as_ref() != Some(device));
    places
}
