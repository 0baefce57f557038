//! Runs and their targets on the wire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::cursor::Page;
use shared::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use shared::domain::run as domain;
use shared::domain::run::outcome;
use shared::domain::snapshot::ScheduleSlot;
use shared::views;
use utoipa::ToSchema;

use crate::routes::wire::{Failure, List};
use crate::routes::words::wire_words;

/// What one slot of a schedule, or one "run now", did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Run {
    /// The schedule.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// The due time, or when somebody asked.
    slot: Timestamp,
    /// What caused it.
    trigger: RunTrigger,
    /// Where it stands.
    status: RunStatus,
    /// How many slots before this one nobody took up, because nothing ticked. The latest hundred of them have a record
    /// of their own, `missed`.
    missed: u32,
    /// Over how many minutes its targets are staggered.
    spread_minutes: u32,
    /// When it was first taken up, or found to have been missed.
    started_at: Timestamp,
    /// How late it was then.
    lateness_seconds: i64,
    /// When the snapshots of all its targets had been asked for.
    dispatched_at: Option<Timestamp>,
    /// When all of them were settled.
    finished_at: Option<Timestamp>,
    /// How its targets stand, as of the last look.
    counts: RunCounts,
    /// Why it failed, as a whole or in part.
    failure: Option<Failure>,
    /// The regions whose instances are not among its targets: they were out of reach. While the run is under way they
    /// are asked again.
    regions_out_of_reach: Vec<String>,
}

wire_words! {
    /// What caused a run.
    RunTrigger of domain::Trigger {
        /// Its due time.
        Schedule,
        /// A person.
        Person,
    }
}

wire_words! {
    /// Where a run stands.
    RunStatus of domain::RunStatus {
        /// Its targets are being found.
        Dispatching,
        /// Their snapshots are being asked for and taken.
        Running,
        /// All are available.
        Done,
        /// Some are.
        PartlyFailed,
        /// None is.
        Failed,
        /// It could not be begun in time; a later slot took its place, or its schedule was disabled.
        Missed,
    }
}

/// How the targets of a run stand, in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct RunCounts {
    /// How many there are.
    total: u32,
    /// Whole and restorable, or have been.
    succeeded: u32,
    /// Failed.
    failed: u32,
    /// Not asked for, because a snapshot of another run was still under way.
    skipped: u32,
    /// None of these yet.
    outstanding: u32,
}

/// A run and a page of its targets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunWithTargets {
    #[serde(flatten)]
    run: Run,
    /// Its targets, in the order in which they are asked for; empty until they are found.
    targets: List<RunTarget>,
}

/// A run among those of all schedules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedRun {
    #[serde(flatten)]
    run: Run,
    /// The schedule's name; null if it is deleted.
    #[schema(required)]
    schedule_name: Option<String>,
}

/// What a run did for one instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunTarget {
    /// The instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its snapshot; there is none yet while the target is waiting, and never one if it was skipped.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// When it is asked for: at the slot, or staggered after it.
    due_at: Timestamp,
    /// What became of it.
    outcome: RunOutcome,
    /// Why it failed, was skipped or was put off, in words.
    reason: Option<String>,
    /// When EC2 began it: the instant whose content the snapshot has.
    taken_at: Option<Timestamp>,
    /// How long after `due_at` that was.
    lateness_seconds: Option<i64>,
}

wire_words! {
    /// What became of a target of a run. `waiting`: its time has not come. `requested`: asked for, and nothing
    /// asked of EC2 yet. `creating`: asked of EC2, the answer is not in. `pending`: EC2 is writing it. `available`:
    /// taken, and still there, if only until its deletion is due. `gone`: taken, and deleted or lost since.
    /// `failed`: not taken, or not whole. `skipped`: not asked for, because the snapshot before was still under way.
    RunOutcome of outcome::Outcome {
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
        /// Not asked for: the snapshot before was still under way.
        Skipped,
        /// Taken, and deleted or lost since.
        Gone,
    }
}

impl NamedRun {
    /// The run with its schedule's name among these.
    pub(super) fn of(run: domain::Run, names: &BTreeMap<ScheduleId, String>) -> Self {
        let schedule_name = names.get(&run.slot.schedule_id).cloned();
        Self { run: run.into(), schedule_name }
    }
}

impl RunWithTargets {
    /// The run with this page of its targets.
    pub(super) fn of(run: domain::Run, page: Page<views::runs::RunTarget>) -> Self {
        Self { run: run.into(), targets: List::of(page, RunTarget::from) }
    }
}

impl From<views::runs::RunTarget> for RunTarget {
    fn from(target: views::runs::RunTarget) -> Self {
        let views::runs::RunTarget {
            instance_id,
            snapshot_id,
            due_at,
            outcome,
            reason,
            started_at,
        } = target;
        Self {
            instance_id,
            snapshot_id,
            due_at,
            outcome: outcome.into(),
            reason,
            taken_at: started_at,
            lateness_seconds: started_at.map(|at| at.duration_since(due_at).as_secs().max(0)),
        }
    }
}

impl From<domain::Run> for Run {
    fn from(run: domain::Run) -> Self {
        let started_at = run.begun_at();
        let domain::Run {
            slot: ScheduleSlot { schedule_id, slot },
            version: _version,
            status,
            trigger,
            targets: _targets,
            spread_minutes,
            asked: _asked,
            checked: _checked,
            overlaps: _overlaps,
            skipped: _skipped,
            unresolved,
            unreached,
            missed,
            claimed_at: _claimed_at,
            lateness_seconds,
            dispatched_at,
            finished_at,
            counts,
            failure,
            look_at: _look_at,
            attention_at: _attention_at,
        } = run;
        Self {
            schedule_id,
            slot,
            trigger: trigger.into(),
            status: status.into(),
            missed,
            spread_minutes,
            started_at,
            lateness_seconds,
            dispatched_at,
            finished_at,
            counts: counts.into(),
            failure: failure.map(Failure::from),
            regions_out_of_reach: unreached.into_iter().chain(unresolved).collect(),
        }
    }
}

impl From<outcome::Counts> for RunCounts {
    fn from(counts: outcome::Counts) -> Self {
        let outcome::Counts { total, succeeded, failed, skipped, outstanding } = counts;
        Self { total, succeeded, failed, skipped, outstanding }
    }
}
