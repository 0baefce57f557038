//! The way back: what a cancelled restore has to undo, and what is to be done next of it.
//!
//! Only what bears the tag of this very restore is deleted, and of that nothing that was ever attached. The old volumes
//! that the restore has taken off are put back where they were; what a person has attached stays where it is.

use jiff::Timestamp;

use super::decision::{Act, Next, fail, may_not_show};
use super::flags;
use super::hands::{attached_by_hand, attached_by_us, may_not_stop};
use super::mode::{OldVolume, RestoreMode};
use super::safety::{must_not_stop, old_volume_gone, written};
use super::seen::{RestoreFacts, SeenVolume, VolumeState};
use super::step::StepName;
use super::swap::{root_first, start_again, take_off};
use super::{Restore, SETTLES_WITHIN, undo_whole};
use crate::domain::ids::VolumeId;
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::restore::{Before, Made};

impl Restore {
    /// What must be undone of what has been begun, in order. There is always a step, so that a cancellation ends where
    /// everything else ends.
    pub fn undo_steps(&self) -> Vec<StepName> {
        match &self.mode {
            RestoreMode::NewVolumes { .. } | RestoreMode::Drill => {
                let attached = self.has_begun(StepName::AttachVolumes);
                let detach = attached.then_some(StepName::DetachNewVolumes);
                detach.into_iter().chain([StepName::DeleteNewVolumes]).collect()
            }
            RestoreMode::ReplaceVolumes { .. } => vec![
                StepName::StopAgain,
                StepName::DetachNewVolumes,
                StepName::ReattachOldVolumes,
                StepName::StartAgain,
                StepName::DeleteNewVolumes,
            ],
            RestoreMode::ReplaceRoot { .. } => vec![StepName::SettleRoot],
            RestoreMode::NewInstance(_) => vec![StepName::RemoveImage],
        }
    }

    /// Why a volume of this restore is kept when it is taken back; none if it goes: only what was never attached does.
    fn kept_for(&self, volume: &SeenVolume) -> Option<String> {
        if let Some(at) = volume.attachments.first() {
            return Some(format!("it is attached to {} at {}", at.instance_id, at.device));
        }
        let help = "it was attached, and may have been written to; delete it when it is of no use";
        self.was_attached(&volume.id).then(|| help.to_owned())
    }

    pub(super) fn noted(&self, note: String) -> Option<Next> {
        if self.notes.contains(&note) {
            return None;
        }
        let notes = self.notes.iter().cloned().chain([note]).collect();
        Some(Next::Record(Box::new(Self { notes, ..self.clone() })))
    }
}

/// What is to be done next of a step back.
pub(super) fn next(restore: &Restore, seen: &RestoreFacts, step: StepName, now: Timestamp) -> Next {
    // What was asked for on the way there may not show yet, and would then come after what undoes it.
    let begun = restore.undo.first().and_then(|step| step.started_at);
    let of_before = restore.course.asked_at.filter(|at| begun.is_none_or(|begun| *at <= begun));
    if of_before.is_some_and(|at| now.duration_since(at) < SETTLES_WITHIN) {
        return Next::Wait("for what was asked of EC2 to show");
    }
    match step {
        StepName::StopAgain => stop(restore, seen),
        StepName::DetachNewVolumes => detach_new(restore, seen),
        StepName::ReattachOldVolumes => reattach_old(restore, seen),
        StepName::StartAgain => start(restore, seen),
        StepName::DeleteNewVolumes => delete_made(restore, seen, now),
        StepName::SettleRoot => undo_whole::settle_root(restore, seen, now),
        StepName::RemoveImage => undo_whole::remove_image(restore, seen, now),
        StepName::Check
        | StepName::SnapshotFirst
        | StepName::CreateVolumes
        | StepName::StopInstance
        | StepName::DetachVolumes
        | StepName::AttachVolumes
        | StepName::StartInstance
        | StepName::TagOldVolumes
        | StepName::ReplaceRoot
        | StepName::RegisterImage
        | StepName::RunInstance
        | StepName::DeregisterImage
        | StepName::DeleteVolumes => Next::Done,
    }
}

/// Whether nothing of what the restore has done to the volumes of the instance is left. What a person has attached is not of
/// its doing, and of no matter as long as the instance stands still.
fn is_as_before(restore: &Restore, instance: &Instance, seen: &RestoreFacts) -> bool {
    let is_here = |id: &VolumeId| instance.volumes.iter().any(|one| one.volume_id == *id);
    let is_settled = |one: &SeenVolume| one.at(&instance.id).is_none_or(|at| at.is_settled);
    let is_at_it = |volume: &SeenVolume| volume.is_at(&instance.id);
    let none_new = if instance.state == InstanceState::Stopped {
        !attached_by_us(restore, seen).any(is_at_it)
    } else {
        !seen.made_by(&restore.id).any(is_at_it)
    };
    none_new
        && restore.taken_off().into_iter().all(|one| {
            is_here(&one.volume_id) && seen.volume(&one.volume_id).is_some_and(is_settled)
        })
}

fn stop(restore: &Restore, seen: &RestoreFacts) -> Next {
    if let Some(next) = written(restore, seen) {
        return next;
    }
    let Some(instance) = seen.living_instance() else {
        return Next::Skip("the instance is gone");
    };
    if is_as_before(restore, instance, seen) {
        // It may be on its way down all the same, for what was to come.
        return match instance.state {
            InstanceState::Stopping => Next::Wait("for the instance to be stopped"),
            InstanceState::Pending
            | InstanceState::Running
            | InstanceState::ShuttingDown
            | InstanceState::Terminated
            | InstanceState::Stopped
            | InstanceState::Unknown => Next::Skip("its volumes are as they were"),
        };
    }
    let in_the_way = attached_by_hand(restore, instance, seen)
        .or_else(|| old_volume_gone(restore, instance, seen))
        .or_else(|| may_not_stop(restore, instance))
        .or_else(|| must_not_stop(restore, instance));
    if let Some(next) = in_the_way {
        return next;
    }
    match instance.state {
        InstanceState::Stopped => Next::Done,
        InstanceState::Running
            if !restore.made.is_in_use || restore.before.was_running != Some(true) =>
        {
            let (was_running, is_in_use) = (Some(true), true);
            Next::Record(Box::new(Restore {
                before: Before { was_running, ..restore.before.clone() },
                made: Made { is_in_use, ..restore.made.clone() },
                ..restore.clone()
            }))
        }
        InstanceState::Running => Next::Act(Act::Stop),
        InstanceState::Pending
        | InstanceState::Stopping
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Unknown => Next::Wait("for the instance to be stopped"),
    }
}

fn detach_new(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(target) = restore.mode.target() else { return Next::Done };
    if let Some(next) = written(restore, seen) {
        return next;
    }
    let is_here = attached_by_us(restore, seen).any(|volume| volume.is_at(target));
    let standing = seen.living_instance().filter(|one| one.state != InstanceState::Stopped);
    match (&restore.mode, standing) {
        (RestoreMode::ReplaceVolumes { .. }, Some(instance)) if is_here => {
            return stop_once_more(restore, instance);
        }
        // What runs may have it mounted: it is not taken off under its hands.
        (RestoreMode::NewVolumes { .. }, Some(_)) => return Next::Done,
        _ => {}
    }
    let new: Vec<_> = attached_by_us(restore, seen).map(|volume| &volume.id).collect();
    take_off(new.into_iter(), target, seen).unwrap_or(Next::Done)
}

/// What is to be done of an instance that somebody has started meanwhile: nothing is taken off before it stands still
/// again.
fn stop_once_more(restore: &Restore, instance: &Instance) -> Next {
    let refused = may_not_stop(restore, instance).or_else(|| must_not_stop(restore, instance));
    if let Some(next) = refused {
        return next;
    }
    match instance.state {
        InstanceState::Running if restore.before.was_running != Some(true) => {
            Next::Record(Box::new(Restore {
                before: Before { was_running: Some(true), ..restore.before.clone() },
                ..restore.clone()
            }))
        }
        InstanceState::Running => Next::Act(Act::Stop),
        InstanceState::Pending
        | InstanceState::Stopping
        | InstanceState::Stopped
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Unknown => Next::Wait("for the instance to be stopped"),
    }
}

fn reattach_old(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(instance) = seen.living_instance() else {
        return Next::Skip("the instance is gone");
    };
    let (mut wanted, mut is_waiting, mut in_the_way) = (Vec::new(), false, None);
    for old in restore.taken_off() {
        let id = &old.volume_id;
        let lost = |why: String| {
            restore.noted(format!("the old volume {id} is not back at {}: {why}", old.device))
        };
        let volume = seen.volume(id).filter(|volume| volume.is_usable());
        let places = volume.map(|volume| (volume.at(&instance.id), volume.attachments.first()));
        let note = match places {
            None => lost("it is gone".to_owned()),
            Some((Some(at), _)) => {
                is_waiting |= !at.is_settled;
                None
            }
            Some((None, Some(at))) => lost(format!("it is attached to {}", at.instance_id)),
            Some((None, None)) if instance.volumes.iter().any(|one| one.volume_id == *id) => {
                is_waiting = true;
                None
            }
            Some((None, None)) => {
                let other = instance.volumes.iter().find(|one| one.device == old.device);
                match other.map(|other| make_room(restore, seen, old, &other.volume_id)) {
                    None => wanted.push((id.clone(), old.device.clone())),
                    // The others come back first: with its root alone the instance can at least be started.
                    Some(next @ Next::Fail { .. }) => in_the_way = in_the_way.or(Some(next)),
                    Some(next) => return next,
                }
                None
            }
        };
        if let Some(note) = note {
            return note;
        }
    }
    match (wanted.is_empty(), is_waiting) {
        (false, _) => Next::Act(Act::Attach(root_first(wanted, instance))),
        (true, true) => Next::Wait("for the old volumes to be attached"),
        (true, false) if let Some(next) = in_the_way => next,
        (true, false) if let Some(next) = flags::keep(restore, instance) => next,
        (true, false) if restore.before.old_volumes_expire_at.is_some() => Next::Act(Act::UntagOld),
        (true, false) => Next::Done,
    }
}

/// What is to be done of `other`, which is where an old volume is to come back: it goes if this restore has made it.
fn make_room(restore: &Restore, seen: &RestoreFacts, old: &OldVolume, other: &VolumeId) -> Next {
    if seen.volume(other).is_some_and(|volume| volume.attachments.is_empty()) {
        return Next::Wait("for the device to show as free");
    }
    if attached_by_us(restore, seen).any(|volume| volume.id == *other) {
        let next = detach_new(restore, seen);
        let waits = Next::Wait("for the volumes to be detached");
        return if next == Next::Done { waits } else { next };
    }
    let message = format!(
        "{other} is at {}, where the old volume {} is to come back; take it off and retry",
        old.device, old.volume_id
    );
    fail(restore, "DeviceInUse", message)
}

fn start(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(instance) = seen.living_instance() else {
        return Next::Skip("the instance is gone");
    };
    if restore.before.was_running != Some(true) {
        return Next::Skip("the instance did not run before");
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

/// Deletes what the restore has made, as far as EC2 has never shown it attached to anything. What was being made when a
/// worker died may show late, so an absence is believed after a while only.
pub(super) fn delete_made(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let (mut ready, mut is_waiting) = (Vec::new(), false);
    for volume in seen.made_by(&restore.id) {
        let id = &volume.id;
        if let Some(why) = restore.kept_for(volume) {
            if let Some(note) = restore.noted(format!("{id} stays: {why}")) {
                return note;
            }
            continue;
        }
        match volume.state {
            VolumeState::Going => {}
            VolumeState::Creating | VolumeState::InUse => is_waiting = true,
            VolumeState::Available | VolumeState::Error => ready.push(id.clone()),
        }
    }
    if !ready.is_empty() {
        return Next::Act(Act::Delete(ready));
    }
    let shown = |id: &VolumeId| seen.volume(id).is_some();
    let asked_for_more =
        restore.made.volumes.iter().any(|one| one.volume_id.as_ref().is_none_or(|id| !shown(id)))
            && may_not_show(restore, now);
    if is_waiting || asked_for_more {
        return Next::Wait("for the volumes that were made to show, or to go");
    }
    Next::Done
}
