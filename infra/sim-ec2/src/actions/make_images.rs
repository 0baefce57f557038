//! `RegisterImage` and `CreateImage`, and the public images that are there from the beginning.

use super::{
    ActionContext, Reply,
    create_snapshots::{self, Spec},
    create_volume, describe_snapshots, devices, instances, tags,
};
use crate::{
    errors::Ec2Error,
    ids::{self, IdKind},
    request::Params,
    state::{
        Region, Tags,
        agenda::Task,
        image::{Image, ImageDevice, ImageState, ImageSupport, OnTermination},
        snapshot::Fate,
        volume::Volume,
    },
    xml::Xml,
};

/// Whom Amazon's public images belong to.
const AMAZON: &str = "137112412989";

/// The public images: id, name, architecture, boot mode.
const PUBLIC: [(&str, &str, &str, &str); 2] = [
    ("ami-0abcdef1234567890", "al2023-ami-2023.9-kernel-6.12-x86_64", "x86_64", "uefi-preferred"),
    ("ami-0fedcba9876543210", "al2023-ami-2023.9-kernel-6.12-arm64", "arm64", "uefi"),
];

/// `RegisterImage`
pub(crate) fn register(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let name = new_name(context, params)?;
    let root_device = params.get("RootDeviceName").unwrap_or("/dev/sda1").to_owned();
    let architecture =
        one_of(params, "Architecture", &["x86_64", "arm64", "i386"])?.unwrap_or("i386").to_owned();
    let support = support(params)?;
    let mut devices: Vec<ImageDevice> = Vec::new();
    for mapping in params.structures("BlockDeviceMapping") {
        let device = device(context, mapping)?;
        if devices.iter().any(|each| each.name == device.name) {
            return Err(Ec2Error::new(
                "InvalidBlockDeviceMapping",
                format!("The device '{}' is used in more than one mapping", device.name),
            ));
        }
        devices.push(device);
    }
    let Some(root) = devices.iter().find(|device| device.name == root_device) else {
        return Err(Ec2Error::new(
            "InvalidBlockDeviceMapping",
            format!("The root device {root_device} must be mapped to a snapshot"),
        ));
    };
    create_volume::check_boots(&root.volume_type)?;
    let id = context.new_id(IdKind::Image);
    let image = Image {
        id: id.clone(),
        region: context.name.to_owned(),
        owner: context.account.to_owned(),
        name,
        description: create_snapshots::description(params)?,
        architecture,
        root_device,
        devices,
        state: ImageState::Available,
        created_at: context.moment.now,
        source_instance_id: None,
        tags: tags::specified(params, IdKind::Image, &[IdKind::Image])?,
        support,
    };
    context.region.images.insert(&id, image, context.moment);
    Ok(named(&id))
}

/// `CreateImage`: snapshots of all volumes, and an image that waits for them.
pub(crate) fn create(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let instance_id = params.required("InstanceId")?;
    let name = new_name(context, params)?;
    let image_description = create_snapshots::description(params)?;
    let allowed = [IdKind::Image, IdKind::Snapshot];
    let image_tags = tags::specified(params, IdKind::Image, &allowed)?;
    let snapshot_tags = tags::specified(params, IdKind::Snapshot, &allowed)?;
    let instance = instances::find(context, instance_id)?.clone();
    if instance.state.is_ending() {
        return Err(Ec2Error::new(
            "IncorrectInstanceState",
            format!("The instance '{instance_id}' is not in a state from which it can be imaged."),
        ));
    }
    let volumes: Vec<(String, Volume)> = instance
        .devices
        .iter()
        .filter_map(|device| {
            Some((device.name.clone(), context.region.volumes.get(&device.volume_id)?.clone()))
        })
        .collect();
    for (_, volume) in &volumes {
        create_snapshots::check_limits(context, volume)?;
    }
    let id = context.new_id(IdKind::Image);
    let description = format!("Created by CreateImage({instance_id}) for {id}");
    let mut devices = Vec::new();
    let mut ready_at = context.moment.now;
    for (index, (device, volume)) in volumes.into_iter().enumerate() {
        let fate = if index == 0 { context.fate } else { Fate::Complete };
        let (description, tags) = (description.clone(), snapshot_tags.clone());
        let spec = Spec { description, tags, set: None, fate };
        let snapshot = create_snapshots::begin(context, &volume, spec);
        ready_at = ready_at.max(snapshot.completes_at);
        devices.push(image_device(device, snapshot.id, &volume));
    }
    let architecture = instances::architecture(&instance);
    let boot_mode = instance.settings.boot_mode.clone();
    let image = Image {
        id: id.clone(),
        region: context.name.to_owned(),
        owner: context.account.to_owned(),
        name,
        description: image_description,
        architecture: architecture.to_owned(),
        root_device: instance.root_device.clone(),
        devices,
        state: ImageState::Pending,
        created_at: context.moment.now,
        source_instance_id: Some(instance_id.to_owned()),
        tags: image_tags,
        support: ImageSupport { boot_mode, ..ImageSupport::default() },
    };
    context.region.images.insert(&id, image, context.moment);
    context.region.agenda.plan(ready_at, Task::Image(id.clone()));
    Ok(named(&id))
}

/// Puts Amazon's public images into a new Region.
pub(crate) fn add_public(region: &mut Region, name: &str, moment: crate::shelf::Moment) {
    for (id, image_name, architecture, boot_mode) in PUBLIC {
        let digits: String = ids::hex(0, &["public", id]).chars().take(16).collect();
        let image = Image {
            id: id.to_owned(),
            region: name.to_owned(),
            owner: AMAZON.to_owned(),
            name: image_name.to_owned(),
            description: "Amazon Linux 2023".to_owned(),
            architecture: architecture.to_owned(),
            root_device: "/dev/xvda".to_owned(),
            devices: vec![ImageDevice {
                name: "/dev/xvda".to_owned(),
                snapshot_id: format!("snap-0{digits}"),
                size_gib: 8,
                volume_type: "gp3".to_owned(),
                encrypted: false,
                on_termination: OnTermination::Delete,
                iops: None,
                throughput: None,
            }],
            state: ImageState::Available,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            source_instance_id: None,
            tags: Tags::new(),
            support: ImageSupport {
                boot_mode: Some(boot_mode.to_owned()),
                imds: Some("v2.0".to_owned()),
                ..ImageSupport::default()
            },
        };
        region.images.insert(id, image, moment);
    }
}

fn image_device(name: String, snapshot_id: String, volume: &Volume) -> ImageDevice {
    let goes = volume.attachment.as_ref().is_some_and(|each| each.delete_on_termination);
    ImageDevice {
        name,
        snapshot_id,
        size_gib: volume.size_gib,
        volume_type: volume.volume_type.clone(),
        encrypted: volume.encrypted,
        on_termination: if goes { OnTermination::Delete } else { OnTermination::Keep },
        iops: volume.iops,
        throughput: volume.throughput,
    }
}

fn device(context: &ActionContext<'_>, mapping: &Params) -> Result<ImageDevice, Ec2Error> {
    let ebs = mapping.below("Ebs");
    let snapshot = describe_snapshots::find_usable(context, ebs.required("SnapshotId")?)?;
    if ebs.get("Encrypted").is_some() {
        return Err(Ec2Error::new(
            "InvalidBlockDeviceMapping",
            "The encryption state of a volume of a snapshot cannot be specified",
        ));
    }
    let size_gib = ebs.number::<u32>("VolumeSize")?.unwrap_or(snapshot.volume_size_gib);
    if size_gib < snapshot.volume_size_gib {
        return Err(Ec2Error::new(
            "InvalidBlockDeviceMapping",
            format!(
                "Volume of size {size_gib}GB is smaller than  snapshot '{}', expect size >= {}GB",
                snapshot.id, snapshot.volume_size_gib
            ),
        ));
    }
    let volume_type = ebs.get("VolumeType").unwrap_or("gp2");
    let (iops, throughput) = (ebs.number("Iops")?, ebs.number("Throughput")?);
    create_volume::check_size(volume_type, size_gib)?;
    create_volume::check_speed(volume_type, size_gib, iops, throughput)?;
    let keep = ebs.flag("DeleteOnTermination")? == Some(false);
    let name = mapping.required("DeviceName")?;
    devices::check_mapped(name)?;
    Ok(ImageDevice {
        name: name.to_owned(),
        snapshot_id: snapshot.id.clone(),
        size_gib,
        volume_type: volume_type.to_owned(),
        encrypted: snapshot.encrypted,
        on_termination: if keep { OnTermination::Keep } else { OnTermination::Delete },
        iops,
        throughput,
    })
}

/// What an image supports when nothing is said is what the first instance types did.
fn support(params: &Params) -> Result<ImageSupport, Ec2Error> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let virtualization = one_of(params, "VirtualizationType", &["hvm", "paravirtual"])?;
    Ok(ImageSupport {
        virtualization: virtualization.unwrap_or("paravirtual").to_owned(),
        ena: params.flag("EnaSupport")?.unwrap_or_default(),
        boot_mode: text(one_of(params, "BootMode", &["legacy-bios", "uefi", "uefi-preferred"])?),
        tpm: text(one_of(params, "TpmSupport", &["v2.0"])?),
        imds: text(one_of(params, "ImdsSupport", &["v2.0"])?),
        sriov: text(one_of(params, "SriovNetSupport", &["simple"])?),
    })
}

fn one_of<'a>(params: &'a Params, name: &str, known: &[&str]) -> Result<Option<&'a str>, Ec2Error> {
    match params.get(name) {
        Some(other) if !known.contains(&other) => Err(Ec2Error::invalid_value(other, name)),
        given => Ok(given),
    }
}

fn new_name(context: &ActionContext<'_>, params: &Params) -> Result<String, Ec2Error> {
    let name = params.required("Name")?;
    if !(3..=128).contains(&name.chars().count()) {
        return Err(Ec2Error::new(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long",
        ));
    }
    // The letters are those of API_RegisterImage.html, `Name`; the sentence, as EC2 says it, names fewer.
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || " ()[]./-'@_".contains(letter))
    {
        return Err(Ec2Error::new(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, \
             numbers, '(', ')', '.', '-', '/' and '_'",
        ));
    }
    let taken = context
        .region
        .images
        .current()
        .find(|image| image.name == name && image.owner == context.account);
    match taken {
        None => Ok(name.to_owned()),
        Some(image) => Err(Ec2Error::new(
            "InvalidAMIName.Duplicate",
            format!("AMI name {name} is already in use by AMI {}", image.id),
        )),
    }
}

fn named(id: &str) -> Xml {
    let mut xml = Xml::default();
    xml.leaf("imageId", id);
    xml
}
