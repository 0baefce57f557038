//! Copies that a person's deletion of their original cancels: those that EC2 was not asked for yet.
//!
//! Which they are is found out first, and nothing is written. Then each copy's record is failed under the version that was read: a
//! worker that begins it at the same moment has either won, and the deletion is refused, or finds it failed.

use jiff::Timestamp;
use tracing::info;

use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::copying::{CopyOrder, CopyStage};
use crate::error::Error;
use crate::operations::rewrite::until_written;
use crate::service::Service;

/// The copies of an original that can be cancelled, and the original without them. Nothing is written yet.
pub(crate) struct Cancellation<'a> {
    original: &'a Snapshot,
    orders: Vec<CopyOrder>,
    /// The original as if all copies were over.
    pub(crate) free: Snapshot,
}

/// What deleting `original` by name would cancel. A copy that has begun is [`Error::Conflict`]: what is deleted while it is
/// copied makes the copy fail.
pub(crate) async fn cancellable<'a>(
    service: &Service,
    original: &'a Snapshot,
    now: Timestamp,
) -> Result<Cancellation<'a>, Error> {
    let mut orders = Vec::new();
    if original.awaited_copy(now).is_some() {
        for order in original.keepers.copies.iter().filter(|one| one.stage != CopyStage::Over) {
            match service.table.snapshot(&original.copy_id(&order.region)).await? {
                Some(copy) if is_under_way(&copy) => return Err(begun(order)),
                Some(_) | None => orders.push(order.clone()),
            }
        }
    }
    let stages: Vec<_> =
        orders.iter().map(|order| (order.region.clone(), CopyStage::Over)).collect();
    let free = if stages.is_empty() { original.clone() } else { original.copies_at(&stages) };
    Ok(Cancellation { original, orders, free })
}

impl Cancellation<'_> {
    /// Cancels them, or says which has begun meanwhile. Repeated, it does nothing more.
    pub(crate) async fn carry_out(
        &self,
        service: &Service,
        who: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        for order in &self.orders {
            let written = until_written(|| self.cancel(service, order, who, now));
            if written.await?.is_none() {
                return Err(begun(order));
            }
            let (id, region) = (&self.original.id, &order.region);
            info!(snapshot.id = %id, by = %who, "The copy of {id} in {region} is cancelled");
        }
        Ok(())
    }

    async fn cancel(
        &self,
        service: &Service,
        order: &CopyOrder,
        who: &str,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let found = service.table.snapshot(&self.original.copy_id(&order.region)).await?;
        let written = match found {
            Some(copy) if is_under_way(&copy) => return Err(begun(order)),
            Some(copy) if copy.is_being_copied() => {
                let cancelled = copy.copy_cancelled(who, now).map_err(Error::conflict)?;
                service.table.update_snapshot(&copy, &cancelled).await?
            }
            Some(_) => return Ok(Some(())),
            // Nobody has ordered it yet: this record keeps a tick from it that has read the original before.
            None => {
                let ordered = self.original.copy_ordered(order, now);
                let cancelled = ordered.copy_cancelled(who, now).map_err(Error::conflict)?;
                let cancelled = Snapshot { version: ordered.version, ..cancelled };
                service.table.insert_snapshot(&cancelled).await?
            }
        };
        Ok(written.is_done().then_some(()))
    }
}

/// Whether EC2 makes it, or may.
fn is_under_way(copy: &Snapshot) -> bool {
    copy.is_awaited_copy() && copy.no_longer_awaited().is_none() && copy.has_begun_copying()
}

fn begun(order: &CopyOrder) -> Error {
    Error::conflict(format!("its copy in {} has begun; wait for its end", order.region))
}
