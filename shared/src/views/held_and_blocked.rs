//! The ledgers: what should be gone and cannot, and what is held.

use jiff::Timestamp;

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::service::Service;
use crate::table::SnapshotList;
use crate::table::snapshots::Listed;
use crate::views::paging::collect;

/// Which holds are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// All, those too whose `until` is over.
    All,
    /// Those that somebody should have looked at by now.
    ReviewDue,
}

/// One page of the snapshots that should be gone and cannot: condemned ones that something is in the way of, and
/// available ones that a rule wants gone and an image uses.
pub async fn list_blocked(
    service: &Service,
    request: &PageRequest,
) -> Result<Page<Snapshot>, Error> {
    let list = SnapshotList::Blocked;
    page_of(service, &list, request, |snapshot| list.has(snapshot)).await
}

/// One page of the snapshots that have a hold, by when they were made.
pub async fn list_held(
    service: &Service,
    wanted: Holds,
    request: &PageRequest,
    now: Timestamp,
) -> Result<Page<Snapshot>, Error> {
    let list = SnapshotList::Held;
    let is_due = |snapshot: &Snapshot| {
        let review_at = snapshot.keepers.hold.as_ref().and_then(|hold| hold.review_at);
        review_at.is_some_and(|at| at <= now)
    };
    let wants = |snapshot: &Snapshot| match wanted {
        Holds::All => list.has(snapshot),
        Holds::ReviewDue => list.has(snapshot) && is_due(snapshot),
    };
    page_of(service, &list, request, wants).await
}

/// One page of those of a list that are wanted. What has left the list since the index was read must not be.
async fn page_of(
    service: &Service,
    list: &SnapshotList,
    request: &PageRequest,
    is_wanted: impl Fn(&Snapshot) -> bool,
) -> Result<Page<Snapshot>, Error> {
    let read = |slice| async move {
        let Listed { snapshots, more } = service.table.list_snapshots(list, &slice).await?;
        Ok((snapshots, more))
    };
    collect(request, read, is_wanted).await
}
