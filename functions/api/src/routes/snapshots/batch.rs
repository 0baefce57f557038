//! One deed done to many snapshots: the route, and what it is asked and answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::domain::hold::HoldKind;
use shared::domain::ids::SnapshotId;
use shared::domain::snapshot::{self as domain, Status};
use shared::operations::snapshots::batch::{BatchMode, BatchOutcome, Deed, batch};
use shared::views;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::wire::{Clearable, GRACE_MINUTES_MAX, ahead, clearable};
use super::super::words::SnapshotStatus;
use super::hold::{PlaceHold, WantedHold, is_weaker};
use crate::app::App;
use crate::call::{Call, Operator};
use crate::extract::Body;
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};
use crate::respond::Answer;
use crate::role::Role;

/// How many snapshots one request names at the most.
const SNAPSHOTS_MAX: usize = 100;

/// The route.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(change_snapshots))
}

/// Whether anything is done.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BatchParameters {
    /// Say what would become of each, and do nothing.
    preview: Option<bool>,
}

impl FromQuery for BatchParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { preview: given.flag("preview")? })
    }
}

/// What is to be done to many snapshots.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeSnapshots {
    /// Which, 100 at the most.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100,
        example = json!(["snp_0195500c-6d00-7000-8000-000000000000"]))]
    snapshot_ids: Vec<SnapshotId>,
    /// What.
    action: BatchAction,
    /// With action `hold`, and only then: the hold.
    #[schema(value_type = Option<PlaceHold>)]
    hold: Option<WantedHold>,
    /// With action `set_expiry`, and only then: when they go by themselves; null if they no longer do.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Timestamp>)]
    expires_at: Clearable<Timestamp>,
    /// With action `delete` only: for how many minutes they can be rescued; none unless asked for.
    #[schema(maximum = 525_600)]
    grace_minutes: Option<i64>,
}

/// What is to be done to each snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum BatchAction {
    /// Place a hold. To weaken one that is there, admin.
    Hold,
    /// Remove the hold. Admin, where there is one.
    ReleaseHold,
    /// Set when they go by themselves. To an earlier instant than before, admin.
    SetExpiry,
    /// Condemn them. Admin.
    Delete,
    /// Undo their condemnation.
    Rescue,
}

/// What became of many snapshots, or would.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedSnapshots {
    /// Whether nothing was done.
    preview: bool,
    /// Each of them, in the order in which they were given.
    items: Vec<ChangedSnapshot>,
    /// All of them in numbers.
    counts: BatchCounts,
}

/// What became of one snapshot, or would.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedSnapshot {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its name; null if there is no such snapshot.
    name: Option<String>,
    /// What became of it.
    outcome: BatchOutcomeWord,
    /// Where it stands then; null if there is no such snapshot.
    #[schema(value_type = Option<SnapshotStatus>)]
    status: Option<Status>,
    /// Why it was refused.
    problem: Option<ItemProblem>,
}

/// What became of one snapshot of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BatchOutcome)]
enum BatchOutcomeWord {
    /// It is done, or with `preview` it would be.
    Done,
    /// It was like that already.
    Unchanged,
    /// It was refused, or with `preview` it would be.
    Refused,
}

/// Why one of many was refused: what the request for it alone would be answered with.
#[derive(Debug, Serialize, ToSchema)]
struct ItemProblem {
    /// What kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "urn:snapkeep:problem:conflict")]
    kind: String,
    /// The HTTP status that it alone would have.
    #[schema(example = 409)]
    status: u16,
    /// What is wrong in this case.
    detail: String,
}

/// How many snapshots it went how with.
#[derive(Debug, Default, Serialize, ToSchema)]
struct BatchCounts {
    /// Done.
    done: usize,
    /// Like that already.
    unchanged: usize,
    /// Refused.
    refused: usize,
}

impl ChangeSnapshots {
    /// The deed that the parts make together.
    fn deed(&self, now: Timestamp) -> Result<Deed, Problem> {
        let Self { action, hold, expires_at, grace_minutes, .. } = self;
        let action = *action;
        let strays = [
            ("hold", hold.is_some() && action != BatchAction::Hold, "hold"),
            ("expires_at", expires_at.is_some() && action != BatchAction::SetExpiry, "set_expiry"),
            ("grace_minutes", grace_minutes.is_some() && action != BatchAction::Delete, "delete"),
        ];
        if let Some((field, _, of)) = strays.into_iter().find(|(_, is_stray, _)| *is_stray) {
            return Err(Problem::invalid(field, format!("goes with the action {of} only")));
        }
        match action {
            BatchAction::Hold => {
                let needed = || Problem::invalid("hold", "must be given with the action hold");
                let wanted = hold.clone().ok_or_else(needed)?;
                if let HoldKind::Until(until) = wanted.kind {
                    ahead("hold.until", until, now)?;
                }
                Ok(Deed::Hold(wanted.into()))
            }
            BatchAction::ReleaseHold => Ok(Deed::Release),
            BatchAction::SetExpiry => {
                let needed = "must be given with the action set_expiry; null for none";
                let at = expires_at.ok_or_else(|| Problem::invalid("expires_at", needed))?;
                at.map_or(Ok(()), |at| ahead("expires_at", at, now))?;
                Ok(Deed::Expire(at))
            }
            BatchAction::Delete => {
                let minutes = grace_minutes.unwrap_or(0);
                let most = i64::from(GRACE_MINUTES_MAX);
                if !(0..=most).contains(&minutes) {
                    let allowed = format!("must be a number from 0 to {most}");
                    return Err(Problem::invalid("grace_minutes", allowed));
                }
                Ok(Deed::Delete(SignedDuration::from_mins(minutes)))
            }
            BatchAction::Rescue => Ok(Deed::Rescue),
        }
    }

    fn checked_ids(&self) -> Result<(), Problem> {
        let ids = &self.snapshot_ids;
        if !(1..=SNAPSHOTS_MAX).contains(&ids.len()) {
            let allowed = format!("must be 1 to {SNAPSHOTS_MAX}, not {}", ids.len());
            return Err(Problem::invalid("snapshot_ids", allowed));
        }
        let mut seen = BTreeSet::new();
        match ids.iter().position(|id| !seen.insert(id)) {
            Some(place) => {
                Err(Problem::invalid(format!("snapshot_ids[{place}]"), "is given twice"))
            }
            None => Ok(()),
        }
    }
}

/// Change many snapshots
///
/// Holds, releases, deletes or rescues up to 100 snapshots, or sets when they expire: each by itself, under the same
/// rules as one alone. What is refused stops nothing else, and says why. With `preview=true` nothing is done, and each
/// says what would become of it. Repeated, it does nothing more. Role: operator; to delete, and where one alone would
/// need it, admin.
#[utoipa::path(
    post,
    path = "/v1/snapshots:batch",
    tag = "snapshots",
    params(BatchParameters),
    request_body = ChangeSnapshots,
    responses((status = 200, description = "What became of each, or would", body = ChangedSnapshots))
)]
async fn change_snapshots(
    call: Call<Operator, BatchParameters>,
    Body(wanted): Body<ChangeSnapshots>,
) -> Result<Answer<ChangedSnapshots>, Problem> {
    if wanted.action == BatchAction::Delete {
        call.needs(Role::Admin, "deleting")?;
    }
    wanted.checked_ids()?;
    let deed = wanted.deed(call.now)?;
    let preview = call.query.preview.unwrap_or(false);
    let mode = if preview { BatchMode::Preview } else { BatchMode::CarryOut };
    let mut known = views::snapshots::several(call.service(), &wanted.snapshot_ids).await?;
    let (mut allowed, mut items) = (Vec::new(), Vec::new());
    for id in &wanted.snapshot_ids {
        match known.remove(id) {
            None => {
                let problem = Problem::from(shared::Error::not_found("snapshot", id));
                items.push(ChangedSnapshot::refused((id.clone(), None), &problem));
            }
            Some(record) => match may(&call, &deed, &record) {
                Ok(()) => allowed.push(record),
                Err(problem) => {
                    let id = (id.clone(), Some(record));
                    items.push(ChangedSnapshot::refused(id, &problem));
                }
            },
        }
    }
    let outcomes = batch(call.service(), allowed, (&deed, mode), &call.who, call.now).await;
    items.extend(outcomes.into_iter().map(ChangedSnapshot::of));
    items.sort_by_key(|item| wanted.snapshot_ids.iter().position(|id| *id == item.snapshot_id));
    let counts = BatchCounts::of(&items);
    Ok(Answer::ok(ChangedSnapshots { preview, items, counts }))
}

/// Refuses what needs an admin, as the request for one alone does.
fn may(
    call: &Call<Operator, BatchParameters>,
    deed: &Deed,
    record: &domain::Snapshot,
) -> Result<(), Problem> {
    let present = record.keepers.hold.as_ref();
    match deed {
        Deed::Hold(hold) if is_weaker(present, Some(hold.kind), call.now) => {
            call.needs(Role::Admin, "weakening a hold")
        }
        Deed::Release if is_weaker(present, None, call.now) => {
            call.needs(Role::Admin, "removing a hold")
        }
        Deed::Expire(Some(at)) if record.ending.expires_at.is_none_or(|old| *at < old) => {
            call.needs(Role::Admin, "setting an earlier expiry")
        }
        Deed::Hold(_) | Deed::Release | Deed::Expire(_) | Deed::Delete(_) | Deed::Rescue => Ok(()),
    }
}

impl ChangedSnapshot {
    fn of(outcome: BatchOutcome) -> Self {
        let BatchOutcome { before, after } = outcome;
        match after {
            Ok(after) => {
                let outcome = match after {
                    Some(_) => BatchOutcomeWord::Done,
                    None => BatchOutcomeWord::Unchanged,
                };
                let status = after.map_or(before.status, |after| after.status);
                let (snapshot_id, name) = (before.id, Some(before.name));
                Self { snapshot_id, name, outcome, status: Some(status), problem: None }
            }
            Err(error) => Self::refused((before.id.clone(), Some(before)), &Problem::from(error)),
        }
    }

    fn refused(
        (snapshot_id, record): (SnapshotId, Option<domain::Snapshot>),
        problem: &Problem,
    ) -> Self {
        let (kind, status, detail) = problem.told();
        Self {
            snapshot_id,
            status: record.as_ref().map(|record| record.status),
            name: record.map(|record| record.name),
            outcome: BatchOutcomeWord::Refused,
            problem: Some(ItemProblem { kind, status, detail: detail.to_owned() }),
        }
    }
}

impl BatchCounts {
    fn of(items: &[ChangedSnapshot]) -> Self {
        let count = |wanted| items.iter().filter(|item| item.outcome == wanted).count();
        Self {
            done: count(BatchOutcomeWord::Done),
            unchanged: count(BatchOutcomeWord::Unchanged),
            refused: count(BatchOutcomeWord::Refused),
        }
    }
}
