//! `DescribeSnapshots`, and a snapshot as EC2 writes it.

use std::borrow::Cow;

use super::{ActionContext, Reply, tags};
use crate::{
    clock::wire_time,
    errors::Ec2Error,
    filters::{Filters, maybe, one},
    ids::IdKind,
    paging::{Page, USUAL},
    request::Params,
    state::{
        snapshot::{Snapshot, SnapshotState},
        tier::StorageTier,
    },
    xml::Xml,
};

const KNOWN: [&str; 13] = [
    "description",
    "encrypted",
    "owner-alias",
    "owner-id",
    "progress",
    "snapshot-id",
    "start-time",
    "status",
    "storage-tier",
    "tag-key",
    "transfer-type",
    "volume-id",
    "volume-size",
];

/// `DescribeSnapshots`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = params.values("SnapshotId");
    Page::refuse_with_ids(params, "SnapshotId")?;
    let page = Page::parse(params, "DescribeSnapshots", USUAL)?;
    let filters = Filters::parse(params, &KNOWN)?;
    let context = &*context;
    let owned = owned_by_us(params, context);
    let admitted = |snapshot: &Snapshot| {
        owned && filters.admit(&snapshot.tags, |name| field(snapshot, name, context))
    };
    let (now, shelf) = (context.moment.now, &context.region.snapshots);
    let (snapshots, next) = if !ids.is_empty() {
        let mut found = Vec::new();
        for id in &ids {
            IdKind::Snapshot.check(id)?;
            found.push(shelf.seen(id, now).ok_or_else(|| IdKind::Snapshot.not_found(id))?);
        }
        found.retain(|snapshot| admitted(snapshot));
        (found, None)
    } else if let Some(exact) = filters.exact("snapshot-id") {
        let after = page.after.as_deref().unwrap_or_default();
        let named = exact.iter().filter(|id| id.as_str() > after);
        page.cut(
            named
                .filter_map(|id| Some((id.as_str(), shelf.seen(id, now)?)))
                .filter(|(_, snapshot)| admitted(snapshot)),
        )
    } else {
        page.cut(
            shelf.seen_after(page.after.as_deref(), now).filter(|(_, snapshot)| admitted(snapshot)),
        )
    };
    let mut xml = Xml::default();
    xml.list("snapshotSet", snapshots, |xml, snapshot| write(xml, snapshot, context));
    xml.optional("nextToken", next);
    Ok(xml)
}

/// A snapshot as EC2 writes it.
pub(crate) fn write(xml: &mut Xml, snapshot: &Snapshot, context: &ActionContext<'_>) {
    let now = context.moment.now;
    xml.leaf("snapshotId", &snapshot.id);
    xml.leaf("volumeId", &snapshot.volume_id);
    xml.leaf("status", snapshot.state.name());
    xml.optional("statusMessage", snapshot.state_message.as_ref());
    xml.leaf("startTime", wire_time(snapshot.started_at));
    xml.leaf("progress", snapshot.progress(now));
    xml.leaf("ownerId", &context.config.account);
    xml.leaf("volumeSize", snapshot.volume_size_gib);
    xml.leaf("description", &snapshot.description);
    xml.leaf("encrypted", snapshot.encrypted);
    tags::write(xml, &snapshot.tags);
    xml.leaf("storageTier", snapshot.tiering.tier.name());
    xml.optional("restoreExpiryTime", snapshot.tiering.restored_until.map(wire_time));
    xml.optional("kmsKeyId", snapshot.kms_key_id.as_ref());
    xml.optional("transferType", snapshot.copy_of.as_ref().map(|_| "standard"));
    xml.leaf("sseType", if snapshot.encrypted { "sse-kms" } else { "none" });
    match snapshot.state {
        SnapshotState::Pending | SnapshotState::Error => {}
        SnapshotState::Completed => {
            xml.leaf("fullSnapshotSizeInBytes", snapshot.full_size_bytes);
            xml.leaf("completionTime", wire_time(snapshot.completes_at));
        }
    }
}

fn owned_by_us(params: &Params, context: &ActionContext<'_>) -> bool {
    let owners = params.values("Owner");
    owners.is_empty()
        || owners.iter().any(|owner| owner == "self" || *owner == context.config.account)
}

fn field<'a>(snapshot: &'a Snapshot, name: &str, context: &ActionContext<'_>) -> Vec<Cow<'a, str>> {
    match name {
        "description" => one(&snapshot.description),
        "encrypted" => one(snapshot.encrypted.to_string()),
        "owner-id" => one(context.config.account.clone()),
        "progress" => one(snapshot.progress(context.moment.now)),
        "snapshot-id" => one(&snapshot.id),
        "start-time" => one(wire_time(snapshot.started_at)),
        "status" => one(snapshot.state.name()),
        "storage-tier" => one(snapshot.tiering.tier.name()),
        "transfer-type" => maybe(snapshot.copy_of.as_ref().map(|_| "standard")),
        "volume-id" => one(&snapshot.volume_id),
        "volume-size" => one(snapshot.volume_size_gib.to_string()),
        _ => Vec::new(),
    }
}

/// The snapshot `id` as changing calls see it.
pub(crate) fn find<'a>(context: &'a ActionContext<'_>, id: &str) -> Result<&'a Snapshot, Ec2Error> {
    IdKind::Snapshot.check(id)?;
    context.region.snapshots.get(id).ok_or_else(|| IdKind::Snapshot.not_found(id))
}

/// The snapshot `id`, when volumes can be made of it.
pub(crate) fn find_usable<'a>(
    context: &'a ActionContext<'_>,
    id: &str,
) -> Result<&'a Snapshot, Ec2Error> {
    let snapshot = find(context, id)?;
    check_usable(snapshot)?;
    Ok(snapshot)
}

/// Refuses a snapshot that is not complete, or in the archive.
pub(crate) fn check_usable(snapshot: &Snapshot) -> Result<(), Ec2Error> {
    match snapshot.state {
        SnapshotState::Completed => {}
        SnapshotState::Pending | SnapshotState::Error => {
            return Err(Ec2Error::incorrect_state(format!(
                "Snapshot is in invalid state - {}",
                snapshot.state.name()
            )));
        }
    }
    match snapshot.tiering.tier {
        StorageTier::Standard => Ok(()),
        StorageTier::Archive => Err(Ec2Error::incorrect_state(format!(
            "The snapshot {} is archived and must be restored first.",
            snapshot.id
        ))),
    }
}
