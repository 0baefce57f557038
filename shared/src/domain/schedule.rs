//! Schedules: when snapshots are taken, of which instances, and how long they are kept.

pub mod assignment;
pub mod copies;
pub mod drills;
pub mod edit;
pub mod enforced;
pub mod expression;
pub mod losses;
pub mod name_template;
pub mod preview;
pub mod selector;
mod settings;
pub mod slots;
pub mod zone;

pub use self::settings::{Options, SPREAD_MINUTES_MAX, Settings, Targets, WhenGone};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ScheduleId, digest};
use crate::domain::retention::Rules;
use crate::domain::schedule::copies::rules_of;
use crate::domain::schedule::drills::Drills;
use crate::domain::schedule::enforced::Enforced;
use crate::domain::schedule::losses::Losses;
use crate::domain::snapshot::Snapshot;

/// How many instances one run may have; beyond it a run's record would outgrow DynamoDB's 400 KB.
pub const TARGETS_MAX: usize = 12_000;

/// A schedule: what people set, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub id: ScheduleId,
    /// Counts the edits by people; what `If-Match` compares.
    pub version: u64,
    /// Counts the writes, ours included; what conditional writes compare.
    pub revision: u64,
    #[serde(flatten)]
    pub settings: Settings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person last edited it.
    pub updated_at: Timestamp,
    /// The next due time; none if it is disabled or over.
    pub next_due: Option<Timestamp>,
    /// What was in force at the last executed sweep.
    pub enforced: Enforced,
    /// What it has lost within a day that nobody expected.
    #[serde(default, skip_serializing_if = "Losses::is_empty")]
    pub losses: Losses,
    /// How far it is with its drills.
    #[serde(default)]
    pub drills: Drills,
}

/// A tag of exactly this key and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagMatch {
    pub key: String,
    pub value: String,
}

impl Schedule {
    /// The schedule of these settings, made at `now`. Its first slot is the next one.
    pub fn made(id: ScheduleId, settings: Settings, now: Timestamp) -> Self {
        let schedule = Self {
            // A schedule that has no snapshots yet cannot delete any by surprise: its own rules are what is
            // expected.
            enforced: Enforced::of(&settings, now),
            id,
            version: 1,
            revision: 1,
            settings,
            created_at: now,
            updated_at: now,
            next_due: None,
            losses: Losses::default(),
            drills: Drills::default(),
        };
        let schedule = schedule.with_drills_since(None, now);
        Self { next_due: slots::next_due(&schedule, now), ..schedule }
    }

    /// From when `rate` counts.
    pub fn anchor(&self) -> Timestamp {
        self.settings.start_at.unwrap_or(self.created_at)
    }

    /// The rules that decide about a snapshot of it.
    pub fn rules_of(&self, snapshot: &Snapshot) -> Option<&Rules> {
        rules_of(self.settings.rules.as_ref(), &self.settings.copies, snapshot)
    }

    /// A fingerprint of the rules, the zone they are read in, and what becomes of instances that are gone. A
    /// condemnation remembers it, and holds only as long as the schedule still has it.
    pub fn rules_digest(&self) -> String {
        // Serializing plain numbers and texts cannot fail; if it did, an empty text would only rescue.
        let rules = serde_json::to_string(&(&self.settings.rules, self.settings.when_gone))
            .unwrap_or_default();
        let zone = self.settings.timezone.to_string();
        if self.settings.copies.is_empty() {
            return digest(&[&rules, &zone]);
        }
        let copies: Vec<_> =
            self.settings.copies.iter().map(|one| (&one.region, &one.rules)).collect();
        let copies = serde_json::to_string(&copies).unwrap_or_default();
        digest(&[&rules, &zone, &copies])
    }

    /// How long what a sweep condemns can be rescued.
    pub fn grace(&self, default: SignedDuration) -> SignedDuration {
        self.settings
            .grace_minutes
            .map_or(default, |minutes| SignedDuration::from_mins(i64::from(minutes)))
    }

    /// The same schedule with settings changed, and nothing else.
    #[cfg(test)]
    #[must_use]
    pub(in crate::domain) fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// The same schedule with `next_due` as it is after `after`.
    #[must_use]
    pub fn advanced(&self, after: Timestamp) -> Self {
        Self { next_due: slots::next_due(self, after), revision: self.revision + 1, ..self.clone() }
    }

    /// The same schedule, its present rules having been enforced at `at`.
    #[must_use]
    pub fn enforced_at(&self, at: Timestamp) -> Self {
        let enforced = Enforced::of(&self.settings, at);
        Self { enforced, revision: self.revision + 1, ..self.clone() }
    }

    /// The same schedule, with these losses.
    #[must_use]
    pub fn having_lost(&self, losses: Losses) -> Self {
        Self { losses, revision: self.revision + 1, ..self.clone() }
    }
}
