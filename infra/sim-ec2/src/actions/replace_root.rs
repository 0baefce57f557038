//! The replacement of a running instance's root volume.

use jiff::Timestamp;

use super::{
    ActionContext, Reply,
    create_volume::{VolumeSpec, initialization_rate},
    describe_snapshots, images, instances, tags,
};
use crate::{
    clock::later,
    errors::Ec2Error,
    filters::{Filters, one},
    ids::IdKind,
    paging::Page,
    request::Params,
    state::{
        Tags,
        agenda::Task,
        image::{Image, ImageDevice},
        instance::{Instance, InstanceState, RootDevice},
        root_replacement::{ReplacedVolume, ReplacementState, RootReplacement},
        volume::Volume,
    },
    xml::Xml,
};

const ACTION: &str = "CreateReplaceRootVolumeTask";

/// What the new root volume is made from.
struct Source {
    snapshot_id: Option<String>,
    image_id: Option<String>,
    /// The size of the image's root volume.
    least_gib: u32,
    encrypted: bool,
    kms_key: Option<String>,
}

/// `CreateReplaceRootVolumeTask`
pub(crate) fn create(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    if let Some(ids) = context.replay(ACTION, params)? {
        let task = ids.first().and_then(|id| context.region.root_replacements.get(id));
        return Ok(written(task));
    }
    let instance_id = params.required("InstanceId")?;
    let tags = tags::specified(params, IdKind::RootReplacement, &[IdKind::RootReplacement])?;
    let deletes = params.flag("DeleteReplacedRootVolume")?.unwrap_or_default();
    let instance = instances::find(context, instance_id)?.clone();
    let old = root_volume(context, &instance)?.clone();
    let source = source(context, params, &instance, &old)?;
    let spec = VolumeSpec {
        size_gib: old.size_gib.max(source.least_gib),
        volume_type: old.volume_type.clone(),
        iops: old.iops,
        throughput: old.throughput,
        encrypted: source.encrypted,
        kms_key: source.kms_key,
        snapshot_id: source.snapshot_id.clone(),
        initialization_rate: initialization_rate(params, source.snapshot_id.as_deref())?,
        multi_attach: false,
        tags: Tags::new(),
    };
    let new = spec.build(context, &instance.zone);
    let task = RootReplacement {
        id: context.new_id(IdKind::RootReplacement),
        region: context.name.to_owned(),
        instance_id: instance.id,
        snapshot_id: source.snapshot_id,
        image_id: source.image_id,
        state: ReplacementState::Pending,
        started_at: context.moment.now,
        completed_at: None,
        replaced: if deletes { ReplacedVolume::Delete } else { ReplacedVolume::Keep },
        tags,
        old_volume_id: old.id,
        new_volume_id: new.id.clone(),
        fate: context.fate,
    };
    context.region.volumes.insert(&new.id.clone(), new, context.moment);
    context.region.root_replacements.insert(&task.id, task.clone(), context.moment);
    // First the new volume is made, then the volumes change places and the instance reboots.
    let made = later(context.moment.now, context.config.volume_transition);
    context.region.agenda.plan(made, Task::RootReplacement(task.id.clone()));
    let rebooted = later(made, context.config.instance_transition);
    context.region.agenda.plan(rebooted, Task::RootReplacement(task.id.clone()));
    context.remember(ACTION, params, vec![task.id.clone()]);
    Ok(written(Some(&task)))
}

/// `DescribeReplaceRootVolumeTasks`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = params.values("ReplaceRootVolumeTaskId");
    Page::refuse_with_ids(params, "ReplaceRootVolumeTaskId")?;
    let page = Page::parse(params, "DescribeReplaceRootVolumeTasks", 1..=50)?;
    let filters = Filters::parse(params, &["instance-id"])?;
    let (now, shelf) = (context.moment.now, &context.region.root_replacements);
    let admitted =
        |task: &RootReplacement| filters.admit(&task.tags, |_| one(task.instance_id.clone()));
    let (tasks, next) = if ids.is_empty() {
        page.cut(shelf.seen_after(page.after.as_deref(), now).filter(|(_, task)| admitted(task)))
    } else {
        let mut found = Vec::new();
        for id in &ids {
            IdKind::RootReplacement.check(id)?;
            found.push(shelf.seen(id, now).ok_or_else(|| IdKind::RootReplacement.not_found(id))?);
        }
        found.retain(|task| admitted(task));
        (found, None)
    };
    let mut xml = Xml::default();
    xml.list("replaceRootVolumeTaskSet", tasks, write);
    xml.optional("nextToken", next);
    Ok(xml)
}

/// The root volume of an instance whose root volume can be replaced now.
fn root_volume<'a>(
    context: &'a ActionContext<'_>,
    instance: &Instance,
) -> Result<&'a Volume, Ec2Error> {
    let id = &instance.id;
    match (instance.root, instance.state) {
        (RootDevice::InstanceStore, _) => {
            return Err(Ec2Error::new(
                "UnsupportedOperation",
                format!("The instance '{id}' does not have an 'ebs' root device type."),
            ));
        }
        (RootDevice::Ebs, InstanceState::Running) => {}
        (
            RootDevice::Ebs,
            InstanceState::Pending
            | InstanceState::ShuttingDown
            | InstanceState::Terminated
            | InstanceState::Stopping
            | InstanceState::Stopped,
        ) => {
            return Err(Ec2Error::new(
                "IncorrectInstanceState",
                format!("The instance '{id}' is not in the 'running' state."),
            ));
        }
    }
    let under_way = context
        .region
        .root_replacements
        .current()
        .find(|task| task.instance_id == *id && task.state.is_under_way());
    if let Some(task) = under_way {
        return Err(Ec2Error::incorrect_state(format!(
            "The root volume of the instance '{id}' is being replaced by {}.",
            task.id
        )));
    }
    instance
        .devices
        .iter()
        .find(|device| device.name == instance.root_device)
        .and_then(|device| context.region.volumes.get(&device.volume_id))
        .ok_or_else(|| {
            Ec2Error::incorrect_state(format!("The instance '{id}' has no root volume attached."))
        })
}

fn source(
    context: &ActionContext<'_>,
    params: &Params,
    instance: &Instance,
    old: &Volume,
) -> Result<Source, Ec2Error> {
    match (params.get("SnapshotId"), params.get("ImageId")) {
        (Some(_), Some(_)) => Err(Ec2Error::combination(
            "The parameter SnapshotId cannot be used with the parameter ImageId",
        )),
        (Some(id), None) => from_snapshot(context, id, instance, old),
        (None, Some(id)) => from_image(context, id, instance, old),
        (None, None) => Ok(launch_state(context, instance, old)),
    }
}

fn from_snapshot(
    context: &ActionContext<'_>,
    id: &str,
    instance: &Instance,
    old: &Volume,
) -> Result<Source, Ec2Error> {
    let snapshot = describe_snapshots::find_usable(context, id)?;
    // A copy is of no volume, and so of no lineage.
    let of_lineage =
        snapshot.volume_id == old.id || instance.former_roots.contains(&snapshot.volume_id);
    if !of_lineage {
        return Err(Ec2Error::invalid_parameter(format!(
            "The snapshot '{id}' does not belong to the same lineage as the root volume of the \
             instance '{}'",
            instance.id
        )));
    }
    Ok(Source {
        snapshot_id: Some(id.to_owned()),
        image_id: None,
        least_gib: snapshot.volume_size_gib,
        encrypted: snapshot.encrypted,
        kms_key: snapshot.kms_key_id.clone(),
    })
}

fn from_image(
    context: &ActionContext<'_>,
    id: &str,
    instance: &Instance,
    old: &Volume,
) -> Result<Source, Ec2Error> {
    let image = images::find_available(context, id)?;
    let architecture = instances::architecture(instance);
    if image.architecture != architecture || image.support.virtualization != "hvm" {
        return Err(Ec2Error::combination(format!(
            "The image '{id}' ({}, {}) does not match the instance '{}' ({architecture}, hvm)",
            image.architecture, image.support.virtualization, instance.id
        )));
    }
    let device = root_of(image);
    Ok(Source {
        snapshot_id: device.map(|device| device.snapshot_id.clone()),
        image_id: Some(id.to_owned()),
        least_gib: device.map_or(0, |device| device.size_gib),
        encrypted: old.encrypted || device.is_some_and(|device| device.encrypted),
        kms_key: old.kms_key_id.clone(),
    })
}

/// The snapshot that the image of the launch has for the root volume.
fn launch_state(context: &ActionContext<'_>, instance: &Instance, old: &Volume) -> Source {
    let device = context.region.images.get(&instance.image_id).and_then(root_of);
    Source {
        snapshot_id: device
            .map(|device| device.snapshot_id.clone())
            .or_else(|| old.snapshot_id.clone()),
        image_id: None,
        least_gib: 0,
        encrypted: old.encrypted,
        kms_key: old.kms_key_id.clone(),
    }
}

fn root_of(image: &Image) -> Option<&ImageDevice> {
    image.devices.iter().find(|device| device.name == image.root_device)
}

fn written(task: Option<&RootReplacement>) -> Xml {
    let mut xml = Xml::default();
    if let Some(task) = task {
        xml.element("replaceRootVolumeTask", |xml| write(xml, task));
    }
    xml
}

fn write(xml: &mut Xml, task: &RootReplacement) {
    xml.leaf("replaceRootVolumeTaskId", &task.id);
    xml.leaf("instanceId", &task.instance_id);
    xml.leaf("taskState", task.state.name());
    xml.leaf("startTime", task_time(task.started_at));
    xml.optional("completeTime", task.completed_at.map(task_time));
    tags::write(xml, &task.tags);
    xml.optional("imageId", task.image_id.as_ref());
    xml.optional("snapshotId", task.snapshot_id.as_ref());
    xml.leaf("deleteReplacedRootVolume", task.replaced == ReplacedVolume::Delete);
}

/// The times of a task are texts, without fractions.
fn task_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
