//! The time at which a schedule's rules let go of a snapshot, as far as it can be foreseen.
//!
//! Worked out, not tried sweep by sweep: a counting rule goes from period to period, a rule with a span looks
//! around the instant at which the span is over. Taken for granted is that a fire of the schedule gives at most one
//! available snapshot, begun no longer after it than [`Expected::lateness`], that a slot without a record may still
//! give one, and that a sweep runs in every hour. What is foreseen for a sweep at a full hour can come true up to an
//! hour before it, where the hourly rule runs at another minute. Later it may always be: snapshots fail.
//!
//! # Never too early
//!
//! Where it is open when a snapshot will be begun, what is foreseen is the earliest sweep that could let go: in each
//! period the first fire that can still reach it counts, however late it would have to be, and a span is measured
//! from the latest instant at which the newest snapshot can have been begun. Nobody relies on the oldest snapshot's
//! being kept for that reason unless it is the oldest already.

mod coming;
mod entrant;
mod release;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use self::{
    coming::{Beginning, Coming, NoFire},
    entrant::{PeriodPlace, RankedCandidate, newest_first},
    release::{Cause, Lasting, Release},
};
use super::{Rules, Span, period::Period, rules::Count};
use crate::domain::{
    hold::HoldKind,
    schedule::{Schedule, zone::Zone},
};

/// How long after it was asked for a snapshot is given up that was not begun.
const TAKEN_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// How often all rules are asked again; they agree after two or three times.
const ROUNDS_MAX: usize = 50;

/// A snapshot of a schedule and an instance, and what keeps it whatever the rules say.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The hold on it.
    pub hold: Option<HoldKind>,
    /// Whether it is the newest of its instance, and so protected until a newer one is there.
    pub is_newest: bool,
}

/// What is known of the snapshots to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The latest slot that has a record. Later ones that are due may still give a snapshot; without it none does.
    pub recorded: Option<Timestamp>,
    /// How long after its slot a snapshot may be begun.
    pub lateness: SignedDuration,
}

impl Expected {
    /// What a schedule that spreads its targets lets expect, if `recorded` is the latest slot with a record.
    pub fn of(schedule: &Schedule, recorded: Option<Timestamp>) -> Self {
        let spread = schedule.settings.spread_minutes.unwrap_or(0);
        let lateness = TAKEN_WITHIN.saturating_add(SignedDuration::from_mins(i64::from(spread)));
        Self { recorded, lateness }
    }
}

/// What is to become of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonedEnd {
    pub end: End,
    /// Why then, or why not, in words.
    pub because: String,
}

/// When a snapshot goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The sweep of this instant is the first that lets it go; where sweeps run at another minute, the last before it.
    Sweep(Timestamp),
    /// No sweep will, as things stand.
    Never,
    /// Farther ahead than anybody looks.
    Unforeseen,
}

impl Rules {
    /// What is to become of each snapshot of `schedule` and one instance, in their order, which matters as in
    /// [`Rules::plan`]. Looks ten years and 20,000 periods ahead.
    ///
    /// Not exact in two corners: where the clock goes back over a midnight that it has shown already (no zone's
    /// does today), and where a span of months lets go of a newer snapshot of the same period, another rule
    /// keeps the older, and the span takes that one back.
    pub fn foresee(
        &self,
        schedule: &Schedule,
        candidates: &[Candidate],
        expected: Expected,
        now: Timestamp,
    ) -> Vec<ReasonedEnd> {
        let newest = candidates.iter().map(|candidate| candidate.taken_at).max();
        let coming = Coming::after(schedule, newest, expected, now);
        let is_punctual = expected.lateness.is_zero();
        let mut outlook = Outlook { rules: self.every_rule(), schedule, coming };
        let mut prospects = Vec::with_capacity(candidates.len());
        // When all older ones are gone; none if one of them stays.
        let mut oldest_from = Some(sweep_after(now));
        for entrant in newest_first(self, candidates, &schedule.settings.timezone).iter().rev() {
            let prospect = outlook.prospect(entrant, oldest_from, sweep_after(now));
            oldest_from = match prospect.end {
                // At that sweep it is still there.
                End::Sweep(sweep) if is_punctual => {
                    oldest_from.map(|from| from.max(sweep_after(sweep)))
                }
                // It may go later, and the next one is not the oldest then.
                End::Sweep(_) | End::Never | End::Unforeseen => None,
            };
            prospects.push((entrant.position, prospect));
        }
        prospects.sort_unstable_by_key(|&(position, _)| position);
        prospects.into_iter().map(|(_, prospect)| prospect).collect()
    }

    fn every_rule(&self) -> Vec<Rule> {
        let Self { counts, within, max_age } = self;
        let counts = counts.iter().map(|(&period, &count)| Rule::Count(period, count));
        let within = within.iter().map(|(&period, &span)| Rule::Within(period, span));
        counts.chain(within).chain(max_age.map(Rule::MaxAge)).collect()
    }
}

/// The first sweep at or after an instant.
pub fn sweep_from(at: Timestamp) -> Timestamp {
    let hour = 3_600_i128 * 1_000_000_000;
    let hours = (at.as_nanosecond() + hour - 1).div_euclid(hour);
    Timestamp::from_nanosecond(hours * hour).unwrap_or(Timestamp::MAX)
}

/// The first sweep after an instant.
pub fn sweep_after(at: Timestamp) -> Timestamp {
    at.saturating_add(SignedDuration::from_nanos(1)).map_or(Timestamp::MAX, sweep_from)
}

/// The hour in which a sweep runs that is foreseen for a full hour.
pub fn hour_before(sweep: Timestamp) -> Timestamp {
    sweep.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(sweep)
}

fn within(sweep: Timestamp) -> String {
    format!("between {} and {sweep}", hour_before(sweep))
}

/// One rule of a set.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Count(Period, Count),
    Within(Period, Span),
    MaxAge(Span),
}

/// How a rule looks at a snapshot at a sweep: the oldest of all it keeps while it has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AgeClass {
    Ordinary,
    Oldest,
}

struct Outlook<'a> {
    rules: Vec<Rule>,
    schedule: &'a Schedule,
    coming: Coming<'a>,
}

impl Outlook<'_> {
    fn prospect(
        &mut self,
        entrant: &RankedCandidate,
        oldest_from: Option<Timestamp>,
        next_sweep: Timestamp,
    ) -> ReasonedEnd {
        match self.release(entrant, oldest_from, next_sweep) {
            Ok(Release { sweep, cause }) => ReasonedEnd {
                end: End::Sweep(sweep),
                because: format!("{}; the sweep {} lets it go", cause.describe(), within(sweep)),
            },
            Err(lasting) => ReasonedEnd { end: lasting.end(), because: lasting.describe() },
        }
    }

    fn release(
        &mut self,
        entrant: &RankedCandidate,
        oldest_from: Option<Timestamp>,
        next_sweep: Timestamp,
    ) -> Result<Release, Lasting> {
        let protected = self.protection(&entrant.candidate, next_sweep)?;
        let ordinary = self.free(entrant, AgeClass::Ordinary, protected)?;
        match oldest_from {
            // Kept until it is the oldest, it is kept on while any rule has room.
            Some(from) if ordinary.sweep >= from => self.free(entrant, AgeClass::Oldest, ordinary),
            Some(_) | None => Ok(ordinary),
        }
    }

    /// The first sweep at which neither a hold nor being the newest keeps it.
    fn protection(&self, candidate: &Candidate, next_sweep: Timestamp) -> Result<Release, Lasting> {
        let mut release = Release { sweep: next_sweep, cause: Cause::Nothing };
        match candidate.hold {
            Some(HoldKind::Never) => return Err(Lasting::Held),
            Some(HoldKind::Until(end)) => {
                release = release.postponed(sweep_from(end), Cause::HoldOver(end));
            }
            None => {}
        }
        if candidate.is_newest {
            let fire = self.coming.next().map_err(|_| Lasting::Newest)?;
            release = release.postponed(sweep_after(fire), Cause::NewerThere(fire));
        }
        Ok(release)
    }

    /// The first sweep from `start` on at which no rule keeps it.
    fn free(
        &mut self,
        entrant: &RankedCandidate,
        age_class: AgeClass,
        start: Release,
    ) -> Result<Release, Lasting> {
        let mut free = start;
        for _ in 0..ROUNDS_MAX {
            let from = free.sweep;
            let mut unforeseen = None;
            for rule in self.rules.clone() {
                match self.let_go(rule, entrant, age_class, from) {
                    Ok(release) => free = free.postponed(release.sweep, release.cause),
                    // Another rule may keep it for ever.
                    Err(lasting) if lasting.end() == End::Unforeseen => unforeseen = Some(lasting),
                    Err(lasting) => return Err(lasting),
                }
            }
            if let Some(lasting) = unforeseen {
                return Err(lasting);
            }
            if free.sweep == from {
                break;
            }
        }
        Ok(free)
    }

    /// The first sweep from `from` on at which this rule does not keep it.
    fn let_go(
        &mut self,
        rule: Rule,
        entrant: &RankedCandidate,
        age_class: AgeClass,
        from: Timestamp,
    ) -> Result<Release, Lasting> {
        let at_once = Release { sweep: from, cause: Cause::Nothing };
        let period = match rule {
            Rule::Count(period, _) | Rule::Within(period, _) => period,
            Rule::MaxAge(span) => return self.too_old(span, entrant.candidate.taken_at, from),
        };
        let Some(&standing) = entrant.standings.get(&period) else { return Ok(at_once) };
        if standing.is_surpassed && age_class == AgeClass::Ordinary {
            return Ok(at_once);
        }
        let successor = match entrant.place {
            PeriodPlace::Newest => self.coming.successor(period),
            PeriodPlace::Older => None,
        };
        if let (Some(fire), AgeClass::Ordinary) = (successor, age_class) {
            // Before that fire nothing is newer, and no rule lets go of the newest.
            return Ok(at_once.postponed(sweep_after(fire), Cause::Surpassed(rule, fire)));
        }
        match rule {
            Rule::Count(_, Count::All) => Err(Lasting::All(rule)),
            Rule::Count(_, Count::UpTo(count)) => {
                let count = usize::try_from(count.get()).unwrap_or(usize::MAX);
                let fire = match (count.saturating_sub(standing.newer_periods), successor) {
                    (0, _) => return Ok(at_once),
                    // Its own period counts as one of the newer ones from then on.
                    (1, Some(fire)) => Ok(Beginning { fire, at: fire }),
                    (missing, Some(_)) => self.coming.beginning(period, missing - 1),
                    (missing, None) => self.coming.beginning(period, missing),
                };
                let Beginning { fire, at } =
                    fire.map_err(|no_fire| Lasting::Waits(rule, no_fire))?;
                let cause =
                    if at == fire { Cause::Full(rule, fire) } else { Cause::FullIfLate(rule, at) };
                Ok(at_once.postponed(sweep_after(at), cause))
            }
            Rule::Within(_, span) => {
                let taken_at = entrant.candidate.taken_at;
                let release = self.out_of_span(span, taken_at, from);
                release.map_or_else(
                    |no_fire| Err(Lasting::Waits(rule, no_fire)),
                    |(sweep, newest)| Ok(at_once.postponed(sweep, Cause::OutOfSpan(rule, newest))),
                )
            }
            Rule::MaxAge(_) => Ok(at_once),
        }
    }

    /// The first sweep from `from` on for whose newest snapshot the span no longer reaches back to `taken_at`, and
    /// that newest one.
    fn out_of_span(
        &self,
        span: Span,
        taken_at: Timestamp,
        from: Timestamp,
    ) -> Result<(Timestamp, Timestamp), NoFire> {
        let zone = &self.schedule.settings.timezone;
        let mut sweep = from.max(sweep_from(earliest(span, taken_at, zone)));
        loop {
            // What is as new as the newest is within every span.
            let is_out =
                |newest: &Timestamp| *newest > taken_at && span.before(*newest, zone) >= taken_at;
            if let Some(newest) = self.coming.newest_at(sweep).find(is_out) {
                return Ok((sweep, newest));
            }
            sweep = if self.coming.may_yet_begin(sweep) {
                sweep_after(sweep)
            } else {
                sweep_after(self.coming.fires.from(sweep)?)
            };
        }
    }

    /// The first sweep from `from` on that finds it as old as `span`.
    fn too_old(
        &self,
        span: Span,
        taken_at: Timestamp,
        from: Timestamp,
    ) -> Result<Release, Lasting> {
        let zone = &self.schedule.settings.timezone;
        let mut sweep = from.max(sweep_from(earliest(span, taken_at, zone)));
        while span.before(sweep, zone) < taken_at {
            if self.coming.fires.is_far(sweep) {
                return Err(Lasting::Waits(Rule::MaxAge(span), NoFire::Far));
            }
            sweep = sweep_after(sweep);
        }
        Ok(Release { sweep: from, cause: Cause::Nothing }.postponed(sweep, Cause::TooOld(span)))
    }
}

/// An instant before which the span always reaches back to `taken_at`.
fn earliest(span: Span, taken_at: Timestamp, zone: &Zone) -> Timestamp {
    span.after(taken_at, zone).saturating_sub(span.slack()).unwrap_or(taken_at)
}
