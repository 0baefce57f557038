//! What an AMI is made of: everything that EC2 would otherwise fill in with what suited its first instance types.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::ebs;
use crate::domain::ids::{EbsSnapshotId, VolumeId};
use crate::domain::instance::launch::{LaunchSettings, VolumeSettings};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Snapshot, Status};

/// What EC2 is asked to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// `x86_64`, `arm64`.
    pub architecture: String,
    /// The device that it boots from.
    pub root_device: String,
    /// `uefi`, `legacy-bios`, `uefi-preferred`, where the instance had one.
    pub boot_mode: Option<String>,
    /// Whether it has the driver for enhanced networking with ENA.
    pub ena_support: bool,
    /// `required` where the instance's metadata service asked for tokens.
    pub metadata_tokens: Option<String>,
    /// Its volumes, in the order of their devices.
    pub devices: Vec<Device>,
}

/// A volume that instances of an image begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Where it is attached.
    pub device: String,
    /// What it is made from.
    pub ebs_snapshot_id: EbsSnapshotId,
    /// Its size in GiB.
    pub size_gib: i32,
    /// `gp3`, `io2`, …
    pub volume_type: String,
    /// Provisioned operations a second, where its type has them.
    pub iops: Option<i32>,
    /// Provisioned MiB a second, where its type has them.
    pub throughput_mibps: Option<i32>,
    /// Whether it goes with its instance.
    pub delete_on_termination: bool,
}

/// What a person gives because the snapshot does not record it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub architecture: Option<String>,
    /// EC2's platform details.
    pub platform: Option<String>,
    /// The device that it boots from.
    pub root_device: Option<String>,
    /// Whether it has the driver for ENA.
    pub ena_support: Option<bool>,
    /// The type of volumes whose own is not recorded.
    pub volume_type: Option<String>,
    /// Where volumes are attached.
    pub devices: BTreeMap<VolumeId, String>,
}

/// Why no image can be registered from a snapshot.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unregistrable {
    /// It does not stand where it could.
    #[error("the snapshot is {0}; only an available one can become an image")]
    NotAvailable(Status),
    /// EC2 has not shown all of it.
    #[error("EC2 does not show all EBS snapshots of the snapshot at present")]
    NotShown,
    /// EC2 makes no volume of what is in the archive.
    #[error("a member of the snapshot is in EC2's archive; have it restored from there first")]
    Archived,
    /// Its restore window is over.
    #[error("the restore window of the snapshot was over at {0}")]
    WindowOver(Timestamp),
    /// It is no longer what the image was to be made of.
    #[error("the snapshot no longer has {0}, which the image was to be made of")]
    Changed(EbsSnapshotId),
    /// Its licence would be lost.
    #[error(
        "an image of {0} that is registered from EBS snapshots loses the billing code of its licence, and its \
         instances may not start or be billed wrongly; restore an instance and use EC2's CreateImage on it"
    )]
    Licensed(String),
    /// It is from the time before HVM.
    #[error("the instance was {0}; only hvm images can be registered")]
    NotHvm(String),
    /// What it would boot from was left out.
    #[error("the snapshot has no volume at {0}, which its instance booted from")]
    NoBootVolume(String),
    /// Something needed is not recorded.
    #[error("the snapshot does not record {what}; give it as `{field}`")]
    NotRecorded {
        /// The field to give it in.
        field: String,
        /// What.
        what: String,
    },
    /// What is given is not what is recorded.
    #[error("`{field}` is {given}, but the snapshot records {recorded}")]
    Contradicts {
        /// The field.
        field: &'static str,
        /// What is given.
        given: String,
        /// What is recorded.
        recorded: String,
    },
    /// Two volumes at one place.
    #[error("two volumes would be at {0}; give other `devices`")]
    TwiceAt(String),
    /// A name under which EC2 attaches nothing.
    #[error("`{field}`: {reason}")]
    NoDevice {
        /// The field.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// EC2 boots from no hard disk.
    #[error("no instance boots from a volume of type {0}; the one at the root device is of it")]
    CannotBoot(String),
    /// A device for a volume that the snapshot does not have.
    #[error("`devices` names {0}, of which the snapshot has nothing")]
    UnknownVolume(VolumeId),
}

/// Platforms whose licence hangs on a billing code that only `CreateImage` takes along
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/creating-an-ami-ebs.html>).
const LICENSED: [&str; 6] = ["windows", "red hat", "rhel", "suse", "sql", "ubuntu pro"];

impl Recipe {
    /// What an image of `snapshot` is made of. Nothing is guessed: what is neither recorded nor given is refused by
    /// the name of its field. Whether a volume goes with its instance is the one exception: the root volume does, the
    /// others stay.
    pub fn of(snapshot: &Snapshot, given: &Given, now: Timestamp) -> Result<Self, Unregistrable> {
        registrable(snapshot, now)?;
        let source = &snapshot.source;
        let (recorded, platform) = (source.platform.as_deref(), given.platform.as_deref());
        let platform = agreed("platform", "its platform", recorded, platform)?;
        launchable(Some(platform.as_str()), &source.launch)?;
        let (recorded, architecture) =
            (source.architecture.as_deref(), given.architecture.as_deref());
        let architecture = agreed("architecture", "its architecture", recorded, architecture)?;
        let root_device = root_device(snapshot, given)?;
        let ena_support = source.launch.ena_support.or(given.ena_support);
        let ena_support = ena_support.ok_or_else(|| {
            not_recorded("ena_support", "whether it has the driver for enhanced networking")
        })?;
        Ok(Self {
            devices: devices(snapshot, given, &root_device)?,
            architecture,
            root_device,
            boot_mode: source.launch.boot_mode.clone(),
            ena_support,
            metadata_tokens: source.launch.metadata_tokens.clone(),
        })
    }

    /// Whether `snapshot` can still become what was decided on.
    pub fn still_fits(&self, snapshot: &Snapshot, now: Timestamp) -> Result<(), Unregistrable> {
        registrable(snapshot, now)?;
        let is_there = |id: &EbsSnapshotId| {
            snapshot.living_members().any(|member| member.ebs_snapshot_id == *id)
        };
        let lost = self.devices.iter().find(|device| !is_there(&device.ebs_snapshot_id));
        lost.map_or(Ok(()), |lost| Err(Unregistrable::Changed(lost.ebs_snapshot_id.clone())))
    }
}

/// Whether instances can be launched from an image that is registered from EBS snapshots. A platform that is not
/// known passes.
pub fn launchable(platform: Option<&str>, launch: &LaunchSettings) -> Result<(), Unregistrable> {
    let is_licensed =
        |platform: &&str| LICENSED.iter().any(|word| platform.to_lowercase().contains(word));
    if let Some(platform) = platform.filter(is_licensed) {
        return Err(Unregistrable::Licensed(platform.to_owned()));
    }
    match launch.virtualization_type.as_ref().filter(|kind| *kind != "hvm") {
        Some(other) => Err(Unregistrable::NotHvm(other.clone())),
        None => Ok(()),
    }
}

fn registrable(snapshot: &Snapshot, now: Timestamp) -> Result<(), Unregistrable> {
    if snapshot.status != Status::Available {
        return Err(Unregistrable::NotAvailable(snapshot.status));
    }
    if let Some(end) = snapshot.ending.restore_until.filter(|end| *end <= now) {
        return Err(Unregistrable::WindowOver(end));
    }
    if snapshot.course.absent_since.is_some() {
        return Err(Unregistrable::NotShown);
    }
    if snapshot.is_archived() {
        return Err(Unregistrable::Archived);
    }
    Ok(())
}

/// What is recorded, or else given. To give something else than what is recorded is a mistake.
fn agreed(
    field: &'static str,
    what: &str,
    recorded: Option<&str>,
    given: Option<&str>,
) -> Result<String, Unregistrable> {
    match (recorded, given) {
        (Some(recorded), Some(given)) if recorded != given => Err(Unregistrable::Contradicts {
            field,
            given: given.to_owned(),
            recorded: recorded.to_owned(),
        }),
        (Some(text), _) | (None, Some(text)) => Ok(text.to_owned()),
        (None, None) => Err(not_recorded(field, what)),
    }
}

fn not_recorded(field: &str, what: &str) -> Unregistrable {
    Unregistrable::NotRecorded { field: field.to_owned(), what: what.to_owned() }
}

/// The device that the instance booted from: as recorded, or where the volume is that it booted from.
fn root_device(snapshot: &Snapshot, given: &Given) -> Result<String, Unregistrable> {
    if let Some(reason) = given.root_device.as_deref().and_then(ebs::device_refusal) {
        return Err(Unregistrable::NoDevice { field: "root_device", reason });
    }
    let boot = snapshot.members.iter().find(|member| member.boot);
    let at_boot = boot.and_then(|member| member.device.as_deref());
    let recorded = snapshot.source.launch.root_device.as_deref().or(at_boot);
    agreed("root_device", "the device it booted from", recorded, given.root_device.as_deref())
}

fn devices(
    snapshot: &Snapshot,
    given: &Given,
    root_device: &str,
) -> Result<Vec<Device>, Unregistrable> {
    let is_member = |id: &&VolumeId| snapshot.members.iter().any(|one| one.volume_id == **id);
    if let Some(unknown) = given.devices.keys().find(|id| !is_member(id)) {
        return Err(Unregistrable::UnknownVolume(unknown.clone()));
    }
    let mut devices = BTreeMap::new();
    for member in snapshot.living_members() {
        let device = device(member, given, root_device)?;
        if let Some(other) = devices.insert(device.device.clone(), device) {
            return Err(Unregistrable::TwiceAt(other.device));
        }
    }
    let Some(root) = devices.get(root_device) else {
        return Err(Unregistrable::NoBootVolume(root_device.to_owned()));
    };
    if !ebs::boots(&root.volume_type) {
        return Err(Unregistrable::CannotBoot(root.volume_type.clone()));
    }
    Ok(devices.into_values().collect())
}

fn device(member: &Member, given: &Given, root_device: &str) -> Result<Device, Unregistrable> {
    let id = &member.volume_id;
    let what = format!("where {id} was attached");
    let wanted = given.devices.get(id).map(String::as_str);
    if let Some(reason) = wanted.and_then(ebs::device_refusal) {
        return Err(Unregistrable::NoDevice { field: "devices", reason });
    }
    let place = agreed("devices", &what, member.device.as_deref(), wanted)?;
    let settings = match (&member.volume, &given.volume_type) {
        (Some(settings), _) if !settings.volume_type.is_empty() => settings.clone(),
        (_, Some(volume_type)) => {
            VolumeSettings { volume_type: volume_type.clone(), ..VolumeSettings::default() }
        }
        (_, None) => return Err(not_recorded("volume_type", &format!("the type of {id}"))),
    };
    let VolumeSettings {
        volume_type,
        iops,
        throughput_mibps,
        kms_key_id: _kms_key_id,
        delete_on_termination,
        // EC2 gives it to no volume of a launch.
        multi_attach: _multi_attach,
        tags: _tags,
    } = settings;
    // EC2 tells of every volume how many operations it has, and takes it back only of these.
    let has_iops = matches!(volume_type.as_str(), "gp3" | "io1" | "io2");
    let has_throughput = volume_type == "gp3";
    Ok(Device {
        ebs_snapshot_id: member.ebs_snapshot_id.clone(),
        size_gib: member.size_gib,
        iops: iops.filter(|_| has_iops),
        throughput_mibps: throughput_mibps.filter(|_| has_throughput),
        delete_on_termination: delete_on_termination.unwrap_or(place == root_device),
        device: place,
        volume_type,
    })
}
