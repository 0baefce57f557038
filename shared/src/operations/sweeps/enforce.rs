//! What a sweep leaves behind on schedules: the rules that are in force from now on, and what it took unexpectedly.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Schedule;
use crate::domain::schedule::losses::Losses;
use crate::domain::sweep::Sweep;
use crate::domain::sweep::brake::group::{Group, GroupCount};
use crate::domain::sweep::brake::tally::{Tallies, Tally};
use crate::domain::sweep::plan::{Outcome, PlanEntry};
use crate::error::Error;
use crate::operations::rewrite::until_written;
use crate::operations::sweeps::plan::EDIT_SETTLED;
use crate::service::Service;

/// A sweep that was carried out.
#[derive(Clone, Copy)]
pub(crate) struct CarriedOut<'a> {
    pub(crate) sweep: &'a Sweep,
    pub(crate) tallies: &'a Tallies,
    pub(crate) takings: &'a Takings,
}

/// How many unexpected deletions of each group were carried out, and how many were not and may be later.
#[derive(Default)]
pub(crate) struct Takings(BTreeMap<(ScheduleId, Group), Taken>);

#[derive(Clone, Copy, Default)]
struct Taken {
    condemned: u32,
    open: u32,
}

impl Takings {
    /// Counts what became of these entries.
    pub(crate) fn count(&mut self, entries: &[PlanEntry]) {
        for entry in entries.iter().filter(|entry| entry.unexpected_by().is_some()) {
            let Some(id) = &entry.schedule_id else { continue };
            for group in entry.group.clone().counted_in() {
                let taken = self.0.entry((id.clone(), group)).or_default();
                match entry.outcome {
                    Some(Outcome::Condemned) => taken.condemned += 1,
                    Some(Outcome::Changed) => {}
                    Some(Outcome::Stopped | Outcome::Later | Outcome::Failed) | None => {
                        taken.open += 1;
                    }
                }
            }
        }
    }

    fn of(&self, tally: &Tally, group: &Group) -> Taken {
        self.0.get(&(tally.schedule_id.clone(), group.clone())).copied().unwrap_or_default()
    }
}

/// Writes onto the schedules what the plan takes from them, before anything is taken: a sweep that breaks off has been
/// counted, and the next one, planned meanwhile, is held against it. What a person has released is not counted.
pub(crate) async fn note_losses(
    service: &Service,
    sweep: &Sweep,
    tallies: &Tallies,
    schedules: &BTreeMap<ScheduleId, Schedule>,
) -> Result<(), Error> {
    let is_taken = |tally: &&Tally| {
        let is_stopped = tallies.is_stopped(Some(&tally.schedule_id));
        !tally.groups.is_empty() && !is_stopped && !tallies.is_braked(sweep, None)
    };
    for tally in tallies.iter().filter(is_taken) {
        if let Some(schedule) = schedules.get(&tally.schedule_id) {
            let change = Change { sweep, losses: Lost::Are(tally.groups.clone()) };
            write(service, schedule, &change, InForce::AsBefore).await?;
        }
    }
    Ok(())
}

/// From now on the rules of these schedules are what the brake takes as expected. Those it has stopped, and those
/// whose rule for gone instances waits for a second look, keep what was in force before.
///
/// Where the rules are in force, all that they delete unexpectedly counts as lost, also what comes later: by then it is
/// expected. Where they are not, only what is condemned does: the rest counts when a plan has it again.
pub(crate) async fn enforce(
    service: &Service,
    carried_out: &CarriedOut<'_>,
    schedules: &BTreeMap<ScheduleId, Schedule>,
    now: Timestamp,
) -> Result<(), Error> {
    let CarriedOut { sweep, tallies, .. } = *carried_out;
    let planned_at = sweep.planned_at.unwrap_or(now);
    _ = service.table.set_last_sweep_at(planned_at).await?;
    for schedule in schedules.values() {
        let tally = tallies.get(&schedule.id);
        if tallies.is_braked(sweep, Some(&schedule.id)) {
            continue;
        }
        let is_new = schedule.enforced.rules != schedule.settings.rules
            || schedule.enforced.timezone != schedule.settings.timezone
            || schedule.enforced.when_gone != schedule.settings.when_gone
            || schedule.enforced.copies != schedule.settings.copies
            || schedule.enforced.at < planned_at;
        // Edited since the plan was made: what it says now was not enforced.
        let is_settled = !tally.is_some_and(|tally| tally.is_unsettled)
            && planned_at.duration_since(schedule.updated_at) >= EDIT_SETTLED;
        let in_force =
            if is_new && is_settled { InForce::At(planned_at) } else { InForce::AsBefore };
        let losses = tally.map_or(Lost::AsBefore, |tally| carried_out.losses(tally, in_force));
        if in_force != InForce::AsBefore || losses != Lost::AsBefore {
            write(service, schedule, &Change { sweep, losses }, in_force).await?;
        }
    }
    Ok(())
}

impl CarriedOut<'_> {
    fn losses(&self, tally: &Tally, in_force: InForce) -> Lost {
        let is_released = tally.brake.is_some();
        match in_force {
            // An admin has seen it: the day begins anew.
            InForce::At(_) if is_released => Lost::Forgotten,
            InForce::AsBefore if is_released => Lost::AsBefore,
            InForce::At(_) | InForce::AsBefore if tally.groups.is_empty() => Lost::AsBefore,
            InForce::At(_) => self.lost(tally, |taken| taken.condemned + taken.open),
            InForce::AsBefore => self.lost(tally, |taken| taken.condemned),
        }
    }

    fn lost(&self, tally: &Tally, number: fn(Taken) -> u32) -> Lost {
        let counts = tally.groups.iter().map(|count| GroupCount {
            unexpected: number(self.takings.of(tally, &count.group)),
            ..count.clone()
        });
        Lost::Are(counts.collect())
    }
}

/// Whether the rules of a schedule come into force.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InForce {
    AsBefore,
    At(Timestamp),
}

/// What a schedule has lost by a sweep.
#[derive(Clone, PartialEq, Eq)]
enum Lost {
    /// Nothing that is not written yet.
    AsBefore,
    /// Nothing, and what it had lost before does not matter any more.
    Forgotten,
    Are(Vec<GroupCount>),
}

struct Change<'a> {
    sweep: &'a Sweep,
    losses: Lost,
}

impl Change<'_> {
    /// The schedule as it is to be; none if it is so.
    fn of(&self, schedule: &Schedule, in_force: InForce) -> Option<Schedule> {
        let planned_at = self.sweep.planned_at.unwrap_or(self.sweep.created_at);
        let losses = match &self.losses {
            Lost::AsBefore => schedule.losses.clone(),
            Lost::Forgotten => Losses::default(),
            Lost::Are(counts) => schedule.losses.with(&self.sweep.id, counts, planned_at),
        };
        let is_same = losses == schedule.losses;
        match in_force {
            InForce::At(at) => Some(Schedule { losses, ..schedule.enforced_at(at) }),
            InForce::AsBefore if is_same => None,
            InForce::AsBefore => Some(schedule.having_lost(losses)),
        }
    }
}

/// Written anew where something else has changed, as the tick does when it advances the schedule. One that was edited is
/// enforced by the next sweep; what it has lost is lost whatever it says now.
async fn write(
    service: &Service,
    schedule: &Schedule,
    change: &Change<'_>,
    in_force: InForce,
) -> Result<(), Error> {
    // The first time it is what the sweep has read.
    let mut first = Some(schedule.clone());
    let written = until_written(|| {
        let read = first.take();
        async move {
            let current = match read {
                Some(read) => Some(read),
                None => service.table.schedule(&schedule.id).await?,
            };
            let Some(current) = current else { return Ok(Some(())) };
            let in_force =
                if is_unedited(schedule, &current) { in_force } else { InForce::AsBefore };
            let Some(next) = change.of(&current, in_force) else { return Ok(Some(())) };
            let written = service.table.update_schedule(&current, &next).await?;
            Ok(written.is_done().then_some(()))
        }
    });
    _ = written.await?;
    Ok(())
}

fn is_unedited(read: &Schedule, found: &Schedule) -> bool {
    found.updated_at == read.updated_at
        && found.rules_digest() == read.rules_digest()
        && found.enforced == read.enforced
}
