//! The tick looks after runs under way: which of their targets are due, how those stand that were asked for, and
//! which of them nobody has taken up.

use jiff::Timestamp;
use tracing::warn;

use super::ask_targets::{Visit, visit};
use super::run_schedule::dispatch;
use crate::clock::Clock;
use crate::domain::run::{GIVEN_UP_AFTER, Run, RunStatus};
use crate::domain::snapshot::Failure;
use crate::error::{Error, chain};
use crate::service::Service;

/// How many runs one tick looks after; the next goes on.
const RUNS_MAX: usize = 200;

/// Looks after the runs whose time has come, the longest due first, and answers how many that were.
pub async fn look_after_runs(
    service: &Service,
    now: Timestamp,
    clock: &Clock,
) -> Result<usize, Error> {
    let runs = service.table.due_runs(now, RUNS_MAX).await?;
    for run in &runs {
        if clock.is_over() {
            break;
        }
        let looked = match run.status {
            RunStatus::Dispatching => resume(service, run, now).await,
            RunStatus::Running => go_on(service, run, now).await,
            RunStatus::Done | RunStatus::PartlyFailed | RunStatus::Failed | RunStatus::Missed => {
                Ok(())
            }
        };
        if let Err(error) = looked {
            let id = &run.slot.schedule_id;
            warn!(schedule.id = %id, error.chain = %chain(&error), "A run of {id} waits");
        }
    }
    Ok(runs.len())
}

/// Goes on with a run whose tick broke off.
async fn resume(service: &Service, run: &Run, now: Timestamp) -> Result<(), Error> {
    let Some(reclaimed) = run.reclaimed(now) else { return Ok(()) };
    if !service.table.update_run(run, &reclaimed).await?.is_done() {
        return Ok(());
    }
    let failure = match service.table.schedule(&run.slot.schedule_id).await? {
        None => Failure::new("ScheduleDeleted", "its schedule was deleted meanwhile"),
        Some(_) if now.duration_since(run.begun_at()) >= GIVEN_UP_AFTER => {
            Failure::new("GivenUp", "it could not be begun within 24 hours")
        }
        Some(schedule) => match dispatch(service, &schedule, &reclaimed, now).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => Failure::new(error.kind(), error.to_string()),
        },
    };
    _ = service.table.update_run(&reclaimed, &reclaimed.failed(failure, now)).await?;
    Ok(())
}

/// Asks for the targets that are due, and from time to time counts how all of them stand.
async fn go_on(service: &Service, run: &Run, now: Timestamp) -> Result<(), Error> {
    let Visit { run: visited, events } = visit(service, run, now).await?;
    if !service.table.update_run(run, &visited).await?.is_done() {
        // Another tick is at it.
        return Ok(());
    }
    service.bus.publish(&events).await
}
