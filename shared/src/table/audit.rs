//! The audit and the outbox in the table: written in one transaction with the record that they tell of.
//!
//! An entry of the audit lies in the partition of its day, and shows in the index of schedules on the timeline that it is
//! on. That of instances, where it was before, has a second index on the same keys. An event lies in the outbox until the
//! tick has published it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::client::{Condition, Range, Table, Written};
pub use super::keys::audit::{before, day_of, instant_of};
use super::keys::{self, Index, Key};
use super::record::{Item, Record};
use super::transaction::{TRANSACTION_MAX, Write};
use crate::domain::audit::{AuditItem, Author, DomainEvent, Entry, Timeline};
use crate::domain::cursor::Order;
use crate::domain::ids::EventId;
use crate::error::{Error, chain};
use crate::metrics::{Metric, Metrics};

const SECONDS_A_DAY: i64 = 86_400;
/// How many events of the outbox are removed at once.
const CLEARED_AT_ONCE: usize = 10;

/// A part of the audit that is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// All of a day, in UTC.
    Day(Date),
    /// A timeline.
    Of(Timeline),
    /// What a person's request has done.
    OfRequest(String),
}

/// Entries with where they sort, the newest first.
#[derive(Clone, Debug)]
pub struct Entries {
    pub items: Vec<(String, AuditItem)>,
    /// Whether there may be older ones.
    pub more: bool,
}

/// An event that waits to be published.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub event: DomainEvent,
    key: Key,
}

/// An event as the outbox keeps it.
#[derive(Serialize, Deserialize)]
struct OutboxBody {
    id: EventId,
    at: Timestamp,
    version: u64,
    event: DomainEvent,
}

impl Table {
    /// The same table, written by this author.
    #[must_use]
    pub fn acting(&self, author: Author) -> Self {
        Self { author: Arc::new(author), ..self.clone() }
    }

    /// The same table and author, who has a reason. One that a person has given comes first.
    #[must_use]
    pub fn because(&self, reason: &str) -> Self {
        let Author { actor, reason: given } = &*self.author;
        let reason = given.clone().or_else(|| Some(reason.to_owned()));
        self.acting(Author { actor: actor.clone(), reason })
    }

    /// The same table; the audit is kept for so many days, and for ever if 0.
    #[must_use]
    pub fn keeping_audit(self, days: u32) -> Self {
        Self { audit_days: Some(days).filter(|days| *days > 0), ..self }
    }

    /// The same table; what becomes of its records is counted there.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Writes one record under a condition, and in the same transaction what the change is worth telling. Without
    /// entries it is a plain write.
    pub(super) async fn put_with_entries<T: Serialize>(
        &self,
        record: Record<'_, T>,
        condition: Condition,
        entries: &[Entry],
    ) -> Result<Written, Error> {
        if entries.is_empty() {
            return self.put(record, condition).await;
        }
        self.transact_with_entries(vec![Write::Put(record.into_item()?, condition)], entries).await
    }

    /// Writes all or nothing, and in the same transaction what the change is worth telling. Entries that do not fit
    /// (those of sixty instances that one edit assigns) are written after it.
    pub(super) async fn transact_with_entries(
        &self,
        mut writes: Vec<Write>,
        entries: &[Entry],
    ) -> Result<Written, Error> {
        let mut told = Vec::new();
        for entry in entries {
            told.push(Write::Overwrite(self.audit_item(entry)?));
            told.extend(outbox_item(entry, &self.author)?.map(Write::Overwrite));
        }
        let room = TRANSACTION_MAX.saturating_sub(writes.len());
        let mut rest = told.split_off(told.len().min(room));
        writes.extend(told);
        if !self.transact(writes).await?.is_done() {
            return Ok(Written::Changed);
        }
        for metric in entries.iter().filter_map(|entry| Metric::of(entry.action)) {
            self.metrics.count(metric);
        }
        while !rest.is_empty() {
            let further = rest.split_off(rest.len().min(TRANSACTION_MAX));
            if let Err(error) = self.transact(rest).await {
                // The record is written, and its own entry with it: what is lost is a line on some timelines.
                tracing::warn!(error.chain = %chain(&error), "Entries of the audit are lost");
            }
            rest = further;
        }
        Ok(Written::Done)
    }

    /// Of how many writes of a transaction an entry needs room for, at the most.
    pub(super) const WRITES_PER_ENTRY: usize = 2;

    fn audit_item(&self, entry: &Entry) -> Result<Item, Error> {
        let body = entry.recorded(&self.author);
        let record = Record {
            key: keys::audit::audit(&body),
            version: 1,
            indexes: keys::audit::of_entry(entry.timeline.as_ref(), &body),
            body: &body,
            expires_at: self.kept_until(body.at),
        };
        record.into_item()
    }

    /// Until when is kept what tells of `at`, in seconds since 1970; for ever without it.
    pub(super) fn kept_until(&self, at: Timestamp) -> Option<i64> {
        let kept = |days: u32| i64::from(days).saturating_mul(SECONDS_A_DAY);
        self.audit_days.map(|days| at.as_second().saturating_add(kept(days)))
    }

    /// At most `limit` entries before `before`, the newest first.
    pub async fn entries(
        &self,
        pages: &Pages,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Entries, Error> {
        let after = before.map(str::to_owned);
        let (partition, indexes): (_, &[Index]) = match pages {
            Pages::Day(day) => return self.entries_of_day(*day, after, limit).await,
            Pages::Of(timeline) => {
                (keys::audit::timeline(timeline), &[Index::Schedule, Index::Instance])
            }
            Pages::OfRequest(id) => (keys::audit::request(id), &[Index::All]),
        };
        let mut positions = Vec::new();
        let mut more = false;
        for index in indexes {
            let after = after.clone();
            let range = Range { limit, after, ..Range::of(Some(*index), partition.clone()) };
            let found = self.query_positions(&range).await?;
            more |= found.more;
            positions.extend(found.items);
        }
        positions.sort_by(|one, other| other.sort.cmp(&one.sort));
        more |= positions.len() > limit;
        positions.truncate(limit);
        let keys: Vec<_> = positions.iter().map(|position| position.key.clone()).collect();
        let mut items: BTreeMap<Key, AuditItem> = self.get_all(&keys).await?;
        let items = positions
            .into_iter()
            .filter_map(|position| Some((position.sort, items.remove(&position.key)?)))
            .collect();
        Ok(Entries { items, more })
    }

    /// Those of a day, whose partition holds them whole.
    async fn entries_of_day(
        &self,
        day: Date,
        after: Option<String>,
        limit: usize,
    ) -> Result<Entries, Error> {
        let range = Range { limit, after, ..Range::of(None, keys::audit::day(day)) };
        let found = self.query::<AuditItem>(&range).await?;
        let place =
            |item: AuditItem| (keys::audit::position(item.at, item.version, &item.id), item);
        Ok(Entries { items: found.items.into_iter().map(place).collect(), more: found.more })
    }

    /// At most `limit` events that wait to be published, the oldest first.
    pub async fn outbox(&self, limit: usize) -> Result<Vec<Waiting>, Error> {
        let range =
            Range { order: Order::OldestFirst, limit, ..Range::of(None, keys::audit::OUTBOX) };
        let found = self.query::<OutboxBody>(&range).await?;
        let waiting = |body: OutboxBody| {
            let key = keys::audit::outbox(body.at, body.version, &body.id);
            Waiting { event: body.event, key }
        };
        Ok(found.items.into_iter().map(waiting).collect())
    }

    /// These events are published: they wait no longer. What is not removed is published once more. A transaction would take
    /// twice the units.
    pub async fn clear_outbox(&self, published: &[Waiting]) -> Result<(), Error> {
        for chunk in published.chunks(CLEARED_AT_ONCE) {
            let mut removals = JoinSet::new();
            for one in chunk {
                removals.spawn(self.forget(one.key.clone()));
            }
            while let Some(removed) = removals.join_next().await {
                removed.map_err(|source| Error::internal("clearing the outbox", source))??;
            }
        }
        Ok(())
    }
}

fn outbox_item(entry: &Entry, author: &Author) -> Result<Option<Item>, Error> {
    let Some(event) = entry.event(author) else { return Ok(None) };
    let body = OutboxBody { id: entry.id(), at: entry.at, version: entry.version, event };
    let record = Record {
        key: keys::audit::outbox(body.at, body.version, &body.id),
        version: 1,
        indexes: Vec::new(),
        body: &body,
        expires_at: None,
    };
    record.into_item().map(Some)
}
