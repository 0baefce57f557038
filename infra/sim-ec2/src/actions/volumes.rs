//! `DescribeVolumes` and `DeleteVolume`, and a volume as EC2 writes it.

use std::borrow::Cow;

use super::{ActionContext, Reply, done, tags};
use crate::{
    clock::wire_time,
    errors::Ec2Error,
    filters::{Filters, maybe, one},
    ids::IdKind,
    paging::{Page, USUAL},
    request::Params,
    state::volume::{Attachment, Volume, VolumeState},
    xml::Xml,
};

const KNOWN: [&str; 16] = [
    "attachment.attach-time",
    "attachment.delete-on-termination",
    "attachment.device",
    "attachment.instance-id",
    "attachment.status",
    "availability-zone",
    "create-time",
    "encrypted",
    "fast-restored",
    "multi-attach-enabled",
    "size",
    "snapshot-id",
    "status",
    "tag-key",
    "volume-id",
    "volume-type",
];

/// `DescribeVolumes`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = params.values("VolumeId");
    Page::refuse_with_ids(params, "VolumeId")?;
    let page = Page::parse(params, "DescribeVolumes", USUAL)?;
    let filters = Filters::parse(params, &KNOWN)?;
    let (now, shelf) = (context.moment.now, &context.region.volumes);
    let admitted = |volume: &Volume| filters.admit(&volume.tags, |name| field(volume, name));
    let (volumes, next) = if ids.is_empty() {
        page.cut(
            shelf.seen_after(page.after.as_deref(), now).filter(|(_, volume)| admitted(volume)),
        )
    } else {
        let mut found = Vec::new();
        for id in &ids {
            IdKind::Volume.check(id)?;
            found.push(shelf.seen(id, now).ok_or_else(|| IdKind::Volume.not_found(id))?);
        }
        found.retain(|volume| admitted(volume));
        (found, None)
    };
    let mut xml = Xml::default();
    xml.list("volumeSet", volumes, write);
    xml.optional("nextToken", next);
    Ok(xml)
}

/// `DeleteVolume`
pub(crate) fn delete(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("VolumeId")?;
    let volume = find(context, id)?;
    match (volume.state, &volume.attachment) {
        (VolumeState::Available, _) => {}
        (VolumeState::InUse, attachment) => {
            let instance = attachment.as_ref().map_or("", |each| each.instance_id.as_str());
            return Err(Ec2Error::new(
                "VolumeInUse",
                format!("Volume {id} is currently attached to {instance}"),
            ));
        }
        (VolumeState::Creating, _) => {
            return Err(Ec2Error::incorrect_state(format!("The volume '{id}' is 'creating'")));
        }
    }
    context.region.volumes.remove(id, context.moment);
    Ok(done())
}

/// The volume `id` as changing calls see it.
pub(crate) fn find<'a>(context: &'a ActionContext<'_>, id: &str) -> Result<&'a Volume, Ec2Error> {
    IdKind::Volume.check(id)?;
    context.region.volumes.get(id).ok_or_else(|| IdKind::Volume.not_found(id))
}

/// A volume as EC2 writes it.
pub(crate) fn write(xml: &mut Xml, volume: &Volume) {
    xml.leaf("volumeId", &volume.id);
    xml.leaf("size", volume.size_gib);
    xml.leaf("snapshotId", volume.snapshot_id.as_deref().unwrap_or_default());
    xml.leaf("availabilityZone", &volume.zone);
    xml.leaf("status", volume.state.name());
    xml.leaf("createTime", wire_time(volume.created_at));
    xml.list("attachmentSet", volume.attachments(), |xml, attachment| {
        write_attachment(xml, &volume.id, attachment, attachment.state.name());
    });
    tags::write(xml, &volume.tags);
    xml.leaf("volumeType", &volume.volume_type);
    xml.optional("iops", volume.iops);
    xml.optional("throughput", volume.throughput);
    xml.optional("volumeInitializationRate", volume.initialization_rate);
    xml.leaf("encrypted", volume.encrypted);
    xml.optional("kmsKeyId", volume.kms_key_id.as_ref());
    xml.leaf("multiAttachEnabled", volume.multi_attach);
}

/// An attachment as EC2 writes it, in the state that is told.
pub(crate) fn write_attachment(
    xml: &mut Xml,
    volume_id: &str,
    attachment: &Attachment,
    state: &str,
) {
    xml.leaf("volumeId", volume_id);
    xml.leaf("instanceId", &attachment.instance_id);
    xml.leaf("device", &attachment.device);
    xml.leaf("status", state);
    xml.leaf("attachTime", wire_time(attachment.attached_at));
    xml.leaf("deleteOnTermination", attachment.delete_on_termination);
}

fn field<'a>(volume: &'a Volume, name: &str) -> Vec<Cow<'a, str>> {
    let attachments = volume.attachments();
    match name {
        "attachment.attach-time" => {
            attachments.map(|each| wire_time(each.attached_at).into()).collect()
        }
        "attachment.delete-on-termination" => {
            attachments.map(|each| each.delete_on_termination.to_string().into()).collect()
        }
        "attachment.device" => attachments.map(|each| each.device.as_str().into()).collect(),
        "attachment.instance-id" => {
            attachments.map(|each| each.instance_id.as_str().into()).collect()
        }
        "attachment.status" => attachments.map(|each| each.state.name().into()).collect(),
        "availability-zone" => one(&volume.zone),
        "create-time" => one(wire_time(volume.created_at)),
        "encrypted" => one(volume.encrypted.to_string()),
        "fast-restored" => one("false"),
        "multi-attach-enabled" => one(volume.multi_attach.to_string()),
        "size" => one(volume.size_gib.to_string()),
        "snapshot-id" => maybe(volume.snapshot_id.as_ref()),
        "status" => one(volume.state.name()),
        "volume-id" => one(&volume.id),
        "volume-type" => one(&volume.volume_type),
        _ => Vec::new(),
    }
}
