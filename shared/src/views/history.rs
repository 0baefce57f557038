//! The history of an instance: what became of its snapshots, and what its schedules did or failed to do.

use crate::domain::audit::{Action, AuditItem, RecordKind, Timeline};
use crate::domain::cursor::{Order, Page, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::schedule::Schedule;
use crate::domain::tags::Tags;
use crate::error::Error;
use crate::service::Service;
use crate::table::audit::{Entries, Pages};
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};
use crate::views::audit::page::{merged, position};
use crate::views::paging::Filling;

/// Of how many schedules the misses and failures are merged in.
const SCHEDULES_MAX: usize = 20;
/// How many rounds of reading a page takes.
const ROUNDS_MAX: usize = 10;

/// One page of an instance's history, the newest first, of these kinds or of all. EC2 is not asked: it is there for
/// instances that are gone as well. What its schedules missed is shown of those that are for it now.
pub async fn instance_history(
    service: &Service,
    id: &InstanceId,
    kinds: &[RecordKind],
    request: &PageRequest,
) -> Result<Page<AuditItem>, Error> {
    let mut start = position(request)?;
    let mut parts = vec![Pages::Of(Timeline::Instance(id.clone()))];
    let has_schedules = |kind: &RecordKind| matches!(kind, RecordKind::Schedule | RecordKind::Run);
    if kinds.is_empty() || kinds.iter().any(has_schedules) {
        let schedules = schedules_of(service, id).await?;
        parts.extend(schedules.into_iter().map(|id| Pages::Of(Timeline::Schedule(id))));
    }
    let is_wanted = |item: &AuditItem| {
        (kinds.is_empty() || kinds.contains(&item.action.kind())) && concerns(item, id)
    };
    let mut filling = Filling::new(request.limit);
    for _ in 0..ROUNDS_MAX {
        let found = merged(service, &parts, start.as_deref(), filling.slice()).await?;
        let Entries { items, more } = found;
        let last = items.last().map(|(position, _)| position.clone());
        let end = filling.take(items, is_wanted);
        if let Some(end) = end {
            let is_end = !more && Some(&end) == last.as_ref();
            return Ok(filling.page(Some(end).filter(|_| !is_end)));
        }
        if !more || last.is_none() {
            return Ok(filling.page(None));
        }
        start = last;
    }
    Ok(filling.page(start))
}

/// Whether an entry that was found is about the instance. Of what its schedules did by themselves, what went well
/// shows in its snapshots.
fn concerns(item: &AuditItem, id: &InstanceId) -> bool {
    match &item.instance_id {
        Some(instance) => instance == id,
        None => item.action != Action::ScheduleCreated,
    }
}

/// The schedules that are for an instance: they name it, or select it by the tags that it had when its newest
/// snapshot was taken.
async fn schedules_of(service: &Service, id: &InstanceId) -> Result<Vec<ScheduleId>, Error> {
    let tags = last_tags(service, id).await?;
    let is_for = |schedule: &Schedule| {
        let targets = &schedule.settings.targets;
        !targets.exclude_instance_ids.contains(id)
            && (targets.instance_ids.contains(id)
                || tags.as_ref().is_some_and(|tags| targets.tags.selects(tags)))
    };
    let schedules = service.table.every_schedule().await?;
    let found = schedules.into_values().filter(is_for).map(|schedule| schedule.id);
    Ok(found.take(SCHEDULES_MAX).collect())
}

async fn last_tags(service: &Service, id: &InstanceId) -> Result<Option<Tags>, Error> {
    let slice = Slice { order: Order::NewestFirst, limit: 1, after: None };
    for presence in [Presence::Here, Presence::Gone] {
        let list = SnapshotList::Of(id.clone(), presence);
        let listed = service.table.list_snapshots(&list, &slice).await?;
        if let Some((_, snapshot)) = listed.snapshots.into_iter().next() {
            return Ok(Some(snapshot.source.tags));
        }
    }
    Ok(None)
}
