//! The outlook of a restore: what it will do and cost, told before anything is changed.

use serde::{Deserialize, Serialize};

use super::mode::{PlannedVolume, RestoreMode};
use super::places::staying;
use super::plan::SnapshotFirst;
use crate::domain::ids::VolumeId;
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;
use crate::domain::tags;

/// What a restore will do and cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outlook {
    /// The volumes of the instance that stay as they are.
    pub stays: Vec<StayingVolume>,
    /// What of its instance the snapshot leaves out.
    pub left_out: Vec<String>,
    /// How long the parts of it take.
    pub takes: Vec<String>,
    /// What it costs, a line for each thing.
    pub costs: Vec<String>,
    /// What does not come back as it was.
    pub differs: Vec<String>,
}

/// A volume that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayingVolume {
    /// EC2's identifier.
    pub volume_id: VolumeId,
    pub device: String,
}

/// What is known where a restore is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    pub snapshot: &'a Snapshot,
    pub mode: &'a RestoreMode,
    pub volumes: &'a [PlannedVolume],
    /// The instance that is changed.
    pub instance: Option<&'a Instance>,
    /// How large the disks of its host are that it has for itself.
    pub instance_store_gb: Option<i64>,
    pub first: SnapshotFirst,
}

impl Outlook {
    /// The outlook by what is known now.
    pub fn of(sight: Sight<'_>) -> Self {
        let kept = match (sight.mode, sight.instance) {
            (
                RestoreMode::ReplaceVolumes { .. } | RestoreMode::ReplaceRoot { .. },
                Some(instance),
            ) => staying(sight.volumes, instance),
            _ => Vec::new(),
        };
        let stays = kept.into_iter().map(|volume| StayingVolume {
            volume_id: volume.volume_id.clone(),
            device: volume.device.clone(),
        });
        Self {
            stays: stays.collect(),
            left_out: left_out(sight.snapshot),
            takes: takes(&sight),
            costs: costs(&sight),
            differs: differs(&sight),
        }
    }
}

fn left_out(snapshot: &Snapshot) -> Vec<String> {
    let exclusions = &snapshot.request.exclusions;
    let has_boot = snapshot.members.iter().any(|member| member.boot);
    let boot = (exclusions.boot_volume && !has_boot).then(|| "the boot volume".to_owned());
    let others = exclusions.volumes.iter().map(ToString::to_string);
    boot.into_iter().chain(others).collect()
}

fn is_running(instance: &Instance) -> bool {
    instance.state != InstanceState::Stopped
}

fn takes(sight: &Sight<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if sight.first == SnapshotFirst::Yes {
        lines.push(
            "the snapshot that is taken first comes before all else: minutes for little that has changed, hours for much"
                .to_owned(),
        );
    }
    match (sight.mode, sight.instance) {
        (RestoreMode::ReplaceVolumes { .. }, Some(instance)) if is_running(instance) => lines.push(
            "the instance is down from its stop to its start: as long as EC2 takes for both, and some ten seconds for its \
             volumes"
                .to_owned(),
        ),
        (RestoreMode::ReplaceRoot { .. }, _) => lines.push(
            "the instance reboots when EC2 has made the new root volume".to_owned(),
        ),
        _ => {}
    }
    if sight.volumes.iter().any(|volume| volume.initialization_rate_mibps.is_none()) {
        let gib: i32 = sight.volumes.iter().map(|volume| volume.size_gib).sum();
        lines.push(format!(
            "each block of the {gib} GiB is fetched when it is first read, and slower until then; volume_initialization_rate \
             has EC2 fetch them at a rate, for a price"
        ));
    }
    lines
}

fn costs(sight: &Sight<'_>) -> Vec<String> {
    let (RestoreMode::ReplaceVolumes { .. }, Some(instance)) = (sight.mode, sight.instance) else {
        return Vec::new();
    };
    if !is_running(instance) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    if let Some(gb) = sight.instance_store_gb {
        lines.push(format!(
            "the stop wipes the instance store of {} ({gb} GB on its host): it is in no snapshot, and a cancellation does not \
             bring it back",
            instance.id
        ));
    }
    if let Some(address) = &instance.circumstances.passing_address {
        lines.push(format!(
            "the stop gives back the public address {address}; the start brings another"
        ));
    }
    lines.push(format!(
        "{} starts on another host, where EC2 may have no capacity for {} at that moment",
        instance.id, instance.instance_type
    ));
    lines
}

fn differs(sight: &Sight<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for volume in sight.volumes {
        let free = volume.tags.keys().filter(|key| tags::is_free(key)).count();
        let device = volume.attach_as.as_deref().unwrap_or(volume.ebs_snapshot_id.as_str());
        if free > FREE_TAGS_MAX {
            lines.push(format!(
                "{} of the {free} tags of the volume at {device} do not come back: EC2 allows 50, and some are ours",
                free - FREE_TAGS_MAX
            ));
        }
    }
    lines.extend(sight.volumes.iter().filter_map(|volume| loses_multi_attach(sight, volume)));
    match sight.mode {
        RestoreMode::NewInstance(_) => lines.extend(NEW_INSTANCE.map(str::to_owned)),
        RestoreMode::ReplaceVolumes { .. } => lines.push(
            "the volumes have new ids; type, size and performance are those of the snapshot unless volumes says otherwise"
                .to_owned(),
        ),
        RestoreMode::ReplaceRoot { .. } => lines.push(
            "the root volume has a new id, and type, size and performance of the present one, not of the snapshot".to_owned(),
        ),
        RestoreMode::NewVolumes { attach_to: Some(target) }
            if sight.instance.is_some_and(is_running) && has_boot(sight) =>
        {
            lines.push(format!(
                "a copy of a root volume has the file system labels and UUIDs of the original: {target} may boot from it next \
                 time, and some file systems cannot be mounted beside their like"
            ));
        }
        RestoreMode::NewVolumes { .. } | RestoreMode::Drill => {}
    }
    lines
}

fn has_boot(sight: &Sight<'_>) -> bool {
    let boots = |one: &PlannedVolume| member_of(sight, one).is_some_and(|member| member.boot);
    sight.volumes.iter().any(boots)
}

/// What a volume is made from.
fn member_of<'a>(sight: &Sight<'a>, volume: &PlannedVolume) -> Option<&'a Member> {
    sight.snapshot.members.iter().find(|member| member.ebs_snapshot_id == volume.ebs_snapshot_id)
}

/// That a volume that could be at several instances becomes one that cannot; none if that is not so.
fn loses_multi_attach(sight: &Sight<'_>, volume: &PlannedVolume) -> Option<String> {
    let recorded = member_of(sight, volume)?.volume.as_ref()?;
    let why = match sight.mode {
        RestoreMode::NewInstance(_) => "EC2 gives that to no volume of a launch",
        RestoreMode::NewVolumes { .. }
        | RestoreMode::ReplaceVolumes { .. }
        | RestoreMode::ReplaceRoot { .. }
        | RestoreMode::Drill
            if volume.multi_attach =>
        {
            return None;
        }
        RestoreMode::NewVolumes { .. }
        | RestoreMode::ReplaceVolumes { .. }
        | RestoreMode::ReplaceRoot { .. }
        | RestoreMode::Drill => "its type, or that type in this region, does not have it",
    };
    recorded.multi_attach.then(|| {
        let device = volume.device.as_deref().unwrap_or(volume.ebs_snapshot_id.as_str());
        format!("the volume of {device} could be at several instances at once (Multi-Attach), and the new one cannot: {why}")
    })
}

/// How many tags of a person's a volume can have beside ours.
const FREE_TAGS_MAX: usize = 44;

/// What a new instance does not get.
const NEW_INSTANCE: [&str; 3] = [
    "the new instance has another id, other addresses, and none of: user data, termination and stop protection, placement \
     group and host, credit specification, further network interfaces, Elastic IP addresses, instance store",
    "it is in no Auto Scaling group and behind no load balancer",
    "of the tags of its volumes those come back that all of them had: a launch gives the same to each",
];
