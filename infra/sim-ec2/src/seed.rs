//! Instances put there without a call.

use jiff::SignedDuration;

use crate::{
    actions::{ActionContext, create_volume::VolumeSpec, regions, run_instances::private_ip},
    ids::IdKind,
    shelf::Moment,
    state::{
        Tags,
        instance::{Device, Instance, InstanceState, LaunchSettings, PublicAddress, RootDevice},
        volume::{Attachment, AttachmentState, VolumeState},
    },
};

/// An instance to be put there. [`InstanceSpec::default`] is a running `t3.micro` with a root
/// volume of 8 GiB in the first zone of the default Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceSpec {
    /// The Region; the configured one when there is none.
    pub region: Option<String>,
    /// For example `m5.large`. It need not be one that `DescribeInstanceTypes` knows.
    pub instance_type: String,
    /// Its state, which it stays in.
    pub state: InstanceState,
    /// The `Name` tag.
    pub name: Option<String>,
    /// Other tags.
    pub tags: Tags,
    /// The zone; the first of the Region when there is none.
    pub zone: Option<String>,
    /// What its root device is. With an instance store the volumes are data volumes only.
    pub root: RootDevice,
    /// Its volumes; with an EBS root the first is the root volume.
    pub volumes: Vec<SeedVolume>,
    /// The name of its key pair.
    pub key_name: Option<String>,
    /// What else it was launched with.
    pub settings: LaunchSettings,
}

impl Default for InstanceSpec {
    fn default() -> Self {
        Self {
            region: None,
            instance_type: "t3.micro".to_owned(),
            state: InstanceState::Running,
            name: None,
            tags: Tags::new(),
            zone: None,
            root: RootDevice::Ebs,
            volumes: vec![SeedVolume::new("/dev/xvda", 8)],
            key_name: None,
            settings: LaunchSettings::default(),
        }
    }
}

impl InstanceSpec {
    /// A running `t3.micro` of this name.
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    /// With this type.
    #[must_use]
    pub fn instance_type(self, instance_type: &str) -> Self {
        Self { instance_type: instance_type.to_owned(), ..self }
    }

    /// In this state.
    #[must_use]
    pub fn state(self, state: InstanceState) -> Self {
        Self { state, ..self }
    }

    /// With this key pair.
    #[must_use]
    pub fn key_name(self, key_name: &str) -> Self {
        Self { key_name: Some(key_name.to_owned()), ..self }
    }

    /// With these settings.
    #[must_use]
    pub fn settings(self, settings: LaunchSettings) -> Self {
        Self { settings, ..self }
    }

    /// With one more tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With one more volume.
    #[must_use]
    pub fn volume(mut self, volume: SeedVolume) -> Self {
        self.volumes.push(volume);
        self
    }
}

/// A volume of an [`InstanceSpec`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "EC2's true and false")]
pub struct SeedVolume {
    /// For example `/dev/sdf`.
    pub device: String,
    /// Its size.
    pub size_gib: u32,
    /// For example `gp3`.
    pub volume_type: String,
    /// Its tags.
    pub tags: Tags,
    /// Whether it is encrypted, with EBS's own key.
    pub encrypted: bool,
    /// Whether it may be at several instances at once.
    pub multi_attach: bool,
}

impl SeedVolume {
    /// A `gp3` volume without tags.
    pub fn new(device: &str, size_gib: u32) -> Self {
        Self {
            device: device.to_owned(),
            size_gib,
            volume_type: "gp3".to_owned(),
            tags: Tags::new(),
            encrypted: false,
            multi_attach: false,
        }
    }

    /// An `io2` volume that may be at several instances at once.
    #[must_use]
    pub fn multi_attach(self) -> Self {
        Self { volume_type: "io2".to_owned(), multi_attach: true, ..self }
    }

    /// Encrypted with EBS's own key.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { encrypted: true, ..self }
    }

    /// Of this type.
    #[must_use]
    pub fn volume_type(self, volume_type: &str) -> Self {
        Self { volume_type: volume_type.to_owned(), ..self }
    }

    /// With one more tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// Puts it there, visible at once.
pub(crate) fn add(context: &mut ActionContext<'_>, spec: InstanceSpec) -> String {
    let InstanceSpec {
        instance_type,
        state,
        name,
        mut tags,
        zone,
        root,
        volumes,
        key_name,
        settings,
        ..
    } = spec;
    if let Some(name) = name {
        tags.insert("Name".to_owned(), name);
    }
    let moment = Moment { now: context.moment.now, lag: SignedDuration::ZERO };
    let id = context.new_id(IdKind::Instance);
    let zone = zone.or_else(|| regions::zones(context.name).into_iter().next()).unwrap_or_default();
    let root_device = match (root, volumes.first()) {
        (RootDevice::Ebs, Some(volume)) => volume.device.clone(),
        (RootDevice::Ebs, None) => "/dev/xvda".to_owned(),
        (RootDevice::InstanceStore, _) => "/dev/sda1".to_owned(),
    };
    // What is terminated has given its volumes back.
    let attached = volumes.into_iter().filter(|_| state != InstanceState::Terminated);
    let devices = attached
        .enumerate()
        .map(|(index, seed)| {
            let place = Attachment {
                instance_id: id.clone(),
                device: seed.device.clone(),
                state: AttachmentState::Attached,
                attached_at: moment.now,
                delete_on_termination: index == 0,
            };
            attach(context, seed, &zone, place)
        })
        .collect();
    context.region.network.keys.extend(key_name.clone());
    let reservation_id = context.mint.id(context.config.seed, "r-");
    let public_ip = match settings.public_address {
        PublicAddress::None => None,
        PublicAddress::Assigned | PublicAddress::Elastic => Some(context.new_public_ip()),
    };
    let instance = Instance {
        id: id.clone(),
        region: context.name.to_owned(),
        reservation_id,
        launch_index: 0,
        instance_type,
        image_id: "ami-0abcdef1234567890".to_owned(),
        zone,
        state,
        reason: String::new(),
        launched_at: moment.now,
        tags,
        root_device,
        root,
        devices,
        client_token: String::new(),
        key_name,
        private_ip: private_ip(context.config.seed, &id),
        state_reason: None,
        public_ip,
        settings,
        former_roots: Vec::new(),
    };
    context.region.instances.insert(&id, instance, moment);
    id
}

/// Puts an attached volume there, visible at once.
fn attach(
    context: &mut ActionContext<'_>,
    seed: SeedVolume,
    zone: &str,
    place: Attachment,
) -> Device {
    let SeedVolume { device, size_gib, volume_type, tags, encrypted, multi_attach } = seed;
    let spec = VolumeSpec {
        size_gib,
        volume_type,
        iops: None,
        throughput: None,
        encrypted,
        kms_key: None,
        snapshot_id: None,
        initialization_rate: None,
        multi_attach,
        tags,
    };
    let moment = Moment { now: context.moment.now, lag: SignedDuration::ZERO };
    let mut volume = spec.build(context, zone);
    volume.state = VolumeState::InUse;
    volume.attachment = Some(place);
    let made = Device { name: device, volume_id: volume.id.clone() };
    context.region.volumes.insert(&made.volume_id, volume, moment);
    made
}
