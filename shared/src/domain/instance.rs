//! EC2 instances as we see them, and whether a snapshot of one can be taken.

mod caveats;
pub mod circumstances;
pub mod coverage;
pub mod gone;
pub mod launch;
pub mod pending;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ImageId, InstanceId, VolumeId};
use crate::domain::instance::circumstances::Circumstances;
use crate::domain::instance::launch::{LaunchSettings, VolumeSettings};
use crate::domain::later::is_default;
use crate::domain::tags::Tags;
use crate::domain::tags::pattern::TagPattern;

/// How many data volumes one `CreateSnapshots` leaves out; the boot volume has a flag of its own
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceSpecification.html>).
pub const EXCLUDED_VOLUMES_MAX: usize = 40;

/// An EC2 instance with what matters for its snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// EC2's identifier.
    pub id: InstanceId,
    /// Its `Name` tag.
    pub name: Option<String>,
    pub state: InstanceState,
    /// Its type, `m7g.large`.
    pub instance_type: String,
    pub region: String,
    pub zone: String,
    /// `x86_64`, `arm64`.
    pub architecture: Option<String>,
    /// EC2's platform details: `Linux/UNIX`, `Windows`.
    pub platform: Option<String>,
    /// The image it was launched from.
    pub image_id: Option<ImageId>,
    /// The device of its root volume, `/dev/xvda`.
    pub root_device: Option<String>,
    /// Its EBS volumes, in the order of their devices.
    pub volumes: Vec<AttachedVolume>,
    pub tags: Tags,
    /// When it was last started.
    pub launched_at: Option<Timestamp>,
    /// How it was launched.
    pub launch: LaunchSettings,
    /// What its root volume is.
    pub root: RootKind,
    /// Whether it was launched so that it can be hibernated.
    pub can_hibernate: bool,
    /// What a stop or a start of it depends on.
    pub circumstances: Circumstances,
}

/// What the root volume of an instance is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootKind {
    /// An EBS volume.
    #[default]
    Ebs,
    /// A disk of the host.
    InstanceStore,
}

/// An EBS volume at a device of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedVolume {
    /// EC2's identifier.
    pub volume_id: VolumeId,
    /// The device name, `/dev/xvda`.
    pub device: String,
    /// Whether it is the one the instance boots from.
    pub boot: bool,
    /// Whether it goes with the instance, where EC2 says.
    #[serde(default)]
    pub delete_on_termination: Option<bool>,
    /// Since when, where EC2 says; stopping the instance does not change it.
    #[serde(default)]
    pub attached_at: Option<Timestamp>,
}

impl AttachedVolume {
    /// Whether it is this volume at this device.
    pub fn is(&self, device: &str, id: &VolumeId) -> bool {
        self.device == device && self.volume_id == *id
    }
}

/// The state of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being launched or started.
    Pending,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// Being terminated.
    ShuttingDown,
    /// Terminated.
    Terminated,
    /// A state that EC2 did not have when this was written.
    Unknown,
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Unknown => "unknown",
        })
    }
}

impl InstanceState {
    /// All that EC2 has.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::ShuttingDown,
        Self::Terminated,
    ];
}

impl FromStr for InstanceState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.to_string() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(ToString::to_string).collect();
            format!("must be one of {}", words.join(", "))
        })
    }
}

/// Why no snapshot of an instance can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// Its state does not allow it.
    State(InstanceState),
    /// It has no EBS volume.
    NoVolumes,
    /// All its disks are instance store, which cannot be snapshotted.
    InstanceStore,
    /// As many snapshots of a volume are being written as EC2 writes at a time.
    Pending {
        /// The volume.
        volume_id: VolumeId,
        /// How many are being written.
        count: usize,
    },
    /// The request excludes every volume it has.
    AllExcluded,
    /// The request excludes so many of its data volumes, and EC2 takes no more than 40.
    TooManyExcluded(usize),
}

impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => {
                write!(f, "the instance is {state}; it must be running, stopping or stopped")
            }
            Self::NoVolumes => f.write_str("the instance has no EBS volumes attached to it"),
            Self::InstanceStore => f.write_str(
                "the instance has no EBS volumes; instance store volumes cannot be snapshotted",
            ),
            Self::Pending { volume_id, count: 1 } => write!(
                f,
                "a snapshot of {volume_id} is pending, and EC2 writes one of this type of volume at a \
                 time; wait until it is available, or leave the volume out"
            ),
            Self::Pending { volume_id, count } => write!(
                f,
                "{count} snapshots of {volume_id} are pending, and EC2 writes no more at a time; wait \
                 until one is available, or leave the volume out"
            ),
            Self::AllExcluded => {
                f.write_str("every volume of the instance is excluded; leave at least one in")
            }
            Self::TooManyExcluded(count) => write!(
                f,
                "{count} data volumes of the instance are excluded; EC2 leaves out at most \
                 {EXCLUDED_VOLUMES_MAX}"
            ),
        }
    }
}

impl Instance {
    /// Whether a snapshot of it can be taken now, or why not.
    pub fn eligibility(&self) -> Result<(), Ineligible> {
        match self.state {
            InstanceState::Running | InstanceState::Stopping | InstanceState::Stopped => {}
            state @ (InstanceState::Pending
            | InstanceState::ShuttingDown
            | InstanceState::Terminated
            | InstanceState::Unknown) => return Err(Ineligible::State(state)),
        }
        match (self.volumes.is_empty(), self.root) {
            (false, _) => Ok(()),
            (true, RootKind::Ebs) => Err(Ineligible::NoVolumes),
            (true, RootKind::InstanceStore) => Err(Ineligible::InstanceStore),
        }
    }

    /// Since when it has been there at least, as far as its volumes tell.
    pub fn there_since(&self) -> Option<Timestamp> {
        self.volumes.iter().filter_map(|volume| volume.attached_at).min()
    }

    /// Whether it is terminated, or about to be.
    pub fn is_gone(&self) -> bool {
        match self.state {
            InstanceState::ShuttingDown | InstanceState::Terminated => true,
            InstanceState::Pending
            | InstanceState::Running
            | InstanceState::Stopping
            | InstanceState::Stopped
            | InstanceState::Unknown => false,
        }
    }

    /// The volumes that `exclusions` leave, or why a snapshot cannot be taken.
    pub fn chosen_volumes(
        &self,
        exclusions: &Exclusions,
    ) -> Result<Vec<&AttachedVolume>, Ineligible> {
        self.eligibility()?;
        let chosen: Vec<_> =
            self.volumes.iter().filter(|volume| !exclusions.excludes(volume)).collect();
        if chosen.is_empty() {
            return Err(Ineligible::AllExcluded);
        }
        let is_named = |volume: &&AttachedVolume| {
            !volume.boot && exclusions.volumes.contains(&volume.volume_id)
        };
        match self.volumes.iter().filter(is_named).count() {
            named if named > EXCLUDED_VOLUMES_MAX => Err(Ineligible::TooManyExcluded(named)),
            _ => Ok(chosen),
        }
    }
}

/// Which volumes of an instance are left out of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusions {
    /// Leave out the volume the instance boots from.
    #[serde(default)]
    pub boot_volume: bool,
    #[serde(default)]
    pub volumes: Vec<VolumeId>,
    /// Leave out those that bear one of these tags.
    #[serde(default)]
    pub tagged: Vec<TagPattern>,
}

impl Exclusions {
    /// The same with the volumes of `instance` that bear one of the tags among those left out by name, as
    /// `known` tells their tags. One that is not known is not left out: rather too much is taken than too little.
    #[must_use]
    pub fn resolved(&self, instance: &Instance, known: &BTreeMap<VolumeId, VolumeDetails>) -> Self {
        let is_tagged = |id: &VolumeId| {
            known.get(id).is_some_and(|one| self.tagged.iter().any(|tag| tag.matches(&one.tags)))
        };
        let tagged = instance.volumes.iter().map(|volume| &volume.volume_id);
        let tagged = tagged.filter(|id| is_tagged(id) && !self.volumes.contains(id)).cloned();
        let volumes = self.volumes.iter().cloned().chain(tagged).collect();
        Self { volumes, ..self.clone() }
    }

    fn excludes(&self, volume: &AttachedVolume) -> bool {
        (self.boot_volume && volume.boot) || self.volumes.contains(&volume.volume_id)
    }
}

/// What an instance type offers, as `DescribeInstanceTypes` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceType {
    /// Its name, `g5.xlarge`.
    pub name: String,
    /// Virtual CPUs.
    pub vcpus: i32,
    /// Memory in MiB.
    pub memory_mib: i64,
    /// Its graphics processors, by kind.
    pub gpus: Vec<Gpu>,
    /// How large the disks of its host are that it has for itself: what is on them is lost when it stops. None if it has
    /// none, or if that was not recorded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub instance_store_gb: Option<i64>,
}

/// Graphics processors of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// `NVIDIA A10G`.
    pub name: String,
    pub count: i32,
    /// The memory of each in MiB, where EC2 says.
    pub memory_mib: Option<i32>,
}

/// What EC2 knows of a volume beside where it is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "EC2's true and false")]
pub struct VolumeDetails {
    /// EC2's identifier.
    pub id: VolumeId,
    /// Size in GiB.
    pub size_gib: i32,
    /// `gp3`, `io2`, …
    pub volume_type: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The key that it is encrypted with.
    pub kms_key_id: Option<String>,
    /// Provisioned operations a second, where its type has them.
    pub iops: Option<i32>,
    /// Provisioned MiB a second, where its type has them.
    pub throughput_mibps: Option<i32>,
    /// Whether it may be at several instances at once.
    pub multi_attach: bool,
    pub tags: Tags,
}

impl VolumeDetails {
    /// How it was made, and how it is attached.
    pub fn settings(&self, attached: Option<&AttachedVolume>) -> VolumeSettings {
        VolumeSettings {
            volume_type: self.volume_type.clone(),
            iops: self.iops,
            throughput_mibps: self.throughput_mibps,
            kms_key_id: self.kms_key_id.clone().filter(|_| self.encrypted),
            delete_on_termination: attached.and_then(|one| one.delete_on_termination),
            multi_attach: self.multi_attach,
            tags: self.tags.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(state: InstanceState, volumes: usize) -> Instance {
        Instance {
            id: "i-0123456789abcdef0".parse().unwrap(),
            name: None,
            state,
            instance_type: "t3.micro".to_owned(),
            region: "us-east-1".to_owned(),
            zone: "us-east-1a".to_owned(),
            architecture: None,
            platform: None,
            image_id: None,
            root_device: None,
            volumes: (0..volumes)
                .map(|n| AttachedVolume {
                    volume_id: format!("vol-{n:08x}").parse().unwrap(),
                    device: format!("/dev/sd{n}"),
                    boot: n == 0,
                    delete_on_termination: None,
                    attached_at: None,
                })
                .collect(),
            tags: Tags::new(),
            launched_at: None,
            launch: LaunchSettings::default(),
            root: RootKind::Ebs,
            can_hibernate: false,
            circumstances: Circumstances::default(),
        }
    }

    #[test]
    fn running_and_stopped_instances_with_volumes_are_eligible() {
        for state in [InstanceState::Running, InstanceState::Stopping, InstanceState::Stopped] {
            assert_eq!(instance(state, 1).eligibility(), Ok(()));
        }
    }

    #[test]
    fn the_reason_is_in_words() {
        let terminated = instance(InstanceState::Terminated, 1).eligibility().unwrap_err();
        let diskless = instance(InstanceState::Running, 0).eligibility().unwrap_err();

        assert!(terminated.to_string().contains("terminated"));
        assert!(diskless.to_string().contains("no EBS volumes"));
    }

    #[test]
    fn instance_store_is_told_from_no_volumes_at_all() {
        let store =
            Instance { root: RootKind::InstanceStore, ..instance(InstanceState::Running, 0) };
        let data =
            Instance { root: RootKind::InstanceStore, ..instance(InstanceState::Running, 1) };

        assert!(store.eligibility().unwrap_err().to_string().contains("instance store"));
        assert_eq!(data.eligibility(), Ok(()));
        assert!(data.caveats().concat().contains("its root volume is instance store"));
    }

    #[test]
    fn hibernation_is_a_caveat_and_no_refusal() {
        let plain = instance(InstanceState::Running, 1);
        let running = Instance { can_hibernate: true, ..plain.clone() };
        let stopped = Instance { state: InstanceState::Stopped, ..running.clone() };

        assert!(plain.caveats().is_empty());
        assert_eq!((running.eligibility(), stopped.eligibility()), (Ok(()), Ok(())));
        assert!(running.caveats().concat().contains("hibernation is enabled"));
        assert!(stopped.caveats().concat().contains("holds its memory"));
    }

    #[test]
    fn excluded_volumes_are_left_out() {
        let exclusions = Exclusions {
            boot_volume: true,
            volumes: vec!["vol-00000002".parse().unwrap()],
            ..Exclusions::default()
        };
        let instance = instance(InstanceState::Running, 4);

        let chosen = instance.chosen_volumes(&exclusions).unwrap();

        let chosen: Vec<_> = chosen.iter().map(|volume| volume.volume_id.as_str()).collect();
        assert_eq!(chosen, ["vol-00000001", "vol-00000003"]);
    }

    #[test]
    fn volumes_that_bear_one_of_the_tags_are_left_out_by_name() {
        let instance = instance(InstanceState::Running, 4);
        let details = |n: usize, tags: &[(&str, &str)]| VolumeDetails {
            id: instance.volumes[n].volume_id.clone(),
            size_gib: 8,
            volume_type: "gp3".to_owned(),
            encrypted: false,
            kms_key_id: None,
            iops: None,
            throughput_mibps: None,
            multi_attach: false,
            tags: tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        };
        let known = [
            details(0, &[("use", "system")]),
            details(1, &[("use", "scratch-1")]),
            details(2, &[("backup", "no")]),
        ];
        let known = known.into_iter().map(|volume| (volume.id.clone(), volume)).collect();
        let exclusions = Exclusions {
            volumes: vec!["vol-00000002".parse().unwrap()],
            tagged: serde_json::from_str(
                r#"[{"key": "use", "value": "scratch*"}, {"key": "backup", "value": "no"}]"#,
            )
            .unwrap(),
            ..Exclusions::default()
        };

        let resolved = exclusions.resolved(&instance, &known);

        let volumes: Vec<_> = resolved.volumes.iter().map(VolumeId::as_str).collect();
        assert_eq!(volumes, ["vol-00000002", "vol-00000001"]);
        assert_eq!(resolved.resolved(&instance, &known), resolved);
        assert_eq!(instance.chosen_volumes(&resolved).unwrap().len(), 2);
    }

    #[test]
    fn more_than_40_data_volumes_cannot_be_left_out() {
        let instance = instance(InstanceState::Running, 43);
        let without = |count: usize| {
            let volumes = instance.volumes.iter().take(count).map(|one| one.volume_id.clone());
            let exclusions = Exclusions { volumes: volumes.collect(), ..Exclusions::default() };
            instance.chosen_volumes(&exclusions).map(|chosen| chosen.len())
        };

        // The first is the boot volume.
        assert_eq!(without(41), Ok(2));
        assert_eq!(without(42), Err(Ineligible::TooManyExcluded(41)));
    }

    #[test]
    fn excluding_everything_is_refused() {
        let exclusions = Exclusions { boot_volume: true, ..Exclusions::default() };

        let refusal = instance(InstanceState::Running, 1).chosen_volumes(&exclusions).unwrap_err();

        assert_eq!(refusal, Ineligible::AllExcluded);
    }
}
