//! Schedules: when snapshots are taken, of which instances, and how long they are kept.

pub mod expression;
pub mod name_template;
pub mod slots;
pub mod zone;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{InstanceId, ScheduleId, digest};
use crate::domain::instance::{Exclusions, Instance};
use crate::domain::retention::Rules;
use crate::domain::schedule::expression::Expression;
use crate::domain::schedule::name_template::NameTemplate;
use crate::domain::schedule::zone::Zone;
use crate::domain::tags::Tags;

/// How many instances one run may have; beyond it a run's record would outgrow DynamoDB's 400 KB.
pub const TARGETS_MAX: usize = 15_000;

/// A reusable object: expression, zone, targets, rules, options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Ours.
    pub id: ScheduleId,
    /// Counts the edits by people; what `If-Match` compares.
    pub version: u64,
    /// Counts the writes, ours included; what conditional writes compare.
    pub revision: u64,
    /// Display name.
    pub name: String,
    /// When it fires.
    pub expression: Expression,
    /// In which zone `cron`, `at` and the retention periods are read.
    pub timezone: Zone,
    /// Of what.
    pub targets: Targets,
    /// How long its snapshots are kept; without rules all are.
    pub rules: Option<Rules>,
    /// What is taken, and how it is named.
    pub options: Options,
    /// It does not fire before.
    pub start_at: Option<Timestamp>,
    /// It does not fire after.
    pub end_at: Option<Timestamp>,
    /// Whether it fires at all.
    pub enabled: bool,
    /// How long a condemned snapshot can be rescued, in minutes; the setting's default if none.
    pub grace_minutes: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person last edited it.
    pub updated_at: Timestamp,
    /// The next due time; none if it is disabled or over.
    pub next_due: Option<Timestamp>,
    /// What was in force at the last executed sweep.
    pub enforced: Enforced,
}

/// Rules as they were in force at a sweep: what the brake takes as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// The rules.
    pub rules: Option<Rules>,
    /// The zone they were read in.
    pub timezone: Zone,
    /// When.
    pub at: Timestamp,
}

/// Which instances a schedule is for: those named, and those that bear all of the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// By id.
    #[serde(default)]
    pub instance_ids: Vec<InstanceId>,
    /// By tags, all of which an instance must bear; none selects nothing.
    #[serde(default)]
    pub tags: Vec<TagMatch>,
}

/// A tag an instance must bear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagMatch {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

impl Targets {
    /// Whether it can never be for any instance.
    pub fn is_empty(&self) -> bool {
        self.instance_ids.is_empty() && self.tags.is_empty()
    }

    /// Whether it is for `instance`.
    pub fn include(&self, instance: &Instance) -> bool {
        self.instance_ids.contains(&instance.id)
            || (!self.tags.is_empty()
                && self.tags.iter().all(|tag| instance.tags.get(&tag.key) == Some(&tag.value)))
    }
}

/// What a schedule takes, and how it names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// What is left out.
    pub exclusions: Exclusions,
    /// Whether the EBS snapshots bear the instance's tags too.
    pub copy_tags: bool,
    /// How a snapshot is named.
    pub name_template: NameTemplate,
    /// Tags for every snapshot.
    pub extra_tags: Tags,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            exclusions: Exclusions::default(),
            copy_tags: true,
            name_template: NameTemplate::default(),
            extra_tags: Tags::new(),
        }
    }
}

impl Schedule {
    /// From when `rate` counts.
    pub fn anchor(&self) -> Timestamp {
        self.start_at.unwrap_or(self.created_at)
    }

    /// A fingerprint of the rules and the zone they are read in. A condemnation remembers it, and holds only
    /// as long as the schedule still has it.
    pub fn rules_digest(&self) -> String {
        // Serializing plain numbers and texts cannot fail; if it did, an empty text would only rescue.
        let rules = serde_json::to_string(&self.rules).unwrap_or_default();
        digest(&[&rules, &self.timezone.to_string()])
    }

    /// How long what a sweep condemns can be rescued.
    pub fn grace(&self, default: SignedDuration) -> SignedDuration {
        self.grace_minutes.map_or(default, |minutes| SignedDuration::from_mins(i64::from(minutes)))
    }

    /// The same schedule with `next_due` as it is after `after`.
    #[must_use]
    pub fn advanced(&self, after: Timestamp) -> Self {
        Self { next_due: slots::next_due(self, after), revision: self.revision + 1, ..self.clone() }
    }

    /// The same schedule, its present rules having been enforced at `at`.
    #[must_use]
    pub fn enforced_at(&self, at: Timestamp) -> Self {
        let enforced = Enforced { rules: self.rules.clone(), timezone: self.timezone.clone(), at };
        Self { enforced, revision: self.revision + 1, ..self.clone() }
    }
}
