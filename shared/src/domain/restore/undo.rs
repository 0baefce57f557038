//! The way back: what a cancelled restore has to undo, and what is to be done next of it.
//!
//! Only what bears the tag of this very restore is deleted, and nothing that an instance may have written to. The old
//! volumes are put back where they were recorded to be before the first of them was taken off.

use jiff::Timestamp;

use super::decision::{Act, Next, fail, may_not_show};
use super::mode::{OldVolume, RestoreMode};
use super::safety::{
    all_old_are_back, first_brings_it_back, must_not_stop, old_volume_gone, root_is_off, written,
};
use super::seen::{RestoreFacts, SeenVolume, TaskState, VolumeState};
use super::step::StepName;
use super::swap::take_off;
use super::{Restore, SETTLES_WITHIN};
use crate::domain::ids::{InstanceId, VolumeId};
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

    /// Why a volume of this restore is kept when it is taken back; nothing if it goes.
    fn kept_for(&self, id: &VolumeId, seen: &RestoreFacts) -> Option<&'static str> {
        let planned = self.made.volumes.iter().find(|one| one.volume_id.as_ref() == Some(id));
        planned.filter(|one| one.attached_at.is_some())?;
        if self.made.is_in_use {
            return Some("an instance may have written to it");
        }
        match &self.mode {
            RestoreMode::ReplaceVolumes { instance_id, .. }
                if !all_old_are_back(self, instance_id, seen) =>
            {
                Some("not all old volumes are back at the instance")
            }
            RestoreMode::ReplaceVolumes { .. }
            | RestoreMode::NewVolumes { .. }
            | RestoreMode::ReplaceRoot { .. }
            | RestoreMode::NewInstance(_)
            | RestoreMode::Drill => None,
        }
    }

    fn noted(&self, note: String) -> Option<Next> {
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
    if restore.course.asked_at.is_some_and(|at| now.duration_since(at) < SETTLES_WITHIN) {
        return Next::Wait("for what was asked of EC2 to show");
    }
    match step {
        StepName::StopAgain => stop(restore, seen),
        StepName::DetachNewVolumes => detach_new(restore, seen),
        StepName::ReattachOldVolumes => reattach_old(restore, seen),
        StepName::StartAgain => start(restore, seen),
        StepName::DeleteNewVolumes => delete_made(restore, seen, now),
        StepName::SettleRoot => settle_root(restore, seen, now),
        StepName::RemoveImage => remove_image(restore, seen, now),
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

fn made<'a>(restore: &'a Restore, seen: &'a RestoreFacts) -> impl Iterator<Item = &'a SeenVolume> {
    seen.volumes.iter().filter(|volume| volume.is_made_by(&restore.id))
}

/// Whether the volumes of the instance are as they were.
fn is_as_before(restore: &Restore, instance: &Instance, seen: &RestoreFacts) -> bool {
    let is_here = |id: &VolumeId| instance.volumes.iter().any(|one| one.volume_id == *id);
    let is_settled = |one: &SeenVolume| one.at(&instance.id).is_none_or(|at| at.is_settled);
    let none_new = !made(restore, seen).any(|volume| volume.is_at(&instance.id));
    let mut old = restore.before.old_volumes.iter().flatten();
    none_new
        && old.all(|one| {
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
    if let Some(next) = old_volume_gone(restore, instance, seen) {
        return next;
    }
    if let Some(next) = must_not_stop(restore, instance) {
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
    let is_here = made(restore, seen).any(|volume| volume.is_at(target));
    if matches!(restore.mode, RestoreMode::ReplaceVolumes { .. })
        && is_here
        && let Some(instance) = seen.living_instance()
        && instance.state != InstanceState::Stopped
    {
        // Somebody has started it meanwhile: nothing is taken off before it stands still again.
        if let Some(next) = must_not_stop(restore, instance) {
            return next;
        }
        return match instance.state {
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
        };
    }
    let new: Vec<_> = made(restore, seen).map(|volume| &volume.id).collect();
    take_off(new.into_iter(), target, seen).unwrap_or(Next::Done)
}

fn reattach_old(restore: &Restore, seen: &RestoreFacts) -> Next {
    let Some(instance) = seen.living_instance() else {
        return Next::Skip("the instance is gone");
    };
    let (mut wanted, mut is_waiting) = (Vec::new(), false);
    for old in restore.before.old_volumes.iter().flatten() {
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
                if let Some(other) = other {
                    return make_room(restore, seen, old, &other.volume_id);
                }
                wanted.push((id.clone(), old.device.clone()));
                None
            }
        };
        if let Some(note) = note {
            return note;
        }
    }
    match (wanted.is_empty(), is_waiting) {
        (false, _) => Next::Act(Act::Attach(wanted)),
        (true, true) => Next::Wait("for the old volumes to be attached"),
        (true, false) => Next::Done,
    }
}

/// What is to be done of `other`, which is where an old volume is to come back: it goes if this restore has made it.
fn make_room(restore: &Restore, seen: &RestoreFacts, old: &OldVolume, other: &VolumeId) -> Next {
    if made(restore, seen).any(|volume| volume.id == *other) {
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
        InstanceState::Stopped => Next::Act(Act::Start),
        InstanceState::Pending
        | InstanceState::Stopping
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Unknown => Next::Wait("for the instance to run"),
    }
}

/// Deletes what the restore has made, as far as nobody uses it or may have written to it. What was being made when a
/// worker died may show late, so an absence is believed after a while only.
pub(super) fn delete_made(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let (mut ready, mut is_waiting) = (Vec::new(), false);
    for volume in made(restore, seen) {
        let id = &volume.id;
        if let Some(why) = restore.kept_for(id, seen) {
            let note = format!("{id} stays, for {why}; delete it when it is of no use");
            if let Some(note) = restore.noted(note) {
                return note;
            }
            continue;
        }
        match (volume.state, volume.attachments.first()) {
            (VolumeState::Going, _) => {}
            (VolumeState::Creating, _) | (VolumeState::InUse, None) => is_waiting = true,
            (VolumeState::InUse, Some(at)) => {
                let note = format!("{id} stays: somebody has attached it to {}", at.instance_id);
                if let Some(note) = restore.noted(note) {
                    return note;
                }
            }
            (VolumeState::Available | VolumeState::Error, _) => ready.push(id.clone()),
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

fn settle_root(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    match seen.task.as_ref().map(|task| task.state) {
        Some(TaskState::UnderWay) => Next::Wait("for EC2 to end what cannot be stopped"),
        Some(TaskState::Succeeded) => {
            let old = restore.before.old_volumes.iter().flatten().next();
            let old = old.map(|one| one.volume_id.as_str()).unwrap_or_default();
            let note = format!(
                "the root volume was replaced; the old one, {old}, is kept{}",
                first_brings_it_back(restore)
            );
            restore.noted(note).unwrap_or(Next::Done)
        }
        None if may_not_show(restore, now) => Next::Wait("for a task that may not show yet"),
        Some(TaskState::Failed | TaskState::FailedDetached) | None => {
            root_is_off(restore, seen).and_then(|note| restore.noted(note)).unwrap_or(Next::Done)
        }
    }
}

fn remove_image(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    for (id, state) in &seen.made_instances {
        let is_there = match state {
            InstanceState::ShuttingDown | InstanceState::Terminated => false,
            InstanceState::Pending
            | InstanceState::Running
            | InstanceState::Stopping
            | InstanceState::Stopped
            | InstanceState::Unknown => true,
        };
        if is_there && let Some(note) = restore.noted(stays(id)) {
            return note;
        }
    }
    let current = seen.image.as_ref().map(|(id, _)| id);
    let images: Vec<_> = seen.earlier_images.iter().chain(current).cloned().collect();
    match current {
        Some(_) => Next::Act(Act::Deregister(images)),
        None if may_not_show(restore, now) => Next::Wait("for an image that may not show yet"),
        None if !images.is_empty() => Next::Act(Act::Deregister(images)),
        None => Next::Done,
    }
}

fn stays(id: &InstanceId) -> String {
    format!("the new instance {id} stays; terminate it if it is not wanted")
}
