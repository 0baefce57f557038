//! Runs on the wire.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::cursor::Order;
use shared::domain::ids::ScheduleId;
use shared::domain::run as domain;
use shared::domain::snapshot::ScheduleSlot;
use shared::operations::run_schedule::run_now;
use shared::operations::schedules as operations;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{Failure, List};
use super::words::wire_words;
use crate::call::{App, Call, Operator, Viewer};
use crate::extract::{Claimed, Creation, Id, NoFields};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;

/// Routes of runs.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_runs, run_schedule))
}

/// What one slot of a schedule, or one "run now", did. Its snapshots are those of the schedule with its slot.
#[derive(Debug, Serialize, ToSchema)]
struct Run {
    /// The schedule.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// The due time, or when somebody asked.
    slot: Timestamp,
    /// What caused it.
    trigger: RunTrigger,
    /// Where it stands.
    status: RunStatus,
    /// How many slots before this one nobody ran, because nothing ticked.
    missed: u32,
    /// When it was last taken up.
    started_at: Timestamp,
    /// How late it began.
    lateness_seconds: i64,
    /// When the snapshots of all its targets had been asked for.
    dispatched_at: Option<Timestamp>,
    /// When all of them were settled.
    finished_at: Option<Timestamp>,
    /// How its targets stand, as of the last look.
    counts: RunCounts,
    /// Why it failed as a whole.
    failure: Option<Failure>,
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
        /// Its targets are being found and asked for.
        Dispatching,
        /// Their snapshots are being taken.
        Running,
        /// All are available.
        Done,
        /// Some are.
        PartlyFailed,
        /// None is.
        Failed,
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
    /// Neither yet.
    outstanding: u32,
}

impl From<domain::Run> for Run {
    fn from(run: domain::Run) -> Self {
        let domain::Run {
            slot: ScheduleSlot { schedule_id, slot },
            version: _version,
            status,
            trigger,
            targets: _targets,
            missed,
            claimed_at,
            lateness_seconds,
            dispatched_at,
            finished_at,
            counts,
            failure,
            attention_at: _attention_at,
        } = run;
        Self {
            schedule_id,
            slot,
            trigger: trigger.into(),
            status: status.into(),
            missed,
            started_at: claimed_at,
            lateness_seconds,
            dispatched_at,
            finished_at,
            counts: counts.into(),
            failure: failure.map(Failure::from),
        }
    }
}

impl From<domain::Counts> for RunCounts {
    fn from(counts: domain::Counts) -> Self {
        let domain::Counts { total, succeeded, failed, outstanding } = counts;
        Self { total, succeeded, failed, outstanding }
    }
}

/// List a schedule's runs
///
/// Newest first; those of a deleted schedule are still there. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/schedules/{id}/runs",
    tag = "schedules",
    params(("id" = String, Path, description = "The schedule"), PageParameters),
    responses((status = 200, description = "A page of runs", body = List<Run>))
)]
async fn list_runs(
    call: Call<Viewer, PageParameters>,
    Id(id): Id<ScheduleId>,
) -> Result<Answer<List<Run>>, Problem> {
    let request = call.query.request(Order::default());
    let page = operations::list_runs(call.service(), &id, &request).await?;
    Ok(Answer::ok(List::of(page, Run::from)))
}

/// Run a schedule now
///
/// Whatever its expression says, and even if it is disabled. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/schedules/{id}/runs",
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "The same key with the same request within 24 hours makes nothing new")
    ),
    responses((status = 202, description = "It runs", body = Run,
        headers(("Location" = String, description = "Where the schedule's runs are found"))))
)]
async fn run_schedule(
    call: Call<Operator>,
    Id(id): Id<ScheduleId>,
    creation: Creation<NoFields>,
) -> Result<Answer<Run>, Problem> {
    let Claimed { at, .. } = creation.claim(&call, ScheduleId::derived).await?;
    // Runs are told apart by the millisecond.
    let slot = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let run = run_now(call.service(), &id, slot, call.now).await?;
    Ok(Answer::accepted(run.into()).location(format!("/v1/schedules/{id}/runs")))
}
