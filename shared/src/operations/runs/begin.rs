//! One run of a schedule: claimed, its targets found, the first of them asked for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::ids::ScheduleId;
use crate::domain::run::{Run, Trigger};
use crate::domain::schedule::{Schedule, TARGETS_MAX};
use crate::domain::snapshot::{Failure, ScheduleSlot};
use crate::error::{Error, chain};
use crate::operations::runs::ask_targets::visit;
use crate::operations::runs::told_gone::told_gone;
use crate::regions::find_targets;
use crate::service::Service;
use crate::views;

/// Runs a schedule now, whatever its expression says, and all its targets at once. `slot` names the run:
/// repeated with the same, it is the same run.
pub async fn begin_now(
    service: &Service,
    id: &ScheduleId,
    slot: Timestamp,
    now: Timestamp,
) -> Result<Run, Error> {
    let schedule = views::schedules::show(service, id).await?;
    let slot = ScheduleSlot { schedule_id: id.clone(), slot };
    let run = Run::claimed(slot.clone(), Trigger::Person, 0, now);
    if service.table.insert_run(&run).await?.is_done() {
        return dispatch(service, &schedule, &run, &mut BTreeSet::new(), now).await;
    }
    let existing = service.table.run(&slot).await?;
    existing.ok_or_else(|| Error::not_found("run", slot.slot))
}

/// Finds the targets of a claimed run and asks for those that are due. They are recorded before they are asked
/// for: died between the two, the tick finds those that nobody has taken up. What is in a region out of reach is found
/// later; none of the regions in `down` is asked, and those that are found to be so go there.
pub(crate) async fn dispatch(
    service: &Service,
    schedule: &Schedule,
    run: &Run,
    down: &mut BTreeSet<String>,
    now: Timestamp,
) -> Result<Run, Error> {
    let found =
        find_targets(service, &schedule.settings.targets, &service.settings.regions, down).await;
    if let Some(error) = found.error {
        return Err(error);
    }
    if let Some(failure) = too_many(found.ids.len()) {
        let failed = run.failed(failure, now);
        _ = service.table.update_run(run, &failed).await?;
        return Ok(failed);
    }
    let told = if down.is_empty() { told_gone(service, schedule).await? } else { BTreeSet::new() };
    let targets = found.ids.into_iter().filter(|id| !told.contains(id)).collect();
    let spread_minutes = schedule.settings.spread_minutes.unwrap_or_default();
    let begun = run.begun(targets, spread_minutes, now).lacking(found.unresolved);
    let begun = visit(service, &begun, now).await?;
    if !service.table.update_run(run, &begun.run).await?.is_done() {
        // Another tick has taken the run over, and asks for the same snapshots.
        return Ok(begun.run);
    }
    info!(
        schedule.id = %schedule.id,
        "Schedule {} runs for {}: {} targets, {} of them asked for",
        schedule.id,
        run.slot.slot,
        begun.run.targets.len(),
        begun.run.asked
    );
    match service.bus.publish(&begun.events).await {
        Ok(()) => Ok(begun.run),
        Err(error) if error.is_retryable() => {
            // They are recorded: the tick asks for them again.
            warn!(schedule.id = %schedule.id, error.chain = %chain(&error), "A run waits for the tick");
            Ok(begun.run)
        }
        Err(error) => {
            let failed = begun.run.failed(Failure::new(error.kind(), error.to_string()), now);
            _ = service.table.update_run(&begun.run, &failed).await?;
            Ok(failed)
        }
    }
}

/// Returns a failure if a schedule cannot be for so many instances.
pub(crate) fn too_many(targets: usize) -> Option<Failure> {
    (targets > TARGETS_MAX).then(|| {
        let message = format!(
            "{targets} instances are too many for one schedule; at most {TARGETS_MAX} are possible"
        );
        Failure::new("TooManyTargets", message)
    })
}
