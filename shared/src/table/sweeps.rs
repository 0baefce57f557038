//! Sweeps and their plans in the table.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::{Condition, Range, Table, Written};
use super::keys::{self, DueKind, Key};
use super::record::Record;
use crate::domain::audit::entries_of_sweep;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::SweepId;
use crate::domain::sweep::brake::tally::{Tallies, Tally};
use crate::domain::sweep::plan::PlanEntry;
use crate::domain::sweep::{Sweep, SweepMode, SweepStatus};
use crate::error::Error;

/// How many entries a page of a stored plan has: some 60 KB, far below DynamoDB's 400.
pub const PLAN_PAGE_ENTRIES: usize = 200;
/// How many tallies a page has: some 100 KB.
const TALLY_PAGE_ENTRIES: usize = 200;
/// When the tick asks again for a sweep that was asked for and is not finished, and that nobody is at.
const NUDGE_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// How long after it was taken up, if somebody is: when the function must have ended.
const NUDGE_AFTER_CLAIM: SignedDuration = SignedDuration::from_mins(16);
/// How long the record of a sweep is kept, with its plan.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// And of one that only plans: its plan has an entry for every snapshot, and a new one can be asked for at any time.
const PREVIEW_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Serialize, Deserialize)]
struct LastSweep {
    at: Timestamp,
}

impl Table {
    /// The sweep of this id.
    pub async fn sweep(&self, id: &SweepId) -> Result<Option<Sweep>, Error> {
        self.get(keys::sweep(id)).await
    }

    /// One page of all sweeps.
    pub async fn list_sweeps(&self, request: &PageRequest) -> Result<Page<Sweep>, Error> {
        let range = Range {
            order: request.order,
            limit: request.limit,
            after: request.cursor.as_ref().map(|cursor| cursor.key().to_owned()),
            ..Range::of(None, keys::SWEEPS)
        };
        let found = self.query::<Sweep>(&range).await?;
        let last = found.items.last().filter(|_| found.more);
        let next_cursor = last.map(|sweep| Cursor::after(sweep.id.as_str()));
        Ok(Page { items: found.items, next_cursor })
    }

    /// The ids of at most `limit` sweeps that were asked for, are not finished and have not been touched for
    /// ten minutes, or sixteen if somebody has taken them up.
    pub async fn stuck_sweeps(&self, now: Timestamp, limit: usize) -> Result<Vec<SweepId>, Error> {
        let positions = self.due_positions(DueKind::Sweep, now, limit).await?;
        Ok(positions.iter().filter_map(|position| position.key.sk.parse().ok()).collect())
    }

    /// Puts a sweep of which there is no record yet.
    pub async fn insert_sweep(&self, sweep: &Sweep, now: Timestamp) -> Result<Written, Error> {
        let entries = entries_of_sweep(None, sweep, now);
        self.put_with_entries(record(sweep, now), Condition::Absent, &entries).await
    }

    /// Puts `new`, if the record still is as `old` was read.
    pub async fn update_sweep(
        &self,
        old: &Sweep,
        new: &Sweep,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let entries = entries_of_sweep(Some(old), new, now);
        self.put_with_entries(record(new, now), Condition::Version(old.version), &entries).await
    }

    /// One page of the plan that a sweep's record names, from 1 on; empty if there is none.
    pub async fn plan_page(&self, sweep: &Sweep, page: u32) -> Result<Vec<PlanEntry>, Error> {
        let Some(hash) = &sweep.plan_hash else { return Ok(Vec::new()) };
        Ok(self.get(keys::plan_page(&sweep.id, hash, page)).await?.unwrap_or_default())
    }

    /// Puts a page of a sweep's plan that is not there yet.
    pub async fn insert_plan_page(
        &self,
        (sweep, plan_hash): (&Sweep, &str),
        page: u32,
        entries: &[PlanEntry],
        now: Timestamp,
    ) -> Result<Written, Error> {
        let key = keys::plan_page(&sweep.id, plan_hash, page);
        self.put(page_record(key, &entries, kept_until(sweep.mode, now)), Condition::Absent).await
    }

    /// Stores a page of a sweep's plan anew, with what became of its entries.
    pub async fn store_plan_page(
        &self,
        (sweep, plan_hash): (&Sweep, &str),
        page: u32,
        entries: &[PlanEntry],
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = keys::plan_page(&sweep.id, plan_hash, page);
        self.overwrite(page_record(key, &entries, kept_until(sweep.mode, now))).await
    }

    /// The tallies of the plan that a sweep's record names.
    pub async fn tallies(&self, sweep: &Sweep) -> Result<Tallies, Error> {
        let Some(hash) = &sweep.tally_hash else { return Ok(Tallies::of_record(sweep)) };
        let mut tallies: Vec<Tally> = Vec::new();
        for page in 1..=sweep.tally_pages {
            let found = self.get::<Vec<Tally>>(keys::tally_page(&sweep.id, hash, page)).await?;
            // Without it nobody knows what the brake has stopped.
            let missing =
                || Error::internal("reading a plan", format!("no page {page} of its tallies"));
            tallies.extend(found.ok_or_else(missing)?);
        }
        Ok(tallies.into_iter().collect())
    }

    /// Stores the tallies of a plan under their hash, and answers how many pages they have.
    pub async fn store_tallies(
        &self,
        (sweep, tally_hash): (&Sweep, &str),
        tallies: &Tallies,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let tallies: Vec<_> = tallies.iter().collect();
        let mut pages = 0;
        for page in tallies.chunks(TALLY_PAGE_ENTRIES) {
            pages += 1;
            let key = keys::tally_page(&sweep.id, tally_hash, pages);
            self.overwrite(page_record(key, &page, kept_until(sweep.mode, now))).await?;
        }
        Ok(pages)
    }

    /// When the last sweep was executed.
    pub async fn last_sweep_at(&self) -> Result<Option<Timestamp>, Error> {
        let last: Option<LastSweep> = self.get(keys::last_sweep()).await?;
        Ok(last.map(|last| last.at))
    }

    /// A sweep was executed at `at`. An earlier one that ends later changes nothing.
    pub async fn set_last_sweep_at(&self, at: Timestamp) -> Result<Written, Error> {
        let version = u64::try_from(at.as_millisecond()).unwrap_or(0);
        let body = LastSweep { at };
        let record = Record {
            key: keys::last_sweep(),
            version,
            indexes: Vec::new(),
            body: &body,
            expires_at: None,
        };
        self.put(record, Condition::Outside(version, u64::MAX)).await
    }
}

fn page_record<T>(key: Key, page: &T, kept_until: i64) -> Record<'_, T> {
    Record { key, version: 1, indexes: Vec::new(), body: page, expires_at: Some(kept_until) }
}

fn record(sweep: &Sweep, now: Timestamp) -> Record<'_, Sweep> {
    let attention = match sweep.status {
        SweepStatus::Requested | SweepStatus::Executing | SweepStatus::Approved => {
            let again = match sweep.claimed_at {
                Some(at) => at.saturating_add(NUDGE_AFTER_CLAIM),
                None => now.saturating_add(NUDGE_AFTER),
            };
            again.ok()
        }
        SweepStatus::Planned
        | SweepStatus::NeedsApproval
        | SweepStatus::Done
        | SweepStatus::Refused => None,
    };
    let due = attention.map(|at| keys::due_keys(DueKind::Sweep, at, sweep.id.as_str()));
    Record {
        key: keys::sweep(&sweep.id),
        version: sweep.version,
        indexes: due.into_iter().flatten().collect(),
        body: sweep,
        expires_at: Some(kept_until(sweep.mode, now)),
    }
}

fn kept_until(mode: SweepMode, now: Timestamp) -> i64 {
    let kept = match mode {
        SweepMode::PlanOnly => PREVIEW_KEPT,
        SweepMode::Execute => KEPT,
    };
    now.as_second().saturating_add(kept.as_secs())
}
