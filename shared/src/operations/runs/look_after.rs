//! The tick looks after runs under way: which of their targets are due, how those stand that were asked for, and
//! which of them nobody has taken up.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tracing::warn;

use crate::clock::Clock;
use crate::domain::cursor::PageRequest;
use crate::domain::run::{GIVEN_UP_AFTER, LOOKED_AT_MAX, Run, RunStatus, Trigger};
use crate::domain::snapshot::Failure;
use crate::error::{Error, chain};
use crate::operations::runs::ask_targets::{Visit, visit};
use crate::operations::runs::begin::{dispatch, too_many};
use crate::regions::find_targets;
use crate::service::Service;

/// How many runs one tick looks after; the next goes on.
const RUNS_MAX: usize = 200;

/// Looks after the runs whose time has come, the longest due first, and answers how many that were.
pub async fn look_after(service: &Service, now: Timestamp, clock: &Clock) -> Result<usize, Error> {
    let runs = service.table.due_runs(now, RUNS_MAX).await?;
    let mut down = BTreeSet::new();
    for run in &runs {
        if clock.is_over() {
            break;
        }
        let looked = match run.status {
            RunStatus::Dispatching => Box::pin(resume(service, run, &mut down, now)).await,
            RunStatus::Running => go_on(service, run, &mut down, now).await,
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

/// Goes on with a run whose tick broke off, or found EC2 out of reach. One that a later slot has overtaken is not
/// begun any more: after an outage the latest runs, and not all of them.
async fn resume(
    service: &Service,
    run: &Run,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(reclaimed) = run.reclaimed(now) else { return Ok(()) };
    if !service.table.update_run(run, &reclaimed).await?.is_done() {
        return Ok(());
    }
    let failure = match service.table.schedule(&run.slot.schedule_id).await? {
        None => Failure::new("ScheduleDeleted", "its schedule was deleted meanwhile"),
        Some(_) if is_overtaken(service, run).await? => {
            _ = service.table.update_run(&reclaimed, &reclaimed.superseded(now)).await?;
            return Ok(());
        }
        Some(_) if now.duration_since(run.begun_at()) >= GIVEN_UP_AFTER => {
            Failure::new("GivenUp", "it could not be begun within 24 hours")
        }
        Some(schedule) => match dispatch(service, &schedule, &reclaimed, down, now).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => Failure::new(error.kind(), error.to_string()),
        },
    };
    _ = service.table.update_run(&reclaimed, &reclaimed.failed(failure, now)).await?;
    Ok(())
}

/// Whether its schedule has a later slot that somebody has taken up. What a person starts is never overtaken.
async fn is_overtaken(service: &Service, run: &Run) -> Result<bool, Error> {
    if run.trigger == Trigger::Person {
        return Ok(false);
    }
    let latest = PageRequest { limit: LOOKED_AT_MAX, ..PageRequest::default() };
    let page = service.table.list_runs(&run.slot.schedule_id, &latest).await?;
    let is_later = |one: &Run| one.trigger == Trigger::Schedule && one.slot.slot > run.slot.slot;
    Ok(page.items.iter().any(is_later))
}

/// Goes on with a run that is under way; where that never will succeed, it ends at last.
async fn go_on(
    service: &Service,
    run: &Run,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Error> {
    match ask_and_look(service, run, down, now).await {
        Err(error) if !error.is_retryable() && run.is_overdue(now) => {
            let failure = Failure::new(error.kind(), error.to_string());
            _ = service.table.update_run(run, &run.failed(failure, now)).await?;
            Ok(())
        }
        gone_on => gone_on,
    }
}

/// Asks for the targets that are due, and from time to time counts how all of them stand.
async fn ask_and_look(
    service: &Service,
    run: &Run,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Error> {
    let joined = with_regions_back(service, run, down, now).await?;
    let Visit { run: visited, events } = visit(service, &joined, now).await?;
    if !service.table.update_run(run, &visited).await?.is_done() {
        // Another tick is at it.
        return Ok(());
    }
    service.bus.publish(&events).await
}

/// The run with the targets of regions that were out of reach and no longer are. Those that a later slot asks for, or
/// that nobody has found for a day, are given up.
async fn with_regions_back(
    service: &Service,
    run: &Run,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<Run, Error> {
    if run.unresolved.is_empty() {
        return Ok(run.clone());
    }
    let regions = run.unresolved.join(", ");
    let failure = match service.table.schedule(&run.slot.schedule_id).await? {
        None => Failure::new("ScheduleDeleted", "its schedule was deleted meanwhile"),
        Some(_) if is_overtaken(service, run).await? => Failure::new(
            "OutOfReach",
            format!("{regions} was out of reach; a later slot asks for its instances"),
        ),
        Some(_) if now.duration_since(run.begun_at()) >= GIVEN_UP_AFTER => {
            Failure::new("GivenUp", format!("{regions} was out of reach for 24 hours"))
        }
        Some(schedule) => {
            let found =
                find_targets(service, &schedule.settings.targets, &run.unresolved, down).await;
            let joined = run.joined_by(found.ids, found.unresolved);
            match too_many(joined.targets.len()) {
                None => return Ok(joined),
                Some(failure) => failure,
            }
        }
    };
    warn!(schedule.id = %run.slot.schedule_id, "A run goes on without {regions}: {}", failure.message);
    Ok(run.without_unresolved(failure))
}
