//! A condemned snapshot stays after all.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
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
    let members: Vec<_> =
        rescued.living_members().map(|member| member.ebs_snapshot_id.clone()).collect();
    let unmarked = match service.ec2_in(&rescued.source.region) {
        Ok(ec2) => ec2.unmark_condemned(&members).await,
        Err(error) => Err(error),
    };
    if let Err(error) = unmarked {
        // Without its record in `condemned` nothing is deleted; the next sweep takes the mark off.
        warn!(snapshot.id = %id, error.chain = %chain(&error), "The mark on {id} waits for the sweep");
    }
    Ok(rescued)
}
