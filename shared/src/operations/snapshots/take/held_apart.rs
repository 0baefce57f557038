//! Instances that a restore has apart: what is taken of one then would lack volumes, and is put off.

use jiff::Timestamp;
use tracing::info;

use super::batch::Batch;
use super::{TakeOutcome, later};
use crate::domain::ids::{InstanceId, RestoreId};
use crate::domain::restore::Restore;
use crate::error::Error;
use crate::events::RequestedTarget;
use crate::service::Service;

/// The restore that has this instance apart; none if it is whole.
pub(super) async fn held_apart_by(
    service: &Service,
    instance: &InstanceId,
) -> Result<Option<RestoreId>, Error> {
    let Some(id) = service.table.restoring(instance).await?.restore_id else { return Ok(None) };
    let restore = service.table.restore(&id).await?;
    Ok(restore.filter(Restore::has_apart).map(|restore| restore.id))
}

/// Records that a target is wanted, and what it waits for.
pub(super) async fn put_off_for(
    service: &Service,
    batch: &Batch,
    target: &RequestedTarget,
    restore: &RestoreId,
    now: Timestamp,
) -> TakeOutcome {
    let old = batch.records.get(&target.snapshot_id);
    let intent = old.cloned().unwrap_or_else(|| batch.intent(target, now));
    let Ok(waits) = intent.held_apart(restore, now) else { return TakeOutcome::AlreadySo };
    info!(snapshot.id = %waits.id, restore.id = %restore, "Snapshot {} waits for {restore}", waits.id);
    let written = match old {
        Some(old) => service.table.update_snapshot(old, &waits).await,
        None => service.table.insert_snapshot(&waits).await,
    };
    match written {
        Ok(written) if written.is_done() => TakeOutcome::PutOff,
        Ok(_) => TakeOutcome::AlreadySo,
        Err(error) => later(target, &error),
    }
}
