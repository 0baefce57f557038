//! People's hands at an instance under restore: what was ever attached is never deleted, and what the restore has not
//! attached itself it does not take off.

use super::decision::{Next, fail};
use super::mode::{OldVolume, PlannedVolume, RestoreMode};
use super::places::is_same_device;
use super::seen::{RestoreFacts, SeenAttachment, SeenVolume};
use super::step::{StepName, StepStatus};
use super::{Made, Restore};
use crate::domain::ids::VolumeId;
use crate::domain::instance::{Instance, InstanceState};

impl Restore {
    /// Whether this volume was ever attached to anything, as far as EC2 has shown us, or may have been because we asked
    /// for it. Something may have written to it then, and it is never deleted.
    pub fn was_attached(&self, id: &VolumeId) -> bool {
        let asked = self.made.volumes.iter().filter(|one| one.attached_at.is_some());
        self.made.seen_attached.contains(id)
            || asked.filter_map(|one| one.volume_id.as_ref()).any(|one| one == id)
    }

    /// The same with every volume noted that EC2 shows attached now, wherever; none if all of them were noted before.
    pub fn noticing(&self, seen: &RestoreFacts) -> Option<Self> {
        let attached = seen.made_by(&self.id).filter(|one| !one.attachments.is_empty());
        let mapped = seen.instance.iter().flat_map(|instance| &instance.volumes);
        let planned = |id: &VolumeId| self.made.volumes.iter().any(|one| one.is(id));
        let ids = attached.map(|one| &one.id);
        let ids = ids.chain(mapped.map(|one| &one.volume_id).filter(|id| planned(id)));
        let mut seen_attached = self.made.seen_attached.clone();
        for id in ids {
            if !seen_attached.contains(id) {
                seen_attached.push(id.clone());
            }
        }
        let made = Made { seen_attached, ..self.made.clone() };
        (made != self.made).then(|| Self { made, ..self.clone() })
    }

    /// The old volumes that the restore itself has taken off its instance: those that the way back puts back.
    pub fn taken_off(&self) -> Vec<&OldVolume> {
        let all = || self.before.old_volumes.iter().flatten();
        // Records of before this was noted.
        let is_done =
            |step: StepName| self.forward(step).is_some_and(|step| step.status == StepStatus::Done);
        if all().all(|old| old.detached_at.is_none()) && is_done(StepName::DetachVolumes) {
            return all().collect();
        }
        all().filter(|old| old.detached_at.is_some()).collect()
    }

    /// Whether `at` is a place where the restore has attached this volume, or has asked for it.
    fn is_ours(&self, volume: &SeenVolume, at: &SeenAttachment) -> bool {
        let is_it = |one: &&PlannedVolume| one.is(&volume.id) && one.attached_at.is_some();
        let Some(planned) = self.made.volumes.iter().find(is_it) else { return false };
        self.mode.target() == Some(&at.instance_id)
            && planned.attach_as.as_deref() == Some(at.device.as_str())
    }

    /// EC2 has certainly not attached this volume.
    pub fn not_attached(&mut self, id: &VolumeId) {
        for one in self.made.volumes.iter_mut().filter(|one| one.is(id)) {
            one.attached_at = None;
        }
    }

    /// Notes something that a person should know, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Whether it may stop its instance.
    pub(super) fn may_stop(&self) -> bool {
        matches!(self.mode, RestoreMode::ReplaceVolumes { stop: true, .. })
    }
}

impl PlannedVolume {
    /// Whether this volume was made for it.
    pub fn is(&self, id: &VolumeId) -> bool {
        self.volume_id.as_ref() == Some(id)
    }
}

/// The volumes that the restore has made and attached to its instance itself.
pub(super) fn attached_by_us<'a>(
    restore: &'a Restore,
    seen: &'a RestoreFacts,
) -> impl Iterator<Item = &'a SeenVolume> {
    seen.made_by(&restore.id)
        .filter(|volume| volume.attachments.iter().any(|at| restore.is_ours(volume, at)))
}

/// Why the way back takes nothing off the instance: a person has attached to it what the restore has made, and works with it,
/// or has put it where an old volume is to come back. None if nobody has. What stands elsewhere at an instance that is
/// stopped is in nobody's way, and stays.
pub(super) fn attached_by_hand(
    restore: &Restore,
    instance: &Instance,
    seen: &RestoreFacts,
) -> Option<Next> {
    let mut here =
        seen.made_by(&restore.id).filter_map(|volume| Some((volume, volume.at(&instance.id)?)));
    let old = restore.taken_off();
    let comes_back = |device: &str| old.iter().any(|old| is_same_device(&old.device, device));
    let stands_still = instance.state == InstanceState::Stopped;
    let (volume, at) = here.find(|(volume, at)| {
        !restore.is_ours(volume, at) && (!stands_still || comes_back(&at.device))
    })?;
    let message = format!(
        "somebody has attached {} to {} at {}, and may have written to it; the way back has changed nothing: take it \
         off and retry, which then keeps it, or end the restore with {{\"leave\": true}}",
        volume.id, instance.id, at.device
    );
    Some(fail(restore, "AttachedByHand", message))
}

/// Why an instance that runs is not stopped on the way back: the restore was never allowed to stop it. None if it was, or
/// if the instance does not run.
pub(super) fn may_not_stop(restore: &Restore, instance: &Instance) -> Option<Next> {
    let runs = matches!(instance.state, InstanceState::Running | InstanceState::Pending);
    if !runs || restore.may_stop() {
        return None;
    }
    let message = format!(
        "{} is {}, and the restore was asked for without stop: true; stop it and retry, or end the restore with \
         {{\"leave\": true}}",
        instance.id, instance.state
    );
    Some(fail(restore, "InstanceRunning", message))
}
