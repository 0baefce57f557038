//! Volumes: made, found, attached, detached, marked and deleted.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    self as sdk, AttributeBooleanValue, EbsInstanceBlockDeviceSpecification,
    InstanceBlockDeviceMappingSpecification, ResourceType, Tag, TagSpecification, VolumeType,
};

use super::calls::{Call, CallError, called, rehearsed};
use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, convert, filter};
use crate::domain::ids::{EbsSnapshotId, InstanceId, RestoreId, VolumeId};
use crate::domain::restore::seen::{SeenAttachment, SeenVolume, VolumeState};
use crate::domain::tags::{self, Tags};
use crate::error::Error;

/// The largest page of `DescribeVolumes` that is asked for.
const VOLUMES_PAGE: i32 = 500;

/// A volume that is to be made.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "EC2 takes both as flags")]
pub struct NewVolume<'a> {
    /// From which EBS snapshot.
    pub ebs_snapshot_id: &'a EbsSnapshotId,
    /// Whether that is encrypted.
    pub encrypted: bool,
    pub zone: &'a str,
    /// Its size in GiB.
    pub size_gib: i32,
    pub volume_type: &'a str,
    /// Provisioned operations a second.
    pub iops: Option<i32>,
    /// Provisioned MiB a second.
    pub throughput_mibps: Option<i32>,
    /// The rate at which EC2 is paid to fetch its blocks.
    pub initialization_rate_mibps: Option<i32>,
    /// Whether it may be at several instances at once.
    pub multi_attach: bool,
    /// Its tags, in the call itself.
    pub tags: Tags,
    /// The same for the same volume: EC2 makes one of it, however often it is asked.
    pub token: String,
}

impl Ec2 {
    /// The volumes that bear the tag of this restore.
    pub async fn volumes_of_restore(&self, restore: &RestoreId) -> Result<Vec<SeenVolume>, Error> {
        self.seen((&format!("tag:{}", tags::RESTORE), vec![restore.to_string()])).await
    }

    /// These volumes. What EC2 does not show is left out.
    pub async fn seen_volumes(&self, ids: &[VolumeId]) -> Result<Vec<SeenVolume>, Error> {
        let mut found = Vec::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let values = chunk.iter().map(ToString::to_string).collect();
            found.extend(self.seen(("volume-id", values)).await?);
        }
        Ok(found)
    }

    async fn seen(&self, (name, values): (&str, Vec<String>)) -> Result<Vec<SeenVolume>, Error> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_volumes()
                .filters(filter(name, values.clone()))
                .max_results(VOLUMES_PAGE)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeVolumes", error))?;
            found.extend(answer.volumes().iter().filter_map(seen_volume));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Which of these EBS snapshots are encrypted, as far as EC2 shows them.
    pub async fn encrypted_of(
        &self,
        ids: &[EbsSnapshotId],
    ) -> Result<BTreeSet<EbsSnapshotId>, CallError> {
        let mut found = BTreeSet::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let values = chunk.iter().map(ToString::to_string);
            let request = self
                .client
                .describe_snapshots()
                .owner_ids("self")
                .filters(filter("snapshot-id", values))
                .max_results(PAGE_MAX);
            let mut token = None;
            loop {
                let page = request.clone().set_next_token(token).send().await;
                let page = called("DescribeSnapshots", page)?;
                let encrypted = page.snapshots().iter().filter(|one| one.encrypted() == Some(true));
                let ids = encrypted.filter_map(|one| one.snapshot_id()?.parse().ok());
                found.extend(ids.collect::<Vec<_>>());
                token = page.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Makes a volume. With the same token it is the same volume.
    ///
    /// One of an encrypted snapshot is encrypted whether the call says so or not, by the same key. It does say so: a policy
    /// that forbids others goes by the call.
    pub async fn create_volume(
        &self,
        new: NewVolume<'_>,
        call: Call,
    ) -> Result<Option<VolumeId>, CallError> {
        let NewVolume { ebs_snapshot_id, zone, size_gib, volume_type, iops, .. } = new;
        let request = self
            .client
            .create_volume()
            .snapshot_id(ebs_snapshot_id.as_str())
            .availability_zone(zone)
            .size(size_gib)
            .set_encrypted(new.encrypted.then_some(true))
            .volume_type(VolumeType::from(volume_type))
            .set_iops(iops)
            .set_throughput(new.throughput_mibps)
            .set_volume_initialization_rate(new.initialization_rate_mibps)
            .set_multi_attach_enabled(new.multi_attach.then_some(true))
            .tag_specifications(self.specification(ResourceType::Volume, &new.tags));
        match call {
            Call::Rehearsal => {
                rehearsed("CreateVolume", request.dry_run(true).send().await).map(|()| None)
            }
            Call::Real => {
                let answer = called("CreateVolume", request.client_token(new.token).send().await)?;
                Ok(answer.volume_id().and_then(|id| id.parse().ok()))
            }
        }
    }

    /// Attaches a volume.
    pub async fn attach_volume(
        &self,
        (volume, instance, device): (&VolumeId, &InstanceId, &str),
        call: Call,
    ) -> Result<(), CallError> {
        let request = self
            .client
            .attach_volume()
            .volume_id(volume.as_str())
            .instance_id(instance.as_str())
            .device(device);
        match call {
            Call::Rehearsal => rehearsed("AttachVolume", request.dry_run(true).send().await),
            Call::Real => called("AttachVolume", request.send().await).map(|_| ()),
        }
    }

    /// Takes a volume off an instance, never by force.
    pub async fn detach_volume(
        &self,
        volume: &VolumeId,
        instance: &InstanceId,
        call: Call,
    ) -> Result<(), CallError> {
        let request =
            self.client.detach_volume().volume_id(volume.as_str()).instance_id(instance.as_str());
        match call {
            Call::Rehearsal => rehearsed("DetachVolume", request.dry_run(true).send().await),
            Call::Real => called("DetachVolume", request.send().await).map(|_| ()),
        }
    }

    /// Has the volumes at these devices go with their instance when it is terminated, or stay. Nothing else of the instance
    /// is changed by this call.
    pub async fn set_delete_on_termination(
        &self,
        instance: &InstanceId,
        flags: &[(String, bool)],
    ) -> Result<(), CallError> {
        let mappings = flags.iter().map(|(device, goes)| {
            let ebs = EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(*goes);
            InstanceBlockDeviceMappingSpecification::builder()
                .device_name(device)
                .ebs(ebs.build())
                .build()
        });
        let request = self
            .client
            .modify_instance_attribute()
            .instance_id(instance.as_str())
            .set_block_device_mappings(Some(mappings.collect()));
        called("ModifyInstanceAttribute", request.send().await).map(|_| ())
    }

    /// Has an instance take and send traffic that is not its own. Nothing else of it is changed by this call.
    pub async fn turn_source_check_off(&self, instance: &InstanceId) -> Result<(), CallError> {
        let off = AttributeBooleanValue::builder().value(false).build();
        let request = self
            .client
            .modify_instance_attribute()
            .instance_id(instance.as_str())
            .source_dest_check(off);
        called("ModifyInstanceAttribute", request.send().await).map(|_| ())
    }

    /// Deletes a volume. Already gone is success.
    pub async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CallError> {
        let answer = self.client.delete_volume().volume_id(volume.as_str()).send().await;
        match called("DeleteVolume", answer) {
            Ok(_) | Err(CallError::Gone(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The tags that something is made with, and with them our installation's.
    pub(super) fn specification(&self, kind: ResourceType, tags: &Tags) -> TagSpecification {
        let tags = sdk_tags(&self.installation.signed(tags));
        TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
    }

    /// Marks these volumes.
    pub async fn tag_volumes(
        &self,
        volumes: &[VolumeId],
        tags: &Tags,
        call: Call,
    ) -> Result<(), CallError> {
        let request = self
            .client
            .create_tags()
            .set_resources(Some(volumes.iter().map(ToString::to_string).collect()))
            .set_tags(Some(sdk_tags(tags)));
        match call {
            Call::Rehearsal => rehearsed("CreateTags", request.dry_run(true).send().await),
            Call::Real => called("CreateTags", request.send().await).map(|_| ()),
        }
    }
}

pub(super) fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn seen_volume(volume: &sdk::Volume) -> Option<SeenVolume> {
    let attachments = volume.attachments().iter().filter_map(|one| {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "EC2 may add states; each is on the way"
        )]
        let is_settled = match one.state()? {
            sdk::VolumeAttachmentState::Attached => true,
            sdk::VolumeAttachmentState::Detached => return None,
            _ => false,
        };
        Some(SeenAttachment {
            instance_id: one.instance_id()?.parse().ok()?,
            device: one.device().unwrap_or_default().to_owned(),
            is_settled,
        })
    });
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "EC2 may add states; none of them is usable"
    )]
    let state = match volume.state()? {
        sdk::VolumeState::Creating => VolumeState::Creating,
        sdk::VolumeState::Available => VolumeState::Available,
        sdk::VolumeState::InUse => VolumeState::InUse,
        sdk::VolumeState::Deleting | sdk::VolumeState::Deleted => VolumeState::Going,
        _ => VolumeState::Error,
    };
    let id = volume.volume_id()?.parse().ok()?;
    let (attachments, tags) = (attachments.collect(), convert::tags(volume.tags()));
    let volume_type = volume.volume_type().map(|one| one.as_str().to_owned()).unwrap_or_default();
    let size_gib = volume.size().and_then(|gib| u32::try_from(gib).ok()).unwrap_or_default();
    let multi_attach = volume.multi_attach_enabled().unwrap_or_default();
    Some(SeenVolume { id, state, attachments, volume_type, size_gib, multi_attach, tags })
}
