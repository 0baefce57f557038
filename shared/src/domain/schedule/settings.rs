//! The settings of a schedule: all that people can set.

use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::InstanceId;
use crate::domain::instance::{Exclusions, Instance};
use crate::domain::retention::{Rules, Span};
use crate::domain::schedule::copies::CopyTarget;
use crate::domain::schedule::expression::Expression;
use crate::domain::schedule::name_template::NameTemplate;
use crate::domain::schedule::selector::Selector;
use crate::domain::schedule::zone::Zone;
use crate::domain::tags::Tags;

/// Over how many minutes a run's targets may be staggered: a day.
pub const SPREAD_MINUTES_MAX: u32 = 1_440;

/// What people set of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
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

impl Settings {
    /// The settings of an enabled schedule of this name and expression in UTC. It is for no instance yet, and keeps
    /// everything.
    pub fn of(name: impl Into<String>, expression: Expression) -> Self {
        Self {
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
