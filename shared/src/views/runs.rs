//! Shows a run with a page of its targets: what became of each.

use crate::domain::ids::ScheduleId;
use crate::views;
use jiff::Timestamp;

use crate::domain::cursor::{Cursor, Order, Page, PageRequest};
use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::run::outcome::Outcome;
use crate::domain::run::{Run, RunStatus};
use crate::domain::snapshot::{ScheduleSlot, Snapshot};
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::{Slice, bound};
use crate::views::paging::{Part, collect};

/// How many runs are read to count them: one every five minutes makes fewer in two months.
pub const COUNTED_MAX: usize = 20_000;

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

/// Which runs are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Standing at one of these; anywhere if none.
    pub status: Vec<RunStatus>,
    /// Of slots at this instant or later.
    pub from: Option<Timestamp>,
    /// Of slots before this instant.
    pub to: Option<Timestamp>,
}

/// One page of those of a schedule's runs that are wanted, the newest first. Those of a deleted schedule are still there.
pub async fn list(
    service: &Service,
    id: &ScheduleId,
    filter: &RunFilter,
    request: &PageRequest,
) -> Result<Page<Run>, Error> {
    let read = |slice: Slice| async move {
        let cursor = slice.after.map(Cursor::after);
        let request = PageRequest { limit: slice.limit, cursor, order: slice.order };
        let Page { items, next_cursor } = service.table.list_runs(id, &request).await?;
        let place = |run: Run| (bound(run.slot.slot), run);
        Ok((items.into_iter().map(place).collect(), next_cursor.is_some()))
    };
    let page = wanted(filter, request, read).await?;
    if page.items.is_empty() && request.cursor.is_none() {
        views::schedules::show(service, id).await?;
    }
    Ok(page)
}

/// One page of those runs of all schedules that are wanted, the newest slot first. Those of deleted schedules are still there.
pub async fn list_all(
    service: &Service,
    filter: &RunFilter,
    request: &PageRequest,
) -> Result<Page<Run>, Error> {
    let table = &service.table;
    wanted(filter, request, |slice: Slice| async move { table.list_all_runs(&slice).await }).await
}

/// One page of the runs that are wanted of those that `read` reads, the newest first.
async fn wanted<R: Future<Output = Result<Part<Run>, Error>>>(
    filter: &RunFilter,
    request: &PageRequest,
    read: impl Fn(Slice) -> R,
) -> Result<Page<Run>, Error> {
    let read = |slice: Slice| {
        let Slice { limit, after, .. } = slice;
        let after = match (after, filter.to.map(bound)) {
            (Some(after), Some(bound)) => Some(after.min(bound)),
            (after, bound) => after.or(bound),
        };
        let part = read(Slice { limit, after, order: Order::NewestFirst });
        async move {
            let (items, more) = part.await?;
            let count = items.len();
            let is_late_enough = |run: &Run| filter.from.is_none_or(|from| run.slot.slot >= from);
            let items: Vec<_> = items.into_iter().filter(|(_, run)| is_late_enough(run)).collect();
            let more = more && items.len() == count;
            Ok((items, more))
        }
    };
    let is_wanted = |run: &Run| filter.status.is_empty() || filter.status.contains(&run.status);
    collect(request, read, is_wanted).await
}

/// How many of a schedule's runs are wanted in all; refused where there are more than [`COUNTED_MAX`] in that time.
pub async fn total(service: &Service, id: &ScheduleId, filter: &RunFilter) -> Result<u64, Error> {
    let RunFilter { status, from, to } = filter;
    let bounds = (from.unwrap_or(Timestamp::UNIX_EPOCH), to.unwrap_or(Timestamp::MAX));
    let runs = service.table.runs_between(id, bounds, COUNTED_MAX).await?.ok_or_else(|| {
        let reason =
            "cannot be told: there are more than 20,000 runs in that time; give from and to";
        Error::invalid("count", reason)
    })?;
    let is_wanted = |run: &&Run| status.is_empty() || status.contains(&run.status);
    Ok(u64::try_from(runs.iter().filter(is_wanted).count()).unwrap_or(u64::MAX))
}
