//! An instance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// An instance as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `i-…`
    pub id: String,
    /// Where it is.
    pub region: String,
    /// The `r-…` of the launch it came from.
    pub reservation_id: String,
    /// Its place among the instances of one launch.
    pub launch_index: u32,
    /// For example `t3.micro`.
    pub instance_type: String,
    /// The image it was launched from.
    pub image_id: String,
    /// The Availability Zone.
    pub zone: String,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Why it is there, when somebody asked for it.
    pub reason: String,
    /// Why it is there as a code and in words, when it did not come there by itself.
    #[serde(default)]
    pub state_reason: Option<StateReason>,
    /// When it was last started.
    pub launched_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
    /// The device its root volume is attached as.
    pub root_device: String,
    /// What its root volume is.
    pub root: RootDevice,
    /// The volumes attached to it, by device, in the order they were attached.
    pub devices: Vec<Device>,
    /// The client token of its launch.
    pub client_token: String,
    /// The name of its key pair.
    pub key_name: Option<String>,
    /// Its private address.
    pub private_ip: String,
    /// Its public address, while it has one.
    #[serde(default)]
    pub public_ip: Option<String>,
    /// What else it was launched with.
    #[serde(default)]
    pub settings: LaunchSettings,
    /// The root volumes that it had before tasks replaced them, oldest first.
    #[serde(default)]
    pub former_roots: Vec<String>,
}

/// What an instance was launched with, beside its type, image, zone and key pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "EC2's true and false")]
pub struct LaunchSettings {
    /// Its subnet; the default one of its zone when there is none.
    pub subnet_id: Option<String>,
    /// Its security groups, by id; the default one of the network when there are none.
    pub security_groups: Vec<String>,
    /// The ARN of its instance profile.
    pub instance_profile: Option<String>,
    /// `legacy-bios`, `uefi` or `uefi-preferred`, when its image says so.
    pub boot_mode: Option<String>,
    /// Whether it is optimised for EBS.
    pub ebs_optimized: bool,
    /// `required` or `optional` tokens for its metadata; the latter when there is none.
    pub metadata_tokens: Option<String>,
    /// How many hops its metadata's answers go; one when there is none.
    pub metadata_hop_limit: Option<u32>,
    /// Whether its metadata answers by IPv6, `enabled` or `disabled`; the latter when there is none.
    pub metadata_ipv6: Option<String>,
    /// Whether its metadata has its tags, `enabled` or `disabled`; the latter when there is none.
    pub metadata_tags: Option<String>,
    /// Whether it may take traffic that is not for itself.
    pub source_check_off: bool,
    /// Whether its metadata service is `enabled` or `disabled`; the former when there is none.
    pub metadata_endpoint: Option<String>,
    /// `default` or `dedicated`; the former when there is none.
    pub tenancy: Option<String>,
    /// Whether it is monitored by the minute.
    pub monitored: bool,
    /// Whether it may be hibernated.
    pub hibernation: Hibernation,
    /// Whether it may be terminated.
    pub termination: Termination,
    /// Whether it may be stopped.
    pub stopping: Stopping,
    /// Whether it has a public address, and whose.
    pub public_address: PublicAddress,
    /// How it is paid for.
    pub purchase: Purchase,
    /// Its platform details, `Red Hat Enterprise Linux` for example; `Linux/UNIX` when there are none.
    pub platform: Option<String>,
}

/// Why an instance is in its state
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateReason {
    /// For example `Client.UserInitiatedShutdown`.
    pub code: String,
    /// In words.
    pub message: String,
}

impl StateReason {
    /// What somebody asked for by the API.
    pub(crate) fn shutdown() -> Self {
        Self::of("Client.UserInitiatedShutdown", "User initiated shutdown")
    }

    /// Of this code and these words, which EC2 puts behind the code.
    pub fn of(code: &str, words: &str) -> Self {
        Self { code: code.to_owned(), message: format!("{code}: {words}") }
    }
}

/// Whether an instance is protected from `StopInstances`
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stopping {
    /// It is not.
    #[default]
    Allowed,
    /// It is.
    Protected,
}

/// Whether an instance has a public address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicAddress {
    /// It has none.
    #[default]
    None,
    /// One of Amazon's, another after each stop.
    Assigned,
    /// An Elastic IP address, which stays.
    Elastic,
}

/// How an instance is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purchase {
    /// By the second.
    #[default]
    OnDemand,
    /// As spare capacity, by a request that is fulfilled once.
    SpotOnce,
}

/// Whether an instance was launched so that it can be hibernated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hibernation {
    /// It was not.
    #[default]
    Off,
    /// It was.
    Configured,
}

/// Whether an instance is protected from `TerminateInstances`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Termination {
    /// It is not.
    #[default]
    Allowed,
    /// It is.
    Protected,
}

/// A volume at an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// For example `/dev/sdf`.
    pub name: String,
    /// The volume.
    pub volume_id: String,
}

/// Where the root device of an instance is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootDevice {
    /// On an EBS volume.
    #[default]
    Ebs,
    /// On a disk of the host, which EBS snapshots know nothing of.
    InstanceStore,
}

impl RootDevice {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ebs => "ebs",
            Self::InstanceStore => "instance-store",
        }
    }
}

/// The states of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// On its way to running.
    Pending,
    /// Running.
    #[default]
    Running,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone for good, listed for another hour.
    Terminated,
    /// On its way to stopped.
    Stopping,
    /// Stopped.
    Stopped,
}

impl InstanceState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    /// Whether there is no way back.
    pub(crate) fn is_ending(self) -> bool {
        match self {
            Self::ShuttingDown | Self::Terminated => true,
            Self::Pending | Self::Running | Self::Stopping | Self::Stopped => false,
        }
    }
}
