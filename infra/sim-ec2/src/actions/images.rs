//! `DescribeImages`, and the end of an image in steps.

use std::borrow::Cow;

use super::{ActionContext, Reply, describe_snapshots, done, snapshots, tags};
use crate::{
    clock::wire_time,
    errors::Ec2Error,
    filters::{Filters, one},
    ids::IdKind,
    paging::{Page, USUAL},
    request::Params,
    state::image::{Image, ImageState, ImageSupport, OnTermination},
    xml::Xml,
};

const KNOWN: [&str; 24] = [
    "architecture",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.encrypted",
    "block-device-mapping.snapshot-id",
    "block-device-mapping.volume-size",
    "block-device-mapping.volume-type",
    "creation-date",
    "description",
    "ena-support",
    "hypervisor",
    "image-id",
    "image-type",
    "is-public",
    "name",
    "owner-alias",
    "owner-id",
    "platform",
    "root-device-name",
    "root-device-type",
    "source-instance-id",
    "state",
    "tag-key",
    "virtualization-type",
];

/// `DescribeImages`; disabled ones only when asked for.
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = params.values("ImageId");
    Page::refuse_with_ids(params, "ImageId")?;
    let page = Page::parse(params, "DescribeImages", USUAL)?;
    let filters = Filters::parse(params, &KNOWN)?;
    let disabled_too = params.flag("IncludeDisabled")?.unwrap_or_default();
    let owners = params.values("Owner");
    let context = &*context;
    let admitted = |image: &Image| {
        (disabled_too || image.state != ImageState::Disabled)
            && (owners.is_empty() || owners.iter().any(|owner| is_owner(image, owner, context)))
            && filters.admit(&image.tags, |name| field(image, name, context))
    };
    let (now, shelf) = (context.moment.now, &context.region.images);
    let (images, next) = if ids.is_empty() {
        page.cut(shelf.seen_after(page.after.as_deref(), now).filter(|(_, image)| admitted(image)))
    } else {
        let mut found = Vec::new();
        for id in &ids {
            IdKind::Image.check(id)?;
            found.push(shelf.seen(id, now).ok_or_else(|| IdKind::Image.not_found(id))?);
        }
        found.retain(|image| admitted(image));
        (found, None)
    };
    let mut xml = Xml::default();
    xml.list("imagesSet", images, |xml, image| write(xml, image, context));
    xml.optional("nextToken", next);
    Ok(xml)
}

/// `DisableImage`: it holds its snapshots all the same.
pub(crate) fn disable(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    turn(context, params, ImageState::Available, ImageState::Disabled)
}

/// `EnableImage`
pub(crate) fn enable(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    turn(context, params, ImageState::Disabled, ImageState::Available)
}

/// `DeregisterImage`, with its snapshots when `DeleteAssociatedSnapshots` says so.
pub(crate) fn deregister(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("ImageId")?;
    let image = own_image(context, id)?.clone();
    let with_snapshots = params.flag("DeleteAssociatedSnapshots")?.unwrap_or_default();
    context.region.images.remove(id, context.moment);
    let mut xml = done();
    if with_snapshots {
        let results: Vec<(String, &str)> = image
            .devices
            .iter()
            .map(|device| {
                let code = delete_associated(context, &device.snapshot_id);
                (device.snapshot_id.clone(), code)
            })
            .collect();
        xml.list("deleteSnapshotResultSet", results, |xml, (id, code)| {
            xml.leaf("snapshotId", id);
            xml.leaf("returnCode", code);
        });
    }
    Ok(xml)
}

fn delete_associated(context: &mut ActionContext<'_>, id: &str) -> &'static str {
    let Ok(snapshot) = describe_snapshots::find(context, id).cloned() else {
        return "client-error";
    };
    if snapshots::check_unused(context, id).is_err() {
        return "skipped";
    }
    if snapshots::check_unlocked(context, &snapshot).is_err() {
        return "client-error";
    }
    snapshots::delete_now_or_at_completion(context, &snapshot);
    "success"
}

fn turn(
    context: &mut ActionContext<'_>,
    params: &Params,
    from: ImageState,
    to: ImageState,
) -> Reply {
    let id = params.required("ImageId")?;
    let image = own_image(context, id)?;
    if image.state != from && image.state != to {
        return Err(Ec2Error::new(
            "InvalidAMIID.Unavailable",
            format!("The image ID '{id}' is in the state '{}'", image.state.name()),
        ));
    }
    context.region.images.change(id, context.moment, |image| image.state = to);
    Ok(done())
}

/// The image `id` as changing calls see it, when instances can be launched from it.
pub(crate) fn find_available<'a>(
    context: &'a ActionContext<'_>,
    id: &str,
) -> Result<&'a Image, Ec2Error> {
    IdKind::Image.check(id)?;
    let image = context.region.images.get(id).ok_or_else(|| IdKind::Image.not_found(id))?;
    if image.state != ImageState::Available {
        return Err(Ec2Error::new(
            "InvalidAMIID.Unavailable",
            format!("The image ID '[{id}]' is not available"),
        ));
    }
    Ok(image)
}

fn own_image<'a>(context: &'a ActionContext<'_>, id: &str) -> Result<&'a Image, Ec2Error> {
    IdKind::Image.check(id)?;
    let image = context.region.images.get(id).ok_or_else(|| IdKind::Image.not_found(id))?;
    if image.owner != context.account {
        return Err(Ec2Error::with_status(
            "AuthFailure",
            format!("Not authorized for image:{id}"),
            403,
        ));
    }
    Ok(image)
}

fn is_owner(image: &Image, owner: &str, context: &ActionContext<'_>) -> bool {
    match owner {
        "self" => image.owner == context.account,
        "amazon" => image.owner != context.account,
        account => image.owner == account,
    }
}

fn is_public(image: &Image, context: &ActionContext<'_>) -> bool {
    image.owner != context.account
}

fn write(xml: &mut Xml, image: &Image, context: &ActionContext<'_>) {
    xml.leaf("imageId", &image.id);
    xml.leaf("imageLocation", format!("{}/{}", image.owner, image.name));
    xml.leaf("imageState", image.state.name());
    xml.leaf("imageOwnerId", &image.owner);
    xml.leaf("creationDate", wire_time(image.created_at));
    xml.leaf("isPublic", is_public(image, context));
    xml.leaf("architecture", &image.architecture);
    xml.leaf("imageType", "machine");
    if is_public(image, context) {
        xml.leaf("imageOwnerAlias", "amazon");
    }
    xml.leaf("name", &image.name);
    xml.leaf("description", &image.description);
    xml.leaf("rootDeviceType", "ebs");
    xml.leaf("rootDeviceName", &image.root_device);
    xml.list("blockDeviceMapping", &image.devices, |xml, device| {
        xml.leaf("deviceName", &device.name);
        xml.element("ebs", |xml| {
            xml.leaf("snapshotId", &device.snapshot_id);
            xml.leaf("volumeSize", device.size_gib);
            xml.leaf("deleteOnTermination", device.on_termination == OnTermination::Delete);
            xml.leaf("volumeType", &device.volume_type);
            xml.leaf("encrypted", device.encrypted);
            xml.optional("iops", device.iops);
            xml.optional("throughput", device.throughput);
        });
    });
    let ImageSupport { virtualization, ena, boot_mode, tpm, imds, sriov } = &image.support;
    xml.leaf("virtualizationType", virtualization);
    xml.leaf("enaSupport", ena);
    xml.optional("bootMode", boot_mode.as_ref());
    xml.optional("tpmSupport", tpm.as_ref());
    xml.optional("imdsSupport", imds.as_ref());
    xml.optional("sriovNetSupport", sriov.as_ref());
    tags::write(xml, &image.tags);
    xml.leaf("hypervisor", "xen");
    xml.leaf("platformDetails", "Linux/UNIX");
    xml.optional("sourceInstanceId", image.source_instance_id.as_ref());
}

fn field<'a>(image: &'a Image, name: &str, context: &ActionContext<'_>) -> Vec<Cow<'a, str>> {
    let devices = image.devices.iter();
    match name {
        "architecture" => one(&image.architecture),
        "block-device-mapping.delete-on-termination" => devices
            .map(|each| (each.on_termination == OnTermination::Delete).to_string().into())
            .collect(),
        "block-device-mapping.device-name" => {
            devices.map(|each| each.name.as_str().into()).collect()
        }
        "block-device-mapping.encrypted" => {
            devices.map(|each| each.encrypted.to_string().into()).collect()
        }
        "block-device-mapping.snapshot-id" => {
            devices.map(|each| each.snapshot_id.as_str().into()).collect()
        }
        "block-device-mapping.volume-size" => {
            devices.map(|each| each.size_gib.to_string().into()).collect()
        }
        "block-device-mapping.volume-type" => {
            devices.map(|each| each.volume_type.as_str().into()).collect()
        }
        "creation-date" => one(wire_time(image.created_at)),
        "description" => one(&image.description),
        "ena-support" => one(image.support.ena.to_string()),
        "hypervisor" => one("xen"),
        "image-id" => one(&image.id),
        "image-type" => one("machine"),
        "is-public" => one(is_public(image, context).to_string()),
        "name" => one(&image.name),
        "owner-alias" if is_public(image, context) => one("amazon"),
        "owner-id" => one(&image.owner),
        "root-device-name" => one(&image.root_device),
        "root-device-type" => one("ebs"),
        "source-instance-id" => image.source_instance_id.iter().map(Into::into).collect(),
        "state" => one(image.state.name()),
        "virtualization-type" => one(&image.support.virtualization),
        _ => Vec::new(),
    }
}
