//! A visit of the tick to a run: the targets that are due are asked for, and looks taken at the others.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::outcome::{Counts, Outcome};
use super::{GIVEN_UP_AFTER, Run, RunStatus, Skipped, later, spread};
use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::{Failure, Snapshot};

/// How soon a region that was out of reach is asked again.
const ASKED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// When the tick first looks at how a run's targets stand; it doubles up to [`LOOK_AT_MOST_EVERY`].
pub(super) const FIRST_LOOK_AFTER: SignedDuration = SignedDuration::from_mins(2);
const LOOK_AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(30);

/// What a run finds out about those beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// The targets that are skipped, each once.
    pub skipped: Vec<Skipped>,
    /// Which of those runs are still under way, by their slots, the newest first.
    pub under_way: Vec<Timestamp>,
}

impl Run {
    /// When the target at `position` is to be asked for.
    pub fn due_at(&self, position: usize) -> Timestamp {
        let delay = spread::delay(self.spread_minutes, position, self.targets.len());
        self.slot.slot.saturating_add(delay).unwrap_or(self.slot.slot)
    }

    /// The targets that are due at `now` and have not been asked for, by position.
    pub fn due(&self, now: Timestamp) -> Range<usize> {
        let waiting = self.asked..self.targets.len();
        let due = waiting.take_while(|position| self.due_at(*position) <= now).count();
        self.asked..self.asked + due
    }

    /// Whether it is time to look how all targets stand.
    pub fn is_look_due(&self, now: Timestamp) -> bool {
        self.look_at.is_none_or(|at| at <= now)
    }

    /// The targets to be looked at by a visit at `now`, by position: those last asked for, whose requests may
    /// never have been published, and from time to time all.
    pub fn to_check(&self, now: Timestamp) -> Range<usize> {
        let from = if self.is_look_due(now) { 0 } else { self.checked };
        from..self.asked
    }

    /// The targets up to `until` are asked for, but for those that overlap.
    #[must_use]
    pub fn asking(&self, until: usize, overlap: Overlap, now: Timestamp) -> Self {
        let Overlap { skipped: newly, under_way } = overlap;
        let count = newly.iter().map(|one| one.positions.len()).sum();
        let mut skipped = self.skipped.clone();
        for one in newly {
            match skipped.iter_mut().find(|known| known.slot == one.slot) {
                Some(known) => known.positions.extend(one.positions),
                None => skipped.push(one),
            }
        }
        let is_whole = self.unresolved.is_empty() && until >= self.targets.len();
        let is_last = self.dispatched_at.is_none() && is_whole;
        let run = Self {
            version: self.version + 1,
            checked: self.asked,
            asked: until,
            overlaps: under_way,
            skipped,
            counts: self.counts.skipping(count),
            dispatched_at: if is_last { Some(now) } else { self.dispatched_at },
            look_at: if is_last { later(now, FIRST_LOOK_AFTER) } else { self.look_at },
            ..self.clone()
        };
        run.attended(now)
    }

    /// The targets that were asked for stand like this at `now`; of those that are not among the records there is
    /// none.
    #[must_use]
    pub fn looked_at(&self, records: &BTreeMap<SnapshotId, Snapshot>, now: Timestamp) -> Self {
        let skipped = self.skipped_for();
        let mut counts = Counts::default();
        let mut given_up = 0;
        for (position, target) in self.targets.iter().enumerate() {
            let record = records.get(&self.slot.snapshot_id(target));
            let outcome = self.outcome(position, record, &skipped);
            if record.is_none() && outcome == Outcome::Requested && self.is_given_up(now) {
                given_up += 1;
                counts.add(Outcome::Failed);
            } else {
                counts.add(outcome);
            }
        }
        let failure = (given_up > 0).then(|| {
            let message = format!("{given_up} targets were not taken up within 24 hours");
            Failure::new("GivenUp", message)
        });
        let age = now.duration_since(self.dispatched_at.unwrap_or_else(|| self.begun_at()));
        let wait = age.clamp(FIRST_LOOK_AFTER, LOOK_AT_MOST_EVERY);
        let failure = failure.or_else(|| self.failure.clone());
        Self { counts, failure, look_at: later(now, wait), ..self.clone() }.attended(now)
    }

    /// Whether what nobody has taken up by `now` never will be. It counts from when the last was asked for.
    pub fn is_given_up(&self, now: Timestamp) -> bool {
        self.dispatched_at.is_some_and(|at| now.duration_since(at) >= GIVEN_UP_AFTER)
    }

    /// Whether even the last target should have been asked for, taken up and given up by `now`.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let spread = SignedDuration::from_mins(i64::from(self.spread_minutes));
        now.duration_since(self.begun_at()) >= GIVEN_UP_AFTER + spread
    }

    /// With the time of the next visit; or finished, if there is nothing left to visit it for.
    fn attended(self, now: Timestamp) -> Self {
        let Counts { total, succeeded, failed, skipped, outstanding } = self.counts;
        if outstanding > 0 || !self.unresolved.is_empty() {
            let is_waiting = self.asked < self.targets.len();
            let next = is_waiting.then(|| self.due_at(self.asked));
            // Once all are asked for, the looks do for this.
            let is_unchecked = is_waiting && self.checked < self.asked;
            let check = later(now, FIRST_LOOK_AFTER).filter(|_| is_unchecked);
            let is_lacking = !self.unresolved.is_empty();
            let again = later(now, ASKED_AGAIN_AFTER).filter(|_| is_lacking);
            let attention_at = [self.look_at, next, check, again].into_iter().flatten().min();
            return Self { attention_at, ..self };
        }
        let is_all = failed + skipped == 0 && self.unreached.is_empty();
        let no_targets = (total == 0 && is_all).then(|| {
            let message = "its schedule is for no instance: by their ids and tags none was found";
            Failure::new("NoTargets", message)
        });
        let status = match succeeded {
            _ if no_targets.is_some() => RunStatus::Failed,
            _ if is_all => RunStatus::Done,
            0 => RunStatus::Failed,
            _ => RunStatus::PartlyFailed,
        };
        let all_skipped = (skipped > 0 && skipped == total).then(|| {
            let message = "every target was skipped: its previous snapshot was still pending";
            Failure::new("Skipped", message)
        });
        let failure = self.failure.clone().or(all_skipped).or(no_targets);
        Self { status, failure, finished_at: Some(now), attention_at: None, ..self }
    }
}
