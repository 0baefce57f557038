//! The tick looks after runs under way: how their targets stand, and what nobody has taken up.

use jiff::Timestamp;
use tracing::warn;

use super::run_schedule::{dispatch, requests_for};
use crate::domain::run::{Counts, GIVEN_UP_AFTER, Run, RunStatus};
use crate::domain::snapshot::Failure;
use crate::error::{Error, chain};
use crate::events::RequestedTarget;
use crate::service::Service;

/// How many runs one tick looks after; the next goes on.
const RUNS_MAX: usize = 100;

/// Looks after the runs whose time has come, and answers how many that were.
pub async fn look_after_runs(service: &Service, now: Timestamp) -> Result<usize, Error> {
    let runs = service.table.due_runs(now, RUNS_MAX).await?;
    for run in &runs {
        let looked = match run.status {
            RunStatus::Dispatching => resume(service, run, now).await,
            RunStatus::Running => look(service, run, now).await,
            RunStatus::Done | RunStatus::PartlyFailed | RunStatus::Failed => Ok(()),
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

/// Counts how the targets stand, and asks again for those of which there is no record yet.
async fn look(service: &Service, run: &Run, now: Timestamp) -> Result<(), Error> {
    let ids: Vec<_> = run.snapshot_ids().map(|(id, _)| id).collect();
    let records = service.table.snapshots(&ids).await?;
    let mut counts = Counts::default();
    let mut untaken = Vec::new();
    for (snapshot_id, instance) in run.snapshot_ids() {
        let status = records.get(&snapshot_id).map(|record| record.status);
        counts.add(status);
        if status.is_none() {
            untaken.push(RequestedTarget { snapshot_id, instance_id: instance.clone() });
        }
    }
    let age = now.duration_since(run.dispatched_at.unwrap_or(run.claimed_at));
    if age >= GIVEN_UP_AFTER && !untaken.is_empty() {
        let count = untaken.len();
        let message = format!("{count} targets were not taken up within 24 hours");
        let failure = Failure::new("GivenUp", message);
        _ = service.table.update_run(run, &run.failed(failure, now)).await?;
        return Ok(());
    }
    service.bus.publish(&requests_for(&run.slot, &untaken)).await?;
    _ = service.table.update_run(run, &run.looked_at(counts, now)).await?;
    Ok(())
}
