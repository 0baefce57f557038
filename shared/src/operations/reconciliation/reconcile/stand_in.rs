//! What was made twice counts in the stead of a set that has failed: it is the only one of its slot that is good.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::service::Service;

/// Has one good duplicate of each failed set count in its stead, of all `records`. Answers how many. Who has changed one
/// meanwhile is looked at in an hour.
pub(super) async fn let_stand_in(
    service: &Service,
    records: impl Iterator<Item = &Snapshot> + Clone,
    now: Timestamp,
) -> Result<usize, Error> {
    let failed: BTreeSet<_> =
        records.clone().filter(|one| one.status == Status::Error).map(|one| &one.id).collect();
    let taken: BTreeSet<_> = records
        .clone()
        .filter(|one| one.stands_in)
        .filter_map(|one| one.duplicate_of.as_ref())
        .collect();
    let mut first: BTreeMap<&SnapshotId, &Snapshot> = BTreeMap::new();
    for one in records {
        let Some(original) = one.twin().filter(|id| failed.contains(id) && !taken.contains(id))
        else {
            continue;
        };
        if one.is_whole() {
            first.entry(original).or_insert(one);
        }
    }
    let mut count = 0;
    for (original, one) in first {
        let next = one.standing_in(now);
        if service.table.update_snapshot(one, &next).await?.is_done() {
            info!(snapshot.id = %one.id, "Snapshot {} counts in the stead of {original}, which has failed", one.id);
            count += 1;
        }
    }
    Ok(count)
}
