//! The audit, and the history of an instance: the routes.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use shared::domain::audit::{self as domain, Action, RecordKind};
use shared::domain::cursor::Order;
use shared::domain::ids::{EventId, InstanceId, ScheduleId};
use shared::views;
use shared::views::audit::AuditFilter;
use shared::views::history::instance_history;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{List, checked_period};
use super::words::{AuditAction, wire_words};
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::extract::Id;
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::Answer;

/// Routes of the audit and of histories.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_audit)).routes(routes!(show_instance_history))
}

/// Which entries of the audit are wanted: those to which everything given applies.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditParameters {
    /// Of this day in UTC; instead of `from` and `to`.
    #[param(value_type = Option<String>, format = Date, example = "2026-03-01")]
    day: Option<Date>,
    /// At this instant or later; 30 days before `to` unless told, and from the beginning with `instance_id`, or a
    /// `resource_id` of a snapshot, a schedule or an instance.
    from: Option<Timestamp>,
    /// Before this instant; now unless told.
    to: Option<Timestamp>,
    /// By this person, or this function of Snapkeep's.
    who: Option<String>,
    /// Of this action.
    #[param(value_type = Option<AuditAction>, inline)]
    action: Option<Action>,
    /// About the record of this identifier.
    resource_id: Option<String>,
    /// About this instance.
    #[param(value_type = Option<String>)]
    instance_id: Option<InstanceId>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for AuditParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            day: given.date("day")?,
            from: given.one("from")?,
            to: given.one("to")?,
            who: given.one("who")?,
            action: given.one("action")?,
            resource_id: given.one("resource_id")?,
            instance_id: given.one("instance_id")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

impl AuditParameters {
    fn filter(&self) -> Result<AuditFilter, Problem> {
        let Self { day, from, to, who, action, resource_id, instance_id, page: _page } = self;
        let (from, to) = match day {
            Some(_) if from.is_some() || to.is_some() => {
                return Err(Problem::invalid("day", "says from and to already; give either"));
            }
            Some(day) => {
                let bounds = views::audit::bounds_of(*day);
                let (from, to) =
                    bounds.ok_or_else(|| Problem::invalid("day", "is no day of our calendar"))?;
                (Some(from), Some(to))
            }
            None => (*from, *to),
        };
        checked_period(from, to)?;
        Ok(AuditFilter {
            who: who.clone(),
            action: *action,
            resource_id: resource_id.clone(),
            instance_id: instance_id.clone(),
            from,
            to,
        })
    }
}

/// Which part of a history is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryParameters {
    /// Of this kind; may be repeated, and then any of them will do.
    #[param(value_type = Vec<AuditKind>, required = false, inline)]
    kind: Vec<RecordKind>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for HistoryParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { kind: given.all("kind")?, page: PageParameters::from_query(given)? })
    }
}

wire_words! {
    /// What an entry is about.
    AuditKind of RecordKind {
        /// A snapshot.
        Snapshot,
        /// A schedule.
        Schedule,
        /// Which schedules name an instance.
        Instance,
        /// A run of a schedule.
        Run,
        /// A sweep.
        Sweep,
        /// A restore.
        Restore,
        /// A restore for practice.
        Drill,
        /// An image.
        Image,
    }
}

/// A change of a record: who did what, when and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditItem {
    /// The entry's identifier; the event that tells of it has the same.
    #[schema(value_type = String, example = "evt_0195500c-6d00-7000-8000-000000000000")]
    id: EventId,
    /// When.
    at: Timestamp,
    /// What it is about.
    kind: AuditKind,
    /// What became of it.
    #[schema(value_type = AuditAction)]
    action: Action,
    /// One sentence.
    summary: String,
    /// The record that changed: of a run, its schedule and slot.
    resource_id: String,
    /// The instance that it is about.
    #[schema(value_type = Option<String>, required)]
    instance_id: Option<InstanceId>,
    /// The schedule that it is about.
    #[schema(value_type = Option<String>, required)]
    schedule_id: Option<ScheduleId>,
    /// Who did it.
    actor: Actor,
    /// Why: as the request's `X-Snapkeep-Reason` said, or else as the record does.
    #[schema(required)]
    reason: Option<String>,
    /// The fields that changed.
    changes: Vec<Change>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// A person (or a program of theirs) through the API, or Snapkeep by its rules.
    #[serde(rename = "type")]
    kind: ActorKind,
    /// The person's name, or the function's.
    who: String,
    /// The role that the person had.
    #[schema(required)]
    role: Option<String>,
    /// The request, as the problem that it could have been answered with would have named it.
    #[schema(required)]
    request_id: Option<String>,
}

/// Whether somebody or a rule did something.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActorKind {
    /// Through the API.
    Person,
    /// One of Snapkeep's functions.
    Rule,
}

/// A field that changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    /// Its name.
    field: String,
    /// What it was; null if there was nothing.
    before: Value,
    /// What it is; null if there is nothing any more.
    after: Value,
}

impl From<domain::AuditItem> for AuditItem {
    fn from(item: domain::AuditItem) -> Self {
        let domain::AuditItem {
            id,
            at,
            actor,
            action,
            resource_id,
            version: _version,
            instance_id,
            schedule_id,
            changes,
            reason,
            summary,
        } = item;
        Self {
            id,
            at,
            kind: action.kind().into(),
            action,
            summary,
            resource_id,
            instance_id,
            schedule_id,
            actor: actor.into(),
            reason,
            changes: changes.into_iter().map(Change::from).collect(),
        }
    }
}

impl From<domain::Actor> for Actor {
    fn from(actor: domain::Actor) -> Self {
        match actor {
            domain::Actor::Person { who, role, request_id } => Self {
                kind: ActorKind::Person,
                who,
                role: Some(role),
                request_id: Some(request_id),
            },
            domain::Actor::Rule { function } => {
                Self { kind: ActorKind::Rule, who: function, role: None, request_id: None }
            }
        }
    }
}

impl From<domain::FieldChange> for Change {
    fn from(change: domain::FieldChange) -> Self {
        let domain::FieldChange { field, before, after } = change;
        Self { field, before, after }
    }
}

/// List the audit
///
/// Every change by a person or a rule, the newest first: who, what, which record, from what to what, why. Kept for
/// as many days as `SNAPKEEP_AUDIT_DAYS` says. A page may be short, even empty, although more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "audit",
    params(AuditParameters, PageParameters),
    responses((status = 200, description = "A page of the audit", body = List<AuditItem>))
)]
async fn list_audit(
    call: Call<Viewer, AuditParameters>,
) -> Result<Answer<List<AuditItem>>, Problem> {
    let filter = call.query.filter()?;
    let request = call.query.page.request(Order::NewestFirst);
    let page = views::audit::list(call.service(), &filter, &request, call.now).await?;
    Ok(Answer::ok(List::of(page, AuditItem::from)))
}

/// Show an instance's history
///
/// Its snapshots (wanted, available, failed, held, condemned, rescued, deleted, blocked, edited), restores, drills and
/// images, which schedules it was assigned to, and what those that are for it now missed, failed at or were edited:
/// the newest first, as far back as the audit is kept. It is there for instances that are gone as well, and empty for
/// one that nothing is known of. A page may be short, even empty, although more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances/{id}/history",
    tag = "instances",
    params(
        ("id" = String, Path, description = "EC2's identifier", example = "i-0123456789abcdef0"),
        HistoryParameters,
        PageParameters
    ),
    responses((status = 200, description = "A page of the history", body = List<AuditItem>))
)]
async fn show_instance_history(
    call: Call<Viewer, HistoryParameters>,
    Id(id): Id<InstanceId>,
) -> Result<Answer<List<AuditItem>>, Problem> {
    let HistoryParameters { kind, page } = &call.query;
    let request = page.request(Order::NewestFirst);
    let page = instance_history(call.service(), &id, kind, &request).await?;
    Ok(Answer::ok(List::of(page, AuditItem::from)))
}
