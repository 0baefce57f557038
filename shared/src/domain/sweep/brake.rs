//! The brake: what stops a sweep that would delete more than anybody expects, or whose clock looks wrong.

pub mod group;
pub mod tally;

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Schedule;
use crate::domain::sweep::brake::tally::{Tallies, Tally};

/// How far the sweep before may lie back.
const LAST_SWEEP_AGE_MAX: SignedDuration = SignedDuration::from_hours(35 * 24);
/// How far our clock may be off EC2's.
const CLOCK_OFFSET_MAX: SignedDuration = SignedDuration::from_mins(5);

/// When unexpected deletions are too many: more than `deletions` and more than `percent` of what the
/// schedule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrakeLimits {
    /// So many are always let through.
    pub deletions: u32,
    /// So many of a hundred are always let through.
    pub percent: u32,
}

/// A schedule that was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// How many of its snapshots would go that the rules of the last executed sweep would have kept, now or once nothing
    /// protects them any more.
    pub unexpected: u32,
    /// How many went like that in the day before.
    #[serde(default)]
    pub earlier: u32,
    /// How many available snapshots it had when that day began.
    pub available: u32,
    /// What the plan was made with: [`crate::domain::schedule::Schedule::rules_digest`]; none in sweeps of earlier
    /// versions.
    #[serde(default)]
    pub rules_digest: Option<String>,
}

/// The schedules whose unexpected deletions are too many in one of their groups, counted together with those of the day
/// before `now`, against what the group had when that day began. Of several such groups the numbers are those of the one with
/// the most.
pub fn brakes(
    tallies: &Tallies,
    schedules: &BTreeMap<ScheduleId, Schedule>,
    limits: BrakeLimits,
    now: Timestamp,
) -> Vec<Brake> {
    let brake = |tally: &Tally| {
        let losses = schedules.get(&tally.schedule_id).map(|schedule| &schedule.losses);
        let stopped = tally.groups.iter().filter_map(|count| {
            let before = losses.and_then(|losses| losses.of_day(&count.group, now));
            let brake = Brake {
                schedule_id: tally.schedule_id.clone(),
                unexpected: count.unexpected,
                earlier: before.map_or(0, |loss| loss.unexpected),
                available: before.map_or(count.available, |loss| loss.available),
                rules_digest: tally.rules_digest.clone(),
            };
            brake.is_too_many(limits).then_some(brake)
        });
        stopped.max_by_key(|brake| (brake.unexpected, brake.earlier))
    };
    tallies.iter().filter_map(brake).collect()
}

impl Brake {
    fn is_too_many(&self, limits: BrakeLimits) -> bool {
        let unexpected = u64::from(self.unexpected) + u64::from(self.earlier);
        self.unexpected > 0
            && unexpected > u64::from(limits.deletions)
            && unexpected * 100 > u64::from(self.available) * u64::from(limits.percent)
    }

    /// Why a plan with this brake cannot be released any more, if what it was made with has changed: `schedule` is
    /// the schedule as it is now.
    pub fn outdated(&self, schedule: Option<&Schedule>) -> Option<String> {
        let id = &self.schedule_id;
        let Some(schedule) = schedule else {
            return Some(format!("the schedule {id} is gone; ask for a new sweep"));
        };
        let planned = self.rules_digest.as_ref();
        let is_other = planned.is_some_and(|digest| *digest != schedule.rules_digest());
        is_other.then(|| {
            format!(
                "the rules, the zone or when_gone of {id} have changed since the plan; ask for a new sweep"
            )
        })
    }
}

/// Why the clock is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It is wrong: nothing may be deleted by it.
    Wrong(String),
    /// Nothing was swept for so long that a person has to say that it is right.
    LongPause(String),
}

impl fmt::Display for ClockDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(reason) | Self::LongPause(reason) => f.write_str(reason),
        }
    }
}

/// Why nothing may be deleted at `now`, if the clock looks wrong: by the last sweep, or by EC2's own `Date`.
pub fn clock_doubt(
    last_sweep: Option<Timestamp>,
    ec2_date: Option<Timestamp>,
    now: Timestamp,
) -> Option<ClockDoubt> {
    if let Some(date) = ec2_date
        && now.duration_since(date).abs() > CLOCK_OFFSET_MAX
    {
        let reason = format!("the clock says {now}, EC2's says {date}: more than 5 minutes apart");
        return Some(ClockDoubt::Wrong(reason));
    }
    let last = last_sweep?;
    if now < last {
        let reason = format!("the clock says {now}, before the last sweep at {last}");
        return Some(ClockDoubt::Wrong(reason));
    }
    (now.duration_since(last) > LAST_SWEEP_AGE_MAX).then(|| {
        let reason =
            format!("the clock says {now}, more than 35 days after the last sweep at {last}");
        ClockDoubt::LongPause(reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const LIMITS: BrakeLimits = BrakeLimits { deletions: 10, percent: 20 };

    /// A schedule's brake: how many go now, went before, and were there.
    fn counted(unexpected: u32, earlier: u32, available: u32) -> Brake {
        let schedule_id = ScheduleId::derived(at("2026-03-01T00:00:00Z"), &["x"]);
        Brake { schedule_id, unexpected, earlier, available, rules_digest: None }
    }

    #[test]
    fn more_than_the_number_and_more_than_the_share_are_too_many() {
        for (numbers, is_too_many) in [
            ((11, 0, 54), true),
            // Just the number, just the share.
            ((10, 0, 11), false),
            ((11, 0, 55), false),
            // Together with what went before.
            ((1, 10, 54), true),
            ((1, 9, 54), false),
            // What went before is gone: this sweep takes nothing.
            ((0, 50, 54), false),
            ((u32::MAX, u32::MAX, u32::MAX), true),
        ] {
            let (unexpected, earlier, available) = numbers;
            let brake = counted(unexpected, earlier, available);

            assert_eq!(brake.is_too_many(LIMITS), is_too_many, "{numbers:?}");
        }
    }

    #[test]
    fn a_doubt_is_told_in_its_own_words() {
        for doubt in [ClockDoubt::Wrong("so".to_owned()), ClockDoubt::LongPause("so".to_owned())] {
            assert_eq!(doubt.to_string(), "so");
        }
    }

    #[test]
    fn a_clock_that_agrees_is_not_doubted() {
        let now = at("2026-03-01T12:00:00Z");

        assert_eq!(clock_doubt(None, None, now), None);
        assert_eq!(clock_doubt(Some(now), Some(now), now), None);
        let long_ago = Some(at("2026-01-25T12:00:00Z"));
        assert_eq!(clock_doubt(long_ago, Some(at("2026-03-01T12:05:00Z")), now), None);
    }

    #[test]
    fn a_clock_before_the_last_sweep_or_off_ec2s_is_wrong() {
        let now = at("2026-03-01T12:00:00Z");

        for (last, date) in [
            (Some(at("2026-03-01T12:00:01Z")), None),
            (None, Some(at("2026-03-01T12:05:01Z"))),
            (None, Some(at("2026-03-01T11:54:59Z"))),
        ] {
            assert!(matches!(clock_doubt(last, date, now), Some(ClockDoubt::Wrong(_))));
        }
    }

    #[test]
    fn a_pause_of_more_than_35_days_needs_a_persons_word() {
        let now = at("2026-03-01T12:00:00Z");
        let last = Some(at("2026-01-25T11:59:59Z"));

        assert!(matches!(clock_doubt(last, Some(now), now), Some(ClockDoubt::LongPause(_))));
    }
}
