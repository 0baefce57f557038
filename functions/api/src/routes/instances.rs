//! Instances: the routes.

mod assign;
mod comb;
pub(super) mod machine;
mod protection;
mod slots;
mod wire;

use std::sync::Arc;

use shared::domain::cursor::Order;
use shared::domain::ids::{InstanceId, ScheduleId};
use shared::domain::instance::InstanceState;
use shared::domain::instance::coverage::ProtectionStatus as Protected;
use shared::operations::schedules;
use shared::operations::schedules::assign::AssignmentMode;
use shared::views::drills::last_drill_of_instance;
use shared::views::instance_coverage::{self, ViewFilter};
use shared::views::instances::InstanceQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::assign::{AssignParameters, AssignSchedules, AssignedSchedules};
use self::protection::ProtectionStatus;
use self::wire::{InstanceList, InstanceWithDetails};
use crate::app::App;
use crate::call::{Call, Operator, Viewer};
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters, TagText};
use crate::respond::Answer;

/// Routes of instances.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_instances))
        .routes(routes!(show_instance))
        .routes(routes!(assign_schedules))
        .merge(comb::routes())
        .merge(slots::routes())
}

/// Which instances are wanted: those to which everything given applies.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct InstanceParameters {
    /// Of which a snapshot can be taken (true) or cannot (false).
    eligible: Option<bool>,
    /// Of this region.
    #[param(example = "us-east-1")]
    region: Option<String>,
    /// Bearing this tag, `Key=Value`; may be repeated, and then all are wanted.
    #[param(value_type = Vec<String>, required = false, example = json!(["team=blue"]))]
    tag: Vec<TagText>,
    /// With this text in id, name or type; case does not matter.
    q: Option<String>,
    /// In this state: `running`, `stopped`, …
    #[param(value_type = Option<String>, example = "running")]
    state: Option<InstanceState>,
    /// Protected like this.
    #[param(value_type = Option<ProtectionStatus>, inline)]
    protection: Option<Protected>,
    /// That this schedule is for.
    #[param(value_type = Option<String>, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: Option<ScheduleId>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for InstanceParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            eligible: given.flag("eligible")?,
            region: given.one("region")?,
            tag: given.all("tag")?,
            q: given.text("q", 100)?,
            state: given.one("state")?,
            protection: given.one("protection")?,
            schedule_id: given.one("schedule_id")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// List instances
///
/// The instances as EC2 has them, region after region, each with whether a snapshot of it can be taken and why not, and
/// with how it is protected. A page may be short, even empty, although more follow. What could not be read in time is
/// null; with `protection`, which needs it, the request fails then. A region out of reach does not stop the list, which
/// says so; asked for alone, it is a 503. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances",
    tag = "instances",
    params(InstanceParameters, PageParameters),
    responses((status = 200, description = "A page of instances", body = InstanceList))
)]
async fn list_instances(
    call: Call<Viewer, InstanceParameters>,
) -> Result<Answer<InstanceList>, Problem> {
    let InstanceParameters { eligible, region, tag, q, state, protection, schedule_id, page } =
        &call.query;
    let query = InstanceQuery {
        tags: tag.iter().map(|TagText(tag)| tag.clone()).collect(),
        q: q.clone(),
        eligible: *eligible,
        region: region.clone(),
        state: *state,
        targets: None,
    };
    let filter = ViewFilter { protection: *protection, schedule_id: schedule_id.clone() };
    let request = page.request(Order::default());
    let list =
        instance_coverage::list_views(call.service(), &query, &filter, &request, call.now).await?;
    Ok(Answer::ok(InstanceList::of(list, call.now)))
}

/// Show an instance
///
/// Its configuration (vCPU, memory, graphics processors, disks, how it was launched), how it is protected, and how the
/// last drill of its snapshots ended. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances/{id}",
    tag = "instances",
    params(("id" = String, Path, description = "EC2's identifier", example = "i-0123456789abcdef0")),
    responses((status = 200, description = "The instance", body = InstanceWithDetails))
)]
async fn show_instance(
    call: Call<Viewer>,
    Id(id): Id<InstanceId>,
) -> Result<Answer<InstanceWithDetails>, Problem> {
    let view = instance_coverage::show_view(call.service(), &id, call.now).await?;
    let last_drill = last_drill_of_instance(call.service(), &id).await?;
    Ok(Answer::ok(InstanceWithDetails::of(view, last_drill, call.now)))
}

/// Assign schedules to an instance
///
/// Exactly these are for it afterwards: those that are not yet name it, those that are and are not in the list name it
/// no longer. A schedule whose tags select it leaves it out by its id (`excluded`). All are changed, or none; done
/// again, nothing changes. No snapshot is deleted by it, and the rules of a schedule go on for what it has taken. With
/// `preview=true` nothing is written. Role: operator.
#[utoipa::path(
    put,
    path = "/v1/instances/{id}/schedules",
    tag = "instances",
    params(
        ("id" = String, Path, description = "EC2's identifier", example = "i-0123456789abcdef0"),
        AssignParameters
    ),
    request_body = AssignSchedules,
    responses(
        (status = 200, description = "As it is now, or would be", body = AssignedSchedules),
        (status = 404, description = "EC2 has no such instance, or there is no such schedule"),
        (status = 409, description = "The instance is terminated, a schedule would have too many targets, or others \
            are changing it at the same time")
    )
)]
async fn assign_schedules(
    call: Call<Operator, AssignParameters>,
    Id(id): Id<InstanceId>,
    Body(wanted): Body<AssignSchedules>,
) -> Result<Answer<AssignedSchedules>, Problem> {
    let preview = call.query.preview;
    let mode = if preview == Some(true) { AssignmentMode::Preview } else { AssignmentMode::Write };
    let wanted = wanted.checked()?;
    let assignment = schedules::assign(call.service(), &id, &wanted, mode, call.now).await?;
    Ok(Answer::ok(AssignedSchedules::of(assignment, preview, call.now)))
}
