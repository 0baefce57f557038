//! Overlaps: targets whose snapshot of another run is still under way when they are to be asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::domain::cursor::PageRequest;
use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::run::outcome::Outcome;
use crate::domain::run::visit::Overlap;
use crate::domain::run::{LOOKED_AT_MAX, OVERLAPS_MAX, Run, RunStatus, Skipped};
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::operations::snapshots::refresh::refresh_by_region;
use crate::service::Service;

/// How many pages of runs are read at the most: after an outage the latest ones may all be `missed`.
const PAGES_MAX: usize = 12;
/// How long a record may say `pending` before EC2 is asked: the event that it is done may have been lost.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How many EBS snapshots one visit asks EC2 for: five calls.
const REFRESHED_MAX: usize = 1_000;

/// The runs of the run's schedule that may be under way beside it, by their slots, the newest first, at most sixty:
/// of the ten latest runs, of those that these had found under way themselves, and of those that it knew of. One
/// that takes hours is so remembered, however many have run and skipped its targets meanwhile. One that is still
/// looking for its targets has asked for none, and does not count.
async fn under_way(service: &Service, run: &Run) -> Result<Vec<Timestamp>, Error> {
    let mut request = PageRequest { limit: LOOKED_AT_MAX + 1, ..PageRequest::default() };
    let mut others: Vec<Run> = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = service.table.list_runs(&run.slot.schedule_id, &request).await?;
        let ran = |other: &Run| {
            let has_begun =
                other.status != RunStatus::Missed && other.status != RunStatus::Dispatching;
            other.slot != run.slot && has_begun
        };
        others.extend(page.items.into_iter().filter(ran));
        request.cursor = page.next_cursor;
        if others.len() >= LOOKED_AT_MAX || request.cursor.is_none() {
            break;
        }
    }
    others.truncate(LOOKED_AT_MAX);
    let known = others.iter().flat_map(|other| &other.overlaps).chain(&run.overlaps);
    let mut slots: BTreeSet<Timestamp> = known.copied().collect();
    for other in &others {
        if other.status.is_under_way() {
            slots.insert(other.slot.slot);
        } else {
            slots.remove(&other.slot.slot);
        }
    }
    slots.remove(&run.slot.slot);
    Ok(slots.into_iter().rev().take(OVERLAPS_MAX).collect())
}

/// Which of the targets at these positions have a snapshot of another run under way at `now`: asked for, and
/// neither whole nor failed. The runs are found anew each time: one may have begun after this one.
pub(crate) async fn overlapping(
    service: &Service,
    run: &Run,
    positions: Range<usize>,
    now: Timestamp,
) -> Result<Overlap, Error> {
    if positions.is_empty() {
        return Ok(Overlap { skipped: Vec::new(), under_way: run.overlaps.clone() });
    }
    let slots = under_way(service, run).await?;
    let mut others = service.table.runs(&run.slot.schedule_id, &slots).await?;
    others.retain(|other| other.status.is_under_way());

    let due = run.targets.iter().enumerate().skip(positions.start).take(positions.len());
    let due: BTreeMap<&InstanceId, usize> = due.map(|(position, id)| (id, position)).collect();
    let mut before = Vec::new();
    for other in &others {
        for (snapshot_id, instance) in other.snapshots_of(0..other.asked) {
            if let Some(position) = due.get(instance) {
                before.push((*position, other.slot.slot, snapshot_id));
            }
        }
    }
    let ids: Vec<_> = before.iter().map(|(_, _, id)| id.clone()).collect();
    let records = fresh(service, &ids, now).await?;

    let mut found = BTreeSet::new();
    let mut skipped: Vec<Skipped> = Vec::new();
    for (position, slot, id) in before {
        // Without a record its request is on its way.
        let outcome = records.get(&id).map_or(Outcome::Requested, Outcome::of);
        if !outcome.is_under_way() || !found.insert(position) {
            continue;
        }
        match skipped.last_mut().filter(|last| last.slot == slot) {
            Some(last) => last.positions.push(position),
            None => skipped.push(Skipped { slot, positions: vec![position] }),
        }
    }
    let under_way = others.into_iter().map(|other| other.slot.slot).collect();
    Ok(Overlap { skipped, under_way })
}

/// The records, those that have long been `pending` as EC2 shows them now. If it cannot be asked, they are believed.
async fn fresh(
    service: &Service,
    ids: &[SnapshotId],
    now: Timestamp,
) -> Result<BTreeMap<SnapshotId, Snapshot>, Error> {
    let mut records = service.table.snapshots(ids).await?;
    let mut members = 0;
    let mut doubtful = Vec::new();
    for record in records.values().filter(|record| is_doubtful(record, now)) {
        if members + record.members.len() > REFRESHED_MAX {
            break;
        }
        members += record.members.len();
        doubtful.push(record.clone());
    }
    if doubtful.is_empty() {
        return Ok(records);
    }
    let report = refresh_by_region(service, &doubtful, now).await;
    let changed: Vec<_> = report.changed.into_iter().map(|(id, _)| id).collect();
    records.extend(service.table.snapshots(&changed).await?);
    Ok(records)
}

fn is_doubtful(record: &Snapshot, now: Timestamp) -> bool {
    let since = record.started_at.unwrap_or(record.created_at);
    record.status == Status::Pending && now.duration_since(since) > BELIEVED_FOR
}
