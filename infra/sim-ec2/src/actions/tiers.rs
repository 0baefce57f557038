//! The archive of snapshots.

use std::borrow::Cow;

use jiff::SignedDuration;

use super::{
    ActionContext, Reply,
    describe_snapshots::{check_usable, find},
    snapshots, tags,
};
use crate::{
    clock::{later, wire_time},
    errors::Ec2Error,
    filters::{Filters, one},
    paging::{Page, USUAL},
    request::Params,
    state::{
        agenda::Task,
        snapshot::Snapshot,
        tier::{StorageTier, TierChange, TierChangeKind, TierChangeStage},
    },
    xml::Xml,
};

const RESTORE_DAYS_MAX: u32 = 180;

/// `ModifySnapshotTier`: into the archive, which is the only way there is.
pub(crate) fn archive(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    match params.get("StorageTier") {
        None | Some("archive") => {}
        Some(other) => return Err(Ec2Error::invalid_value(other, "StorageTier")),
    }
    let snapshot = find(context, id)?;
    check_usable(snapshot)?;
    check_settled(snapshot)?;
    snapshots::check_unused(context, id)?;
    begin(context, id, TierChangeKind::Archival, None);
    let mut xml = Xml::default();
    xml.leaf("snapshotId", id);
    xml.leaf("tieringStartTime", wire_time(context.moment.now));
    Ok(xml)
}

/// `RestoreSnapshotTier`: out of the archive for some days or for good; of a snapshot that is out
/// of it for some days, how long it stays so.
pub(crate) fn restore(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    let days = params.number::<u32>("TemporaryRestoreDays")?;
    let permanent = params.flag("PermanentRestore")?.unwrap_or_default();
    let kind = match (days, permanent) {
        (Some(1..=RESTORE_DAYS_MAX), false) => TierChangeKind::TemporaryRestore,
        (Some(other), false) => {
            return Err(Ec2Error::invalid_value(&other.to_string(), "TemporaryRestoreDays"));
        }
        (None, true) => TierChangeKind::PermanentRestore,
        (Some(_), true) => {
            return Err(Ec2Error::combination(
                "TemporaryRestoreDays cannot be used with PermanentRestore",
            ));
        }
        (None, false) => return Err(Ec2Error::missing_parameter("TemporaryRestoreDays")),
    };
    let snapshot = find(context, id)?;
    check_settled(snapshot)?;
    let tiering = &snapshot.tiering;
    if tiering.tier == StorageTier::Standard && tiering.restored_until.is_none() {
        return Err(Ec2Error::incorrect_state(format!("The snapshot {id} is not archived.")));
    }
    begin(context, id, kind, days);
    let mut xml = Xml::default();
    xml.leaf("snapshotId", id);
    xml.leaf("restoreStartTime", wire_time(context.moment.now));
    xml.optional("restoreDuration", days);
    xml.leaf("isPermanentRestore", permanent);
    Ok(xml)
}

/// `DescribeSnapshotTierStatus`: of all snapshots that ever changed their tier.
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    const KNOWN: [&str; 3] = ["snapshot-id", "volume-id", "last-tiering-operation"];
    let filters = Filters::parse(params, &KNOWN)?;
    let page = Page::parse(params, "DescribeSnapshotTierStatus", USUAL)?;
    let changed = context
        .region
        .snapshots
        .seen_after(page.after.as_deref(), context.moment.now)
        .filter_map(|(id, each)| Some((id, (each, each.tiering.last.as_ref()?))))
        .filter(|(_, (each, last))| filters.admit(&each.tags, |name| field(each, last, name)));
    let (changed, next): (Vec<(&Snapshot, &TierChange)>, _) = page.cut(changed);
    let mut xml = Xml::default();
    xml.list("snapshotTierStatusSet", changed, |xml, (snapshot, last)| {
        xml.leaf("snapshotId", &snapshot.id);
        xml.leaf("volumeId", &snapshot.volume_id);
        xml.leaf("status", snapshot.state.name());
        xml.leaf("ownerId", context.account);
        tags::write(xml, &snapshot.tags);
        xml.leaf("storageTier", snapshot.tiering.tier.name());
        xml.leaf("lastTieringStartTime", wire_time(last.started_at));
        let progress = match last.stage {
            TierChangeStage::InProgress => 0,
            TierChangeStage::Completed => 100,
        };
        xml.leaf("lastTieringProgress", progress);
        xml.leaf("lastTieringOperationStatus", last.status());
        xml.optional("archivalCompleteTime", snapshot.tiering.archived_at.map(wire_time));
        xml.optional("restoreExpiryTime", snapshot.tiering.restored_until.map(wire_time));
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

fn field<'a>(snapshot: &'a Snapshot, last: &TierChange, name: &str) -> Vec<Cow<'a, str>> {
    match name {
        "snapshot-id" => one(&snapshot.id),
        "volume-id" => one(&snapshot.volume_id),
        "last-tiering-operation" => one(last.status()),
        _ => Vec::new(),
    }
}

fn check_settled(snapshot: &Snapshot) -> Result<(), Ec2Error> {
    match snapshot.tiering.last.as_ref().map(|last| last.stage) {
        None | Some(TierChangeStage::Completed) => Ok(()),
        Some(TierChangeStage::InProgress) => Err(Ec2Error::incorrect_state(format!(
            "The tier of the snapshot {} is being changed.",
            snapshot.id
        ))),
    }
}

fn begin(context: &mut ActionContext<'_>, id: &str, kind: TierChangeKind, days: Option<u32>) {
    let started_at = context.moment.now;
    let stage = TierChangeStage::InProgress;
    let change = TierChange { kind, stage, started_at, days };
    context.region.snapshots.change(id, context.moment, |snapshot| {
        snapshot.tiering.last = Some(change);
    });
    // What is out of the archive already needs no time.
    let at_hand = kind != TierChangeKind::Archival
        && context
            .region
            .snapshots
            .get(id)
            .is_some_and(|snapshot| snapshot.tiering.tier == StorageTier::Standard);
    let takes = if at_hand { SignedDuration::ZERO } else { context.config.tier_transition };
    context.region.agenda.plan(later(started_at, takes), Task::Tier(id.to_owned()));
}
