//! Brings records into the indexes that came after them: an index is filled from what records say of it, and those of
//! an earlier version say nothing.

use tracing::info;

use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::service::Service;
use crate::table::SnapshotList;

/// How many records one call writes; the next goes on.
const WRITTEN_MAX: usize = 1_000;

/// Writes those of `records` anew that should be in the ledgers and are not, and answers how many that were.
pub(crate) async fn relist_snapshots(
    service: &Service,
    records: &[Snapshot],
) -> Result<usize, Error> {
    let mut unlisted = Vec::new();
    for list in [SnapshotList::Held, SnapshotList::Blocked] {
        let members = records.iter().filter(|one| list.has(one));
        unlisted.extend(service.table.unlisted(&list, members).await?);
    }
    let mut written = 0;
    for snapshot in unlisted.into_iter().take(WRITTEN_MAX) {
        let again = Snapshot { version: snapshot.version + 1, ..snapshot.clone() };
        // Somebody else's write brings it into the index as well.
        if service.table.update_snapshot(snapshot, &again).await?.is_done() {
            written += 1;
        }
    }
    if written > 0 {
        info!("{written} records are in the ledgers now");
    }
    Ok(written)
}
