//! The walk over the snapshots, newest first, in which each rule keeps what it keeps.

use std::{cmp::Reverse, fmt};

use jiff::{Span as JiffSpan, Timestamp};

use super::{
    Verdict,
    period::{Moment, Period},
    rules::{Count, Rules},
    span::Span,
};
use crate::domain::schedule::zone::Zone;

pub(super) fn plan(
    rules: &Rules,
    taken_at: &[Timestamp],
    zone: &Zone,
    now: Timestamp,
) -> Vec<Verdict> {
    let moments = taken_at.iter().map(|&at| Moment::new(at, zone));
    let mut newest_first: Vec<(usize, Moment)> = moments.enumerate().collect();
    newest_first.sort_by_key(|(_, moment)| Reverse(moment.at()));
    let mut walk = Walk::new(rules, newest_first.iter().map(|(_, moment)| moment), zone, now);

    let mut verdicts: Vec<(usize, Verdict)> = newest_first
        .iter()
        .map(|(position, moment)| {
            let reasons: Vec<String> = walk.reasons(moment).map(|one| one.to_string()).collect();
            (*position, Verdict { keep: !reasons.is_empty(), reasons })
        })
        .collect();
    verdicts.sort_unstable_by_key(|&(position, _)| position);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

pub(super) fn kept(
    rules: &Rules,
    oldest_first: &[Moment],
    zone: &Zone,
    now: Timestamp,
) -> Vec<bool> {
    let mut walk = Walk::new(rules, oldest_first.iter().rev(), zone, now);
    if oldest_first.first().is_none_or(|oldest| walk.reaches(oldest)) {
        return vec![true; oldest_first.len()];
    }
    // Counted, not merely asked for the first: each rule must see every snapshot.
    let stays = |moment: &Moment| walk.reasons(moment).count() > 0;
    let mut kept: Vec<bool> = oldest_first.iter().rev().map(stays).collect();
    kept.reverse();
    kept
}

/// All rules on their way from the newest snapshot to the oldest.
struct Walk {
    walkers: Vec<Walker>,
    max_age: Option<(Span, Timestamp)>,
    /// How many snapshots there are, and how many of them were passed.
    total: u32,
    newer: u32,
}

/// One rule on its way.
struct Walker {
    period: Period,
    limit: Limit,
    /// How many it has kept, and the period of the last one.
    kept: u32,
    last_key: Option<i64>,
}

/// Where a rule stops.
#[derive(Clone, Copy)]
enum Limit {
    Count(Count),
    Within { span: Span, since: Timestamp },
}

#[derive(Clone, Copy)]
enum AgeClass {
    Newer,
    Oldest,
}

/// Why one rule keeps one snapshot. It prints as "daily 3 of 7".
#[derive(Clone, Copy)]
enum Reason {
    /// The newest of its period, the rule having kept `number` with it.
    Newest { period: Period, limit: Limit, number: u32 },
    /// The oldest of all, for which the rule has room.
    Oldest { period: Period, limit: Limit },
    /// Younger than the greatest age.
    Younger { span: Span },
}

impl Walk {
    fn new<'a>(
        rules: &Rules,
        newest_first: impl ExactSizeIterator<Item = &'a Moment>,
        zone: &Zone,
        now: Timestamp,
    ) -> Self {
        let total = u32::try_from(newest_first.len()).unwrap_or(u32::MAX);
        let latest = newest_first.map(Moment::at).find(|&at| at <= now);
        let max_age = rules.max_age.map(|span| (span, span.before(now, zone)));
        Self { walkers: walkers(rules, latest, zone), max_age, total, newer: 0 }
    }

    /// Every reason for the next older snapshot to stay; none if it goes. To be taken to the end, since each
    /// rule counts what it keeps.
    fn reasons(&mut self, moment: &Moment) -> impl Iterator<Item = Reason> {
        let newer = self.newer;
        self.newer = newer.saturating_add(1);
        let place = if self.newer == self.total { AgeClass::Oldest } else { AgeClass::Newer };
        let younger = self.max_age.filter(|&(_, since)| moment.at() > since);
        self.walkers
            .iter_mut()
            .filter_map(move |walker| walker.reason(moment, newer, place))
            .chain(younger.map(|(span, _)| Reason::Younger { span }))
    }

    /// Whether a rule that knows no periods keeps everything as far back as the oldest: then there is no need
    /// to walk there.
    fn reaches(&self, oldest: &Moment) -> bool {
        let newer = self.total.saturating_sub(1);
        let by_walker = |walker: &Walker| {
            walker.period == Period::Each && walker.limit.has_room(newer, oldest.at())
        };
        self.walkers.iter().any(by_walker)
            || self.max_age.is_some_and(|(_, since)| oldest.at() > since)
    }
}

fn walkers(rules: &Rules, latest: Option<Timestamp>, zone: &Zone) -> Vec<Walker> {
    let counts = rules.counts.iter().map(|(&period, &count)| (period, Limit::Count(count)));
    let within = rules.within.iter().map(|(&period, &span)| {
        // Before `latest` even in a zone that skipped the very day that the span goes back to.
        let since = latest.map_or(Timestamp::MIN, |latest| {
            let just_before = latest.saturating_sub(JiffSpan::new().nanoseconds(1));
            span.before(latest, zone).min(just_before.unwrap_or(latest))
        });
        (period, Limit::Within { span, since })
    });
    counts
        .chain(within)
        .map(|(period, limit)| Walker { period, limit, kept: 0, last_key: None })
        .collect()
}

impl Limit {
    /// Whether a rule that has kept so many may keep what was taken at this instant.
    fn has_room(self, kept: u32, at: Timestamp) -> bool {
        match self {
            Self::Count(Count::All) => true,
            Self::Count(Count::UpTo(count)) => kept < count.get(),
            Self::Within { since, .. } => at > since,
        }
    }
}

impl Walker {
    /// Why this rule keeps the next older snapshot, if it does: it is the newest of its period,
    /// or the oldest of all while the rule still has room, and so the history stays long.
    fn reason(&mut self, moment: &Moment, newer: u32, place: AgeClass) -> Option<Reason> {
        let Self { period, limit, .. } = *self;
        if !limit.has_room(self.kept, moment.at()) {
            return None;
        }
        let key = period.key(moment, newer);
        // Not merely another one: where a clock goes back over midnight, days come back.
        let is_newest_of_its_period = self.last_key.is_none_or(|last_key| key < last_key);
        match (is_newest_of_its_period, place) {
            (true, AgeClass::Newer | AgeClass::Oldest) => {
                self.last_key = Some(key);
                self.kept = self.kept.saturating_add(1);
                Some(Reason::Newest { period, limit, number: self.kept })
            }
            (false, AgeClass::Oldest) => Some(Reason::Oldest { period, limit }),
            (false, AgeClass::Newer) => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Newest { period, limit, number } => {
                rule(period, limit, f)?;
                match limit {
                    Limit::Count(Count::All) => f.write_str(" (all)"),
                    Limit::Count(Count::UpTo(count)) => write!(f, " {number} of {count}"),
                    Limit::Within { .. } => Ok(()),
                }
            }
            Self::Oldest { period, limit } => {
                f.write_str("oldest ")?;
                rule(period, limit, f)
            }
            Self::Younger { span } => write!(f, "younger than {span}"),
        }
    }
}

/// "daily" or "within 14d daily".
fn rule(period: Period, limit: Limit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let adjective = period.adjective();
    match (limit, period) {
        (Limit::Count(_), _) => f.write_str(adjective),
        (Limit::Within { span, .. }, Period::Each) => write!(f, "within {span}"),
        (Limit::Within { span, .. }, _) => write!(f, "within {span} {adjective}"),
    }
}
