//! Drills in the table: when those of a schedule are looked at, and how the last one ended.
//!
//! A schedule's record says when its next drill is tried. Beside it lies an *entry*, which only is there to be in the
//! index of what is due, where the schedule itself stands by its next slot. Both are written in one transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::client::{Condition, Table, Written};
use super::keys::{self, DueKind, IndexKeys, Key, drills as places};
use super::record::Record;
use super::transaction::Write;
use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::restore::Restore;
use crate::domain::restore::last_drill::LastDrill;
use crate::domain::schedule::Schedule;
use crate::error::Error;

impl Table {
    /// At most `limit` schedules whose drills the tick is to look at by `now`, the longest due first.
    pub async fn due_drills(&self, now: Timestamp, limit: usize) -> Result<Vec<ScheduleId>, Error> {
        let positions = self.due_positions(DueKind::Drill, now, limit).await?;
        Ok(positions.iter().filter_map(|position| places::schedule_of(&position.key)).collect())
    }

    /// Puts the entry as the schedule's record wants it, if that still is as it was read: a version of before there were
    /// drills has written the record without it.
    pub async fn settle_drills(&self, schedule: &Schedule) -> Result<Written, Error> {
        let unchanged = Write::Unchanged(keys::schedule(&schedule.id), schedule.revision);
        self.transact(vec![unchanged, entry(schedule)?]).await
    }

    /// Takes the entry of a schedule that there is no more out of the index: a version of before there were drills has
    /// deleted the record without it. DynamoDB may delete it then.
    pub async fn expire_drills(&self, id: &ScheduleId, now: Timestamp) -> Result<(), Error> {
        let record = Record {
            key: places::entry(id),
            version: 0,
            indexes: Vec::new(),
            body: id,
            expires_at: Some(now.as_second()),
        };
        self.overwrite(record).await
    }

    /// How the last drill of an instance ended.
    pub async fn last_drill_of_instance(
        &self,
        id: &InstanceId,
    ) -> Result<Option<LastDrill>, Error> {
        self.get(places::last_of_instance(id)).await
    }

    /// How the last drill of each of these schedules' snapshots ended.
    pub async fn last_drills_of_schedules(
        &self,
        ids: &[ScheduleId],
    ) -> Result<BTreeMap<ScheduleId, LastDrill>, Error> {
        let by_key: BTreeMap<Key, &ScheduleId> =
            ids.iter().map(|id| (places::last_of_schedule(id), id)).collect();
        let keys: Vec<_> = by_key.keys().cloned().collect();
        let found: BTreeMap<Key, LastDrill> = self.get_all(&keys).await?;
        let of = |(key, drill)| Some(((*by_key.get(&key)?).clone(), drill));
        Ok(found.into_iter().filter_map(of).collect())
    }

    /// The writes that note how a drill has ended, of its instance and of its snapshot's schedule: none if it has not, or
    /// where a later one is noted.
    pub(super) async fn last_drill_writes(&self, restore: &Restore) -> Result<Vec<Write>, Error> {
        let Some(drill) = LastDrill::of(restore) else { return Ok(Vec::new()) };
        let of_schedule = restore.schedule_id.as_ref().map(places::last_of_schedule);
        let instance = places::last_of_instance(&drill.instance_id);
        let keys: Vec<_> = [Some(instance), of_schedule].into_iter().flatten().collect();
        let noted: BTreeMap<Key, LastDrill> = self.get_all(&keys).await?;
        let mut writes = Vec::new();
        for key in keys {
            let condition = match noted.get(&key) {
                Some(later) if later.at >= drill.at => continue,
                Some(before) => Condition::Version(version(before)),
                None => Condition::Absent,
            };
            let record = Record {
                key,
                version: version(&drill),
                indexes: Vec::new(),
                body: &drill,
                expires_at: None,
            };
            writes.push(Write::Put(record.into_item()?, condition));
        }
        Ok(writes)
    }
}

/// The write that goes with one of a schedule, where that moves its drills. Its condition is that of the schedule.
pub(super) fn entry_write(old: Option<&Schedule>, new: &Schedule) -> Result<Option<Write>, Error> {
    if old.and_then(Schedule::drill_at) == new.drill_at() {
        return Ok(None);
    }
    entry(new).map(Some)
}

/// The writes that go with the removal of a schedule.
pub(super) fn removals(id: &ScheduleId) -> [Write; 2] {
    [Write::Forget(places::entry(id)), Write::Forget(places::last_of_schedule(id))]
}

/// The entry of a schedule: in the index, if there is anything to look at.
fn entry(schedule: &Schedule) -> Result<Write, Error> {
    let due = |at| keys::due_keys(DueKind::Drill, at, schedule.id.as_str());
    let indexes: IndexKeys = schedule.drill_at().map(due).into_iter().flatten().collect();
    let record = Record {
        key: places::entry(&schedule.id),
        version: schedule.revision,
        indexes,
        body: &schedule.id,
        expires_at: None,
    };
    Ok(Write::Overwrite(record.into_item()?))
}

fn version(drill: &LastDrill) -> u64 {
    u64::try_from(drill.at.as_millisecond()).unwrap_or(0)
}
