//! The brake: what stops a sweep that would delete more than anybody expects, or whose clock looks wrong.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::plan::PlanEntry;

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
    /// How many available snapshots it has.
    pub available: u32,
    /// What the plan was made with: [`crate::domain::schedule::Schedule::rules_digest`]; none in sweeps of earlier
    /// versions.
    #[serde(default)]
    pub rules_digest: Option<String>,
}

/// What a brake counts apart: a schedule's own snapshots, and its copies in each region. Many copies must not make the loss
/// of all originals look small.
type Group<'a> = (&'a ScheduleId, Option<&'a String>);

/// The schedules whose unexpected deletions, those that protection keeps from showing among them, are too many, among their own snapshots or among their copies in a region;
/// of several such, the numbers are those of the one with the most.
pub fn brakes(entries: &[PlanEntry], snapshots: &[Snapshot], limits: BrakeLimits) -> Vec<Brake> {
    let copied_to: BTreeMap<_, _> =
        snapshots.iter().map(|one| (&one.id, one.copied_to())).collect();
    let available = available(snapshots);
    let mut unexpected: BTreeMap<Group<'_>, (u32, Option<&String>)> = BTreeMap::new();
    for entry in entries {
        if let (Some(by), Some(id)) = (entry.unexpected_by(), &entry.schedule_id) {
            let region = copied_to.get(&entry.snapshot_id).copied().flatten();
            let (count, digest) = unexpected.entry((id, region)).or_default();
            *count += 1;
            *digest = digest.or(digest_of(by));
        }
    }
    let mut brakes: BTreeMap<&ScheduleId, Brake> = BTreeMap::new();
    for (group, (unexpected, digest)) in unexpected {
        let available = available.get(&group).copied().unwrap_or_default();
        let is_too_many = unexpected > limits.deletions
            && u64::from(unexpected) * 100 > u64::from(available) * u64::from(limits.percent);
        let (id, _) = group;
        if is_too_many && brakes.get(id).is_none_or(|worst| unexpected > worst.unexpected) {
            let rules_digest = digest.cloned();
            brakes
                .insert(id, Brake { schedule_id: id.clone(), unexpected, available, rules_digest });
        }
    }
    brakes.into_values().collect()
}

/// What the rules were, if they condemn.
fn digest_of(by: &CondemnedBy) -> Option<&String> {
    match by {
        CondemnedBy::Rules { digest } | CondemnedBy::InstanceGone { digest } => Some(digest),
        CondemnedBy::Person { .. }
        | CondemnedBy::Expiry { .. }
        | CondemnedBy::Failed
        | CondemnedBy::Duplicate => None,
    }
}

impl Brake {
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

/// How many available snapshots each group has.
fn available(snapshots: &[Snapshot]) -> BTreeMap<Group<'_>, u32> {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|one| one.status == Status::Available) {
        if let Some(id) = snapshot.schedule_id() {
            *counts.entry((id, snapshot.copied_to())).or_default() += 1;
        }
    }
    counts
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
