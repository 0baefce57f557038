//! First looks at absent instances, recorded for the next sweep.

use jiff::Timestamp;
use tracing::info;

use crate::error::Error;
use crate::service::Service;
use crate::views::gone_instances::AbsentInstances;

/// Records the first looks of this sweep, and takes back those at instances that show again or that nobody
/// asks about any more: an old look must not stand for a new one.
pub(crate) async fn remember(
    service: &Service,
    looks: &AbsentInstances,
    now: Timestamp,
) -> Result<(), Error> {
    for (id, since) in looks.outdated() {
        _ = service.table.forget_first_look(id, since).await?;
    }
    for id in looks.first_seen_absent() {
        _ = service.table.note_first_look(id, now).await?;
        info!("Instance {id} is not there; it counts as gone at the next look");
    }
    Ok(())
}
