//! Where `RunInstances` puts instances, and what they have beside their type, image and volumes.

use super::{ActionContext, instance_types::InstanceType, networks, regions};
use crate::{
    errors::Ec2Error,
    request::Params,
    state::{
        image::Image,
        instance::{Hibernation, LaunchSettings, PublicAddress, Purchase, Stopping, Termination},
    },
};

/// The zone and the settings that the request asks for.
pub(crate) fn parse(
    context: &ActionContext<'_>,
    params: &Params,
    image: &Image,
) -> Result<(String, LaunchSettings), Ec2Error> {
    let subnet_id = subnet(params)?;
    let zone = zone(context, params, subnet_id.as_deref())?;
    let security_groups = security_groups(context, params)?;
    let hibernated = params.below("HibernationOptions").flag("Configured")?.unwrap_or_default();
    let protected = params.flag("DisableApiTermination")?.unwrap_or_default();
    let settings = LaunchSettings {
        subnet_id,
        security_groups,
        instance_profile: instance_profile(context, params)?,
        boot_mode: image.support.boot_mode.clone(),
        ebs_optimized: params.flag("EbsOptimized")?.unwrap_or_default(),
        metadata_tokens: metadata_tokens(params, image)?,
        metadata_hop_limit: params.below("MetadataOptions").number("HttpPutResponseHopLimit")?,
        metadata_endpoint: params.below("MetadataOptions").get("HttpEndpoint").map(str::to_owned),
        metadata_ipv6: params.below("MetadataOptions").get("HttpProtocolIpv6").map(str::to_owned),
        metadata_tags: params
            .below("MetadataOptions")
            .get("InstanceMetadataTags")
            .map(str::to_owned),
        // No launch turns it off: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
        source_check_off: false,
        tenancy: params.below("Placement").get("Tenancy").map(str::to_owned),
        monitored: params.below("Monitoring").flag("Enabled")?.unwrap_or_default(),
        hibernation: if hibernated { Hibernation::Configured } else { Hibernation::Off },
        termination: if protected { Termination::Protected } else { Termination::Allowed },
        stopping: Stopping::Allowed,
        public_address: PublicAddress::None,
        purchase: Purchase::OnDemand,
        platform: None,
    };
    Ok((zone, settings))
}

/// Refuses an image that cannot run on the type. All types are Nitro's.
pub(crate) fn check_image(image: &Image, instance_type: &InstanceType) -> Result<(), Ec2Error> {
    let name = instance_type.name;
    if instance_type.architecture != image.architecture {
        return Err(Ec2Error::invalid_parameter(format!(
            "The architecture '{}' of the specified instance type does not match the \
             architecture '{}' of the specified AMI.",
            instance_type.architecture, image.architecture
        )));
    }
    if image.support.virtualization != "hvm" {
        return Err(Ec2Error::combination(format!(
            "Virtualization type 'hvm' is required for instances of type '{name}'. Ensure that \
             you are using an AMI with virtualization type 'hvm'."
        )));
    }
    if !image.support.ena {
        return Err(Ec2Error::combination(format!(
            "Enhanced networking with the Elastic Network Adapter (ENA) is required for the \
             '{name}' instance type. Ensure that you are using an AMI that is enabled for ENA."
        )));
    }
    Ok(())
}

/// The address that the request asks for.
pub(crate) fn private_ip(
    context: &ActionContext<'_>,
    params: &Params,
) -> Result<Option<String>, Ec2Error> {
    let at_interface = interface(params).and_then(|each| each.get("PrivateIpAddress"));
    let Some(address) = params.get("PrivateIpAddress").or(at_interface) else { return Ok(None) };
    let taken = context
        .region
        .instances
        .current()
        .any(|instance| instance.private_ip == address && !instance.state.is_ending());
    if taken {
        return Err(Ec2Error::new(
            "InvalidIPAddress.InUse",
            format!("Address {address} is in use."),
        ));
    }
    Ok(Some(address.to_owned()))
}

fn interface(params: &Params) -> Option<&Params> {
    params.structures("NetworkInterface").into_iter().next()
}

fn subnet(params: &Params) -> Result<Option<String>, Ec2Error> {
    match (params.get("SubnetId"), interface(params)) {
        (Some(_), Some(_)) => Err(Ec2Error::combination(
            "Network interfaces and an instance-level subnet ID may not be specified on the \
             same request",
        )),
        (Some(id), None) => Ok(Some(id.to_owned())),
        (None, interface) => Ok(interface.and_then(|each| each.get("SubnetId")).map(str::to_owned)),
    }
}

fn zone(
    context: &ActionContext<'_>,
    params: &Params,
    subnet: Option<&str>,
) -> Result<String, Ec2Error> {
    let zones = regions::zones(context.name);
    let placement = params.below("Placement");
    let asked = placement.get("AvailabilityZone");
    if let Some(unknown) = asked.filter(|zone| !zones.iter().any(|known| known == zone)) {
        return Err(Ec2Error::invalid_parameter(format!("Invalid availability zone: [{unknown}]")));
    }
    let of_subnet = subnet.map(|id| networks::zone_of_subnet(context, id)).transpose()?;
    match (asked, of_subnet) {
        (Some(asked), Some(other)) if *asked != other => Err(Ec2Error::invalid_parameter(format!(
            "The availability zone '{asked}' is not that of the specified subnet, '{other}'"
        ))),
        (_, Some(zone)) => Ok(zone),
        (Some(zone), None) => Ok(zone.to_owned()),
        (None, None) => Ok(zones.into_iter().next().unwrap_or_default()),
    }
}

fn security_groups(context: &ActionContext<'_>, params: &Params) -> Result<Vec<String>, Ec2Error> {
    let mut ids = params.values("SecurityGroupId");
    let names = params.values("SecurityGroup");
    if !names.is_empty() && params.get("SubnetId").is_some() {
        return Err(Ec2Error::combination(
            "The parameter groupName cannot be used with the parameter subnet",
        ));
    }
    if let Some(interface) = interface(params) {
        if !(ids.is_empty() && names.is_empty()) {
            return Err(Ec2Error::combination(
                "Network interfaces and an instance-level security groups may not be specified \
                 on the same request",
            ));
        }
        ids = interface.values("SecurityGroupId");
    }
    for name in &names {
        ids.push(networks::group_named(context, name)?);
    }
    networks::check_groups(context, &ids)?;
    Ok(ids)
}

fn instance_profile(
    context: &ActionContext<'_>,
    params: &Params,
) -> Result<Option<String>, Ec2Error> {
    let profile = params.below("IamInstanceProfile");
    match (profile.get("Arn"), profile.get("Name")) {
        (None, None) => Ok(None),
        (Some(arn), None) => Ok(Some(arn.to_owned())),
        (None, Some(name)) => {
            Ok(Some(format!("arn:aws:iam::{}:instance-profile/{name}", context.account)))
        }
        (Some(_), Some(_)) => Err(Ec2Error::combination(
            "The parameter iamInstanceProfile.name cannot be used with the parameter \
             iamInstanceProfile.arn",
        )),
    }
}

fn metadata_tokens(params: &Params, image: &Image) -> Result<Option<String>, Ec2Error> {
    match params.below("MetadataOptions").get("HttpTokens") {
        None => Ok(image.support.imds.as_ref().map(|_| "required".to_owned())),
        Some(known @ ("required" | "optional")) => Ok(Some(known.to_owned())),
        Some(other) => Err(Ec2Error::invalid_value(other, "MetadataOptions.HttpTokens")),
    }
}
