//! The tick's part in copies: what has become available is ordered in the regions that its schedule names, and the
//! regions with copies under way are made known.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::snapshot::copying::{CopyOrder, CopyStage};
use crate::domain::snapshot::{Failure, Snapshot};
use crate::error::{Error, chain};
use crate::events::{JobDue, OwnEvent};
use crate::service::Service;
use crate::table::DueKind;

/// How many snapshots one tick orders copies of; the next goes on.
const ORIGINALS_MAX: usize = 200;

/// Records the copies that are wanted of snapshots that have become available, and makes known which regions have
/// copies to make. Answers how many regions.
///
/// A copy's id follows from its original and region, so whoever repeats this makes none twice.
pub(crate) async fn order_copies(service: &Service, now: Timestamp) -> Result<usize, Error> {
    for original in service.table.due_snapshots(DueKind::Copy, now, ORIGINALS_MAX).await? {
        if let Err(error) = order(service, &original, now).await {
            let id = &original.id;
            warn!(snapshot.id = %id, error.chain = %chain(&error), "Copies of {id} are ordered later");
        }
    }
    let mut events = Vec::new();
    for region in &service.settings.regions {
        if service.table.has_awaited_copies(region).await? {
            events.push(OwnEvent::JobDue(JobDue::Copies(region.clone())));
        }
    }
    service.bus.publish(&events).await?;
    Ok(events.len())
}

async fn order(service: &Service, original: &Snapshot, now: Timestamp) -> Result<(), Error> {
    if !original.has_copies_to_order() {
        // The index follows the record.
        return Ok(());
    }
    let wanted = original.keepers.copies.iter().filter(|order| order.stage == CopyStage::Wanted);
    let mut stages = Vec::new();
    for wish in wanted {
        let copy = original.copy_ordered(wish, now);
        let stage = if service.ec2_in(&wish.region).is_ok() {
            let is_new = service.table.insert_snapshot(&copy).await?.is_done();
            let there = if is_new { None } else { service.table.snapshot(&copy.id).await? };
            // Found by its tags before it was ordered: then nobody would ever say that it is over.
            let is_known = there.is_some_and(|one| one.copy_of.is_some() && !one.is_awaited_copy());
            if is_known { CopyStage::Over } else { CopyStage::UnderWay }
        } else {
            _ = service.table.insert_snapshot(&not_looked_after(&copy, wish, now)?).await?;
            CopyStage::Over
        };
        stages.push((wish.region.clone(), stage));
    }
    let next = original.copies_at(&stages);
    // Changed meanwhile: then the next tick finds the copies there.
    if service.table.update_snapshot(original, &next).await?.is_done() {
        let begun = stages.iter().filter(|(_, stage)| *stage == CopyStage::UnderWay).count();
        info!(snapshot.id = %original.id, "{begun} copies of {} are ordered", original.id);
    }
    Ok(())
}

/// The record of a copy to a region that was taken out of the settings.
fn not_looked_after(copy: &Snapshot, wish: &CopyOrder, now: Timestamp) -> Result<Snapshot, Error> {
    let message = format!("the region {} is not looked after any more", wish.region);
    let failed = copy.fail(Failure::new("OutOfReach", message), now).map_err(Error::conflict)?;
    let known = failed.no_longer_awaited().unwrap_or(failed);
    Ok(Snapshot { version: copy.version, ..known })
}
