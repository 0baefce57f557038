//! EC2's types to ours. The only place that matches its open enumerations.

use aws_sdk_ec2::types as sdk;
use jiff::Timestamp;

use crate::domain::ids::VolumeId;
use crate::domain::image::seen::{SeenImage, SeenState};
use crate::domain::installation::InstallationId;
use crate::domain::instance::circumstances::{Circumstances, Purchase, StateReason};
use crate::domain::instance::launch::{LaunchSettings, ReplayedSettings};
use crate::domain::instance::{
    AttachedVolume, Gpu, Instance, InstanceState, InstanceType, RootKind, VolumeDetails,
};
use crate::domain::ownership::{EbsSnapshot, EbsState, StorageTier};
use crate::domain::tags::Tags;

pub(super) fn tags(tags: &[sdk::Tag]) -> Tags {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

pub(super) fn timestamp(at: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// The view that an installation has of an EBS snapshot; none if EC2 leaves out what it always says.
pub(super) fn ebs_snapshot(
    snapshot: &sdk::Snapshot,
    installation: &InstallationId,
) -> Option<EbsSnapshot> {
    let tags = tags(snapshot.tags());
    Some(EbsSnapshot {
        id: snapshot.snapshot_id()?.parse().ok()?,
        volume_id: snapshot.volume_id().and_then(|id| id.parse().ok()),
        state: ebs_state(snapshot.state()?),
        state_message: snapshot.state_message().filter(|text| !text.is_empty()).map(str::to_owned),
        started_at: timestamp(snapshot.start_time()?)?,
        completed_at: snapshot.completion_time().and_then(timestamp),
        progress_percent: progress(snapshot.progress()),
        volume_size_gib: snapshot.volume_size().unwrap_or_default(),
        full_size_bytes: snapshot.full_snapshot_size_in_bytes(),
        tier: storage_tier(snapshot),
        restore_expires_at: snapshot.restore_expiry_time().and_then(timestamp),
        description: snapshot.description().unwrap_or_default().to_owned(),
        installation: installation.look(&tags),
        tags,
    })
}

/// A tier that is not known is no place to make a volume from at once.
fn storage_tier(snapshot: &sdk::Snapshot) -> StorageTier {
    let is_restored = snapshot.restore_expiry_time().is_some();
    match snapshot.storage_tier() {
        None | Some(sdk::StorageTier::Standard) if is_restored => StorageTier::Restored,
        None | Some(sdk::StorageTier::Standard) => StorageTier::Standard,
        Some(_) => StorageTier::Archive,
    }
}

pub(super) fn ebs_state(state: &sdk::SnapshotState) -> EbsState {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "EC2 may add states; none of them is usable"
    )]
    match state {
        sdk::SnapshotState::Pending => EbsState::Pending,
        sdk::SnapshotState::Completed => EbsState::Completed,
        // `recoverable` and `recovering` are in the Recycle Bin: of no use until somebody takes them out.
        _ => EbsState::Error,
    }
}

pub(super) fn progress(text: Option<&str>) -> u8 {
    text.and_then(|text| text.trim_end_matches('%').parse().ok()).unwrap_or(0).min(100)
}

/// Our view of an image; none if EC2 leaves out what it always says.
pub(super) fn image(image: &sdk::Image) -> Option<SeenImage> {
    let state = image.state()?;
    Some(SeenImage {
        id: image.image_id()?.parse().ok()?,
        name: image.name().unwrap_or_default().to_owned(),
        state: image_state(state),
        ec2_state: state.as_str().to_owned(),
        reason: image
            .state_reason()
            .and_then(|reason| reason.message().or(reason.code()))
            .map(str::to_owned),
        created_at: image.creation_date().and_then(|at| at.parse().ok()),
        ebs_snapshot_ids: image
            .block_device_mappings()
            .iter()
            .filter_map(|mapping| mapping.ebs()?.snapshot_id()?.parse().ok())
            .collect(),
        tags: tags(image.tags()),
    })
}

fn image_state(state: &sdk::ImageState) -> SeenState {
    #[expect(clippy::wildcard_enum_match_arm, reason = "EC2 may add states")]
    match state {
        sdk::ImageState::Available | sdk::ImageState::Disabled => SeenState::There,
        sdk::ImageState::Deregistered => SeenState::Gone,
        sdk::ImageState::Invalid | sdk::ImageState::Failed | sdk::ImageState::Error => {
            SeenState::Failed
        }
        // `pending` and `transient`.
        _ => SeenState::Coming,
    }
}

/// Our view of an instance; none if EC2 leaves out what it always says.
pub(super) fn instance(instance: &sdk::Instance, region: &str) -> Option<Instance> {
    let tags = tags(instance.tags());
    let root_device = instance.root_device_name().map(str::to_owned);
    let mut volumes: Vec<_> = instance
        .block_device_mappings()
        .iter()
        .filter_map(|mapping| {
            let ebs = mapping.ebs()?;
            let delete_on_termination = ebs.delete_on_termination();
            let attached_at = ebs.attach_time().and_then(timestamp);
            let volume_id: VolumeId = ebs.volume_id()?.parse().ok()?;
            let device = mapping.device_name()?.to_owned();
            let boot = root_device.as_deref() == Some(&device);
            Some(AttachedVolume { volume_id, device, boot, delete_on_termination, attached_at })
        })
        .collect();
    volumes.sort_by(|one, other| one.device.cmp(&other.device));
    Some(Instance {
        id: instance.instance_id()?.parse().ok()?,
        name: tags.get("Name").filter(|name| !name.is_empty()).cloned(),
        state: instance
            .state()
            .and_then(|state| state.name())
            .map_or(InstanceState::Unknown, instance_state),
        instance_type: instance
            .instance_type()
            .map(|kind| kind.as_str().to_owned())
            .unwrap_or_default(),
        region: region.to_owned(),
        zone: instance
            .placement()
            .and_then(|placement| placement.availability_zone())
            .unwrap_or_default()
            .to_owned(),
        architecture: instance.architecture().map(|value| value.as_str().to_owned()),
        platform: instance.platform_details().map(str::to_owned),
        image_id: instance.image_id().and_then(|id| id.parse().ok()),
        root_device,
        volumes,
        tags,
        launched_at: instance.launch_time().and_then(timestamp),
        launch: launch_settings(instance),
        root: if instance.root_device_type() == Some(&sdk::DeviceType::InstanceStore) {
            RootKind::InstanceStore
        } else {
            RootKind::Ebs
        },
        can_hibernate: instance
            .hibernation_options()
            .and_then(sdk::HibernationOptions::configured)
            .unwrap_or_default(),
        circumstances: circumstances(instance),
    })
}

fn circumstances(instance: &sdk::Instance) -> Circumstances {
    let reason = instance.state_reason().map(|reason| StateReason {
        code: reason.code().unwrap_or_default().to_owned(),
        message: reason.message().or(reason.code()).unwrap_or_default().to_owned(),
    });
    // EC2 says of each address whose it is: its own ones come and go with the instance's run.
    let mut addresses = instance.network_interfaces().iter().filter_map(|one| one.association());
    let passing = addresses.find(|one| one.ip_owner_id() == Some("amazon"));
    let is_spot = instance.instance_lifecycle() == Some(&sdk::InstanceLifecycleType::Spot);
    Circumstances {
        reason: reason.filter(|reason| !reason.code.is_empty()),
        passing_address: passing.and_then(|one| one.public_ip()).map(str::to_owned),
        purchase: if is_spot { Purchase::Spot } else { Purchase::Ordinary },
    }
}

fn launch_settings(instance: &sdk::Instance) -> LaunchSettings {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let groups = instance.security_groups().iter();
    LaunchSettings {
        subnet_id: text(instance.subnet_id()),
        security_group_ids: groups.filter_map(|group| text(group.group_id())).collect(),
        key_name: text(instance.key_name()),
        instance_profile_arn: instance
            .iam_instance_profile()
            .and_then(|profile| text(profile.arn())),
        root_device: text(instance.root_device_name()),
        virtualization_type: instance.virtualization_type().map(|value| value.as_str().to_owned()),
        boot_mode: instance.boot_mode().map(|value| value.as_str().to_owned()),
        ena_support: instance.ena_support(),
        metadata_tokens: instance
            .metadata_options()
            .and_then(|options| options.http_tokens())
            .map(|value| value.as_str().to_owned()),
        replayed: replayed_settings(instance),
    }
}

fn replayed_settings(instance: &sdk::Instance) -> ReplayedSettings {
    let metadata = instance.metadata_options();
    let tenancy = instance.placement().and_then(|placement| placement.tenancy());
    let monitoring = instance.monitoring().and_then(|monitoring| monitoring.state());
    ReplayedSettings {
        metadata_hop_limit: metadata
            .and_then(sdk::InstanceMetadataOptionsResponse::http_put_response_hop_limit),
        metadata_endpoint: metadata
            .and_then(|options| options.http_endpoint())
            .map(|value| value.as_str().to_owned()),
        metadata_ipv6: metadata
            .and_then(|options| options.http_protocol_ipv6())
            .filter(|ipv6| **ipv6 == sdk::InstanceMetadataProtocolState::Enabled)
            .map(|ipv6| ipv6.as_str().to_owned()),
        metadata_tags: metadata
            .and_then(|options| options.instance_metadata_tags())
            .filter(|tags| **tags == sdk::InstanceMetadataTagsState::Enabled)
            .map(|tags| tags.as_str().to_owned()),
        source_check_off: instance.source_dest_check() == Some(false),
        tenancy: tenancy
            .filter(|tenancy| **tenancy == sdk::Tenancy::Dedicated)
            .map(|tenancy| tenancy.as_str().to_owned()),
        detailed_monitoring: monitoring.map(|state| *state == sdk::MonitoringState::Enabled),
    }
}

fn instance_state(state: &sdk::InstanceStateName) -> InstanceState {
    #[expect(clippy::wildcard_enum_match_arm, reason = "EC2 may add states")]
    match state {
        sdk::InstanceStateName::Pending => InstanceState::Pending,
        sdk::InstanceStateName::Running => InstanceState::Running,
        sdk::InstanceStateName::Stopping => InstanceState::Stopping,
        sdk::InstanceStateName::Stopped => InstanceState::Stopped,
        sdk::InstanceStateName::ShuttingDown => InstanceState::ShuttingDown,
        sdk::InstanceStateName::Terminated => InstanceState::Terminated,
        _ => InstanceState::Unknown,
    }
}

pub(super) fn instance_type(kind: &sdk::InstanceTypeInfo) -> Option<InstanceType> {
    let gpus = kind.gpu_info().map(sdk::GpuInfo::gpus).unwrap_or_default();
    Some(InstanceType {
        name: kind.instance_type()?.as_str().to_owned(),
        vcpus: kind.v_cpu_info().and_then(sdk::VCpuInfo::default_v_cpus).unwrap_or_default(),
        memory_mib: kind.memory_info().and_then(sdk::MemoryInfo::size_in_mib).unwrap_or_default(),
        gpus: gpus
            .iter()
            .map(|gpu| Gpu {
                name: [gpu.manufacturer(), gpu.name()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
                count: gpu.count().unwrap_or_default(),
                memory_mib: gpu.memory_info().and_then(sdk::GpuDeviceMemoryInfo::size_in_mib),
            })
            .collect(),
        instance_store_gb: kind
            .instance_storage_info()
            .and_then(sdk::InstanceStorageInfo::total_size_in_gb),
    })
}

pub(super) fn volume(volume: &sdk::Volume) -> Option<VolumeDetails> {
    Some(VolumeDetails {
        id: volume.volume_id()?.parse().ok()?,
        size_gib: volume.size().unwrap_or_default(),
        volume_type: volume.volume_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        encrypted: volume.encrypted().unwrap_or_default(),
        kms_key_id: volume.kms_key_id().map(str::to_owned),
        iops: volume.iops(),
        throughput_mibps: volume.throughput(),
        multi_attach: volume.multi_attach_enabled().unwrap_or_default(),
        tags: tags(volume.tags()),
    })
}
