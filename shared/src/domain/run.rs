//! Runs: what one slot of a schedule, or one "run now", did for each target.
//!
//! Its targets are asked for one after the other, in an order that the schedule and the instances decide, each
//! at its due time; a cursor tells how far that has come. A *visit* of the tick asks for those that are due.

pub mod outcome;
pub mod promise;
mod regions;
pub mod spread;
#[cfg(test)]
mod tests;
pub mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::run::outcome::{Counts, Outcome};
use crate::domain::snapshot::{Failure, ScheduleSlot, Snapshot};

/// How long a tick that has claimed a run has it to itself.
const CLAIM_LASTS: SignedDuration = SignedDuration::from_secs(50);
/// When a target that nobody has taken up is given up.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How many of the latest runs a run looks at for snapshots that are still under way.
pub const LOOKED_AT_MAX: usize = 10;
/// How many runs that are under way beside it a run remembers.
pub const OVERLAPS_MAX: usize = 60;

/// What one slot of a schedule did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The schedule and due time: its identity.
    pub slot: ScheduleSlot,
    /// Counts the writes.
    pub version: u64,
    pub status: RunStatus,
    pub trigger: Trigger,
    /// The instances it is for, in the order in which they are asked for; empty until they have been found.
    pub targets: Vec<InstanceId>,
    /// Over how many minutes they are staggered.
    #[serde(default)]
    pub spread_minutes: u32,
    /// How many of them, from the first on, were asked for or skipped.
    #[serde(default)]
    pub asked: usize,
    /// How many of those have been looked at since.
    #[serde(default)]
    pub checked: usize,
    /// The slots of the runs that were under way when it last asked for targets, and may still be, the newest first.
    #[serde(default)]
    pub overlaps: Vec<Timestamp>,
    /// Which targets were not asked for, because a snapshot of another run was still under way.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// The regions whose targets are still to be found: they were out of reach.
    #[serde(default)]
    pub unresolved: Vec<String>,
    /// The regions whose targets were given up.
    #[serde(default)]
    pub unreached: Vec<String>,
    /// How many slots before this one nobody took up, because nothing ticked.
    pub missed: u32,
    /// When it was last claimed.
    pub claimed_at: Timestamp,
    /// How late it began.
    pub lateness_seconds: i64,
    /// When all targets' snapshots had been asked for.
    pub dispatched_at: Option<Timestamp>,
    /// When all of them were settled.
    pub finished_at: Option<Timestamp>,
    /// How the targets stand, as of the last look.
    pub counts: Counts,
    /// Why it failed as a whole, or in part.
    pub failure: Option<Failure>,
    /// When the targets are looked at again.
    #[serde(default)]
    pub look_at: Option<Timestamp>,
    /// When the tick visits it again.
    pub attention_at: Option<Timestamp>,
}

/// Targets whose snapshot of another run was still under way when they were to be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The slot of that run.
    pub slot: Timestamp,
    /// Where they stand among the targets.
    pub positions: Vec<usize>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Its targets are being found.
    Dispatching,
    /// Their snapshots are being asked for and taken.
    Running,
    /// All are available.
    Done,
    /// Some are.
    PartlyFailed,
    /// None is.
    Failed,
    /// It could not be begun in time; a later slot took its place, or its schedule was disabled.
    Missed,
}

/// What caused a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Its due time.
    Schedule,
    /// A person.
    Person,
}

impl RunStatus {
    /// Whether its targets' snapshots may still be to come.
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Dispatching | Self::Running => true,
            Self::Done | Self::PartlyFailed | Self::Failed | Self::Missed => false,
        }
    }
}

impl Run {
    /// A run claimed at `now`.
    pub fn claimed(slot: ScheduleSlot, trigger: Trigger, missed: u32, now: Timestamp) -> Self {
        let lateness = now.duration_since(slot.slot).as_secs().max(0);
        Self {
            slot,
            version: 1,
            status: RunStatus::Dispatching,
            trigger,
            targets: Vec::new(),
            spread_minutes: 0,
            asked: 0,
            checked: 0,
            overlaps: Vec::new(),
            skipped: Vec::new(),
            unresolved: Vec::new(),
            unreached: Vec::new(),
            missed,
            claimed_at: now,
            lateness_seconds: lateness,
            dispatched_at: None,
            finished_at: None,
            counts: Counts::default(),
            failure: None,
            look_at: None,
            attention_at: later(now, CLAIM_LASTS),
        }
    }

    /// The record of a slot that nobody ran, found out at `now`.
    pub fn never_begun(slot: ScheduleSlot, now: Timestamp) -> Self {
        Self {
            status: RunStatus::Missed,
            finished_at: Some(now),
            attention_at: None,
            ..Self::claimed(slot, Trigger::Schedule, 0, now)
        }
    }

    /// The same run, claimed again by a tick that finds it unfinished; nothing while another has it.
    pub fn reclaimed(&self, now: Timestamp) -> Option<Self> {
        let free = now.duration_since(self.claimed_at) >= CLAIM_LASTS;
        (self.status == RunStatus::Dispatching && free).then(|| Self {
            version: self.version + 1,
            claimed_at: now,
            attention_at: later(now, CLAIM_LASTS),
            ..self.clone()
        })
    }

    /// The same run, claimed but never begun, now that a later slot is there to take its place.
    #[must_use]
    pub fn superseded(&self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            status: RunStatus::Missed,
            finished_at: Some(now),
            attention_at: None,
            ..self.clone()
        }
    }

    /// When it was first claimed.
    pub fn begun_at(&self) -> Timestamp {
        let lateness = SignedDuration::from_secs(self.lateness_seconds);
        self.slot.slot.saturating_add(lateness).unwrap_or(self.claimed_at)
    }

    /// These are its targets, not asked for yet. What a person starts is not staggered.
    #[must_use]
    pub fn begun(&self, targets: Vec<InstanceId>, spread_minutes: u32, now: Timestamp) -> Self {
        let targets = spread::ordered(&self.slot.schedule_id, targets);
        Self {
            status: RunStatus::Running,
            spread_minutes: match self.trigger {
                Trigger::Schedule => spread_minutes,
                Trigger::Person => 0,
            },
            counts: Counts::outstanding(targets.len()),
            targets,
            look_at: later(now, visit::FIRST_LOOK_AFTER),
            ..self.clone()
        }
    }

    /// The snapshots of the targets at these positions, but for those that were skipped.
    pub fn snapshots_of(
        &self,
        positions: Range<usize>,
    ) -> impl Iterator<Item = (SnapshotId, &InstanceId)> {
        let skipped: BTreeSet<usize> =
            self.skipped.iter().flat_map(|one| one.positions.iter().copied()).collect();
        let targets = self.targets.iter().enumerate().skip(positions.start).take(positions.len());
        targets
            .filter(move |(position, _)| !skipped.contains(position))
            .map(|(_, target)| (self.slot.snapshot_id(target), target))
    }

    /// The slot of the other run that each skipped target was skipped for, by position.
    pub fn skipped_for(&self) -> BTreeMap<usize, Timestamp> {
        let of = |one: &Skipped| {
            let slot = one.slot;
            one.positions.clone().into_iter().map(move |position| (position, slot))
        };
        self.skipped.iter().flat_map(of).collect()
    }

    /// What became of the target at `position`, by its snapshot's record if there is one; `skipped` is
    /// [`Run::skipped_for`].
    pub fn outcome(
        &self,
        position: usize,
        record: Option<&Snapshot>,
        skipped: &BTreeMap<usize, Timestamp>,
    ) -> Outcome {
        match record {
            _ if skipped.contains_key(&position) => Outcome::Skipped,
            Some(record) => Outcome::of(record),
            None if !self.status.is_under_way() => Outcome::Failed,
            None if position < self.asked => Outcome::Requested,
            None => Outcome::Waiting,
        }
    }

    /// It cannot be done at all.
    #[must_use]
    pub fn failed(&self, failure: Failure, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            status: RunStatus::Failed,
            failure: Some(failure),
            finished_at: Some(now),
            attention_at: None,
            ..self.clone()
        }
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(by).ok()
}
