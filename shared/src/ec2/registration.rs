//! Images: registered, found, looked at and deregistered.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    ArchitectureValues, BlockDeviceMapping, BootModeValues, EbsBlockDevice, Filter,
    ImdsSupportValues, Reservation, ResourceType, VolumeType,
};

use super::errors::{Meaning, failed, meaning};
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, convert, filter};
use crate::domain::ascii;
use crate::domain::ids::{EbsSnapshotId, ImageId, ImageJobId, InstanceId};
use crate::domain::image::Image;
use crate::domain::image::recipe::{Device, Recipe};
use crate::domain::image::seen::SeenImage;
use crate::domain::snapshot::Failure;
use crate::domain::tags;
use crate::error::{BoxError, Error};

/// The error with which EC2 says that another image has the name.
const NAME_TAKEN: &str = "InvalidAMIName.Duplicate";

/// Why an image was not registered, or may have been.
#[derive(Debug)]
pub enum RegistrationError {
    /// EC2 did nothing, and may do it later.
    NotNow(Failure),
    /// EC2 did nothing: an image has this name, perhaps the one that an earlier attempt has made.
    NameTaken(Failure),
    /// EC2 did nothing, and will not.
    Refused(Failure),
    /// EC2 may have registered it: look for the tag.
    Unknown(BoxError),
}

/// What became of a deregistration.
#[derive(Debug)]
pub enum Deregistered {
    /// It is gone by this call.
    Now,
    /// There is no such image, or not any more.
    Before,
    /// EC2 did nothing, for now.
    NotNow(Failure),
    /// EC2 did nothing, and will not.
    Refused(Failure),
    /// It may be gone: try again.
    Unknown(BoxError),
}

impl Ec2 {
    /// Registers an image, in one call that is never repeated, with our tags in it.
    pub async fn register_image(&self, image: &Image) -> Result<ImageId, RegistrationError> {
        let Recipe { architecture, root_device, boot_mode, ena_support, metadata_tokens, devices } =
            &image.recipe;
        let tokens = metadata_tokens.as_deref() == Some("required");
        let answer = self
            .creator
            .register_image()
            .name(&image.name)
            .set_description(image.description.as_deref().map(ascii::description))
            .architecture(ArchitectureValues::from(architecture.as_str()))
            // What is not said here EC2 takes for what its first instance types were: paravirtual, without ENA.
            .virtualization_type("hvm")
            .ena_support(*ena_support)
            .set_boot_mode(boot_mode.as_deref().map(BootModeValues::from))
            .set_imds_support(tokens.then_some(ImdsSupportValues::V20))
            .root_device_name(root_device)
            .set_block_device_mappings(Some(devices.iter().map(mapping).collect()))
            .tag_specifications(self.specification(ResourceType::Image, &image.ami_tags()))
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let id = answer.image_id().and_then(|id| id.parse().ok());
                let unsaid = || RegistrationError::Unknown("EC2 named no image".into());
                return id.ok_or_else(unsaid);
            }
            Err(error) => error,
        };
        Err(match meaning(&error) {
            Meaning::NotNow(failure) => RegistrationError::NotNow(failure),
            Meaning::Refused(failure) if failure.code == NAME_TAKEN => {
                RegistrationError::NameTaken(failure)
            }
            Meaning::Refused(failure) | Meaning::NotPermitted(failure) | Meaning::Gone(failure) => {
                RegistrationError::Refused(failure)
            }
            Meaning::InUse(_) | Meaning::Locked(_) | Meaning::Unknown => {
                RegistrationError::Unknown(error.into())
            }
        })
    }

    /// Deregisters an image. Its EBS snapshots stay. Repeated, it does nothing more.
    pub async fn deregister(&self, id: &ImageId) -> Deregistered {
        let answer = self.client.deregister_image().image_id(id.as_str()).send().await;
        let Err(error) = answer else { return Deregistered::Now };
        match meaning(&error) {
            Meaning::Gone(_) => Deregistered::Before,
            // What EC2 says of an image that has been deregistered.
            Meaning::Refused(failure) if failure.code == "InvalidAMIID.Unavailable" => {
                Deregistered::Before
            }
            Meaning::NotNow(failure) => Deregistered::NotNow(failure),
            Meaning::Refused(failure) | Meaning::NotPermitted(failure) => {
                Deregistered::Refused(failure)
            }
            Meaning::InUse(_) | Meaning::Locked(_) | Meaning::Unknown => {
                Deregistered::Unknown(error.into())
            }
        }
    }

    /// The image that bears the tag of this record, if EC2 shows one; of several the one of the lowest id.
    pub async fn image_tagged(&self, id: &ImageJobId) -> Result<Option<SeenImage>, Error> {
        let wanted = filter(format!("tag:{}", tags::IMAGE), [id.to_string()]);
        let found = self.described_images(wanted).await?;
        Ok(found.into_iter().filter(|image| image.named_job().as_ref() == Some(id)).min_by(by_id))
    }

    /// The image of this name in our account, if EC2 shows one.
    pub async fn image_named(&self, name: &str) -> Result<Option<SeenImage>, Error> {
        // `*`, `?` and `\` are no letters of a name.
        let found = self.described_images(filter("name", [name.to_owned()])).await?;
        Ok(found.into_iter().find(|image| image.name == name))
    }

    /// This image, if EC2 shows it.
    pub async fn image(&self, id: &ImageId) -> Result<Option<SeenImage>, Error> {
        let found = self.described_images(filter("image-id", [id.to_string()])).await?;
        Ok(found.into_iter().find(|image| image.id == *id))
    }

    /// These images, as far as EC2 shows them, disabled ones too.
    pub async fn images(&self, ids: &[ImageId]) -> Result<Vec<SeenImage>, Error> {
        let mut found = Vec::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let wanted = filter("image-id", chunk.iter().map(ToString::to_string));
            found.extend(self.described_images(wanted).await?);
        }
        Ok(found)
    }

    /// The images that use one of these EBS snapshots, disabled ones too, in the order of their ids.
    pub async fn images_using(&self, ids: &[EbsSnapshotId]) -> Result<Vec<SeenImage>, Error> {
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let values = chunk.iter().map(ToString::to_string);
            let wanted = filter("block-device-mapping.snapshot-id", values);
            let images = self.described_images(wanted).await?;
            found.extend(images.into_iter().map(|image| (image.id.clone(), image)));
        }
        Ok(found.into_values().collect())
    }

    /// Instances that were launched from this image and are not terminated, at most a thousand.
    pub async fn instances_from(&self, id: &ImageId) -> Result<Vec<InstanceId>, Error> {
        let answer = self
            .client
            .describe_instances()
            .filters(filter("image-id", [id.to_string()]))
            .max_results(PAGE_MAX)
            .send()
            .await
            .map_err(|error| failed("DescribeInstances", error))?;
        let instances = answer.reservations().iter().flat_map(Reservation::instances);
        let living = instances
            .filter_map(|instance| convert::instance(instance, &self.region))
            .filter(|instance| !instance.is_gone());
        let mut ids: Vec<_> = living.map(|instance| instance.id).collect();
        ids.sort();
        Ok(ids)
    }

    /// Our account's images that fit, disabled ones too: they hold their EBS snapshots all the same.
    async fn described_images(&self, wanted: Filter) -> Result<Vec<SeenImage>, Error> {
        let mut found = Vec::new();
        self.each_own_image(Some(wanted), |image| found.extend(convert::image(image))).await?;
        Ok(found)
    }
}

fn by_id(one: &SeenImage, other: &SeenImage) -> std::cmp::Ordering {
    one.id.cmp(&other.id)
}

fn mapping(device: &Device) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice::builder()
        .snapshot_id(device.ebs_snapshot_id.as_str())
        .volume_type(VolumeType::from(device.volume_type.as_str()))
        .set_iops(device.iops)
        .set_throughput(device.throughput_mibps)
        .delete_on_termination(device.delete_on_termination)
        .build();
    BlockDeviceMapping::builder().device_name(&device.device).ebs(ebs).build()
}
