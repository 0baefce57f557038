//! The coming fires of a schedule, and the first fire of each new period.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::period::Period;
use crate::domain::schedule::{Schedule, Settings, slots};

/// How far ahead anybody looks: ten years.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 3_653);
/// How many new periods are looked at one by one: the price of an answer stays bounded.
const PERIODS_MAX: usize = 20_000;

/// Why no fire is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFire {
    /// The schedule is disabled or over.
    Over,
    /// Not within the next ten years.
    Far,
    /// Behind more periods than are looked at.
    Many,
}

/// The fires of a schedule after an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fires<'a> {
    schedule: &'a Schedule,
    now: Timestamp,
    horizon: Timestamp,
}

/// The fires to come, and the periods they begin.
#[derive(Debug)]
pub(super) struct Coming<'a> {
    pub(super) fires: Fires<'a>,
    /// The newest snapshot there is.
    newest: Option<Timestamp>,
    /// The first fire in each period that is newer than all there is, as far as anybody has asked.
    begun: BTreeMap<Period, Vec<Timestamp>>,
}

impl<'a> Fires<'a> {
    pub(super) fn of(schedule: &'a Schedule, now: Timestamp) -> Self {
        let horizon = now.saturating_add(HORIZON).unwrap_or(Timestamp::MAX);
        Self { schedule, now, horizon }
    }

    /// Whether an instant lies farther ahead than anybody looks.
    pub(super) fn is_far(&self, at: Timestamp) -> bool {
        at > self.horizon
    }

    /// The first fire after `after` that is still to come.
    pub(super) fn after(&self, after: Timestamp) -> Result<Timestamp, NoFire> {
        let fire = slots::next_due(self.schedule, after.max(self.now)).ok_or(NoFire::Over)?;
        if self.is_far(fire) { Err(NoFire::Far) } else { Ok(fire) }
    }

    /// The first fire at or after `at` that is still to come.
    pub(super) fn from(&self, at: Timestamp) -> Result<Timestamp, NoFire> {
        self.after(just_before(at))
    }

    /// The last fire still to come that lies before `end`.
    pub(super) fn last_before(&self, end: Timestamp) -> Option<Timestamp> {
        let Settings { expression, timezone, enabled, start_at, end_at, .. } =
            &self.schedule.settings;
        let last = end_at.map_or(just_before(end), |end_at| end_at.min(just_before(end)));
        let fire = expression.last_at_or_before(timezone, self.schedule.anchor(), last);
        fire.filter(|&fire| {
            *enabled && fire > self.now && start_at.is_none_or(|start| fire >= start)
        })
    }

    /// The first fire in a period that is newer than that of `at`.
    fn in_newer(&self, period: Period, at: Timestamp) -> Result<Timestamp, NoFire> {
        if period == Period::Each {
            return self.after(at);
        }
        let zone = &self.schedule.settings.timezone;
        let key = period.key_at(at, zone);
        let mut fire = self.from(period.end(at, zone).ok_or(NoFire::Far)?)?;
        while period.key_at(fire, zone) <= key {
            fire = self.after(fire)?;
        }
        Ok(fire)
    }
}

impl<'a> Coming<'a> {
    /// What comes after `now`, where `newest` is the newest there is.
    pub(super) fn after(schedule: &'a Schedule, newest: Option<Timestamp>, now: Timestamp) -> Self {
        Self { fires: Fires::of(schedule, now), newest, begun: BTreeMap::new() }
    }

    /// The next fire.
    pub(super) fn next(&self) -> Result<Timestamp, NoFire> {
        self.fires.after(self.fires.now)
    }

    /// The next fire, if it lies in the period that the newest snapshot there is lies in.
    pub(super) fn successor(&self, period: Period) -> Option<Timestamp> {
        if period == Period::Each {
            return None;
        }
        let zone = &self.fires.schedule.settings.timezone;
        let fire = self.next().ok()?;
        (period.key_at(fire, zone) <= period.key_at(self.newest?, zone)).then_some(fire)
    }

    /// The first fire in the `count`th of the periods that are newer than all there is, from 1.
    pub(super) fn beginning(&mut self, period: Period, count: usize) -> Result<Timestamp, NoFire> {
        let Self { fires, newest, begun } = self;
        let begun = begun.entry(period).or_default();
        while begun.len() < count {
            if begun.len() == PERIODS_MAX {
                return Err(NoFire::Many);
            }
            begun.push(match begun.last().copied().or(*newest) {
                Some(last) => fires.in_newer(period, last)?,
                None => fires.after(fires.now)?,
            });
        }
        begun.get(count.saturating_sub(1)).copied().ok_or(NoFire::Over)
    }

    /// The newest snapshot that a sweep sees, if every fire has given one.
    pub(super) fn newest_at(&self, sweep: Timestamp) -> Option<Timestamp> {
        self.fires.last_before(sweep).or(self.newest)
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(at)
}
