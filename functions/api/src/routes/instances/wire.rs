//! Instances on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{ImageId, InstanceId, ScheduleId, SnapshotId, VolumeId};
use shared::domain::instance as domain;
use shared::domain::schedule::Schedule;
use shared::domain::snapshot::Snapshot;
use shared::domain::tags::Tags;
use shared::operations::instances::InstanceDetails;
use utoipa::ToSchema;

/// An EC2 instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Instance {
    /// EC2's identifier.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    id: InstanceId,
    /// Its `Name` tag.
    name: Option<String>,
    /// Its state in EC2's words.
    #[schema(example = "running")]
    state: String,
    /// Whether a snapshot of it can be taken now.
    eligibility: Eligibility,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "m7g.large")]
    kind: String,
    /// Its region.
    region: String,
    /// Its availability zone.
    zone: String,
    /// `x86_64`, `arm64`.
    architecture: Option<String>,
    /// EC2's platform details.
    #[schema(example = "Linux/UNIX")]
    platform: Option<String>,
    /// The image it was launched from.
    #[schema(value_type = Option<String>)]
    image_id: Option<ImageId>,
    /// The device of its root volume.
    #[schema(example = "/dev/xvda")]
    root_device: Option<String>,
    /// Its EBS volumes, in the order of their devices.
    volumes: Vec<InstanceVolume>,
    /// Its tags.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
    /// When it was last started.
    launched_at: Option<Timestamp>,
}

/// Whether a snapshot of an instance can be taken now.
#[derive(Debug, Serialize, ToSchema)]
struct Eligibility {
    /// Whether it can.
    eligible: bool,
    /// Why not, in words.
    reason: Option<String>,
}

/// An EBS volume of an instance.
#[derive(Debug, Serialize, ToSchema)]
struct InstanceVolume {
    /// EC2's identifier.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// The device name.
    #[schema(example = "/dev/xvda")]
    device: String,
    /// Whether the instance boots from it.
    boot: bool,
}

/// An instance with everything there is to say of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InstanceWithDetails {
    #[serde(flatten)]
    instance: Instance,
    /// What its type offers; null if EC2 does not say.
    machine: Option<Machine>,
    /// What EC2 knows of its volumes beside where they are attached.
    disks: Vec<Disk>,
    /// How it is protected.
    protection: Protection,
}

/// What an instance type offers.
#[derive(Debug, Serialize, ToSchema)]
struct Machine {
    /// Virtual CPUs.
    vcpus: i32,
    /// Memory in MiB.
    memory_mib: i64,
    /// Graphics processors, by kind.
    gpus: Vec<Gpu>,
}

/// Graphics processors of one kind.
#[derive(Debug, Serialize, ToSchema)]
struct Gpu {
    /// Their name.
    #[schema(example = "NVIDIA A10G")]
    name: String,
    /// How many.
    count: i32,
    /// The memory of each in MiB, where EC2 says.
    memory_mib: Option<i32>,
}

/// An EBS volume as EC2 describes it.
#[derive(Debug, Serialize, ToSchema)]
struct Disk {
    /// EC2's identifier.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// Size in GiB.
    size_gib: i32,
    /// `gp3`, `io2`, …
    #[serde(rename = "type")]
    #[schema(example = "gp3")]
    volume_type: String,
    /// Whether it is encrypted.
    encrypted: bool,
    /// Its tags.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
}

/// How an instance is protected.
#[derive(Debug, Serialize, ToSchema)]
struct Protection {
    /// The schedules that are for it.
    schedules: Vec<ProtectingSchedule>,
    /// Its newest snapshot that can be restored.
    newest_available: Option<NewestSnapshot>,
}

/// A schedule that is for an instance.
#[derive(Debug, Serialize, ToSchema)]
struct ProtectingSchedule {
    /// Its identifier.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    id: ScheduleId,
    /// Its name.
    name: String,
    /// Whether it fires.
    enabled: bool,
    /// When it fires next.
    next_due: Option<Timestamp>,
}

/// The newest snapshot of an instance.
#[derive(Debug, Serialize, ToSchema)]
struct NewestSnapshot {
    /// Its identifier.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    id: SnapshotId,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// How old that is, in seconds.
    age_seconds: i64,
}

impl From<domain::Instance> for Instance {
    fn from(instance: domain::Instance) -> Self {
        let reason = instance.eligibility().err().map(|reason| reason.to_string());
        let domain::Instance {
            id,
            name,
            state,
            instance_type,
            region,
            zone,
            architecture,
            platform,
            image_id,
            root_device,
            volumes,
            tags,
            launched_at,
        } = instance;
        Self {
            id,
            name,
            state: state.to_string(),
            eligibility: Eligibility { eligible: reason.is_none(), reason },
            kind: instance_type,
            region,
            zone,
            architecture,
            platform,
            image_id,
            root_device,
            volumes: volumes.into_iter().map(InstanceVolume::from).collect(),
            tags,
            launched_at,
        }
    }
}

impl From<domain::AttachedVolume> for InstanceVolume {
    fn from(volume: domain::AttachedVolume) -> Self {
        let domain::AttachedVolume { volume_id, device, boot } = volume;
        Self { volume_id, device, boot }
    }
}

impl From<domain::InstanceType> for Machine {
    fn from(kind: domain::InstanceType) -> Self {
        let domain::InstanceType { name: _name, vcpus, memory_mib, gpus } = kind;
        Self { vcpus, memory_mib, gpus: gpus.into_iter().map(Gpu::from).collect() }
    }
}

impl From<domain::Gpu> for Gpu {
    fn from(gpu: domain::Gpu) -> Self {
        let domain::Gpu { name, count, memory_mib } = gpu;
        Self { name, count, memory_mib }
    }
}

impl From<domain::VolumeDetails> for Disk {
    fn from(volume: domain::VolumeDetails) -> Self {
        let domain::VolumeDetails { id, size_gib, volume_type, encrypted, tags } = volume;
        Self { volume_id: id, size_gib, volume_type, encrypted, tags }
    }
}

impl From<&Schedule> for ProtectingSchedule {
    fn from(schedule: &Schedule) -> Self {
        let (id, name) = (schedule.id.clone(), schedule.name.clone());
        Self { id, name, enabled: schedule.enabled, next_due: schedule.next_due }
    }
}

impl NewestSnapshot {
    fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let taken_at = snapshot.taken_at();
        let age_seconds = now.duration_since(taken_at).as_secs().max(0);
        Self { id: snapshot.id.clone(), taken_at, age_seconds }
    }
}

impl InstanceWithDetails {
    pub(super) fn of(details: InstanceDetails, now: Timestamp) -> Self {
        let InstanceDetails { instance, kind, volumes, newest_available, schedules } = details;
        Self {
            instance: instance.into(),
            machine: kind.map(Machine::from),
            disks: volumes.into_iter().map(Disk::from).collect(),
            protection: Protection {
                schedules: schedules.iter().map(ProtectingSchedule::from).collect(),
                newest_available: newest_available.map(|newest| NewestSnapshot::of(&newest, now)),
            },
        }
    }
}
