//! The coming fires of a schedule, and the first fire of each new period.

use std::collections::BTreeMap;
use std::iter::successors;

use jiff::{SignedDuration, Timestamp};

use super::super::period::Period;
use super::Expected;
use crate::domain::schedule::slots::Timing;
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
    /// All fires after it may give a snapshot that is not there yet.
    since: Timestamp,
    now: Timestamp,
    lateness: SignedDuration,
    horizon: Timestamp,
}

/// The fires to come, and the periods they begin.
#[derive(Debug)]
pub(super) struct Coming<'a> {
    pub(super) fires: Fires<'a>,
    /// The newest snapshot there is.
    newest: Option<Timestamp>,
    /// When the first snapshot can be begun in each period that is newer than all there is, as far as anybody has asked.
    begun: BTreeMap<Period, Vec<Beginning>>,
}

/// The earliest snapshot of a new period.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    /// The fire that gives it.
    pub(super) fire: Timestamp,
    /// When it can be begun: then, or when the period begins, if that is later.
    pub(super) at: Timestamp,
}

impl<'a> Fires<'a> {
    pub(super) fn of(schedule: &'a Schedule, expected: Expected, now: Timestamp) -> Self {
        let horizon = now.saturating_add(HORIZON).unwrap_or(Timestamp::MAX);
        let Expected { recorded, lateness } = expected;
        let open = now.saturating_sub(lateness).unwrap_or(now).max(schedule.created_at);
        let since = recorded.map_or(now, |recorded| recorded.max(open).min(now));
        Self { schedule, since, now, lateness, horizon }
    }

    /// Whether an instant lies farther ahead than anybody looks.
    pub(super) fn is_far(&self, at: Timestamp) -> bool {
        at > self.horizon
    }

    /// The first fire after `after` that is still to come.
    pub(super) fn after(&self, after: Timestamp) -> Result<Timestamp, NoFire> {
        let after = after.max(self.since);
        let due = Timing::of(self.schedule).next_after(after).filter(|fire| self.is_open(*fire));
        let coming = || slots::next_due(self.schedule, after.max(self.now));
        let fire = due.or_else(coming).ok_or(NoFire::Over)?;
        if self.is_far(fire) { Err(NoFire::Far) } else { Ok(fire) }
    }

    /// Whether it is due, and may still give a snapshot. Of a schedule that was disabled, only what was due before.
    fn is_open(&self, fire: Timestamp) -> bool {
        let is_asked_for = self.schedule.settings.enabled || fire <= self.schedule.updated_at;
        is_asked_for && fire > self.since && fire <= self.now
    }

    /// The last instant at which the snapshot of a fire can be begun.
    fn at_the_latest(&self, fire: Timestamp) -> Timestamp {
        fire.saturating_add(self.lateness).unwrap_or(Timestamp::MAX)
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
            let is_coming = *enabled && fire > self.now;
            (is_coming || self.is_open(fire)) && start_at.is_none_or(|start| fire >= start)
        })
    }

    /// The first fire after `used` whose snapshot can be begun in a period that is newer than that of `at`.
    fn in_newer(
        &self,
        period: Period,
        at: Timestamp,
        used: Option<Timestamp>,
    ) -> Result<Beginning, NoFire> {
        let used = used.unwrap_or(self.since);
        if period == Period::Each {
            let fire = self.after(used)?;
            return Ok(Beginning { fire, at: fire });
        }
        let zone = &self.schedule.settings.timezone;
        let key = period.key_at(at, zone);
        let begins = period.end(at, zone).ok_or(NoFire::Far)?;
        let reaching = begins.saturating_sub(self.lateness).unwrap_or(begins);
        let mut fire = self.after(used.max(just_before(reaching)))?;
        while period.key_at(fire.max(begins), zone) <= key {
            fire = self.after(fire)?;
        }
        Ok(Beginning { fire, at: fire.max(begins) })
    }
}

impl<'a> Coming<'a> {
    /// What comes after `now`, where `newest` is the newest there is.
    pub(super) fn after(
        schedule: &'a Schedule,
        newest: Option<Timestamp>,
        expected: Expected,
        now: Timestamp,
    ) -> Self {
        Self { fires: Fires::of(schedule, expected, now), newest, begun: BTreeMap::new() }
    }

    /// The next fire that gives a snapshot.
    pub(super) fn next(&self) -> Result<Timestamp, NoFire> {
        self.fires.after(self.fires.since)
    }

    /// The next fire, if it lies in the period that the newest snapshot there is lies in.
    pub(super) fn successor(&self, period: Period) -> Option<Timestamp> {
        if period == Period::Each {
            return None;
        }
        let zone = &self.fires.schedule.settings.timezone;
        let fire = self.next().ok()?;
        let at = if self.fires.lateness.is_zero() { fire } else { fire.max(self.fires.now) };
        (period.key_at(at, zone) <= period.key_at(self.newest?, zone)).then_some(fire)
    }

    /// When the first snapshot can be begun in the `count`th of the periods that are newer than all there is, from 1.
    pub(super) fn beginning(&mut self, period: Period, count: usize) -> Result<Beginning, NoFire> {
        let Self { fires, newest, begun } = self;
        let begun = begun.entry(period).or_default();
        while begun.len() < count {
            if begun.len() == PERIODS_MAX {
                return Err(NoFire::Many);
            }
            let used = begun.last().map(|last| last.fire);
            let last = begun.last().map(|last| last.at).or(*newest);
            let next = last.map(|last| fires.in_newer(period, last, used)).transpose()?;
            begun.push(match next {
                Some(next) => next,
                None => fires.after(fires.since).map(|fire| Beginning { fire, at: fire })?,
            });
        }
        begun.get(count.saturating_sub(1)).copied().ok_or(NoFire::Over)
    }

    /// When the newest snapshot that a sweep sees can have been begun, the earliest first: when the last fire before it
    /// was, or, hour by hour, as late as that may be.
    pub(super) fn newest_at(&self, sweep: Timestamp) -> impl Iterator<Item = Timestamp> {
        let hour = SignedDuration::from_hours(1);
        let last = self.fires.last_before(sweep);
        let end = last.map(|fire| self.fires.at_the_latest(fire).min(just_before(sweep)));
        // Or the one before it still is.
        let begin = last.and_then(|fire| fire.checked_sub(self.fires.lateness).ok());
        let hours = successors(begin, move |at| at.checked_add(hour).ok());
        let hours = hours.take_while(move |at| end.is_some_and(|end| *at < end));
        hours.chain(end).chain(self.newest.filter(|_| last.is_none()))
    }

    /// Whether the last fire before a sweep may give a snapshot after it.
    pub(super) fn may_yet_begin(&self, sweep: Timestamp) -> bool {
        let last = self.fires.last_before(sweep);
        last.is_some_and(|fire| self.fires.at_the_latest(fire) >= sweep)
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(at)
}
