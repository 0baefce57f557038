//! The walk over the snapshots, newest first, in which each rule keeps what it keeps.

use std::cmp::Reverse;

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
    let mut newest_first: Vec<(usize, Timestamp)> = taken_at.iter().copied().enumerate().collect();
    newest_first.sort_by_key(|&(_, at)| Reverse(at));
    let latest = newest_first.iter().map(|&(_, at)| at).find(|&at| at <= now);
    let mut walkers = walkers(rules, latest, zone);
    let max_age = rules.max_age.map(|span| (span, span.before(now, zone)));

    let mut verdicts = Vec::with_capacity(taken_at.len());
    for (newer, &(position, at)) in (0..).zip(&newest_first) {
        let offset = zone.time_zone().to_offset(at);
        let moment = Moment { newer, local: offset.to_datetime(at), offset };
        let place = if verdicts.len() + 1 == taken_at.len() { Place::Oldest } else { Place::Newer };
        let mut reasons: Vec<String> =
            walkers.iter_mut().filter_map(|walker| walker.reason(at, &moment, place)).collect();
        reasons.extend(
            max_age
                .filter(|&(_, since)| at > since)
                .map(|(span, _)| format!("younger than {span}")),
        );
        verdicts.push((position, Verdict { keep: !reasons.is_empty(), reasons }));
    }
    verdicts.sort_unstable_by_key(|&(position, _)| position);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

/// One rule on its way from the newest snapshot to the oldest.
struct Walker {
    period: Period,
    limit: Limit,
    /// How many it has kept, and the period of the last one.
    kept: u32,
    last_key: Option<i64>,
}

/// Where a rule stops.
enum Limit {
    Count(Count),
    Within { span: Span, since: Timestamp },
}

#[derive(Clone, Copy)]
enum Place {
    Newer,
    Oldest,
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

impl Walker {
    /// Why this rule keeps the next older snapshot, if it does: it is the newest of its period,
    /// or the oldest of all while the rule still has room, and so the history stays long.
    fn reason(&mut self, at: Timestamp, moment: &Moment, place: Place) -> Option<String> {
        let has_room = match self.limit {
            Limit::Count(Count::All) => true,
            Limit::Count(Count::UpTo(count)) => self.kept < count.get(),
            Limit::Within { since, .. } => at > since,
        };
        if !has_room {
            return None;
        }
        let key = self.period.key(moment);
        // Not merely another one: where a clock goes back over midnight, days come back.
        let is_newest_of_its_period = self.last_key.is_none_or(|last_key| key < last_key);
        match (is_newest_of_its_period, place) {
            (true, Place::Newer | Place::Oldest) => {
                self.last_key = Some(key);
                self.kept = self.kept.saturating_add(1);
                Some(self.counted())
            }
            (false, Place::Oldest) => Some(format!("oldest {}", self.rule())),
            (false, Place::Newer) => None,
        }
    }

    /// "daily 3 of 7".
    fn counted(&self) -> String {
        match self.limit {
            Limit::Count(Count::All) => format!("{} (all)", self.rule()),
            Limit::Count(Count::UpTo(count)) => format!("{} {} of {count}", self.rule(), self.kept),
            Limit::Within { .. } => self.rule(),
        }
    }

    /// "daily" or "within 14d daily".
    fn rule(&self) -> String {
        let adjective = self.period.adjective();
        match (&self.limit, self.period) {
            (Limit::Count(_), _) => adjective.to_owned(),
            (Limit::Within { span, .. }, Period::Each) => format!("within {span}"),
            (Limit::Within { span, .. }, _) => format!("within {span} {adjective}"),
        }
    }
}
