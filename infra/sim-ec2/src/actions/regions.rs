//! Regions and Availability Zones.

use super::{ActionContext, Reply};
use crate::{
    errors::Ec2Error,
    filters::{Filters, one},
    request::Params,
    state::Tags,
    xml::Xml,
};

/// The Regions that are listed. Requests for others are answered as well.
const REGIONS: [&str; 8] = [
    "ap-northeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

const ZONE_LETTERS: [&str; 3] = ["a", "b", "c"];

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
    let all = zones(context.name);
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        return Err(Ec2Error::invalid_parameter(format!("Invalid availability zone: [{unknown}]")));
    }
    let no_tags = Tags::new();
    let zones = all.iter().enumerate().filter(|(index, zone)| {
        let wanted = named.is_empty() || named.contains(zone);
        wanted
            && filters.admit(&no_tags, |field| match field {
                "zone-name" => one(*zone),
                "zone-id" => one(zone_id(context.name, *index)),
                "region-name" => one(context.name.to_owned()),
                "state" => one("available"),
                _ => one("availability-zone"),
            })
    });
    let mut xml = Xml::default();
    xml.list("availabilityZoneInfo", zones, |xml, (index, zone)| {
        xml.leaf("zoneName", zone);
        xml.leaf("zoneState", "available");
        xml.leaf("regionName", context.name);
        xml.leaf("zoneId", zone_id(context.name, index));
        xml.leaf("groupName", context.name);
        xml.leaf("networkBorderGroup", context.name);
        xml.leaf("zoneType", "availability-zone");
        xml.leaf("optInStatus", "opt-in-not-required");
    });
    Ok(xml)
}

/// The names of a Region's zones.
pub(crate) fn zones(region: &str) -> Vec<String> {
    ZONE_LETTERS.iter().map(|letter| format!("{region}{letter}")).collect()
}

fn endpoint(region: &str) -> String {
    format!("ec2.{region}.amazonaws.com")
}

/// For example `use1-az1` for the first zone of us-east-1.
fn zone_id(region: &str, index: usize) -> String {
    let mut short = String::new();
    for (position, part) in region.split('-').enumerate() {
        match position {
            1 => short.push_str(&abbreviated(part)),
            _ => short.push_str(part),
        }
    }
    format!("{short}-az{}", index + 1)
}

fn abbreviated(direction: &str) -> String {
    match direction {
        "northeast" => "ne".to_owned(),
        "southeast" => "se".to_owned(),
        "northwest" => "nw".to_owned(),
        "southwest" => "sw".to_owned(),
        other => other.chars().take(1).collect(),
    }
}
