//! A restore in words: what exists now, how it goes on, and how it goes back.

use super::mode::RestoreMode;
use super::step::StepName;
use super::whole::ROOT_DETACHED;
use super::{Restore, RestoreStatus};
use crate::domain::ids::InstanceId;

/// What a person needs to know of a restore that has stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoppedRestore {
    /// What exists now, a line for each thing.
    pub exists: Vec<String>,
    /// How to go on.
    pub go_on: String,
    /// How to go back.
    pub go_back: String,
}

impl Restore {
    /// What exists now, and what can be done, of a restore that has failed.
    pub fn standing(&self) -> Option<StoppedRestore> {
        (self.status == RestoreStatus::Failed).then(|| StoppedRestore {
            exists: self.exists(),
            go_on: self.go_on(),
            go_back: self.go_back(),
        })
    }

    fn exists(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for volume in &self.made.volumes {
            let Some(id) = &volume.volume_id else { continue };
            let place = match (&volume.attached_at, self.mode.target(), &volume.attach_as) {
                (Some(_), Some(target), Some(device)) => format!(", for {device} of {target}"),
                _ => String::new(),
            };
            lines.push(format!("new volume {id} of {}{place}", volume.ebs_snapshot_id));
        }
        let detached =
            self.has_begun(StepName::DetachVolumes) || self.has_begun(StepName::ReplaceRoot);
        if detached {
            let old = self.before.old_volumes.iter().flatten();
            lines.extend(
                old.map(|one| format!("old volume {}, which was at {}", one.volume_id, one.device)),
            );
        }
        lines.extend(self.made.image_id.iter().map(|id| format!("image {id}")));
        lines.extend(self.made.new_instance_id.iter().map(|id| format!("new instance {id}")));
        if let (Some(target), Some(true)) = (self.mode.target(), self.before.was_running) {
            lines.push(format!("{target} ran before and was stopped"));
        }
        if lines.is_empty() {
            lines.push("nothing was made or changed".to_owned());
        }
        lines
    }

    fn go_on(&self) -> String {
        let step =
            self.course.failure.as_ref().map(|failure| failure.step.as_str()).unwrap_or_default();
        let way = if self.is_undoing() { "taking it back" } else { "the restore" };
        let go_on =
            format!("POST /v1/restores/{}/retry takes {way} up again at the step {step}", self.id);
        match self.root_first() {
            Some(first) => format!("{first}; then {go_on}"),
            None => go_on,
        }
    }

    /// What a person must do first where the instance is left without its root volume.
    fn root_first(&self) -> Option<String> {
        self.course.failure.as_ref().filter(|failure| failure.code == ROOT_DETACHED)?;
        let target = self.mode.target().map(InstanceId::as_str)?;
        let old = self.before.old_volumes.iter().flatten().next();
        let volume = old.map_or_else(
            || "a root volume".to_owned(),
            |old| format!("{} at {}", old.volume_id, old.device),
        );
        Some(format!("attach {volume} to {target} and start it"))
    }

    fn go_back(&self) -> String {
        let id = &self.id;
        if self.is_undoing() {
            return format!(
                "POST /v1/restores/{id}/cancel with \"leave\": true ends it and leaves everything as it is"
            );
        }
        let what = match &self.mode {
            RestoreMode::NewVolumes { .. } | RestoreMode::Drill => {
                "deletes the volumes that were made"
            }
            RestoreMode::ReplaceVolumes { .. } => {
                "attaches the old volumes where they were, deletes the new ones, and starts the instance if it ran"
            }
            RestoreMode::ReplaceRoot { .. } if self.root_first().is_some() => {
                "ends it; the root volume stays off until somebody attaches it"
            }
            RestoreMode::ReplaceRoot { .. } => {
                "ends it; a root volume that was replaced stays replaced"
            }
            RestoreMode::NewInstance(_) => "removes the image; an instance that was launched stays",
        };
        format!(
            "POST /v1/restores/{id}/cancel {what}, or with \"leave\": true ends it and leaves everything as it is"
        )
    }
}
