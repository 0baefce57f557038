//! Schedules on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{InstanceId, ScheduleId, VolumeId};
use shared::domain::instance::Exclusions;
use shared::domain::restore::last_drill;
use shared::domain::retention::{Rules, Span};
use shared::domain::schedule as domain;
use shared::domain::schedule::drills::Drills;
use shared::domain::schedule::expression::Expression;
use shared::domain::schedule::name_template::NameTemplate;
use shared::domain::schedule::zone::Zone;
use shared::domain::tags::Tags;
use utoipa::ToSchema;

use super::super::drills::LastDrill;
use super::super::retention::Retention;
use super::super::tags::{Selector, TagPattern};
use super::copies::Copy;
use super::gone::WhenGone;

/// When snapshots are taken, of which instances, and how long they are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    /// Its identifier.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    pub(super) id: ScheduleId,
    #[serde(flatten)]
    pub(super) content: Content,
    /// How the last drill of its snapshots ended, whoever asked for it.
    last_drill: Option<LastDrill>,
}

/// What there is to say of a schedule, made or not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleContent)]
pub(super) struct Content {
    /// Display name.
    name: String,
    /// When it fires, as EventBridge writes it.
    #[schema(value_type = String, example = "cron(30 2 * * ? *)")]
    expression: Expression,
    /// The same in plain English.
    #[schema(example = "at 02:30 every day")]
    description: String,
    /// The IANA zone that `cron`, `at` and the periods of retention are read in.
    #[schema(value_type = String, example = "Europe/Berlin")]
    timezone: Zone,
    /// Of which instances.
    targets: Targets,
    /// How long its snapshots are kept; null keeps everything.
    retention: Option<Retention>,
    /// The same in plain English.
    #[schema(example = "keep the last 7")]
    retention_description: String,
    /// What becomes of the snapshots of instances that are no more.
    when_gone: WhenGone,
    /// What is taken, and how it is named.
    options: Options,
    /// The other regions that its snapshots are copied to.
    copies: Vec<Copy>,
    /// Over how many minutes its targets are staggered, evenly and always the same way; null for none.
    spread_minutes: Option<u32>,
    /// How long after it was taken a snapshot can be restored; null for ever.
    #[schema(value_type = Option<String>, example = "14d")]
    restore_window: Option<Span>,
    /// How far apart its drills lie; null for none. Each is of the newest snapshot of one of its instances, and they take
    /// turns.
    #[schema(value_type = Option<String>, example = "7d")]
    drill_every: Option<Span>,
    /// It does not fire before.
    start_at: Option<Timestamp>,
    /// It does not fire after.
    end_at: Option<Timestamp>,
    /// Whether it fires at all.
    enabled: bool,
    /// How long what a sweep condemns can be rescued, in minutes; null for the deployment's setting.
    grace_minutes: Option<u32>,
    /// When it fires next; null if it is disabled or over.
    next_due_at: Option<Timestamp>,
    /// When its next drill is begun, or tried again; null without `drill_every`, or if it is disabled.
    next_drill_at: Option<Timestamp>,
    /// Why the drill that was due could not be begun, while it is still tried.
    drill_put_off: Option<String>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last edited.
    updated_at: Timestamp,
    /// Counts the edits; what `If-Match` compares.
    version: u64,
}

/// Which instances a schedule is for: those named, and those that the tags select, but for those left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Targets {
    /// By identifier.
    #[schema(value_type = Vec<String>, example = json!(["i-0123456789abcdef0"]))]
    instance_ids: Vec<InstanceId>,
    /// By the tags they bear when the slot is due.
    tags: Selector,
    /// Not these, however they were chosen.
    #[schema(value_type = Vec<String>)]
    exclude_instance_ids: Vec<InstanceId>,
}

/// What a schedule takes, and how it names it.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "JSON's true and false")]
struct Options {
    /// Leave out the volume an instance boots from.
    exclude_boot_volume: bool,
    /// Leave out these volumes.
    #[schema(value_type = Vec<String>)]
    exclude_volumes: Vec<VolumeId>,
    /// Leave out the volumes that bear one of these tags.
    exclude_volumes_tagged: Vec<TagPattern>,
    /// Whether the EBS snapshots bear the instance's tags too.
    copy_tags: bool,
    /// How a snapshot is named.
    #[schema(value_type = String, example = "{instance_name} {date} {time}")]
    name_template: NameTemplate,
    /// Tags for every snapshot.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    extra_tags: Tags,
}

impl Schedule {
    /// A schedule with how its last drill ended.
    pub(super) fn of(
        schedule: domain::Schedule,
        last_drill: Option<last_drill::LastDrill>,
    ) -> Self {
        let id = schedule.id.clone();
        Self { id, content: schedule.into(), last_drill: last_drill.map(LastDrill::from) }
    }
}

impl From<domain::Schedule> for Content {
    fn from(schedule: domain::Schedule) -> Self {
        let next_drill_at = schedule.drill_at();
        let domain::Schedule {
            id: _id,
            version,
            revision: _revision,
            settings,
            created_at,
            updated_at,
            next_due,
            enforced: _enforced,
            losses: _losses,
            drills,
        } = schedule;
        let domain::Settings {
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
        } = settings;
        let Drills { due: _due, try_at: _try_at, put_off, after: _after, last: _last } = drills;
        let keep_all = || "keep everything".to_owned();
        Self {
            name,
            description: expression.describe(),
            expression,
            timezone,
            targets: targets.into(),
            retention_description: rules.as_ref().map_or_else(keep_all, Rules::describe),
            retention: rules.map(Retention::from),
            when_gone: when_gone.into(),
            options: options.into(),
            copies: copies.into_iter().map(Copy::from).collect(),
            spread_minutes,
            restore_window,
            drill_every,
            start_at,
            end_at,
            enabled,
            grace_minutes,
            next_due_at: next_due,
            next_drill_at,
            drill_put_off: put_off,
            created_at,
            updated_at,
            version,
        }
    }
}

impl From<domain::Targets> for Targets {
    fn from(targets: domain::Targets) -> Self {
        let domain::Targets { instance_ids, tags, exclude_instance_ids } = targets;
        Self { instance_ids, tags: tags.into(), exclude_instance_ids }
    }
}

impl From<domain::Options> for Options {
    fn from(options: domain::Options) -> Self {
        let domain::Options { exclusions, copy_tags, name_template, extra_tags } = options;
        let Exclusions { boot_volume, volumes, tagged } = exclusions;
        Self {
            exclude_boot_volume: boot_volume,
            exclude_volumes: volumes,
            exclude_volumes_tagged: tagged.into_iter().map(TagPattern::from).collect(),
            copy_tags,
            name_template,
            extra_tags,
        }
    }
}
