//! Carries a sweep out: plans it, sets the brake, condemns what is to go. It never deletes.

use crate::domain::sweep::still_stands::is_current;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::domain::ids::{EbsSnapshotId, ScheduleId, SnapshotId, SweepId};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::ClockDoubt;
use crate::domain::sweep::plan::{Outcome, PlanEntry, Verdict};
use crate::domain::sweep::{ExecutionCounts, Sweep, SweepStatus};
use crate::error::{Error, chain};
use crate::operations::sweeps::plan::{EDIT_SETTLED, SweepFacts, plan_sweep};
use crate::regions::members_by_region;
use crate::service::Service;

/// How old a plan may be for what it says to be condemned as it stands.
const PLAN_FRESH: SignedDuration = SignedDuration::from_mins(10);
/// How often a schedule that somebody writes at the same moment is written anew.
const ENFORCE_ATTEMPTS: usize = 3;

/// The hourly sweep of `tick`: the same however often its tick is delivered.
pub async fn hourly_sweep(
    service: &Service,
    tick: Timestamp,
    clock: &Clock,
) -> Result<Sweep, Error> {
    let sweep = Sweep::hourly(tick);
    // There already: delivered twice, or an earlier delivery broke off.
    _ = service.table.insert_sweep(&sweep, clock.now()).await?;
    carry_out(service, &sweep.id, clock).await
}

/// Carries on with a sweep from wherever it stands; what is finished stays as it is.
pub async fn carry_out(service: &Service, id: &SweepId, clock: &Clock) -> Result<Sweep, Error> {
    let found = service.table.sweep(id).await?;
    let mut sweep = found.ok_or_else(|| Error::not_found("sweep", id))?;
    if sweep.status == SweepStatus::Requested {
        let now = clock.now();
        let planned = plan_sweep(service, &sweep, now).await?;
        if !service.table.update_sweep(&sweep, &planned, now).await?.is_done() {
            // Another delivery has planned it: it goes on with that one.
            return Err(Error::Stale { noun: "the sweep", current: sweep.version });
        }
        sweep = planned;
    }
    match sweep.status {
        SweepStatus::Executing | SweepStatus::Approved => execute(service, &sweep, clock).await,
        SweepStatus::Requested
        | SweepStatus::Planned
        | SweepStatus::NeedsApproval
        | SweepStatus::Done
        | SweepStatus::Refused => Ok(sweep),
    }
}

/// Condemns what the plan says, oldest first and no more than the limit, but for what the brake holds. Broken
/// off, it goes on with the entries that have no outcome yet. Of a plan that waited, for a person or for being carried
/// out, only what a plan of this moment says too is condemned.
async fn execute(service: &Service, sweep: &Sweep, clock: &Clock) -> Result<Sweep, Error> {
    let schedules = service.table.every_schedule().await?;
    let confirmed = if has_waited(sweep, clock.now()) {
        Some(deletions_now(service, sweep, clock.now()).await?)
    } else {
        None
    };
    let execution = Execution { service, sweep, schedules: &schedules, confirmed };
    let mut executed = ExecutionCounts::default();
    for page in 1..=sweep.plan_pages {
        let mut entries = service.table.plan_page(sweep, page).await?;
        if entries.iter().any(|entry| is_open(entry, sweep)) {
            if clock.is_over() {
                return put_off(service, sweep, clock.now()).await;
            }
            let room = service.settings.condemn_max.saturating_sub(executed.condemned);
            execution.condemn(&mut entries, room, clock.now()).await?;
            let plan = (&sweep.id, sweep.plan_hash.as_deref().unwrap_or_default());
            service.table.store_plan_page(plan, page, &entries, clock.now()).await?;
        }
        count(&entries, &mut executed);
    }
    let now = clock.now();
    let finished = Sweep {
        version: sweep.version + 1,
        status: if sweep.needs_approval() { SweepStatus::NeedsApproval } else { SweepStatus::Done },
        executed,
        finished_at: Some(now),
        ..sweep.clone()
    };
    enforce(service, sweep, &schedules, now).await?;
    _ = service.table.update_sweep(sweep, &finished, now).await?;
    info!(sweep.id = %sweep.id, "Sweep {} has condemned {}", sweep.id, executed.condemned);
    Ok(finished)
}

/// Whether what a plan was made of may have changed until it is carried out.
fn has_waited(sweep: &Sweep, now: Timestamp) -> bool {
    let is_old = |planned_at| now.duration_since(planned_at) >= PLAN_FRESH;
    sweep.approval.is_some() || sweep.planned_at.is_none_or(is_old)
}

/// The time is over before the plan is carried out: the tick has it go on.
async fn put_off(service: &Service, sweep: &Sweep, now: Timestamp) -> Result<Sweep, Error> {
    let touched = Sweep { version: sweep.version + 1, ..sweep.clone() };
    _ = service.table.update_sweep(sweep, &touched, now).await?;
    Ok(touched)
}

fn is_open(entry: &PlanEntry, sweep: &Sweep) -> bool {
    let is_deletion = matches!(entry.verdict, Verdict::Delete { .. });
    let was_stopped = entry.outcome == Some(Outcome::Stopped) && sweep.approval.is_some();
    is_deletion && (entry.outcome.is_none() || was_stopped)
}

fn count(entries: &[PlanEntry], executed: &mut ExecutionCounts) {
    for outcome in entries.iter().filter_map(|entry| entry.outcome) {
        match outcome {
            Outcome::Condemned => executed.condemned += 1,
            Outcome::Changed => executed.skipped += 1,
            Outcome::Failed => executed.failed += 1,
            Outcome::Stopped | Outcome::Later => {}
        }
    }
}

/// From now on the rules of these schedules are what the brake takes as expected. Those it has stopped, and those
/// whose rule for gone instances waits for a second look, keep what was in force before.
async fn enforce(
    service: &Service,
    sweep: &Sweep,
    schedules: &BTreeMap<ScheduleId, Schedule>,
    now: Timestamp,
) -> Result<(), Error> {
    let planned_at = sweep.planned_at.unwrap_or(now);
    _ = service.table.set_last_sweep_at(planned_at).await?;
    let takes_effect =
        |id: &ScheduleId| !sweep.is_braked(Some(id)) && !sweep.unsettled.contains(id);
    for schedule in schedules.values().filter(|one| takes_effect(&one.id)) {
        let is_new = schedule.enforced.rules != schedule.settings.rules
            || schedule.enforced.timezone != schedule.settings.timezone
            || schedule.enforced.when_gone != schedule.settings.when_gone
            || schedule.enforced.copies != schedule.settings.copies
            || schedule.enforced.at < planned_at;
        // Edited since the plan was made: what it says now was not enforced.
        if is_new && planned_at.duration_since(schedule.updated_at) >= EDIT_SETTLED {
            enforce_one(service, schedule, planned_at).await?;
        }
    }
    Ok(())
}

/// Written anew where only something else has changed, as the tick does when it advances the schedule. One that is
/// written ever again is enforced by the next sweep.
async fn enforce_one(
    service: &Service,
    schedule: &Schedule,
    planned_at: Timestamp,
) -> Result<(), Error> {
    let mut current = schedule.clone();
    for _ in 0..ENFORCE_ATTEMPTS {
        let enforced = current.enforced_at(planned_at);
        if service.table.update_schedule(&current, &enforced).await?.is_done() {
            break;
        }
        match service.table.schedule(&schedule.id).await? {
            Some(found) if is_unedited(schedule, &found) => current = found,
            Some(_) | None => break,
        }
    }
    Ok(())
}

fn is_unedited(read: &Schedule, found: &Schedule) -> bool {
    found.updated_at == read.updated_at
        && found.rules_digest() == read.rules_digest()
        && found.enforced == read.enforced
}

/// What a plan of this moment deletes, and by which rules. Nothing of it is stored but which instances are not there.
/// While the clock is wrong, or nobody has said that it is right, there is none, and the tick asks again.
async fn deletions_now(
    service: &Service,
    sweep: &Sweep,
    now: Timestamp,
) -> Result<BTreeMap<SnapshotId, CondemnedBy>, Error> {
    let present = SweepFacts::read(service, now).await?;
    match &present.doubt {
        Some(ClockDoubt::Wrong(reason)) => return Err(Error::conflict(reason)),
        Some(ClockDoubt::LongPause(reason)) if sweep.approval.is_none() => {
            return Err(Error::conflict(reason));
        }
        Some(ClockDoubt::LongPause(_)) | None => {}
    }
    present.remember(service, now).await?;
    let deletions =
        present.plan(service, now).into_iter().filter_map(|entry| match entry.verdict {
            Verdict::Delete { by, .. } => Some((entry.snapshot_id, by)),
            Verdict::Keep | Verdict::Blocked { .. } => None,
        });
    Ok(deletions.collect())
}

struct Execution<'a> {
    service: &'a Service,
    sweep: &'a Sweep,
    schedules: &'a BTreeMap<ScheduleId, Schedule>,
    /// Of a sweep whose plan has waited: what a plan of this moment deletes as well.
    confirmed: Option<BTreeMap<SnapshotId, CondemnedBy>>,
}

impl Execution<'_> {
    /// Condemns the open entries of one page: the records one by one, then their marks in one call.
    async fn condemn(
        &self,
        entries: &mut [PlanEntry],
        mut room: u32,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ids: Vec<_> = entries
            .iter()
            .filter(|entry| is_open(entry, self.sweep))
            .map(|entry| entry.snapshot_id.clone())
            .collect();
        let current = self.service.table.snapshots(&ids).await?;
        let mut marks = Marks::new();
        for entry in entries.iter_mut().filter(|entry| is_open(entry, self.sweep)) {
            let outcome = if let Some(snapshot) = self.condemned_before(entry, &current) {
                if snapshot.status == Status::Condemned {
                    add_marks(&mut marks, snapshot);
                }
                Outcome::Condemned
            } else if self.sweep.is_braked(entry.schedule_id.as_ref()) {
                Outcome::Stopped
            } else if room == 0 {
                Outcome::Later
            } else {
                self.condemn_one(entry, &current, now, &mut marks).await
            };
            if outcome == Outcome::Condemned {
                room = room.saturating_sub(1);
            }
            entry.outcome = Some(outcome);
        }
        for (region, marks) in marks {
            let marked = match self.service.ec2_in(&region) {
                Ok(ec2) => ec2.mark_condemned(&marks).await,
                Err(error) => Err(error),
            };
            if let Err(error) = marked {
                // The records stand; the next sweep puts the marks on, and without them nothing is deleted.
                warn!(sweep.id = %self.sweep.id, error.chain = %chain(&error), "Marks in {region} wait for the next sweep");
            }
        }
        Ok(())
    }

    /// The snapshot, if this very sweep condemned it and broke off before it recorded that.
    fn condemned_before<'b>(
        &self,
        entry: &PlanEntry,
        current: &'b BTreeMap<SnapshotId, Snapshot>,
    ) -> Option<&'b Snapshot> {
        let Verdict::Delete { by, .. } = &entry.verdict else { return None };
        let planned_at = self.sweep.planned_at?;
        let snapshot = current.get(&entry.snapshot_id)?;
        let past = snapshot.condemnation.as_ref()?;
        let stands = match snapshot.status {
            Status::Condemned | Status::Deleting | Status::Deleted => true,
            Status::Requested
            | Status::Creating
            | Status::Pending
            | Status::Available
            | Status::Error
            | Status::Missing => false,
        };
        (stands && past.by == *by && past.at >= planned_at).then_some(snapshot)
    }

    /// Whether a plan of this moment deletes it too, and by the same rule. Only one that has waited is held to that.
    fn is_confirmed(&self, entry: &PlanEntry, by: &CondemnedBy) -> bool {
        let confirmed = self.confirmed.as_ref();
        confirmed.is_none_or(|deletions| deletions.get(&entry.snapshot_id) == Some(by))
    }

    async fn condemn_one(
        &self,
        entry: &PlanEntry,
        current: &BTreeMap<SnapshotId, Snapshot>,
        now: Timestamp,
        marks: &mut Marks,
    ) -> Outcome {
        let Verdict::Delete { by, .. } = &entry.verdict else { return Outcome::Changed };
        let Some(snapshot) = current.get(&entry.snapshot_id) else { return Outcome::Changed };
        let schedule = entry.schedule_id.as_ref().and_then(|id| self.schedules.get(id));
        if !is_current(by, snapshot, schedule) || !self.is_confirmed(entry, by) {
            return Outcome::Changed;
        }
        let default = self.service.settings.grace;
        let grace = schedule.map_or(default, |schedule| schedule.grace(default));
        let delete_after = now.saturating_add(grace).unwrap_or(Timestamp::MAX);
        let reason = entry.reasons.join("; ");
        let Ok(condemned) = snapshot.condemn(by.clone(), reason, delete_after, now) else {
            return Outcome::Changed;
        };
        match self.service.table.update_snapshot(snapshot, &condemned).await {
            Ok(written) if written.is_done() => {
                add_marks(marks, &condemned);
                Outcome::Condemned
            }
            Ok(_) => Outcome::Changed,
            Err(error) => {
                let id = &snapshot.id;
                warn!(snapshot.id = %id, error.chain = %chain(&error), "Snapshot {id} is not condemned");
                Outcome::Failed
            }
        }
    }
}

/// What is to be marked, by region.
type Marks = BTreeMap<String, Vec<EbsSnapshotId>>;

fn add_marks(marks: &mut Marks, snapshot: &Snapshot) {
    for (region, members) in members_by_region([snapshot]) {
        marks.entry(region).or_default().extend(members);
    }
}
