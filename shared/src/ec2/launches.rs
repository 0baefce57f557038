//! Instances stopped, started, given another root volume, and launched from an image of a snapshot.

use aws_sdk_ec2::types::builders::EbsBlockDeviceBuilder;
use aws_sdk_ec2::types::{
    self as sdk, ArchitectureValues, BlockDeviceMapping, BootModeValues, EbsBlockDevice,
    HttpTokensState, IamInstanceProfileSpecification, InstanceMetadataEndpointState,
    InstanceMetadataOptionsRequest, InstanceMetadataProtocolState, InstanceMetadataTagsState,
    InstanceType, Placement, ReplaceRootVolumeTaskState, Reservation, ResourceType,
    RunInstancesMonitoringEnabled, Tenancy, VolumeType,
};

use super::calls::{Call, CallError, called, rehearsed, rehearsed_to_the_end};
use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, convert, filter};
use crate::domain::ids::{ImageId, InstanceId, RestoreId};
use crate::domain::restore::mode::{Launch, PlannedVolume};
use crate::domain::restore::seen::{ImageState, MadeInstance, SeenTask, TaskState};
use crate::domain::tags::{self, Tags};
use crate::error::Error;

/// An image that is to be registered.
#[derive(Clone, Debug)]
pub struct NewImage<'a> {
    /// Its name, which no two images of an account have: EC2's guard against a second one.
    pub name: &'a str,
    /// Its architecture, root device and the like.
    pub launch: &'a Launch,
    pub volumes: &'a [PlannedVolume],
    pub tags: &'a Tags,
}

/// An instance that is to be launched.
#[derive(Clone, Debug)]
pub struct NewInstance<'a> {
    /// From which image.
    pub image: &'a ImageId,
    pub launch: &'a Launch,
    /// The devices that the image has.
    pub volumes: &'a [PlannedVolume],
    pub tags: &'a Tags,
    /// The tags of its volumes.
    pub volume_tags: &'a Tags,
    /// The same for the same instance: EC2 launches one, however often it is asked.
    pub token: &'a str,
}

impl Ec2 {
    /// Stops an instance. One that is stopped stays so.
    pub async fn stop_instance(&self, id: &InstanceId, call: Call) -> Result<(), CallError> {
        let request = self.client.stop_instances().instance_ids(id.as_str());
        match call {
            Call::Rehearsal => {
                rehearsed_to_the_end("StopInstances", request.dry_run(true).send().await)
            }
            Call::Real => called("StopInstances", request.send().await).map(|_| ()),
        }
    }

    /// Starts an instance. One that runs goes on.
    pub async fn start_instance(&self, id: &InstanceId, call: Call) -> Result<(), CallError> {
        let request = self.client.start_instances().instance_ids(id.as_str());
        match call {
            Call::Rehearsal => rehearsed("StartInstances", request.dry_run(true).send().await),
            Call::Real => called("StartInstances", request.send().await).map(|_| ()),
        }
    }

    /// Has EC2 replace the root volume of a running instance, and keep the old one. With the same token it is the same
    /// task. The tags are the task's: EC2 gives none to the new volume.
    pub async fn replace_root(
        &self,
        instance: &InstanceId,
        volume: &PlannedVolume,
        (task_tags, token): (&Tags, &str),
        call: Call,
    ) -> Result<Option<String>, CallError> {
        let name = "CreateReplaceRootVolumeTask";
        let request = self
            .client
            .create_replace_root_volume_task()
            .instance_id(instance.as_str())
            .snapshot_id(volume.ebs_snapshot_id.as_str())
            .set_volume_initialization_rate(volume.initialization_rate_mibps.map(i64::from))
            .delete_replaced_root_volume(false)
            .tag_specifications(self.specification(ResourceType::ReplaceRootVolumeTask, task_tags));
        match call {
            Call::Rehearsal => rehearsed(name, request.dry_run(true).send().await).map(|()| None),
            Call::Real => {
                let answer = called(name, request.client_token(token).send().await)?;
                let task = answer.replace_root_volume_task();
                Ok(task.and_then(|task| task.replace_root_volume_task_id()).map(str::to_owned))
            }
        }
    }

    /// The task of this restore, and of this part of it, that replaces the root volume of an instance.
    pub async fn root_task(
        &self,
        instance: &InstanceId,
        restore: &RestoreId,
        part: &str,
    ) -> Result<Option<SeenTask>, Error> {
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_replace_root_volume_tasks()
                .filters(filter("instance-id", [instance.to_string()]))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeReplaceRootVolumeTasks", error))?;
            let is_it = |task: &&sdk::ReplaceRootVolumeTask| {
                bears(&convert::tags(task.tags()), restore, part)
            };
            if let Some(task) = answer.replace_root_volume_tasks().iter().find(is_it) {
                return Ok(seen_task(task));
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    /// Registers an image, in one call that is never repeated by itself.
    pub async fn register_restore_image(
        &self,
        image: NewImage<'_>,
        call: Call,
    ) -> Result<Option<ImageId>, CallError> {
        let NewImage { name, launch, volumes, tags } = image;
        let request = self
            .creator
            .register_image()
            .name(name)
            .description("For a restore by Snapkeep")
            .architecture(ArchitectureValues::from(launch.architecture.as_str()))
            .virtualization_type("hvm")
            .ena_support(launch.ena_support)
            .root_device_name(&launch.root_device)
            .set_boot_mode(launch.boot_mode.as_deref().map(BootModeValues::from))
            .set_block_device_mappings(Some(volumes.iter().map(mapping).collect()))
            .tag_specifications(self.specification(ResourceType::Image, tags));
        match call {
            Call::Rehearsal => {
                rehearsed("RegisterImage", request.dry_run(true).send().await).map(|()| None)
            }
            Call::Real => {
                let answer = called("RegisterImage", request.send().await)?;
                Ok(answer.image_id().and_then(|id| id.parse().ok()))
            }
        }
    }

    /// Our account's image of this name, and where it stands.
    pub async fn state_of_image_named(
        &self,
        name: &str,
    ) -> Result<Option<(ImageId, ImageState)>, Error> {
        let mut found = None;
        self.each_own_image(Some(filter("name", [name.to_owned()])), |image| {
            found = found.take().or_else(|| named(image));
        })
        .await?;
        Ok(found)
    }

    /// Our account's images of these names, whatever their state. No names: none.
    pub async fn images_named(&self, names: &[String]) -> Result<Vec<ImageId>, Error> {
        let mut found = Vec::new();
        for chunk in names.chunks(FILTER_VALUES_MAX) {
            let wanted = filter("name", chunk.iter().cloned());
            self.each_own_image(Some(wanted), |image| {
                found.extend(image.image_id().and_then(|id| id.parse().ok()));
            })
            .await?;
        }
        Ok(found)
    }

    /// Removes an image; its EBS snapshots stay. Already gone is success.
    pub async fn deregister_image(&self, id: &ImageId) -> Result<(), CallError> {
        let answer = self.client.deregister_image().image_id(id.as_str()).send().await;
        match called("DeregisterImage", answer) {
            Ok(_) | Err(CallError::Gone(_)) => Ok(()),
            Err(CallError::Refused(failure)) if failure.code == "InvalidAMIID.Unavailable" => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Launches an instance. With the same token it is the same instance.
    pub async fn run_instance(
        &self,
        new: NewInstance<'_>,
    ) -> Result<Option<InstanceId>, CallError> {
        let NewInstance { image, launch, volumes, tags, volume_tags, token } = new;
        let groups = launch.security_group_ids.clone();
        let profile = launch.instance_profile_arn.as_ref();
        let profile =
            profile.map(|arn| IamInstanceProfileSpecification::builder().arn(arn).build());
        let request = self
            .client
            .run_instances()
            .image_id(image.as_str())
            .instance_type(InstanceType::from(launch.instance_type.as_str()))
            .min_count(1)
            .max_count(1)
            .set_subnet_id(launch.subnet_id.clone())
            .set_security_group_ids((!groups.is_empty()).then_some(groups))
            .set_placement(placement(launch))
            .set_key_name(launch.key_name.clone())
            .set_iam_instance_profile(profile)
            .set_metadata_options(metadata(launch))
            .set_monitoring(monitoring(launch))
            .set_block_device_mappings(rated(volumes, launch))
            .tag_specifications(self.specification(ResourceType::Instance, tags))
            .tag_specifications(self.specification(ResourceType::Volume, volume_tags))
            .client_token(token);
        let answer = called("RunInstances", request.send().await)?;
        let made = answer.instances().first();
        Ok(made.and_then(|one| one.instance_id()).and_then(|id| id.parse().ok()))
    }

    /// The instances that this restore, and one of these parts of it, has made.
    pub async fn instances_of_restore(
        &self,
        restore: &RestoreId,
        parts: &[String],
    ) -> Result<Vec<MadeInstance>, Error> {
        let (mut made, mut token) = (Vec::new(), None);
        loop {
            let answer = self
                .client
                .describe_instances()
                .filters(filter(format!("tag:{}", tags::RESTORE), [restore.to_string()]))
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeInstances", error))?;
            let instances = answer.reservations().iter().flat_map(Reservation::instances);
            let instances = instances
                .filter_map(|instance| convert::instance(instance, &self.region))
                .filter(|instance| parts.iter().any(|part| bears(&instance.tags, restore, part)));
            made.extend(instances.map(|instance| MadeInstance {
                id: instance.id,
                state: instance.state,
                reason: instance.circumstances.reason,
            }));
            // A page may be short, or empty, and others follow.
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(made);
            }
        }
    }
}

fn placement(launch: &Launch) -> Option<Placement> {
    let tenancy = launch.replayed.tenancy.as_deref().map(Tenancy::from);
    (launch.zone.is_some() || tenancy.is_some()).then(|| {
        Placement::builder().set_availability_zone(launch.zone.clone()).set_tenancy(tenancy).build()
    })
}

fn metadata(launch: &Launch) -> Option<InstanceMetadataOptionsRequest> {
    let (tokens, replayed) = (launch.metadata_tokens.as_deref(), &launch.replayed);
    let endpoint = replayed.metadata_endpoint.as_deref();
    let is_recorded = tokens.is_some()
        || endpoint.is_some()
        || replayed.metadata_hop_limit.is_some()
        || replayed.metadata_ipv6.is_some()
        || replayed.metadata_tags.is_some();
    let ipv6 = replayed.metadata_ipv6.as_deref().map(InstanceMetadataProtocolState::from);
    let tags = replayed.metadata_tags.as_deref().map(InstanceMetadataTagsState::from);
    is_recorded.then(|| {
        InstanceMetadataOptionsRequest::builder()
            .set_http_tokens(tokens.map(HttpTokensState::from))
            .set_http_endpoint(endpoint.map(InstanceMetadataEndpointState::from))
            .set_http_put_response_hop_limit(replayed.metadata_hop_limit)
            .set_http_protocol_ipv6(ipv6)
            .set_instance_metadata_tags(tags)
            .build()
    })
}

fn monitoring(launch: &Launch) -> Option<RunInstancesMonitoringEnabled> {
    let enabled = launch.replayed.detailed_monitoring?;
    Some(RunInstancesMonitoringEnabled::builder().enabled(enabled).build())
}

fn bears(tags: &Tags, restore: &RestoreId, part: &str) -> bool {
    let has = |key: &str, value: &str| tags.get(key).map(String::as_str) == Some(value);
    has(tags::RESTORE, restore.as_str()) && has(tags::RESTORE_PART, part)
}

fn named(image: &sdk::Image) -> Option<(ImageId, ImageState)> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other state is usable")]
    let state = match image.state()? {
        sdk::ImageState::Pending => ImageState::Pending,
        sdk::ImageState::Available => ImageState::Available,
        _ => ImageState::Failed,
    };
    Some((image.image_id()?.parse().ok()?, state))
}

fn seen_task(task: &sdk::ReplaceRootVolumeTask) -> Option<SeenTask> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "EC2 may add states; each is on the way")]
    let state = match task.task_state()? {
        ReplaceRootVolumeTaskState::Succeeded => TaskState::Succeeded,
        ReplaceRootVolumeTaskState::Failed => TaskState::Failed,
        ReplaceRootVolumeTaskState::FailedDetached => TaskState::FailedDetached,
        _ => TaskState::UnderWay,
    };
    Some(SeenTask { id: task.replace_root_volume_task_id()?.to_owned(), state })
}

fn mapping(volume: &PlannedVolume) -> BlockDeviceMapping {
    let ebs = device(volume).snapshot_id(volume.ebs_snapshot_id.as_str()).build();
    mapped(volume, ebs)
}

/// The devices that have a rate, which EC2 takes with a launch but not with an image; none if no device has one.
fn rated(volumes: &[PlannedVolume], launch: &Launch) -> Option<Vec<BlockDeviceMapping>> {
    let rated = volumes.iter().filter(|volume| volume.initialization_rate_mibps.is_some());
    let mappings = rated.map(|volume| {
        let ebs = device(volume).set_volume_initialization_rate(volume.initialization_rate_mibps);
        // EC2 lets nobody say from which snapshot the root volume is: it is the image's.
        let is_root = volume.attach_as.as_deref() == Some(launch.root_device.as_str());
        let snapshot = Some(volume.ebs_snapshot_id.to_string()).filter(|_| !is_root);
        mapped(volume, ebs.set_snapshot_id(snapshot).build())
    });
    Some(mappings.collect::<Vec<_>>()).filter(|mappings| !mappings.is_empty())
}

fn mapped(volume: &PlannedVolume, ebs: EbsBlockDevice) -> BlockDeviceMapping {
    BlockDeviceMapping::builder().set_device_name(volume.attach_as.clone()).ebs(ebs).build()
}

fn device(volume: &PlannedVolume) -> EbsBlockDeviceBuilder {
    EbsBlockDevice::builder()
        .volume_size(volume.size_gib)
        .volume_type(VolumeType::from(volume.volume_type.as_str()))
        .set_iops(volume.iops)
        .set_throughput(volume.throughput_mibps)
        .delete_on_termination(volume.delete_on_termination)
}
