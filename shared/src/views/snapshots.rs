//! Lists of snapshots: filtered, sorted, in pages whose cost does not grow with the number of records.

mod total;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::cursor::{Order, Page, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::schedule::TagMatch;
use crate::domain::snapshot::{Origin, Snapshot, Status};
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::{Slice, bound};
use crate::table::{Presence, SnapshotList};
use crate::views::known_region;
use crate::views::paging::{Part, collect};

pub use self::total::total;

/// Which snapshots are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct SnapshotFilter {
    pub instance_id: Option<InstanceId>,
    /// Standing at one of these; anywhere if none.
    pub status: Vec<Status>,
    pub region: Option<String>,
    pub schedule_id: Option<ScheduleId>,
    /// That came to be like this.
    pub origin: Option<Origin>,
    /// Bearing all of these.
    pub tags: Vec<TagMatch>,
    /// With this text in name, description, id, or the instance's name or id; case does not matter.
    pub q: Option<String>,
    /// Made at this instant or later.
    pub created_after: Option<Timestamp>,
    /// Made before this instant.
    pub created_before: Option<Timestamp>,
    /// Whether those that are gone are wanted too.
    pub deleted: Deleted,
}

/// Whether a list shows what is deleted or missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deleted {
    /// Only if their status is asked for.
    #[default]
    Hide,
    /// As well.
    Show,
}

/// The snapshot of this id.
pub async fn show(service: &Service, id: &SnapshotId) -> Result<Snapshot, Error> {
    service.table.snapshot(id).await?.ok_or_else(|| Error::not_found("snapshot", id))
}

/// Those of these snapshots that there are: one read for each hundred.
pub async fn several(
    service: &Service,
    ids: &[SnapshotId],
) -> Result<BTreeMap<SnapshotId, Snapshot>, Error> {
    service.table.snapshots(ids).await
}

/// One page of the snapshots that `filter` wants. A page may be short although more follow, where few of many
/// are wanted: its cursor leads on.
pub async fn list(
    service: &Service,
    filter: &SnapshotFilter,
    request: &PageRequest,
) -> Result<Page<Snapshot>, Error> {
    known_region::check(service, filter.region.as_ref()).await?;
    let lists = &filter.lists();
    let read = |slice: Slice| async move {
        let order = slice.order;
        let after = filter.start(order, slice.after);
        let (mut found, more) = merge(service, lists, &Slice { after, ..slice }).await?;
        let count = found.len();
        found.retain(|(position, _)| !filter.is_past(order, position));
        let is_at_end = found.len() < count;
        Ok((found, more && !is_at_end))
    };
    collect(request, read, |snapshot| filter.wants(snapshot)).await
}

/// The next part of all `lists` together, in order.
async fn merge(
    service: &Service,
    lists: &[SnapshotList],
    slice: &Slice,
) -> Result<Part<Snapshot>, Error> {
    let mut found = Vec::new();
    let mut more = false;
    // A list that goes on behind its part bounds what can be merged: what lies behind that is not known yet.
    let mut bound: Option<String> = None;
    for list in lists {
        let listed = service.table.list_snapshots(list, slice).await?;
        if listed.more {
            more = true;
            let end = listed.snapshots.last().map(|(position, _)| position.clone());
            bound = [bound, end].into_iter().flatten().reduce(|one, other| match slice.order {
                Order::NewestFirst => one.max(other),
                Order::OldestFirst => one.min(other),
            });
        }
        found.extend(listed.snapshots);
    }
    found.sort_by(|(one, _), (other, _)| match slice.order {
        Order::NewestFirst => other.cmp(one),
        Order::OldestFirst => one.cmp(other),
    });
    // One that moves from list to list meanwhile is found in both.
    found.dedup_by(|(one, _), (other, _)| one == other);
    if let Some(bound) = bound {
        found.retain(|(position, _)| match slice.order {
            Order::NewestFirst => *position >= bound,
            Order::OldestFirst => *position <= bound,
        });
    }
    Ok((found, more))
}

impl SnapshotFilter {
    /// The narrowest lists that have everything wanted.
    fn lists(&self) -> Vec<SnapshotList> {
        let are_gone = self.status.iter().filter(|status| status.is_gone()).count();
        let presences: &[Presence] = match (are_gone, self.deleted) {
            (0, Deleted::Hide) => &[Presence::Here],
            (count, _) if count > 0 && count == self.status.len() => &[Presence::Gone],
            (_, _) => &[Presence::Here, Presence::Gone],
        };
        if let Some(id) = &self.instance_id {
            return presences.iter().map(|one| SnapshotList::Of(id.clone(), *one)).collect();
        }
        if let Some(id) = &self.schedule_id {
            return presences
                .iter()
                .map(|one| SnapshotList::OfSchedule(id.clone(), *one))
                .collect();
        }
        let mut wanted = self.status.clone();
        wanted.sort_unstable();
        wanted.dedup();
        let of_status: Option<Vec<_>> = wanted.into_iter().map(SnapshotList::in_status).collect();
        if let Some(lists) = of_status.filter(|lists| !lists.is_empty()) {
            return lists;
        }
        presences.iter().map(|one| SnapshotList::All(*one)).collect()
    }

    /// The start of the list: the cursor, or the bound of time.
    fn start(&self, order: Order, cursor: Option<String>) -> Option<String> {
        let limit = match order {
            Order::NewestFirst => self.created_before.map(bound),
            Order::OldestFirst => self.created_after.map(bound),
        };
        match (cursor, limit, order) {
            (Some(cursor), Some(limit), Order::NewestFirst) => Some(cursor.min(limit)),
            (Some(cursor), Some(limit), Order::OldestFirst) => Some(cursor.max(limit)),
            (cursor, limit, _) => cursor.or(limit),
        }
    }

    /// Whether everything from this position on lies outside the bounds of time.
    fn is_past(&self, order: Order, position: &str) -> bool {
        match order {
            Order::NewestFirst => self.created_after.is_some_and(|after| *position < *bound(after)),
            Order::OldestFirst => {
                self.created_before.is_some_and(|before| *position >= *bound(before))
            }
        }
    }

    fn wants(&self, snapshot: &Snapshot) -> bool {
        let is_hidden = snapshot.status.is_gone()
            && self.deleted == Deleted::Hide
            && !self.status.contains(&snapshot.status);
        !is_hidden
            && (self.status.is_empty() || self.status.contains(&snapshot.status))
            && self.instance_id.as_ref().is_none_or(|id| snapshot.source.instance_id == *id)
            && self.region.as_ref().is_none_or(|region| snapshot.source.region == *region)
            && self.schedule_id.as_ref().is_none_or(|id| snapshot.schedule_id() == Some(id))
            && self.origin.is_none_or(|origin| snapshot.origin == origin)
            && self.tags.iter().all(|tag| snapshot.tags.get(&tag.key) == Some(&tag.value))
            && self.q.as_ref().is_none_or(|q| has_text(snapshot, q))
    }
}

fn has_text(snapshot: &Snapshot, text: &str) -> bool {
    let text = text.to_lowercase();
    let places = [
        Some(snapshot.id.as_str()),
        Some(snapshot.name.as_str()),
        snapshot.description.as_deref(),
        Some(snapshot.source.instance_id.as_str()),
        snapshot.source.instance_name.as_deref(),
    ];
    places.into_iter().flatten().any(|place| place.to_lowercase().contains(&text))
}
