//! Drills of a schedule: when one is due, when it is tried again, and of which instances it may be.
//!
//! Each time `drill_every` is over, one drill of the schedule is begun: of the newest set of one of its instances. The
//! instances take turns in the order of their ids, so that each is drilled once before any is drilled again.

use std::collections::BTreeSet;
use std::ops::Bound;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{InstanceId, RestoreId};
use crate::domain::restore::Restore;
use crate::domain::retention::Span;
use crate::domain::schedule::Schedule;
use crate::domain::schedule::zone::Zone;

/// How far apart the drills of a schedule may lie, in words.
pub const EVERY_ALLOWED: &str = "1d to 1y";
/// The least and the most that is.
const EVERY_MIN: SignedDuration = SignedDuration::from_hours(24);
const EVERY_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Of how many instances one try looks for a set that can be drilled.
pub const INSTANCES_MAX: usize = 10;
/// How soon a drill that could not be begun is tried again at the soonest.
const TRIED_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How often one is tried within its period at the most.
const TRIES_MAX: i32 = 24;
/// How long a reason may be: what EC2 says has no bound of its own.
const REASON_CHARACTERS_MAX: usize = 500;

/// How far a schedule is with its drills.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drills {
    /// When the next one is due, by which it is known; none if the schedule wants none or is disabled.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// When the one that is due is tried again; none if it was not tried yet.
    #[serde(default)]
    pub try_at: Option<Timestamp>,
    /// Why the one that is due could not be begun.
    #[serde(default)]
    pub put_off: Option<String>,
    /// The instance after which the next one is looked for.
    #[serde(default)]
    pub after: Option<InstanceId>,
    /// The last one that was begun.
    #[serde(default)]
    pub last: Option<RestoreId>,
}

/// Whether drills of a schedule may lie that far apart.
pub fn is_allowed(every: Span) -> bool {
    let start = Timestamp::UNIX_EPOCH;
    let period = every.after(start, &Zone::default()).duration_since(start);
    (EVERY_MIN..=EVERY_MAX).contains(&period)
}

/// Of which instances the next drill may be, the first of them best: those that come `after` one in the order of their
/// ids, and then round again. Ten at the most.
pub fn next_instances(
    instances: &BTreeSet<InstanceId>,
    after: Option<&InstanceId>,
) -> Vec<InstanceId> {
    let Some(last) = after else {
        return instances.iter().take(INSTANCES_MAX).cloned().collect();
    };
    let behind = instances.range((Bound::Excluded(last), Bound::Unbounded));
    behind.chain(instances.range(..=last)).take(INSTANCES_MAX).cloned().collect()
}

impl Schedule {
    /// When a tick is to look at its drills; none if there will be none.
    pub fn drill_at(&self) -> Option<Timestamp> {
        self.drills.try_at.or(self.drills.due)
    }

    /// The due time of the drill that is to be tried at `now`, if one is.
    pub fn due_drill(&self, now: Timestamp) -> Option<Timestamp> {
        self.drills.due.filter(|_| self.drill_at().is_some_and(|at| at <= now))
    }

    /// The same schedule, this drill of it having been begun. What an outage left out is not made up for.
    #[must_use]
    pub fn drilled(&self, drill: &Restore, now: Timestamp) -> Self {
        let drills = Drills {
            due: self.period_end(now),
            try_at: None,
            put_off: None,
            after: Some(drill.instance_id.clone()),
            last: Some(drill.id.clone()),
        };
        Self { drills, revision: self.revision + 1, ..self.clone() }
    }

    /// The same schedule, the drill that is due not having been begun, although these were looked at up to `after`. It is
    /// tried again in an hour, or a twenty-fourth of its period if that is more; then it is the next one.
    #[must_use]
    pub fn drill_put_off(&self, why: &str, after: Option<InstanceId>, now: Timestamp) -> Self {
        let (due, try_at) = self.next_try(now);
        let drills = Drills {
            due,
            try_at,
            put_off: try_at.map(|_| why.chars().take(REASON_CHARACTERS_MAX).collect()),
            after: after.or_else(|| self.drills.after.clone()),
            last: self.drills.last.clone(),
        };
        Self { drills, revision: self.revision + 1, ..self.clone() }
    }

    /// The same schedule with its next drill a whole period ahead, if whether or how often it is drilled is not as it was,
    /// or a start that lies ahead.
    #[must_use]
    pub fn with_drills_since(self, old: Option<&Self>, now: Timestamp) -> Self {
        let ahead = |one: &Self| one.settings.start_at.filter(|start| *start > now);
        let wants = |one: &Self| (one.settings.drill_every, one.settings.enabled, ahead(one));
        if old.is_some_and(|old| wants(old) == wants(&self)) {
            return self;
        }
        let from = self.settings.start_at.map_or(now, |start| start.max(now));
        let every = self.settings.drill_every.filter(|_| self.settings.enabled);
        let due = every.map(|every| every.after(from, &self.settings.timezone));
        let drills = Drills { due, try_at: None, put_off: None, ..self.drills.clone() };
        Self { drills, ..self }
    }

    /// When the drill after the one that is due is.
    fn period_end(&self, now: Timestamp) -> Option<Timestamp> {
        let every = self.settings.drill_every?;
        let after = |at: Timestamp| every.after(at, &self.settings.timezone);
        self.drills.due.map(after).filter(|end| *end > now).or_else(|| Some(after(now)))
    }

    fn next_try(&self, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        let (Some(every), Some(due)) = (self.settings.drill_every, self.drills.due) else {
            return (None, None);
        };
        let end = every.after(due, &self.settings.timezone);
        let pause = (end.duration_since(due) / TRIES_MAX).max(TRIED_AGAIN_AFTER);
        let again = now.saturating_add(pause).unwrap_or(now);
        if again < end {
            return (Some(due), Some(again));
        }
        // After an outage of a whole period there is no end ahead to wait for.
        (Some(if end > now { end } else { again }), None)
    }
}

#[cfg(test)]
mod tests;
