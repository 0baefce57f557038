//! Snapshots in the table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::client::{Condition, IndexEntry, QueryPage, Range, Table, Written};
use super::comb::short_form;
use super::keys::{self, DueKind, Index, Key};
use super::lists::SnapshotList;
use super::record::Record;
use super::resolved::{Resolved, readable};
use super::transaction::Write;
use crate::domain::audit::entries_of_snapshot;
use crate::domain::cursor::Order;
use crate::domain::ids::SnapshotId;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{Extent, Snapshot};
use crate::error::Error;

/// A part of a list, by position only.
#[derive(Clone, Debug)]
pub struct Slice {
    pub order: Order,
    /// At most so many.
    pub limit: usize,
    /// After this position.
    pub after: Option<String>,
}

/// Snapshots in their order, and where the last one looked at sorts if there may be more.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The snapshots with their positions.
    pub snapshots: Vec<(String, Snapshot)>,
    /// Whether there may be more behind.
    pub more: bool,
}

impl Slice {
    /// The range that it is of a partition.
    pub(super) fn of(&self, index: Option<Index>, partition: impl Into<String>) -> Range {
        let Self { order, limit, after } = self.clone();
        Range { order, limit, after, ..Range::of(index, partition) }
    }

    fn of_list(&self, list: &SnapshotList) -> Range {
        let (index, partition) = keys::list(list);
        self.of(Some(index), partition)
    }
}

/// The bound in a list below all that was made at `at` or later, and above all that was made earlier.
pub fn bound(at: Timestamp) -> String {
    keys::instant(at)
}

/// How many guardians one write is bound to: DynamoDB takes a hundred items, and the record, its schedule and the
/// entries of the audit are among them.
pub const GUARDIANS_MAX: usize = 80;

/// What a write of a snapshot is bound to: none of it may have changed since it was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bound<'a> {
    /// The first [`GUARDIANS_MAX`] of these.
    pub guardians: &'a [Snapshot],
    /// The schedule whose rules were asked.
    pub schedule: Option<&'a Schedule>,
}

impl Table {
    /// The snapshot of this id, as it is at this moment.
    pub async fn snapshot(&self, id: &SnapshotId) -> Result<Option<Snapshot>, Error> {
        self.get(keys::snapshot(id)).await
    }

    /// The snapshots of these ids, as they are at this moment. What is not there is left out, and so is what cannot be
    /// read: it stops no other.
    pub async fn snapshots(
        &self,
        ids: &[SnapshotId],
    ) -> Result<BTreeMap<SnapshotId, Snapshot>, Error> {
        let keys: Vec<_> = ids.iter().map(keys::snapshot).collect();
        let found = self.get_each(&distinct(keys)).await?.into_iter();
        let readable = found.filter_map(|(key, snapshot)| readable(&key, snapshot));
        Ok(readable.map(|snapshot| (snapshot.id.clone(), snapshot)).collect())
    }

    /// Puts a snapshot of which there is no record yet.
    pub async fn insert_snapshot(&self, snapshot: &Snapshot) -> Result<Written, Error> {
        let entries = entries_of_snapshot(None, snapshot);
        let written =
            self.put_with_entries(self.record_of(snapshot)?, Condition::Absent, &entries).await?;
        self.count(written, None, snapshot).await;
        Ok(written)
    }

    /// Puts `new`, if the record still is as `old` was read.
    pub async fn update_snapshot(&self, old: &Snapshot, new: &Snapshot) -> Result<Written, Error> {
        let entries = entries_of_snapshot(Some(old), new);
        let condition = Condition::Version(old.version);
        let written = self.put_with_entries(self.record_of(new)?, condition, &entries).await?;
        self.count(written, Some(old), new).await;
        Ok(written)
    }

    /// Puts `new`, if the record still is as `old` was read, and so is all that lets it go.
    pub async fn update_snapshot_guarded(
        &self,
        old: &Snapshot,
        new: &Snapshot,
        guard: Bound<'_>,
    ) -> Result<Written, Error> {
        let Bound { guardians, schedule } = guard;
        let mut writes =
            vec![Write::Put(self.record_of(new)?.into_item()?, Condition::Version(old.version))];
        let unchanged = |one: &Snapshot| Write::Unchanged(keys::snapshot(&one.id), one.version);
        writes.extend(guardians.iter().take(GUARDIANS_MAX).map(unchanged));
        writes.extend(schedule.map(|one| Write::Unchanged(keys::schedule(&one.id), one.revision)));
        let entries = entries_of_snapshot(Some(old), new);
        let written = self.transact_with_entries(writes, &entries).await?;
        self.count(written, Some(old), new).await;
        Ok(written)
    }

    /// One page of a list: one Query for the keys, one `BatchGetItem` per hundred records. The records are as they
    /// are at this moment; one that has left the list since the index was read is among them all the same. What cannot be
    /// read is left out.
    pub async fn list_snapshots(
        &self,
        list: &SnapshotList,
        slice: &Slice,
    ) -> Result<Listed, Error> {
        let range = slice.of_list(list);
        let found = self.query_positions(&range).await?;
        let snapshots = self.resolve(found.items).await?;
        Ok(Listed { snapshots, more: found.more })
    }

    /// Where the snapshots of a part of a list sort, as one Query of the index tells it, and whether there are more behind.
    pub async fn snapshot_positions(
        &self,
        list: &SnapshotList,
        slice: &Slice,
    ) -> Result<(Vec<String>, bool), Error> {
        let QueryPage { items, more } = self.query_positions(&slice.of_list(list)).await?;
        Ok((items.into_iter().map(|one| one.sort).collect(), more))
    }

    /// The snapshots of a part of a list by their ids only, as one Query of the index tells them, and whether there are
    /// more behind.
    pub async fn snapshot_ids(
        &self,
        list: &SnapshotList,
        slice: &Slice,
    ) -> Result<(Vec<SnapshotId>, bool), Error> {
        let range = slice.of_list(list);
        let QueryPage { items, more } = self.query_positions(&range).await?;
        Ok((items.iter().filter_map(|one| keys::snapshot_id(&one.key)).collect(), more))
    }

    /// All snapshots of a list that can be read, oldest first.
    pub async fn every_snapshot(&self, list: &SnapshotList) -> Result<Vec<Snapshot>, Error> {
        Ok(self.snapshots_and_unreadable(list).await?.0)
    }

    /// All snapshots of a list, oldest first, and the ids of those whose records cannot be read.
    pub async fn snapshots_and_unreadable(
        &self,
        list: &SnapshotList,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Error> {
        let (mut all, mut lacking) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let slice = Slice { order: Order::OldestFirst, limit: 1_000, after };
            let found = self.query_positions(&slice.of_list(list)).await?;
            after = found.items.last().map(|position| position.sort.clone());
            let Resolved { snapshots, unreadable } = self.resolve_each(found.items).await?;
            all.extend(snapshots.into_iter().map(|(_, snapshot)| snapshot));
            lacking.extend(unreadable);
            if !found.more || after.is_none() {
                return Ok((all, lacking));
            }
        }
    }

    /// Those of `snapshots` that are not in a list, by its keys only. One that was written a moment ago may be among
    /// them: indexes follow.
    pub async fn unlisted<'a>(
        &self,
        list: &SnapshotList,
        snapshots: impl Iterator<Item = &'a Snapshot>,
    ) -> Result<Vec<&'a Snapshot>, Error> {
        let mut listed: BTreeSet<Key> = BTreeSet::new();
        let mut after = None;
        loop {
            let slice = Slice { order: Order::OldestFirst, limit: 1_000, after };
            let found = self.query_positions(&slice.of_list(list)).await?;
            after = found.items.last().map(|position| position.sort.clone());
            listed.extend(found.items.into_iter().map(|position| position.key));
            if !found.more || after.is_none() {
                break;
            }
        }
        Ok(snapshots.filter(|one| !listed.contains(&keys::snapshot(&one.id))).collect())
    }

    /// At most `limit` snapshots that the tick is to look at by `now`, the longest due first.
    pub async fn due_snapshots(
        &self,
        kind: DueKind,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Snapshot>, Error> {
        let positions = self.due_positions(kind, now, limit).await?;
        let snapshots = self.resolve(positions).await?;
        Ok(snapshots.into_iter().map(|(_, snapshot)| snapshot).collect())
    }

    pub(super) async fn due_positions(
        &self,
        kind: DueKind,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, Error> {
        let range = Range {
            order: Order::OldestFirst,
            limit,
            until: Some(keys::due_until(now)),
            ..Range::of(Some(Index::Due), kind.partition())
        };
        Ok(self.query_positions(&range).await?.items)
    }

    /// The record of a snapshot. What is gone is kept for as long as the audit, which tells why. There is none of what was
    /// read in short form: a write of that would lose the rest.
    pub(super) fn record_of<'a>(
        &self,
        snapshot: &'a Snapshot,
    ) -> Result<Record<'a, Snapshot>, Error> {
        match snapshot.extent {
            Extent::Whole => {}
            Extent::Short => {
                let problem = format!("of {} only the short form was read", snapshot.id);
                return Err(Error::internal("writing a record", problem));
            }
        }
        let gone_at = snapshot.ending.gone_at.filter(|_| snapshot.status.is_gone());
        let mut indexes = keys::of_snapshot(snapshot);
        // Without it the comb is read from the record.
        indexes.extend(short_form(snapshot)?.map(|form| (keys::COMB, form)));
        Ok(Record {
            key: keys::snapshot(&snapshot.id),
            version: snapshot.version,
            indexes,
            body: snapshot,
            expires_at: gone_at.and_then(|at| self.kept_until(at)),
        })
    }
}

/// `BatchGetItem` refuses a key that is named twice.
fn distinct(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort();
    keys.dedup();
    keys
}
