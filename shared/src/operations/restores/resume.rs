//! Restores: shown, listed, taken up again, and cancelled.

use jiff::Timestamp;
use tracing::info;

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
use crate::domain::restore::transitions::Cancellation;
use crate::domain::restore::{Restore, RestoreStatus};
use crate::error::Error;
use crate::operations::restores::advance::end;
use crate::operations::restores::request::make_known;
use crate::service::Service;
use crate::table::restores::RestoreList;

/// How many pages are read for one of the caller's where few of many are wanted.
const PAGES_MAX: usize = 5;

/// Which restores are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreFilter {
    /// Of snapshots of this instance.
    pub instance_id: Option<InstanceId>,
    /// Of this snapshot.
    pub snapshot_id: Option<SnapshotId>,
    /// Standing there.
    pub status: Option<RestoreStatus>,
}

/// The restore, as it is at this moment.
pub async fn show_restore(service: &Service, id: &RestoreId) -> Result<Restore, Error> {
    service.table.restore(id).await?.ok_or_else(|| Error::not_found("restore", id))
}

/// One page of restores. It may be short although more follow, where few of many are wanted.
pub async fn list_restores(
    service: &Service,
    filter: &RestoreFilter,
    request: &PageRequest,
) -> Result<Page<Restore>, Error> {
    let list = filter.list();
    let mut request = request.clone();
    let mut items = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = service.table.list_restores(&list, &request).await?;
        request.limit = request
            .limit
            .saturating_sub(page.items.iter().filter(|restore| filter.wants(restore)).count());
        items.extend(page.items.into_iter().filter(|restore| filter.wants(restore)));
        request.cursor = page.next_cursor;
        if request.cursor.is_none() || request.limit == 0 {
            break;
        }
    }
    Ok(Page { items, next_cursor: request.cursor })
}

impl RestoreFilter {
    /// The narrowest list that has everything wanted.
    fn list(&self) -> RestoreList {
        let of_snapshot = self.snapshot_id.clone().map(RestoreList::OfSnapshot);
        of_snapshot
            .or_else(|| self.instance_id.clone().map(RestoreList::OfInstance))
            .or_else(|| self.status.map(RestoreList::That))
            .unwrap_or(RestoreList::All)
    }

    fn wants(&self, restore: &Restore) -> bool {
        self.instance_id.as_ref().is_none_or(|id| restore.instance_id == *id)
            && self.snapshot_id.as_ref().is_none_or(|id| restore.snapshot_id == *id)
            && self.status.is_none_or(|status| restore.status == status)
    }
}

/// Has a failed restore go on at the step where it stopped. One that is under way stays as it is; one that is over is
/// [`Error::Conflict`].
pub async fn retry_restore(
    service: &Service,
    id: &RestoreId,
    who: &str,
    now: Timestamp,
) -> Result<Restore, Error> {
    let restore = show_restore(service, id).await?;
    let Some(retried) = restore.retried(now).map_err(Error::conflict)? else { return Ok(restore) };
    let written = service.table.update_restore(&restore, &retried, now).await?;
    let retried = written.ok_or_else(|| changed(&restore))?;
    info!(restore.id = %id, by = %who, "Restore {id} is taken up again");
    make_known(service, id).await;
    Ok(retried)
}

/// Gives a restore up, and takes back what it did or leaves that as it is. Repeated, it does nothing more; one that is
/// done is [`Error::Conflict`].
pub async fn cancel_restore(
    service: &Service,
    id: &RestoreId,
    who: &str,
    cancellation: Cancellation,
    now: Timestamp,
) -> Result<Restore, Error> {
    let restore = show_restore(service, id).await?;
    let cancelled = restore.cancelled(who, cancellation, now).map_err(Error::conflict)?;
    let Some(cancelled) = cancelled else { return Ok(restore) };
    let written = if cancelled.status.is_over() {
        end(service, &restore, &cancelled).await?
    } else {
        service.table.update_restore(&restore, &cancelled, now).await?
    };
    let cancelled = written.ok_or_else(|| changed(&restore))?;
    info!(restore.id = %id, by = %who, "Restore {id} is cancelled");
    make_known(service, id).await;
    Ok(cancelled)
}

fn changed(restore: &Restore) -> Error {
    Error::conflict(format!(
        "the restore {} was changed meanwhile; look at it, and try again",
        restore.id
    ))
}
