//! The time in which a restore in place has an instance apart: what is taken of it then lacks volumes.

use super::Restore;
use super::mode::RestoreMode;
use super::step::StepName;

impl Restore {
    /// Whether its instance may lack volumes for its sake: from the stop on until it is started again, on the way there or
    /// back, and for as long as it stands still in between.
    pub fn has_apart(&self) -> bool {
        if !matches!(self.mode, RestoreMode::ReplaceVolumes { .. }) || self.status.is_over() {
            return false;
        }
        let is_over =
            |name: StepName| self.way().iter().any(|step| step.name == name && step.is_over());
        if is_over(StepName::StartInstance) || is_over(StepName::StartAgain) {
            return false;
        }
        // A set that is begun before the stop is whole: EC2 takes seconds to stop, and nothing is taken off before.
        let is_at_it = self.status.is_under_way()
            && self.step().is_some_and(|(_, step)| {
                matches!(step.name, StepName::StopInstance | StepName::DetachVolumes)
            });
        is_at_it || !self.taken_off().is_empty()
    }

    /// Whether its instance stands still while it is worked at, so that each second counts.
    pub fn is_down(&self) -> bool {
        let Some((_, step)) = self.step() else { return false };
        self.status.is_under_way()
            && matches!(
                step.name,
                StepName::StopInstance
                    | StepName::DetachVolumes
                    | StepName::AttachVolumes
                    | StepName::StartInstance
                    | StepName::StopAgain
                    | StepName::DetachNewVolumes
                    | StepName::ReattachOldVolumes
                    | StepName::StartAgain
            )
    }
}
