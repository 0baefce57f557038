//! Images on the wire.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{EbsSnapshotId, ImageId, ImageJobId, InstanceId, SnapshotId};
use shared::domain::image::recipe::{Device, Recipe};
use shared::domain::image::{self as domain, ImageStatus};
use shared::domain::tags::Tags;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::super::wire::Failure;
use super::super::words::{wire_words, words};

/// An image: an AMI that is registered from a snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Image {
    /// Our identifier of it.
    #[schema(value_type = String, example = "img_0195500c-6d00-7000-8000-000000000000")]
    id: ImageJobId,
    /// EC2's identifier, once it is registered.
    #[schema(value_type = Option<String>, example = "ami-0123456789abcdef0")]
    ami_id: Option<ImageId>,
    /// EC2's name of it.
    name: String,
    /// In the words of who asked for it.
    description: Option<String>,
    /// Where it stands.
    #[schema(value_type = ImageStatusWord)]
    status: ImageStatus,
    /// What EC2 last said of its state: `available`, or `disabled` by somebody.
    ec2_state: Option<String>,
    /// The snapshot it is registered from.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// The instance that is of.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its region.
    region: String,
    /// `x86_64`, `arm64`.
    architecture: String,
    /// The device that it boots from.
    root_device: String,
    /// `uefi`, `legacy-bios`, `uefi-preferred`; null where the instance had none.
    boot_mode: Option<String>,
    /// Whether it has the driver for enhanced networking with ENA.
    ena_support: bool,
    /// The volumes that its instances begin with.
    volumes: Vec<ImageVolume>,
    /// Its tags, beside those that say whose it is.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
    /// The instances that were launched from it and are there, a thousand at the most. Null in lists, before it is
    /// registered, and while EC2 is out of reach. Launch templates are not looked through.
    #[schema(value_type = Option<Vec<String>>)]
    instances: Option<Vec<InstanceId>>,
    /// Who asked for it.
    requested_by: String,
    /// When.
    created_at: Timestamp,
    /// When it was registered.
    registered_at: Option<Timestamp>,
    /// Why it failed, why the last attempt was put off, or why it was not deregistered.
    failure: Option<Failure>,
    /// Who wants it deregistered.
    deregistration: Option<Deregistration>,
    /// When it was deregistered, or found missing.
    gone_at: Option<Timestamp>,
    /// Counts the changes; what `If-Match` compares.
    version: u64,
}

/// A volume that instances of an image begin with.
#[derive(Debug, Serialize, ToSchema)]
struct ImageVolume {
    /// Where it is attached.
    #[schema(example = "/dev/xvda")]
    device: String,
    /// What it is made from.
    #[schema(value_type = String, example = "snap-0123456789abcdef0")]
    ebs_snapshot_id: EbsSnapshotId,
    /// Its size.
    size_gib: i32,
    /// Its type.
    #[schema(example = "gp3")]
    volume_type: String,
    /// Provisioned operations a second.
    iops: Option<i32>,
    /// Provisioned throughput.
    throughput_mibps: Option<i32>,
    /// Whether it goes with its instance.
    delete_on_termination: bool,
}

/// Who wants an image deregistered, and what becomes of its snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct Deregistration {
    /// Who.
    by: String,
    /// When.
    at: Timestamp,
    /// The deletion of its snapshot; null if it stays.
    snapshot_deletion: Option<ImageSnapshotDeletion>,
}

/// The deletion of an image's snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct ImageSnapshotDeletion {
    /// What became of it.
    outcome: ImageSnapshotOutcome,
    /// Why the snapshot stays.
    reason: Option<String>,
}

wire_words! {
    /// What became of the deletion of an image's snapshot.
    ImageSnapshotOutcome of domain::SnapshotOutcome {
        /// The image is not gone yet.
        Waiting,
        /// It is condemned like any that a person deletes.
        Condemned,
        /// It stays.
        Refused,
    }
}

/// The schema of where an image stands.
#[derive(Debug)]
pub(super) struct ImageStatusWord;

impl PartialSchema for ImageStatusWord {
    fn schema() -> RefOr<Schema> {
        words("Where an image stands.", ImageStatus::ALL.iter().map(|status| status.as_str()))
    }
}

impl ToSchema for ImageStatusWord {
    fn name() -> Cow<'static, str> {
        "ImageStatus".into()
    }
}

impl Image {
    /// The image, with the instances of it where they were asked for.
    pub(super) fn of(image: domain::Image, instances: Option<Vec<InstanceId>>) -> Self {
        let domain::Image {
            id,
            version,
            status,
            snapshot_id,
            instance_id,
            region,
            name,
            description,
            tags,
            recipe,
            requested_by,
            created_at,
            ami_id,
            registered_at,
            ec2_state,
            attempt: _attempt,
            failure,
            deregistration,
            absent_since: _absent_since,
            attention_at: _attention_at,
            gone_at,
        } = image;
        let Recipe {
            architecture,
            root_device,
            boot_mode,
            ena_support,
            metadata_tokens: _metadata_tokens,
            devices,
        } = recipe;
        Self {
            id,
            ami_id,
            name,
            description,
            status,
            ec2_state,
            snapshot_id,
            instance_id,
            region,
            architecture,
            root_device,
            boot_mode,
            ena_support,
            volumes: devices.into_iter().map(ImageVolume::from).collect(),
            tags,
            instances,
            requested_by,
            created_at,
            registered_at,
            failure: failure.map(Failure::from),
            deregistration: deregistration.map(Deregistration::from),
            gone_at,
            version,
        }
    }
}

impl From<Device> for ImageVolume {
    fn from(device: Device) -> Self {
        let Device {
            device,
            ebs_snapshot_id,
            size_gib,
            volume_type,
            iops,
            throughput_mibps,
            delete_on_termination,
        } = device;
        Self {
            device,
            ebs_snapshot_id,
            size_gib,
            volume_type,
            iops,
            throughput_mibps,
            delete_on_termination,
        }
    }
}

impl From<domain::Deregistration> for Deregistration {
    fn from(deregistration: domain::Deregistration) -> Self {
        let domain::Deregistration { by, at, snapshot } = deregistration;
        Self { by, at, snapshot_deletion: snapshot.map(ImageSnapshotDeletion::from) }
    }
}

impl From<domain::SnapshotDeletion> for ImageSnapshotDeletion {
    fn from(deletion: domain::SnapshotDeletion) -> Self {
        let domain::SnapshotDeletion { is_named: _is_named, outcome, reason } = deletion;
        Self { outcome: outcome.into(), reason }
    }
}
