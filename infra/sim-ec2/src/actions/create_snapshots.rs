//! `CreateSnapshot` and `CreateSnapshots`.

use std::collections::{BTreeMap, BTreeSet};

use super::{ActionContext, Reply, describe_snapshots, tags};
use crate::{
    clock::{between, later, wire_time},
    errors::Ec2Error,
    ids::{IdKind, chance},
    request::Params,
    state::{
        Tags,
        agenda::Task,
        instance::Instance,
        snapshot::{Deletion, Fate, Snapshot, SnapshotSet, SnapshotState},
        tier::Tiering,
        volume::{AttachmentState, Volume},
    },
    xml::Xml,
};

const DESCRIPTION_MAX: usize = 255;
const EXCLUDED_VOLUMES_MAX: usize = 40;

/// `CreateSnapshot`
pub(crate) fn create_one(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let volume_id = params.required("VolumeId")?;
    IdKind::Volume.check(volume_id)?;
    let spec = Spec {
        description: description(params)?,
        tags: tags::specified(params, IdKind::Snapshot, &[IdKind::Snapshot])?,
        set: None,
        fate: context.fate,
    };
    let volume =
        context.region.volumes.get(volume_id).ok_or_else(|| IdKind::Volume.not_found(volume_id))?;
    let volume = volume.clone();
    check_limits(context, &volume)?;
    let snapshot = begin(context, &volume, spec);
    let mut xml = Xml::default();
    describe_snapshots::write(&mut xml, &snapshot, context);
    Ok(xml)
}

/// `CreateSnapshots`: of all the volumes that are not excluded, or of none.
pub(crate) fn create_set(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let specification = params.below("InstanceSpecification");
    let instance_id = specification.required("InstanceId")?;
    IdKind::Instance.check(instance_id)?;
    let description = description(params)?;
    let given = tags::specified(params, IdKind::Snapshot, &[IdKind::Snapshot])?;
    let copied = copies_tags(params)?;
    let instance = context
        .region
        .instances
        .get(instance_id)
        .ok_or_else(|| IdKind::Instance.not_found(instance_id))?;
    if instance.state.is_ending() {
        return Err(Ec2Error::new(
            "IncorrectInstanceState",
            format!(
                "The instance '{instance_id}' is not in a state from which it can be snapshot."
            ),
        ));
    }
    let volumes = chosen_volumes(context, instance, &specification)?;
    let mut specs = Vec::new();
    let set = context.mint.uuid(context.config.seed);
    for (index, volume) in volumes.iter().enumerate() {
        check_limits(context, volume)?;
        let tags = with_copied(&given, volume, copied);
        tags::check_count(&tags)?;
        let fate = if index == 0 { context.fate } else { Fate::Complete };
        specs.push(Spec { description: description.clone(), tags, set: Some(set.clone()), fate });
    }
    let snapshots: Vec<Snapshot> =
        volumes.iter().zip(specs).map(|(volume, spec)| begin(context, volume, spec)).collect();
    let members: Vec<(String, String)> = snapshots
        .iter()
        .map(|snapshot| (snapshot.id.clone(), snapshot.volume_id.clone()))
        .collect();
    let pending = members.len();
    let record = SnapshotSet { started_at: context.moment.now, members, pending };
    context.region.sets.insert(set, record);
    let mut xml = Xml::default();
    xml.list("snapshotSet", &snapshots, |xml, snapshot| write_info(xml, snapshot, context));
    Ok(xml)
}

/// What a new snapshot is to be.
pub(crate) struct Spec {
    pub(crate) description: String,
    pub(crate) tags: Tags,
    pub(crate) set: Option<String>,
    pub(crate) fate: Fate,
}

/// Begins a snapshot of `volume`, whose limits must have been checked.
pub(crate) fn begin(context: &mut ActionContext<'_>, volume: &Volume, spec: Spec) -> Snapshot {
    let Spec { description, tags, set, fate } = spec;
    let id = context.new_id(IdKind::Snapshot);
    let now = context.moment.now;
    let completes_at = later(now, context.config.completion.of(volume.size_gib));
    let snapshot = Snapshot {
        volume_id: volume.id.clone(),
        full_size_bytes: full_size_bytes(context.config.seed, volume),
        encrypted: volume.encrypted,
        kms_key_id: volume.kms_key_id.clone(),
        description,
        completes_at,
        set,
        fate,
        ..pending(context, &id, volume.size_gib, tags)
    };
    context.region.snapshots.insert(&id, snapshot.clone(), context.moment);
    context.region.volumes.note(&volume.id, |volume| {
        volume.pending_snapshots.retain(|_, until| until.is_none_or(|until| until > now));
        volume.pending_snapshots.insert(id.clone(), Some(completes_at));
        volume.last_snapshot_at = Some(now);
    });
    context.region.agenda.plan(completes_at, Task::Snapshot(id));
    snapshot
}

/// A snapshot that begins now, of nothing yet.
pub(crate) fn pending(
    context: &ActionContext<'_>,
    id: &str,
    volume_size_gib: u32,
    tags: Tags,
) -> Snapshot {
    Snapshot {
        id: id.to_owned(),
        region: context.name.to_owned(),
        volume_id: String::new(),
        volume_size_gib,
        full_size_bytes: 0,
        encrypted: false,
        description: String::new(),
        tags,
        started_at: context.moment.now,
        completes_at: context.moment.now,
        state: SnapshotState::Pending,
        state_message: None,
        set: None,
        fate: context.fate,
        deletion: Deletion::None,
        lock: None,
        copy_of: None,
        kms_key_id: None,
        shared_with: BTreeSet::new(),
        tiering: Tiering::default(),
        fast_restores: BTreeMap::new(),
    }
}

/// Refuses a snapshot that comes too soon after the last, or while too many are pending.
pub(crate) fn check_limits(context: &ActionContext<'_>, volume: &Volume) -> Result<(), Ec2Error> {
    let now = context.moment.now;
    let too_soon = volume
        .last_snapshot_at
        .is_some_and(|last| between(last, now) < context.config.snapshot_interval);
    if too_soon {
        return Err(Ec2Error::new(
            "SnapshotCreationPerVolumeRateExceeded",
            "The maximum per volume CreateSnapshot request rate has been exceeded. Use an \
             increasing or variable sleep interval between requests.",
        ));
    }
    let pending = volume
        .pending_snapshots
        .values()
        .filter(|until| until.is_none_or(|until| until > now))
        .count();
    if pending >= volume.pending_snapshots_max() {
        return Err(Ec2Error::new(
            "ConcurrentSnapshotLimitExceeded",
            "Maximum allowed in-progress snapshots for a single volume exceeded.",
        ));
    }
    Ok(())
}

/// The description in a request.
pub(crate) fn description(params: &Params) -> Result<String, Ec2Error> {
    let text = params.get("Description").unwrap_or_default();
    if text.chars().count() > DESCRIPTION_MAX {
        return Err(Ec2Error::invalid_parameter(format!(
            "Value ({text}) for parameter description is invalid. It exceeds {DESCRIPTION_MAX} characters"
        )));
    }
    if !text.is_ascii() {
        return Err(Ec2Error::invalid_parameter(format!(
            "Value ({text}) for parameter description is invalid. Character sets beyond ASCII are \
             not supported."
        )));
    }
    Ok(text.to_owned())
}

#[derive(Clone, Copy)]
enum CopiedTags {
    None,
    Volume,
}

fn copies_tags(params: &Params) -> Result<CopiedTags, Ec2Error> {
    match params.get("CopyTagsFromSource") {
        None => Ok(CopiedTags::None),
        Some("volume") => Ok(CopiedTags::Volume),
        Some(other) => Err(Ec2Error::invalid_value(other, "CopyTagsFromSource")),
    }
}

fn with_copied(given: &Tags, volume: &Volume, copied: CopiedTags) -> Tags {
    let mut tags = match copied {
        CopiedTags::None => Tags::new(),
        CopiedTags::Volume => volume.tags.clone(),
    };
    tags.retain(|key, _| !key.starts_with("aws:"));
    tags.extend(given.clone());
    tags
}

fn chosen_volumes(
    context: &ActionContext<'_>,
    instance: &Instance,
    specification: &Params,
) -> Result<Vec<Volume>, Ec2Error> {
    let excludes_boot = specification.flag("ExcludeBootVolume")?.unwrap_or_default();
    let excluded: BTreeSet<String> =
        specification.values("ExcludeDataVolumeId").into_iter().collect();
    if excluded.len() > EXCLUDED_VOLUMES_MAX {
        return Err(Ec2Error::invalid_parameter(format!(
            "At most {EXCLUDED_VOLUMES_MAX} data volumes can be excluded"
        )));
    }
    for id in &excluded {
        IdKind::Volume.check(id)?;
        let Some(device) = instance.devices.iter().find(|device| device.volume_id == *id) else {
            return Err(Ec2Error::invalid_parameter(format!(
                "The volume '{id}' is not attached to the instance '{}'",
                instance.id
            )));
        };
        if device.name == instance.root_device {
            return Err(Ec2Error::invalid_parameter(format!(
                "The volume '{id}' is the boot volume: use ExcludeBootVolume"
            )));
        }
    }
    let volumes: Vec<Volume> = instance
        .devices
        .iter()
        .filter(|device| !(excludes_boot && device.name == instance.root_device))
        .filter(|device| !excluded.contains(&device.volume_id))
        .filter_map(|device| context.region.volumes.get(&device.volume_id))
        .filter(|volume| {
            volume.at(&instance.id).is_some_and(|place| place.state == AttachmentState::Attached)
        })
        .cloned()
        .collect();
    if volumes.is_empty() {
        return Err(Ec2Error::invalid_parameter(format!(
            "The instance '{}' has no EBS volumes that are not excluded",
            instance.id
        )));
    }
    Ok(volumes)
}

fn full_size_bytes(seed: u64, volume: &Volume) -> u64 {
    // EBS copies blocks of 512 KiB; somewhat between a tenth and six tenths hold data.
    let blocks = u64::from(volume.size_gib) * 2048;
    let per_mille = 100 + chance(seed, &["full size", &volume.id]) % 500;
    blocks * per_mille / 1000 * 512 * 1024
}

fn write_info(xml: &mut Xml, snapshot: &Snapshot, context: &ActionContext<'_>) {
    xml.leaf("description", &snapshot.description);
    tags::write(xml, &snapshot.tags);
    xml.leaf("encrypted", snapshot.encrypted);
    xml.leaf("volumeId", &snapshot.volume_id);
    xml.leaf("state", snapshot.state.name());
    xml.leaf("volumeSize", snapshot.volume_size_gib);
    xml.leaf("startTime", wire_time(snapshot.started_at));
    xml.leaf("progress", "");
    xml.leaf("ownerId", context.account);
    xml.leaf("snapshotId", &snapshot.id);
    xml.leaf("sseType", if snapshot.encrypted { "sse-kms" } else { "none" });
}
