//! A rule set that keeps something, and how it is written in JSON.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use super::{
    period::Period,
    span::{self, Span},
};

/// At least one rule that keeps something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRules", into = "RawRules")]
pub struct Rules {
    /// How many periods to keep the newest snapshot of.
    pub(super) counts: BTreeMap<Period, Count>,
    /// How far back from the newest snapshot to keep the newest of each period.
    pub(super) within: BTreeMap<Period, Span>,
    /// How far back from now to keep everything.
    pub(super) max_age: Option<Span>,
}

/// How many periods a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    All,
    UpTo(NonZeroU32),
}

/// A rule set as it is written: counts, where -1 is all, and spans such as `14d`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRules {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<i64>,
    /// The newest of each of the last n hours that have a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_hourly: Option<i64>,
    /// The newest of each of the last n days that have a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_daily: Option<i64>,
    /// The newest of each of the last n ISO weeks that have a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_weekly: Option<i64>,
    /// The newest of each of the last n months that have a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_monthly: Option<i64>,
    /// The newest of each of the last n years that have a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_yearly: Option<i64>,
    /// Everything this close to the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_within: Option<String>,
    /// The newest of each hour this close to the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_within_hourly: Option<String>,
    /// The newest of each day this close to the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_within_daily: Option<String>,
    /// The newest of each ISO week this close to the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_within_weekly: Option<String>,
    /// The newest of each month this close to the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_within_monthly: Option<String>,
    /// The newest of each year this close to the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_within_yearly: Option<String>,
    /// Everything younger than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<String>,
}

/// A rule set that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseRulesError {
    /// A count below -1 or beyond all sense.
    #[error("{field} is {value}: allowed are -1 (all) and 0 (off) to {}", u32::MAX)]
    Count {
        /// The rule's name.
        field: &'static str,
        /// What it was given.
        value: i64,
    },
    /// A span that does not read as one.
    #[error("{field} is {value:?}: {}", span::ALLOWED)]
    Span {
        /// The rule's name.
        field: &'static str,
        /// What it was given.
        value: String,
    },
    /// No rule, or only rules that are off.
    #[error(
        "these rules would keep nothing: give at least one count that is not 0 (keep_last, \
         keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly) or one span that is not \
         0 (keep_within, keep_within_hourly, keep_within_daily, keep_within_weekly, \
         keep_within_monthly, keep_within_yearly, max_age), or no rules at all (null) to keep everything"
    )]
    Empty,
}

impl ParseRulesError {
    /// The rule at fault, if it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Count { field, .. } | Self::Span { field, .. } => Some(field),
            Self::Empty => None,
        }
    }
}

impl Rules {
    /// The rules in plain English, such as "keep the last 3; newest of each of the last 7 days".
    pub fn describe(&self) -> String {
        let counts = self.counts.iter().map(|(period, count)| match (period, count) {
            (Period::Each, Count::All) => "everything".to_owned(),
            (Period::Each, Count::UpTo(NonZeroU32::MIN)) => "the last one".to_owned(),
            (Period::Each, Count::UpTo(count)) => format!("the last {count}"),
            (_, Count::All) => format!("newest of every {}", period.noun()),
            (_, Count::UpTo(NonZeroU32::MIN)) => format!("newest of the last {}", period.noun()),
            (_, Count::UpTo(count)) => {
                format!("newest of each of the last {count} {}s", period.noun())
            }
        });
        let within = self.within.iter().map(|(period, span)| match period {
            Period::Each => format!("everything within {span} of the newest"),
            Period::Hour | Period::Day | Period::Week | Period::Month | Period::Year => {
                format!("newest of each {} within {span} of the newest", period.noun())
            }
        });
        let max_age = self.max_age.map(|span| format!("everything younger than {span}"));
        let parts: Vec<String> = counts.chain(within).chain(max_age).collect();
        format!("keep {}", parts.join("; "))
    }
}

impl TryFrom<RawRules> for Rules {
    type Error = ParseRulesError;

    fn try_from(raw: RawRules) -> Result<Self, Self::Error> {
        let RawRules {
            keep_last,
            keep_hourly,
            keep_daily,
            keep_weekly,
            keep_monthly,
            keep_yearly,
            keep_within,
            keep_within_hourly,
            keep_within_daily,
            keep_within_weekly,
            keep_within_monthly,
            keep_within_yearly,
            max_age,
        } = raw;
        let counts = [
            (Period::Each, count("keep_last", keep_last)?),
            (Period::Hour, count("keep_hourly", keep_hourly)?),
            (Period::Day, count("keep_daily", keep_daily)?),
            (Period::Week, count("keep_weekly", keep_weekly)?),
            (Period::Month, count("keep_monthly", keep_monthly)?),
            (Period::Year, count("keep_yearly", keep_yearly)?),
        ];
        let within = [
            (Period::Each, span("keep_within", keep_within)?),
            (Period::Hour, span("keep_within_hourly", keep_within_hourly)?),
            (Period::Day, span("keep_within_daily", keep_within_daily)?),
            (Period::Week, span("keep_within_weekly", keep_within_weekly)?),
            (Period::Month, span("keep_within_monthly", keep_within_monthly)?),
            (Period::Year, span("keep_within_yearly", keep_within_yearly)?),
        ];
        let rules = Self {
            counts: counts.into_iter().filter_map(|(of, count)| Some((of, count?))).collect(),
            within: within.into_iter().filter_map(|(of, span)| Some((of, span?))).collect(),
            max_age: span("max_age", max_age)?,
        };
        if rules.counts.is_empty() && rules.within.is_empty() && rules.max_age.is_none() {
            return Err(ParseRulesError::Empty);
        }
        Ok(rules)
    }
}

/// None if the rule is off.
fn count(field: &'static str, value: Option<i64>) -> Result<Option<Count>, ParseRulesError> {
    let Some(value) = value else { return Ok(None) };
    if value == -1 {
        return Ok(Some(Count::All));
    }
    let number = u32::try_from(value).map_err(|_| ParseRulesError::Count { field, value })?;
    Ok(NonZeroU32::new(number).map(Count::UpTo))
}

/// None if the rule is off.
fn span(field: &'static str, value: Option<String>) -> Result<Option<Span>, ParseRulesError> {
    let Some(value) = value else { return Ok(None) };
    let span: Span = value.parse().map_err(|_| ParseRulesError::Span { field, value })?;
    Ok((!span.is_zero()).then_some(span))
}

impl From<Rules> for RawRules {
    fn from(rules: Rules) -> Self {
        let Rules { counts, within, max_age } = rules;
        let count = |period| {
            counts.get(&period).map(|count| match count {
                Count::All => -1,
                Count::UpTo(count) => i64::from(count.get()),
            })
        };
        let span = |period| within.get(&period).map(Span::to_string);
        Self {
            keep_last: count(Period::Each),
            keep_hourly: count(Period::Hour),
            keep_daily: count(Period::Day),
            keep_weekly: count(Period::Week),
            keep_monthly: count(Period::Month),
            keep_yearly: count(Period::Year),
            keep_within: span(Period::Each),
            keep_within_hourly: span(Period::Hour),
            keep_within_daily: span(Period::Day),
            keep_within_weekly: span(Period::Week),
            keep_within_monthly: span(Period::Month),
            keep_within_yearly: span(Period::Year),
            max_age: max_age.map(String::from),
        }
    }
}
