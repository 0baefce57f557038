//! The expression of a schedule: when it fires, in `EventBridge`'s own dialect.
//!
//! # Clock changes
//!
//! `cron` and `at` speak of local times. One that a clock change skips does not fire; one that
//! a clock change repeats fires once, the first time. `rate` counts elapsed time and knows no
//! zone.

mod at;
mod cron;
mod density;
mod describe;
mod field;
mod local;
mod rate;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

pub use self::{at::At, cron::Cron, density::Window, rate::Rate};
use crate::domain::schedule::zone::Zone;

/// The last year in which anything but a rate fires.
pub(super) const LAST_YEAR: i16 = *field::YEARS.end();

/// `EventBridge` allows no longer expression.
const LENGTH_MAX: usize = 256;

/// When a schedule fires: `rate(5 minutes)`, `cron(30 2 * * ? *)` or `at(2026-03-01T02:30:00)`.
///
/// It prints as it was written, with single spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Expression {
    /// Again and again after the same elapsed time.
    Rate(Rate),
    /// At every local time that matches.
    Cron(Cron),
    /// Once.
    At(At),
}

/// A text that is not an expression: the field at fault, its value, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value:?}: {allowed}")]
pub struct ParseExpressionError {
    field: &'static str,
    value: String,
    allowed: String,
}

impl Expression {
    /// The first fire strictly after `after`, or none if there is none before the year 2200.
    ///
    /// A rate counts from `anchor` and first fires one period later; `cron` and `at` read their
    /// local times in `zone`.
    pub fn next_after(
        &self,
        zone: &Zone,
        anchor: Timestamp,
        after: Timestamp,
    ) -> Option<Timestamp> {
        match self {
            Self::Rate(rate) => rate.next_after(anchor, after),
            Self::Cron(cron) => cron.next_after(zone, after),
            Self::At(at) => at.instant(zone).filter(|&instant| instant > after),
        }
    }

    /// The last fire at or before `at`, or none if there is none since 1970.
    pub fn last_at_or_before(
        &self,
        zone: &Zone,
        anchor: Timestamp,
        at: Timestamp,
    ) -> Option<Timestamp> {
        match self {
            Self::Rate(rate) => rate.last_at_or_before(anchor, at),
            Self::Cron(cron) => cron.last_at_or_before(zone, at),
            Self::At(once) => once.instant(zone).filter(|&instant| instant <= at),
        }
    }

    /// The local times from `first` to before `end` that match, in order, whether the clock shows them or not;
    /// a rate has none.
    pub(super) fn local_times(&self, first: DateTime, end: DateTime) -> Vec<DateTime> {
        match self {
            Self::Rate(_) => Vec::new(),
            Self::Cron(cron) => cron.local_times(first, end).filter(|&time| time < end).collect(),
            Self::At(at) => Some(at.local_time())
                .filter(|time| (first..end).contains(time))
                .into_iter()
                .collect(),
        }
    }

    /// Whether nothing will fire after `after`: 30 February, a year gone by, or a local time
    /// that the zone's clock always skips.
    pub fn is_never_firing(&self, zone: &Zone, anchor: Timestamp, after: Timestamp) -> bool {
        self.next_after(zone, anchor, after).is_none()
    }

    /// The expression in plain English, such as "at 02:30 every day"; the zone is not named.
    pub fn describe(&self) -> String {
        match self {
            Self::Rate(rate) => rate.describe(),
            Self::Cron(cron) => describe::cron(cron),
            Self::At(at) => at.describe(),
        }
    }
}

impl ParseExpressionError {
    fn new(field: &'static str, value: &str, allowed: impl Into<String>) -> Self {
        Self { field, value: value.to_owned(), allowed: allowed.into() }
    }

    /// The field at fault, such as `day-of-month`, or `expression` if it is the whole.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl FromStr for Expression {
    type Err = ParseExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        if length > LENGTH_MAX {
            let start: String = text.chars().take(40).chain("...".chars()).collect();
            let allowed = format!("at most {LENGTH_MAX} characters are allowed, not {length}");
            return Err(ParseExpressionError::new("expression", &start, allowed));
        }
        if let Some(fields) = inside("cron(", text) {
            return fields.parse().map(Self::Cron);
        }
        if let Some(period) = inside("rate(", text) {
            return period.parse().map(Self::Rate);
        }
        if let Some(time) = inside("at(", text) {
            return time.parse().map(Self::At);
        }
        let allowed = "allowed are cron(minutes hours day-of-month month day-of-week year), \
                       rate(value unit) and at(yyyy-mm-ddThh:mm:ss)";
        Err(ParseExpressionError::new("expression", text, allowed))
    }
}

fn inside<'text>(opening: &str, text: &'text str) -> Option<&'text str> {
    text.strip_prefix(opening)?.strip_suffix(')')
}

impl TryFrom<String> for Expression {
    type Error = ParseExpressionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.to_string()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => write!(f, "rate({rate})"),
            Self::Cron(cron) => write!(f, "cron({cron})"),
            Self::At(at) => write!(f, "at({at})"),
        }
    }
}
