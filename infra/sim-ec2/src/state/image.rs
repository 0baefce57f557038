//! A machine image.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// An image as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `ami-…`
    pub id: String,
    /// Where it is.
    pub region: String,
    /// Its owner; of another account's only the public ones are known.
    pub owner: String,
    /// Its name, unique among its owner's.
    pub name: String,
    /// Its description.
    pub description: String,
    /// `x86_64`, `arm64` or `i386`.
    pub architecture: String,
    /// The device of its root volume.
    pub root_device: String,
    /// The snapshots it is made of.
    pub devices: Vec<ImageDevice>,
    /// Where it is in its life.
    pub state: ImageState,
    /// When it was made.
    pub created_at: Timestamp,
    /// The instance it was made of.
    pub source_instance_id: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// What its instances start with.
    #[serde(default)]
    pub support: ImageSupport,
}

/// What an image asks of the instance types it is launched on, and lets them use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSupport {
    /// `hvm` or `paravirtual`.
    pub virtualization: String,
    /// Whether it has the driver of the Elastic Network Adapter.
    pub ena: bool,
    /// `legacy-bios`, `uefi` or `uefi-preferred`, when it was said.
    pub boot_mode: Option<String>,
    /// `v2.0` when it can use a Trusted Platform Module.
    pub tpm: Option<String>,
    /// `v2.0` when its instances' metadata need tokens.
    pub imds: Option<String>,
    /// `simple` when it has the driver of the Intel 82599 Virtual Function.
    pub sriov: Option<String>,
}

impl Default for ImageSupport {
    fn default() -> Self {
        Self {
            virtualization: "hvm".to_owned(),
            ena: true,
            boot_mode: None,
            tpm: None,
            imds: None,
            sriov: None,
        }
    }
}

impl Image {
    /// Whether it is made of this snapshot.
    pub(crate) fn uses(&self, snapshot_id: &str) -> bool {
        self.devices.iter().any(|device| device.snapshot_id == snapshot_id)
    }
}

/// A volume that an instance of the image starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDevice {
    /// For example `/dev/xvda`.
    pub name: String,
    /// The snapshot the volume is made from.
    pub snapshot_id: String,
    /// The size of the volume.
    pub size_gib: u32,
    /// The type of the volume.
    pub volume_type: String,
    /// Whether the volume is encrypted.
    pub encrypted: bool,
    /// Whether the volume goes with the instance.
    pub on_termination: OnTermination,
    /// Provisioned operations a second.
    #[serde(default)]
    pub iops: Option<u32>,
    /// Provisioned MiB a second.
    #[serde(default)]
    pub throughput: Option<u32>,
}

/// What becomes of a volume when its instance is terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnTermination {
    /// It stays.
    Keep,
    /// It goes as well.
    Delete,
}

/// The states of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageState {
    /// Some of its snapshots are not complete.
    Pending,
    /// Usable.
    Available,
    /// Not usable and not listed unless asked for, but holding its snapshots.
    Disabled,
    /// Some of its snapshots failed.
    Failed,
}

impl ImageState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
        }
    }
}
