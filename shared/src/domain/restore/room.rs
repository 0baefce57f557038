//! The volumes that have to make room for those of a restore, and which of them must not: with Multi-Attach a volume is at
//! several instances at once, and what is on it does not belong to one of them alone.

use super::mode::{OldVolume, PlannedVolume};
use super::refusal::{Refusal, state};
use super::seen::SeenVolume;
use crate::domain::ids::VolumeId;
use crate::domain::instance::Instance;

/// The volumes of an instance that stand where planned ones are to be.
pub fn in_the_way(planned: &[PlannedVolume], instance: &Instance) -> Vec<OldVolume> {
    let is_wanted =
        |device: &str| planned.iter().any(|one| one.attach_as.as_deref() == Some(device));
    let is_new = |id: &VolumeId| planned.iter().any(|one| one.volume_id.as_ref() == Some(id));
    let volumes = instance.volumes.iter();
    volumes
        .filter(|volume| is_wanted(&volume.device) && !is_new(&volume.volume_id))
        .map(OldVolume::at)
        .collect()
}

/// Refuses to replace a volume of the instance that another uses too.
pub fn refuse_shared(
    planned: &[PlannedVolume],
    instance: &Instance,
    seen: &[SeenVolume],
) -> Result<(), Refusal> {
    match shared(planned, instance, seen) {
        Some(why) => state(format!("{why}, leave it out of volumes, or use new_volumes")),
        None => Ok(()),
    }
}

/// Which volume of the instance must not make room, because it is at another too, and what would help; nothing if there
/// is none. One that is on its way off the instance is past that question.
pub(super) fn shared(
    planned: &[PlannedVolume],
    instance: &Instance,
    seen: &[SeenVolume],
) -> Option<String> {
    in_the_way(planned, instance).into_iter().find_map(|old| {
        let volume = seen.iter().find(|volume| volume.id == old.volume_id)?;
        volume.at(&instance.id).filter(|at| at.is_settled)?;
        let other = &volume.elsewhere(&instance.id)?.instance_id;
        Some(format!(
            "{} at {} of {} is attached to {other} too (Multi-Attach), which would go on with the old data: take it \
             off {other}",
            old.volume_id, old.device, instance.id
        ))
    })
}
