//! Requests about snapshots: filters, bodies.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::ids::{InstanceId, ScheduleId, VolumeId};
use shared::domain::snapshot::{Origin, Status};
use shared::domain::tags::Tags;
use shared::operations::snapshots::edit::{HoldEdit, SnapshotEdit};
use shared::views::snapshots::{Deleted, SnapshotFilter};
use utoipa::{IntoParams, ToSchema};

use super::super::tags::{Patterns, TagPattern};
use super::super::wire::{
    Clearable, Description, GRACE_MINUTES_MAX, Name, checked_period, checked_tags, clearable,
    present,
};
use super::super::words::{SnapshotOrigin, SnapshotStatus};
use super::hold::{PlaceHold, WantedHold};
use super::sort::Sort;
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters, TagText};

/// Which snapshots are wanted: those to which everything given applies.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SnapshotParameters {
    /// Of this instance.
    #[param(value_type = Option<String>, example = "i-0123456789abcdef0")]
    instance_id: Option<InstanceId>,
    /// Standing there; may be repeated, and then any of them will do. `deleted` and `missing` ones are shown when asked
    /// for.
    #[param(value_type = Vec<SnapshotStatus>, required = false, inline)]
    status: Vec<Status>,
    /// Of this region.
    region: Option<String>,
    /// Of this schedule.
    #[param(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// That came to be like this.
    #[param(value_type = Option<SnapshotOrigin>, inline)]
    origin: Option<Origin>,
    /// Bearing this tag, `Key=Value`; may be repeated, and then all are wanted.
    #[param(value_type = Vec<String>, required = false, example = json!(["team=blue"]))]
    tag: Vec<TagText>,
    /// With this text in name, description, id, or the instance's name or id; case does not matter.
    #[param(max_length = 100)]
    q: Option<String>,
    /// Made at this instant or later.
    from: Option<Timestamp>,
    /// Made before this instant.
    to: Option<Timestamp>,
    /// Whether `deleted` and `missing` ones are wanted too.
    include_deleted: Option<bool>,
    /// Tell how many there are in all. Refused with `tag`, `q`, and what numbers and lists do not tell together.
    count: Option<bool>,
    /// What else to tell of each: `fate`.
    #[param(value_type = Vec<Include>, required = false, inline)]
    pub(super) include: Vec<Include>,
    /// `-created_at` (newest first) unless told otherwise, or `created_at` (oldest first).
    #[param(inline)]
    pub(super) sort: Option<Sort>,
    #[param(ignore)]
    pub(super) page: PageParameters,
}

impl FromQuery for SnapshotParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            instance_id: given.one("instance_id")?,
            status: given.all("status")?,
            region: given.one("region")?,
            schedule_id: given.one("schedule_id")?,
            origin: given.one("origin")?,
            tag: given.all("tag")?,
            q: given.text("q", 100)?,
            from: given.one("from")?,
            to: given.one("to")?,
            include_deleted: given.flag("include_deleted")?,
            count: given.flag("count")?,
            include: given.all("include")?,
            sort: given.one("sort")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

impl SnapshotParameters {
    /// Whether the total is wanted.
    pub(super) fn is_counted(&self) -> bool {
        self.count == Some(true)
    }

    /// The filter they make.
    pub(super) fn filter(&self) -> Result<SnapshotFilter, Problem> {
        checked_period(self.from, self.to)?;
        Ok(SnapshotFilter {
            instance_id: self.instance_id.clone(),
            status: self.status.clone(),
            region: self.region.clone(),
            schedule_id: self.schedule_id.clone(),
            origin: self.origin,
            tags: self.tag.iter().map(|TagText(tag)| tag.clone()).collect(),
            q: self.q.clone(),
            created_after: self.from,
            created_before: self.to,
            deleted: match self.include_deleted {
                Some(true) => Deleted::Show,
                Some(false) | None => Deleted::Hide,
            },
        })
    }
}

/// What a list can tell beside what it tells anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Include {
    /// Why each is kept, and when it will go.
    Fate,
}

impl std::str::FromStr for Include {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "fate" => Ok(Self::Fate),
            _ => Err("must be fate"),
        }
    }
}

/// How a snapshot is to be deleted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteParameters {
    /// Remove only the record; what EC2 has stays there.
    pub(super) record_only: Option<bool>,
    /// For how many minutes it can be rescued; none unless asked for.
    #[param(maximum = 525_600)]
    pub(super) grace_minutes: Option<u32>,
}

impl FromQuery for DeleteParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let record_only = given.flag("record_only")?;
        let grace_minutes = given.number("grace_minutes", (0, GRACE_MINUTES_MAX))?;
        if record_only == Some(true) && grace_minutes.is_some() {
            let reason = "does not go with record_only: a record is removed at once";
            return Err(Problem::invalid("grace_minutes", reason));
        }
        Ok(Self { record_only, grace_minutes })
    }
}

/// A snapshot that is wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSnapshot {
    /// Of which instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    pub(super) instance_id: InstanceId,
    /// Display name; the instance's name and the time if none.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    pub(super) name: Option<Name>,
    /// In your words.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    pub(super) description: Option<Description>,
    /// Leave out the volume the instance boots from.
    #[serde(default)]
    pub(super) exclude_boot_volume: bool,
    /// Leave out these volumes, 40 data volumes at the most.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["vol-0123456789abcdef0"]))]
    pub(super) exclude_volumes: Vec<VolumeId>,
    /// Whether the EBS snapshots bear the instance's tags too; they do unless told otherwise.
    #[schema(default = true)]
    pub(super) copy_tags: Option<bool>,
    /// What keeps it from deletion.
    #[schema(value_type = Option<PlaceHold>)]
    pub(super) hold: Option<WantedHold>,
    /// When it goes by itself; it stays unless told otherwise.
    pub(super) expires_at: Option<Timestamp>,
    /// From when on it cannot be restored any more; it can for ever unless told otherwise.
    pub(super) restore_until: Option<Timestamp>,
    /// Leave out the volumes that bear one of these tags.
    #[serde(default)]
    #[schema(value_type = Vec<TagPattern>, max_items = 50)]
    pub(super) exclude_volumes_tagged: Patterns,
    /// Tags for it and its EBS snapshots.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub(super) tags: Tags,
}

/// What of a snapshot is to change. What is not given stays; null clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditSnapshot {
    /// Display name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 256)]
    name: Option<Name>,
    /// Description.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    description: Clearable<Description>,
    /// What keeps it from deletion. To remove or weaken it is for admins.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<PlaceHold>)]
    pub(super) hold: Clearable<WantedHold>,
    /// When it goes by itself. Snapshots of a schedule go by its rules and have none, until that schedule is deleted.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Timestamp>)]
    pub(super) expires_at: Clearable<Timestamp>,
    /// From when on it cannot be restored any more.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Timestamp>)]
    restore_until: Clearable<Timestamp>,
    /// All tags.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = std::collections::BTreeMap<String, String>, required = false)]
    tags: Option<Tags>,
    /// The schedule whose rules it goes by from now on, where its own was deleted. For admins.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    pub(super) schedule_id: Option<ScheduleId>,
}

impl EditSnapshot {
    /// The edit it asks for.
    pub(super) fn edit(self) -> Result<SnapshotEdit, Problem> {
        let Self { name, description, hold, expires_at, restore_until, tags, schedule_id } = self;
        Ok(SnapshotEdit {
            name: name.map(|name| name.0),
            description: description.map(|text| text.map(|text| text.0)),
            hold: hold.map(|hold| hold.map(HoldEdit::from)),
            expires_at,
            restore_until,
            tags: tags.map(|tags| checked_tags("tags", tags)).transpose()?,
            schedule_id,
        })
    }
}
