//! Which volume makes room for which: the one that a member of the snapshot is of, wherever it is, or what stands at its
//! device; and which volumes of the instance stay as they are.

use super::mode::PlannedVolume;
use super::refusal::{Refusal, field, state};
use crate::domain::ids::VolumeId;
use crate::domain::instance::{AttachedVolume, Instance};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;

/// Whether two names are of one device: EC2 takes `/dev/sdf`, `xvdf` and `/dev/xvdf` for the same
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/device_naming.html>).
pub fn is_same_device(one: &str, other: &str) -> bool {
    fn letters(device: &str) -> String {
        let name = device.strip_prefix("/dev/").unwrap_or(device);
        name.strip_prefix("xvd").map_or_else(|| name.to_owned(), |rest| format!("sd{rest}"))
    }
    letters(one) == letters(other)
}

/// The planned volumes, each at the place of the one that it replaces. Refused where two volumes could be meant.
pub fn in_place_of(
    mut planned: Vec<PlannedVolume>,
    snapshot: &Snapshot,
    instance: &Instance,
) -> Result<Vec<PlannedVolume>, Refusal> {
    for one in &mut planned {
        let Some(device) = one.attach_as.clone() else { continue };
        let original = original(one, snapshot);
        let moved = instance.volumes.iter().find(|volume| original == Some(&volume.volume_id));
        let there = instance.volumes.iter().find(|volume| is_same_device(&volume.device, &device));
        let place = match (moved, there) {
            (Some(moved), Some(there)) if moved.volume_id != there.volume_id => {
                return state(format!(
                    "{}, of which the snapshot has {device}, is at {} of {} now, and {} is at {}: say which is to make \
                     room by moving one of them, leave {device} out of volumes, or use new_volumes",
                    moved.volume_id, moved.device, instance.id, there.volume_id, there.device
                ));
            }
            (Some(at), _) | (None, Some(at)) => Some(at.device.clone()),
            (None, None) => None,
        };
        one.attach_as = place.or(Some(device));
    }
    let mut places: Vec<_> = planned.iter().filter_map(|one| one.attach_as.as_deref()).collect();
    places.sort_unstable();
    match places.windows(2).find_map(|pair| pair.first().filter(|one| pair.get(1) == Some(one))) {
        Some(twice) => state(format!(
            "two of the volumes would be at {twice}; leave one of them out of volumes"
        )),
        None => Ok(planned),
    }
}

/// The volume that a planned one is of; none if nobody knows.
fn original<'a>(planned: &PlannedVolume, snapshot: &'a Snapshot) -> Option<&'a VolumeId> {
    let is_it = |member: &&Member| member.ebs_snapshot_id == planned.ebs_snapshot_id;
    let member = snapshot.members.iter().find(is_it).filter(|member| !member.is_copy())?;
    Some(&member.volume_id)
}

/// The volumes of the instance that nothing replaces: they stay with the content that they have now.
pub fn staying<'a>(planned: &[PlannedVolume], instance: &'a Instance) -> Vec<&'a AttachedVolume> {
    let goes = |volume: &AttachedVolume| {
        planned.iter().any(|one| one.attach_as.as_deref() == Some(volume.device.as_str()))
    };
    instance.volumes.iter().filter(|volume| !goes(volume)).collect()
}

/// Refuses unless each volume that stays is named in `keep`, by its device or id, and nothing else is.
pub fn accept_staying(staying: &[&AttachedVolume], keep: &[String]) -> Result<(), Refusal> {
    let names = |one: &str, volume: &AttachedVolume| {
        volume.volume_id.as_str() == one || is_same_device(&volume.device, one)
    };
    if let Some(unknown) = keep.iter().find(|one| !staying.iter().any(|volume| names(one, volume)))
    {
        let devices: Vec<_> = staying.iter().map(|volume| volume.device.as_str()).collect();
        let those = if devices.is_empty() { "none".to_owned() } else { devices.join(", ") };
        return field("keep", format!("{unknown} does not stay as it is; those that do: {those}"));
    }
    let missing: Vec<_> = staying
        .iter()
        .filter(|volume| !keep.iter().any(|one| names(one, volume)))
        .map(|volume| (volume.device.as_str(), volume.volume_id.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let devices: Vec<_> = missing.iter().map(|(device, _)| format!("\"{device}\"")).collect();
    let places: Vec<_> = missing.iter().map(|(device, id)| format!("{id} at {device}")).collect();
    state(format!(
        "the instance would have volumes of two times: {} would stay as it is now, beside others as they were then; that \
         breaks a database, LVM or RAID that spans them. If it is what you want, add \"keep\": [{}]",
        places.join(", "),
        devices.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(device: &str, number: u8) -> AttachedVolume {
        AttachedVolume {
            volume_id: format!("vol-{number:08x}").parse().unwrap(),
            device: device.to_owned(),
            boot: false,
            delete_on_termination: None,
            attached_at: None,
        }
    }

    #[test]
    fn names_of_one_device_are_told_from_others() {
        for other in ["/dev/sdf", "xvdf", "/dev/xvdf", "sdf"] {
            assert!(is_same_device("/dev/sdf", other), "{other}");
        }
        for other in ["/dev/sdg", "/dev/sdf1", "xvda", "/dev/nvme0n1"] {
            assert!(!is_same_device("/dev/sdf", other), "{other}");
        }
    }

    #[test]
    fn what_stays_must_be_named_and_nothing_else() {
        let (data, log) = (attached("/dev/sdf", 1), attached("/dev/sdg", 2));
        let staying = [&data, &log];
        let keep = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();

        let missing = accept_staying(&staying, &keep(&["xvdf"])).unwrap_err();
        assert!(matches!(&missing, Refusal::State(why) if why.contains("[\"/dev/sdg\"]")));
        let unknown = accept_staying(&staying, &keep(&["/dev/sdz"])).unwrap_err();
        assert!(matches!(&unknown, Refusal::Field(name, _) if name == "keep"));
        assert_eq!(accept_staying(&staying, &keep(&["/dev/sdf", "vol-00000002"])), Ok(()));
        assert_eq!(accept_staying(&[], &[]), Ok(()));
    }
}
