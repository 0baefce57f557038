//! Instances that are gone: when an absence is believed, and which schedules have a rule for it.

use jiff::Timestamp;

use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::MISSING_AFTER;

/// Whether a schedule has, or had at its last sweep, a rule for gone instances.
pub fn has_rule(schedule: &Schedule) -> bool {
    schedule.settings.when_gone != WhenGone::Apply || schedule.enforced.when_gone != WhenGone::Apply
}

/// Whether the first look lies so far back that the absence is believed at the second.
pub fn is_believed(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) >= MISSING_AFTER
}
