//! The tick has drills begun: one of a schedule each time its `drill_every` is over.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::domain::cursor::PageRequest;
use crate::domain::ids::{InstanceId, RestoreId, ScheduleId};
use crate::domain::restore::Restore;
use crate::domain::restore::wanted::{Accepted, WantedMode, WantedRestore};
use crate::domain::schedule::Schedule;
use crate::domain::schedule::drills::next_instances;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
use crate::operations::restores;
use crate::operations::restores::request::NewRestore;
use crate::service::Service;
use crate::views;
use crate::views::snapshots::SnapshotFilter;

/// How many schedules one tick looks at; the next goes on.
const SCHEDULES_MAX: usize = 20;
/// How many of the latest runs are looked at for one that has found its targets.
const RUNS_MAX: usize = 10;
/// How many pages of an instance's snapshots, each of up to a thousand, for one of the schedule.
const PAGES_MAX: usize = 3;

/// What became of the drills that were due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    pub begun: Vec<(ScheduleId, RestoreId)>,
    /// Not to be begun now, and why; tried again in an hour at the soonest.
    pub put_off: Vec<(ScheduleId, String)>,
    /// A fault that passes; the next tick tries again.
    pub failed: Vec<(ScheduleId, String)>,
}

/// What became of the drill that is due.
enum DrillAttempt {
    Begun(Box<Restore>),
    /// Why not, and the last instance that was looked at.
    PutOff(String, Option<InstanceId>),
}

/// Has the drills begun that are due at `now`, of at most 20 schedules, the longest due first. What cannot be begun is put
/// off; one's failure does not stop the others.
pub async fn begin_due_drills(
    service: &Service,
    now: Timestamp,
    clock: &Clock,
) -> Result<DrillReport, Error> {
    let mut report = DrillReport::default();
    for id in service.table.due_drills(now, SCHEDULES_MAX).await? {
        if clock.is_over() {
            break;
        }
        let because = service.table.because(&format!("drill of schedule {id}"));
        let service = Service { table: because, ..service.clone() };
        match Box::pin(run_due(&service, &id, now)).await {
            Ok(Some(DrillAttempt::Begun(drill))) => report.begun.push((id, drill.id)),
            Ok(Some(DrillAttempt::PutOff(why, _))) => {
                info!(schedule.id = %id, "The drill of {id} is put off: {why}");
                report.put_off.push((id, why));
            }
            Ok(None) => {}
            Err(failure) => {
                let text = chain(&failure);
                warn!(schedule.id = %id, error.chain = %text, "The drill of {id} waits");
                report.failed.push((id, text));
            }
        }
    }
    Ok(report)
}

/// Begins the drill that is due, or puts it off. Its identifier follows from the schedule and the due time: whoever begins
/// it again finds it there.
async fn run_due(
    service: &Service,
    id: &ScheduleId,
    now: Timestamp,
) -> Result<Option<DrillAttempt>, Error> {
    let Some(schedule) = service.table.schedule(id).await? else {
        service.table.expire_drills(id, now).await?;
        return Ok(None);
    };
    let Some(due) = schedule.due_drill(now) else {
        _ = service.table.settle_drills(&schedule).await?;
        return Ok(None);
    };
    let attempt = match begin(service, &schedule, due, now).await {
        Ok(attempt) => attempt,
        Err(error) if error.is_retryable() => return Err(error),
        // Tried again each minute it would fail each minute.
        Err(error) => DrillAttempt::PutOff(chain(&error), None),
    };
    let next = match &attempt {
        DrillAttempt::Begun(drill) => schedule.drilled(drill, now),
        DrillAttempt::PutOff(why, after) => schedule.drill_put_off(why, after.clone(), now),
    };
    // Written by another meanwhile: the next tick finds the drill, and only notes it.
    _ = service.table.update_schedule(&schedule, &next).await?;
    Ok(Some(attempt))
}

async fn begin(
    service: &Service,
    schedule: &Schedule,
    due: Timestamp,
    now: Timestamp,
) -> Result<DrillAttempt, Error> {
    let id = RestoreId::derived(due, &["drill", schedule.id.as_str(), &due.to_string()]);
    if let Some(drill) = service.table.restore(&id).await? {
        return Ok(DrillAttempt::Begun(Box::new(drill)));
    }
    if let Some(why) = still_busy(service, schedule).await? {
        return Ok(DrillAttempt::PutOff(why, None));
    }
    let instances = targets(service, &schedule.id).await?;
    let candidates = next_instances(&instances, schedule.drills.after.as_ref());
    let mut why = "none of the schedule's last runs has found an instance".to_owned();
    for instance in &candidates {
        let Some(snapshot) = newest(service, &schedule.id, instance, now).await? else {
            why = format!("{instance} has no snapshot of the schedule that can be restored");
            continue;
        };
        match restores::request(service, wanted(&id, schedule, &snapshot, due), now).await {
            Ok(drill) => return Ok(DrillAttempt::Begun(Box::new(drill))),
            Err(error) if error.is_retryable() => return Err(error),
            Err(refusal) => why = format!("{} cannot be drilled: {refusal}", snapshot.id),
        }
    }
    Ok(DrillAttempt::PutOff(why, candidates.last().cloned()))
}

/// Returns the reason to begin no other drill of the schedule now: the last one is not over.
async fn still_busy(service: &Service, schedule: &Schedule) -> Result<Option<String>, Error> {
    let Some(id) = &schedule.drills.last else { return Ok(None) };
    let Some(last) = service.table.restore(id).await? else { return Ok(None) };
    if last.status.is_over() {
        return Ok(None);
    }
    Ok(Some(format!("its last drill {id} is {} and not over", last.status)))
}

/// The instances that the latest run with any was for.
async fn targets(service: &Service, id: &ScheduleId) -> Result<BTreeSet<InstanceId>, Error> {
    let mut request = PageRequest { limit: 1, ..PageRequest::default() };
    for _ in 0..RUNS_MAX {
        let page = service.table.list_runs(id, &request).await?;
        let targets: BTreeSet<_> = page.items.into_iter().flat_map(|run| run.targets).collect();
        if !targets.is_empty() || page.next_cursor.is_none() {
            return Ok(targets);
        }
        request.cursor = page.next_cursor;
    }
    Ok(BTreeSet::new())
}

/// The newest set of an instance that the schedule has taken and that can be restored.
async fn newest(
    service: &Service,
    schedule: &ScheduleId,
    instance: &InstanceId,
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let filter = SnapshotFilter {
        instance_id: Some(instance.clone()),
        schedule_id: Some(schedule.clone()),
        status: vec![Status::Available],
        ..SnapshotFilter::default()
    };
    let mut request = PageRequest { limit: 5, ..PageRequest::default() };
    for _ in 0..PAGES_MAX {
        let page = views::snapshots::list(service, &filter, &request).await?;
        // A copy lies elsewhere, where nobody says in which zone to try it.
        let good = page
            .items
            .into_iter()
            .filter(|one| one.copy_of.is_none() && one.is_good() && one.is_restorable(now));
        if let Some(newest) = good.max_by_key(Snapshot::standing) {
            return Ok(Some(newest));
        }
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    Ok(None)
}

fn wanted(id: &RestoreId, schedule: &Schedule, snapshot: &Snapshot, due: Timestamp) -> NewRestore {
    NewRestore {
        id: id.clone(),
        snapshot_id: snapshot.id.clone(),
        confirm: snapshot.id.to_string(),
        who: format!("schedule {}", schedule.id),
        wanted: WantedRestore {
            mode: WantedMode::Drill,
            zone: None,
            volumes: None,
            initialization_rate_mibps: None,
            accepted: Accepted::default(),
        },
        attach_to: None,
        snapshot_first: None,
        keep_old_days: 0,
        drill_due: Some(due),
    }
}
