//! A schedule and its rules, run forward in time for one instance: what exists at the end of each day.
//!
//! It is made of what the scheduler and the sweep are made of: the slots of [`Timing`], the verdicts of
//! [`Rules`], and that the newest available snapshot stays. Sweeps are at every full hour of UTC. What is due
//! at the very instant of a sweep is not available yet and comes after it; otherwise a snapshot is there as
//! soon as it is due.

use std::{iter, vec};

use jiff::civil::{Date, DateTime};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

use crate::domain::retention::{Moment, Rules};
use crate::domain::schedule::preview::skipped;
use crate::domain::schedule::slots::Timing;
use crate::domain::schedule::zone::Zone;

/// How many fires one simulation has at the most.
pub const FIRES_MAX: usize = 100_000;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What is to be run forward.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<'a> {
    /// When snapshots are taken.
    pub timing: Timing<'a>,
    /// Which of them stay; without rules all do.
    pub rules: Option<&'a Rules>,
    /// When it begins, without any snapshot. Fires are strictly after it.
    pub from: Timestamp,
    /// How many local days it runs; the first is the one that `from` is in.
    pub days: u16,
}

/// One local day of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The date, in the schedule's zone.
    pub date: Date,
    /// How often it fires in that day.
    pub fires: u32,
    /// The snapshots that exist as the day ends, by the instants they were taken at, oldest first. What a
    /// sweep has condemned is not among them.
    pub survivors: Vec<Timestamp>,
    /// The matching local times of that day that a clock change skips.
    pub missed: Vec<DateTime>,
}

/// How many snapshots all sweeps of a simulation judge together at the most: some seconds.
const JUDGED_MAX: u64 = 100_000_000;

/// A simulation that would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// It fires more than [`FIRES_MAX`] times.
    #[error(
        "the schedule fires more than {FIRES_MAX} times in {days} days; simulate fewer days, or an expression \
         that fires less often"
    )]
    Fires {
        /// How many days were asked for.
        days: u16,
    },
    /// So many snapshots stay for so long that judging them takes minutes.
    #[error(
        "the rules keep too many snapshots to judge them all every hour of {days} days; simulate fewer days, \
         or rules that keep fewer"
    )]
    Kept {
        /// How many days were asked for.
        days: u16,
    },
}

/// The days of a scenario, one after the other.
#[derive(Debug)]
pub struct Simulation<'a> {
    rules: Option<&'a Rules>,
    zone: &'a Zone,
    fires: iter::Peekable<vec::IntoIter<Timestamp>>,
    missed: iter::Peekable<vec::IntoIter<DateTime>>,
    date: Date,
    days_left: u16,
    next_sweep: Timestamp,
    /// What exists, oldest first.
    history: Vec<Moment>,
    /// Whether the last sweep has let everything stay, and nothing was added since.
    is_settled: bool,
}

impl<'a> Simulation<'a> {
    /// The simulation of `scenario`, before its first day.
    pub fn new(scenario: Scenario<'a>) -> Result<Self, TooLong> {
        let Scenario { timing, rules, from, days } = scenario;
        let zone = timing.timezone;
        let date = zone.time_zone().to_datetime(from).date();
        let end = iter::successors(Some(date), |date| date.tomorrow().ok())
            .nth(usize::from(days))
            .and_then(|date| beginning(date, zone))
            .unwrap_or(Timestamp::MAX);
        let fires: Vec<_> =
            timing.slots_after(from).take_while(|&at| at < end).take(FIRES_MAX + 1).collect();
        if fires.len() > FIRES_MAX {
            return Err(TooLong::Fires { days });
        }
        if rules.is_some_and(|rules| judged_at_most(rules, &timing, fires.len(), days) > JUDGED_MAX)
        {
            return Err(TooLong::Kept { days });
        }
        let missed: Vec<_> =
            skipped(&timing, from, end).into_iter().map(|skipped| skipped.local).collect();
        Ok(Self {
            rules,
            zone,
            fires: fires.into_iter().peekable(),
            missed: missed.into_iter().peekable(),
            date,
            days_left: days,
            next_sweep: next_full_hour(from),
            history: Vec::new(),
            is_settled: true,
        })
    }

    fn sweep(&mut self, now: Timestamp) {
        let Some(rules) = self.rules else { return };
        if self.is_settled && !rules.look_at_age() {
            return;
        }
        let before = self.history.len();
        let newest = self.history.last().copied();
        let mut kept = rules.kept(&self.history, self.zone, now).into_iter();
        self.history.retain(|moment| kept.next().unwrap_or(true) || Some(*moment) == newest);
        self.is_settled = self.history.len() == before;
    }

    fn fire(&mut self, at: Timestamp) {
        self.history.push(Moment::new(at, self.zone));
        self.is_settled = false;
    }
}

impl Iterator for Simulation<'_> {
    type Item = Day;

    fn next(&mut self) -> Option<Day> {
        self.days_left = self.days_left.checked_sub(1)?;
        let date = self.date;
        self.date = date.tomorrow().ok()?;
        let end = beginning(self.date, self.zone)?;
        let mut fires = 0;
        loop {
            let fire = self.fires.peek().copied().filter(|&fire| fire < end);
            let until = fire.unwrap_or(end);
            // At the very end of the day it is the next day's.
            while self.next_sweep < end && self.next_sweep <= until {
                self.sweep(self.next_sweep);
                self.next_sweep = self.next_sweep.checked_add(HOUR).unwrap_or(Timestamp::MAX);
            }
            let Some(fire) = fire else { break };
            self.fires.next();
            self.fire(fire);
            fires += 1;
        }
        let survivors = self.history.iter().map(Moment::at).collect();
        let missed =
            iter::from_fn(|| self.missed.next_if(|missed| missed.date() <= date)).collect();
        Some(Day { date, fires, survivors, missed })
    }
}

/// How many snapshots the sweeps of so many days judge together at the most: those that fired, or as many of them
/// as the rules can keep.
fn judged_at_most(rules: &Rules, timing: &Timing<'_>, fires: usize, days: u16) -> u64 {
    let fires = u64::try_from(fires).unwrap_or(u64::MAX);
    let hours = 24 * u64::from(days);
    let sweeps = if rules.look_at_age() { hours } else { hours.min(fires) };
    let kept = rules.kept_at_most(timing.expression, timing.timezone);
    // What is kept without end grows as the simulation goes on.
    let endless = kept.endless_every_seconds.iter().map(|seconds| match seconds {
        0 => fires,
        seconds => hours * 3_600 / seconds + 1,
    });
    let most = endless.fold(kept.bounded, u64::saturating_add);
    let most = most.saturating_add(fires.div_ceil(hours.max(1))).min(fires);
    sweeps.saturating_mul(most)
}

/// When a date begins; where a clock change skips its midnight, with that change.
fn beginning(date: Date, zone: &Zone) -> Option<Timestamp> {
    let midnight = date.at(0, 0, 0, 0);
    match zone.time_zone().to_ambiguous_timestamp(midnight).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(midnight).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(midnight).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            let just_before = after.to_timestamp(midnight).ok()?;
            zone.time_zone().following(just_before).next().map(|change| change.timestamp())
        }
    }
}

fn next_full_hour(after: Timestamp) -> Timestamp {
    let seconds = HOUR.as_secs();
    let next = (after.as_second().div_euclid(seconds) + 1) * seconds;
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
