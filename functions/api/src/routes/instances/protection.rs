//! The protection of an instance, on the wire.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use shared::domain::instance::Instance;
use shared::domain::instance::coverage::{self as domain, Assessment};
use shared::domain::schedule::Schedule;
use shared::domain::snapshot::Snapshot;
use shared::views::instance_coverage::{InstanceProtection, Latest};
use utoipa::ToSchema;

use super::super::words::wire_words;

/// How an instance is protected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Protection {
    /// In a word; null where the records could not be read in time.
    status: Option<ProtectionStatus>,
    /// Why, in words.
    #[schema(
        example = "its newest available snapshot is 3 hours old; one at least every 1 day is promised"
    )]
    reason: String,
    /// The schedules that are for it.
    schedules: Vec<ProtectingSchedule>,
    /// The longest time between two snapshots that the enabled ones promise together by their next fires, in seconds;
    /// null if less than two fires are to come.
    #[schema(example = 86_400)]
    promised_interval_seconds: Option<i64>,
    /// Its newest snapshot that can be restored; null without one, or where `status` is.
    newest_available: Option<NewestSnapshot>,
}

wire_words! {
    /// How an instance is protected.
    ProtectionStatus of domain::ProtectionStatus {
        /// As its schedules promise.
        Ok,
        /// Not as they promise: a slot was due and led to nothing available.
        Late,
        /// No schedule that is for it is to fire.
        Unprotected,
    }
}

/// A schedule that is for an instance.
#[derive(Debug, Serialize, ToSchema)]
struct ProtectingSchedule {
    /// Its identifier.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// Its name.
    name: String,
    /// Whether it fires.
    enabled: bool,
    /// When it fires next.
    next_due_at: Option<Timestamp>,
    /// Why it is for the instance.
    chosen_by: ChosenBy,
}

/// Why a schedule is for an instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChosenBy {
    /// It names the instance.
    Id,
    /// Its selector matches the instance's tags.
    Tags,
}

/// The newest snapshot of an instance.
#[derive(Debug, Serialize, ToSchema)]
struct NewestSnapshot {
    /// Its identifier.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// How old that is, in seconds.
    age_seconds: i64,
}

impl Protection {
    pub(super) fn of(protection: InstanceProtection, instance: &Instance, now: Timestamp) -> Self {
        let InstanceProtection { schedules, promised, latest, assessment } = protection;
        let (status, reason) = match assessment {
            Some(Assessment { status, reason }) => (Some(status.into()), reason),
            None => (None, "the records of its snapshots could not be read in time".to_owned()),
        };
        let newest =
            latest.and_then(|Latest { newest, pending: _pending, is_known: _is_known }| newest);
        Self {
            status,
            reason,
            schedules: schedules
                .iter()
                .map(|schedule| ProtectingSchedule::of(schedule, &instance.id))
                .collect(),
            promised_interval_seconds: promised.map(|interval: SignedDuration| interval.as_secs()),
            newest_available: newest.map(|newest| NewestSnapshot::of(&newest, now)),
        }
    }
}

impl ProtectingSchedule {
    fn of(schedule: &Schedule, instance: &InstanceId) -> Self {
        let is_named = schedule.settings.targets.instance_ids.contains(instance);
        Self {
            schedule_id: schedule.id.clone(),
            name: schedule.settings.name.clone(),
            enabled: schedule.settings.enabled,
            next_due_at: schedule.next_due,
            chosen_by: if is_named { ChosenBy::Id } else { ChosenBy::Tags },
        }
    }
}

impl NewestSnapshot {
    fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let taken_at = snapshot.taken_at();
        let age_seconds = now.duration_since(taken_at).as_secs().max(0);
        Self { snapshot_id: snapshot.id.clone(), taken_at, age_seconds }
    }
}
