//! What becomes of the snapshots that a deleted schedule has left, on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::cursor::Order;
use shared::domain::ids::{ScheduleId, SnapshotId};
use shared::operations::snapshots::leftovers::{Became, Decided, Lot, decide_leftovers};
use utoipa::ToSchema;

use super::super::wire::{Clearable, List, ahead, clearable};
use crate::call::{Admin, Call};
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;

/// What is to become of them: `expires_at` or `schedule_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideLeftovers {
    /// When they go, as far as nothing keeps them; null takes such an end back.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Timestamp>)]
    expires_at: Clearable<Timestamp>,
    /// The schedule whose rules they go by from now on.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
}

impl DecideLeftovers {
    fn lot(self, now: Timestamp) -> Result<Lot, Problem> {
        match (self.expires_at, self.schedule_id) {
            (Some(at), None) => {
                at.map_or(Ok(()), |at| ahead("expires_at", at, now))?;
                Ok(Lot::Expires(at))
            }
            (None, Some(schedule)) => Ok(Lot::GoesBy(schedule)),
            (Some(_), Some(_)) | (None, None) => {
                let reason = "must be given, or schedule_id, and not both";
                Err(Problem::invalid("expires_at", reason))
            }
        }
    }
}

/// What became of one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Leftover {
    #[schema(value_type = String)]
    snapshot_id: SnapshotId,
    outcome: LeftoverOutcome,
    /// Why it was refused.
    reason: Option<String>,
}

/// Whether it has what was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LeftoverOutcome {
    /// It has now.
    Changed,
    /// It had already.
    Unchanged,
    /// It cannot; `reason` says why.
    Refused,
}

impl From<Decided> for Leftover {
    fn from(decided: Decided) -> Self {
        let Decided { snapshot_id, became } = decided;
        let (outcome, reason) = match became {
            Became::Changed => (LeftoverOutcome::Changed, None),
            Became::Unchanged => (LeftoverOutcome::Unchanged, None),
            Became::Refused(reason) => (LeftoverOutcome::Refused, Some(reason)),
        };
        Self { snapshot_id, outcome, reason }
    }
}

/// Decide what becomes of what a deleted schedule has left
///
/// Gives a page of the snapshots that the deleted schedule has left an end, or another schedule: newest first, go on with
/// `next_cursor`. Nothing deletes them before somebody decides. What another schedule's rules let go then is unexpected for
/// the brake. Repeated, it does nothing more. Role: admin.
#[utoipa::path(
    post,
    path = "/v1/schedules/{id}/leftovers",
    tag = "schedules",
    params(("id" = String, Path, description = "The deleted schedule"), PageParameters),
    request_body = DecideLeftovers,
    responses(
        (status = 200, description = "A page of them, with what became of each", body = List<Leftover>),
        (status = 409, description = "The schedule is there, and its rules decide")
    )
)]
pub(super) async fn decide_schedule_leftovers(
    call: Call<Admin, PageParameters>,
    Id(id): Id<ScheduleId>,
    Body(wanted): Body<DecideLeftovers>,
) -> Result<Answer<List<Leftover>>, Problem> {
    let lot = wanted.lot(call.now)?;
    let request = call.query.request(Order::default());
    let page = decide_leftovers(call.service(), &id, &lot, &request, call.now).await?;
    Ok(Answer::ok(List::of(page, Leftover::from)))
}
