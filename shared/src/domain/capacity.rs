//! The demand of a schedule beside the limits of EC2, reckoned from the schedule, its targets and our pace.

mod fires;
#[cfg(test)]
mod tests;
mod warnings;

use jiff::{SignedDuration, Timestamp};

use self::fires::Fires;
use crate::domain::retention::KeptAtMost;
use crate::domain::schedule::Schedule;

/// How many snapshotters, and how many reapers, work at once; each keeps a pace of its own.
const WORKERS: u64 = 2;
const HOUR_SECONDS: u64 = 3_600;
const DAY_SECONDS: u64 = 86_400;

/// The targets of a schedule as they are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresentTargets {
    /// How many instances there are.
    pub instances: u64,
    /// How many volumes of theirs are taken.
    pub volumes: u64,
    /// How many of those are of type `st1` or `sc1`.
    pub slow_volumes: u64,
    /// Where they are in several regions: the one with the most of the volumes, and how many. The quota is by region.
    pub fullest: Option<(String, u64)>,
}

impl PresentTargets {
    /// These and those.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            instances: self.instances.saturating_add(other.instances),
            volumes: self.volumes.saturating_add(other.volumes),
            slow_volumes: self.slow_volumes.saturating_add(other.slow_volumes),
            fullest: self.fullest,
        }
    }

    /// How many of the volumes are in the region that has the most of them.
    fn volumes_in_fullest(&self) -> u64 {
        self.fullest.as_ref().map_or(self.volumes, |(_, volumes)| *volumes)
    }
}

/// What can be done, and what EC2 allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Means {
    /// The pause between two creations of one worker.
    pub create_pace: SignedDuration,
    /// The pause between two deletions of one worker.
    pub delete_pace: SignedDuration,
    /// How many snapshots one sweep condemns at the most; there is one sweep an hour.
    pub condemn_max: u32,
    /// How many EBS snapshots the account may have in the region.
    pub quota: u32,
}

/// What a schedule comes to, and what about it is worth a warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How often it fires on an average day.
    pub fires_per_day: f64,
    /// What that means for its present targets; nothing if EC2 could not be asked for them.
    pub demand: Option<Demand>,
    /// How many EBS snapshots the account may have in the region.
    pub quota: u32,
    /// What will not go well, in words, with what would help.
    pub warnings: Vec<String>,
}

/// What a schedule asks of EC2 for its present targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// How many instances there are.
    pub instances: u64,
    /// How many of their volumes are taken.
    pub volumes: u64,
    /// Calls of `CreateSnapshots`, one for each instance, in the busiest hour of seven days.
    pub creates_per_hour: u64,
    /// EBS snapshots that are deleted, one for each volume, in an average hour of the long run. A set of several takes two
    /// paced calls for each: all are tried out before the first is deleted.
    pub deletes_per_hour: u64,
    /// How many EBS snapshots there will be at the most in the long run; nothing if they grow without end.
    pub ebs_snapshots_steady: Option<u64>,
    /// How long the creations of one slot take.
    pub seconds_per_slot: u64,
}

/// What `schedule` comes to from `now` on, as if it were enabled, for these targets.
pub fn limits(
    schedule: &Schedule,
    present: Option<&PresentTargets>,
    means: &Means,
    now: Timestamp,
) -> Limits {
    let fires = Fires::of(schedule, now);
    let Some(present) = present else {
        let warnings = Vec::new();
        return Limits {
            fires_per_day: fires.per_day(),
            demand: None,
            quota: means.quota,
            warnings,
        };
    };
    let kept = schedule.settings.rules.as_ref().map(|rules| {
        rules.kept_at_most(&schedule.settings.expression, &schedule.settings.timezone)
    });
    let (instances, volumes) = (present.instances, present.volumes);
    let busiest = fires.in_busiest_hour(schedule.settings.spread_minutes.unwrap_or(0), instances);
    let demand = Demand {
        instances,
        volumes,
        creates_per_hour: busiest,
        deletes_per_hour: deletes_per_hour(&fires, kept.as_ref(), volumes),
        ebs_snapshots_steady: steady(&fires, kept.as_ref())
            .map(|sets| sets.saturating_mul(volumes)),
        seconds_per_slot: (instances * milliseconds(means.create_pace)).div_ceil(WORKERS * 1_000),
    };
    let in_region = present.volumes_in_fullest();
    let growth = growth(&fires, kept.as_ref(), in_region);
    let steady_in_region = steady(&fires, kept.as_ref()).map(|sets| sets.saturating_mul(in_region));
    let warnings = warnings::of(&warnings::Findings {
        schedule,
        present,
        means,
        fires: &fires,
        demand: &demand,
        growth,
        steady_in_region,
        now,
    });
    Limits { fires_per_day: fires.per_day(), demand: Some(demand), quota: means.quota, warnings }
}

/// How many snapshots of an instance there are in the long run.
fn steady(fires: &Fires, kept: Option<&KeptAtMost>) -> Option<u64> {
    let bounded =
        kept.filter(|kept| kept.endless_every_seconds.is_empty()).map(|kept| kept.bounded);
    match (bounded, fires.total()) {
        (Some(bounded), Some(total)) => Some(bounded.min(total)),
        (bounded, total) => bounded.or(total),
    }
}

/// What is made and not kept goes. Rules that keep all let nothing go.
fn deletes_per_hour(fires: &Fires, kept: Option<&KeptAtMost>, volumes: u64) -> u64 {
    let keeps_all = kept.is_none_or(|kept| kept.endless_every_seconds.contains(&0));
    let goes = !keeps_all && fires.total().is_none();
    if goes { fires.thousandths_in(HOUR_SECONDS, volumes).div_ceil(1_000) } else { 0 }
}

/// By how many thousandths of an EBS snapshot they grow a day at the most; nothing if they do not in the long run.
fn growth(fires: &Fires, kept: Option<&KeptAtMost>, volumes: u64) -> Option<u64> {
    if fires.total().is_some() {
        return None;
    }
    let all = fires.thousandths_in(DAY_SECONDS, volumes);
    let Some(kept) = kept else { return Some(all) };
    let endless = &kept.endless_every_seconds;
    let by_rules = endless.iter().fold(0, |sum: u64, every| {
        let by_rule = (DAY_SECONDS * 1_000 * volumes).checked_div(*every);
        sum.saturating_add(by_rule.unwrap_or(all))
    });
    (!endless.is_empty()).then_some(by_rules.min(all))
}

fn milliseconds(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(0)
}
