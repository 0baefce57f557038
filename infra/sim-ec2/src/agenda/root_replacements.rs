//! The replacement of a root volume, step by step.

use crate::{
    shelf::Moment,
    state::{
        Region,
        instance::InstanceState,
        root_replacement::{ReplacedVolume, ReplacementState, RootReplacement},
        snapshot::Fate,
        volume::{Attachment, AttachmentState, VolumeState},
    },
};

impl Region {
    /// Brings the task one step on.
    pub(super) fn root_replacement_moves(&mut self, id: &str, moment: Moment) {
        let Some(task) = self.root_replacements.get(id).cloned() else { return };
        match task.state {
            ReplacementState::Pending if task.fate == Fate::Complete && self.can_swap(&task) => {
                self.begin_swap(&task, moment);
            }
            ReplacementState::Pending => {
                self.volumes.remove(&task.new_volume_id, moment);
                self.set_replacement_state(id, ReplacementState::Failing, moment);
            }
            ReplacementState::InProgress if self.can_swap(&task) => {
                self.finish_swap(&task, moment);
            }
            ReplacementState::InProgress => self.undo_swap(&task, moment),
            ReplacementState::Failing => {
                self.set_replacement_state(id, ReplacementState::Failed, moment);
            }
            ReplacementState::Succeeded | ReplacementState::Failed => {}
        }
    }

    /// Whether the instance still runs, on the volume that is to be replaced.
    fn can_swap(&self, task: &RootReplacement) -> bool {
        self.instances.get(&task.instance_id).is_some_and(|instance| {
            instance.state == InstanceState::Running
                && instance.devices.iter().any(|device| device.volume_id == task.old_volume_id)
        })
    }

    fn begin_swap(&mut self, task: &RootReplacement, moment: Moment) {
        let old = self.volumes.get(&task.old_volume_id);
        let Some(attachment) = old.and_then(|volume| volume.attachment.clone()) else { return };
        self.attach_as(&task.old_volume_id, attachment.clone(), AttachmentState::Detaching, moment);
        let attachment = Attachment { attached_at: moment.now, ..attachment };
        self.attach_as(&task.new_volume_id, attachment, AttachmentState::Attaching, moment);
        self.set_replacement_state(&task.id, ReplacementState::InProgress, moment);
    }

    fn attach_as(
        &mut self,
        volume_id: &str,
        attachment: Attachment,
        state: AttachmentState,
        moment: Moment,
    ) {
        self.volumes.change(volume_id, moment, |volume| {
            volume.state = VolumeState::InUse;
            volume.attachment = Some(Attachment { state, ..attachment });
        });
    }

    fn finish_swap(&mut self, task: &RootReplacement, moment: Moment) {
        match task.replaced {
            ReplacedVolume::Delete => {
                self.volumes.remove(&task.old_volume_id, moment);
            }
            ReplacedVolume::Keep => self.volumes.change(&task.old_volume_id, moment, |volume| {
                volume.attachment = None;
                volume.state = VolumeState::Available;
            }),
        }
        self.volumes.change(&task.new_volume_id, moment, |volume| {
            if let Some(attachment) = volume.attachment.as_mut() {
                attachment.state = AttachmentState::Attached;
            }
        });
        let image = task.image_id.as_ref().and_then(|id| self.images.get(id));
        let boot_mode = image.and_then(|image| image.support.boot_mode.clone());
        self.instances.change(&task.instance_id, moment, |instance| {
            for device in &mut instance.devices {
                if device.volume_id == task.old_volume_id {
                    device.volume_id.clone_from(&task.new_volume_id);
                }
            }
            instance.former_roots.push(task.old_volume_id.clone());
            if let Some(image_id) = &task.image_id {
                instance.image_id.clone_from(image_id);
                instance.settings.boot_mode = boot_mode;
            }
        });
        self.set_replacement_state(&task.id, ReplacementState::Succeeded, moment);
    }

    /// The new volume goes, and the old one is where it was.
    fn undo_swap(&mut self, task: &RootReplacement, moment: Moment) {
        self.volumes.remove(&task.new_volume_id, moment);
        self.volumes.change(&task.old_volume_id, moment, |volume| {
            if let Some(attachment) = volume.attachment.as_mut() {
                attachment.state = AttachmentState::Attached;
            }
        });
        self.set_replacement_state(&task.id, ReplacementState::Failed, moment);
    }

    fn set_replacement_state(&mut self, id: &str, to: ReplacementState, moment: Moment) {
        self.root_replacements.change(id, moment, |task| {
            task.state = to;
            task.completed_at = (!to.is_under_way()).then_some(moment.now);
        });
    }
}
