//! The numbers of all snapshots: the routes.

mod growth;
mod review;
mod wire;

use std::sync::Arc;

use shared::domain::cursor::{Order, Page};
use shared::views;
use shared::views::statistics::{DimensionKind, list_rows};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::growth::{Growth, GrowthParameters};
pub(super) use self::wire::SnapshotStatistics;
use self::wire::{InstanceNumbers, ScheduleNumbers};
use super::wire::List;
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;

/// Routes of numbers.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_snapshot_statistics))
        .routes(routes!(show_growth))
        .routes(routes!(list_instance_statistics))
        .routes(routes!(list_schedule_statistics))
        .merge(review::routes())
}

/// Show the numbers of all snapshots
///
/// How many there are by state, origin and region, how much of it is stored, the newest and the oldest, and what has come
/// and gone on each of the last 30 days in UTC. They are kept up to date with each change and nothing is counted for the
/// answer; once an hour all snapshots are counted, and what the numbers lacked is added. By instance and by schedule they
/// are lists of their own: `/v1/snapshots/stats/instances` and `/v1/snapshots/stats/schedules`. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/stats",
    tag = "snapshots",
    responses((status = 200, description = "The numbers", body = SnapshotStatistics))
)]
async fn show_snapshot_statistics(
    call: Call<Viewer>,
) -> Result<Answer<SnapshotStatistics>, Problem> {
    let statistics = views::statistics::show(call.service(), call.now).await?;
    Ok(Answer::ok(SnapshotStatistics::of(statistics, call.now)))
}

/// Show how it grew
///
/// What came and went, and how much was stored, by day, week or month in UTC, up to 1,100 days back and in 400 periods at
/// the most. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/stats/growth",
    tag = "snapshots",
    params(GrowthParameters),
    responses((status = 200, description = "The growth", body = Growth))
)]
async fn show_growth(call: Call<Viewer, GrowthParameters>) -> Result<Answer<Growth>, Problem> {
    let query = call.query.query(call.now)?;
    let periods = views::growth::growth(call.service(), &query, call.now).await?;
    Ok(Answer::ok(Growth::of(&query, periods)))
}

/// List the numbers of each instance
///
/// Of every instance of which snapshots are stored, in the order of their identifiers. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/stats/instances",
    tag = "snapshots",
    params(PageParameters),
    responses((status = 200, description = "A page of instances", body = List<InstanceNumbers>))
)]
async fn list_instance_statistics(
    call: Call<Viewer, PageParameters>,
) -> Result<Answer<List<InstanceNumbers>>, Problem> {
    let request = call.query.request(Order::OldestFirst);
    let page = list_rows(call.service(), DimensionKind::Instance, &request).await?;
    let Page { items, next_cursor } = page;
    let items = items.into_iter().filter_map(InstanceNumbers::of).collect();
    Ok(Answer::ok(List::of(Page { items, next_cursor }, |one: InstanceNumbers| one)))
}

/// List the numbers of each schedule
///
/// Of every schedule, and of all snapshots without one, a row for each region in which snapshots of it are stored, in the
/// order of their identifiers. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/stats/schedules",
    tag = "snapshots",
    params(PageParameters),
    responses((status = 200, description = "A page of schedules", body = List<ScheduleNumbers>))
)]
async fn list_schedule_statistics(
    call: Call<Viewer, PageParameters>,
) -> Result<Answer<List<ScheduleNumbers>>, Problem> {
    let request = call.query.request(Order::OldestFirst);
    let page = list_rows(call.service(), DimensionKind::Schedule, &request).await?;
    let Page { items, next_cursor } = page;
    let items = items.into_iter().filter_map(ScheduleNumbers::of).collect();
    Ok(Answer::ok(List::of(Page { items, next_cursor }, |one: ScheduleNumbers| one)))
}
