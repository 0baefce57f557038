//! The plan of a restore: the volumes it makes, the instance it launches, its steps; or why it cannot be.

pub use super::course::{SnapshotFirst, steps};

use super::mode::{Launch, PlannedVolume, RestoreMode};
use super::places::{accept_staying, in_place_of, is_same_device, staying};
use super::refusal::{Refusal, field, state};
use super::roles;
use super::volumes::{all_have_devices, can_boot, planned, volumes};
use super::wanted::{Attach, LaunchChoice, Loss, VolumeChoice, WantedMode, WantedRestore};
use crate::domain::ebs;
use crate::domain::image::recipe::launchable;
use crate::domain::instance::circumstances::{Purchase, StateReason};
use crate::domain::instance::{Instance, InstanceState, RootKind};
use crate::domain::snapshot::Snapshot;

/// What a restore is going to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is to become of the snapshot.
    pub mode: RestoreMode,
    /// The zone of new volumes.
    pub zone: Option<String>,
    /// The volumes that are made.
    pub volumes: Vec<PlannedVolume>,
}

/// The plan for `snapshot`, where `instance` is the one that it changes, as EC2 shows it.
pub fn plan(
    snapshot: &Snapshot,
    wanted: &WantedRestore,
    instance: Option<&Instance>,
) -> Result<Plan, Refusal> {
    let instance = instance.filter(|instance| !instance.is_gone());
    let mut plan = match &wanted.mode {
        WantedMode::NewVolumes { attach: Attach::No } | WantedMode::Drill => {
            let is_drill = wanted.mode == WantedMode::Drill;
            let mode = if is_drill {
                RestoreMode::Drill
            } else {
                RestoreMode::NewVolumes { attach_to: None }
            };
            let zone = wanted.zone.clone().or_else(|| snapshot.source.zone.clone());
            let Some(zone) = zone else {
                return field("zone", "the snapshot's record does not have one; say in which zone");
            };
            if !zone.starts_with(&snapshot.source.region) {
                let reason =
                    format!("must be a zone of {}, where the snapshot is", snapshot.source.region);
                return field("zone", reason);
            }
            if wanted.volumes.iter().flatten().any(|one| one.attach_as.is_some()) {
                return field("volumes", "attach_as needs attach_to, the instance");
            }
            let mut volumes = volumes(snapshot, wanted)?;
            for volume in &mut volumes {
                volume.attach_as = None;
            }
            Ok(Plan { mode, zone: Some(zone), volumes })
        }
        WantedMode::NewVolumes { attach: Attach::Yes } => attached(snapshot, wanted, instance),
        WantedMode::ReplaceVolumes { .. } => in_place(snapshot, wanted, instance),
        WantedMode::ReplaceRoot => root(snapshot, wanted, instance),
        WantedMode::NewInstance(choice) => launched(snapshot, wanted, choice),
    }?;
    for volume in &mut plan.volumes {
        volume.initialization_rate_mibps = wanted.initialization_rate_mibps;
    }
    Ok(plan)
}

fn attached(
    snapshot: &Snapshot,
    wanted: &WantedRestore,
    instance: Option<&Instance>,
) -> Result<Plan, Refusal> {
    let Some(instance) = instance else {
        return field(
            "attach_to",
            format!("EC2 has no such instance in {}", snapshot.source.region),
        );
    };
    let zone = zone_of(wanted, instance)?;
    let volumes = volumes(snapshot, wanted)?;
    all_have_devices(&volumes)?;
    for volume in &volumes {
        let device = volume.attach_as.as_deref().unwrap_or_default();
        if instance.root_device.as_deref() == Some(device) && !ebs::boots(&volume.volume_type) {
            let reason =
                format!("{} boots from {device}, and not from {}", instance.id, volume.volume_type);
            return field("volumes", reason);
        }
        if let Some(taken) = instance.volumes.iter().find(|one| one.device == device) {
            return state(format!(
                "{device} of {} is taken by {}; say another device in volumes[].attach_as",
                instance.id, taken.volume_id
            ));
        }
    }
    let mode = RestoreMode::NewVolumes { attach_to: Some(instance.id.clone()) };
    Ok(Plan { mode, zone: Some(zone), volumes })
}

fn in_place(
    snapshot: &Snapshot,
    wanted: &WantedRestore,
    instance: Option<&Instance>,
) -> Result<Plan, Refusal> {
    let stop = matches!(wanted.mode, WantedMode::ReplaceVolumes { stop: true });
    let Some(instance) = instance else { return gone(snapshot) };
    let zone = zone_of(wanted, instance)?;
    if wanted.volumes.iter().flatten().any(|one| one.attach_as.is_some()) {
        return field(
            "volumes",
            "attach_as does not go with replace_volumes: each goes where it was",
        );
    }
    let volumes = volumes(snapshot, wanted)?;
    all_have_devices(&volumes)?;
    can_boot(&volumes, wanted)?;
    let volumes = in_place_of(volumes, snapshot, instance)?;
    for volume in volumes.iter().filter(|volume| volume.boot) {
        if let (Some(device), Some(root)) = (&volume.attach_as, &instance.root_device)
            && !is_same_device(device, root)
        {
            return state(format!(
                "{} boots from {root} now, and the snapshot's boot volume was at {device}",
                instance.id
            ));
        }
    }
    accept_staying(&staying(&volumes, instance), &wanted.accepted.keep)?;
    if let Some(refusal) =
        never_stops(instance).or_else(|| ended_once_stopped(instance, "and ask again"))
    {
        return state(refusal);
    }
    if instance.state != InstanceState::Stopped && !stop {
        return state(format!(
            "{} is {}; volumes are replaced while it is stopped: send stop: true, or stop it first",
            instance.id, instance.state
        ));
    }
    let mode = RestoreMode::ReplaceVolumes { instance_id: instance.id.clone(), stop };
    Ok(Plan { mode, zone: Some(zone), volumes })
}

/// Why nothing of this instance can be replaced while it is stopped: it cannot be stopped, or holds its memory on its root
/// volume. None if neither is so.
fn never_stops(instance: &Instance) -> Option<String> {
    let id = &instance.id;
    let is_stopped = instance.state == InstanceState::Stopped;
    let reason = instance.circumstances.reason.as_ref();
    if instance.root == RootKind::InstanceStore {
        return Some(format!(
            "{id} has an instance store root volume, and so cannot be stopped; use new_volumes"
        ));
    }
    if is_stopped && reason.is_some_and(StateReason::is_hibernation) {
        return Some(format!(
            "{id} is hibernated: its root volume holds its memory, which goes with its volumes as they were; start it, stop \
             it, and ask again"
        ));
    }
    // Only one of a persistent request can be stopped, and EC2 starts it again when it has capacity to spare.
    (!is_stopped && instance.circumstances.purchase == Purchase::Spot).then(|| {
        format!(
            "{id} is a Spot Instance: EC2 stops none of a one-time request, and starts others again when it pleases; stop it \
             yourself if EC2 lets you and ask again, or use new_instance"
        )
    })
}

/// The tag that EC2 Auto Scaling gives the instances of a group.
const GROUP: &str = "aws:autoscaling:groupName";

/// Why an instance that is not stopped must not be: its group would terminate it. Nothing if that is not so. `then` says
/// what a person does who has stopped it.
pub(super) fn ended_once_stopped(instance: &Instance, then: &str) -> Option<String> {
    let group = instance.tags.get(GROUP).filter(|_| instance.state != InstanceState::Stopped)?;
    Some(format!(
        "{} belongs to the Auto Scaling group {group}, which would terminate it once stopped; put it into Standby, \
         stop it, {then}",
        instance.id
    ))
}

fn root(
    snapshot: &Snapshot,
    wanted: &WantedRestore,
    instance: Option<&Instance>,
) -> Result<Plan, Refusal> {
    if wanted.volumes.is_some() {
        return field(
            "volumes",
            "does not go with replace_root: the new volume is like the old one",
        );
    }
    let Some(instance) = instance else { return gone(snapshot) };
    let zone = zone_of(wanted, instance)?;
    let Some(member) = snapshot.members.iter().find(|member| member.boot) else {
        return state("the snapshot has no boot volume");
    };
    if instance.root == RootKind::InstanceStore {
        return state(format!(
            "{} has an instance store root volume, which EC2 does not replace",
            instance.id
        ));
    }
    if let Some(group) = instance.tags.get(GROUP)
        && wanted.accepted.group_replacement == Loss::Refused
    {
        return state(format!(
            "{} belongs to the Auto Scaling group {group}: it reboots, and a group that finds it unhealthy meanwhile \
             terminates it, root volume and all; put it into Standby, and send accept_group_replacement: true",
            instance.id
        ));
    }
    if member.is_copy() {
        return state(
            "EC2 replaces a root volume only from a snapshot of that volume, and this one is a copy; use \
             replace_volumes",
        );
    }
    if instance.state != InstanceState::Running {
        return state(format!(
            "{} is {}; EC2 replaces the root volume of a running instance only: start it, or use replace_volumes",
            instance.id, instance.state
        ));
    }
    let volumes = vec![planned(member, &VolumeChoice::default(), "volumes")?];
    let mode = RestoreMode::ReplaceRoot { instance_id: instance.id.clone() };
    Ok(Plan { mode, zone: Some(zone), volumes })
}

fn launched(
    snapshot: &Snapshot,
    wanted: &WantedRestore,
    choice: &LaunchChoice,
) -> Result<Plan, Refusal> {
    if wanted.volumes.iter().flatten().any(|one| one.attach_as.is_some()) {
        return field("volumes", "attach_as does not go with new_instance: each goes where it was");
    }
    let volumes = volumes(snapshot, wanted)?;
    all_have_devices(&volumes)?;
    can_boot(&volumes, wanted)?;
    let Some(boot) = volumes.iter().find(|volume| volume.boot) else {
        return state(
            "the snapshot has no boot volume among these, and an instance must boot from one",
        );
    };
    let source = &snapshot.source;
    if let Err(why) = launchable(source.platform.as_deref(), &source.launch) {
        return state(format!("{why}; use new_volumes, or replace_volumes on the instance"));
    }
    let recorded = |name: &str, given: &Option<String>, recorded: &Option<String>| {
        given
            .clone()
            .or_else(|| recorded.clone())
            .map_or_else(|| field(name, "the snapshot's record does not have it; say it here"), Ok)
    };
    let launch = source.launch.clone();
    let mut tags = choice.tags.clone().unwrap_or_else(|| source.tags.clone());
    if let Some(name) = &choice.name {
        tags.insert("Name".to_owned(), name.clone());
    }
    // Another zone than the recorded subnet's: EC2 takes that zone's default subnet.
    let is_elsewhere = wanted.zone.is_some() && wanted.zone != source.zone;
    let recorded_subnet = launch.subnet_id.clone().filter(|_| !is_elsewhere);
    let subnet_id = choice.subnet_id.clone().or(recorded_subnet);
    // Security groups belong to a network: the recorded ones need not fit into another subnet's.
    let groups = launch.security_group_ids;
    let groups = if subnet_id == launch.subnet_id { groups } else { Vec::new() };
    let zone = wanted.zone.clone().or_else(|| source.zone.clone()).filter(|_| subnet_id.is_none());
    let launch = Launch {
        instance_type: recorded(
            "instance.instance_type",
            &choice.instance_type,
            &source.instance_type,
        )?,
        zone,
        security_group_ids: choice.security_group_ids.clone().unwrap_or(groups),
        subnet_id,
        key_name: choice.key_name.clone().or(launch.key_name),
        instance_profile_arn: roles::profile(choice, launch.instance_profile_arn),
        tags,
        architecture: recorded(
            "instance.architecture",
            &choice.architecture,
            &source.architecture,
        )?,
        root_device: boot.device.clone().unwrap_or_default(),
        boot_mode: launch.boot_mode,
        // Older records do not say; every type of the last years has it.
        ena_support: launch.ena_support.unwrap_or(true),
        metadata_tokens: launch.metadata_tokens,
        replayed: launch.replayed,
        image: choice.image,
    };
    Ok(Plan {
        mode: RestoreMode::NewInstance(Box::new(launch)),
        zone: wanted.zone.clone(),
        volumes,
    })
}

fn gone<T>(snapshot: &Snapshot) -> Result<T, Refusal> {
    if let Some(region) = snapshot.copied_to() {
        return state(format!(
            "the snapshot is a copy in {region}, and its instance {} was in {}; restore it with mode new_instance or \
             new_volumes, or restore the original",
            snapshot.source.instance_id,
            snapshot.instance_region()
        ));
    }
    state(format!(
        "the instance {} is gone; restore the snapshot with mode new_instance or new_volumes",
        snapshot.source.instance_id
    ))
}

fn zone_of(wanted: &WantedRestore, instance: &Instance) -> Result<String, Refusal> {
    match &wanted.zone {
        Some(zone) if *zone != instance.zone => field(
            "zone",
            format!(
                "must be {}, where {} is: a volume cannot be attached across zones",
                instance.zone, instance.id
            ),
        ),
        Some(_) | None => Ok(instance.zone.clone()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::instance::launch::LaunchSettings;
    use crate::domain::notes::Notes;
    use crate::domain::ownership::{EbsState, StorageTier};
    use crate::domain::snapshot::member::Member;
    use crate::domain::snapshot::{Origin, Source};
    use crate::domain::tags::Tags;

    fn member(number: u8, device: &str) -> Member {
        Member {
            ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
            volume_id: format!("vol-{number:08x}").parse().unwrap(),
            device: Some(device.to_owned()),
            boot: number == 1,
            size_gib: 8,
            state: EbsState::Completed,
            progress_percent: 100,
            full_size_bytes: None,
            volume: None,
            tier: StorageTier::Standard,
            restore_expires_at: None,
            notes: Notes::default(),
            deleted: false,
        }
    }

    fn snapshot() -> Snapshot {
        let source = Source {
            instance_id: "i-0123456789abcdef0".parse().unwrap(),
            instance_name: None,
            instance_type: Some("t3.micro".to_owned()),
            architecture: Some("x86_64".to_owned()),
            platform: None,
            region: "us-east-1".to_owned(),
            zone: Some("us-east-1a".to_owned()),
            tags: Tags::new(),
            launch: LaunchSettings::default(),
            machine: None,
        };
        let id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
        let asked = Snapshot::requested(id, Origin::Manual, source, None, Timestamp::UNIX_EPOCH);
        Snapshot { members: vec![member(1, "/dev/sda"), member(2, "/dev/sdb")], ..asked }
    }

    #[test]
    fn the_rate_that_is_paid_for_is_that_of_all_volumes() {
        for rate in [None, Some(100), Some(300)] {
            for volumes in [None, Some("/dev/sdb")] {
                let choice = volumes.map(|device: &str| {
                    let device = device.to_owned();
                    vec![VolumeChoice { device, ..VolumeChoice::default() }]
                });
                let wanted = WantedRestore {
                    mode: WantedMode::NewVolumes { attach: Attach::No },
                    zone: None,
                    volumes: choice,
                    initialization_rate_mibps: rate,
                    accepted: super::super::wanted::Accepted::default(),
                };

                let plan = plan(&snapshot(), &wanted, None).unwrap();

                let count = if volumes.is_some() { 1 } else { 2 };
                let rates = plan.volumes.iter().map(|one| one.initialization_rate_mibps);
                assert_eq!(rates.collect::<Vec<_>>(), vec![rate; count]);
            }
        }
    }
}
