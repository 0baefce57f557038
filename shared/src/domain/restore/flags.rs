//! `DeleteOnTermination` of volumes that a restore puts in place: EC2 attaches them so that they stay when their instance
//! is terminated, and a restore has them go or stay as before
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-root-volume-delete-on-termination.html>).

use super::Restore;
use super::decision::{Act, Next};
use super::mode::RestoreMode;
use crate::domain::ids::VolumeId;
use crate::domain::instance::Instance;

impl Restore {
    /// Whether the new volume at this device is to go with its instance: as the one that it replaces, or as was recorded.
    fn new_goes(&self, id: &VolumeId) -> Option<bool> {
        let planned = self.made.volumes.iter().find(|one| one.is(id))?;
        let device = planned.attach_as.as_ref()?;
        let old = self.before.old_volumes.iter().flatten().find(|old| old.device == *device);
        Some(old.and_then(|old| old.delete_on_termination).unwrap_or(planned.delete_on_termination))
    }

    fn old_goes(&self, id: &VolumeId) -> Option<bool> {
        self.taken_off().iter().find(|old| old.volume_id == *id)?.delete_on_termination
    }
}

/// What is to be asked of EC2 once the volumes are in place, so that they go with their instance as before; none if they do,
/// or if it was asked for.
pub(super) fn keep(restore: &Restore, instance: &Instance) -> Option<Next> {
    let is_in_place = matches!(restore.mode, RestoreMode::ReplaceVolumes { .. });
    if restore.course.flags_asked || !is_in_place {
        return None;
    }
    let wrong = instance.volumes.iter().filter_map(|volume| {
        let id = &volume.volume_id;
        let goes = restore.new_goes(id).or_else(|| restore.old_goes(id))?;
        let is_wrong = volume.delete_on_termination.is_some_and(|now| now != goes);
        is_wrong.then(|| (volume.device.clone(), goes))
    });
    let wrong: Vec<_> = wrong.collect();
    (!wrong.is_empty()).then_some(Next::Act(Act::KeepFlags(wrong)))
}
