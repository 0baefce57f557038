//! Shows a run with a page of its targets: what became of each.

use crate::domain::ids::ScheduleId;
use crate::views;
use jiff::Timestamp;

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::run::Run;
use crate::domain::run::outcome::Outcome;
use crate::domain::snapshot::{ScheduleSlot, Snapshot};
use crate::error::Error;
use crate::service::Service;

/// A target of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTarget {
    pub instance_id: InstanceId,
    /// Its snapshot, whether there is one yet or not.
    pub snapshot_id: SnapshotId,
    /// When it is asked for.
    pub due_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed, was skipped or was put off, in words.
    pub reason: Option<String>,
    /// When EC2 began it.
    pub started_at: Option<Timestamp>,
}

/// The run of this slot with a page of its targets, in the order in which they are asked for: one read of the run
/// and one of the page's snapshots. The run of a deleted schedule is still there.
pub async fn show(
    service: &Service,
    slot: &ScheduleSlot,
    request: &PageRequest,
) -> Result<(Run, Page<RunTarget>), Error> {
    let run = service.table.run(slot).await?.filter(|run| run.slot == *slot);
    let run = run.ok_or_else(|| Error::not_found("run", slot.slot))?;
    let from = match &request.cursor {
        None => 0,
        Some(cursor) => cursor.key().parse::<usize>().map_err(|_| {
            let reason = "is no cursor of this list; take the next_cursor of the page before";
            Error::invalid("cursor", reason)
        })?,
    };
    let until = from.saturating_add(request.limit).min(run.targets.len());
    let positions = from.min(until)..until;
    let ids: Vec<_> = run.snapshots_of(positions.clone()).map(|(id, _)| id).collect();
    let records = service.table.snapshots(&ids).await?;
    let skipped = run.skipped_for();
    let items = run
        .targets
        .iter()
        .enumerate()
        .skip(positions.start)
        .take(positions.len())
        .map(|(position, instance)| {
            let snapshot_id = run.slot.snapshot_id(instance);
            let record = records.get(&snapshot_id);
            let outcome = run.outcome(position, record, &skipped);
            RunTarget {
                instance_id: instance.clone(),
                due_at: run.due_at(position),
                reason: match skipped.get(&position) {
                    Some(earlier) => Some(overlap(&run, instance, *earlier)),
                    None => reason(&run, outcome, record),
                },
                started_at: record.and_then(|record| record.started_at),
                outcome,
                snapshot_id,
            }
        })
        .collect();
    let next_cursor = (until < run.targets.len()).then(|| Cursor::after(until.to_string()));
    Ok((run, Page { items, next_cursor }))
}

fn overlap(run: &Run, instance: &InstanceId, earlier: Timestamp) -> String {
    let schedule_id = run.slot.schedule_id.clone();
    let previous = ScheduleSlot { schedule_id, slot: earlier }.snapshot_id(instance);
    format!("skipped: its previous snapshot {previous} (slot {earlier}) was still pending")
}

fn reason(run: &Run, outcome: Outcome, record: Option<&Snapshot>) -> Option<String> {
    let of_record = record.and_then(|record| record.course.failure.as_ref());
    match outcome {
        Outcome::Requested | Outcome::Creating => of_record.map(|failure| failure.message.clone()),
        Outcome::Failed => {
            let of_run = run.failure.as_ref().filter(|_| record.is_none());
            let failure = of_record.or(of_run).map(|failure| failure.message.clone());
            failure.or_else(|| Some("it was lost before it was whole".to_owned()))
        }
        Outcome::Waiting
        | Outcome::Pending
        | Outcome::Available
        | Outcome::Skipped
        | Outcome::Gone => None,
    }
}

/// One page of a schedule's runs. Those of a deleted schedule are still there.
pub async fn list(
    service: &Service,
    id: &ScheduleId,
    request: &PageRequest,
) -> Result<Page<Run>, Error> {
    let page = service.table.list_runs(id, request).await?;
    if page.items.is_empty() && request.cursor.is_none() {
        views::schedules::show(service, id).await?;
    }
    Ok(page)
}
