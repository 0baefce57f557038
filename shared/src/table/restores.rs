//! Restores in the table, and who has an instance to itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::client::{Condition, Table, Written};
use super::keys::{DueKind, Index, Key, restores as keys};
use super::record::Record;
use super::snapshots::Slice;
use super::transaction::Write;
use crate::domain::audit::entries_of_restore;
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
use crate::domain::restore::{Restore, RestoreStatus};
use crate::domain::snapshot::Snapshot;
use crate::error::Error;

/// Which restores a list has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreList {
    /// All.
    All,
    /// Those that concern an instance.
    OfInstance(InstanceId),
    /// Those of a snapshot.
    OfSnapshot(SnapshotId),
    /// Those that stand there.
    That(RestoreStatus),
}

/// Who has an instance to itself; nobody once that is over. The record stays, and its version counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoring {
    pub restore_id: Option<RestoreId>,
    version: u64,
}

impl Table {
    /// The restore of this id.
    pub async fn restore(&self, id: &RestoreId) -> Result<Option<Restore>, Error> {
        self.get(keys::restore(id)).await
    }

    /// Who has an instance to itself.
    pub async fn restoring(&self, instance: &InstanceId) -> Result<Restoring, Error> {
        Ok(self.get(keys::restoring(instance)).await?.unwrap_or_default())
    }

    /// A part of a list with the positions of its restores, and whether there may be more behind: one Query, and one
    /// `BatchGetItem` for each hundred records.
    pub async fn list_restores(
        &self,
        list: &RestoreList,
        slice: &Slice,
    ) -> Result<(Vec<(String, Restore)>, bool), Error> {
        let (index, of) = match list {
            RestoreList::All => (None, keys::RESTORES.to_owned()),
            RestoreList::OfInstance(id) => (Some(Index::Instance), keys::restores_of_instance(id)),
            RestoreList::OfSnapshot(id) => (Some(Index::All), keys::restores_of_snapshot(id)),
            RestoreList::That(status) => (Some(Index::Status), keys::restores_that_are(*status)),
        };
        let found = self.query_positions(&slice.of(index, of)).await?;
        let keys: Vec<_> = found.items.iter().map(|position| position.key.clone()).collect();
        let mut restores: BTreeMap<Key, Restore> = self.get_all(&keys).await?;
        let items = found
            .items
            .into_iter()
            .filter_map(|position| Some((position.sort, restores.remove(&position.key)?)));
        Ok((items.collect(), found.more))
    }

    /// At most `limit` restores that the tick is to look at by `now`, the longest due first.
    pub async fn due_restores(&self, now: Timestamp, limit: usize) -> Result<Vec<Restore>, Error> {
        let positions = self.due_positions(DueKind::Restore, now, limit).await?;
        let keys: Vec<_> = positions.into_iter().map(|position| position.key).collect();
        self.restores_at(&keys).await
    }

    async fn restores_at(&self, keys: &[Key]) -> Result<Vec<Restore>, Error> {
        let mut found: BTreeMap<Key, Restore> = self.get_all(keys).await?;
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }

    /// Puts a restore of which there is no record yet, with the note on its snapshot that it is used, if that still is
    /// as `snapshot` was read, and takes the instance, if nobody has since `lock` was read. All or nothing.
    pub async fn insert_restore(
        &self,
        restore: &Restore,
        (snapshot, noted): (&Snapshot, &Snapshot),
        lock: Option<&Restoring>,
    ) -> Result<Written, Error> {
        let mut writes = vec![
            Write::Put(record(restore).into_item()?, Condition::Absent),
            Write::Put(self.record_of(noted)?.into_item()?, Condition::Version(snapshot.version)),
        ];
        if let (Some(lock), Some(target)) = (lock, restore.mode.target()) {
            writes.push(lock_write(target, lock, Some(restore.id.clone()))?);
        }
        let entries = entries_of_restore(None, restore, restore.created_at);
        self.transact_with_entries(writes, &entries).await
    }

    /// Puts `new`, if the record still is as `old` was read, and notes the drill that has failed by it. It is answered as
    /// it was written.
    pub async fn update_restore(
        &self,
        old: &Restore,
        new: &Restore,
        now: Timestamp,
    ) -> Result<Option<Restore>, Error> {
        let new = Restore { version: old.version + 1, ..new.clone() };
        let entries = entries_of_restore(Some(old), &new, now);
        let condition = Condition::Version(old.version);
        let is_turn = old.status != new.status;
        let drills = if is_turn { self.last_drill_writes(&new).await? } else { Vec::new() };
        let written = if drills.is_empty() {
            self.put_with_entries(record(&new), condition, &entries).await?
        } else {
            let mut writes = vec![Write::Put(record(&new).into_item()?, condition)];
            writes.extend(drills);
            self.transact_with_entries(writes, &entries).await?
        };
        Ok(written.is_done().then_some(new))
    }

    /// Puts `new`, which is over, gives back its snapshot and instance, and notes the drill that is done by it, if all are
    /// as they were read. All or nothing.
    pub async fn end_restore(
        &self,
        old: &Restore,
        new: &Restore,
        snapshot: Option<&Snapshot>,
        lock: Option<&Restoring>,
    ) -> Result<Written, Error> {
        let new = Restore { version: old.version + 1, ..new.clone() };
        let mut writes =
            vec![Write::Put(record(&new).into_item()?, Condition::Version(old.version))];
        if let Some(snapshot) = snapshot {
            let freed = snapshot.restore_ended(&new.id);
            let condition = Condition::Version(snapshot.version);
            writes.push(Write::Put(self.record_of(&freed)?.into_item()?, condition));
        }
        let lock = lock.filter(|lock| lock.restore_id.as_ref() == Some(&new.id));
        if let (Some(lock), Some(target)) = (lock, new.mode.target()) {
            writes.push(lock_write(target, lock, None)?);
        }
        writes.extend(self.last_drill_writes(&new).await?);
        let ended_at = new.course.finished_at.unwrap_or(new.created_at);
        let entries = entries_of_restore(Some(old), &new, ended_at);
        self.transact_with_entries(writes, &entries).await
    }
}

fn lock_write(
    target: &InstanceId,
    lock: &Restoring,
    restore_id: Option<RestoreId>,
) -> Result<Write, Error> {
    let body = Restoring { restore_id, version: lock.version + 1 };
    let record = Record {
        key: keys::restoring(target),
        version: body.version,
        indexes: Vec::new(),
        body: &body,
        expires_at: None,
    };
    let condition = match lock.version {
        0 => Condition::Absent,
        version => Condition::Version(version),
    };
    Ok(Write::Put(record.into_item()?, condition))
}

fn record(restore: &Restore) -> Record<'_, Restore> {
    Record {
        key: keys::restore(&restore.id),
        version: restore.version,
        indexes: keys::of_restore(restore),
        body: restore,
        expires_at: None,
    }
}
