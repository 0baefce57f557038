//! The query of a bill: its words and percentages.

use std::borrow::Cow;
use std::str::FromStr;

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::super::words::words;

/// What the rows of a bill are of.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// Regions.
    #[default]
    Region,
    /// Instances.
    Instance,
    /// Schedules.
    Schedule,
    /// Months.
    Month,
}

impl PartialSchema for By {
    fn schema() -> RefOr<Schema> {
        let all = ["region", "instance", "schedule", "month"];
        words("What the rows of a bill are of.", all.into_iter())
    }
}

impl ToSchema for By {
    fn name() -> Cow<'static, str> {
        "BillBy".into()
    }
}

impl FromStr for By {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "region" => Ok(Self::Region),
            "instance" => Ok(Self::Instance),
            "schedule" => Ok(Self::Schedule),
            "month" => Ok(Self::Month),
            _ => Err("must be region, instance, schedule or month"),
        }
    }
}

/// A percentage from 0 to 100.
#[derive(Clone, Copy, Debug)]
pub(super) struct Percent(pub(super) f64);

impl FromStr for Percent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().filter(|number| (0.0..=100.0).contains(number));
        number.map(Self).ok_or("must be a percentage from 0 to 100")
    }
}
