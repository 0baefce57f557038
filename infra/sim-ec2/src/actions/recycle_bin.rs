//! The snapshots in the Recycle Bin, and their way out of it.

use super::{ActionContext, Reply, describe_snapshots};
use crate::{
    clock::wire_time,
    ids::IdKind,
    paging::{Page, USUAL},
    request::Params,
    state::recycle_bin::Recycled,
    xml::Xml,
};

/// `ListSnapshotsInRecycleBin`
pub(crate) fn list(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let ids = params.values("SnapshotId");
    Page::refuse_with_ids(params, "SnapshotId")?;
    let page = Page::parse(params, "ListSnapshotsInRecycleBin", USUAL)?;
    for id in &ids {
        IdKind::Snapshot.check(id)?;
        if !context.region.recycle_bin.snapshots.contains_key(id) {
            return Err(IdKind::Snapshot.not_found(id));
        }
    }
    let after = page.after.as_deref().unwrap_or_default();
    let in_bin = context
        .region
        .recycle_bin
        .snapshots
        .iter()
        .filter(|(id, _)| id.as_str() > after && (ids.is_empty() || ids.contains(id)))
        .map(|(id, recycled)| (id.as_str(), recycled));
    let (in_bin, next): (Vec<&Recycled>, _) = page.cut(in_bin);
    let mut xml = Xml::default();
    xml.list("snapshotSet", in_bin, |xml, recycled| {
        xml.leaf("snapshotId", &recycled.snapshot.id);
        xml.leaf("recycleBinEnterTime", wire_time(recycled.entered_at));
        xml.leaf("recycleBinExitTime", wire_time(recycled.exits_at));
        xml.leaf("description", &recycled.snapshot.description);
        xml.leaf("volumeId", &recycled.snapshot.volume_id);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// `RestoreSnapshotFromRecycleBin`: it is as it was when it was deleted.
pub(crate) fn restore(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    IdKind::Snapshot.check(id)?;
    let snapshot =
        context.region.recycle_bin.give_back(id).ok_or_else(|| IdKind::Snapshot.not_found(id))?;
    let mut xml = Xml::default();
    describe_snapshots::write(&mut xml, &snapshot, context);
    context.region.snapshots.insert(id, snapshot, context.moment);
    Ok(xml)
}
