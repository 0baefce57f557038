//! The volumes that a restore makes: as they were recorded, but for what is asked for otherwise.

use super::mode::PlannedVolume;
use super::refusal::{Refusal, field, state};
use super::wanted::{VolumeChoice, WantedRestore};
use crate::domain::ebs::{self, NotTaken, device_refusal};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;

pub(super) fn all_have_devices(volumes: &[PlannedVolume]) -> Result<(), Refusal> {
    match volumes.iter().find(|volume| volume.attach_as.is_none()) {
        Some(volume) => state(format!(
            "the record does not say where the volume of {} was attached; restore it with mode new_volumes, and \
             attach it yourself",
            volume.ebs_snapshot_id
        )),
        None => Ok(()),
    }
}

pub(super) fn volumes(
    snapshot: &Snapshot,
    wanted: &WantedRestore,
) -> Result<Vec<PlannedVolume>, Refusal> {
    let Some(choices) = &wanted.volumes else {
        let default = VolumeChoice::default();
        return snapshot
            .members
            .iter()
            .map(|member| planned(member, &default, "volumes"))
            .collect();
    };
    let mut volumes: Vec<PlannedVolume> = Vec::new();
    for (position, choice) in choices.iter().enumerate() {
        let at = format!("volumes[{position}]");
        let is_it = |member: &&Member| member.device.as_deref() == Some(&choice.device);
        let Some(member) = snapshot.members.iter().find(is_it) else {
            let devices = snapshot.members.iter().filter_map(|member| member.device.as_deref());
            let devices = devices.collect::<Vec<_>>().join(", ");
            return field(
                format!("{at}.device"),
                format!("the snapshot has no volume of {}; it has {devices}", choice.device),
            );
        };
        let volume = planned(member, choice, &at)?;
        if volumes.iter().any(|one| one.ebs_snapshot_id == volume.ebs_snapshot_id) {
            return field(format!("{at}.device"), format!("{} is named twice", choice.device));
        }
        if volumes.iter().any(|one| one.attach_as == volume.attach_as) {
            return field(format!("{at}.attach_as"), "two volumes cannot be at one device");
        }
        volumes.push(volume);
    }
    if volumes.is_empty() {
        return field("volumes", "must name at least one, or be left out for all");
    }
    Ok(volumes)
}

/// Refuses to boot from a hard disk, which EC2 does not.
pub(super) fn can_boot(volumes: &[PlannedVolume], wanted: &WantedRestore) -> Result<(), Refusal> {
    let cannot = |volume: &&PlannedVolume| volume.boot && !ebs::boots(&volume.volume_type);
    let Some(volume) = volumes.iter().find(cannot) else { return Ok(()) };
    let is_it = |choice: &VolumeChoice| Some(&choice.device) == volume.device.as_ref();
    let at = wanted.volumes.iter().flatten().position(is_it);
    let at = at.map_or_else(|| "volumes".to_owned(), |at| format!("volumes[{at}].volume_type"));
    let volume_type = &volume.volume_type;
    field(
        at,
        format!("no instance boots from a volume of type {volume_type}; gp3 is the usual one"),
    )
}

/// The type of a volume whose own was not recorded.
const TYPE_UNLESS_RECORDED: &str = "gp3";

/// The volume that is made from `member`. `at` is where the choice stands in the request.
pub(super) fn planned(
    member: &Member,
    choice: &VolumeChoice,
    at: &str,
) -> Result<PlannedVolume, Refusal> {
    let recorded = member.volume.as_ref().filter(|recorded| !recorded.volume_type.is_empty());
    let volume_type = choice
        .volume_type
        .clone()
        .or_else(|| recorded.map(|recorded| recorded.volume_type.clone()))
        .unwrap_or_else(|| TYPE_UNLESS_RECORDED.to_owned());
    let size_gib = choice.size_gib.unwrap_or(member.size_gib);
    if size_gib < member.size_gib {
        let reason =
            format!("must be {} GiB, the size of the snapshot's, or more", member.size_gib);
        return field(format!("{at}.size_gib"), reason);
    }
    if let Some(reason) = choice.attach_as.as_deref().and_then(device_refusal) {
        return field(format!("{at}.attach_as"), reason);
    }
    // What was provisioned for one type says nothing of another.
    let same = recorded.filter(|recorded| recorded.volume_type == volume_type);
    let recorded_iops = same.and_then(|same| same.iops).filter(|_| ebs::has_iops(&volume_type));
    // An older record does not say how many it had: nobody need know, of a volume that nobody named.
    let usual = || ebs::usual_iops(&volume_type, size_gib).filter(|_| choice.volume_type.is_none());
    let iops = choice.iops.or(recorded_iops);
    let iops = if ebs::needs_iops(&volume_type) { iops.or_else(usual) } else { iops };
    let recorded_throughput = same.and_then(|same| same.throughput_mibps);
    let throughput = choice
        .throughput_mibps
        .or(recorded_throughput.filter(|_| ebs::has_throughput(&volume_type)));
    let wanted =
        ebs::Wanted { volume_type: &volume_type, size_gib, iops, throughput_mibps: throughput };
    if let Some(NotTaken { field: name, reason }) = ebs::refusal(&wanted) {
        return field(format!("{at}.{name}"), reason);
    }
    Ok(PlannedVolume {
        ebs_snapshot_id: member.ebs_snapshot_id.clone(),
        device: member.device.clone(),
        attach_as: choice.attach_as.clone().or_else(|| member.device.clone()),
        boot: member.boot,
        size_gib,
        iops,
        throughput_mibps: throughput,
        initialization_rate_mibps: None,
        delete_on_termination: recorded
            .and_then(|recorded| recorded.delete_on_termination)
            .unwrap_or(member.boot),
        volume_id: None,
        attempt: 0,
        attached_at: None,
        // EC2 has it of io1 in three Regions only, and of io2 wherever there is any.
        multi_attach: recorded.is_some_and(|recorded| recorded.multi_attach)
            && ebs::has_multi_attach(&volume_type)
            && !(member.is_copy() && volume_type == "io1"),
        tags: member.volume.as_ref().map(|one| one.tags.clone()).unwrap_or_default(),
        volume_type,
    })
}
