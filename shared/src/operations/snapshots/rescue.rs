//! A condemned snapshot stays after all.

use crate::operations::snapshots::mark::unmark;
use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::operations::snapshots::edit::expected;
use crate::operations::snapshots::refresh::stale;
use crate::service::Service;

/// Undoes a condemnation, until the deletion has begun. Repeated, it does nothing more.
pub async fn rescue(
    service: &Service,
    id: &SnapshotId,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let snapshot = expected(service, id, expected_version).await?;
    if matches!(snapshot.status, Status::Available | Status::Error) {
        return Ok(snapshot);
    }
    let rescued = snapshot.rescue(now).map_err(Error::conflict)?;
    if !service.table.update_snapshot(&snapshot, &rescued).await?.is_done() {
        return Err(stale(&snapshot));
    }
    info!(snapshot.id = %id, "Snapshot {id} is rescued");
    unmark(service, std::slice::from_ref(&rescued)).await;
    Ok(rescued)
}
