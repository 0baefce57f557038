//! What a deleted schedule has left: nothing deletes it, until a person gives all of it an end, or another schedule.

use jiff::Timestamp;
use tracing::info;

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{ScheduleId, SnapshotId};
use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::operations::rewrite::until_written;
use crate::operations::snapshots::edit::must_be_there;
use crate::service::Service;
use crate::views;
use crate::views::snapshots::SnapshotFilter;

/// What is to become of what a deleted schedule has left.
#[derive(Clone, Debug)]
pub enum Lot {
    /// It goes at this instant, as far as nothing keeps it; or it has no such end any more.
    Expires(Option<Timestamp>),
    /// It goes by the rules of this schedule from now on.
    GoesBy(ScheduleId),
}

/// What became of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub snapshot_id: SnapshotId,
    pub became: Became,
}

/// Whether it has its lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It has now.
    Changed,
    /// It had already.
    Unchanged,
    /// It cannot, for this reason.
    Refused(String),
}

/// Gives a page of what the deleted schedule `id` has left its lot. One that is refused stops no other. Repeated, it does
/// nothing more. While the schedule is there it is [`Error::Conflict`]: its rules decide.
pub async fn decide_leftovers(
    service: &Service,
    id: &ScheduleId,
    lot: &Lot,
    request: &PageRequest,
    now: Timestamp,
) -> Result<Page<Decided>, Error> {
    if service.table.schedule(id).await?.is_some() {
        return Err(Error::conflict(format!("the schedule {id} is there, and its rules decide")));
    }
    if let Lot::GoesBy(schedule) = lot {
        must_be_there(service, schedule).await?;
    }
    let filter = SnapshotFilter { schedule_id: Some(id.clone()), ..SnapshotFilter::default() };
    let Page { items, next_cursor } = views::snapshots::list(service, &filter, request).await?;
    let mut decided = Vec::new();
    for snapshot in items {
        let became = decide(service, id, snapshot.clone(), lot, now).await?;
        decided.push(Decided { snapshot_id: snapshot.id, became });
    }
    let count = decided.iter().filter(|one| one.became == Became::Changed).count();
    info!(schedule.id = %id, "What becomes of {count} snapshots that {id} has left is decided");
    Ok(Page { items: decided, next_cursor })
}

/// Written anew where somebody else has changed it meanwhile.
async fn decide(
    service: &Service,
    schedule: &ScheduleId,
    snapshot: Snapshot,
    lot: &Lot,
    now: Timestamp,
) -> Result<Became, Error> {
    let id = &snapshot.id.clone();
    let mut first = Some(snapshot);
    let became = until_written(|| {
        let read = first.take();
        async move {
            let current = match read {
                Some(read) => Some(read),
                None => service.table.snapshot(id).await?,
            };
            // Gone, or given to another schedule meanwhile.
            let is_left = |one: &Snapshot| one.schedule_id() == Some(schedule);
            let Some(current) = current.filter(is_left) else { return Ok(Some(Became::Unchanged)) };
            let next = match lot {
                Lot::Expires(at) if current.ending.expires_at == *at => {
                    return Ok(Some(Became::Unchanged));
                }
                Lot::Expires(at) => current.expiring(*at, now),
                Lot::GoesBy(other) => current.given_to(other, now),
            };
            let next = match next {
                Ok(next) => next,
                Err(reason) => return Ok(Some(Became::Refused(reason))),
            };
            let written = service.table.update_snapshot(&current, &next).await?;
            Ok(written.is_done().then_some(Became::Changed))
        }
    });
    let busy = || Became::Refused("others change it all the time; ask again".to_owned());
    Ok(became.await?.unwrap_or_else(busy))
}
