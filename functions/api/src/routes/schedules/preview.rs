//! The preview of an expression: when it fires, and what clock changes do to it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use shared::domain::schedule::expression::Expression;
use shared::domain::schedule::preview as domain;
use shared::domain::schedule::slots::Timing;
use shared::domain::schedule::zone::Zone;
use utoipa::ToSchema;

use super::super::wire::{checked_bounds, checked_number};
use crate::call::{Call, Viewer};
use crate::extract::Body;
use crate::problem::Problem;
use crate::respond::Answer;

const FIRES_DEFAULT: i64 = 10;
const FIRES_MAX: i64 = 500;

/// Which fires are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewSchedule {
    /// When it fires: `rate(…)`, `cron(…)` or `at(…)`, as EventBridge writes it.
    #[schema(value_type = String, example = "cron(30 2 * * ? *)")]
    expression: Expression,
    /// The IANA zone that `cron` and `at` are read in; UTC if none.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    timezone: Option<Zone>,
    /// The fires are strictly after it; now if none. `rate` counts from here unless there is a `start_at`.
    from: Option<Timestamp>,
    /// How many fires are wanted.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 500, default = 10)]
    count: Option<i64>,
    /// It does not fire before; `rate` counts from here.
    start_at: Option<Timestamp>,
    /// It does not fire after.
    end_at: Option<Timestamp>,
}

/// When an expression fires, and when it does not although one might think so.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SchedulePreview {
    /// The fires, in order; fewer than wanted if there are no more.
    fires: Vec<Fire>,
    /// The matching local times that a clock change skips, up to the last fire; to the end if there are fewer
    /// fires than wanted.
    skipped: Vec<SkippedTime>,
    /// The matching local times that the clock shows twice.
    repeated: Vec<RepeatedTime>,
    /// When it fires, in plain English and with the zone.
    #[schema(example = "at 02:30 every day, Europe/Berlin")]
    description: String,
}

/// One fire.
#[derive(Debug, Serialize, ToSchema)]
struct Fire {
    /// The instant.
    at: Timestamp,
    /// The same in the zone's time, with its offset.
    #[schema(format = DateTime, example = "2026-03-29T03:30:00+02:00")]
    local: String,
}

/// A matching local time at which nothing fires, since the clock never shows it.
#[derive(Debug, Serialize, ToSchema)]
struct SkippedTime {
    /// The local time.
    #[schema(value_type = String, example = "2026-03-29T02:30:00")]
    local: DateTime,
    /// The clock change, in words.
    #[schema(example = "the clock goes from 02:00 to 03:00 in Europe/Berlin on 2026-03-29")]
    reason: String,
}

/// A matching local time that the clock shows twice.
#[derive(Debug, Serialize, ToSchema)]
struct RepeatedTime {
    /// The local time.
    #[schema(value_type = String, example = "2026-10-25T02:30:00")]
    local: DateTime,
    /// The one time that it fires: the first.
    fires_at: Timestamp,
}

/// Preview when an expression fires
///
/// The next fires in UTC and in the zone's time, with each local time that a clock change skips or repeats.
/// A skipped one does not fire, a repeated one fires the first time. Role: viewer.
#[utoipa::path(
    post,
    path = "/v1/schedules/preview",
    tag = "schedules",
    request_body = PreviewSchedule,
    responses((status = 200, description = "When it fires", body = SchedulePreview))
)]
pub(super) async fn preview_schedule(
    call: Call<Viewer>,
    Body(wanted): Body<PreviewSchedule>,
) -> Result<Answer<SchedulePreview>, Problem> {
    let PreviewSchedule { expression, timezone, from, count, start_at, end_at } = wanted;
    checked_bounds("", start_at, end_at)?;
    let count = count.unwrap_or(FIRES_DEFAULT);
    let count = checked_number("count", count, (1, FIRES_MAX), "fires")?;
    let from = from.unwrap_or(call.now);
    let timing = Timing {
        expression: &expression,
        timezone: &timezone.unwrap_or_default(),
        anchor: start_at.unwrap_or(from),
        start_at,
        end_at,
    };
    Ok(Answer::ok(domain::preview(&timing, from, count).into()))
}

impl From<domain::Preview> for SchedulePreview {
    fn from(preview: domain::Preview) -> Self {
        let domain::Preview { fires, skipped, repeated, description } = preview;
        Self {
            fires: fires.into_iter().map(Fire::from).collect(),
            skipped: skipped.into_iter().map(SkippedTime::from).collect(),
            repeated: repeated.into_iter().map(RepeatedTime::from).collect(),
            description,
        }
    }
}

impl From<domain::Fire> for Fire {
    fn from(fire: domain::Fire) -> Self {
        let domain::Fire { at, offset } = fire;
        Self { at, local: at.display_with_offset(offset).to_string() }
    }
}

impl From<domain::Skipped> for SkippedTime {
    fn from(skipped: domain::Skipped) -> Self {
        let domain::Skipped { local, reason } = skipped;
        Self { local, reason }
    }
}

impl From<domain::Repeated> for RepeatedTime {
    fn from(repeated: domain::Repeated) -> Self {
        let domain::Repeated { local, fires_at } = repeated;
        Self { local, fires_at }
    }
}
