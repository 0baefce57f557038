//! Due times: which slot of a schedule is to run now, and how many were missed.

use std::iter;

use jiff::{SignedDuration, Timestamp};

use crate::domain::schedule::Schedule;
use crate::domain::schedule::expression::Expression;
use crate::domain::schedule::zone::Zone;

/// How many missed slots are counted one by one; beyond it the count says "at least".
const MISSED_COUNTED_MAX: u32 = 10_000;
/// How many missed slots are named: after a week without ticks a schedule of every minute has ten thousand.
pub const MISSED_NAMED_MAX: usize = 100;

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The latest slot that is due: the one that runs.
    pub slot: Timestamp,
    /// How many slots before it nobody ran.
    pub missed: u32,
    /// The latest hundred of those, the latest first.
    pub older: Vec<Timestamp>,
}

/// What decides when a schedule fires, as long as it is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing<'a> {
    pub expression: &'a Expression,
    pub timezone: &'a Zone,
    /// From when `rate` counts.
    pub anchor: Timestamp,
    /// It does not fire before; a slot at that very instant counts.
    pub start_at: Option<Timestamp>,
    /// It does not fire after; a slot at that very instant counts.
    pub end_at: Option<Timestamp>,
}

impl<'a> Timing<'a> {
    /// When `schedule` fires, be it enabled or not.
    pub fn of(schedule: &'a Schedule) -> Self {
        Self {
            expression: &schedule.settings.expression,
            timezone: &schedule.settings.timezone,
            anchor: schedule.anchor(),
            start_at: schedule.settings.start_at,
            end_at: schedule.settings.end_at,
        }
    }

    /// The first slot after `after`; none if there is none before its end.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = match self.start_at {
            // A slot at the very start counts.
            Some(start) => after.max(start.saturating_sub(SignedDuration::from_nanos(1)).ok()?),
            None => after,
        };
        let next = self.expression.next_after(self.timezone, self.anchor, after)?;
        self.end_at.is_none_or(|end| next <= end).then_some(next)
    }

    /// The last slot at or before `at`; none if there is none since its start.
    pub fn last_at_or_before(&self, at: Timestamp) -> Option<Timestamp> {
        let at = self.end_at.map_or(at, |end| at.min(end));
        let slot = self.expression.last_at_or_before(self.timezone, self.anchor, at)?;
        self.start_at.is_none_or(|start| slot >= start).then_some(slot)
    }

    /// All slots after `after`, in order; found lazily.
    pub fn slots_after(self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        iter::successors(self.next_after(after), move |&slot| self.next_after(slot))
    }
}

/// What of `schedule` is due at `now`: only the latest slot runs, older ones are counted as missed.
pub fn due(schedule: &Schedule, now: Timestamp) -> Option<Due> {
    let first = schedule.next_due.filter(|next| schedule.settings.enabled && *next <= now)?;
    let end = schedule.settings.end_at.map_or(now, |end| end.min(now));
    let anchor = schedule.anchor();
    let latest = schedule
        .settings
        .expression
        .last_at_or_before(&schedule.settings.timezone, anchor, end)
        .map_or(first, |latest| latest.max(first));
    let mut missed = 0;
    let mut slot = first;
    while slot < latest && missed < MISSED_COUNTED_MAX {
        missed += 1;
        match schedule.settings.expression.next_after(&schedule.settings.timezone, anchor, slot) {
            Some(next) => slot = next,
            None => break,
        }
    }
    Some(Due { slot: latest, missed, older: older(schedule, first, latest) })
}

/// The latest slots from `first` on that lie before `latest`.
fn older(schedule: &Schedule, first: Timestamp, latest: Timestamp) -> Vec<Timestamp> {
    let before = |slot: &Timestamp| {
        let end = slot.saturating_sub(SignedDuration::from_nanos(1)).ok()?;
        let (zone, anchor) = (&schedule.settings.timezone, schedule.anchor());
        schedule
            .settings
            .expression
            .last_at_or_before(zone, anchor, end)
            .filter(|older| *older >= first)
    };
    iter::successors(before(&latest), before).take(MISSED_NAMED_MAX).collect()
}

/// The first slot after `after`; none if the schedule is disabled or over.
pub fn next_due(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    if schedule.settings.enabled { Timing::of(schedule).next_after(after) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ScheduleId;
    use crate::domain::schedule::Settings;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(expression: &str) -> Schedule {
        let created_at = at("2026-03-01T00:00:00Z");
        let id = ScheduleId::derived(created_at, &["x"]);
        Schedule::made(id, Settings::of("x", expression.parse().unwrap()), created_at)
    }

    #[test]
    fn nothing_is_due_before_the_first_slot() {
        let schedule = schedule("rate(5 minutes)");

        assert_eq!(due(&schedule, at("2026-03-01T00:04:59.999Z")), None);
        assert_eq!(
            due(&schedule, at("2026-03-01T00:05:00Z")),
            Some(Due { slot: at("2026-03-01T00:05:00Z"), missed: 0, older: Vec::new() })
        );
    }

    #[test]
    fn after_an_outage_only_the_latest_slot_runs_and_the_others_are_counted() {
        let schedule = schedule("rate(5 minutes)");

        let due = due(&schedule, at("2026-03-01T01:02:00Z")).unwrap();

        assert_eq!((due.slot, due.missed), (at("2026-03-01T01:00:00Z"), 11));
        assert_eq!(due.older.len(), 11);
        assert_eq!(due.older.first(), Some(&at("2026-03-01T00:55:00Z")));
        assert_eq!(due.older.last(), Some(&at("2026-03-01T00:05:00Z")));
    }

    #[test]
    fn no_slot_lies_before_the_start() {
        let mut schedule = schedule("cron(0/5 * * * ? *)");
        schedule.settings.start_at = Some(at("2026-03-01T01:00:00Z"));
        let last = |text| Timing::of(&schedule).last_at_or_before(at(text));

        assert_eq!(last("2026-03-01T00:59:59Z"), None);
        assert_eq!(last("2026-03-01T01:00:00Z"), Some(at("2026-03-01T01:00:00Z")));
        assert_eq!(last("2026-03-01T01:07:00Z"), Some(at("2026-03-01T01:05:00Z")));
    }

    #[test]
    fn of_many_missed_slots_the_latest_are_named_and_all_are_counted() {
        for expression in ["rate(1 minute)", "cron(* * * * ? *)"] {
            let schedule = schedule(expression);

            let due = due(&schedule, at("2026-03-04T00:00:00Z")).unwrap();

            assert_eq!(due.missed, 3 * 1_440 - 1, "{expression}");
            assert_eq!(due.older.len(), MISSED_NAMED_MAX);
            assert_eq!(due.older.first(), Some(&at("2026-03-03T23:59:00Z")));
            assert_eq!(due.older.last(), Some(&at("2026-03-03T22:20:00Z")));
        }
    }

    #[test]
    fn beyond_ten_thousand_missed_slots_nobody_counts() {
        let due = due(&schedule("rate(1 minute)"), at("2026-03-09T00:00:00Z")).unwrap();

        assert_eq!(due.missed, MISSED_COUNTED_MAX);
    }

    #[test]
    fn a_disabled_schedule_is_never_due() {
        let mut schedule = schedule("rate(5 minutes)");
        schedule.settings.enabled = false;

        assert_eq!(due(&schedule, at("2026-03-01T01:00:00Z")), None);
        assert_eq!(next_due(&schedule, at("2026-03-01T01:00:00Z")), None);
    }

    #[test]
    fn nothing_fires_after_the_end() {
        let mut schedule = schedule("rate(5 minutes)");
        schedule.settings.end_at = Some(at("2026-03-01T00:12:00Z"));

        assert_eq!(
            next_due(&schedule, at("2026-03-01T00:05:00Z")),
            Some(at("2026-03-01T00:10:00Z"))
        );
        assert_eq!(next_due(&schedule, at("2026-03-01T00:10:00Z")), None);
        assert_eq!(
            due(&schedule, at("2026-03-01T02:00:00Z")),
            Some(Due {
                slot: at("2026-03-01T00:10:00Z"),
                missed: 1,
                older: vec![at("2026-03-01T00:05:00Z")]
            })
        );
    }

    #[test]
    fn advancing_past_a_slot_leads_to_the_next() {
        let schedule = schedule("cron(0 2 * * ? *)");

        let advanced = schedule.advanced(at("2026-03-01T02:00:00Z"));

        assert_eq!(schedule.next_due, Some(at("2026-03-01T02:00:00Z")));
        assert_eq!(advanced.next_due, Some(at("2026-03-02T02:00:00Z")));
        assert_eq!(advanced.version, schedule.version);
    }
}
