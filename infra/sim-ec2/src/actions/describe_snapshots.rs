//! `DescribeSnapshots`, and a snapshot as EC2 writes it.

use std::borrow::Cow;
use std::collections::BTreeMap;

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
    let owners = Owners::parse(params, context);
    let users = restorers(params, context);
    let admitted = |(owner, snapshot): &(&str, &Snapshot)| {
        let may = |user: &String| user == owner || snapshot.shared_with.contains(user);
        let wanted = owners.admit(owner) && (users.is_empty() || users.iter().any(may));
        wanted && filters.admit(&snapshot.tags, |name| field((*owner, *snapshot), name, context))
    };
    let (snapshots, next) = if !ids.is_empty() {
        let mut found = Vec::new();
        for id in &ids {
            IdKind::Snapshot.check(id)?;
            found.push(readable(context, id).ok_or_else(|| IdKind::Snapshot.not_found(id))?);
        }
        found.retain(admitted);
        (found, None)
    } else if let Some(exact) = filters.exact("snapshot-id") {
        let after = page.after.as_deref().unwrap_or_default();
        let named = exact.iter().filter(|id| id.as_str() > after);
        let found = named.filter_map(|id| Some((id.as_str(), readable(context, id)?)));
        page.cut(found.filter(|(_, one)| admitted(one)))
    } else {
        let (after, now) = (page.after.as_deref(), context.moment.now);
        let own = context.region.snapshots.seen_after(after, now);
        let own = own.map(|(id, snapshot)| (id, (context.account, snapshot)));
        let shared = shared_with_us(context);
        if shared.is_empty() {
            page.cut(own.filter(|(_, one)| admitted(one)))
        } else {
            let after = after.unwrap_or_default();
            let shared = shared.into_iter().filter(|(id, _)| *id > after);
            let all: BTreeMap<&str, (&str, &Snapshot)> = own.chain(shared).collect();
            page.cut(all.into_iter().filter(|(_, one)| admitted(one)))
        }
    };
    let mut xml = Xml::default();
    xml.list("snapshotSet", snapshots, |xml, one| write_of(xml, one, context));
    xml.optional("nextToken", next);
    Ok(xml)
}

/// Whose snapshots are asked for.
struct Owners(Vec<String>);

impl Owners {
    fn parse(params: &Params, context: &ActionContext<'_>) -> Self {
        let named = params.values("Owner").into_iter();
        Self(
            named.map(|one| if one == "self" { context.account.to_owned() } else { one }).collect(),
        )
    }

    fn admit(&self, owner: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|one| one == owner)
    }
}

/// The accounts that are to be allowed to make volumes of what is asked for; `all` is everybody
/// (`RestorableBy` of <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html>).
fn restorers(params: &Params, context: &ActionContext<'_>) -> Vec<String> {
    let named = params.values("RestorableBy").into_iter();
    named.map(|one| if one == "self" { context.account.to_owned() } else { one }).collect()
}

/// What other accounts share with this one, or with everybody.
fn shared_with_us<'a>(context: &'a ActionContext<'_>) -> Vec<(&'a str, (&'a str, &'a Snapshot))> {
    let now = context.moment.now;
    let mut shared = Vec::new();
    for (owner, region) in context.neighbours() {
        let seen = region.snapshots.seen_after(None, now);
        let ours = seen.filter(|(_, snapshot)| is_shared(snapshot, context.account));
        shared.extend(ours.map(|(id, snapshot)| (id, (owner, snapshot))));
    }
    shared
}

fn is_shared(snapshot: &Snapshot, account: &str) -> bool {
    snapshot.shared_with.contains("all") || snapshot.shared_with.contains(account)
}

/// The snapshot `id` as this account sees it, with whose it is.
fn readable<'a>(context: &'a ActionContext<'_>, id: &str) -> Option<(&'a str, &'a Snapshot)> {
    if let Some(own) = context.region.snapshots.seen(id, context.moment.now) {
        return Some((context.account, own));
    }
    let shared = shared_with_us(context).into_iter().find(|(shared, _)| *shared == id);
    shared.map(|(_, one)| one)
}

/// A snapshot of this account's, as EC2 writes it.
pub(crate) fn write(xml: &mut Xml, snapshot: &Snapshot, context: &ActionContext<'_>) {
    write_of(xml, (context.account, snapshot), context);
}

fn write_of(xml: &mut Xml, (owner, snapshot): (&str, &Snapshot), context: &ActionContext<'_>) {
    let now = context.moment.now;
    xml.leaf("snapshotId", &snapshot.id);
    xml.leaf("volumeId", &snapshot.volume_id);
    xml.leaf("status", snapshot.state.name());
    xml.optional("statusMessage", snapshot.state_message.as_ref());
    xml.leaf("startTime", wire_time(snapshot.started_at));
    xml.leaf("progress", snapshot.progress(now));
    xml.leaf("ownerId", owner);
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

fn field<'a>(
    (owner, snapshot): (&str, &'a Snapshot),
    name: &str,
    context: &ActionContext<'_>,
) -> Vec<Cow<'a, str>> {
    match name {
        "description" => one(&snapshot.description),
        "encrypted" => one(snapshot.encrypted.to_string()),
        "owner-id" => one(owner.to_owned()),
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
    let snapshot = match find(context, id) {
        Ok(own) => own,
        Err(error) => {
            let shared = shared_with_us(context).into_iter().find(|(shared, _)| *shared == id);
            shared.map(|(_, (_, snapshot))| snapshot).ok_or(error)?
        }
    };
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
