//! A restore in words: what exists now, how it goes on, and how it goes back.

use super::decision::{INSTANCE_GONE, VOLUME_GONE};
use super::mode::{OldVolume, RestoreMode};
use super::step::{Step, StepName};
use super::whole::ROOT_DETACHED;
use super::{Restore, RestoreStatus};
use crate::domain::ids::{InstanceId, VolumeId};

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
            let of = &volume.ebs_snapshot_id;
            lines.push(format!("new volume {id} of {of}{}", self.place_of(id)));
        }
        for old in self.gone_or_off() {
            let (id, device) = (&old.volume_id, &old.device);
            lines.push(format!("old volume {id}, which was at {device}{}", self.place_of(id)));
        }
        let first = self.before.snapshot_first.iter().filter(|_| self.has_snapshot_first());
        lines.extend(first.map(|id| format!("snapshot {id} of the instance, taken first")));
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

    /// The old volumes that are not where they were any more, for the restore's sake.
    fn gone_or_off(&self) -> Vec<&OldVolume> {
        match &self.mode {
            RestoreMode::ReplaceRoot { .. } => {
                let is_replaced = self.made.volumes.iter().any(|one| one.volume_id.is_some());
                let is_off = self.root_first().is_some();
                let old = self.before.old_volumes.iter().flatten();
                old.filter(|_| is_replaced || is_off).collect()
            }
            RestoreMode::ReplaceVolumes { .. }
            | RestoreMode::NewVolumes { .. }
            | RestoreMode::NewInstance(_)
            | RestoreMode::Drill => self.taken_off(),
        }
    }

    fn has_snapshot_first(&self) -> bool {
        self.forward(StepName::SnapshotFirst).is_some_and(Step::is_over)
    }

    /// Where a volume was when it was last looked at, in words that go behind its name.
    fn place_of(&self, id: &VolumeId) -> String {
        let seen = self.course.places.iter().find(|seen| seen.volume_id == *id);
        seen.map(|seen| format!(", {}", seen.place)).unwrap_or_default()
    }

    fn go_on(&self) -> String {
        let code = self.course.failure.as_ref().map(|one| one.code.as_str()).unwrap_or_default();
        match code {
            VOLUME_GONE => {
                return "there is no way on: a volume that it has made is gone; go back".to_owned();
            }
            INSTANCE_GONE => {
                let how = "end this one, and restore the snapshot with mode new_instance";
                return format!("there is no way on: the instance is gone; {how}");
            }
            _ => {}
        }
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

    fn is_instance_gone(&self) -> bool {
        self.course.failure.as_ref().is_some_and(|failure| failure.code == INSTANCE_GONE)
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
                "deletes the volumes that were made and never attached"
            }
            RestoreMode::ReplaceVolumes { .. } if self.is_instance_gone() => {
                "deletes the volumes that were made and never attached, and ends it"
            }
            RestoreMode::ReplaceVolumes { .. } => {
                "attaches the old volumes where they were, deletes of the new ones what was never attached, and starts the \
                 instance if it ran"
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
