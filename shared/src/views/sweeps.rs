//! Sweeps and their plans.

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId, SweepId};
use crate::domain::sweep::plan::{PlanEntry, Verdict};
use crate::domain::sweep::{Sweep, SweepMode, SweepStatus};
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::Slice;
use crate::views::paging::collect;

/// How many sweeps are looked at to count them, and at once. The hourly ones of 90 days are fewer than 2,200.
pub const COUNTED_MAX: usize = 10_000;
const COUNTED_AT_ONCE: usize = 1_000;
/// How many stored pages of a plan one page looks through.
const STORED_PAGES_MAX: usize = 100;

/// Which sweeps are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct SweepFilter {
    /// Standing at one of these; anywhere if none.
    pub status: Vec<SweepStatus>,
    pub mode: Option<SweepMode>,
}

/// Which entries of a plan are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// With one of these verdicts; with any if none.
    pub verdicts: Vec<VerdictKind>,
    /// Whether the rules of the last executed sweep would keep it, now or once nothing protects it.
    pub unexpected: Option<bool>,
    pub schedule_id: Option<ScheduleId>,
    pub instance_id: Option<InstanceId>,
}

/// A verdict by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictKind {
    Keep,
    Delete,
    Blocked,
}

/// The sweep of this id.
pub async fn show(service: &Service, id: &SweepId) -> Result<Sweep, Error> {
    service.table.sweep(id).await?.ok_or_else(|| Error::not_found("sweep", id))
}

/// One page of a sweep's plan, from 1 on. An hourly sweep's has only what is not kept.
pub async fn plan_entries(
    service: &Service,
    sweep: &Sweep,
    page: u32,
) -> Result<Vec<PlanEntry>, Error> {
    service.table.plan_page(sweep, page).await
}

/// One page of the sweeps that are wanted. It may be short although more follow, where few of many are wanted.
pub async fn list(
    service: &Service,
    filter: &SweepFilter,
    request: &PageRequest,
) -> Result<Page<Sweep>, Error> {
    let read = |slice: Slice| async move {
        let Slice { order, limit, after } = slice;
        let request = PageRequest { limit, cursor: after.map(Cursor::after), order };
        let Page { items, next_cursor } = service.table.list_sweeps(&request).await?;
        let items = items.into_iter().map(|sweep| (sweep.id.to_string(), sweep)).collect();
        Ok((items, next_cursor.is_some()))
    };
    collect(request, read, |sweep| filter.wants(sweep)).await
}

/// How many sweeps are wanted in all; refused where there are more than [`COUNTED_MAX`] to look at.
pub async fn total(service: &Service, filter: &SweepFilter) -> Result<u64, Error> {
    let mut request = PageRequest { limit: COUNTED_AT_ONCE, ..PageRequest::default() };
    let (mut seen, mut count) = (0, 0);
    loop {
        let Page { items, next_cursor } = service.table.list_sweeps(&request).await?;
        seen += items.len();
        count += items.iter().filter(|sweep| filter.wants(sweep)).count();
        if seen > COUNTED_MAX {
            let reason =
                format!("cannot be told: there are more than {COUNTED_MAX} sweeps; leave it out");
            return Err(Error::invalid("count", reason));
        }
        if next_cursor.is_none() {
            return Ok(u64::try_from(count).unwrap_or(u64::MAX));
        }
        request.cursor = next_cursor;
    }
}

/// One page of those entries of a sweep's plan that are wanted, in the plan's order. A stored page is one read; a page may
/// be short although more follow, where few of many are wanted.
pub async fn list_entries(
    service: &Service,
    sweep: &Sweep,
    filter: &EntryFilter,
    request: &PageRequest,
) -> Result<Page<PlanEntry>, Error> {
    let mut at = PlanPosition::of(request.cursor.as_ref())?;
    let mut items = Vec::new();
    for _ in 0..STORED_PAGES_MAX {
        if at.page > sweep.plan_pages {
            return Ok(Page { items, next_cursor: None });
        }
        let entries = plan_entries(service, sweep, at.page).await?;
        if let Some(end) = at.take(entries, &mut items, filter, request.limit) {
            return Ok(Page { items, next_cursor: Some(end.cursor()) });
        }
        at = PlanPosition { page: at.page + 1, skip: 0 };
    }
    let next_cursor = (at.page <= sweep.plan_pages).then(|| at.cursor());
    Ok(Page { items, next_cursor })
}

impl SweepFilter {
    fn wants(&self, sweep: &Sweep) -> bool {
        (self.status.is_empty() || self.status.contains(&sweep.status))
            && self.mode.is_none_or(|mode| sweep.mode == mode)
    }
}

impl EntryFilter {
    fn wants(&self, entry: &PlanEntry) -> bool {
        let kind = match entry.verdict {
            Verdict::Keep => VerdictKind::Keep,
            Verdict::Delete { .. } => VerdictKind::Delete,
            Verdict::Blocked { .. } => VerdictKind::Blocked,
        };
        let is_unexpected = entry.unexpected_by().is_some();
        (self.verdicts.is_empty() || self.verdicts.contains(&kind))
            && self.unexpected.is_none_or(|wanted| is_unexpected == wanted)
            && self.schedule_id.as_ref().is_none_or(|id| entry.schedule_id.as_ref() == Some(id))
            && self.instance_id.as_ref().is_none_or(|id| entry.instance_id == *id)
    }
}

/// Where a page of a plan begins: so many entries into a stored page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PlanPosition {
    page: u32,
    skip: usize,
}

impl PlanPosition {
    fn of(cursor: Option<&Cursor>) -> Result<Self, Error> {
        let Some(cursor) = cursor else { return Ok(Self { page: 1, skip: 0 }) };
        let parts = cursor.key().split_once(':');
        parts
            .and_then(|(page, skip)| {
                Some(Self { page: page.parse().ok()?, skip: skip.parse().ok()? })
            })
            .filter(|position| position.page > 0)
            .ok_or_else(|| {
                let reason = "is no cursor of this list; take the next_cursor of the page before";
                Error::invalid("cursor", reason)
            })
    }

    fn cursor(self) -> Cursor {
        Cursor::after(format!("{}:{}", self.page, self.skip))
    }

    /// Takes what is wanted of a stored page from here on; answers where the next page begins if this one is full before
    /// the stored one is at its end.
    fn take(
        self,
        entries: Vec<PlanEntry>,
        items: &mut Vec<PlanEntry>,
        filter: &EntryFilter,
        limit: usize,
    ) -> Option<Self> {
        for (place, entry) in entries.into_iter().enumerate().skip(self.skip) {
            if items.len() == limit {
                return Some(Self { page: self.page, skip: place });
            }
            if filter.wants(&entry) {
                items.push(entry);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::ids::SnapshotId;
    use crate::domain::sweep::brake::group::Group;

    /// Entries of which every third goes.
    fn entries(count: usize) -> Vec<PlanEntry> {
        let entry = |number: usize| PlanEntry {
            snapshot_id: SnapshotId::derived(Timestamp::UNIX_EPOCH, &[&number.to_string()]),
            instance_id: "i-0123456789abcdef0".parse().unwrap(),
            schedule_id: None,
            taken_at: Timestamp::UNIX_EPOCH,
            verdict: match number % 3 {
                0 => Verdict::Delete {
                    by: crate::domain::snapshot::condemnation::CondemnedBy::Failed,
                    unexpected: false,
                },
                _ => Verdict::Keep,
            },
            reasons: Vec::new(),
            shielded_from: None,
            group: Group::default(),
            outcome: None,
        };
        (0..count).map(entry).collect()
    }

    /// How many entries each page of a plan in two stored pages has.
    fn pages(filter: &EntryFilter, limit: usize) -> Vec<usize> {
        let stored = [entries(201), entries(30)];
        let (mut counts, mut items) = (Vec::new(), Vec::new());
        let mut at = PlanPosition::of(None).unwrap();
        while let Some(entries) = stored.get(at.page as usize - 1) {
            match at.take(entries.clone(), &mut items, filter, limit) {
                Some(end) => {
                    counts.push(std::mem::take(&mut items).len());
                    at = PlanPosition::of(Some(&end.cursor())).unwrap();
                }
                None => at = PlanPosition { page: at.page + 1, skip: 0 },
            }
        }
        counts.push(items.len());
        counts
    }

    #[test]
    fn pages_of_a_plan_meet_without_gap_or_overlap() {
        assert_eq!(pages(&EntryFilter::default(), 70), [70, 70, 70, 21]);
    }

    #[test]
    fn what_is_not_wanted_takes_no_room_on_a_page() {
        let goes = EntryFilter { verdicts: vec![VerdictKind::Delete], ..EntryFilter::default() };
        let unexpected = EntryFilter { unexpected: Some(true), ..EntryFilter::default() };

        assert_eq!(pages(&goes, 70), [70, 7]);
        assert_eq!(pages(&unexpected, 70), [0]);
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        for key in ["x", "0:0", "1:", "2026-03-01T00:00:00.000Z#snp"] {
            PlanPosition::of(Some(&Cursor::after(key))).unwrap_err();
        }
    }
}
