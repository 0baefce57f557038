//! Growth over any time, on the wire.

mod step;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use shared::views::growth::{GrowthQuery, Period, Step};
use utoipa::ToSchema;

use self::step::GrowthStep;
use super::wire::GrowthDay;
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};

/// How many days are told unless somebody asks for others.
const DAYS_DEFAULT: i64 = 30;

/// Which growth is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GrowthParameters {
    /// From this day on, in UTC; 29 days before `to` unless told.
    #[param(value_type = Option<String>, format = Date, example = "2026-01-01")]
    from: Option<Date>,
    /// Until this day, which is in it; today unless told.
    #[param(value_type = Option<String>, format = Date, example = "2026-03-01")]
    to: Option<Date>,
    /// How long the periods are: `day` unless told otherwise, `week` (from Monday on) or `month`.
    #[param(value_type = Option<GrowthStep>, inline)]
    step: Option<GrowthStep>,
    /// Of this region only.
    #[param(example = "us-east-1")]
    region: Option<String>,
}

impl FromQuery for GrowthParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            from: given.date("from")?,
            to: given.date("to")?,
            step: given.one("step")?,
            region: given.one("region")?,
        })
    }
}

impl GrowthParameters {
    /// What is wanted, as seen at `now`.
    pub(super) fn query(&self, now: Timestamp) -> Result<GrowthQuery, Problem> {
        let Self { from, to, step, region } = self;
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let to = to.unwrap_or(today);
        let from = from.unwrap_or_else(|| to.saturating_sub((DAYS_DEFAULT - 1).days()));
        if to < from {
            return Err(Problem::invalid("to", "must not lie before from"));
        }
        let step = step.map_or(Step::Day, |step| step.0);
        Ok(GrowthQuery { from, to, step, region: region.clone() })
    }
}

/// The growth over a time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Growth {
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2026-01-01")]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    to: Date,
    /// The periods in order, each with its first day. The first and the last may be cut short.
    items: Vec<GrowthDay>,
}

impl Growth {
    /// The growth that `query` asked for.
    pub(super) fn of(query: &GrowthQuery, periods: Vec<Period>) -> Self {
        let items = periods.into_iter().map(GrowthDay::from).collect();
        Self { from: query.from, to: query.to, items }
    }
}

impl From<Period> for GrowthDay {
    fn from(period: Period) -> Self {
        let Period { begins, added, gone, added_gib, gone_gib, size_gib } = period;
        Self { date: begins, added, gone, added_gib, gone_gib, size_gib }
    }
}
