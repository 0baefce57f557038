//! The newest good snapshot of an instance: what lets an older one go.

use crate::domain::cursor::Order;
use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::{Listed, Slice};
use crate::table::{Presence, SnapshotList};

/// Among how many records a newer one is looked for first: almost always one of the latest is newer, and each deletion
/// looks for one.
const FIRST_LOOK: usize = 4;
/// How many times as many the next look is at.
const FURTHER: usize = 4;
/// And at the most.
const LOOK_MAX: usize = 1_000;

/// A good snapshot of the same instance in the same region that is a newer restore point than `snapshot`; none where
/// none is found.
///
/// It is not enough to look at the record that was made last: that of a set that was adopted or copied is made long
/// after its content. So the records are gone through, the last made first, until one is newer. Mostly that is one of
/// the first few, in one look; for a snapshot that is the newest itself all are read, a thousand at a time at the most.
pub(crate) async fn newer_available(
    service: &Service,
    snapshot: &Snapshot,
) -> Result<Option<Snapshot>, Error> {
    let list = SnapshotList::Of(snapshot.source.instance_id.clone(), Presence::Here);
    let mut slice = Slice { order: Order::NewestFirst, limit: FIRST_LOOK, after: None };
    loop {
        let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
        // Where not one of many is there any more, there is no place to go on from.
        let is_stuck = snapshots.is_empty() && slice.limit == LOOK_MAX;
        if let Some((position, _)) = snapshots.last() {
            slice.after = Some(position.clone());
        }
        let mut looked_at = snapshots.into_iter().map(|(_, one)| one);
        let newer = looked_at.find(|one| is_newer(one, snapshot));
        if newer.is_some() || !more || is_stuck {
            return Ok(newer);
        }
        slice.limit = (slice.limit * FURTHER).min(LOOK_MAX);
    }
}

/// Whether `one` is good, and a newer restore point in the region of `snapshot` than that.
fn is_newer(one: &Snapshot, snapshot: &Snapshot) -> bool {
    one.is_good()
        && one.source.region == snapshot.source.region
        && one.id != snapshot.id
        && (one.standing(), &one.id) > (snapshot.standing(), &snapshot.id)
}
