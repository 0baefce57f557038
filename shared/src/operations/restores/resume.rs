//! Restores: shown, listed, taken up again, and cancelled.

use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::RestoreId;
use crate::domain::restore::Restore;
use crate::domain::restore::transitions::Cancellation;
use crate::error::Error;
use crate::operations::restores::advance::end;
use crate::operations::restores::request::make_known;
use crate::service::Service;
use crate::views;

/// Has a failed restore go on at the step where it stopped. One that is under way stays as it is; one that is over is
/// [`Error::Conflict`].
pub async fn retry(
    service: &Service,
    id: &RestoreId,
    who: &str,
    now: Timestamp,
) -> Result<Restore, Error> {
    let restore = views::restores::show(service, id).await?;
    let Some(retried) = restore.retried(now).map_err(Error::conflict)? else { return Ok(restore) };
    let written = service.table.update_restore(&restore, &retried, now).await?;
    let retried = written.ok_or_else(|| changed(&restore))?;
    info!(restore.id = %id, by = %who, "Restore {id} is taken up again");
    make_known(service, id).await;
    Ok(retried)
}

/// Gives a restore up, and takes back what it did or leaves that as it is. Repeated, it does nothing more; one that is
/// done is [`Error::Conflict`].
pub async fn cancel(
    service: &Service,
    id: &RestoreId,
    who: &str,
    cancellation: Cancellation,
    now: Timestamp,
) -> Result<Restore, Error> {
    let restore = views::restores::show(service, id).await?;
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
