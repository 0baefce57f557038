//! `DescribeSubnets` and `DescribeSecurityGroups`.

use super::{ActionContext, Reply, networks};
use crate::{
    errors::Ec2Error,
    filters::{Filters, one},
    paging::{Page, USUAL},
    request::Params,
    state::Tags,
    xml::Xml,
};

/// `DescribeSubnets`
pub(crate) fn subnets(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let known = ["availability-zone", "state", "subnet-id", "vpc-id"];
    let vpc = networks::vpc_id(context.name);
    let all = networks::subnets(context).into_iter().map(|(id, zone)| {
        let field = vec![("availability-zone", zone.clone()), ("state", "available".to_owned())];
        (id, zone, field)
    });
    let named = params.values("SubnetId");
    for id in &named {
        networks::zone_of_subnet(context, id)?;
    }
    let asked = Asked::parse(params, "DescribeSubnets", &known, named)?;
    let (shown, next) = asked.shown(all, "subnet-id", &vpc);
    let mut xml = Xml::default();
    xml.list("subnetSet", shown, |xml, (id, zone)| {
        xml.leaf("subnetId", id);
        xml.leaf("state", "available");
        xml.leaf("vpcId", &vpc);
        xml.leaf("availabilityZone", zone);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// `DescribeSecurityGroups`
pub(crate) fn groups(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let known = ["group-id", "group-name", "vpc-id"];
    let vpc = networks::vpc_id(context.name);
    let all = networks::groups(context).into_iter().map(|(id, name)| {
        let field = vec![("group-name", name.clone())];
        (id, name, field)
    });
    let named = params.values("GroupId");
    networks::check_groups(context, &named)?;
    let asked = Asked::parse(params, "DescribeSecurityGroups", &known, named)?;
    let (shown, next) = asked.shown(all, "group-id", &vpc);
    let mut xml = Xml::default();
    xml.list("securityGroupInfo", shown, |xml, (id, name)| {
        xml.leaf("ownerId", context.account);
        xml.leaf("groupId", id);
        xml.leaf("groupName", name);
        xml.leaf("groupDescription", "");
        xml.leaf("vpcId", &vpc);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// What a call asks for.
struct Asked {
    filters: Filters,
    page: Page,
    named: Vec<String>,
}

impl Asked {
    fn parse(
        params: &Params,
        action: &'static str,
        known: &[&str],
        named: Vec<String>,
    ) -> Result<Self, Ec2Error> {
        let filters = Filters::parse(params, known)?;
        Ok(Self { filters, page: Page::parse(params, action, USUAL)?, named })
    }

    /// The things of this page, by id, and what the next one begins with. Each comes with the values of its filters.
    fn shown(
        self,
        all: impl Iterator<Item = (String, String, Vec<(&'static str, String)>)>,
        id_filter: &str,
        vpc: &str,
    ) -> (Vec<(String, String)>, Option<String>) {
        let no_tags = Tags::new();
        let admitted: Vec<(String, String)> = all
            .filter(|(id, _, fields)| {
                let is_named = self.named.is_empty() || self.named.contains(id);
                is_named
                    && self.filters.admit(&no_tags, |field| match field {
                        "vpc-id" => one(vpc.to_owned()),
                        field if field == id_filter => one(id.clone()),
                        field => fields
                            .iter()
                            .filter(|(name, _)| *name == field)
                            .flat_map(|(_, value)| one(value.clone()))
                            .collect(),
                    })
            })
            .map(|(id, about, _)| (id, about))
            .collect();
        let after = self.page.after.clone();
        let rest = admitted
            .iter()
            .filter(|(id, _)| after.as_ref().is_none_or(|after| id > after))
            .map(|one| (one.0.as_str(), one.clone()));
        self.page.cut(rest)
    }
}
