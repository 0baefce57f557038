//! Requests about images: filters, bodies.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::domain::ids::{ImageJobId, InstanceId, SnapshotId, VolumeId};
use shared::domain::image::ImageStatus;
use shared::domain::image::name::name_refusal;
use shared::domain::image::recipe::Given;
use shared::domain::image::transitions::WantedImage;
use shared::domain::tags::Tags;
use shared::operations::images::delete::SnapshotWish;
use shared::views::images::ImageFilter;
use utoipa::{IntoParams, ToSchema};

use super::super::wire::Text;
use super::wire::ImageStatusWord;
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};

/// Which images are wanted: those to which everything given applies.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ImageParameters {
    /// Registered from this snapshot.
    #[param(value_type = Option<String>)]
    snapshot_id: Option<SnapshotId>,
    /// Of this instance.
    #[param(value_type = Option<String>, example = "i-0123456789abcdef0")]
    instance_id: Option<InstanceId>,
    /// Of this region.
    region: Option<String>,
    /// Standing there.
    #[param(value_type = Option<ImageStatusWord>, inline)]
    status: Option<ImageStatus>,
    #[param(ignore)]
    pub(super) page: PageParameters,
}

impl FromQuery for ImageParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            snapshot_id: given.one("snapshot_id")?,
            instance_id: given.one("instance_id")?,
            region: given.one("region")?,
            status: given.one("status")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

impl ImageParameters {
    /// The filter they make.
    pub(super) fn filter(&self) -> ImageFilter {
        ImageFilter {
            snapshot_id: self.snapshot_id.clone(),
            instance_id: self.instance_id.clone(),
            region: self.region.clone(),
            status: self.status,
        }
    }
}

/// What is to become of an image's snapshot.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteParameters {
    /// Delete the snapshot that it was made from as well, if nothing else needs it.
    delete_snapshots: Option<bool>,
    /// With `delete_snapshots`: names the snapshot, so that it is deleted although it is the newest of its instance.
    #[param(value_type = Option<String>)]
    snapshot_id: Option<SnapshotId>,
}

impl FromQuery for DeleteParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let delete_snapshots = given.flag("delete_snapshots")?;
        let snapshot_id = given.one("snapshot_id")?;
        if snapshot_id.is_some() && delete_snapshots != Some(true) {
            let reason = "goes with delete_snapshots=true only";
            return Err(Problem::invalid("snapshot_id", reason));
        }
        Ok(Self { delete_snapshots, snapshot_id })
    }
}

impl DeleteParameters {
    /// What they say.
    pub(super) fn wish(&self) -> SnapshotWish {
        match (self.delete_snapshots, &self.snapshot_id) {
            (Some(true), Some(id)) => SnapshotWish::DeleteNamed(id.clone()),
            (Some(true), None) => SnapshotWish::Delete,
            (Some(false) | None, _) => SnapshotWish::Keep,
        }
    }
}

/// An image that is wanted. What the snapshot records need not be given, and cannot be given otherwise.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateImage {
    /// EC2's name of the image, unique in the account and region; the snapshot's name with the image's identifier if
    /// none. Letters, digits, spaces and ( ) [ ] . / - ' @ _.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 128, example = "web golden 2026-03")]
    name: Option<ImageName>,
    /// In your words. EC2 takes only ASCII here and is given the nearest letters; the record keeps yours.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    description: Option<Text<255>>,
    /// Tags for the image.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub(super) tags: Tags,
    /// The architecture, where the snapshot does not record it.
    architecture: Option<ImageArchitecture>,
    /// EC2's platform details, where the snapshot does not record them: `Linux/UNIX`.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128, example = "Linux/UNIX")]
    platform: Option<Text<128>>,
    /// The device that it boots from, where the snapshot does not record it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "/dev/xvda")]
    root_device: Option<Text<64>>,
    /// Whether it has the driver for enhanced networking with ENA, where the snapshot does not record it.
    ena_support: Option<bool>,
    /// The type of the volumes, where the snapshot does not record them.
    volume_type: Option<ImageVolumeType>,
    /// Where volumes are attached, where the snapshot does not record it: devices by volume.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"vol-0123456789abcdef0": "/dev/sdf"}))]
    devices: BTreeMap<VolumeId, Text<64>>,
}

/// A name that EC2 takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct ImageName(String);

impl TryFrom<String> for ImageName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name_refusal(&name).map_or(Ok(Self(name)), Err)
    }
}

/// An architecture that images have.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
enum ImageArchitecture {
    /// 64 bits, Intel and AMD.
    #[serde(rename = "x86_64")]
    X86,
    /// 64 bits, Arm.
    #[serde(rename = "arm64")]
    Arm,
    /// 32 bits, Intel and AMD.
    #[serde(rename = "i386")]
    X86Small,
}

/// A type of volume that can be had without saying how fast it is to be.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ImageVolumeType {
    /// General purpose.
    Gp3,
    /// General purpose, the former generation.
    Gp2,
    /// Throughput optimised hard disk.
    St1,
    /// Cold hard disk.
    Sc1,
    /// Magnetic.
    Standard,
}

impl ImageArchitecture {
    fn as_str(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "arm64",
            Self::X86Small => "i386",
        }
    }
}

impl ImageVolumeType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gp3 => "gp3",
            Self::Gp2 => "gp2",
            Self::St1 => "st1",
            Self::Sc1 => "sc1",
            Self::Standard => "standard",
        }
    }
}

impl CreateImage {
    /// What is wanted, and what is given for it.
    pub(super) fn taken(self, id: ImageJobId, tags: Tags, who: &str) -> (WantedImage, Given) {
        let Self {
            name,
            description,
            tags: _unchecked,
            architecture,
            platform,
            root_device,
            ena_support,
            volume_type,
            devices,
        } = self;
        let wanted = WantedImage {
            id,
            name: name.map(|name| name.0),
            description: description.map(|description| description.0),
            tags,
            who: who.to_owned(),
        };
        let given = Given {
            architecture: architecture.map(|one| one.as_str().to_owned()),
            platform: platform.map(|platform| platform.0),
            root_device: root_device.map(|device| device.0),
            ena_support,
            volume_type: volume_type.map(|one| one.as_str().to_owned()),
            devices: devices.into_iter().map(|(id, device)| (id, device.0)).collect(),
        };
        (wanted, given)
    }
}
