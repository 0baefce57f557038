//! The restore that a person asks for.

use super::mode::AfterUse;
use crate::domain::tags::Tags;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRestore {
    /// What is to become of the snapshot.
    pub mode: WantedMode,
    /// The zone of new volumes; that of the instance if none.
    pub zone: Option<String>,
    /// Which of the snapshot's volumes, and how they differ; all, as they were, if none.
    pub volumes: Option<Vec<VolumeChoice>>,
    /// The rate at which EC2 is paid to fetch the blocks of all of them; as fast as it comes if none.
    pub initialization_rate_mibps: Option<i32>,
    /// What it may cost, and what the person accepts.
    pub accepted: Accepted,
}

/// What a person accepts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The volumes that stay as they are, by their devices or ids.
    pub keep: Vec<String>,
    /// Whether what is on the host's disks may be lost.
    pub instance_store_loss: Loss,
    /// Whether an Auto Scaling group may replace the instance.
    pub group_replacement: Loss,
}

/// Whether a loss is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// It is.
    Accepted,
    /// It is not.
    #[default]
    Refused,
}

/// What is to become of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedMode {
    /// New volumes, attached to an instance or not.
    NewVolumes {
        /// Whether they are to be attached, to the instance that was looked up.
        attach: Attach,
    },
    /// New volumes in the place of the instance's.
    ReplaceVolumes {
        /// Whether the instance may be stopped.
        stop: bool,
    },
    /// A new root volume.
    ReplaceRoot,
    /// A new instance.
    NewInstance(Box<LaunchChoice>),
    /// Volumes that are made and deleted.
    Drill,
}

/// Whether new volumes are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// One of the snapshot's volumes, and how the new one differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeChoice {
    /// Where the snapshot's volume was attached.
    pub device: String,
    /// Where the new one is to be attached, if elsewhere.
    pub attach_as: Option<String>,
    pub volume_type: Option<String>,
    /// A larger size in GiB.
    pub size_gib: Option<i32>,
    /// Provisioned operations a second.
    pub iops: Option<i32>,
    /// Provisioned MiB a second.
    pub throughput_mibps: Option<i32>,
}

/// How a new instance differs from the recorded one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchChoice {
    pub name: Option<String>,
    pub instance_type: Option<String>,
    pub subnet_id: Option<String>,
    pub security_group_ids: Option<Vec<String>>,
    pub key_name: Option<String>,
    pub instance_profile_arn: Option<String>,
    pub tags: Option<Tags>,
    /// The architecture, where it was not recorded.
    pub architecture: Option<String>,
    /// What becomes of the image.
    pub image: AfterUse,
}
