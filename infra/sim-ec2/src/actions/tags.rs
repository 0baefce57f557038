//! Tags: what may be one, and the calls that put them on and take them off.

use std::collections::BTreeMap;

use super::{ActionContext, Reply, done};
use crate::{
    errors::Ec2Error,
    filters::{Filters, one},
    ids::IdKind,
    paging::{Page, USUAL},
    request::Params,
    state::{Region, Tags},
    xml::Xml,
};

const TAGS_MAX: usize = 50;
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;
const RESOURCES_MAX: usize = 1000;

/// `CreateTags`: on all the resources, or on none of them.
pub(crate) fn create(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = resources(context, params)?;
    let added = parse(&params.structures("Tag"))?;
    if added.is_empty() {
        return Err(Ec2Error::missing_parameter("Tag"));
    }
    for id in &ids {
        let mut tags = tags_of(context.region, id).cloned().unwrap_or_default();
        tags.extend(added.clone());
        check_count(&tags)?;
    }
    for id in &ids {
        change(context, id, |tags| tags.extend(added.clone()));
    }
    Ok(done())
}

/// `DeleteTags`: those named; with a value only those that have it, without tags all of them.
pub(crate) fn delete(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = resources(context, params)?;
    let mut named: BTreeMap<String, Option<String>> = BTreeMap::new();
    for tag in params.structures("Tag") {
        let key = tag.required("Key")?;
        check_key(key)?;
        named.insert(key.to_owned(), tag.given("Value").map(str::to_owned));
    }
    for id in &ids {
        change(context, id, |tags| {
            tags.retain(|key, value| {
                if named.is_empty() {
                    return key.starts_with("aws:");
                }
                match named.get(key) {
                    None => true,
                    Some(None) => false,
                    Some(Some(wanted)) => value != wanted,
                }
            });
        });
    }
    Ok(done())
}

/// `DescribeTags`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    const KNOWN: [&str; 5] = ["key", "resource-id", "resource-type", "value", "tag-key"];
    let filters = Filters::parse(params, &KNOWN)?;
    let page = Page::parse(params, "DescribeTags", USUAL)?;
    let mut all: BTreeMap<String, (&str, &str, &str)> = BTreeMap::new();
    for (id, tags) in seen(context) {
        let kind = IdKind::of(id).map_or("", IdKind::resource_type);
        for (key, value) in tags {
            let single = Tags::from([(key.clone(), value.clone())]);
            let admitted = filters.admit(&single, |field| match field {
                "key" => one(key.clone()),
                "resource-id" => one(id.to_owned()),
                "resource-type" => one(kind),
                "value" => one(value.clone()),
                _ => Vec::new(),
            });
            if admitted {
                all.insert(format!("{id} {key}"), (id, key, value));
            }
        }
    }
    let after = page.after.clone();
    let rest = all
        .iter()
        .filter(|(place, _)| after.as_ref().is_none_or(|after| *place > after))
        .map(|(place, tag)| (place.as_str(), *tag));
    let (tags, next) = page.cut(rest);
    let mut xml = Xml::default();
    xml.list("tagSet", tags, |xml, (id, key, value)| {
        xml.leaf("resourceId", id);
        xml.leaf("resourceType", IdKind::of(id).map_or("", IdKind::resource_type));
        xml.leaf("key", key);
        xml.leaf("value", value);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// The `tagSet` of an object.
pub(crate) fn write(xml: &mut Xml, tags: &Tags) {
    xml.list("tagSet", tags, |xml, (key, value)| {
        xml.leaf("key", key);
        xml.leaf("value", value);
    });
}

/// The tags that `TagSpecification` gives to `kind`; kinds that are not `allowed` are refused.
pub(crate) fn specified(
    params: &Params,
    kind: IdKind,
    allowed: &[IdKind],
) -> Result<Tags, Ec2Error> {
    let mut tags = Tags::new();
    for specification in params.structures("TagSpecification") {
        let resource_type = specification.required("ResourceType")?;
        if !allowed.iter().any(|kind| kind.resource_type() == resource_type) {
            return Err(Ec2Error::invalid_parameter(format!(
                "'{resource_type}' is not a valid taggable resource type for this operation."
            )));
        }
        let given = parse(&specification.structures("Tag"))?;
        if resource_type == kind.resource_type() {
            tags.extend(given);
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

/// Refuses more tags than an object can have.
pub(crate) fn check_count(tags: &Tags) -> Result<(), Ec2Error> {
    let own = tags.keys().filter(|key| !key.starts_with("aws:")).count();
    if own > TAGS_MAX {
        return Err(Ec2Error::new(
            "TagLimitExceeded",
            format!("The maximum number of Tags for a resource has been reached: {TAGS_MAX}"),
        ));
    }
    Ok(())
}

fn parse(members: &[&Params]) -> Result<Tags, Ec2Error> {
    let mut tags = Tags::new();
    for tag in members {
        let key = tag.required("Key")?;
        let value = tag.given("Value").unwrap_or_default();
        check_key(key)?;
        if value.chars().count() > VALUE_MAX {
            return Err(Ec2Error::invalid_parameter(format!(
                "Tag value exceeds the maximum length of {VALUE_MAX} characters"
            )));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Ec2Error::invalid_parameter(format!(
                "Duplicate tag key '{key}' specified."
            )));
        }
    }
    Ok(tags)
}

fn check_key(key: &str) -> Result<(), Ec2Error> {
    if key.to_ascii_lowercase().starts_with("aws:") {
        // As recorded in <https://github.com/cloud-custodian/cloud-custodian/issues/5975>.
        return Err(Ec2Error::invalid_parameter(format!(
            "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved \
             for internal use"
        )));
    }
    if key.chars().count() > KEY_MAX {
        return Err(Ec2Error::invalid_parameter(format!(
            "Tag key exceeds the maximum length of {KEY_MAX} characters"
        )));
    }
    Ok(())
}

fn resources(context: &ActionContext<'_>, params: &Params) -> Result<Vec<String>, Ec2Error> {
    let ids = params.required_values("ResourceId")?;
    if ids.len() > RESOURCES_MAX {
        return Err(Ec2Error::invalid_parameter(format!(
            "You can specify at most {RESOURCES_MAX} resources"
        )));
    }
    for id in &ids {
        let kind = IdKind::of(id)
            .ok_or_else(|| Ec2Error::new("InvalidID", format!("The ID '{id}' is not valid")))?;
        kind.check(id)?;
        if tags_of(context.region, id).is_none() {
            return Err(kind.not_found(id));
        }
    }
    Ok(ids)
}

/// The tags of whatever bears this id.
pub(crate) fn tags_of<'a>(region: &'a Region, id: &str) -> Option<&'a Tags> {
    match IdKind::of(id)? {
        IdKind::Instance => region.instances.get(id).map(|instance| &instance.tags),
        IdKind::Volume => region.volumes.get(id).map(|volume| &volume.tags),
        IdKind::Snapshot => match region.snapshots.get(id) {
            Some(snapshot) => Some(&snapshot.tags),
            None => region.recycle_bin.snapshots.get(id).map(|each| &each.snapshot.tags),
        },
        IdKind::Image => region.images.get(id).map(|image| &image.tags),
        IdKind::RootReplacement => region.root_replacements.get(id).map(|task| &task.tags),
    }
}

fn change(context: &mut ActionContext<'_>, id: &str, change: impl FnOnce(&mut Tags)) {
    let (region, moment) = (&mut *context.region, context.moment);
    match IdKind::of(id) {
        None => {}
        Some(IdKind::Instance) => {
            region.instances.change(id, moment, |each| change(&mut each.tags));
        }
        Some(IdKind::Volume) => region.volumes.change(id, moment, |each| change(&mut each.tags)),
        Some(IdKind::Snapshot) => match region.recycle_bin.snapshots.get_mut(id) {
            Some(recycled) => change(&mut recycled.snapshot.tags),
            None => region.snapshots.change(id, moment, |each| change(&mut each.tags)),
        },
        Some(IdKind::Image) => region.images.change(id, moment, |each| change(&mut each.tags)),
        Some(IdKind::RootReplacement) => {
            region.root_replacements.change(id, moment, |each| change(&mut each.tags));
        }
    }
}

fn seen<'a>(context: &'a ActionContext<'_>) -> Vec<(&'a str, &'a Tags)> {
    let now = context.moment.now;
    let region = &*context.region;
    let mut all: Vec<(&str, &Tags)> = Vec::new();
    all.extend(region.instances.seen_after(None, now).map(|(id, each)| (id, &each.tags)));
    all.extend(region.volumes.seen_after(None, now).map(|(id, each)| (id, &each.tags)));
    all.extend(region.snapshots.seen_after(None, now).map(|(id, each)| (id, &each.tags)));
    all.extend(region.images.seen_after(None, now).map(|(id, each)| (id, &each.tags)));
    all.extend(region.root_replacements.seen_after(None, now).map(|(id, each)| (id, &each.tags)));
    all
}
