//! What must have become of the drills that schedules want.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::calm::instant;
use crate::ledger::{Ledger, ScheduleFacts};

/// How long a drill that is due may wait to be begun, or to be said why it is not.
const BEGUN_AFTER: SignedDuration = SignedDuration::from_mins(75);
/// When a schedule certainly has had its first: a day after it was made, with time to begin it.
const FIRST_AFTER: SignedDuration = SignedDuration::from_hours(27);

/// It has been calm for a while and schedules still fire: each drill that was due is begun, or it is said why it is not.
pub(crate) fn judge_drills(ledger: &mut Ledger, schedules: &[Value], now: Timestamp) {
    let mut forgotten = None;
    for one in schedules {
        let (id, drills) = (one["id"].as_str().unwrap_or_default(), &one["drills"]);
        let looked_at = instant(&drills["try_at"]).or_else(|| instant(&drills["due"]));
        if let Some(at) = looked_at.filter(|at| now.duration_since(*at) > BEGUN_AFTER) {
            forgotten = Some(format!("the drill of {id} was to be begun at {at}"));
        }
        let is_wanted =
            ledger.schedules.get(id).is_some_and(|facts| facts.has_been_drilled_by(now));
        if is_wanted && drills["last"].is_null() && drills["put_off"].is_null() {
            forgotten = Some(format!("{id} is to be drilled each day, and never was"));
        }
    }
    if let Some(text) = forgotten {
        ledger.violated(now, "drill-missing", text);
    }
}

impl ScheduleFacts {
    /// Whether it must have been drilled by then: nothing has ever kept it from that.
    fn has_been_drilled_by(&self, now: Timestamp) -> bool {
        self.drills && !self.dropped && self.fires.len() == 1 && self.anchor + FIRST_AFTER < now
    }
}
