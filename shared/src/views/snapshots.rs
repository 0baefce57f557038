//! Lists of snapshots: filtered, sorted, in pages whose cost does not grow with the number of records.

use jiff::Timestamp;

use crate::domain::cursor::{Cursor, Order, Page, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::schedule::TagMatch;
use crate::domain::snapshot::{Origin, Snapshot, Status};
use crate::error::Error;
use crate::service::Service;
use crate::table::keys::{self, Index, Presence};
use crate::table::snapshots::{Slice, SnapshotList};

/// How many records one page looks at before it answers with what it has and a cursor.
const EXAMINED_MAX: usize = 1_000;

/// Which snapshots are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct SnapshotFilter {
    pub instance_id: Option<InstanceId>,
    pub status: Option<Status>,
    pub region: Option<String>,
    pub schedule_id: Option<ScheduleId>,
    /// That came to be like this.
    pub origin: Option<Origin>,
    pub tag: Option<TagMatch>,
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

/// One page of the snapshots that `filter` wants. A page may be short although more follow, where few of many
/// are wanted: its cursor leads on.
pub async fn list(
    service: &Service,
    filter: &SnapshotFilter,
    request: &PageRequest,
) -> Result<Page<Snapshot>, Error> {
    let lists = filter.lists();
    let mut after = request.cursor.as_ref().map(|cursor| cursor.key().to_owned());
    after = filter.start(request.order, after);
    let mut items = Vec::new();
    let mut examined = 0;
    loop {
        let merged = merge(service, &lists, request, after).await?;
        let mut last = None;
        for (position, snapshot) in merged.found {
            if filter.is_past(request.order, &position) {
                return Ok(Page { items, next_cursor: None });
            }
            examined += 1;
            if filter.wants(&snapshot) {
                items.push(snapshot);
            }
            last = Some(position);
            if items.len() == request.limit {
                break;
            }
        }
        let Some(last) = last.filter(|_| merged.more || items.len() == request.limit) else {
            return Ok(Page { items, next_cursor: None });
        };
        if items.len() == request.limit || examined >= EXAMINED_MAX {
            return Ok(Page { items, next_cursor: Some(Cursor::after(last)) });
        }
        after = Some(last);
    }
}

struct Merged {
    found: Vec<(String, Snapshot)>,
    more: bool,
}

/// The next part of all `lists` together, in order.
async fn merge(
    service: &Service,
    lists: &[SnapshotList],
    request: &PageRequest,
    after: Option<String>,
) -> Result<Merged, Error> {
    let slice = Slice { order: request.order, limit: request.limit.max(50) + 1, after };
    let mut found = Vec::new();
    let mut more = false;
    // A list that goes on behind its part bounds what can be merged: what lies behind that is not known yet.
    let mut bound: Option<String> = None;
    for list in lists {
        let listed = service.table.list_snapshots(list, &slice).await?;
        if listed.more {
            more = true;
            let end = listed.snapshots.last().map(|(position, _)| position.clone());
            bound = [bound, end].into_iter().flatten().reduce(|one, other| match request.order {
                Order::NewestFirst => one.max(other),
                Order::OldestFirst => one.min(other),
            });
        }
        found.extend(listed.snapshots);
    }
    found.sort_by(|(one, _), (other, _)| match request.order {
        Order::NewestFirst => other.cmp(one),
        Order::OldestFirst => one.cmp(other),
    });
    // One that moves from list to list meanwhile is found in both.
    found.dedup_by(|(one, _), (other, _)| one == other);
    if let Some(bound) = bound {
        found.retain(|(position, _)| match request.order {
            Order::NewestFirst => *position >= bound,
            Order::OldestFirst => *position <= bound,
        });
    }
    Ok(Merged { found, more })
}

impl SnapshotFilter {
    /// The narrowest lists that have everything wanted.
    fn lists(&self) -> Vec<SnapshotList> {
        let gone_only = self.status.is_some_and(Status::is_gone);
        let presences: &[Presence] = match (gone_only, self.deleted) {
            (true, _) => &[Presence::Gone],
            (false, Deleted::Hide) => &[Presence::Here],
            (false, Deleted::Show) => &[Presence::Here, Presence::Gone],
        };
        if let Some(id) = &self.instance_id {
            let partition = |presence| keys::instance(id.as_str(), presence);
            return presences
                .iter()
                .map(|one| in_index(Index::Instance, partition(*one)))
                .collect();
        }
        if let Some(id) = &self.schedule_id {
            let partition = |presence| keys::schedule_list(id.as_str(), presence);
            return presences
                .iter()
                .map(|one| in_index(Index::Schedule, partition(*one)))
                .collect();
        }
        if let Some(partition) = self.status.and_then(keys::status) {
            return vec![in_index(Index::Status, partition)];
        }
        presences.iter().map(|one| in_index(Index::All, keys::all(*one))).collect()
    }

    /// The start of the list: the cursor, or the bound of time.
    fn start(&self, order: Order, cursor: Option<String>) -> Option<String> {
        let bound = match order {
            Order::NewestFirst => self.created_before.map(keys::instant),
            Order::OldestFirst => self.created_after.map(keys::instant),
        };
        match (cursor, bound, order) {
            (Some(cursor), Some(bound), Order::NewestFirst) => Some(cursor.min(bound)),
            (Some(cursor), Some(bound), Order::OldestFirst) => Some(cursor.max(bound)),
            (cursor, bound, _) => cursor.or(bound),
        }
    }

    /// Whether everything from this position on lies outside the bounds of time.
    fn is_past(&self, order: Order, position: &str) -> bool {
        match order {
            Order::NewestFirst => {
                self.created_after.is_some_and(|after| *position < *keys::instant(after))
            }
            Order::OldestFirst => {
                self.created_before.is_some_and(|before| *position >= *keys::instant(before))
            }
        }
    }

    fn wants(&self, snapshot: &Snapshot) -> bool {
        let is_hidden = snapshot.status.is_gone()
            && self.deleted == Deleted::Hide
            && self.status != Some(snapshot.status);
        !is_hidden
            && self.status.is_none_or(|status| snapshot.status == status)
            && self.instance_id.as_ref().is_none_or(|id| snapshot.source.instance_id == *id)
            && self.region.as_ref().is_none_or(|region| snapshot.source.region == *region)
            && self.schedule_id.as_ref().is_none_or(|id| snapshot.schedule_id() == Some(id))
            && self.origin.is_none_or(|origin| snapshot.origin == origin)
            && self.tag.as_ref().is_none_or(|tag| snapshot.tags.get(&tag.key) == Some(&tag.value))
            && self.q.as_ref().is_none_or(|q| has_text(snapshot, q))
    }
}

fn in_index(index: Index, partition: String) -> SnapshotList {
    SnapshotList { index, partition }
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
