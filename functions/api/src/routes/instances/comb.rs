//! The comb of an instance, and of many: the routes, and what they answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::fate;
use shared::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use shared::domain::snapshot::{self as domain, Origin, Status};
use shared::views::combs::{
    CombQuery, CombView, INSTANCES_MAX, SHOWN_MAX, SHOWN_OF_MANY_MAX, combs,
};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::snapshots::FateOutlook;
use super::super::wire::checked_period;
use super::super::words::{SnapshotOrigin, SnapshotStatus};
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};
use crate::respond::Answer;

/// Routes of combs.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show_comb)).routes(routes!(show_combs))
}

/// Which part of a comb is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct CombParameters {
    /// Taken at this instant or later.
    from: Option<Timestamp>,
    /// Taken before this instant.
    to: Option<Timestamp>,
    /// Whether `deleted` and `missing` ones are wanted too.
    include_deleted: Option<bool>,
}

impl FromQuery for CombParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            from: given.one("from")?,
            to: given.one("to")?,
            include_deleted: given.flag("include_deleted")?,
        })
    }
}

/// Which combs are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedCombs {
    /// Of which instances, 25 at the most.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 25,
        example = json!(["i-0123456789abcdef0"]))]
    instance_ids: Vec<InstanceId>,
    /// Taken at this instant or later.
    from: Option<Timestamp>,
    /// Taken before this instant.
    to: Option<Timestamp>,
}

/// The combs of several instances.
#[derive(Debug, Serialize, ToSchema)]
struct Combs {
    /// Each, in the order in which they were asked for; one of which nothing is known is empty.
    items: Vec<InstanceComb>,
}

/// All snapshots of an instance, in short.
#[derive(Debug, Serialize, ToSchema)]
struct InstanceComb {
    /// The instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its name when the newest was taken.
    instance_name: Option<String>,
    /// The instant of the answer.
    as_of: Timestamp,
    /// The next five fires, within 35 days, of the schedules that name it or took these.
    next_fires: Vec<CombFire>,
    /// The snapshots in the order in which they were taken.
    items: Vec<CombTooth>,
    /// Whether there are older ones: ask again with `to`.
    more: bool,
}

/// A fire that is to come for an instance.
#[derive(Debug, Serialize, ToSchema)]
struct CombFire {
    /// When.
    at: Timestamp,
    /// Of which schedule.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// Its name.
    schedule_name: String,
}

/// A snapshot in short.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "JSON's true and false")]
struct CombTooth {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its name.
    name: String,
    /// Where it stands.
    #[schema(value_type = SnapshotStatus)]
    status: Status,
    /// How it came to be.
    #[schema(value_type = SnapshotOrigin)]
    origin: Origin,
    /// The region it is in.
    region: String,
    /// Its schedule.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The due time it was taken for.
    slot: Option<Timestamp>,
    /// The instant whose content it has; until EC2 has begun it, when it was asked for.
    taken_at: Timestamp,
    /// The sum of its volumes' sizes.
    size_gib: i64,
    /// Whether it has a hold.
    held: bool,
    /// Whether it should be gone and is not.
    blocked: bool,
    /// Whether it will go.
    outlook: FateOutlook,
    /// With outlook `at`: when it goes, or shortly after.
    expected_deletion_at: Option<Timestamp>,
    /// The reasons that a sweep would give now to keep it.
    kept_by: Vec<String>,
}

/// Show the comb of an instance
///
/// All its snapshots in short, each with why it is kept and when it will go, and what fires next: the newest 3,000 of
/// those that are wanted. It is there for instances that are gone as well, and empty for one that nothing is known of.
/// Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances/{id}/comb",
    tag = "instances",
    params(
        ("id" = String, Path, description = "EC2's identifier", example = "i-0123456789abcdef0"),
        CombParameters
    ),
    responses((status = 200, description = "The comb", body = InstanceComb))
)]
async fn show_comb(
    call: Call<Viewer, CombParameters>,
    Id(id): Id<InstanceId>,
) -> Result<Answer<InstanceComb>, Problem> {
    let CombParameters { from, to, include_deleted } = call.query;
    checked_period(from, to)?;
    let gone = include_deleted.unwrap_or(false);
    let query = CombQuery { from, to, gone, limit: SHOWN_MAX };
    let found = combs(call.service(), vec![id], query, call.now).await?.pop();
    let missing = || Problem::internal("a comb is missing");
    Ok(Answer::ok(InstanceComb::of(found.ok_or_else(missing)?, call.now)))
}

/// Show the combs of several instances
///
/// The same for up to 25 instances, of each the newest 200 of those that are wanted. Role: viewer.
#[utoipa::path(
    post,
    path = "/v1/instances/combs:batch",
    tag = "instances",
    request_body = WantedCombs,
    responses((status = 200, description = "The combs", body = Combs))
)]
async fn show_combs(
    call: Call<Viewer>,
    Body(wanted): Body<WantedCombs>,
) -> Result<Answer<Combs>, Problem> {
    let WantedCombs { instance_ids, from, to } = wanted;
    checked_period(from, to)?;
    if !(1..=INSTANCES_MAX).contains(&instance_ids.len()) {
        let allowed = format!("must be 1 to {INSTANCES_MAX}, not {}", instance_ids.len());
        return Err(Problem::invalid("instance_ids", allowed));
    }
    let mut seen = BTreeSet::new();
    if let Some(place) = instance_ids.iter().position(|id| !seen.insert(id)) {
        return Err(Problem::invalid(format!("instance_ids[{place}]"), "is given twice"));
    }
    let query = CombQuery { from, to, gone: false, limit: SHOWN_OF_MANY_MAX };
    let found = combs(call.service(), instance_ids, query, call.now).await?;
    let items = found.into_iter().map(|one| InstanceComb::of(one, call.now)).collect();
    Ok(Answer::ok(Combs { items }))
}

impl InstanceComb {
    fn of(view: CombView, now: Timestamp) -> Self {
        let CombView { instance_id, instance_name, next_fires, items, more } = view;
        let next_fires = next_fires
            .into_iter()
            .map(|fire| CombFire {
                at: fire.at,
                schedule_id: fire.schedule_id,
                schedule_name: fire.schedule_name,
            })
            .collect();
        let items = items.into_iter().map(|(one, fate)| CombTooth::of(one, fate)).collect();
        Self { instance_id, instance_name, as_of: now, next_fires, items, more }
    }
}

impl CombTooth {
    fn of(snapshot: domain::Snapshot, fate: fate::Fate) -> Self {
        let (outlook, expected_deletion_at) = FateOutlook::of(fate.outlook);
        Self {
            taken_at: snapshot.taken_at(),
            schedule_id: snapshot.schedule_id().cloned(),
            size_gib: snapshot.size_gib(),
            held: snapshot.keepers.hold.is_some(),
            blocked: snapshot.ending.blocked.is_some(),
            slot: snapshot.slot.map(|slot| slot.slot),
            snapshot_id: snapshot.id,
            name: snapshot.name,
            status: snapshot.status,
            origin: snapshot.origin,
            region: snapshot.source.region,
            outlook,
            expected_deletion_at,
            kept_by: fate.kept_by,
        }
    }
}
