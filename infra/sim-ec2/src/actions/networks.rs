//! The Region's one network: its subnets and security groups; and its key pairs.

use std::collections::BTreeMap;

use super::ActionContext;
use crate::{errors::Ec2Error, ids, state::instance::Instance};

/// The default network of the Region, the same in every run.
pub(crate) fn vpc_id(region: &str) -> String {
    format!("vpc-0{}", digits(region))
}

/// The default subnet of a zone.
fn default_subnet_id(zone: &str) -> String {
    format!("subnet-0{}", digits(zone))
}

fn default_group_id(region: &str) -> String {
    format!("sg-0{}", digits(&format!("{region} default")))
}

fn digits(place: &str) -> String {
    ids::hex(0, &["network", place]).chars().take(16).collect()
}

/// The subnet that the instance is in.
pub(crate) fn subnet_of(instance: &Instance) -> String {
    instance.settings.subnet_id.clone().unwrap_or_else(|| default_subnet_id(&instance.zone))
}

/// The security groups of the instance: ids and names.
pub(crate) fn groups_of(instance: &Instance, context: &ActionContext<'_>) -> Vec<(String, String)> {
    let security_groups = &instance.settings.security_groups;
    if security_groups.is_empty() {
        return vec![(default_group_id(context.name), "default".to_owned())];
    }
    let named = |id: &String| (id.clone(), group_name(context, id).unwrap_or_default());
    security_groups.iter().map(named).collect()
}

/// All subnets, with their zones.
pub(crate) fn subnets(context: &ActionContext<'_>) -> BTreeMap<String, String> {
    let zones = super::regions::zones(context.name).into_iter();
    let default = zones.map(|zone| (default_subnet_id(&zone), zone));
    default.chain(context.region.network.subnets.clone()).collect()
}

/// All security groups, with their names.
pub(crate) fn groups(context: &ActionContext<'_>) -> BTreeMap<String, String> {
    let default = (default_group_id(context.name), "default".to_owned());
    context.region.network.groups.clone().into_iter().chain([default]).collect()
}

/// Refuses a key pair that there is not.
pub(crate) fn check_key(context: &ActionContext<'_>, name: Option<&str>) -> Result<(), Ec2Error> {
    match name.filter(|name| !context.region.network.keys.contains(*name)) {
        None => Ok(()),
        Some(unknown) => Err(Ec2Error::new(
            "InvalidKeyPair.NotFound",
            format!("The key pair '{unknown}' does not exist"),
        )),
    }
}

/// The zone that a subnet is in.
pub(crate) fn zone_of_subnet(context: &ActionContext<'_>, id: &str) -> Result<String, Ec2Error> {
    subnets(context).remove(id).ok_or_else(|| {
        Ec2Error::new("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
    })
}

/// Refuses security groups that there are not.
pub(crate) fn check_groups(context: &ActionContext<'_>, ids: &[String]) -> Result<(), Ec2Error> {
    match ids.iter().find(|id| group_name(context, id).is_none()) {
        None => Ok(()),
        Some(unknown) => Err(unknown_group(context, unknown)),
    }
}

/// The security group of this name.
pub(crate) fn group_named(context: &ActionContext<'_>, name: &str) -> Result<String, Ec2Error> {
    if name == "default" {
        return Ok(default_group_id(context.name));
    }
    let found = context.region.network.groups.iter().find(|(_, known)| *known == name);
    found.map(|(id, _)| id.clone()).ok_or_else(|| unknown_group(context, name))
}

fn group_name(context: &ActionContext<'_>, id: &str) -> Option<String> {
    if id == default_group_id(context.name) {
        return Some("default".to_owned());
    }
    context.region.network.groups.get(id).cloned()
}

fn unknown_group(context: &ActionContext<'_>, group: &str) -> Ec2Error {
    let vpc = vpc_id(context.name);
    Ec2Error::new(
        "InvalidGroup.NotFound",
        format!("The security group '{group}' does not exist in VPC '{vpc}'"),
    )
}
