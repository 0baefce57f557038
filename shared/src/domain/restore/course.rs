//! The steps of the way there, in order.

use super::mode::RestoreMode;
use super::step::StepName;

/// Whether a snapshot of the instance is taken first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotFirst {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// The steps of the way there, in order. The instance stands still for as short as can be: the volumes are made
/// before it is stopped, and the old ones are marked once it is started again.
pub fn steps(mode: &RestoreMode, first: SnapshotFirst) -> Vec<StepName> {
    let rest: &[StepName] = match mode {
        RestoreMode::NewVolumes { attach_to: None } => &[StepName::CreateVolumes],
        RestoreMode::NewVolumes { attach_to: Some(_) } => {
            &[StepName::CreateVolumes, StepName::AttachVolumes]
        }
        RestoreMode::ReplaceVolumes { .. } => &[
            StepName::CreateVolumes,
            StepName::StopInstance,
            StepName::DetachVolumes,
            StepName::AttachVolumes,
            StepName::StartInstance,
            StepName::TagOldVolumes,
        ],
        RestoreMode::ReplaceRoot { .. } => &[StepName::ReplaceRoot, StepName::TagOldVolumes],
        RestoreMode::NewInstance(_) => {
            &[StepName::RegisterImage, StepName::RunInstance, StepName::DeregisterImage]
        }
        RestoreMode::Drill => &[StepName::CreateVolumes, StepName::DeleteVolumes],
    };
    let first = match first {
        SnapshotFirst::Yes => Some(StepName::SnapshotFirst),
        SnapshotFirst::No => None,
    };
    [StepName::Check].into_iter().chain(first).chain(rest.iter().copied()).collect()
}
