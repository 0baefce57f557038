//! What waits for a person, on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::todo::{self as domain, TodoAbout, TodoKind as Kind};
use shared::views::todo::Todo;
use utoipa::ToSchema;

use crate::routes::words::wire_words;

/// What waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TodoList {
    /// The instant of the answer.
    as_of: Timestamp,
    /// The items: what matters most first, and then what has waited longest.
    items: Vec<TodoItem>,
}

/// Something that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TodoItem {
    /// What kind of thing it is.
    kind: TodoKind,
    /// How much it matters.
    severity: TodoSeverity,
    /// Since when, where that is known.
    since: Option<Timestamp>,
    /// How many there are.
    count: u64,
    /// Whether there may be more than were counted.
    more: bool,
    /// In words.
    detail: String,
    /// What it is about; null if it is about several.
    resource: Option<TodoResource>,
    /// Where this API shows it.
    #[schema(example = "/v1/snapshots?status=error")]
    path: String,
}

/// What a thing to do is about.
#[derive(Debug, Serialize, ToSchema)]
struct TodoResource {
    /// What it is.
    #[serde(rename = "type")]
    kind: TodoResourceType,
    /// Its identifier: of a run, that of its schedule.
    #[schema(example = "sch_0195500c-6d00-7000-8000-000000000000", pattern = "^.+$")]
    id: String,
}

/// What kind of thing a thing to do is about.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TodoResourceType {
    /// A sweep.
    Sweep,
    /// A schedule.
    Schedule,
    /// A run of a schedule.
    Run,
    /// A restore.
    Restore,
    /// An instance.
    Instance,
    /// A region.
    Region,
}

wire_words! {
    /// What kind of thing waits for a person.
    TodoKind of Kind {
        /// The brake has stopped a sweep; an admin may release it.
        SweepNeedsApproval,
        /// Slots of a schedule led to nothing because nothing ticked.
        RunMissed,
        /// The last run of a schedule failed, as a whole or in part.
        RunFailed,
        /// Snapshots have failed.
        SnapshotFailed,
        /// EC2 no longer has them, and not by us.
        SnapshotMissing,
        /// They are torn: some of their members are gone, and others cannot be deleted.
        SnapshotDamaged,
        /// They should be gone, and something is in the way for more than a day.
        SnapshotBlocked,
        /// Somebody should have looked at their holds by now.
        HoldReviewDue,
        /// A restore has stopped.
        RestoreFailed,
        /// The last drill of a schedule failed.
        DrillFailed,
        /// The drill of a schedule that is due could not be begun.
        DrillPutOff,
        /// Instances are not protected as their schedules promise.
        InstanceLate,
        /// No schedule that is for these instances is to fire.
        InstanceUnprotected,
        /// A region gives no answer.
        RegionOutOfReach,
        /// A schedule is disabled, and its snapshots stay.
        DisabledWithSnapshots,
        /// EC2's quota of EBS snapshots in a region is used up by four fifths.
        QuotaNear,
    }
}

wire_words! {
    /// How much a thing matters.
    TodoSeverity of domain::Severity {
        /// Something may be lost, or nothing goes on until somebody acts.
        High,
        /// It is not as it was promised.
        Medium,
        /// It costs money or attention.
        Low,
    }
}

impl TodoList {
    /// All of it, at `now`.
    pub(super) fn of(todo: Todo, now: Timestamp) -> Self {
        Self { as_of: now, items: todo.items.into_iter().map(TodoItem::from).collect() }
    }
}

impl From<domain::TodoItem> for TodoItem {
    fn from(item: domain::TodoItem) -> Self {
        let domain::TodoItem { kind, severity, since, count, more, detail, about } = item;
        let path = path(kind, &about);
        let resource = TodoResource::of(about);
        let (kind, severity) = (kind.into(), severity.into());
        Self { kind, severity, since, count, more, detail, resource, path }
    }
}

impl TodoResource {
    fn of(about: TodoAbout) -> Option<Self> {
        let (kind, id) = match about {
            TodoAbout::Many => return None,
            TodoAbout::Sweep(id) => (TodoResourceType::Sweep, id),
            TodoAbout::Schedule(id) => (TodoResourceType::Schedule, id.to_string()),
            TodoAbout::Run(id, _) => (TodoResourceType::Run, id.to_string()),
            TodoAbout::Restore(id) => (TodoResourceType::Restore, id),
            TodoAbout::Instance(id) => (TodoResourceType::Instance, id),
            TodoAbout::Region(name) => (TodoResourceType::Region, name),
        };
        Some(Self { kind, id })
    }
}

/// Where this API shows it.
fn path(kind: Kind, about: &TodoAbout) -> String {
    match about {
        TodoAbout::Sweep(id) => format!("/v1/sweeps/{id}"),
        TodoAbout::Schedule(id) => format!("/v1/schedules/{id}"),
        TodoAbout::Run(id, slot) => format!("/v1/schedules/{id}/runs/{slot}"),
        TodoAbout::Restore(id) => format!("/v1/restores/{id}"),
        TodoAbout::Instance(id) => format!("/v1/instances/{id}"),
        TodoAbout::Region(name) => format!("/v1/reconciliation?region={name}"),
        TodoAbout::Many => list(kind).to_owned(),
    }
}

/// The list that has things of a kind.
fn list(kind: Kind) -> &'static str {
    match kind {
        Kind::SweepNeedsApproval => "/v1/sweeps?status=needs_approval",
        Kind::RunMissed | Kind::RunFailed | Kind::DrillPutOff => "/v1/schedules",
        Kind::SnapshotFailed => "/v1/snapshots?status=error",
        Kind::SnapshotMissing => "/v1/snapshots?status=missing",
        Kind::SnapshotDamaged => "/v1/snapshots?status=deleting",
        Kind::SnapshotBlocked => "/v1/sweeps/blocked?sort=created_at",
        Kind::HoldReviewDue => "/v1/holds?review_due=true",
        Kind::RestoreFailed | Kind::DrillFailed => "/v1/restores?status=failed",
        Kind::InstanceLate => "/v1/instances?protection=late",
        Kind::InstanceUnprotected => "/v1/instances?protection=unprotected",
        Kind::RegionOutOfReach | Kind::QuotaNear => "/v1/reconciliation",
        Kind::DisabledWithSnapshots => "/v1/schedules?enabled=false",
    }
}
