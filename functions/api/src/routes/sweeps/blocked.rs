//! What should be gone and cannot: the ledger.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::cursor::Page;
use shared::domain::ids::{ImageId, InstanceId, ScheduleId, SnapshotId};
use shared::domain::snapshot::condemnation::{Blocked, BlockedCause, CondemnedBy, WantedDeletion};
use shared::domain::snapshot::{Snapshot, Status};
use shared::views::held_and_blocked;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::snapshots::{BlockedBy, Condemner, Sort};
use super::super::wire::List;
use super::super::words::SnapshotStatus;
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::Answer;

/// The route of the ledger.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_blocked))
}

/// Which way the ledger runs.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BlockedParameters {
    /// `-created_at` (newest first) unless told otherwise, or `created_at` (oldest first).
    #[param(inline)]
    sort: Option<Sort>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for BlockedParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { sort: given.one("sort")?, page: PageParameters::from_query(given)? })
    }
}

/// A snapshot that should be gone and cannot.
#[derive(Debug, Serialize, ToSchema)]
struct BlockedSnapshot {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// The instance's name then.
    instance_name: Option<String>,
    /// Its schedule.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// Its name.
    name: String,
    /// The sum of its volumes' sizes.
    size_gib: i64,
    /// Where it stands: what is not condemned yet can be restored as before.
    #[schema(value_type = SnapshotStatus)]
    status: Status,
    /// What is in the way.
    cause: BlockedBy,
    /// The same in words.
    detail: String,
    /// With cause `in_use`: the image, where EC2 says which.
    #[schema(value_type = Option<String>, example = "ami-0123456789abcdef0")]
    ami_id: Option<ImageId>,
    /// Since when.
    since: Timestamp,
    /// What wants it gone.
    wanted_by: Option<WantedBy>,
}

/// What wants a snapshot gone.
#[derive(Debug, Serialize, ToSchema)]
struct WantedBy {
    /// Which rule or person.
    cause: Condemner,
    /// Who, if it is a person.
    by: Option<String>,
    /// In words.
    reason: String,
}

/// List what should be gone and cannot
///
/// Condemned snapshots that something is in the way of, and available ones that a rule wants gone and an image uses;
/// these as of the last executed sweep. Newest first unless `sort` says otherwise. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/sweeps/blocked",
    tag = "sweeps",
    params(BlockedParameters, PageParameters),
    responses((status = 200, description = "A page of the ledger", body = List<BlockedSnapshot>))
)]
async fn list_blocked(
    call: Call<Viewer, BlockedParameters>,
) -> Result<Answer<List<BlockedSnapshot>>, Problem> {
    let request = call.query.page.request(call.query.sort.unwrap_or_default().into());
    let page = held_and_blocked::list_blocked(call.service(), &request).await?;
    let Page { items, next_cursor } = page;
    let items = items.into_iter().filter_map(BlockedSnapshot::of).collect();
    Ok(Answer::ok(List::of(Page { items, next_cursor }, |one: BlockedSnapshot| one)))
}

impl BlockedSnapshot {
    /// The snapshot in the ledger, if it is blocked.
    fn of(snapshot: Snapshot) -> Option<Self> {
        let (schedule_id, size_gib) = (snapshot.schedule_id().cloned(), snapshot.size_gib());
        let wanted_by = snapshot.wanted_by().map(WantedBy::from);
        let Blocked { cause, since, wanted: _wanted } = snapshot.ending.blocked?;
        Some(Self {
            snapshot_id: snapshot.id,
            instance_id: snapshot.source.instance_id,
            instance_name: snapshot.source.instance_name,
            schedule_id,
            name: snapshot.name,
            size_gib,
            status: snapshot.status,
            cause: BlockedBy::from(&cause),
            detail: cause.describe(),
            ami_id: match cause {
                BlockedCause::InUse { image_id, .. } => image_id,
                BlockedCause::Locked { .. }
                | BlockedCause::NotPermitted { .. }
                | BlockedCause::Held
                | BlockedCause::InRestore { .. }
                | BlockedCause::Newest
                | BlockedCause::NotMarked { .. }
                | BlockedCause::Refused { .. } => None,
            },
            since,
            wanted_by,
        })
    }
}

impl From<WantedDeletion> for WantedBy {
    fn from(wanted: WantedDeletion) -> Self {
        let WantedDeletion { by, reason } = wanted;
        let cause = Condemner::from(&by);
        let by = match by {
            CondemnedBy::Person { who } => Some(who),
            CondemnedBy::Rules { .. }
            | CondemnedBy::InstanceGone { .. }
            | CondemnedBy::Expiry { .. }
            | CondemnedBy::Failed
            | CondemnedBy::Duplicate => None,
        };
        Self { cause, by, reason }
    }
}
