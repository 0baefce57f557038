//! Holds: the list of all, and of those that somebody should look at.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::cursor::Page;
use shared::domain::hold::Deleter;
use shared::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use shared::domain::snapshot::{Snapshot, Status};
use shared::views::held_and_blocked::{self, Holds};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::snapshots::{Hold, Sort};
use super::wire::List;
use super::words::SnapshotStatus;
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::Answer;

/// Routes of holds. They are placed and removed as a field of their snapshots.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_holds))
}

/// Which holds are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HoldParameters {
    /// `true`: only those whose `review_at` is past.
    review_due: Option<bool>,
    /// By the snapshots: `-created_at` (newest first) unless told otherwise, or `created_at` (oldest first).
    #[param(inline)]
    sort: Option<Sort>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for HoldParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            review_due: given.flag("review_due")?,
            sort: given.one("sort")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// A snapshot that has a hold.
#[derive(Debug, Serialize, ToSchema)]
struct HeldSnapshot {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its name.
    name: String,
    /// Its instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// The instance's name then.
    instance_name: Option<String>,
    /// Its schedule.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// The sum of its volumes' sizes.
    size_gib: i64,
    /// Where it stands.
    #[schema(value_type = SnapshotStatus)]
    status: Status,
    /// Whether the hold still keeps it: one with an `until` that is over does not.
    active: bool,
    /// The hold.
    hold: Hold,
}

/// List holds
///
/// Every snapshot that has a hold, those too whose `until` is over: they are not `active`. Newest first unless `sort`
/// says otherwise. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/holds",
    tag = "holds",
    params(HoldParameters, PageParameters),
    responses((status = 200, description = "A page of holds", body = List<HeldSnapshot>))
)]
async fn list_holds(
    call: Call<Viewer, HoldParameters>,
) -> Result<Answer<List<HeldSnapshot>>, Problem> {
    let request = call.query.page.request(call.query.sort.unwrap_or_default().into());
    let wanted = if call.query.review_due == Some(true) { Holds::ReviewDue } else { Holds::All };
    let page = held_and_blocked::list_held(call.service(), wanted, &request, call.now).await?;
    let Page { items, next_cursor } = page;
    let items = items.into_iter().filter_map(|one| HeldSnapshot::of(one, call.now)).collect();
    Ok(Answer::ok(List::of(Page { items, next_cursor }, |one: HeldSnapshot| one)))
}

impl HeldSnapshot {
    /// The snapshot with its hold as it stands at `now`, if it has one.
    fn of(snapshot: Snapshot, now: Timestamp) -> Option<Self> {
        let (schedule_id, size_gib) = (snapshot.schedule_id().cloned(), snapshot.size_gib());
        let (taken_at, active) = (snapshot.taken_at(), snapshot.is_held(Deleter::Rule, now));
        let hold = Hold::from(snapshot.keepers.hold?);
        Some(Self {
            snapshot_id: snapshot.id,
            name: snapshot.name,
            instance_id: snapshot.source.instance_id,
            instance_name: snapshot.source.instance_name,
            schedule_id,
            taken_at,
            size_gib,
            status: snapshot.status,
            active,
            hold,
        })
    }
}
