//! The outcome of a run's targets: of each, and in numbers.

use serde::{Deserialize, Serialize};

use crate::domain::snapshot::{Snapshot, Status};

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its time has not come.
    Waiting,
    /// Asked for; nothing asked of EC2 yet.
    Requested,
    /// Asked of EC2; the answer is not in.
    Creating,
    /// EC2 is writing it.
    Pending,
    /// Taken, and still there.
    Available,
    /// Not taken, or not whole.
    Failed,
    /// Not asked for: the one before was still under way.
    Skipped,
    /// Taken, and deleted or lost since.
    Gone,
}

impl Outcome {
    /// What became of the target that this is the snapshot of.
    pub fn of(snapshot: &Snapshot) -> Self {
        match snapshot.status {
            // Failed sets are condemned as well.
            Status::Condemned | Status::Deleting | Status::Deleted | Status::Missing
                if snapshot.course.completed_at.is_none() =>
            {
                Self::Failed
            }
            Status::Requested => Self::Requested,
            Status::Creating => Self::Creating,
            Status::Pending => Self::Pending,
            Status::Available | Status::Condemned | Status::Deleting => Self::Available,
            Status::Error => Self::Failed,
            Status::Deleted | Status::Missing => Self::Gone,
        }
    }

    /// Whether it is being taken, or about to be.
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Requested | Self::Creating | Self::Pending => true,
            Self::Waiting | Self::Available | Self::Failed | Self::Skipped | Self::Gone => false,
        }
    }
}

/// How the targets of a run stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many there are.
    pub total: u32,
    /// Whole and restorable, or have been.
    pub succeeded: u32,
    pub failed: u32,
    /// Not asked for, because the one before was still under way.
    #[serde(default)]
    pub skipped: u32,
    /// None of these yet.
    pub outstanding: u32,
}

impl Counts {
    /// Of so many targets nothing is known yet.
    pub fn outstanding(total: usize) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        Self { total, outstanding: total, ..Self::default() }
    }

    /// Counts a target.
    pub fn add(&mut self, outcome: Outcome) {
        self.total += 1;
        match outcome {
            Outcome::Waiting | Outcome::Requested | Outcome::Creating | Outcome::Pending => {
                self.outstanding += 1;
            }
            Outcome::Failed => self.failed += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Available | Outcome::Gone => self.succeeded += 1,
        }
    }

    /// The same, so many of the outstanding ones having been skipped.
    #[must_use]
    pub fn skipping(self, positions: usize) -> Self {
        let count = u32::try_from(positions).unwrap_or(u32::MAX).min(self.outstanding);
        Self { skipped: self.skipped + count, outstanding: self.outstanding - count, ..self }
    }
}
