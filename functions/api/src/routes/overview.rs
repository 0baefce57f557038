//! What a page shows first: the whole at a glance, what waits for a person, what fires next, and the search.

mod search;
mod todo;
mod wire;

use std::sync::Arc;

use jiff::SignedDuration;
use shared::views::overview::overview;
use shared::views::search::search;
use shared::views::todo::todo;
use shared::views::upcoming::upcoming;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::search::{SearchParameters, SearchResult};
use self::todo::TodoList;
use self::wire::{Overview, Upcoming, UpcomingParameters};
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::problem::Problem;
use crate::respond::Answer;

/// Routes of what a page shows first.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_overview))
        .routes(routes!(list_todo))
        .routes(routes!(list_upcoming_fires))
        .routes(routes!(search_everything))
}

/// Show the whole at a glance
///
/// Numbers, how the first 200 instances are protected, how much waits for a person, the next five fires, and the growth
/// of the last 30 days. Nothing is counted for the answer but what `GET /v1/todo` looks at. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/overview",
    tag = "overview",
    responses((status = 200, description = "The whole", body = Overview))
)]
async fn show_overview(call: Call<Viewer>) -> Result<Answer<Overview>, Problem> {
    let whole = overview(call.service(), call.now).await?;
    Ok(Answer::ok(Overview::of(whole, call.now)))
}

/// List what waits for a person
///
/// Everything that failed, is late, is in the way or needs a decision, in one list: what matters most first, and then
/// what has waited longest. `path` leads to what it is about. What is many of a kind is one item with a `count`. Of
/// instances, the first 200 are looked at. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/todo",
    tag = "overview",
    responses((status = 200, description = "All of it", body = TodoList))
)]
async fn list_todo(call: Call<Viewer>) -> Result<Answer<TodoList>, Problem> {
    let all = todo(call.service(), call.now).await?;
    Ok(Answer::ok(TodoList::of(all, call.now)))
}

/// List the fires to come
///
/// Of all enabled schedules, the next first, 500 at the most. With `spread_minutes` targets follow for so long after a
/// fire. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/schedules/upcoming",
    tag = "schedules",
    params(UpcomingParameters),
    responses((status = 200, description = "The fires", body = Upcoming))
)]
async fn list_upcoming_fires(
    call: Call<Viewer, UpcomingParameters>,
) -> Result<Answer<Upcoming>, Problem> {
    let span = SignedDuration::from_hours(i64::from(call.query.hours));
    let coming = upcoming(call.service(), span, call.now).await?;
    Ok(Answer::ok(Upcoming::of(coming, call.now, span)))
}

/// Find anything
///
/// By any identifier: of an instance, a volume, an EBS snapshot, an AMI, or of ours (`snp_`, `sch_`, `swp_`, `rst_`,
/// `img_`); by the identifier of a request, as the audit has it; or by a part of the name of a schedule,
/// an instance or one of the newest 500 snapshots. Each kind has 20 at the most. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/search",
    tag = "overview",
    params(SearchParameters),
    responses((status = 200, description = "What was found", body = SearchResult))
)]
async fn search_everything(
    call: Call<Viewer, SearchParameters>,
) -> Result<Answer<SearchResult>, Problem> {
    let found = search(call.service(), call.query.text()?).await?;
    Ok(Answer::ok(SearchResult::of(found)))
}
