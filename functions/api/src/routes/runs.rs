//! Runs: the routes.

mod wire;

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use jiff::Timestamp;
use shared::domain::cursor::Order;
use shared::domain::ids::ScheduleId;
use shared::domain::snapshot::ScheduleSlot;
use shared::operations::runs;
use shared::views;
use shared::views::runs::RunFilter;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{NamedRun, Run, RunStatus, RunWithTargets};
use super::wire::{CountedList, List, checked_period};
use crate::app::App;
use crate::call::{Call, Operator, Viewer};
use crate::extract::{Claimed, Creation, Id, NoFields};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::Answer;

/// Routes of runs.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_runs, run_schedule))
        .routes(routes!(show_run))
        .routes(routes!(list_all_runs))
}

/// The schedule and slot in the path.
#[derive(Debug)]
struct RunId(ScheduleSlot);

impl FromRequestParts<Arc<App>> for RunId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<App>) -> Result<Self, Problem> {
        let Path((id, slot)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::invalid("id", "is not readable as text"))?;
        let schedule_id =
            id.parse::<ScheduleId>().map_err(|error| Problem::invalid("id", error))?;
        let slot = Timestamp::from_str(&slot).map_err(|_| {
            Problem::invalid("slot", "must be the instant of a run, as the list of runs shows it")
        })?;
        Ok(Self(ScheduleSlot { schedule_id, slot }))
    }
}

/// Which runs are wanted: those to which everything given applies.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct WantedRuns {
    /// Standing there; may be repeated, and then any of them will do.
    #[param(value_type = Vec<RunStatus>, required = false, inline)]
    status: Vec<RunStatus>,
    /// Of slots at this instant or later.
    from: Option<Timestamp>,
    /// Of slots before this instant.
    to: Option<Timestamp>,
}

impl FromQuery for WantedRuns {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { status: given.all("status")?, from: given.one("from")?, to: given.one("to")? })
    }
}

impl WantedRuns {
    fn filter(&self) -> Result<RunFilter, Problem> {
        let Self { status, from, to } = self;
        checked_period(*from, *to)?;
        let status = status.iter().copied().map(Into::into).collect();
        Ok(RunFilter { status, from: *from, to: *to })
    }
}

/// Which runs of a schedule are wanted, and whether they are counted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RunParameters {
    #[param(ignore)]
    wanted: WantedRuns,
    /// Tell how many there are in all. Refused where there are more than 20,000 in that time.
    count: Option<bool>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for RunParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            wanted: WantedRuns::from_query(given)?,
            count: given.flag("count")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// List a schedule's runs
///
/// Newest first, the missed ones among them; those of a deleted schedule are still there. A page may be short although more
/// follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/schedules/{id}/runs",
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule"),
        WantedRuns, RunParameters, PageParameters
    ),
    responses((status = 200, description = "A page of runs", body = CountedList<Run>))
)]
async fn list_runs(
    call: Call<Viewer, RunParameters>,
    Id(id): Id<ScheduleId>,
) -> Result<Answer<CountedList<Run>>, Problem> {
    let RunParameters { wanted, count, page } = &call.query;
    let filter = wanted.filter()?;
    let request = page.request(Order::default());
    let page = views::runs::list(call.service(), &id, &filter, &request).await?;
    let total = match count {
        Some(true) => Some(views::runs::total(call.service(), &id, &filter).await?),
        Some(false) | None => None,
    };
    Ok(Answer::ok(CountedList::of(page, total, Run::from)))
}

/// Which runs of all schedules are wanted.
#[derive(Debug)]
struct AllRunsParameters {
    wanted: WantedRuns,
    page: PageParameters,
}

impl FromQuery for AllRunsParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let wanted = WantedRuns::from_query(given)?;
        Ok(Self { wanted, page: PageParameters::from_query(given)? })
    }
}

/// List the runs of all schedules
///
/// Newest slot first, the missed ones among them; those of deleted schedules are still there. A page may be short although
/// more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/runs",
    tag = "schedules",
    params(WantedRuns, PageParameters),
    responses((status = 200, description = "A page of runs", body = List<NamedRun>))
)]
async fn list_all_runs(
    call: Call<Viewer, AllRunsParameters>,
) -> Result<Answer<List<NamedRun>>, Problem> {
    let AllRunsParameters { wanted, page } = &call.query;
    let filter = wanted.filter()?;
    let request = page.request(Order::default());
    let page = views::runs::list_all(call.service(), &filter, &request).await?;
    let ids = page.items.iter().map(|run| run.slot.schedule_id.clone()).collect();
    let names = views::schedules::names(call.service(), &ids).await?;
    Ok(Answer::ok(List::of(page, |run| NamedRun::of(run, &names))))
}

/// Show a run with its targets
///
/// `limit` and `cursor` page through the targets, in the order in which they are asked for, each with what became
/// of it as it stands now, and how late it was. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/schedules/{id}/runs/{slot}",
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule"),
        ("slot" = Timestamp, Path, description = "The run's slot, as the list of runs shows it"),
        PageParameters
    ),
    responses((status = 200, description = "The run and a page of its targets", body = RunWithTargets))
)]
async fn show_run(
    call: Call<Viewer, PageParameters>,
    RunId(slot): RunId,
) -> Result<Answer<RunWithTargets>, Problem> {
    let request = call.query.request(Order::default());
    let (run, targets) = views::runs::show(call.service(), &slot, &request).await?;
    Ok(Answer::ok(RunWithTargets::of(run, targets)))
}

/// Run a schedule now
///
/// Whatever its expression says, and even if it is disabled; all targets at once, but for those whose last
/// snapshot by this schedule is still under way. Role: operator.
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
        headers(("Location" = String, description = "Where the run is found"))))
)]
async fn run_schedule(
    call: Call<Operator>,
    Id(id): Id<ScheduleId>,
    creation: Creation<NoFields>,
) -> Result<Answer<Run>, Problem> {
    let Claimed { at, .. } = creation.claim(&call, ScheduleId::derived).await?;
    // Runs are told apart by the millisecond.
    let slot = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let run = runs::begin_now(call.service(), &id, slot, call.now).await?;
    Ok(Answer::accepted(run.into()).location(format!("/v1/schedules/{id}/runs/{slot}")))
}
