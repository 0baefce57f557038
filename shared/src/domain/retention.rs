//! Retention: restic's rules for `forget`, in a schedule's time zone.
//!
//! A snapshot stays if any rule keeps it, and every rule that does is a reason. The counting
//! rules keep the newest of each of the last n periods *that have a snapshot*; the rules with a
//! span look back from the newest snapshot, not from now, except `max_age`.

mod bound;
pub mod outlook;
mod period;
mod plan;
mod rules;
mod span;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    bound::KeptAtMost,
    period::Moment,
    rules::{ParseRulesError, RawRules, Rules},
    span::{ParseSpanError, Span},
};
use crate::domain::schedule::zone::Zone;

/// What is to become of one snapshot, and why it stays if it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub keep: bool,
    /// Each rule that keeps it, such as "daily 3 of 7"; none if it goes.
    pub reasons: Vec<String>,
}

impl Rules {
    /// One verdict for each instant at which a snapshot was taken, in their order.
    ///
    /// Their order matters only among equal instants: of those, an earlier one counts as newer.
    /// What is later than `now` is within every span, and is not what spans look back from.
    ///
    /// A plan that is carried out plans nothing more at the same `now`, if nothing was later.
    /// Else it may: the snapshot that spans look back from can have been the day's second.
    pub fn plan(&self, taken_at: &[Timestamp], zone: &Zone, now: Timestamp) -> Vec<Verdict> {
        plan::plan(self, taken_at, zone, now)
    }

    /// Only whether each stays, of moments that are in order: the same verdicts as [`Rules::plan`], without the
    /// price of their reasons. Of equal instants, a later one in the list counts as newer.
    pub fn kept(&self, oldest_first: &[Moment], zone: &Zone, now: Timestamp) -> Vec<bool> {
        plan::kept(self, oldest_first, zone, now)
    }

    /// Whether verdicts change with `now` alone, no snapshot being added.
    pub fn look_at_age(&self) -> bool {
        self.max_age.is_some()
    }
}
