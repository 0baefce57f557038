//! Instances on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{ImageId, InstanceId, VolumeId};
use shared::domain::instance as domain;
use shared::domain::instance::launch::LaunchSettings;
use shared::domain::restore::last_drill;
use shared::domain::tags::Tags;
use shared::views::instance_coverage::{InstanceView, InstanceViews};
use utoipa::ToSchema;

use super::super::drills::LastDrill;
use super::super::wire::List;
use super::machine::Machine;
use super::protection::Protection;

/// An EC2 instance.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "EC2's name")]
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
    #[schema(example = "m7g.large")]
    instance_type: String,
    /// What its type offers; null if EC2 does not say.
    machine: Option<Machine>,
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
    ami_id: Option<ImageId>,
    /// The device of its root volume.
    #[schema(example = "/dev/xvda")]
    root_device: Option<String>,
    /// Its EBS volumes, in the order of their devices.
    volumes: Vec<InstanceVolume>,
    /// The sum of their sizes; null if EC2 does not tell all of them.
    size_gib: Option<i64>,
    /// Its tags.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
    /// When it was last started.
    launched_at: Option<Timestamp>,
    /// How it is protected.
    protection: Protection,
}

/// A page of instances.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InstancePage)]
pub(super) struct InstanceList {
    #[serde(flatten)]
    page: List<Instance>,
    /// The regions that this page came to and that gave no answer: their instances are not in the list.
    #[schema(example = json!(["eu-west-1"]))]
    regions_out_of_reach: Vec<String>,
}

/// Whether a snapshot of an instance can be taken now.
#[derive(Debug, Serialize, ToSchema)]
struct Eligibility {
    /// Whether it can.
    eligible: bool,
    /// Why not, in words: the same that a request for one is refused with.
    reason: Option<String>,
    /// What makes a snapshot of less use than one might think, or late.
    caveats: Vec<String>,
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
    /// What EC2 knows of its volumes, in the order of their devices.
    disks: Vec<Disk>,
    /// How it was launched.
    launch: Launch,
    /// How the last drill of its snapshots ended, whoever asked for it.
    last_drill: Option<LastDrill>,
}

/// An EBS volume as EC2 describes it.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "JSON's true and false")]
struct Disk {
    /// EC2's identifier.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// Where it is attached.
    #[schema(example = "/dev/xvda")]
    device: String,
    /// Whether the instance boots from it.
    boot: bool,
    /// Size in GiB.
    size_gib: i32,
    /// `gp3`, `io2`, …
    #[schema(example = "gp3")]
    volume_type: String,
    /// Provisioned operations a second, where its type has them.
    iops: Option<i32>,
    /// Provisioned MiB a second, where its type has them.
    throughput_mibps: Option<i32>,
    /// Whether it is encrypted.
    encrypted: bool,
    /// The key that it is encrypted with.
    kms_key_id: Option<String>,
    /// Whether it goes when the instance is terminated, where EC2 says.
    delete_on_termination: Option<bool>,
    /// Its tags.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
}

/// How an instance was launched, as far as EC2 says.
#[derive(Debug, Serialize, ToSchema)]
struct Launch {
    /// The subnet of its primary network interface.
    #[schema(example = "subnet-0123456789abcdef0")]
    subnet_id: Option<String>,
    /// The security groups of its primary network interface.
    security_group_ids: Vec<String>,
    /// The name of its key pair.
    key_name: Option<String>,
    /// The ARN of its instance profile.
    instance_profile_arn: Option<String>,
    /// `hvm` or `paravirtual`.
    virtualization_type: Option<String>,
    /// The boot mode that its image asks for.
    boot_mode: Option<String>,
    /// Whether enhanced networking with ENA is on.
    ena_support: Option<bool>,
    /// Whether its metadata service asks for tokens: `optional` or `required`.
    metadata_tokens: Option<String>,
    /// Whether it can be hibernated.
    hibernation: bool,
}

impl InstanceList {
    pub(super) fn of(list: InstanceViews, now: Timestamp) -> Self {
        let InstanceViews { page, out_of_reach } = list;
        let page = List::of(page, |view| Instance::of(view, now));
        Self { page, regions_out_of_reach: out_of_reach }
    }
}

impl Instance {
    pub(super) fn of(view: InstanceView, now: Timestamp) -> Self {
        let InstanceView { instance, kind, volumes: details, eligibility, caveats, protection } =
            view;
        let protection = Protection::of(protection, &instance, now);
        let reason = eligibility.err().map(|reason| reason.to_string());
        let sizes = instance.volumes.iter().map(|one| details.get(&one.volume_id));
        let size_gib = sizes.map(|one| one.map(|one| i64::from(one.size_gib))).sum();
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
            launch: _launch,
            root: _root,
            can_hibernate: _can_hibernate,
            circumstances: _circumstances,
        } = instance;
        Self {
            id,
            name,
            state: state.to_string(),
            eligibility: Eligibility { eligible: reason.is_none(), reason, caveats },
            instance_type,
            machine: kind.map(Machine::from),
            region,
            zone,
            architecture,
            platform,
            ami_id: image_id,
            root_device,
            volumes: volumes.into_iter().map(InstanceVolume::from).collect(),
            size_gib,
            tags,
            launched_at,
            protection,
        }
    }
}

impl From<domain::AttachedVolume> for InstanceVolume {
    fn from(volume: domain::AttachedVolume) -> Self {
        let domain::AttachedVolume {
            volume_id,
            device,
            boot,
            delete_on_termination: _delete_on_termination,
            attached_at: _attached_at,
        } = volume;
        Self { volume_id, device, boot }
    }
}

impl Disk {
    fn of(attached: &domain::AttachedVolume, details: domain::VolumeDetails) -> Self {
        let domain::VolumeDetails {
            id,
            size_gib,
            volume_type,
            encrypted,
            kms_key_id,
            iops,
            throughput_mibps,
            tags,
            multi_attach: _multi_attach,
        } = details;
        Self {
            volume_id: id,
            device: attached.device.clone(),
            boot: attached.boot,
            size_gib,
            volume_type,
            iops,
            throughput_mibps,
            encrypted,
            kms_key_id,
            delete_on_termination: attached.delete_on_termination,
            tags,
        }
    }
}

impl Launch {
    fn of(instance: &domain::Instance) -> Self {
        let LaunchSettings {
            subnet_id,
            security_group_ids,
            key_name,
            instance_profile_arn,
            root_device: _root_device,
            virtualization_type,
            boot_mode,
            ena_support,
            metadata_tokens,
            replayed: _replayed,
        } = instance.launch.clone();
        Self {
            subnet_id,
            security_group_ids,
            key_name,
            instance_profile_arn,
            virtualization_type,
            boot_mode,
            ena_support,
            metadata_tokens,
            hibernation: instance.can_hibernate,
        }
    }
}

impl InstanceWithDetails {
    pub(super) fn of(
        view: InstanceView,
        last_drill: Option<last_drill::LastDrill>,
        now: Timestamp,
    ) -> Self {
        let last_drill = last_drill.map(LastDrill::from);
        let disk = |attached: &domain::AttachedVolume| {
            Some(Disk::of(attached, view.volumes.get(&attached.volume_id)?.clone()))
        };
        let disks = view.instance.volumes.iter().filter_map(disk).collect();
        let launch = Launch::of(&view.instance);
        Self { disks, launch, last_drill, instance: Instance::of(view, now) }
    }
}
