//! The way back of a root volume that was replaced, and of an image.

use jiff::Timestamp;

use super::Restore;
use super::decision::{Act, Next, may_not_show};
use super::safety::{first_brings_it_back, root_is_off};
use super::seen::{MadeInstance, RestoreFacts, TaskState};
use crate::domain::ids::InstanceId;
use crate::domain::instance::InstanceState;

/// Waits for the end of a replacement that cannot be stopped, and says what it left.
pub(super) fn settle_root(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    match seen.task.as_ref().map(|task| task.state) {
        Some(TaskState::UnderWay) => Next::Wait("for EC2 to end what cannot be stopped"),
        Some(TaskState::Succeeded) => {
            let old = restore.before.old_volumes.iter().flatten().next();
            let old = old.map(|one| one.volume_id.as_str()).unwrap_or_default();
            let note = format!(
                "the root volume was replaced; the old one, {old}, is kept{}",
                first_brings_it_back(restore)
            );
            restore.noted(note).unwrap_or(Next::Done)
        }
        None if may_not_show(restore, now) => Next::Wait("for a task that may not show yet"),
        Some(TaskState::Failed | TaskState::FailedDetached) | None => {
            root_is_off(restore, seen).and_then(|note| restore.noted(note)).unwrap_or(Next::Done)
        }
    }
}

/// Removes the images that were made; instances stay.
pub(super) fn remove_image(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    for MadeInstance { id, state, .. } in &seen.made_instances {
        let is_there = match state {
            InstanceState::ShuttingDown | InstanceState::Terminated => false,
            InstanceState::Pending
            | InstanceState::Running
            | InstanceState::Stopping
            | InstanceState::Stopped
            | InstanceState::Unknown => true,
        };
        if is_there && let Some(note) = restore.noted(stays(id)) {
            return note;
        }
    }
    let current = seen.image.as_ref().map(|(id, _)| id);
    let images: Vec<_> = seen.earlier_images.iter().chain(current).cloned().collect();
    match current {
        Some(_) => Next::Act(Act::Deregister(images)),
        None if may_not_show(restore, now) => Next::Wait("for an image that may not show yet"),
        None if !images.is_empty() => Next::Act(Act::Deregister(images)),
        None => Next::Done,
    }
}

fn stays(id: &InstanceId) -> String {
    format!("the new instance {id} stays; terminate it if it is not wanted")
}
