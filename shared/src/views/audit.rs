//! The audit: who did what to which record, when and why.

pub(crate) mod page;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan as _};

use self::page::position;
use crate::domain::audit::{Action, AuditItem, Timeline};
use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::error::Error;
use crate::service::Service;
use crate::table::audit::{Entries, Pages, before, day_of, instant_of};
use crate::views::paging::Filling;

/// How far back a list goes that does not say.
const DEFAULT_SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many days without anything wanted one page looks through.
const QUERIES_MAX: usize = 10;

/// Which entries are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By this person or function.
    pub who: Option<String>,
    pub action: Option<Action>,
    /// About the record of this identifier.
    pub resource_id: Option<String>,
    pub instance_id: Option<InstanceId>,
    /// At this instant or later.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

impl AuditFilter {
    fn wants(&self, item: &AuditItem) -> bool {
        self.who.as_ref().is_none_or(|who| item.actor.name() == who)
            && self.action.is_none_or(|action| item.action == action)
            && self.resource_id.as_ref().is_none_or(|id| item.resource_id == *id)
            && self.instance_id.as_ref().is_none_or(|id| item.instance_id.as_ref() == Some(id))
    }

    /// The one timeline that has all that is wanted, if one does.
    async fn timeline(&self, service: &Service) -> Result<Option<Timeline>, Error> {
        if let Some(id) = &self.instance_id {
            return Ok(Some(Timeline::Instance(id.clone())));
        }
        let id = self.resource_id.as_deref().unwrap_or_default();
        if let Ok(id) = id.parse::<ScheduleId>() {
            return Ok(Some(Timeline::Schedule(id)));
        }
        if let Ok(id) = id.parse::<InstanceId>() {
            return Ok(Some(Timeline::Instance(id)));
        }
        let Ok(id) = id.parse::<SnapshotId>() else { return Ok(None) };
        let snapshot = service.table.snapshot(&id).await?;
        Ok(snapshot.map(|snapshot| Timeline::Instance(snapshot.source.instance_id)))
    }
}

/// One page of the audit, the newest first. What concerns one instance, schedule or snapshot comes from its
/// timeline; else day by day, the last 30 unless told otherwise. A page may be short although more follow.
pub async fn list(
    service: &Service,
    filter: &AuditFilter,
    request: &PageRequest,
    now: Timestamp,
) -> Result<Page<AuditItem>, Error> {
    let cursor = position(request)?;
    if let Some(timeline) = filter.timeline(service).await? {
        let start = cursor.or_else(|| filter.to.map(before));
        let from = filter.from.unwrap_or(Timestamp::MIN);
        let source = Source { pages: Pages::Of(timeline), from };
        return read(service, filter, request, (source, start)).await;
    }
    // What another writes at this moment may be a little ahead of our clock.
    let to = filter.to.unwrap_or_else(|| soon(now));
    let from = filter.from.unwrap_or_else(|| to.saturating_sub(DEFAULT_SPAN).unwrap_or(to));
    let start = cursor.unwrap_or_else(|| before(to));
    let source = Source { pages: Pages::Day(day_before(&start)), from };
    read(service, filter, request, (source, Some(start))).await
}

/// What is read, and how far back.
struct Source {
    pages: Pages,
    from: Timestamp,
}

impl Source {
    /// The pages to go on with when these are at their end.
    fn older(&self) -> Option<(Self, String)> {
        let Pages::Day(day) = &self.pages else { return None };
        let begins = begins(*day).filter(|begins| *begins > self.from)?;
        let start = before(begins);
        Some((Self { pages: Pages::Day(day_before(&start)), from: self.from }, start))
    }
}

async fn read(
    service: &Service,
    filter: &AuditFilter,
    request: &PageRequest,
    (mut source, mut start): (Source, Option<String>),
) -> Result<Page<AuditItem>, Error> {
    let mut filling = Filling::new(request.limit);
    for _ in 0..QUERIES_MAX {
        let found = service.table.entries(&source.pages, start.as_deref(), filling.slice()).await?;
        let Entries { mut items, more } = found;
        let last = items.last().map(|(position, _)| position.clone());
        let count = items.len();
        items.retain(|(_, item)| item.at >= source.from);
        let has_older = items.len() < count;
        let is_end = !more && source.older().is_none();
        if let Some(end) = filling.take(items, |item| filter.wants(item)) {
            let is_last = is_end && Some(&end) == last.as_ref();
            return Ok(filling.page(Some(end).filter(|_| !is_last)));
        }
        if has_older {
            return Ok(filling.page(None));
        }
        if more && last.is_some() {
            start = last;
            continue;
        }
        let Some((older, before)) = source.older() else { return Ok(filling.page(None)) };
        (source, start) = (older, Some(before));
    }
    Ok(filling.page(start))
}

fn soon(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_mins(5)).unwrap_or(now)
}

/// The day that has what comes right before a position.
fn day_before(position: &str) -> Date {
    let at = instant_of(position).unwrap_or_default();
    let is_bound = !position.contains('#');
    let at =
        if is_bound { at.saturating_sub(SignedDuration::from_millis(1)).unwrap_or(at) } else { at };
    day_of(at)
}

fn begins(day: Date) -> Option<Timestamp> {
    Some(day.in_tz("UTC").ok()?.timestamp())
}

/// The instants at which a day begins and ends, in UTC.
pub fn bounds_of(day: Date) -> Option<(Timestamp, Timestamp)> {
    Some((begins(day)?, begins(day.checked_add(1.day()).ok()?)?))
}
