//! The ways to restore a snapshot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{EbsSnapshotId, InstanceId, VolumeId};
use crate::domain::instance::AttachedVolume;
use crate::domain::instance::launch::ReplayedSettings;
use crate::domain::later::is_default;
use crate::domain::tags::Tags;

/// What is to become of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum RestoreMode {
    /// New volumes in a zone.
    NewVolumes {
        /// The instance they are attached to, if any.
        attach_to: Option<InstanceId>,
    },
    /// New volumes in the place of an instance's.
    ReplaceVolumes {
        /// The instance.
        instance_id: InstanceId,
        /// Whether it may be stopped for it.
        stop: bool,
    },
    /// A new root volume of an instance, which goes on running.
    ReplaceRoot {
        /// The instance.
        instance_id: InstanceId,
    },
    /// A new instance.
    NewInstance(Box<Launch>),
    /// New volumes that are deleted as soon as they can be used: a drill.
    Drill,
}

impl RestoreMode {
    /// As it is written.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NewVolumes { .. } => "new_volumes",
            Self::ReplaceVolumes { .. } => "replace_volumes",
            Self::ReplaceRoot { .. } => "replace_root",
            Self::NewInstance(_) => "new_instance",
            Self::Drill => "drill",
        }
    }

    /// Whether volumes of an instance make room for new ones.
    pub fn is_in_place(&self) -> bool {
        match self {
            Self::ReplaceVolumes { .. } | Self::ReplaceRoot { .. } => true,
            Self::NewVolumes { .. } | Self::NewInstance(_) | Self::Drill => false,
        }
    }

    /// The instance that is changed, which one restore at a time may do.
    pub fn target(&self) -> Option<&InstanceId> {
        match self {
            Self::NewVolumes { attach_to } => attach_to.as_ref(),
            Self::ReplaceVolumes { instance_id, .. } | Self::ReplaceRoot { instance_id } => {
                Some(instance_id)
            }
            Self::NewInstance(_) | Self::Drill => None,
        }
    }
}

/// How a new instance is launched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub instance_type: String,
    /// Its subnet; EC2's default if none.
    pub subnet_id: Option<String>,
    /// Its zone, where no subnet says it.
    pub zone: Option<String>,
    /// Its security groups; EC2's default if none.
    pub security_group_ids: Vec<String>,
    pub key_name: Option<String>,
    pub instance_profile_arn: Option<String>,
    pub tags: Tags,
    pub architecture: String,
    /// The image's root device.
    pub root_device: String,
    /// The image's boot mode; EC2's default if none.
    pub boot_mode: Option<String>,
    /// Whether the image supports ENA.
    pub ena_support: bool,
    /// `optional` or `required`; EC2's default if none.
    pub metadata_tokens: Option<String>,
    /// What it gets as the recorded one had it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub replayed: ReplayedSettings,
    /// Whether the image stays after it has served.
    #[serde(default)]
    pub image: AfterUse,
}

/// What becomes of the image that an instance was launched from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterUse {
    /// It is deregistered: an image keeps its EBS snapshots from ever being deleted.
    #[default]
    Deregister,
    /// It stays.
    Keep,
}

/// A volume that is made, or that an image gets, from one EBS snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct PlannedVolume {
    /// What it is made from.
    pub ebs_snapshot_id: EbsSnapshotId,
    /// Where the snapshot's volume was attached.
    pub device: Option<String>,
    /// Where it is to be attached.
    pub attach_as: Option<String>,
    /// Whether the instance booted from it.
    pub boot: bool,
    /// Size in GiB.
    pub size_gib: i32,
    /// `gp3`, `io2`, …
    pub volume_type: String,
    /// Provisioned operations a second, where its type has them.
    pub iops: Option<i32>,
    /// Provisioned MiB a second, where its type has them.
    pub throughput_mibps: Option<i32>,
    /// The rate at which EC2 is paid to fetch its blocks; as fast as it comes if none.
    #[serde(default)]
    pub initialization_rate_mibps: Option<i32>,
    /// Whether it goes with its instance, in an image.
    pub delete_on_termination: bool,
    /// The volume, once EC2 has made it.
    pub volume_id: Option<VolumeId>,
    /// How many volumes made for it came to nothing.
    #[serde(default)]
    pub attempt: u32,
    /// When EC2 was first about to be asked to attach it.
    #[serde(default)]
    pub attached_at: Option<Timestamp>,
    /// Whether it may be at several instances at once (Multi-Attach).
    #[serde(default, skip_serializing_if = "is_default")]
    pub multi_attach: bool,
    /// The tags that it gets beside ours.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Tags,
}

impl OldVolume {
    /// A volume at its place, where it still is.
    pub fn at(volume: &AttachedVolume) -> Self {
        let (volume_id, device) = (volume.volume_id.clone(), volume.device.clone());
        let delete_on_termination = volume.delete_on_termination;
        Self { volume_id, device, detached_at: None, delete_on_termination }
    }
}

/// A volume that has to make room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldVolume {
    /// EC2's identifier.
    pub volume_id: VolumeId,
    /// Where it was attached.
    pub device: String,
    /// When EC2 was first about to be asked to take it off.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detached_at: Option<Timestamp>,
    /// Whether it went with its instance, where EC2 said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delete_on_termination: Option<bool>,
}
