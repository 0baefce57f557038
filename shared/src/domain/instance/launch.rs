//! The settings of an instance and its volumes that are recorded so that they can be made again.

use serde::{Deserialize, Serialize};

use crate::domain::later::is_default;
use crate::domain::tags::Tags;

/// How an instance was launched, beside its type, zone and tags. What EC2 did not tell is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaunchSettings {
    /// The subnet of its primary network interface.
    pub subnet_id: Option<String>,
    /// The security groups of its primary network interface.
    pub security_group_ids: Vec<String>,
    /// The name of its key pair.
    pub key_name: Option<String>,
    /// The ARN of its instance profile.
    pub instance_profile_arn: Option<String>,
    /// The device of its root volume.
    pub root_device: Option<String>,
    /// `hvm` or `paravirtual`.
    pub virtualization_type: Option<String>,
    /// The boot mode that its image asks for: `uefi`, `legacy-bios`, `uefi-preferred`.
    pub boot_mode: Option<String>,
    /// Whether enhanced networking with ENA is on.
    pub ena_support: Option<bool>,
    /// `optional` or `required`: whether its metadata service asks for tokens.
    pub metadata_tokens: Option<String>,
    /// What else of it is made again.
    #[serde(skip_serializing_if = "is_default")]
    pub replayed: ReplayedSettings,
}

/// Settings of an instance that a new one gets again without anybody asking for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplayedSettings {
    /// How many hops answers of its metadata service go: containers need two.
    pub metadata_hop_limit: Option<i32>,
    /// `enabled` or `disabled`: whether its metadata service answers at all.
    pub metadata_endpoint: Option<String>,
    /// `enabled` where its metadata service answers by IPv6 too. Others are not recorded.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata_ipv6: Option<String>,
    /// `enabled` where its metadata service tells of its tags. Others are not recorded.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata_tags: Option<String>,
    /// Whether it takes and sends traffic that is not its own, as a router or a NAT instance does: its source/destination check
    /// is off.
    #[serde(skip_serializing_if = "is_default")]
    pub source_check_off: bool,
    /// Whether it is alone on its hardware: `dedicated`. Others are not recorded.
    pub tenancy: Option<String>,
    /// Whether it is monitored by the minute.
    pub detailed_monitoring: Option<bool>,
}

/// How a volume was made, beside its size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeSettings {
    /// `gp3`, `io2`, …
    pub volume_type: String,
    /// Provisioned operations a second, where its type has them.
    pub iops: Option<i32>,
    /// Provisioned MiB a second, where its type has them.
    pub throughput_mibps: Option<i32>,
    /// The key that it is encrypted with; none if it is not.
    pub kms_key_id: Option<String>,
    /// Whether it goes with its instance.
    pub delete_on_termination: Option<bool>,
    /// Whether it may be at several instances at once (Multi-Attach).
    #[serde(skip_serializing_if = "is_default")]
    pub multi_attach: bool,
    /// Its tags.
    #[serde(skip_serializing_if = "is_default")]
    pub tags: Tags,
}
