//! Schedules in the table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::error;

use super::client::{Condition, Range, Table, Written};
use super::keys::{self, DueKind, Key};
use super::record::Record;
use super::transaction::Write;
use super::{drills, runs};
use crate::domain::audit::{entries_of_removed_schedule, entries_of_run, entries_of_schedule};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::ScheduleId;
use crate::domain::run::Run;
use crate::domain::schedule::Schedule;
use crate::error::{Error, chain};

impl Table {
    /// The schedule of this id.
    pub async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, Error> {
        self.get(keys::schedule(id)).await
    }

    /// The schedules of these ids. What is not there is left out.
    pub async fn schedules(
        &self,
        ids: &BTreeSet<ScheduleId>,
    ) -> Result<BTreeMap<ScheduleId, Schedule>, Error> {
        let keys: Vec<_> = ids.iter().map(keys::schedule).collect();
        let found: BTreeMap<Key, Schedule> = self.get_all(&keys).await?;
        Ok(found.into_values().map(|schedule| (schedule.id.clone(), schedule)).collect())
    }

    /// All schedules whose records can be read.
    pub async fn every_schedule(&self) -> Result<BTreeMap<ScheduleId, Schedule>, Error> {
        Ok(self.schedules_and_unreadable().await?.0)
    }

    /// All schedules, and the ids of those whose records cannot be read: one such stops no other.
    pub async fn schedules_and_unreadable(
        &self,
    ) -> Result<(BTreeMap<ScheduleId, Schedule>, Vec<String>), Error> {
        let (mut all, mut unreadable) = (BTreeMap::new(), Vec::new());
        let mut request = PageRequest { limit: 1_000, ..PageRequest::default() };
        loop {
            let (page, lacking) = self.readable_page(&request).await?;
            all.extend(page.items.into_iter().map(|schedule| (schedule.id.clone(), schedule)));
            unreadable.extend(lacking);
            if page.next_cursor.is_none() {
                return Ok((all, unreadable));
            }
            request.cursor = page.next_cursor;
        }
    }

    /// One page of all schedules, but for those whose records cannot be read.
    pub async fn list_schedules(&self, request: &PageRequest) -> Result<Page<Schedule>, Error> {
        Ok(self.readable_page(request).await?.0)
    }

    /// One page, and the ids of those on it that cannot be read.
    async fn readable_page(
        &self,
        request: &PageRequest,
    ) -> Result<(Page<Schedule>, Vec<String>), Error> {
        let range = Range {
            order: request.order,
            limit: request.limit,
            after: request.cursor.as_ref().map(|cursor| cursor.key().to_owned()),
            ..Range::of(None, keys::SCHEDULES)
        };
        let found = self.query_each::<Schedule>(&range).await?;
        let last = found.items.last().filter(|_| found.more);
        let next_cursor = last.map(|(key, _)| Cursor::after(&key.sk));
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        for (key, schedule) in found.items {
            match readable(&key, schedule) {
                Some(schedule) => items.push(schedule),
                None => unreadable.push(key.sk),
            }
        }
        Ok((Page { items, next_cursor }, unreadable))
    }

    /// At most `limit` schedules that are due at `now`, the longest due first, but for those whose records cannot be read.
    pub async fn due_schedules(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Schedule>, Error> {
        let positions = self.due_positions(DueKind::Schedule, now, limit).await?;
        let keys: Vec<_> = positions.iter().map(|position| position.key.clone()).collect();
        let mut found = self.get_each(&keys).await?;
        Ok(keys.iter().filter_map(|key| readable(key, found.remove(key)?)).collect())
    }

    /// Puts a schedule of which there is no record yet.
    pub async fn insert_schedule(&self, schedule: &Schedule) -> Result<Written, Error> {
        self.put_schedule((None, schedule), Condition::Absent, None).await
    }

    /// Puts `new`, if the record still is as `old` was read.
    pub async fn update_schedule(&self, old: &Schedule, new: &Schedule) -> Result<Written, Error> {
        self.put_schedule((Some(old), new), Condition::Version(old.revision), None).await
    }

    /// Puts `new` like [`Table::update_schedule`], and the record of the slot that nobody runs any more because of it, of
    /// which there must be none yet. All or nothing.
    pub async fn update_schedule_dropping(
        &self,
        old: &Schedule,
        new: &Schedule,
        dropped: &Run,
    ) -> Result<Written, Error> {
        self.put_schedule((Some(old), new), Condition::Version(old.revision), Some(dropped)).await
    }

    async fn put_schedule(
        &self,
        (old, new): (Option<&Schedule>, &Schedule),
        condition: Condition,
        dropped: Option<&Run>,
    ) -> Result<Written, Error> {
        let mut entries = entries_of_schedule(old, new);
        let mut beside: Vec<_> = drills::entry_write(old, new)?.into_iter().collect();
        if let Some(run) = dropped {
            entries.extend(entries_of_run(None, run));
            beside.push(Write::Put(runs::record(run).into_item()?, Condition::Absent));
        }
        if beside.is_empty() {
            return self.put_with_entries(record(new), condition, &entries).await;
        }
        beside.insert(0, Write::Put(record(new).into_item()?, condition));
        self.transact_with_entries(beside, &entries).await
    }

    /// Puts the second of each pair, whose drills are those of the first, if all records still are as the first was read; all or none, 25 at the most
    /// for the entries of the audit to be in the same transaction.
    pub async fn update_schedules(
        &self,
        changes: &[(Schedule, Schedule)],
    ) -> Result<Written, Error> {
        let put = |(old, new): &(Schedule, Schedule)| {
            Ok(Write::Put(record(new).into_item()?, Condition::Version(old.revision)))
        };
        let writes = changes.iter().map(put).collect::<Result<Vec<_>, Error>>()?;
        let entries: Vec<_> =
            changes.iter().flat_map(|(old, new)| entries_of_schedule(Some(old), new)).collect();
        self.transact_with_entries(writes, &entries).await
    }

    /// Removes the record, if it still is as `old` was read. Its snapshots stay, and nothing deletes them.
    pub async fn delete_schedule(&self, old: &Schedule, now: Timestamp) -> Result<Written, Error> {
        let mut writes = vec![Write::Remove(keys::schedule(&old.id), old.revision)];
        writes.extend(drills::removals(&old.id));
        self.transact_with_entries(writes, &entries_of_removed_schedule(old, now)).await
    }
}

/// The schedule, if it can be read. Of one that cannot nothing is deleted and nothing taken until it can again.
fn readable(key: &Key, schedule: Result<Schedule, Error>) -> Option<Schedule> {
    let id = &key.sk;
    schedule
        .inspect_err(|error| {
            error!(schedule.id = %id, error.chain = %chain(error), "Schedule {id} cannot be read, and is left alone");
        })
        .ok()
}

fn record(schedule: &Schedule) -> Record<'_, Schedule> {
    Record {
        key: keys::schedule(&schedule.id),
        version: schedule.revision,
        indexes: keys::of_schedule(schedule),
        body: schedule,
        expires_at: None,
    }
}
