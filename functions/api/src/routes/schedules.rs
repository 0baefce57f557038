//! Schedules: the routes.

mod copies;
mod durations;
mod edit_preview;
mod gone;
mod leftovers;
mod limits;
mod preview;
mod request;
mod wire;

use std::sync::Arc;

use shared::domain::cursor::Order;
use shared::domain::ids::ScheduleId;
use shared::domain::schedule as domain;
use shared::operations::schedules;
use shared::views;
use shared::views::drills::last_drills_of_schedules;
use shared::views::retention_preview::preview_edit;
use shared::views::schedule_limits::check_schedule;
use shared::views::schedules::ScheduleFilter;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::edit_preview::{EditAnswer, EditParameters, EditPreview};
use self::limits::{CheckedSchedule, CreateParameters};
use self::request::{CreateSchedule, EditSchedule};
use self::wire::Schedule;
use super::wire::CountedList;
use crate::again::again;
use crate::app::App;
use crate::call::{Admin, Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, Id, IfMatch};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::{Answer, Gone};
use crate::role::Role;

/// Routes of schedules.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_schedules, create_schedule))
        .routes(routes!(preview::preview_schedule))
        .routes(routes!(show_schedule, edit_schedule, delete_schedule))
        .routes(routes!(leftovers::decide_schedule_leftovers))
}

/// Which schedules are wanted: those to which everything given applies.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ScheduleParameters {
    /// Those that fire, or those that are disabled.
    enabled: Option<bool>,
    /// With this text in name or id; case does not matter.
    #[param(max_length = 100)]
    q: Option<String>,
    /// Tell how many there are in all.
    count: Option<bool>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for ScheduleParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            enabled: given.flag("enabled")?,
            q: given.text("q", 100)?,
            count: given.flag("count")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// List schedules
///
/// Newest first. A page may be short although more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/schedules",
    tag = "schedules",
    params(ScheduleParameters, PageParameters),
    responses((status = 200, description = "A page of schedules", body = CountedList<Schedule>))
)]
async fn list_schedules(
    call: Call<Viewer, ScheduleParameters>,
) -> Result<Answer<CountedList<Schedule>>, Problem> {
    let ScheduleParameters { enabled, q, count, page } = &call.query;
    let filter = ScheduleFilter { enabled: *enabled, q: q.clone() };
    let request = page.request(Order::default());
    let page = views::schedules::list(call.service(), &filter, &request).await?;
    let total = match count {
        Some(true) => Some(views::schedules::total(call.service(), &filter).await?),
        Some(false) | None => None,
    };
    let ids: Vec<_> = page.items.iter().map(|schedule| schedule.id.clone()).collect();
    let mut last = last_drills_of_schedules(call.service(), &ids).await?;
    let with_last = |schedule: domain::Schedule| {
        let drill = last.remove(&schedule.id);
        Schedule::of(schedule, drill)
    };
    Ok(Answer::ok(CountedList::of(page, total, with_last)))
}

/// Show a schedule
///
/// As it is at this moment. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/schedules/{id}",
    tag = "schedules",
    params(("id" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The schedule", body = Schedule,
        headers(("ETag" = String, description = "Its version"))))
)]
async fn show_schedule(
    call: Call<Viewer>,
    Id(id): Id<ScheduleId>,
) -> Result<Answer<Schedule>, Problem> {
    let schedule = views::schedules::show(call.service(), &id).await?;
    let version = schedule.version;
    let last =
        last_drills_of_schedules(call.service(), std::slice::from_ref(&id)).await?.remove(&id);
    Ok(Answer::ok(Schedule::of(schedule, last)).version(version))
}

/// Make a schedule
///
/// Its first slot is the next one; it never fires at once. Without retention it keeps everything. The answer
/// says what it comes to beside EC2's limits, with warnings in words; they do not keep it from being made. With
/// `preview=true` nothing is made. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/schedules",
    tag = "schedules",
    params(CreateParameters, ("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same request within 24 hours makes nothing new")),
    request_body = CreateSchedule,
    responses(
        (status = 200, description = "A preview: as it would be made", body = CheckedSchedule),
        (status = 201, description = "It is made", body = CheckedSchedule, headers(
            ("Location" = String, description = "Where it is found"),
            ("ETag" = String, description = "Its version"))),
        (status = 409, description = "The request with this key made a schedule that has been deleted since")
    )
)]
async fn create_schedule(
    call: Call<Operator, CreateParameters>,
    creation: Creation<CreateSchedule>,
) -> Result<Answer<CheckedSchedule>, Problem> {
    // What is wrong with the request shows before its key is used up.
    let settings = creation.body.clone().settings()?;
    if call.query.preview == Some(true) {
        let id = ScheduleId::derived(call.now, &[&call.request_id]);
        let schedule = schedules::planned(call.service(), id, settings, call.now)?;
        let limits = check_schedule(call.service(), &schedule, call.now).await;
        return Ok(Answer::ok(CheckedSchedule::preview(schedule, limits)));
    }
    let Claimed { id, at } = creation.claim(&call, ScheduleId::derived).await?;
    let schedule = schedules::create(call.service(), id, settings, at).await?;
    let (version, path) = (schedule.version, format!("/v1/schedules/{}", schedule.id));
    // Only now: it is made, whatever becomes of the check.
    let limits = check_schedule(call.service(), &schedule, call.now).await;
    let made = CheckedSchedule::made(schedule, limits);
    Ok(Answer::created(made).version(version).location(path))
}

/// Edit a schedule
///
/// What is not given stays; null clears. `targets` and `options` are merged field by field; lists, tags,
/// `when_gone`, `retention` and `copies` are replaced as a whole. Enabling it again does not fire it. Disabled, it begins no
/// more runs, a slot that is due and has not begun is recorded as missed, and a run under way goes on. The answer
/// says what it comes to beside EC2's limits. With `preview=true` nothing is written: the answer is what the next sweep
/// would do now with and without the edit. Role: operator; to edit `retention`, `copies`, `when_gone`,
/// `timezone` or `grace_minutes` without `preview`, admin.
#[utoipa::path(
    patch,
    path = "/v1/schedules/{id}",
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule"),
        ("If-Match" = Option<String>, Header, description = "The version that must be current, as in ETag"),
        EditParameters
    ),
    request_body = EditSchedule,
    responses((status = 200, description = "As it is now, or what the edit would do", body = EditAnswer,
        headers(("ETag" = String, description = "Its version; none with `preview`"))))
)]
async fn edit_schedule(
    call: Call<Operator, EditParameters>,
    Id(id): Id<ScheduleId>,
    IfMatch(expected): IfMatch,
    Body(wanted): Body<EditSchedule>,
) -> Result<Answer<EditAnswer>, Problem> {
    let is_preview = call.query.preview == Some(true);
    if wanted.touches_retention() && !is_preview {
        call.needs(Role::Admin, "editing retention, its zone or its grace")?;
    }
    let edit = wanted.edit()?;
    if is_preview {
        let edit = schedules::plan_edit(call.service(), &id, &edit, expected, call.now).await?;
        let preview = preview_edit(call.service(), &edit.old, &edit.new, call.now).await?;
        let limits = check_schedule(call.service(), &edit.new, call.now).await;
        return Ok(Answer::ok(EditAnswer::Preview(EditPreview::of(preview, limits))));
    }
    let attempt = || schedules::edit(call.service(), &id, &edit, expected, call.now);
    let edited = again(expected, attempt).await?;
    let limits = check_schedule(call.service(), &edited, call.now).await;
    let version = edited.version;
    let checked = CheckedSchedule::made(edited, limits);
    Ok(Answer::ok(EditAnswer::Schedule(Box::new(checked))).version(version))
}

/// Delete a schedule
///
/// Its snapshots stay, and no rule deletes them any more. Role: admin.
#[utoipa::path(
    delete,
    path = "/v1/schedules/{id}",
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule"),
        ("If-Match" = Option<String>, Header, description = "The version that must be current, as in ETag")
    ),
    responses((status = 204, description = "It is deleted"))
)]
async fn delete_schedule(
    call: Call<Admin>,
    Id(id): Id<ScheduleId>,
    IfMatch(expected): IfMatch,
) -> Result<Gone, Problem> {
    again(expected, || schedules::delete(call.service(), &id, expected, call.now)).await?;
    Ok(Gone)
}
