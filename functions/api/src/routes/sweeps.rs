//! Sweeps: the routes.

mod blocked;
mod parameters;
mod plan;
mod wire;

use std::sync::Arc;

use serde::Deserialize;
use shared::domain::cursor::Order;
use shared::domain::ids::SweepId;
use shared::domain::sweep as domain;
use shared::operations::sweeps;
use shared::views;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::parameters::{PlanParameters, SweepParameters};
use self::wire::{Sweep, SweepMode, SweepWithPlan};
use super::wire::CountedList;
use crate::app::App;
use crate::call::{Admin, Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, Id};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;
use crate::role::Role;

/// Routes of sweeps.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_sweeps, request_sweep))
        .routes(routes!(show_sweep))
        .merge(blocked::routes())
        .routes(routes!(approve_sweep))
}

/// A sweep that is wanted.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestSweep {
    /// Whether it only plans.
    mode: SweepMode,
}

/// Which plan is released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApproveSweep {
    /// The plan's hash, as the sweep shows it.
    plan_hash: String,
}

fn accepted(sweep: domain::Sweep) -> Answer<Sweep> {
    let path = format!("/v1/sweeps/{}", sweep.id);
    Answer::accepted(sweep.into()).location(path)
}

/// List sweeps
///
/// Newest first, without their plans. A page may be short although more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/sweeps",
    tag = "sweeps",
    params(SweepParameters, PageParameters),
    responses((status = 200, description = "A page of sweeps", body = CountedList<Sweep>))
)]
async fn list_sweeps(
    call: Call<Viewer, SweepParameters>,
) -> Result<Answer<CountedList<Sweep>>, Problem> {
    let SweepParameters { filter, count, page } = &call.query;
    let request = page.request(Order::default());
    let page = views::sweeps::list(call.service(), filter, &request).await?;
    let total = match count {
        Some(true) => Some(views::sweeps::total(call.service(), filter).await?),
        Some(false) | None => None,
    };
    Ok(Answer::ok(CountedList::of(page, total, Sweep::from)))
}

/// Show a sweep with its plan
///
/// `limit` and `cursor` page through the plan: every snapshot that could go, oldest first, each with verdict
/// and reasons. The plan of an hourly sweep has only what is not kept. With a filter a page may be short although more
/// follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/sweeps/{id}",
    tag = "sweeps",
    params(("id" = String, Path, description = "The sweep"), PlanParameters, PageParameters),
    responses((status = 200, description = "The sweep and a page of its plan", body = SweepWithPlan))
)]
async fn show_sweep(
    call: Call<Viewer, PlanParameters>,
    Id(id): Id<SweepId>,
) -> Result<Answer<SweepWithPlan>, Problem> {
    let PlanParameters { filter, page } = &call.query;
    let request = page.request(Order::default());
    let sweep = views::sweeps::show(call.service(), &id).await?;
    let page = views::sweeps::list_entries(call.service(), &sweep, filter, &request).await?;
    Ok(Answer::ok(SweepWithPlan::of(sweep, page)))
}

/// Ask for a sweep
///
/// `plan_only` makes a plan and carries nothing of it out; `execute` carries it out, as far as the brake lets
/// it. Role: operator; to execute, admin.
#[utoipa::path(
    post,
    path = "/v1/sweeps",
    tag = "sweeps",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same request within 24 hours makes nothing new")),
    request_body = RequestSweep,
    responses((status = 202, description = "It is wanted", body = Sweep,
        headers(("Location" = String, description = "Where it is found"))))
)]
async fn request_sweep(
    call: Call<Operator>,
    creation: Creation<RequestSweep>,
) -> Result<Answer<Sweep>, Problem> {
    let mode = creation.body.mode.into();
    match mode {
        domain::SweepMode::PlanOnly => {}
        domain::SweepMode::Execute => call.needs(Role::Admin, "executing a sweep")?,
    }
    let Claimed { id, at } = creation.claim(&call, SweepId::derived).await?;
    let sweep = sweeps::request(call.service(), id, mode, &call.who, at).await?;
    Ok(accepted(sweep))
}

/// Approve a sweep
///
/// Releases what the brake has stopped: this very plan, within an hour of it and while the rules, the zone and
/// `when_gone` of the stopped schedules are what it was made with. What a plan of the moment in which it is carried
/// out does not delete, by the same rule, is left out with outcome `changed`. Repeated, it does nothing more.
/// Role: admin.
#[utoipa::path(
    post,
    path = "/v1/sweeps/{id}/approve",
    tag = "sweeps",
    params(("id" = String, Path, description = "The sweep")),
    request_body = ApproveSweep,
    responses(
        (status = 202, description = "It is released", body = Sweep,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 409, description = "It does not need approval, or the plan is another, too old, or made with other rules")
    )
)]
async fn approve_sweep(
    call: Call<Admin>,
    Id(id): Id<SweepId>,
    Body(ApproveSweep { plan_hash }): Body<ApproveSweep>,
) -> Result<Answer<Sweep>, Problem> {
    let service = call.service();
    let sweep = sweeps::approve(service, &id, &plan_hash, &call.who, call.now).await?;
    Ok(accepted(sweep))
}
