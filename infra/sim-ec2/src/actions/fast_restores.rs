//! Fast snapshot restore: switched on and off by snapshot and zone, and listed.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{ActionContext, Reply, describe_snapshots, regions};
use crate::{
    clock::wire_time,
    errors::Ec2Error,
    filters::{Filters, one},
    ids::IdKind,
    paging::{Page, USUAL},
    request::Params,
    state::{
        fast_restore::{FastRestore, FastRestoreState},
        snapshot::Snapshot,
    },
    xml::Xml,
};

/// How many snapshots of a Region may have it ("Snapshots enabled for fast snapshot restore: up to 5 per Region" of
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-fast-snapshot-restore.html>).
const SNAPSHOTS_MAX: usize = 5;
/// The largest volume that it is for, in GiB.
const SIZE_GIB_MAX: u32 = 16 * 1_024;

/// One that succeeded or failed: snapshot, zone, and why it failed.
struct Outcome {
    snapshot_id: String,
    zone: String,
    error: Option<Ec2Error>,
}

/// `EnableFastSnapshotRestores`: each pair by itself.
pub(crate) fn enable(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let now = context.moment.now;
    switch(context, params, |context, id, zone| {
        let snapshot = describe_snapshots::find_usable(context, id)?;
        if snapshot.volume_size_gib > SIZE_GIB_MAX {
            return Err(Ec2Error::invalid_parameter(format!(
                "The snapshot {id} is larger than {SIZE_GIB_MAX} GiB"
            )));
        }
        let is_on = |each: &&Snapshot| zones_on(each, now).next().is_some();
        let others = context.region.snapshots.current().filter(|each| each.id != id);
        if others.filter(is_on).count() >= SNAPSHOTS_MAX {
            return Err(Ec2Error::new(
                "FastSnapshotRestoreLimitExceeded",
                format!("At most {SNAPSHOTS_MAX} snapshots may be enabled for fast restores"),
            ));
        }
        context.region.snapshots.note(id, |snapshot| {
            let is_off =
                snapshot.fast_restores.get(zone).is_none_or(|each| each.disabling_at.is_some());
            if is_off {
                let new = FastRestore { enabling_at: now, disabling_at: None };
                snapshot.fast_restores.insert(zone.to_owned(), new);
            }
        });
        Ok(())
    })
}

/// `DisableFastSnapshotRestores`: each pair by itself.
pub(crate) fn disable(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let now = context.moment.now;
    switch(context, params, |context, id, zone| {
        let snapshot = describe_snapshots::find(context, id)?;
        if !zones_on(snapshot, now).any(|on| on == zone) {
            return Err(Ec2Error::new(
                "InvalidParameterValue",
                format!("The snapshot {id} is not enabled for fast restores in {zone}"),
            ));
        }
        context.region.snapshots.note(id, |snapshot| {
            if let Some(each) = snapshot.fast_restores.get_mut(zone) {
                each.disabling_at.get_or_insert(now);
            }
        });
        Ok(())
    })
}

/// `DescribeFastSnapshotRestores`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    const KNOWN: [&str; 4] = ["availability-zone", "owner-id", "snapshot-id", "state"];
    let filters = Filters::parse(params, &KNOWN)?;
    let page = Page::parse(params, "DescribeFastSnapshotRestores", USUAL)?;
    let (now, account) = (context.moment.now, context.account);
    let mut all: Vec<(String, (&Snapshot, &str, &FastRestore))> = Vec::new();
    for (id, snapshot) in context.region.snapshots.seen_after(None, now) {
        for (zone, each) in &snapshot.fast_restores {
            let state = each.state(snapshot.volume_size_gib, now);
            let admitted = filters.admit(&snapshot.tags, |name| match name {
                "availability-zone" => one(zone.clone()),
                "owner-id" => one(account),
                "snapshot-id" => one(id.to_owned()),
                "state" => one(Cow::Borrowed(state.name())),
                _ => Vec::new(),
            });
            if admitted {
                all.push((format!("{id} {zone}"), (snapshot, zone, each)));
            }
        }
    }
    let after = page.after.clone();
    let rest = all.iter().filter(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    let (found, next) = page.cut(rest.map(|(place, one)| (place.as_str(), *one)));
    let mut xml = Xml::default();
    xml.list("fastSnapshotRestoreSet", found, |xml, (snapshot, zone, each)| {
        write(xml, context, (snapshot, zone, each));
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// The zones in which a snapshot is enabled for fast restores, or is being: in each of them it stands in the way.
pub(crate) fn zones_on(snapshot: &Snapshot, now: Timestamp) -> impl Iterator<Item = &str> {
    let size = snapshot.volume_size_gib;
    let on = snapshot.fast_restores.iter().filter(move |(_, each)| match each.state(size, now) {
        FastRestoreState::Enabling
        | FastRestoreState::Optimizing
        | FastRestoreState::Enabled
        | FastRestoreState::Disabling => true,
        FastRestoreState::Disabled => false,
    });
    on.map(|(zone, _)| zone.as_str())
}

fn switch(
    context: &mut ActionContext<'_>,
    params: &Params,
    mut change: impl FnMut(&mut ActionContext<'_>, &str, &str) -> Result<(), Ec2Error>,
) -> Reply {
    let ids = params.required_values("SourceSnapshotId")?;
    let zones = params.required_values("AvailabilityZone")?;
    for id in &ids {
        IdKind::Snapshot.check(id)?;
    }
    if let Some(unknown) = zones.iter().find(|zone| !regions::zones(context.name).contains(zone)) {
        return Err(Ec2Error::invalid_parameter(format!("Invalid availability zone: [{unknown}]")));
    }
    let mut outcomes = Vec::new();
    for snapshot_id in ids {
        for zone in &zones {
            let error = change(context, &snapshot_id, zone).err();
            outcomes.push(Outcome { snapshot_id: snapshot_id.clone(), zone: zone.clone(), error });
        }
    }
    let mut xml = Xml::default();
    let succeeded = outcomes.iter().filter(|one| one.error.is_none());
    xml.list("successful", succeeded, |xml, one| {
        if let Some(snapshot) = context.region.snapshots.get(&one.snapshot_id)
            && let Some(each) = snapshot.fast_restores.get(&one.zone)
        {
            write(xml, context, (snapshot, &one.zone, each));
        }
    });
    let failed = outcomes.iter().filter_map(|one| Some((one, one.error.as_ref()?)));
    xml.list("unsuccessful", failed, |xml, (one, error)| {
        xml.leaf("snapshotId", &one.snapshot_id);
        xml.list("fastSnapshotRestoreStateErrorSet", [()], |xml, ()| {
            xml.leaf("availabilityZone", &one.zone);
            xml.element("error", |xml| {
                xml.leaf("code", &error.code);
                xml.leaf("message", &error.message);
            });
        });
    });
    Ok(xml)
}

fn write(
    xml: &mut Xml,
    context: &ActionContext<'_>,
    (snapshot, zone, each): (&Snapshot, &str, &FastRestore),
) {
    let (size, now) = (snapshot.volume_size_gib, context.moment.now);
    let passed = |at: Timestamp| {
        (at <= now && each.disabling_at.is_none_or(|end| at <= end)).then(|| wire_time(at))
    };
    xml.leaf("snapshotId", &snapshot.id);
    xml.leaf("availabilityZone", zone);
    xml.leaf("state", each.state(size, now).name());
    xml.leaf("stateTransitionReason", "Client.UserInitiated");
    xml.leaf("ownerId", context.account);
    xml.leaf("enablingTime", wire_time(each.enabling_at));
    xml.optional("optimizingTime", passed(each.optimizing_at()));
    xml.optional("enabledTime", passed(each.enabled_at(size)));
    xml.optional("disablingTime", each.disabling_at.map(wire_time));
    xml.optional("disabledTime", each.disabled_at().filter(|at| *at <= now).map(wire_time));
}
