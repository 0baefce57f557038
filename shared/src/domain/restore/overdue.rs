//! How long a step of a restore may take.

use jiff::{SignedDuration, Timestamp};

use super::Restore;
use super::step::StepName;

impl Restore {
    /// Whether the step at hand has taken longer than it ever should.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.step().is_some_and(|(_, step)| {
            let limit = match step.name {
                // EC2 copies every block that has changed.
                StepName::SnapshotFirst => SignedDuration::from_hours(72),
                StepName::ReplaceRoot | StepName::SettleRoot => SignedDuration::from_hours(6),
                StepName::Check
                | StepName::CreateVolumes
                | StepName::StopInstance
                | StepName::DetachVolumes
                | StepName::AttachVolumes
                | StepName::StartInstance
                | StepName::TagOldVolumes
                | StepName::RegisterImage
                | StepName::RunInstance
                | StepName::DeregisterImage
                | StepName::DeleteVolumes
                | StepName::StopAgain
                | StepName::DetachNewVolumes
                | StepName::ReattachOldVolumes
                | StepName::StartAgain
                | StepName::DeleteNewVolumes
                | StepName::RemoveImage => SignedDuration::from_hours(2),
            };
            step.started_at.is_some_and(|at| now.duration_since(at) >= limit)
        })
    }
}
