//! Retention rules on the wire.

use serde::{Deserialize, Serialize};
use shared::domain::retention::{ParseRulesError, RawRules, Rules};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What is kept of each instance: a snapshot stays if any rule keeps it. The meaning is that of restic's
/// `forget`. Counts: -1 keeps all, 0 is off. Spans: `14d`, `1y2m3d4h`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    /// The newest n.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 7)]
    keep_last: Option<i64>,
    /// The newest of each of the last n hours that have a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_hourly: Option<i64>,
    /// The newest of each of the last n days that have a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_daily: Option<i64>,
    /// The newest of each of the last n ISO weeks that have a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_weekly: Option<i64>,
    /// The newest of each of the last n months that have a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_monthly: Option<i64>,
    /// The newest of each of the last n years that have a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_yearly: Option<i64>,
    /// Everything this close to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "14d")]
    keep_within: Option<String>,
    /// The newest of each hour this close to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_within_hourly: Option<String>,
    /// The newest of each day this close to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_within_daily: Option<String>,
    /// The newest of each ISO week this close to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_within_weekly: Option<String>,
    /// The newest of each month this close to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_within_monthly: Option<String>,
    /// The newest of each year this close to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_within_yearly: Option<String>,
    /// Everything younger than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "30d")]
    max_age: Option<String>,
}

impl Retention {
    /// The rules it makes as the field `retention`; an error names the rule at fault.
    pub(crate) fn rules(self) -> Result<Rules, Problem> {
        self.rules_at("retention")
    }

    /// The rules it makes as this field; an error names the rule at fault.
    pub(crate) fn rules_at(self, field: &str) -> Result<Rules, Problem> {
        let Self {
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
        } = self;
        let raw = RawRules {
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
        };
        Rules::try_from(raw).map_err(|error: ParseRulesError| match error.field() {
            Some(rule) => Problem::invalid(format!("{field}.{rule}"), error),
            None => Problem::invalid(field, error),
        })
    }
}

impl From<Rules> for Retention {
    fn from(rules: Rules) -> Self {
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
        } = RawRules::from(rules);
        Self {
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
        }
    }
}
