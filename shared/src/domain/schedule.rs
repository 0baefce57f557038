//! Schedules: when snapshots are taken, of which instances, and how long they are kept.

pub mod assignment;
pub mod copies;
pub mod drills;
pub mod expression;
pub mod name_template;
pub mod preview;
pub mod selector;
pub mod slots;
pub mod zone;

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{InstanceId, ScheduleId, digest};
use crate::domain::instance::{Exclusions, Instance};
use crate::domain::retention::{Rules, Span};
use crate::domain::schedule::copies::{CopyTarget, rules_of};
use crate::domain::schedule::drills::Drills;
use crate::domain::schedule::expression::Expression;
use crate::domain::schedule::name_template::NameTemplate;
use crate::domain::schedule::selector::Selector;
use crate::domain::schedule::zone::Zone;
use crate::domain::snapshot::Snapshot;
use crate::domain::tags::Tags;

/// How many instances one run may have; beyond it a run's record would outgrow DynamoDB's 400 KB.
pub const TARGETS_MAX: usize = 12_000;
/// Over how many minutes a run's targets may be staggered: a day.
pub const SPREAD_MINUTES_MAX: u32 = 1_440;

/// A reusable object: expression, zone, targets, rules, options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub id: ScheduleId,
    /// Counts the edits by people; what `If-Match` compares.
    pub version: u64,
    /// Counts the writes, ours included; what conditional writes compare.
    pub revision: u64,
    /// Display name.
    pub name: String,
    pub expression: Expression,
    /// In which zone `cron`, `at` and the retention periods are read.
    pub timezone: Zone,
    pub targets: Targets,
    /// How long its snapshots are kept; without rules all are.
    pub rules: Option<Rules>,
    /// What becomes of the snapshots of instances that are no more.
    #[serde(default)]
    pub when_gone: WhenGone,
    /// What is taken, and how it is named.
    pub options: Options,
    /// The other regions that its snapshots are copied to.
    #[serde(default)]
    pub copies: Vec<CopyTarget>,
    /// Over how many minutes its targets are staggered; without it all are taken at the slot itself.
    #[serde(default)]
    pub spread_minutes: Option<u32>,
    /// How long after it was taken a snapshot can be restored; for ever without it.
    #[serde(default)]
    pub restore_window: Option<Span>,
    /// How far apart its drills lie; without it there are none.
    #[serde(default)]
    pub drill_every: Option<Span>,
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
    /// How far it is with its drills.
    #[serde(default)]
    pub drills: Drills,
}

/// Rules as they were in force at a sweep: what the brake takes as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    pub rules: Option<Rules>,
    /// What became of the snapshots of instances that were no more.
    #[serde(default)]
    pub when_gone: WhenGone,
    /// The rules of its copies, where they were to be made then.
    #[serde(default)]
    pub copies: Vec<CopyTarget>,
    /// The zone they were read in.
    pub timezone: Zone,
    pub at: Timestamp,
}

impl Enforced {
    /// The rules that decided about a snapshot.
    pub fn rules_of(&self, snapshot: &Snapshot) -> Option<&Rules> {
        rules_of(self.rules.as_ref(), &self.copies, snapshot)
    }
}

/// What becomes of the snapshots of an instance that is terminated, or that EC2 no longer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "count")]
pub enum WhenGone {
    /// What the rules say, as while it was there.
    #[default]
    Apply,
    /// The newest so many stay, whatever the rules say.
    KeepLast(NonZeroU32),
    /// All stay.
    KeepAll,
}

/// Which instances a schedule is for: those named, and those that the tags select, but for those left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    #[serde(default)]
    pub instance_ids: Vec<InstanceId>,
    #[serde(default)]
    pub tags: Selector,
    /// Not these, however they were chosen.
    #[serde(default)]
    pub exclude_instance_ids: Vec<InstanceId>,
}

/// A tag of exactly this key and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagMatch {
    pub key: String,
    pub value: String,
}

impl Targets {
    /// Whether it can never be for any instance.
    pub fn is_empty(&self) -> bool {
        self.instance_ids.is_empty() && self.tags.is_empty()
    }

    /// Whether it is for `instance`.
    pub fn include(&self, instance: &Instance) -> bool {
        !self.exclude_instance_ids.contains(&instance.id)
            && (self.instance_ids.contains(&instance.id) || self.tags.selects(&instance.tags))
    }
}

/// A schedule that is wanted.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Chosen by the caller, so that asking twice makes one.
    pub id: ScheduleId,
    /// Display name.
    pub name: String,
    pub expression: Expression,
    pub timezone: Zone,
    pub targets: Targets,
    /// How long its snapshots are kept.
    pub rules: Option<Rules>,
    /// What becomes of the snapshots of instances that are no more.
    pub when_gone: WhenGone,
    /// What is taken, and how it is named.
    pub options: Options,
    /// The other regions that its snapshots are copied to.
    pub copies: Vec<CopyTarget>,
    /// Over how many minutes its targets are staggered.
    pub spread_minutes: Option<u32>,
    /// How long after it was taken a snapshot can be restored.
    pub restore_window: Option<Span>,
    /// How far apart its drills lie.
    pub drill_every: Option<Span>,
    /// It does not fire before.
    pub start_at: Option<Timestamp>,
    /// It does not fire after.
    pub end_at: Option<Timestamp>,
    /// Whether it fires at all.
    pub enabled: bool,
    /// Grace of its condemned snapshots.
    pub grace_minutes: Option<u32>,
}

impl NewSchedule {
    /// An enabled schedule of this name and expression in UTC that is for nothing yet and keeps everything.
    pub fn of(id: ScheduleId, name: impl Into<String>, expression: Expression) -> Self {
        Self {
            id,
            name: name.into(),
            expression,
            timezone: Zone::default(),
            targets: Targets::default(),
            rules: None,
            when_gone: WhenGone::default(),
            options: Options::default(),
            copies: Vec::new(),
            spread_minutes: None,
            restore_window: None,
            drill_every: None,
            start_at: None,
            end_at: None,
            enabled: true,
            grace_minutes: None,
        }
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
    /// The schedule that was asked for, made at `now`. Its first slot is the next one.
    pub fn made(new: NewSchedule, now: Timestamp) -> Self {
        let NewSchedule {
            id,
            name,
            expression,
            timezone,
            targets,
            rules,
            when_gone,
            options,
            copies,
            spread_minutes,
            restore_window,
            drill_every,
            start_at,
            end_at,
            enabled,
            grace_minutes,
        } = new;
        let schedule = Self {
            // A schedule that has no snapshots yet cannot delete any by surprise: its own rules are what is
            // expected.
            enforced: Enforced {
                rules: rules.clone(),
                when_gone,
                copies: copies.clone(),
                timezone: timezone.clone(),
                at: now,
            },
            id,
            version: 1,
            revision: 1,
            name,
            expression,
            timezone,
            targets,
            rules,
            when_gone,
            options,
            copies,
            spread_minutes,
            restore_window,
            drill_every,
            start_at,
            end_at,
            enabled,
            grace_minutes,
            created_at: now,
            updated_at: now,
            next_due: None,
            drills: Drills::default(),
        };
        let schedule = schedule.with_drills_since(None, now);
        Self { next_due: slots::next_due(&schedule, now), ..schedule }
    }

    /// From when `rate` counts.
    pub fn anchor(&self) -> Timestamp {
        self.start_at.unwrap_or(self.created_at)
    }

    /// The rules that decide about a snapshot of it.
    pub fn rules_of(&self, snapshot: &Snapshot) -> Option<&Rules> {
        rules_of(self.rules.as_ref(), &self.copies, snapshot)
    }

    /// A fingerprint of the rules, the zone they are read in, and what becomes of instances that are gone. A
    /// condemnation remembers it, and holds only as long as the schedule still has it.
    pub fn rules_digest(&self) -> String {
        // Serializing plain numbers and texts cannot fail; if it did, an empty text would only rescue.
        let rules = serde_json::to_string(&(&self.rules, self.when_gone)).unwrap_or_default();
        let zone = self.timezone.to_string();
        if self.copies.is_empty() {
            return digest(&[&rules, &zone]);
        }
        let copies: Vec<_> = self.copies.iter().map(|one| (&one.region, &one.rules)).collect();
        let copies = serde_json::to_string(&copies).unwrap_or_default();
        digest(&[&rules, &zone, &copies])
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
        let enforced = Enforced {
            rules: self.rules.clone(),
            when_gone: self.when_gone,
            copies: self.copies.clone(),
            timezone: self.timezone.clone(),
            at,
        };
        Self { enforced, revision: self.revision + 1, ..self.clone() }
    }
}
