//! One run of a schedule: claimed, its targets found, their snapshots asked for.

use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::ScheduleId;
use crate::domain::run::{Run, RunStatus, Trigger};
use crate::domain::schedule::{Schedule, TARGETS_MAX};
use crate::domain::snapshot::{Failure, ScheduleSlot};
use crate::error::Error;
use crate::events::{OwnEvent, PER_EVENT_MAX, RequestedTarget, RunReference, SnapshotRequested};
use crate::operations::schedules::show_schedule;
use crate::service::Service;

/// Runs a schedule now, whatever its expression says. `slot` names the run: repeated with the same, it is the
/// same run.
pub async fn run_now(
    service: &Service,
    id: &ScheduleId,
    slot: Timestamp,
    now: Timestamp,
) -> Result<Run, Error> {
    let schedule = show_schedule(service, id).await?;
    let slot = ScheduleSlot { schedule_id: id.clone(), slot };
    let run = Run::claimed(slot.clone(), Trigger::Person, 0, now);
    if service.table.insert_run(&run).await?.is_done() {
        return dispatch(service, &schedule, &run, now).await;
    }
    let existing = service.table.run(&slot).await?;
    existing.ok_or_else(|| Error::not_found("run", slot.slot))
}

/// Finds the targets of a claimed run and asks for their snapshots, 25 to an event, ten events a call. Repeated
/// after it broke off, it asks again, and whoever takes the snapshots does nothing twice.
pub(super) async fn dispatch(
    service: &Service,
    schedule: &Schedule,
    run: &Run,
    now: Timestamp,
) -> Result<Run, Error> {
    let targets = service.ec2.targets(&schedule.targets).await?;
    let dispatched = if targets.len() > TARGETS_MAX {
        let message = format!(
            "{} instances are too many for one schedule; at most {TARGETS_MAX} are possible",
            targets.len()
        );
        run.failed(Failure::new("TooManyTargets", message), now)
    } else {
        let dispatched = run.dispatched(targets, now);
        if dispatched.status == RunStatus::Running {
            service.bus.publish(&requests(&dispatched)).await?;
        }
        dispatched
    };
    info!(
        schedule.id = %schedule.id,
        "Schedule {} runs for {}: {} targets",
        schedule.id,
        run.slot.slot,
        dispatched.targets.len()
    );
    // Changed by another tick that took the run over: it has asked for the same snapshots.
    _ = service.table.update_run(run, &dispatched).await?;
    Ok(dispatched)
}

/// The events that ask for the snapshots of all targets of a run.
pub(super) fn requests(run: &Run) -> Vec<OwnEvent> {
    let targets: Vec<_> = run
        .snapshot_ids()
        .map(|(snapshot_id, instance)| RequestedTarget {
            snapshot_id,
            instance_id: instance.clone(),
        })
        .collect();
    requests_for(&run.slot, &targets)
}

/// The events that ask for the snapshots of these targets of a slot.
pub(super) fn requests_for(slot: &ScheduleSlot, targets: &[RequestedTarget]) -> Vec<OwnEvent> {
    let reference = RunReference { schedule_id: slot.schedule_id.clone(), slot: slot.slot };
    targets
        .chunks(PER_EVENT_MAX)
        .map(|targets| {
            OwnEvent::SnapshotRequested(SnapshotRequested {
                run: Some(reference.clone()),
                targets: targets.to_vec(),
            })
        })
        .collect()
}
