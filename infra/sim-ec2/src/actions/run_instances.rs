//! `RunInstances`.

use super::{
    ActionContext, Reply,
    create_volume::{VolumeSpec, check_boots, check_size, check_speed, initialization_rate},
    describe_snapshots, devices, images, instance_types, instances, keys, launch_settings,
    networks, tags,
};
use crate::{
    clock::later,
    errors::Ec2Error,
    ids::{IdKind, chance},
    request::Params,
    state::{
        Tags,
        agenda::Task,
        image::{Image, OnTermination},
        instance::{Device, Instance, InstanceState, LaunchSettings, RootDevice},
        volume::{Attachment, AttachmentState, VolumeState},
    },
    xml::Xml,
};

/// What a launch without one gets; EC2's own default is a type long gone.
const DEFAULT_TYPE: &str = "t3.micro";

/// A volume that each launched instance gets.
struct NewDevice {
    name: String,
    volume: VolumeSpec,
    on_termination: OnTermination,
}

/// What the instances of a launch have in common.
struct Launch {
    reservation_id: String,
    image: Image,
    instance_type: String,
    zone: String,
    devices: Vec<NewDevice>,
    tags: Tags,
    client_token: String,
    key_name: Option<String>,
    settings: LaunchSettings,
    private_ip: Option<String>,
}

/// `RunInstances`
pub(crate) fn run(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    if let Some(ids) = context.replay("RunInstances", params)? {
        let is_there = |id: &String| {
            let one = context.region.instances.get(id);
            one.is_some_and(|one| one.state != InstanceState::Terminated)
        };
        // As recorded in <https://github.com/boto/boto3/issues/4406>.
        if !ids.iter().all(is_there) {
            return Err(Ec2Error::new(
                "IdempotentInstanceTerminated",
                "The client token you have provided is associated with a terminated instance. Please use a different \
                 client token.",
            ));
        }
        return Ok(write(context, &ids));
    }
    let count = count(params)?;
    let launch = launch(context, params)?;
    let ids: Vec<String> = (0..count).map(|index| start_one(context, &launch, index)).collect();
    context.remember("RunInstances", params, ids.clone());
    Ok(write(context, &ids))
}

fn count(params: &Params) -> Result<u32, Ec2Error> {
    const MAX: u32 = 1000;
    params.required("MinCount")?;
    params.required("MaxCount")?;
    let least = params.number::<u32>("MinCount")?.unwrap_or_default();
    let most = params.number::<u32>("MaxCount")?.unwrap_or_default();
    if least == 0 || most < least || most > MAX {
        return Err(Ec2Error::invalid_parameter(format!(
            "MinCount {least} and MaxCount {most} must be from 1 to {MAX} and in this order"
        )));
    }
    Ok(most)
}

fn launch(context: &mut ActionContext<'_>, params: &Params) -> Result<Launch, Ec2Error> {
    let image = images::find_available(context, params.required("ImageId")?)?.clone();
    let type_name = params.get("InstanceType").unwrap_or(DEFAULT_TYPE);
    let instance_type = instance_types::find(type_name).ok_or_else(|| {
        Ec2Error::invalid_parameter(format!("Invalid value '{type_name}' for InstanceType."))
    })?;
    launch_settings::check_image(&image, instance_type)?;
    let (zone, settings) = launch_settings::parse(context, params, &image)?;
    let allowed = [IdKind::Instance, IdKind::Volume];
    let volume_tags = tags::specified(params, IdKind::Volume, &allowed)?;
    let devices = devices(context, params, &image, &volume_tags)?;
    Ok(Launch {
        reservation_id: context.mint.id(context.config.seed, "r-"),
        image,
        instance_type: type_name.to_owned(),
        zone,
        devices,
        tags: tags::specified(params, IdKind::Instance, &allowed)?,
        client_token: params.get("ClientToken").unwrap_or_default().to_owned(),
        key_name: key_name(context, params)?,
        settings,
        private_ip: launch_settings::private_ip(context, params)?,
    })
}

fn key_name(context: &ActionContext<'_>, params: &Params) -> Result<Option<String>, Ec2Error> {
    let name = params.get("KeyName");
    networks::check_key(context, name)?;
    Ok(name.map(str::to_owned))
}

/// The image's devices, changed and added to by the request's.
fn devices(
    context: &ActionContext<'_>,
    params: &Params,
    image: &Image,
    volume_tags: &Tags,
) -> Result<Vec<NewDevice>, Ec2Error> {
    let mut devices: Vec<NewDevice> = image
        .devices
        .iter()
        .map(|device| NewDevice {
            name: device.name.clone(),
            volume: VolumeSpec {
                size_gib: device.size_gib,
                volume_type: device.volume_type.clone(),
                iops: device.iops,
                throughput: device.throughput,
                encrypted: device.encrypted,
                kms_key: key_of(context, &device.snapshot_id),
                snapshot_id: Some(device.snapshot_id.clone()),
                initialization_rate: None,
                multi_attach: false,
                tags: volume_tags.clone(),
            },
            on_termination: device.on_termination,
        })
        .collect();
    for mapping in params.structures("BlockDeviceMapping") {
        let name = mapping.required("DeviceName")?;
        let position = devices.iter().position(|device| device.name == name);
        let former = position.map(|position| devices.remove(position));
        if mapping.given("NoDevice").is_some() {
            continue;
        }
        let device = mapped(context, mapping, former.as_ref(), volume_tags)?;
        devices.insert(position.unwrap_or(devices.len()), device);
    }
    for NewDevice { name, volume, .. } in &devices {
        check_speed(&volume.volume_type, volume.size_gib, volume.iops, volume.throughput)?;
        if *name == image.root_device {
            check_boots(&volume.volume_type)?;
        }
    }
    Ok(devices)
}

fn mapped(
    context: &ActionContext<'_>,
    mapping: &Params,
    former: Option<&NewDevice>,
    volume_tags: &Tags,
) -> Result<NewDevice, Ec2Error> {
    let ebs = mapping.below("Ebs");
    let former_volume = former.map(|device| &device.volume);
    let asked = ebs.flag("Encrypted")?;
    let key = keys::named(&ebs, asked)?.map(str::to_owned);
    let snapshot =
        ebs.get("SnapshotId").map(|id| describe_snapshots::find_usable(context, id)).transpose()?;
    let (snapshot_id, least, encrypted, former_key) = match (snapshot, former_volume) {
        (Some(each), _) => (
            Some(each.id.clone()),
            Some(each.volume_size_gib),
            each.encrypted,
            each.kms_key_id.clone(),
        ),
        (None, Some(volume)) => (
            volume.snapshot_id.clone(),
            Some(volume.size_gib),
            volume.encrypted,
            volume.kms_key.clone(),
        ),
        (None, None) => (None, None, false, None),
    };
    let size_gib = ebs
        .number::<u32>("VolumeSize")?
        .or(least)
        .ok_or_else(|| Ec2Error::missing_parameter("Ebs.VolumeSize"))?;
    if let (Some(least), Some(id)) = (least, &snapshot_id)
        && size_gib < least
    {
        return Err(Ec2Error::new(
            "InvalidBlockDeviceMapping",
            format!(
                "Volume of size {size_gib}GB is smaller than  snapshot '{id}', expect size >= \
                 {least}GB"
            ),
        ));
    }
    let volume_type = ebs
        .get("VolumeType")
        .or(former_volume.map(|volume| volume.volume_type.as_str()))
        .unwrap_or("gp2");
    check_size(volume_type, size_gib)?;
    devices::check_mapped(mapping.required("DeviceName")?)?;
    let on_termination = match ebs.flag("DeleteOnTermination")? {
        Some(true) => OnTermination::Delete,
        Some(false) => OnTermination::Keep,
        None => former.map_or(OnTermination::Delete, |device| device.on_termination),
    };
    Ok(NewDevice {
        name: mapping.required("DeviceName")?.to_owned(),
        volume: VolumeSpec {
            size_gib,
            volume_type: volume_type.to_owned(),
            iops: ebs.number("Iops")?.or(former_volume.and_then(|volume| volume.iops)),
            throughput: ebs
                .number("Throughput")?
                .or(former_volume.and_then(|volume| volume.throughput)),
            encrypted: encrypted || asked.unwrap_or_default(),
            kms_key: key.or(former_key),
            initialization_rate: initialization_rate(&ebs, snapshot_id.as_deref())?,
            snapshot_id,
            multi_attach: false,
            tags: volume_tags.clone(),
        },
        on_termination,
    })
}

fn key_of(context: &ActionContext<'_>, snapshot_id: &str) -> Option<String> {
    context.region.snapshots.get(snapshot_id)?.kms_key_id.clone()
}

fn start_one(context: &mut ActionContext<'_>, launch: &Launch, index: u32) -> String {
    let id = context.new_id(IdKind::Instance);
    let now = context.moment.now;
    let mut devices = Vec::new();
    for device in &launch.devices {
        let mut volume = device.volume.build(context, &launch.zone);
        volume.state = VolumeState::InUse;
        volume.attachment = Some(Attachment {
            instance_id: id.clone(),
            device: device.name.clone(),
            state: AttachmentState::Attached,
            attached_at: now,
            delete_on_termination: device.on_termination == OnTermination::Delete,
        });
        devices.push(Device { name: device.name.clone(), volume_id: volume.id.clone() });
        context.region.volumes.insert(&volume.id.clone(), volume, context.moment);
    }
    let instance = Instance {
        id: id.clone(),
        region: context.name.to_owned(),
        reservation_id: launch.reservation_id.clone(),
        launch_index: index,
        instance_type: launch.instance_type.clone(),
        image_id: launch.image.id.clone(),
        zone: launch.zone.clone(),
        state: InstanceState::Pending,
        reason: String::new(),
        launched_at: now,
        tags: launch.tags.clone(),
        root_device: launch.image.root_device.clone(),
        root: RootDevice::Ebs,
        devices,
        client_token: launch.client_token.clone(),
        key_name: launch.key_name.clone(),
        state_reason: context.start.clone(),
        public_ip: None,
        private_ip: launch
            .private_ip
            .clone()
            .unwrap_or_else(|| private_ip(context.config.seed, &id)),
        settings: launch.settings.clone(),
        former_roots: Vec::new(),
    };
    context.region.instances.insert(&id, instance, context.moment);
    let due = later(now, context.config.instance_transition);
    let from = InstanceState::Pending;
    let to = match context.start {
        None => InstanceState::Running,
        Some(_) => InstanceState::Terminated,
    };
    context.region.agenda.plan(due, Task::Instance { id: id.clone(), from, to });
    id
}

/// An address in the default network, by the id.
pub(crate) fn private_ip(seed: u64, id: &str) -> String {
    let number = chance(seed, &["address", id]);
    format!("172.31.{}.{}", number % 256, 4 + number / 256 % 250)
}

fn write(context: &ActionContext<'_>, ids: &[String]) -> Xml {
    let launched: Vec<&Instance> =
        ids.iter().filter_map(|id| context.region.instances.get(id)).collect();
    let reservation = launched.first().map_or("", |instance| instance.reservation_id.as_str());
    let mut xml = Xml::default();
    instances::write_reservation(&mut xml, reservation, &launched, context);
    xml
}
