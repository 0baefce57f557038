//! Overlaps: targets whose snapshot of an earlier run is still under way when they are to be asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

use crate::domain::cursor::PageRequest;
use crate::domain::ids::InstanceId;
use crate::domain::run::outcome::Outcome;
use crate::domain::run::visit::Overlap;
use crate::domain::run::{LOOKED_BACK_ON_MAX, Run, RunStatus, Skipped};
use crate::domain::snapshot::ScheduleSlot;
use crate::error::Error;
use crate::service::Service;

/// How many pages of runs are read at the most: after an outage the latest ones may all be `missed`.
const PAGES_MAX: usize = 12;

/// The runs of the slot's schedule that may be under way beside it, by their slots, the newest first, at most ten:
/// of the ten latest runs, and of those that these had found under way themselves. One that takes hours is so
/// remembered, however many have run and skipped its targets meanwhile.
pub(super) async fn under_way(
    service: &Service,
    slot: &ScheduleSlot,
) -> Result<Vec<Timestamp>, Error> {
    let mut request = PageRequest { limit: LOOKED_BACK_ON_MAX + 1, ..PageRequest::default() };
    let mut others: Vec<Run> = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = service.table.list_runs(&slot.schedule_id, &request).await?;
        let ran = |run: &Run| run.slot != *slot && run.status != RunStatus::Missed;
        others.extend(page.items.into_iter().filter(ran));
        request.cursor = page.next_cursor;
        if others.len() >= LOOKED_BACK_ON_MAX || request.cursor.is_none() {
            break;
        }
    }
    others.truncate(LOOKED_BACK_ON_MAX);
    let mut slots: BTreeSet<Timestamp> =
        others.iter().flat_map(|other| other.overlaps.iter().copied()).collect();
    for other in &others {
        if other.status.is_under_way() {
            slots.insert(other.slot.slot);
        } else {
            slots.remove(&other.slot.slot);
        }
    }
    slots.remove(&slot.slot);
    Ok(slots.into_iter().rev().take(LOOKED_BACK_ON_MAX).collect())
}

/// Which of the targets at these positions have a snapshot of an earlier run under way: asked for, and neither
/// whole nor failed.
pub(super) async fn overlapping(
    service: &Service,
    run: &Run,
    positions: Range<usize>,
) -> Result<Overlap, Error> {
    if run.overlaps.is_empty() || positions.is_empty() {
        return Ok(Overlap { skipped: Vec::new(), under_way: run.overlaps.clone() });
    }
    let mut earlier = service.table.runs(&run.slot.schedule_id, &run.overlaps).await?;
    earlier.retain(|other| other.status.is_under_way());

    let due = run.targets.iter().enumerate().skip(positions.start).take(positions.len());
    let due: BTreeMap<&InstanceId, usize> = due.map(|(position, id)| (id, position)).collect();
    let mut before = Vec::new();
    for other in &earlier {
        for (snapshot_id, instance) in other.snapshots_of(0..other.asked) {
            if let Some(position) = due.get(instance) {
                before.push((*position, other.slot.slot, snapshot_id));
            }
        }
    }
    let ids: Vec<_> = before.iter().map(|(_, _, id)| id.clone()).collect();
    let records = service.table.snapshots(&ids).await?;

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
    let under_way = earlier.into_iter().map(|other| other.slot.slot).collect();
    Ok(Overlap { skipped, under_way })
}
