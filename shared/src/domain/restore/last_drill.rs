//! The end of the last drill: shown with the instance, and with the schedule whose set it was.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mode::RestoreMode;
use super::step::{StepName, StepStatus};
use super::{Restore, RestoreStatus};
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
use crate::domain::words::words;

/// How long a failure may be: what EC2 says has no bound of its own.
const FAILURE_CHARACTERS_MAX: usize = 1_000;

words! {
    /// How a drill ended.
    DrillOutcome {
        /// The volumes could be used, and are deleted.
        Done => "done",
        /// It stopped on the way.
        Failed => "failed",
    }
}

/// How a drill ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDrill {
    pub restore_id: RestoreId,
    pub snapshot_id: SnapshotId,
    pub instance_id: InstanceId,
    pub at: Timestamp,
    pub outcome: DrillOutcome,
    /// How long it took until all volumes could be used; none if they never could.
    pub usable_after_seconds: Option<i64>,
    /// Why it failed, and at which step.
    pub failure: Option<String>,
}

impl LastDrill {
    /// How this drill has ended. None for other restores, for a drill that is under way, and for what becomes of one
    /// that is taken back: how it ended was known before.
    pub fn of(restore: &Restore) -> Option<Self> {
        if restore.mode != RestoreMode::Drill || restore.is_undoing() {
            return None;
        }
        let (outcome, at) = match restore.status {
            RestoreStatus::Done => (DrillOutcome::Done, restore.course.finished_at?),
            RestoreStatus::Failed => (DrillOutcome::Failed, restore.course.failure.as_ref()?.at),
            RestoreStatus::Requested
            | RestoreStatus::Running
            | RestoreStatus::Cancelling
            | RestoreStatus::Cancelled => return None,
        };
        let made = restore.forward(StepName::CreateVolumes);
        let made = made.filter(|step| step.status == StepStatus::Done);
        let took = made.and_then(|step| Some(step.finished_at?.duration_since(step.started_at?)));
        let failure = restore.course.failure.as_ref().filter(|_| outcome == DrillOutcome::Failed);
        let words = |text: String| text.chars().take(FAILURE_CHARACTERS_MAX).collect();
        Some(Self {
            restore_id: restore.id.clone(),
            snapshot_id: restore.snapshot_id.clone(),
            instance_id: restore.instance_id.clone(),
            at,
            outcome,
            usable_after_seconds: took.map(|took| took.as_secs()),
            failure: failure.map(|one| words(format!("{}: {}", one.step, one.message))),
        })
    }
}
