//! The simulation of a schedule and its rules: what exists day by day, and what it may cost.

use jiff::Timestamp;
use serde::Deserialize;
use shared::Error;
use shared::domain::cost::{Price, Volume};
use shared::domain::ids::ScheduleId;
use shared::domain::retention::Rules;
use shared::domain::schedule::expression::Expression;
use shared::domain::schedule::slots::Timing;
use shared::domain::schedule::zone::Zone;
use shared::domain::simulation::{Scenario, Simulation};
use shared::views;
use utoipa::ToSchema;

use super::super::wire::{checked_bounds, checked_number};
use super::result::SimulationResult;
use super::rules::Retention;
use crate::call::{Call, Viewer};
use crate::extract::Body;
use crate::problem::Problem;
use crate::respond::Answer;

const DAYS_MAX: i64 = 800;
const VOLUME_GIB_DEFAULT: i64 = 100;
const VOLUME_GIB_MAX: i64 = 1_000_000;
const DAILY_CHANGE_PERCENT_DEFAULT: f64 = 3.0;

/// What is to be run forward: a schedule that there is or might be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SimulateRetention {
    /// A schedule that there need not be.
    schedule: Option<SimulatedSchedule>,
    /// A schedule that there is, instead of `schedule`; simulated as if it were enabled.
    #[schema(value_type = Option<String>, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: Option<ScheduleId>,
    /// Rules instead of the schedule's own.
    rules: Option<Retention>,
    /// When it begins; now if none.
    from: Option<Timestamp>,
    /// How many local days it runs.
    #[schema(value_type = u32, minimum = 1, maximum = 800)]
    days: i64,
    /// The size of the instance's volumes together.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000, default = 100)]
    size_gib: Option<i64>,
    /// How much of that is written anew within a day, of a hundred.
    #[schema(minimum = 0, maximum = 100, default = 3)]
    daily_change_percent: Option<f64>,
    /// On each so manieth day, beginning with the first, tell the snapshots themselves; on none without it.
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 800)]
    survivors_every_days: Option<i64>,
}

/// What of a schedule decides which snapshots there are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SimulatedSchedule {
    /// When it fires: `rate(…)`, `cron(…)` or `at(…)`, as EventBridge writes it.
    #[schema(value_type = String, example = "cron(0 * * * ? *)")]
    expression: Expression,
    /// The IANA zone that `cron`, `at` and the periods of retention are read in; UTC if none.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    timezone: Option<Zone>,
    /// It does not fire before; `rate` counts from here, otherwise from `from`.
    start_at: Option<Timestamp>,
    /// It does not fire after.
    end_at: Option<Timestamp>,
    /// How long its snapshots are kept; without it everything is.
    retention: Option<Retention>,
}

/// A schedule as the simulation needs it.
struct Subject {
    expression: Expression,
    timezone: Zone,
    anchor: Timestamp,
    start_at: Option<Timestamp>,
    end_at: Option<Timestamp>,
    rules: Option<Rules>,
}

/// Simulate a schedule and its rules
///
/// Runs the schedule, its rules and hourly sweeps forward for one instance that has no snapshot yet, with the
/// code that the scheduler and the sweep run, and says for each local day what exists as it ends and what that
/// may cost. `assumptions` says what the numbers rest on. Nothing is touched. Role: viewer.
#[utoipa::path(
    post,
    path = "/v1/retention/simulate",
    tag = "retention",
    request_body = SimulateRetention,
    responses(
        (status = 200, description = "Day by day", body = SimulationResult),
        (status = 404, description = "There is no such schedule")
    )
)]
pub(super) async fn simulate_retention(
    call: Call<Viewer>,
    Body(wanted): Body<SimulateRetention>,
) -> Result<Answer<SimulationResult>, Problem> {
    let SimulateRetention {
        schedule,
        schedule_id,
        rules,
        from,
        days,
        size_gib,
        daily_change_percent,
        survivors_every_days,
    } = wanted;
    let rules = rules.map(|rules| rules.rules_at("rules")).transpose()?;
    let days = checked_number("days", days, (1, DAYS_MAX), "days")?;
    let volume = volume(size_gib, daily_change_percent)?;
    let every = survivors_every_days
        .map(|every| checked_number("survivors_every_days", every, (1, DAYS_MAX), "days"))
        .transpose()?;
    let from = from.unwrap_or(call.now);
    let mut subject = match (schedule, schedule_id) {
        (Some(schedule), None) => given(schedule, from)?,
        (None, Some(id)) => stored(&call, &id).await?,
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("schedule_id", "does not go with schedule: give one"));
        }
        (None, None) => {
            return Err(Problem::invalid("schedule", "give a schedule, or a schedule_id instead"));
        }
    };
    subject.rules = rules.or(subject.rules);
    let scenario = subject.scenario(from, days);
    let simulation = Simulation::new(scenario).map_err(|error| Problem::invalid("days", error))?;
    let region = &call.service().settings.region;
    let price =
        Price::of(region).map_err(|error| Error::internal("reading the price list", error))?;
    Ok(Answer::ok(SimulationResult::of(&scenario, simulation, (volume, every), (price, region))))
}

fn volume(size_gib: Option<i64>, daily_change_percent: Option<f64>) -> Result<Volume, Problem> {
    let size_gib = size_gib.unwrap_or(VOLUME_GIB_DEFAULT);
    let size_gib = checked_number("size_gib", size_gib, (1, VOLUME_GIB_MAX), "GiB")?;
    let daily_change_percent = daily_change_percent.unwrap_or(DAILY_CHANGE_PERCENT_DEFAULT);
    if !(0.0..=100.0).contains(&daily_change_percent) {
        let allowed = "must be a percentage from 0 to 100";
        return Err(Problem::invalid("daily_change_percent", allowed));
    }
    Ok(Volume { size_gib, daily_change_percent })
}

fn given(schedule: SimulatedSchedule, from: Timestamp) -> Result<Subject, Problem> {
    let SimulatedSchedule { expression, timezone, start_at, end_at, retention } = schedule;
    checked_bounds("schedule.", start_at, end_at)?;
    let rules = retention.map(|rules| rules.rules_at("schedule.retention")).transpose()?;
    let (timezone, anchor) = (timezone.unwrap_or_default(), start_at.unwrap_or(from));
    Ok(Subject { expression, timezone, anchor, start_at, end_at, rules })
}

async fn stored(call: &Call<Viewer>, id: &ScheduleId) -> Result<Subject, Problem> {
    let schedule = views::schedules::show(call.service(), id).await?;
    Ok(Subject {
        anchor: schedule.anchor(),
        expression: schedule.settings.expression,
        timezone: schedule.settings.timezone,
        start_at: schedule.settings.start_at,
        end_at: schedule.settings.end_at,
        rules: schedule.settings.rules,
    })
}

impl Subject {
    fn scenario(&self, from: Timestamp, days: u16) -> Scenario<'_> {
        let timing = Timing {
            expression: &self.expression,
            timezone: &self.timezone,
            anchor: self.anchor,
            start_at: self.start_at,
            end_at: self.end_at,
        };
        Scenario { timing, rules: self.rules.as_ref(), from, days }
    }
}
