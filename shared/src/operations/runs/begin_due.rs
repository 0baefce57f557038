//! The tick's first half: due slots become runs.

use crate::operations::record_missed::record_missed;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use tracing::error;

use crate::clock::Clock;
use crate::domain::ids::ScheduleId;
use crate::domain::run::{Run, RunStatus, Trigger};
use crate::domain::schedule::{Schedule, slots};
use crate::domain::snapshot::{Failure, ScheduleSlot};
use crate::error::{Error, chain};
use crate::operations::runs::begin::dispatch;
use crate::service::Service;

/// How many schedules one tick takes up; the next goes on.
const SCHEDULES_MAX: usize = 200;

/// What became of the schedules that were due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DueReport {
    /// Run now: schedule, slot, number of targets, missed slots before it.
    pub ran: Vec<(ScheduleId, Timestamp, usize, u32)>,
    /// Nothing to do, or another tick is at it.
    pub left: Vec<ScheduleId>,
    /// A fault that passes; the next ticks try again, until a later slot is due.
    pub failed: Vec<(ScheduleId, String)>,
}

/// Runs what is due at `now`, at most 200 schedules, the longest due first. One's failure does not stop the
/// others.
pub async fn begin_due(
    service: &Service,
    now: Timestamp,
    clock: &Clock,
) -> Result<DueReport, Error> {
    let mut report = DueReport::default();
    let mut down = BTreeSet::new();
    for schedule in service.table.due_schedules(now, SCHEDULES_MAX).await? {
        if clock.is_over() {
            break;
        }
        let id = schedule.id.clone();
        match run_due(service, &schedule, &mut down, now).await {
            Ok(Some(run)) => {
                report.ran.push((id, run.slot.slot, run.targets.len(), run.missed));
            }
            Ok(None) => report.left.push(id),
            Err(failure) => {
                let text = chain(&failure);
                error!(schedule.id = %id, error.chain = %text, "Schedule {id} did not run: {failure}");
                report.failed.push((id, text));
            }
        }
    }
    Ok(report)
}

async fn run_due(
    service: &Service,
    schedule: &Schedule,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<Option<Run>, Error> {
    let Some(due) = slots::due(schedule, now) else {
        return Ok(None);
    };
    let slot = ScheduleSlot { schedule_id: schedule.id.clone(), slot: due.slot };
    let run = Run::claimed(slot, Trigger::Schedule, due.missed, now);
    // What is claimed and cannot be begun now is looked after like all runs: the next slot need not wait for it.
    let ran = match claim(service, run, now).await? {
        Claim::Ours(run) => dispatch_or_fail(service, schedule, &run, down, now).await.map(Some),
        Claim::Anothers => return Ok(None),
        Claim::Dispatched => Ok(None),
    };
    // Before the schedule advances: died in between, the next tick finds the same slots missed.
    record_missed(service, schedule, &due.older, now).await?;
    // Edited meanwhile: the next tick finds the run and only advances.
    _ = service.table.update_schedule(schedule, &schedule.advanced(now)).await?;
    ran
}

/// The run under way; or failed, where trying again would not help: the next slot must not wait for it.
async fn dispatch_or_fail(
    service: &Service,
    schedule: &Schedule,
    run: &Run,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<Run, Error> {
    let failure = match dispatch(service, schedule, run, down, now).await {
        Err(failure) if !failure.is_retryable() => failure,
        dispatched => return dispatched,
    };
    error!(schedule.id = %schedule.id, error.chain = %chain(&failure), "A run fails: {failure}");
    let failed = run.failed(Failure::new(failure.kind(), failure.to_string()), now);
    _ = service.table.update_run(run, &failed).await?;
    Ok(failed)
}

enum Claim {
    Ours(Box<Run>),
    Anothers,
    Dispatched,
}

async fn claim(service: &Service, run: Run, now: Timestamp) -> Result<Claim, Error> {
    if service.table.insert_run(&run).await?.is_done() {
        return Ok(Claim::Ours(Box::new(run)));
    }
    let Some(existing) = service.table.run(&run.slot).await? else { return Ok(Claim::Anothers) };
    if existing.status != RunStatus::Dispatching {
        return Ok(Claim::Dispatched);
    }
    let Some(reclaimed) = existing.reclaimed(now) else { return Ok(Claim::Anothers) };
    let written = service.table.update_run(&existing, &reclaimed).await?;
    Ok(if written.is_done() { Claim::Ours(Box::new(reclaimed)) } else { Claim::Anothers })
}
