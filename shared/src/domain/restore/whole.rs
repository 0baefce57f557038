//! A root volume that is replaced, an image, an instance: what is to be done next.

use jiff::Timestamp;

use super::Restore;
use super::decision::{Act, Next, fail, instance_gone, may_not_show};
use super::mode::{OldVolume, PlannedVolume, RestoreMode};
use super::safety::root_is_off;
use super::seen::{ImageState, MadeInstance, RestoreFacts, SeenTask, TaskState};
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::InstanceState;
use crate::domain::restore::{Before, Made};

/// The code of a failure that leaves the instance without its root volume.
pub(super) const ROOT_DETACHED: &str = "RootDetached";

pub(super) fn replace_root(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let Some(instance) = seen.living_instance() else { return instance_gone(restore) };
    let root = instance.volumes.iter().find(|volume| volume.boot);
    match &seen.task {
        Some(task) if restore.made.task_id.as_ref() != Some(&task.id) => {
            let task_id = Some(task.id.clone());
            Next::Record(Box::new(Restore {
                made: Made { task_id, ..restore.made.clone() },
                ..restore.clone()
            }))
        }
        Some(task) => match (task.state, root) {
            (TaskState::UnderWay, _) => Next::Wait("for the root volume to be replaced"),
            (TaskState::Failed, _) => Next::Fail {
                code: "RootReplacementFailed",
                message: format!(
                    "EC2's task {} has failed; look whether {} has its root volume, and attach the old one if not",
                    task.id, instance.id
                ),
                record: Box::new(restore.attempt_lost()),
            },
            (TaskState::FailedDetached, _) => root_detached(restore, task),
            (TaskState::Succeeded, Some(root)) => new_root(restore, &root.volume_id),
            (TaskState::Succeeded, None) => Next::Wait("for the new root volume to show"),
        },
        None if restore.made.task_id.is_some() && may_not_show(restore, now) => {
            Next::Wait("for the task to show")
        }
        None if restore.made.task_id.is_some() => {
            fail(restore, "TaskGone", "EC2 no longer shows its task")
        }
        None => {
            if let Some(why) = root_is_off(restore, seen) {
                // A replacement that was asked for takes it off itself.
                if may_not_show(restore, now) {
                    return Next::Wait("for the task to show");
                }
                let message = format!("{why}, start the instance, and retry, or cancel");
                return fail(restore, ROOT_DETACHED, message);
            }
            let Some(root) = root.filter(|_| instance.state == InstanceState::Running) else {
                let message =
                    format!("{} is {}; start it and retry, or cancel", instance.id, instance.state);
                return fail(restore, "InstanceNotRunning", message);
            };
            let old = vec![OldVolume::at(root)];
            if restore.before.old_volumes.as_ref() == Some(&old) {
                Next::Act(Act::ReplaceRoot)
            } else {
                let old_volumes = Some(old);
                Next::Record(Box::new(Restore {
                    before: Before { old_volumes, ..restore.before.clone() },
                    ..restore.clone()
                }))
            }
        }
    }
}

fn root_detached(restore: &Restore, task: &SeenTask) -> Next {
    let target = restore.mode.target().map(InstanceId::as_str).unwrap_or_default();
    let old = restore.before.old_volumes.iter().flatten().next();
    let place = old.map_or_else(
        || "attach it by hand".to_owned(),
        |old| format!("attach {} at {} of {target} by hand", old.volume_id, old.device),
    );
    let message = format!(
        "EC2's task {} has failed, and the old root volume is off {target}: {place}, start the instance, and retry \
         or cancel",
        task.id
    );
    Next::Fail { code: ROOT_DETACHED, message, record: Box::new(restore.attempt_lost()) }
}

/// EC2's task does not say which volume it has made: it is the one at the root device, which is no longer the old one.
fn new_root(restore: &Restore, root: &VolumeId) -> Next {
    let is_old = |one: &OldVolume| one.volume_id == *root;
    if restore.before.old_volumes.iter().flatten().any(is_old) {
        return Next::Wait("for the new root volume to show");
    }
    let is_noted = |one: &PlannedVolume| one.volume_id.as_ref() == Some(root);
    if restore.made.volumes.iter().all(is_noted) {
        return Next::Done;
    }
    let mut noted =
        Restore { made: Made { is_in_use: true, ..restore.made.clone() }, ..restore.clone() };
    for one in &mut noted.made.volumes {
        one.volume_id = Some(root.clone());
    }
    Next::Record(Box::new(noted))
}

/// That EC2 has ended an instance as it was starting, and why.
fn ended_at_launch(made: Option<&MadeInstance>) -> String {
    let said = made.and_then(|one| Some(format!("{}: {}", one.id, one.reason.as_ref()?.message)));
    let said = said.unwrap_or_else(|| "it does not say why".to_owned());
    format!(
        "EC2 has ended the new instance as it was starting ({said}); once that is mended, a retry launches another"
    )
}

pub(super) fn register_image(restore: &Restore, seen: &RestoreFacts) -> Next {
    match &seen.image {
        None => Next::Act(Act::RegisterImage),
        Some((id, _)) if restore.made.image_id.as_ref() != Some(id) => {
            Next::Record(Box::new(Restore {
                made: Made { image_id: Some(id.clone()), ..restore.made.clone() },
                ..restore.clone()
            }))
        }
        Some((_, ImageState::Pending)) => Next::Wait("for the image to become available"),
        Some((_, ImageState::Available)) => Next::Done,
        Some((id, ImageState::Failed)) => Next::Fail {
            code: "ImageFailed",
            message: format!("the image {id} came to nothing; remove it"),
            record: Box::new(restore.attempt_lost()),
        },
    }
}

/// What is to be asked of EC2 once the instance runs, where the recorded one took traffic that was not for itself: no launch
/// turns that check off. None if it did not, or if it was asked for.
fn source_check(restore: &Restore, id: &InstanceId) -> Option<Next> {
    let RestoreMode::NewInstance(launch) = &restore.mode else { return None };
    let is_to_ask = launch.replayed.source_check_off && !restore.course.flags_asked;
    is_to_ask.then(|| Next::Act(Act::TurnSourceCheckOff(id.clone())))
}

pub(super) fn run_instance(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Next {
    let known = restore.made.new_instance_id.as_ref();
    let found = seen.made_instances.iter().find(|one| known.is_none_or(|known| *known == one.id));
    match found.map(|one| (&one.id, one.state)) {
        Some((id, _)) if known.is_none() => Next::Record(Box::new(Restore {
            made: Made { new_instance_id: Some(id.clone()), ..restore.made.clone() },
            ..restore.clone()
        })),
        Some((id, InstanceState::Running | InstanceState::Stopped)) => {
            source_check(restore, id).unwrap_or(Next::Done)
        }
        Some((_, InstanceState::Pending | InstanceState::Stopping | InstanceState::Unknown)) => {
            Next::Wait("for the instance to run")
        }
        None if known.is_some() && may_not_show(restore, now) => {
            Next::Wait("for the instance to show")
        }
        None if known.is_none() => Next::Act(Act::RunInstance),
        Some((_, InstanceState::ShuttingDown | InstanceState::Terminated)) | None => Next::Fail {
            code: "InstanceFailed",
            message: ended_at_launch(found),
            record: Box::new({
                let mut next = restore.attempt_lost();
                next.made.image_id.clone_from(&restore.made.image_id);
                next
            }),
        },
    }
}
