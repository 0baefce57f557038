//! The whole at a glance and the fires to come, on the wire.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::domain::ids::ScheduleId;
use shared::domain::todo::{self as domain, Severity};
use shared::views::overview as views;
use shared::views::protection_counts::ProtectionCounts;
use shared::views::upcoming as coming;
use utoipa::ToSchema;

use super::super::statistics::SnapshotStatistics;
use super::todo::TodoItem;
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};

/// How far ahead fires are told unless somebody asks for less or more.
const HOURS_DEFAULT: u32 = 24;
/// And at the most: a week.
const HOURS_MAX: u32 = 168;

/// How far ahead fires are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UpcomingParameters {
    /// Within so many hours.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 168, default = 24)]
    pub(super) hours: u32,
}

impl FromQuery for UpcomingParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { hours: given.number("hours", (1, HOURS_MAX))?.unwrap_or(HOURS_DEFAULT) })
    }
}

/// The fires that are to come.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Upcoming {
    /// Those after this instant,
    from: Timestamp,
    /// until this one.
    to: Timestamp,
    /// The fires, the next first.
    items: Vec<ComingFire>,
    /// Whether there are more than these.
    more: bool,
}

/// A fire that is to come.
#[derive(Debug, Serialize, ToSchema)]
struct ComingFire {
    /// When.
    at: Timestamp,
    /// Of which schedule.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// Its name.
    schedule_name: String,
    /// Over how many minutes its targets are staggered.
    spread_minutes: u32,
    /// How many instances it names.
    named_instances: usize,
    /// Whether it selects instances by their tags as well: how many those are, EC2 says when it fires.
    selects_by_tags: bool,
}

/// The whole at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overview {
    /// The instant of the answer.
    as_of: Timestamp,
    /// The numbers of all snapshots, and their growth.
    statistics: SnapshotStatistics,
    /// How the first 200 instances are protected; null where that cannot be told.
    protection: Option<Protected>,
    /// What waits for a person.
    todo: TodoCounts,
    /// The next five fires, within 35 days.
    next_fires: Vec<ComingFire>,
}

/// How instances are protected, in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProtectionCounts)]
struct Protected {
    /// As their schedules promise.
    ok: usize,
    /// Not as they promise.
    late: usize,
    /// No schedule that is for them is to fire.
    unprotected: usize,
    /// Their records could not be read in time.
    unknown: usize,
    /// Whether there are more instances than were looked at.
    more: bool,
    /// The regions that gave no answer.
    regions_out_of_reach: Vec<String>,
}

/// What waits for a person, and how much of it there is.
#[derive(Debug, Serialize, ToSchema)]
struct TodoCounts {
    /// Of high severity.
    high: usize,
    /// Of medium severity.
    medium: usize,
    /// Of low severity.
    low: usize,
    /// The items themselves, as `GET /v1/todo` lists them.
    items: Vec<TodoItem>,
}

impl Upcoming {
    /// The fires of a span after `now`.
    pub(super) fn of(upcoming: coming::Upcoming, now: Timestamp, span: SignedDuration) -> Self {
        let coming::Upcoming { fires, more } = upcoming;
        let to = now.saturating_add(span).unwrap_or(now);
        Self { from: now, to, items: fires.into_iter().map(ComingFire::from).collect(), more }
    }
}

impl From<coming::ComingFire> for ComingFire {
    fn from(fire: coming::ComingFire) -> Self {
        let coming::ComingFire {
            at,
            schedule_id,
            schedule_name,
            spread_minutes,
            named_instances,
            selects_by_tags,
        } = fire;
        Self { at, schedule_id, schedule_name, spread_minutes, named_instances, selects_by_tags }
    }
}

impl Overview {
    /// The whole as it stands at `now`.
    pub(super) fn of(overview: views::Overview, now: Timestamp) -> Self {
        let views::Overview { statistics, protection, todo, next_fires } = overview;
        Self {
            as_of: now,
            statistics: SnapshotStatistics::of(statistics, now),
            protection: protection.map(Protected::from),
            todo: TodoCounts::of(todo),
            next_fires: next_fires.into_iter().map(ComingFire::from).collect(),
        }
    }
}

impl From<ProtectionCounts> for Protected {
    fn from(counts: ProtectionCounts) -> Self {
        let ProtectionCounts { ok, late, unprotected, unknown, more, out_of_reach } = counts;
        Self {
            ok,
            late: late.len(),
            unprotected: unprotected.len(),
            unknown,
            more,
            regions_out_of_reach: out_of_reach,
        }
    }
}

impl TodoCounts {
    fn of(items: Vec<domain::TodoItem>) -> Self {
        let count =
            |severity: Severity| items.iter().filter(|one| one.severity == severity).count();
        Self {
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
            items: items.into_iter().map(TodoItem::from).collect(),
        }
    }
}
