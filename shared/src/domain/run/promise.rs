//! What became of a slot that was promised to an instance.

use jiff::{SignedDuration, Timestamp};

use crate::domain::run::outcome::Outcome;
use crate::domain::run::{Run, RunStatus, Trigger};
use crate::domain::snapshot::Snapshot;
use crate::domain::words::words;

/// How long after it was due a snapshot counts as late.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_mins(15);

words! {
    /// What became of a promised slot.
    SlotOutcome {
        /// A snapshot was taken in time.
        Met => "met",
        /// One was taken, more than a quarter of an hour after it was due.
        Late => "late",
        /// Nothing took it up.
        Missed => "missed",
        /// It was taken up, and nothing whole came of it.
        Failed => "failed",
        /// It was skipped: the snapshot before was still under way.
        PutOff => "put_off",
        /// It is under way.
        Open => "open",
    }
}

/// What became of a slot, and how late it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptPromise {
    pub outcome: SlotOutcome,
    /// How long after it was due its snapshot was taken.
    pub lateness: Option<SignedDuration>,
}

impl Run {
    /// What became of the run's slot for an instance that its schedule is for: `position` is where it stands among the
    /// targets, `record` its snapshot. Nothing if the slot was not promised to it.
    pub fn promise(
        &self,
        position: Option<usize>,
        record: Option<&Snapshot>,
    ) -> Option<KeptPromise> {
        let plain = |outcome| Some(KeptPromise { outcome, lateness: None });
        match (self.trigger, self.status, position) {
            (Trigger::Schedule, RunStatus::Missed, _) => plain(SlotOutcome::Missed),
            (Trigger::Schedule, RunStatus::Failed, None) if self.targets.is_empty() => {
                plain(SlotOutcome::Failed)
            }
            (Trigger::Schedule, RunStatus::Dispatching, None) => plain(SlotOutcome::Open),
            (Trigger::Person, ..) | (Trigger::Schedule, _, None) => None,
            (Trigger::Schedule, _, Some(position)) => {
                match self.outcome(position, record, &self.skipped_for()) {
                    Outcome::Skipped => plain(SlotOutcome::PutOff),
                    Outcome::Failed => plain(SlotOutcome::Failed),
                    Outcome::Waiting
                    | Outcome::Requested
                    | Outcome::Creating
                    | Outcome::Pending => plain(SlotOutcome::Open),
                    Outcome::Available | Outcome::Gone => {
                        Some(taken(self.due_at(position), record))
                    }
                }
            }
        }
    }
}

fn taken(due_at: Timestamp, record: Option<&Snapshot>) -> KeptPromise {
    let lateness = record.map(|record| record.taken_at().duration_since(due_at));
    let lateness = lateness.map(|late| late.max(SignedDuration::ZERO));
    let is_late = lateness.is_some_and(|late| late > LATE_AFTER);
    KeptPromise { outcome: if is_late { SlotOutcome::Late } else { SlotOutcome::Met }, lateness }
}
