//! Regions and Availability Zones.

use super::{ActionContext, Reply};
use crate::{
    errors::Ec2Error,
    filters::{Filters, one},
    request::Params,
    state::Tags,
    xml::Xml,
    zones,
};

/// The Regions that are listed: those that every account has without asking for them
/// (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>). Requests for others are answered as well.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// `DescribeRegions`
pub(crate) fn describe_regions(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let filters = Filters::parse(params, &["region-name", "opt-in-status", "endpoint"])?;
    let named = params.values("RegionName");
    let mut all: Vec<&str> = REGIONS.to_vec();
    if !all.contains(&context.name) {
        all.push(context.name);
    }
    if let Some(unknown) = named.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(Ec2Error::invalid_parameter(format!("Invalid region: [{unknown}]")));
    }
    let no_tags = Tags::new();
    let regions = all.into_iter().filter(|region| {
        let wanted = named.is_empty() || named.iter().any(|name| name == region);
        wanted
            && filters.admit(&no_tags, |field| match field {
                "region-name" => one((*region).to_owned()),
                "opt-in-status" => one("opt-in-not-required"),
                _ => one(endpoint(region)),
            })
    });
    let mut xml = Xml::default();
    xml.list("regionInfo", regions, |xml, region| {
        xml.leaf("regionName", region);
        xml.leaf("regionEndpoint", endpoint(region));
        xml.leaf("optInStatus", "opt-in-not-required");
    });
    Ok(xml)
}

/// `DescribeAvailabilityZones`
pub(crate) fn describe_zones(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let filters =
        Filters::parse(params, &["zone-name", "zone-id", "region-name", "state", "zone-type"])?;
    let named = params.values("ZoneName");
    let all = zones::zones(context.name);
    if let Some(unknown) = named.iter().find(|name| all.iter().all(|zone| zone.name != **name)) {
        return Err(Ec2Error::invalid_parameter(format!("Invalid availability zone: [{unknown}]")));
    }
    let no_tags = Tags::new();
    let zones = all.iter().filter(|zone| {
        let wanted = named.is_empty() || named.contains(&zone.name);
        wanted
            && filters.admit(&no_tags, |field| match field {
                "zone-name" => one(zone.name.clone()),
                "zone-id" => one(zone.id.clone()),
                "region-name" => one(context.name.to_owned()),
                "state" => one("available"),
                _ => one("availability-zone"),
            })
    });
    let mut xml = Xml::default();
    xml.list("availabilityZoneInfo", zones, |xml, zone| {
        xml.leaf("zoneName", &zone.name);
        xml.leaf("zoneState", "available");
        xml.leaf("regionName", context.name);
        xml.leaf("zoneId", &zone.id);
        xml.leaf("groupName", context.name);
        xml.leaf("networkBorderGroup", context.name);
        xml.leaf("zoneType", "availability-zone");
        xml.leaf("optInStatus", "opt-in-not-required");
    });
    Ok(xml)
}

/// The names of a Region's zones.
pub(crate) fn zones(region: &str) -> Vec<String> {
    zones::zones(region).into_iter().map(|zone| zone.name).collect()
}

fn endpoint(region: &str) -> String {
    format!("ec2.{region}.amazonaws.com")
}
