//! Runs: what one slot of a schedule, or one "run now", did for each target.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::snapshot::{Failure, ScheduleSlot, Status};

/// How long a tick that has claimed a run has it to itself.
const CLAIM_LASTS: SignedDuration = SignedDuration::from_secs(50);
/// When the tick first looks at how a dispatched run stands; it doubles up to [`LOOK_AT_MOST_EVERY`].
const FIRST_LOOK_AFTER: SignedDuration = SignedDuration::from_mins(2);
const LOOK_AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(30);
/// When a target that nobody has taken up is given up.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What one slot of a schedule did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The schedule and due time: its identity.
    pub slot: ScheduleSlot,
    /// Counts the writes.
    pub version: u64,
    /// Where it stands.
    pub status: RunStatus,
    /// What caused it.
    pub trigger: Trigger,
    /// The instances it is for; empty until they have been found.
    pub targets: Vec<InstanceId>,
    /// How many slots before this one nobody ran, because nothing ticked.
    pub missed: u32,
    /// When it was last claimed.
    pub claimed_at: Timestamp,
    /// How late it began.
    pub lateness_seconds: i64,
    /// When the targets' snapshots had been asked for.
    pub dispatched_at: Option<Timestamp>,
    /// When all of them were settled.
    pub finished_at: Option<Timestamp>,
    /// How the targets stand, as of the last look.
    pub counts: Counts,
    /// Why it failed as a whole.
    pub failure: Option<Failure>,
    /// When the tick looks at it again.
    pub attention_at: Option<Timestamp>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Its targets are being found and asked for.
    Dispatching,
    /// Their snapshots are being taken.
    Running,
    /// All are available.
    Done,
    /// Some are.
    PartlyFailed,
    /// None is.
    Failed,
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

/// How the targets of a run stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many there are.
    pub total: u32,
    /// Whole and restorable, or have been.
    pub succeeded: u32,
    /// Failed.
    pub failed: u32,
    /// Neither yet.
    pub outstanding: u32,
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
            missed,
            claimed_at: now,
            lateness_seconds: lateness,
            dispatched_at: None,
            finished_at: None,
            counts: Counts::default(),
            failure: None,
            attention_at: later(now, CLAIM_LASTS),
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

    /// When it was first claimed.
    pub fn begun_at(&self) -> Timestamp {
        let lateness = SignedDuration::from_secs(self.lateness_seconds);
        self.slot.slot.saturating_add(lateness).unwrap_or(self.claimed_at)
    }

    /// These are its targets, and all have been asked for.
    #[must_use]
    pub fn dispatched(&self, targets: Vec<InstanceId>, now: Timestamp) -> Self {
        let total = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        let run = Self {
            version: self.version + 1,
            status: RunStatus::Running,
            targets,
            dispatched_at: Some(now),
            counts: Counts { total, outstanding: total, ..Counts::default() },
            attention_at: later(now, FIRST_LOOK_AFTER),
            ..self.clone()
        };
        if total == 0 { run.settled(Counts::default(), now) } else { run }
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

    /// The targets stand like this at `now`.
    #[must_use]
    pub fn looked_at(&self, counts: Counts, now: Timestamp) -> Self {
        if counts.outstanding == 0 {
            return self.settled(counts, now);
        }
        let age = now.duration_since(self.dispatched_at.unwrap_or(self.claimed_at));
        let wait = age.clamp(FIRST_LOOK_AFTER, LOOK_AT_MOST_EVERY);
        Self { version: self.version + 1, counts, attention_at: later(now, wait), ..self.clone() }
    }

    fn settled(&self, counts: Counts, now: Timestamp) -> Self {
        let status = match (counts.succeeded, counts.failed) {
            (_, 0) => RunStatus::Done,
            (0, _) => RunStatus::Failed,
            (_, _) => RunStatus::PartlyFailed,
        };
        Self {
            version: self.version + 1,
            status,
            counts,
            finished_at: Some(now),
            attention_at: None,
            ..self.clone()
        }
    }

    /// The snapshot of each target.
    pub fn snapshot_ids(&self) -> impl Iterator<Item = (SnapshotId, &InstanceId)> {
        self.targets.iter().map(|target| (self.slot.snapshot_id(target), target))
    }
}

impl Counts {
    /// Counts a target whose snapshot stands at `status`, or has no record yet.
    pub fn add(&mut self, status: Option<Status>) {
        self.total += 1;
        match status {
            None | Some(Status::Requested | Status::Creating | Status::Pending) => {
                self.outstanding += 1;
            }
            Some(Status::Error) => self.failed += 1,
            Some(
                Status::Available
                | Status::Condemned
                | Status::Deleting
                | Status::Deleted
                | Status::Missing,
            ) => self.succeeded += 1,
        }
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(by).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ScheduleId;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn run() -> Run {
        let slot = at("2026-03-01T02:00:00Z");
        let schedule_id = ScheduleId::derived(slot, &["x"]);
        Run::claimed(
            ScheduleSlot { schedule_id, slot },
            Trigger::Schedule,
            0,
            at("2026-03-01T02:00:30Z"),
        )
    }

    fn counted(statuses: &[Option<Status>]) -> Counts {
        let mut counts = Counts::default();
        for status in statuses {
            counts.add(*status);
        }
        counts
    }

    #[test]
    fn lateness_is_what_lies_between_the_slot_and_the_claim() {
        assert_eq!(run().lateness_seconds, 30);
    }

    #[test]
    fn a_claim_holds_until_it_is_over() {
        let run = run();

        assert_eq!(run.reclaimed(at("2026-03-01T02:01:19Z")), None);
        assert!(run.reclaimed(at("2026-03-01T02:01:20Z")).is_some());
    }

    #[test]
    fn a_run_without_targets_is_done_at_once() {
        assert_eq!(
            run().dispatched(Vec::new(), at("2026-03-01T02:00:31Z")).status,
            RunStatus::Done
        );
    }

    #[test]
    fn a_run_ends_when_nothing_is_outstanding() {
        let now = at("2026-03-01T02:10:00Z");
        let run = run().dispatched(vec!["i-0123456789abcdef0".parse().unwrap()], now);
        let good = Some(Status::Available);
        let bad = Some(Status::Error);

        assert_eq!(run.looked_at(counted(&[good, None]), now).status, RunStatus::Running);
        assert_eq!(run.looked_at(counted(&[good, good]), now).status, RunStatus::Done);
        assert_eq!(run.looked_at(counted(&[good, bad]), now).status, RunStatus::PartlyFailed);
        assert_eq!(run.looked_at(counted(&[bad, bad]), now).status, RunStatus::Failed);
    }
}
