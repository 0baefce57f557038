//! `DescribeInstances`, and an instance as EC2 writes it.

use std::{borrow::Cow, collections::BTreeMap};

use super::{ActionContext, Reply, instance_types, networks, tags};
use crate::{
    clock::wire_time,
    errors::Ec2Error,
    filters::{Filters, maybe, one},
    ids::{self, IdKind},
    paging::{Page, USUAL},
    request::Params,
    state::{
        instance::{Hibernation, Instance, PublicAddress, Purchase},
        volume::{Attachment, AttachmentState},
    },
    xml::Xml,
};

const KNOWN: [&str; 27] = [
    "architecture",
    "availability-zone",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.status",
    "block-device-mapping.volume-id",
    "client-token",
    "hypervisor",
    "iam-instance-profile.arn",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "key-name",
    "launch-time",
    "owner-id",
    "private-ip-address",
    "reservation-id",
    "root-device-name",
    "root-device-type",
    "subnet-id",
    "tag-key",
    "virtualization-type",
    "vpc-id",
];

/// `DescribeInstances`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = params.values("InstanceId");
    Page::refuse_with_ids(params, "InstanceId")?;
    let page = Page::parse(params, "DescribeInstances", USUAL)?;
    let filters = Filters::parse(params, &KNOWN)?;
    let context = &*context;
    let admitted =
        |instance: &Instance| filters.admit(&instance.tags, |name| field(instance, name, context));
    let (now, shelf) = (context.moment.now, &context.region.instances);
    let (instances, next) = if ids.is_empty() {
        page.cut(
            shelf.seen_after(page.after.as_deref(), now).filter(|(_, instance)| admitted(instance)),
        )
    } else {
        let mut found = Vec::new();
        for id in &ids {
            IdKind::Instance.check(id)?;
            found.push(shelf.seen(id, now).ok_or_else(|| IdKind::Instance.not_found(id))?);
        }
        found.retain(|instance| admitted(instance));
        (found, None)
    };
    let mut reservations: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in instances {
        reservations.entry(&instance.reservation_id).or_default().push(instance);
    }
    let mut xml = Xml::default();
    xml.list("reservationSet", reservations, |xml, (reservation, instances)| {
        write_reservation(xml, reservation, &instances, context);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// A reservation and its instances.
pub(crate) fn write_reservation(
    xml: &mut Xml,
    reservation: &str,
    instances: &[&Instance],
    context: &ActionContext<'_>,
) {
    xml.leaf("reservationId", reservation);
    xml.leaf("ownerId", context.account);
    xml.element("groupSet", |_| {});
    xml.list("instancesSet", instances, |xml, instance| write(xml, instance, context));
}

fn write(xml: &mut Xml, instance: &Instance, context: &ActionContext<'_>) {
    xml.leaf("instanceId", &instance.id);
    xml.leaf("imageId", &instance.image_id);
    xml.element("instanceState", |xml| {
        xml.leaf("code", instance.state.code());
        xml.leaf("name", instance.state.name());
    });
    xml.leaf("privateDnsName", "");
    xml.leaf("dnsName", "");
    xml.leaf("reason", &instance.reason);
    xml.optional("keyName", instance.key_name.as_ref());
    xml.leaf("amiLaunchIndex", instance.launch_index);
    xml.leaf("instanceType", &instance.instance_type);
    xml.leaf("launchTime", wire_time(instance.launched_at));
    xml.element("placement", |xml| {
        xml.leaf("availabilityZone", &instance.zone);
        xml.leaf("groupName", "");
        xml.leaf("tenancy", instance.settings.tenancy.as_deref().unwrap_or("default"));
    });
    let monitored = if instance.settings.monitored { "enabled" } else { "disabled" };
    xml.element("monitoring", |xml| xml.leaf("state", monitored));
    // What is shutting down has given its address back.
    if !instance.state.is_ending() {
        xml.leaf("subnetId", networks::subnet_of(instance));
        xml.leaf("vpcId", networks::vpc_id(context.name));
        xml.leaf("privateIpAddress", &instance.private_ip);
        xml.optional("ipAddress", instance.public_ip.as_ref());
        let groups = networks::groups_of(instance, context);
        xml.list("groupSet", groups, |xml, (id, name)| {
            xml.leaf("groupId", id);
            xml.leaf("groupName", name);
        });
    }
    if let Some(address) = &instance.public_ip {
        write_interface(xml, instance, address, context.account);
    }
    xml.leaf("architecture", architecture(instance));
    xml.leaf("rootDeviceType", instance.root.name());
    xml.leaf("rootDeviceName", &instance.root_device);
    let attached = attachments(instance, context);
    xml.list("blockDeviceMapping", attached, |xml, (volume_id, attachment)| {
        xml.leaf("deviceName", &attachment.device);
        xml.element("ebs", |xml| {
            xml.leaf("volumeId", volume_id);
            xml.leaf("status", attachment.state.name());
            xml.leaf("attachTime", wire_time(attachment.attached_at));
            xml.leaf("deleteOnTermination", attachment.delete_on_termination);
        });
    });
    xml.leaf("virtualizationType", "hvm");
    xml.leaf("clientToken", &instance.client_token);
    tags::write(xml, &instance.tags);
    xml.leaf("hypervisor", "xen");
    write_settings(xml, instance, context);
    let platform = instance.settings.platform.as_deref();
    xml.leaf("platformDetails", platform.unwrap_or("Linux/UNIX"));
    if instance.settings.purchase == Purchase::SpotOnce {
        xml.leaf("instanceLifecycle", "spot");
    }
    if let Some(reason) = &instance.state_reason {
        xml.element("stateReason", |xml| {
            xml.leaf("code", &reason.code);
            xml.leaf("message", &reason.message);
        });
    }
}

fn write_settings(xml: &mut Xml, instance: &Instance, context: &ActionContext<'_>) {
    let settings = &instance.settings;
    xml.leaf("ebsOptimized", settings.ebs_optimized);
    xml.leaf("enaSupport", true);
    xml.optional("bootMode", settings.boot_mode.as_ref());
    xml.leaf("currentInstanceBootMode", current_boot_mode(instance));
    if let Some(arn) = &settings.instance_profile {
        xml.element("iamInstanceProfile", |xml| {
            xml.leaf("arn", arn);
            let digits = ids::hex(context.config.seed, &["profile", arn]).to_uppercase();
            xml.leaf("id", format!("AIPA{}", digits.chars().take(17).collect::<String>()));
        });
    }
    xml.element("metadataOptions", |xml| {
        xml.leaf("state", "applied");
        xml.leaf("httpTokens", settings.metadata_tokens.as_deref().unwrap_or("optional"));
        xml.leaf("httpPutResponseHopLimit", settings.metadata_hop_limit.unwrap_or(1));
        xml.leaf("httpEndpoint", settings.metadata_endpoint.as_deref().unwrap_or("enabled"));
        xml.leaf("httpProtocolIpv6", settings.metadata_ipv6.as_deref().unwrap_or("disabled"));
        xml.leaf("instanceMetadataTags", settings.metadata_tags.as_deref().unwrap_or("disabled"));
    });
    xml.leaf("sourceDestCheck", !settings.source_check_off);
    xml.element("hibernationOptions", |xml| {
        xml.leaf("configured", settings.hibernation == Hibernation::Configured);
    });
}

fn current_boot_mode(instance: &Instance) -> &'static str {
    let uefi = match instance.settings.boot_mode.as_deref() {
        Some(mode) => mode.starts_with("uefi"),
        None => architecture(instance) == "arm64",
    };
    if uefi { "uefi" } else { "legacy-bios" }
}

/// The primary interface, which says whose the public address is: Amazon's, or an Elastic IP address of the account's
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html>).
fn write_interface(xml: &mut Xml, instance: &Instance, address: &str, account: &str) {
    let owner = match instance.settings.public_address {
        PublicAddress::None | PublicAddress::Assigned => "amazon",
        PublicAddress::Elastic => account,
    };
    xml.list("networkInterfaceSet", [address], |xml, address| {
        xml.element("association", |xml| {
            xml.leaf("publicIp", address);
            xml.leaf("ipOwnerId", owner);
        });
    });
}

/// The volumes of an instance and their places. What an instance of a moment ago still has is on its way off.
fn attachments<'a>(
    instance: &'a Instance,
    context: &'a ActionContext<'_>,
) -> Vec<(&'a str, Attachment)> {
    let places = instance.devices.iter().map(|device| {
        let volume = context.region.volumes.get(&device.volume_id);
        let place = volume.and_then(|volume| volume.at(&instance.id)).cloned();
        let place = place.unwrap_or_else(|| Attachment {
            instance_id: instance.id.clone(),
            device: device.name.clone(),
            state: AttachmentState::Detaching,
            attached_at: instance.launched_at,
            delete_on_termination: false,
        });
        (device.volume_id.as_str(), place)
    });
    places.collect()
}

/// The architecture of the instance's type.
pub(crate) fn architecture(instance: &Instance) -> &'static str {
    instance_types::find(&instance.instance_type).map_or("x86_64", |found| found.architecture)
}

fn field<'a>(
    instance: &'a Instance,
    name: &str,
    context: &'a ActionContext<'_>,
) -> Vec<Cow<'a, str>> {
    let attached = || attachments(instance, context).into_iter();
    match name {
        "architecture" => one(architecture(instance)),
        "availability-zone" => one(&instance.zone),
        "block-device-mapping.delete-on-termination" => attached()
            .map(|(_, attachment)| attachment.delete_on_termination.to_string().into())
            .collect(),
        "block-device-mapping.device-name" => {
            attached().map(|(_, attachment)| attachment.device.into()).collect()
        }
        "block-device-mapping.status" => {
            attached().map(|(_, attachment)| attachment.state.name().into()).collect()
        }
        "block-device-mapping.volume-id" => attached().map(|(id, _)| id.into()).collect(),
        "client-token" => one(&instance.client_token),
        "hypervisor" => one("xen"),
        "iam-instance-profile.arn" => maybe(instance.settings.instance_profile.as_deref()),
        "image-id" => one(&instance.image_id),
        "instance.group-id" => {
            networks::groups_of(instance, context).into_iter().map(|(id, _)| id.into()).collect()
        }
        "instance-id" => one(&instance.id),
        "instance-state-code" => one(instance.state.code().to_string()),
        "instance-state-name" => one(instance.state.name()),
        "instance-type" => one(&instance.instance_type),
        "key-name" => maybe(instance.key_name.as_deref()),
        "launch-time" => one(wire_time(instance.launched_at)),
        "owner-id" => one(context.account),
        "private-ip-address" => one(&instance.private_ip),
        "reservation-id" => one(&instance.reservation_id),
        "root-device-name" => one(&instance.root_device),
        "root-device-type" => one(instance.root.name()),
        "subnet-id" => one(networks::subnet_of(instance)),
        "virtualization-type" => one("hvm"),
        "vpc-id" => one(networks::vpc_id(context.name)),
        _ => Vec::new(),
    }
}

/// The instance `id` as changing calls see it.
pub(crate) fn find<'a>(context: &'a ActionContext<'_>, id: &str) -> Result<&'a Instance, Ec2Error> {
    IdKind::Instance.check(id)?;
    context.region.instances.get(id).ok_or_else(|| IdKind::Instance.not_found(id))
}
