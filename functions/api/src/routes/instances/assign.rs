//! Assigning schedules to an instance, on the wire.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::ids::{InstanceId, ScheduleId};
use shared::domain::schedule::Schedule;
use shared::domain::schedule::assignment::Assigned;
use shared::operations::schedules::assign::{ASSIGNED_MAX, Assignment};
use shared::views::instance_coverage::InstanceView;
use utoipa::{IntoParams, ToSchema};

use super::super::words::wire_words;
use super::protection::Protection;
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};

/// Whether schedules are assigned, or only said what would change.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AssignParameters {
    /// Write nothing, and answer what would change.
    pub(super) preview: Option<bool>,
}

impl FromQuery for AssignParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { preview: given.flag("preview")? })
    }
}

/// The schedules of an instance.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignSchedules {
    /// All that are to be for it, in any order; with none, no schedule is.
    #[schema(value_type = Vec<String>, max_items = 25,
        example = json!(["sch_0195500c-6d00-7000-8000-000000000000"]))]
    schedule_ids: Vec<ScheduleId>,
}

impl AssignSchedules {
    pub(super) fn checked(self) -> Result<BTreeSet<ScheduleId>, Problem> {
        if self.schedule_ids.len() > ASSIGNED_MAX {
            let reason = format!("at most {ASSIGNED_MAX} schedules can be assigned to an instance");
            return Err(Problem::invalid("schedule_ids", reason));
        }
        Ok(self.schedule_ids.into_iter().collect())
    }
}

/// The schedules of an instance as they are now, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AssignedSchedules {
    /// The instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Whether nothing was written.
    preview: bool,
    /// How it is protected now.
    protection: Protection,
    /// The schedules that were changed; none if everything was so already.
    changes: Vec<ScheduleChange>,
    /// What will not go well.
    warnings: Vec<String>,
}

/// A schedule whose targets were changed.
#[derive(Debug, Serialize, ToSchema)]
struct ScheduleChange {
    /// Its identifier.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// Its name.
    name: String,
    /// What was done.
    change: AssignmentChange,
    /// Its version now.
    version: u64,
}

wire_words! {
    /// What was done to a schedule's targets.
    AssignmentChange of Assigned {
        /// The instance was added to `instance_ids`.
        Named,
        /// The instance was taken out of `exclude_instance_ids`.
        Readmitted,
        /// The instance was taken out of `instance_ids`.
        Unnamed,
        /// The instance was added to `exclude_instance_ids`: the schedule's tags select it, or it is the only one that
        /// the schedule names, and a schedule must name something.
        Excluded,
    }
}

impl AssignedSchedules {
    pub(super) fn of(assignment: Assignment, preview: Option<bool>, now: Timestamp) -> Self {
        let Assignment { view, changes, warnings } = assignment;
        let InstanceView { instance, protection, .. } = view;
        Self {
            preview: preview == Some(true),
            protection: Protection::of(protection, &instance, now),
            instance_id: instance.id,
            changes: changes.into_iter().map(ScheduleChange::from).collect(),
            warnings,
        }
    }
}

impl From<(Schedule, Assigned)> for ScheduleChange {
    fn from((schedule, assigned): (Schedule, Assigned)) -> Self {
        Self {
            change: assigned.into(),
            version: schedule.version,
            schedule_id: schedule.id,
            name: schedule.settings.name,
        }
    }
}
