//! Requests about schedules: bodies.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::ids::{InstanceId, VolumeId};
use shared::domain::instance::Exclusions;
use shared::domain::schedule::expression::Expression;
use shared::domain::schedule::name_template::NameTemplate;
use shared::domain::schedule::zone::Zone;
use shared::domain::schedule::{Options, Settings, Targets};
use shared::domain::tags::Tags;
use utoipa::ToSchema;

use super::super::retention::Retention;
use super::super::tags::{Patterns, Selector, TagPattern};
use super::super::wire::{Clearable, Name, checked_bounds, checked_tags, clearable, present};
use super::copies::{self, Copy};
use super::durations::{DrillEvery, Minutes, Spread, Window};
use super::gone::{WantedWhenGone, WhenGone};
use crate::problem::Problem;

/// A schedule that is wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSchedule {
    /// Display name.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    name: Name,
    /// When it fires: `rate(…)`, `cron(…)` or `at(…)`, as EventBridge writes it.
    #[schema(value_type = String, example = "cron(30 2 * * ? *)")]
    expression: Expression,
    /// The IANA zone that `cron`, `at` and the periods of retention are read in; UTC if none.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "Europe/Berlin")]
    timezone: Zone,
    /// Of which instances: at least one identifier or tag.
    targets: WantedTargets,
    /// How long its snapshots are kept; without it everything is.
    retention: Option<Retention>,
    /// What becomes of the snapshots of instances that are no more; what `retention` says, unless told otherwise.
    #[schema(value_type = Option<WhenGone>)]
    when_gone: Option<WantedWhenGone>,
    /// What is taken, and how it is named.
    #[serde(default)]
    options: WantedOptions,
    /// The other regions that its snapshots are copied to, five at the most.
    #[serde(default)]
    #[schema(max_items = 5)]
    copies: Vec<Copy>,
    /// Over how many minutes its targets are staggered, evenly and always the same way.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1440)]
    spread_minutes: Option<Spread>,
    /// How long after it was taken a snapshot can be restored; for ever unless told otherwise.
    #[schema(value_type = Option<String>, example = "14d")]
    restore_window: Option<Window>,
    /// How far apart its drills lie, from `1d` to `1y`; there are none unless told otherwise.
    #[schema(value_type = Option<String>, example = "7d")]
    drill_every: Option<DrillEvery>,
    /// It does not fire before; `rate` counts from here.
    start_at: Option<Timestamp>,
    /// It does not fire after.
    end_at: Option<Timestamp>,
    /// Whether it fires at all; it does unless told otherwise.
    #[schema(default = true)]
    enabled: Option<bool>,
    /// How long what a sweep condemns can be rescued; the deployment's setting if none.
    #[schema(value_type = Option<u32>, maximum = 525_600)]
    grace_minutes: Option<Minutes>,
}

/// What of a schedule is to change. What is not given stays; null clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditSchedule {
    /// Display name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 256)]
    name: Option<Name>,
    /// When it fires.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "rate(12 hours)")]
    expression: Option<Expression>,
    /// The IANA zone that `cron`, `at` and the periods of retention are read in.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "Europe/Berlin")]
    timezone: Option<Zone>,
    /// Of which instances; merged field by field.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = WantedTargets, required = false)]
    targets: Option<WantedTargets>,
    /// How long its snapshots are kept; replaced as a whole, for admins only. Null keeps everything.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Retention>)]
    retention: Clearable<Retention>,
    /// What becomes of the snapshots of instances that are no more; for admins only.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = WhenGone, required = false)]
    when_gone: Option<WantedWhenGone>,
    /// What is taken, and how it is named; merged field by field.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = WantedOptions, required = false)]
    options: Option<WantedOptions>,
    /// The other regions that its snapshots are copied to; replaced as a whole, for admins only. What was copied to a
    /// region that is not named any more stays there.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<Copy>, required = false, max_items = 5)]
    copies: Option<Vec<Copy>>,
    /// Over how many minutes its targets are staggered.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1440)]
    spread_minutes: Clearable<Spread>,
    /// How long after it was taken a snapshot can be restored; of snapshots that are taken from now on.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, example = "14d")]
    restore_window: Clearable<Window>,
    /// How far apart its drills lie, from `1d` to `1y`; the next one is that far from now. Null for none.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, example = "7d")]
    drill_every: Clearable<DrillEvery>,
    /// It does not fire before.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Timestamp>)]
    start_at: Clearable<Timestamp>,
    /// It does not fire after.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Timestamp>)]
    end_at: Clearable<Timestamp>,
    /// Whether it fires at all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
    /// How long what a sweep condemns can be rescued; null for the deployment's setting.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>, maximum = 525_600)]
    grace_minutes: Clearable<Minutes>,
}

/// Which instances a schedule is for: those named, and those that the tags select, but for those left out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedTargets {
    /// By identifier.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["i-0123456789abcdef0"]))]
    instance_ids: Option<Vec<InstanceId>>,
    /// By the tags they bear when the slot is due.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Selector, required = false)]
    tags: Option<Selector>,
    /// Not these, however they were chosen.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>, required = false)]
    exclude_instance_ids: Option<Vec<InstanceId>>,
}

/// What a schedule takes, and how it names it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedOptions {
    /// Leave out the volume an instance boots from.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    exclude_boot_volume: Option<bool>,
    /// Leave out these volumes.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<String>, required = false)]
    exclude_volumes: Option<Vec<VolumeId>>,
    /// Leave out the volumes that bear one of these tags.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<TagPattern>, required = false, max_items = 50)]
    exclude_volumes_tagged: Option<Patterns>,
    /// Whether the EBS snapshots bear the instance's tags too; they do unless told otherwise.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    copy_tags: Option<bool>,
    /// How a snapshot is named, of `{instance_name} {instance_id} {schedule} {date} {time}`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "{instance_name} {date} {time}")]
    name_template: Option<NameTemplate>,
    /// Tags for every snapshot.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = std::collections::BTreeMap<String, String>, required = false)]
    extra_tags: Option<Tags>,
}

impl CreateSchedule {
    /// The settings it asks for, or what about them can never be.
    pub(super) fn settings(self) -> Result<Settings, Problem> {
        let Self {
            name,
            expression,
            timezone,
            targets,
            retention,
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
        } = self;
        let rules = retention.map(Retention::rules).transpose()?;
        let when_gone = when_gone.map(WantedWhenGone::rule).transpose()?.unwrap_or_default();
        options.checked()?;
        let copies = copies::targets(copies)?;
        let targets = targets.onto(Targets::default());
        if targets.is_empty() {
            let reason = "name at least one instance in instance_ids, or one tag in tags";
            return Err(Problem::invalid("targets", reason));
        }
        checked_bounds("", start_at, end_at)?;
        Ok(Settings {
            name: name.0,
            expression,
            timezone,
            targets,
            rules,
            when_gone,
            options: options.onto(Options::default()),
            copies,
            spread_minutes: spread_minutes.map(|spread| spread.0),
            restore_window: restore_window.map(|window| window.0),
            drill_every: drill_every.map(|every| every.0),
            start_at,
            end_at,
            enabled: enabled.unwrap_or(true),
            grace_minutes: grace_minutes.map(|minutes| minutes.0),
        })
    }
}

impl EditSchedule {
    /// Whether it says anything about how long snapshots are kept.
    pub(super) fn touches_retention(&self) -> bool {
        self.retention.is_some()
            || self.copies.is_some()
            || self.when_gone.is_some()
            || self.timezone.is_some()
            || self.grace_minutes.is_some()
    }

    /// The edit it asks for, which can be applied to any settings; or what about it can never be.
    pub(super) fn edit(self) -> Result<impl Fn(Settings) -> Settings, Problem> {
        let rules = self.retention.clone().map(|one| one.map(Retention::rules).transpose());
        let rules = rules.transpose()?;
        let when_gone = self.when_gone.map(WantedWhenGone::rule).transpose()?;
        self.options.as_ref().map(WantedOptions::checked).transpose()?;
        let copies = self.copies.clone().map(copies::targets).transpose()?;
        Ok(move |old: Settings| {
            let Self {
                name,
                expression,
                timezone,
                targets,
                retention: _rules,
                when_gone: _when_gone,
                options,
                copies: _copies,
                spread_minutes,
                restore_window,
                drill_every,
                start_at,
                end_at,
                enabled,
                grace_minutes,
            } = self.clone();
            Settings {
                name: name.map_or(old.name, |name| name.0),
                expression: expression.unwrap_or(old.expression),
                timezone: timezone.unwrap_or(old.timezone),
                targets: targets.map_or(old.targets.clone(), |targets| targets.onto(old.targets)),
                rules: rules.clone().unwrap_or(old.rules),
                when_gone: when_gone.unwrap_or(old.when_gone),
                options: options.map_or(old.options.clone(), |options| options.onto(old.options)),
                copies: copies.clone().unwrap_or(old.copies),
                spread_minutes: changed(spread_minutes, |spread| spread.0, old.spread_minutes),
                restore_window: changed(restore_window, |window| window.0, old.restore_window),
                drill_every: changed(drill_every, |every| every.0, old.drill_every),
                start_at: start_at.unwrap_or(old.start_at),
                end_at: end_at.unwrap_or(old.end_at),
                enabled: enabled.unwrap_or(old.enabled),
                grace_minutes: changed(grace_minutes, |minutes| minutes.0, old.grace_minutes),
            }
        })
    }
}

/// The value that a field has after a change.
fn changed<T, U>(change: Clearable<T>, value: impl Fn(T) -> U, old: Option<U>) -> Option<U> {
    change.map_or(old, |new| new.map(value))
}

impl WantedTargets {
    fn onto(self, old: Targets) -> Targets {
        let Self { instance_ids, tags, exclude_instance_ids } = self;
        Targets {
            instance_ids: distinct(instance_ids.unwrap_or(old.instance_ids)),
            tags: tags.map_or(old.tags, Into::into),
            exclude_instance_ids: distinct(
                exclude_instance_ids.unwrap_or(old.exclude_instance_ids),
            ),
        }
    }
}

fn distinct(mut ids: Vec<InstanceId>) -> Vec<InstanceId> {
    ids.sort();
    ids.dedup();
    ids
}

impl WantedOptions {
    /// Refuses tags that EC2 would not take.
    fn checked(&self) -> Result<(), Problem> {
        let tags = self.extra_tags.clone().unwrap_or_default();
        checked_tags("options.extra_tags", tags).map(drop)
    }

    fn onto(self, old: Options) -> Options {
        let Self {
            exclude_boot_volume,
            exclude_volumes,
            exclude_volumes_tagged,
            copy_tags,
            name_template,
            extra_tags,
        } = self;
        let tagged = exclude_volumes_tagged.map(Into::into);
        Options {
            exclusions: Exclusions {
                boot_volume: exclude_boot_volume.unwrap_or(old.exclusions.boot_volume),
                volumes: exclude_volumes.unwrap_or(old.exclusions.volumes),
                tagged: tagged.unwrap_or(old.exclusions.tagged),
            },
            copy_tags: copy_tags.unwrap_or(old.copy_tags),
            name_template: name_template.unwrap_or(old.name_template),
            extra_tags: extra_tags.unwrap_or(old.extra_tags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(json: &str) -> EditSchedule {
        serde_json::from_str(json).unwrap()
    }

    fn old() -> Settings {
        let mut old = Settings::of("nightly", "rate(1 day)".parse().unwrap());
        old.targets.instance_ids = vec!["i-01234567".parse().unwrap()];
        old.targets.tags.all_of = vec![shared::domain::tags::pattern::TagPattern {
            key: "a".to_owned(),
            value: shared::domain::tags::pattern::Pattern::new("b"),
        }];
        old.options.exclusions.boot_volume = true;
        old.spread_minutes = Some(5);
        old
    }

    #[test]
    fn options_and_targets_that_are_not_given_stay() {
        let wanted = edit(r#"{"options": {"copy_tags": false}, "targets": {"tags": {}}}"#);

        let new = wanted.edit().unwrap()(old());

        assert!(new.options.exclusions.boot_volume && !new.options.copy_tags);
        assert_eq!((new.targets.instance_ids.len(), new.targets.tags.all_of.len()), (1, 0));
    }

    #[test]
    fn null_clears_what_can_be_cleared() {
        let wanted = edit(r#"{"spread_minutes": null, "grace_minutes": 30}"#);

        let new = wanted.edit().unwrap()(old());

        assert_eq!((new.spread_minutes, new.grace_minutes), (None, Some(30)));
    }

    #[test]
    fn retention_is_touched_by_a_value_and_by_null() {
        assert!(edit(r#"{"retention": null}"#).touches_retention());
        assert!(edit(r#"{"retention": {"keep_last": 3}}"#).touches_retention());
        assert!(!edit(r#"{"enabled": false}"#).touches_retention());
    }

    #[test]
    fn an_edit_of_nothing_changes_nothing() {
        assert_eq!(edit("{}").edit().unwrap()(old()), old());
    }
}
