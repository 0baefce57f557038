//! Carries a sweep out: plans it, sets the brake, condemns what is to go. It never deletes.

use crate::domain::sweep::still_stands::is_current;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::domain::ids::{ScheduleId, SnapshotId, SweepId};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::ClockDoubt;
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::plan::{Outcome, PlanEntry, Verdict};
use crate::domain::sweep::{ExecutionCounts, Sweep, SweepStatus};
use crate::error::{Error, chain};
use crate::operations::snapshots::mark::mark_sets;
use crate::operations::sweeps::enforce::{CarriedOut, Takings, enforce, note_losses};
use crate::operations::sweeps::plan::{SweepFacts, plan_sweep};
use crate::service::Service;

/// How old a plan may be for what it says to be condemned as it stands.
const PLAN_FRESH: SignedDuration = SignedDuration::from_mins(10);

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
    let sweep = found.ok_or_else(|| Error::not_found("sweep", id))?;
    match sweep.status {
        SweepStatus::Requested | SweepStatus::Executing | SweepStatus::Approved => {}
        SweepStatus::Planned
        | SweepStatus::NeedsApproval
        | SweepStatus::Done
        | SweepStatus::Refused => return Ok(sweep),
    }
    let now = clock.now();
    let claimed = sweep.claimed(now);
    if !service.table.update_sweep(&sweep, &claimed, now).await?.is_done() {
        // Another delivery has taken it up at this moment.
        return Ok(sweep);
    }
    let carried_out = go_on(service, &claimed, clock).await;
    if carried_out.is_err() {
        release(service, &claimed, clock.now()).await;
    }
    carried_out
}

/// Nobody need wait for a claim to end whose holder has failed.
async fn release(service: &Service, claimed: &Sweep, now: Timestamp) {
    if let Ok(Some(found)) = service.table.sweep(&claimed.id).await
        && found.claimed_at == claimed.claimed_at
        && let Err(error) = service.table.update_sweep(&found, &found.released(), now).await
    {
        warn!(sweep.id = %found.id, error.chain = %chain(&error), "Sweep {} waits for the tick", found.id);
    }
}

/// Plans a sweep that is claimed, if it is not yet, and executes it.
async fn go_on(service: &Service, claimed: &Sweep, clock: &Clock) -> Result<Sweep, Error> {
    let mut sweep = claimed.clone();
    if sweep.status == SweepStatus::Requested {
        let planned = plan_sweep(service, &sweep, clock.now()).await?;
        if !service.table.update_sweep(&sweep, &planned, clock.now()).await?.is_done() {
            return Err(Error::Stale { noun: "the sweep", current: sweep.version });
        }
        sweep = planned;
        if sweep.status == SweepStatus::Executing && has_waited(&sweep, clock.now()) {
            // The planning took so long that all is to be looked at again: there is no time for that.
            return put_off(service, &sweep, clock.now()).await;
        }
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
    let tallies = service.table.tallies(sweep).await?;
    note_losses(service, sweep, &tallies, &schedules).await?;
    let counting = &service.counting_together();
    let execution =
        Execution { service: counting, sweep, tallies: &tallies, schedules: &schedules, confirmed };
    let mut executed = ExecutionCounts::default();
    let mut takings = Takings::default();
    for page in 1..=sweep.plan_pages {
        let mut entries = service.table.plan_page(sweep, page).await?;
        if entries.iter().any(|entry| is_open(entry, sweep)) {
            if clock.is_over() {
                return put_off(service, sweep, clock.now()).await;
            }
            let room = service.settings.condemn_max.saturating_sub(executed.condemned);
            let condemned = execution.condemn(&mut entries, room, clock.now()).await;
            counting.table.add_together().await;
            condemned?;
            let plan = (sweep, sweep.plan_hash.as_deref().unwrap_or_default());
            service.table.store_plan_page(plan, page, &entries, clock.now()).await?;
        }
        count(&entries, &mut executed);
        takings.count(&entries);
    }
    let now = clock.now();
    let finished = Sweep {
        version: sweep.version + 1,
        status: if sweep.needs_approval() { SweepStatus::NeedsApproval } else { SweepStatus::Done },
        executed,
        claimed_at: None,
        finished_at: Some(now),
        ..sweep.clone()
    };
    let carried_out = CarriedOut { sweep, tallies: &tallies, takings: &takings };
    enforce(service, &carried_out, &schedules, now).await?;
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
    let touched = sweep.released();
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
    tallies: &'a Tallies,
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
        let mut marks = Vec::new();
        for entry in entries.iter_mut().filter(|entry| is_open(entry, self.sweep)) {
            let outcome = if let Some(snapshot) = self.condemned_before(entry, &current) {
                if snapshot.status == Status::Condemned {
                    marks.push(snapshot.clone());
                }
                Outcome::Condemned
            } else if self.tallies.is_braked(self.sweep, entry.schedule_id.as_ref()) {
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
        // The records stand; the next sweep marks what is not marked.
        _ = mark_sets(self.service, &marks, now).await;
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
        let past = snapshot.ending.condemnation.as_ref()?;
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
        marks: &mut Vec<Snapshot>,
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
                marks.push(condemned);
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
