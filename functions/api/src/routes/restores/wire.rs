//! Restores on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{ImageId, InstanceId, RestoreId, ScheduleId, SnapshotId};
use shared::domain::restore::mode::RestoreMode;
use shared::domain::restore::step::{self, StepName, StepStatus};
use shared::domain::restore::words::StoppedRestore;
use shared::domain::restore::{self as domain, RestoreFailure, RestoreStatus};
use utoipa::ToSchema;

use super::volumes::{OldVolume, Outlook, RestoredVolume};
use super::words::{RestoreStatusWord, StepNameWord, StepStatusWord};

/// A job that brings a snapshot back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restore {
    /// Its identifier.
    #[schema(value_type = String, example = "rst_0195500c-6d00-7000-8000-000000000000")]
    id: RestoreId,
    /// What is brought back.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// The snapshot's name when the restore was asked for.
    snapshot_name: String,
    /// The schedule that took the snapshot.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The instance that the snapshot is of.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its name then.
    instance_name: Option<String>,
    /// The region.
    region: String,
    /// The zone of new volumes.
    zone: Option<String>,
    /// What is to become of it: `new_volumes`, `replace_volumes`, `replace_root`, `new_instance` or `drill`.
    #[schema(example = "new_volumes")]
    mode: &'static str,
    /// The instance that is changed. No other restore changes it until this one is over.
    #[schema(value_type = Option<String>)]
    target_instance_id: Option<InstanceId>,
    /// Who asked: a person, or `schedule` and its identifier for a drill by `drill_every`.
    requested_by: String,
    /// When the schedule's drill was due; null if a person asked.
    drill_due_at: Option<Timestamp>,
    /// Who cancelled it.
    cancelled_by: Option<String>,
    /// When it was asked for.
    created_at: Timestamp,
    /// When it was done or cancelled.
    finished_at: Option<Timestamp>,
    /// Where it stands.
    #[schema(value_type = RestoreStatusWord)]
    status: RestoreStatus,
    /// How far it is.
    progress: RestoreProgress,
    /// The way there.
    steps: Vec<RestoreStep>,
    /// The way back, once it is cancelled.
    undo_steps: Vec<RestoreStep>,
    /// The snapshot of the instance that is taken first.
    #[schema(value_type = Option<String>)]
    snapshot_first_id: Option<SnapshotId>,
    /// The volumes that are made.
    volumes: Vec<RestoredVolume>,
    /// The volumes that make room, from the first moment on. They are kept.
    old_volumes: Vec<OldVolume>,
    /// What it was told to do and cost when it was asked for.
    outlook: Outlook,
    /// When a person may delete these.
    old_volumes_expire_at: Option<Timestamp>,
    /// Whether the instance ran before it was stopped.
    was_running: Option<bool>,
    /// EC2's task that replaces the root volume.
    root_task_id: Option<String>,
    /// The image that was made for a new instance, while it is there.
    #[schema(value_type = Option<String>)]
    ami_id: Option<ImageId>,
    /// The instance that was made.
    #[schema(value_type = Option<String>)]
    new_instance_id: Option<InstanceId>,
    /// What could not be taken back, and what stays.
    notes: Vec<String>,
    /// What EC2 last said against the step at hand, while it is still tried.
    trouble: Option<String>,
    /// Why it stopped, and what can be done.
    failure: Option<FailedRestore>,
    /// Counts the changes.
    version: u64,
}

/// How far a restore is.
#[derive(Debug, Serialize, ToSchema)]
struct RestoreProgress {
    /// The number of the step at hand, from 1 on; that of the last once all are behind.
    step: usize,
    /// How many there are.
    of: usize,
    /// How many of a hundred parts are behind.
    #[schema(maximum = 100)]
    percent: u8,
    /// The same in words.
    #[schema(example = "step 2 of 6: create_volumes")]
    text: String,
}

/// One step of a restore.
#[derive(Debug, Serialize, ToSchema)]
struct RestoreStep {
    /// What it does.
    #[schema(value_type = StepNameWord)]
    name: StepName,
    /// Where it stands.
    #[schema(value_type = StepStatusWord)]
    status: StepStatus,
    /// When it was begun, the last time.
    started_at: Option<Timestamp>,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// How long it took.
    seconds: Option<i64>,
    /// What it waits for, or why there was nothing to do.
    note: Option<String>,
}

/// Why a restore stopped, and what can be done.
#[derive(Debug, Serialize, ToSchema)]
struct FailedRestore {
    /// At which step.
    #[schema(value_type = StepNameWord)]
    step: StepName,
    /// EC2's error code, or one of ours; `aws_not_permitted` if our role lacks a right.
    code: String,
    /// In words.
    message: String,
    /// The AWS action that our role is not permitted, if that is it.
    missing_right: Option<String>,
    /// When.
    at: Timestamp,
    /// What exists now; empty once it is taken up again.
    exists: Vec<String>,
    /// How to go on.
    go_on: Option<String>,
    /// How to go back.
    go_back: Option<String>,
}

impl RestoreProgress {
    fn of(restore: &domain::Restore) -> Self {
        let of = restore.way().len();
        let at_hand = restore.step();
        let step = at_hand.map_or(of, |(number, _)| number);
        let text = match (at_hand, restore.is_undoing()) {
            (Some((number, step)), false) => format!("step {number} of {of}: {}", step.name),
            (Some((number, step)), true) => format!("back: step {number} of {of}: {}", step.name),
            (None, _) => restore.status.to_string(),
        };
        Self { step, of, percent: restore.progress_percent(), text }
    }
}

impl FailedRestore {
    fn of(failure: RestoreFailure, standing: Option<StoppedRestore>) -> Self {
        let RestoreFailure { step, code, message, missing_right, at } = failure;
        let (exists, go_on, go_back) = standing.map_or((Vec::new(), None, None), |standing| {
            let StoppedRestore { exists, go_on, go_back } = standing;
            (exists, Some(go_on), Some(go_back))
        });
        Self { step, code, message, missing_right, at, exists, go_on, go_back }
    }
}

impl From<step::Step> for RestoreStep {
    fn from(step: step::Step) -> Self {
        let step::Step { name, status, started_at, finished_at, note } = step;
        let seconds =
            started_at.zip(finished_at).map(|(from, to)| to.duration_since(from).as_secs());
        Self { name, status, started_at, finished_at, seconds, note }
    }
}

impl From<domain::Restore> for Restore {
    #[expect(clippy::too_many_lines, reason = "a line a field")]
    fn from(restore: domain::Restore) -> Self {
        let progress = RestoreProgress::of(&restore);
        let standing = restore.standing();
        let target_instance_id = restore.mode.target().cloned();
        let domain::Restore {
            id,
            version,
            snapshot_id,
            snapshot_name,
            schedule_id,
            instance_id,
            instance_name,
            region,
            zone,
            mode,
            requested_by,
            drill_due,
            created_at,
            status,
            steps,
            undo,
            notes,
            outlook,
            made:
                domain::Made {
                    volumes,
                    is_in_use: _is_in_use,
                    seen_attached: _seen_attached,
                    creating_at: _creating_at,
                    attempt: _attempt,
                    task_id,
                    image_id,
                    new_instance_id,
                },
            before:
                domain::Before {
                    old_volumes,
                    old_volumes_expire_at,
                    told_at: _told_at,
                    keep_old_days: _keep_old_days,
                    snapshot_first,
                    was_running,
                },
            course:
                domain::Course {
                    cancelled_by,
                    asked_at: _asked_at,
                    failure,
                    trouble,
                    lease: _lease,
                    attention_at: _attention_at,
                    finished_at,
                    flags_asked: _flags_asked,
                    places: _places,
                },
        } = restore;
        let old_volumes = old_volumes.into_iter().flatten().map(OldVolume::from);
        Self {
            id,
            snapshot_id,
            snapshot_name,
            schedule_id,
            instance_id,
            instance_name,
            region,
            zone,
            mode: RestoreMode::as_str(&mode),
            target_instance_id,
            requested_by,
            drill_due_at: drill_due,
            cancelled_by,
            created_at,
            finished_at,
            status,
            progress,
            steps: steps.into_iter().map(RestoreStep::from).collect(),
            undo_steps: undo.into_iter().map(RestoreStep::from).collect(),
            snapshot_first_id: snapshot_first,
            volumes: volumes.into_iter().map(RestoredVolume::from).collect(),
            old_volumes: old_volumes.collect(),
            outlook: outlook.into(),
            old_volumes_expire_at,
            was_running,
            root_task_id: task_id,
            ami_id: image_id,
            new_instance_id,
            notes,
            trouble,
            failure: failure.map(|failure| FailedRestore::of(failure, standing)),
            version,
        }
    }
}
