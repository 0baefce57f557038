//! Runs in the table.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::client::{Condition, IndexEntry, Range, Table, Written};
use super::keys::{self, DueKind, Index, Key};
use super::record::Record;
use super::snapshots::Slice;
use crate::domain::audit::entries_of_run;
use crate::domain::cursor::{Cursor, Order, Page, PageRequest};
use crate::domain::ids::ScheduleId;
use crate::domain::run::{Run, RunStatus};
use crate::domain::snapshot::ScheduleSlot;
use crate::error::Error;

/// How many runs one Query asks for; its megabyte may end it sooner.
const QUERY_MAX: usize = 1_000;
/// How long the record of a run is kept when it is over: no tick asks for a slot so late.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Table {
    /// The run of this slot.
    pub async fn run(&self, slot: &ScheduleSlot) -> Result<Option<Run>, Error> {
        self.get(keys::run(slot)).await
    }

    /// One page of a schedule's runs.
    pub async fn list_runs(
        &self,
        schedule: &ScheduleId,
        request: &PageRequest,
    ) -> Result<Page<Run>, Error> {
        let range = Range {
            order: request.order,
            limit: request.limit,
            after: request.cursor.as_ref().map(|cursor| cursor.key().to_owned()),
            ..Range::of(None, keys::runs(schedule))
        };
        let found = self.query::<Run>(&range).await?;
        let last = found.items.last().filter(|_| found.more);
        let next_cursor = last.map(|run| Cursor::after(keys::instant(run.slot.slot)));
        Ok(Page { items: found.items, next_cursor })
    }

    /// Runs of all schedules by slot, with where they sort, and whether there are more: a Query, and a batch for each
    /// hundred.
    pub async fn list_all_runs(&self, slice: &Slice) -> Result<(Vec<(String, Run)>, bool), Error> {
        let Slice { order, limit, after } = slice.clone();
        let range = Range { order, limit, after, ..Range::of(Some(Index::All), keys::RUNS) };
        let found = self.query_positions(&range).await?;
        let keys: Vec<_> = found.items.iter().map(|position| position.key.clone()).collect();
        let mut runs: BTreeMap<Key, Run> = self.get_all(&keys).await?;
        let place = |position: IndexEntry| Some((position.sort, runs.remove(&position.key)?));
        Ok((found.items.into_iter().filter_map(place).collect(), found.more))
    }

    /// The runs of a schedule at slots from an instant on and before another, the oldest first: one Query for each megabyte. None
    /// if there are more than `most`.
    pub async fn runs_between(
        &self,
        schedule: &ScheduleId,
        (from, to): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Option<Vec<Run>>, Error> {
        // Slots are told apart by the millisecond, and a range begins behind its bound.
        let before = from.saturating_sub(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MIN);
        let mut range = Range {
            order: Order::OldestFirst,
            limit: QUERY_MAX,
            after: Some(keys::instant(before)),
            ..Range::of(None, keys::runs(schedule))
        };
        let mut all: Vec<Run> = Vec::new();
        loop {
            let found = self.query::<Run>(&range).await?;
            let last = found.items.last().map(|run| run.slot.slot);
            all.extend(found.items.into_iter().filter(|run| run.slot.slot < to));
            if all.len() > most {
                return Ok(None);
            }
            match last.filter(|last| found.more && *last < to) {
                Some(last) => range.after = Some(keys::instant(last)),
                None => return Ok(Some(all)),
            }
        }
    }

    /// The runs of a schedule at these slots, the newest first. What is not there is left out.
    pub async fn runs(
        &self,
        schedule: &ScheduleId,
        slots: &[Timestamp],
    ) -> Result<Vec<Run>, Error> {
        let key = |slot: &Timestamp| {
            keys::run(&ScheduleSlot { schedule_id: schedule.clone(), slot: *slot })
        };
        let keys: Vec<_> = slots.iter().map(key).collect();
        let found: BTreeMap<Key, Run> = self.get_all(&keys).await?;
        Ok(found.into_values().rev().collect())
    }

    /// At most `limit` runs that the tick is to look at by `now`, the longest due first.
    pub async fn due_runs(&self, now: Timestamp, limit: usize) -> Result<Vec<Run>, Error> {
        let positions = self.due_positions(DueKind::Run, now, limit).await?;
        let keys: Vec<_> = positions.iter().map(|position| position.key.clone()).collect();
        let mut found: BTreeMap<Key, Run> = self.get_all(&keys).await?;
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }

    /// Puts a run of which there is no record yet: it is claimed.
    pub async fn insert_run(&self, run: &Run) -> Result<Written, Error> {
        self.put_with_entries(record(run), Condition::Absent, &entries_of_run(None, run)).await
    }

    /// Puts `new`, if the record still is as `old` was read.
    pub async fn update_run(&self, old: &Run, new: &Run) -> Result<Written, Error> {
        let entries = entries_of_run(Some(old), new);
        self.put_with_entries(record(new), Condition::Version(old.version), &entries).await
    }
}

pub(super) fn record(run: &Run) -> Record<'_, Run> {
    Record {
        key: keys::run(&run.slot),
        version: run.version,
        indexes: keys::of_run(run),
        body: run,
        expires_at: kept_until(run),
    }
}

/// Until when a run that is over is kept, in seconds since 1970.
fn kept_until(run: &Run) -> Option<i64> {
    match run.status {
        RunStatus::Dispatching | RunStatus::Running => None,
        RunStatus::Done | RunStatus::PartlyFailed | RunStatus::Failed | RunStatus::Missed => {
            let ended_at = run.finished_at.unwrap_or(run.claimed_at);
            Some(ended_at.as_second().saturating_add(KEPT.as_secs()))
        }
    }
}
