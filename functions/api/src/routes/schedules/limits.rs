//! A schedule beside the limits of EC2, on the wire.

use serde::Serialize;
use shared::domain::capacity as domain;
use shared::domain::ids::ScheduleId;
use utoipa::{IntoParams, ToSchema};

use super::wire::Content;
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};

/// How a schedule is to be made.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CreateParameters {
    /// Make nothing, and answer what would be made: status 200, a null `id`, and no `Idempotency-Key` used up.
    pub(super) preview: Option<bool>,
}

impl FromQuery for CreateParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { preview: given.flag("preview")? })
    }
}

/// A schedule with what it comes to for the targets it has at present.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckedSchedule {
    /// Its identifier; null in a preview, where there is none yet.
    #[schema(value_type = Option<String>, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    id: Option<ScheduleId>,
    #[serde(flatten)]
    content: Content,
    /// What it comes to beside EC2's limits.
    limits: Limits,
}

/// What a schedule comes to for the targets it has at present, beside EC2's limits; other schedules are not
/// counted. It may be saved whatever the warnings say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Limits {
    /// Whether EC2 could be asked for the targets; if not, what depends on them is null.
    checked: bool,
    /// How many instances it is for.
    instances: Option<u64>,
    /// How many of their EBS volumes are taken.
    volumes: Option<u64>,
    /// How often it fires on an average day.
    #[schema(example = 24.0)]
    fires_per_day: f64,
    /// Calls of `CreateSnapshots`, one for each instance and fire, in the busiest hour of its first seven days.
    creates_per_hour: Option<u64>,
    /// EBS snapshots that are deleted, one for each volume, in an average hour of the long run; 0 if nothing goes. A set of
    /// one volume takes one call of `DeleteSnapshot`, one of n volumes 2n: all are tried out before the first is deleted.
    deletes_per_hour: Option<u64>,
    /// How many EBS snapshots its rules keep at the most in the long run; null if they grow without end. Those that
    /// wait for their deletion, for a sweep and its grace, come on top.
    ebs_snapshots_steady: Option<u64>,
    /// How many EBS snapshots the account may have in the region; a setting of the deployment.
    quota: u32,
    /// How long the creations of one slot take, at the pace of all snapshotters together.
    seconds_per_slot: Option<u64>,
    /// What will not go well, with the numbers and what would help.
    warnings: Vec<String>,
}

impl CheckedSchedule {
    /// A schedule that there is.
    pub(super) fn made(
        schedule: shared::domain::schedule::Schedule,
        limits: domain::Limits,
    ) -> Self {
        let id = Some(schedule.id.clone());
        Self { id, content: schedule.into(), limits: limits.into() }
    }

    /// One that is not made.
    pub(super) fn preview(
        schedule: shared::domain::schedule::Schedule,
        limits: domain::Limits,
    ) -> Self {
        Self { id: None, ..Self::made(schedule, limits) }
    }
}

impl From<domain::Limits> for Limits {
    fn from(limits: domain::Limits) -> Self {
        let domain::Limits { fires_per_day, demand, quota, warnings } = limits;
        let unchecked = Self {
            checked: false,
            instances: None,
            volumes: None,
            fires_per_day,
            creates_per_hour: None,
            deletes_per_hour: None,
            ebs_snapshots_steady: None,
            quota,
            seconds_per_slot: None,
            warnings,
        };
        let Some(demand) = demand else { return unchecked };
        let domain::Demand {
            instances,
            volumes,
            creates_per_hour,
            deletes_per_hour,
            ebs_snapshots_steady,
            seconds_per_slot,
        } = demand;
        Self {
            checked: true,
            instances: Some(instances),
            volumes: Some(volumes),
            creates_per_hour: Some(creates_per_hour),
            deletes_per_hour: Some(deletes_per_hour),
            ebs_snapshots_steady,
            seconds_per_slot: Some(seconds_per_slot),
            ..unchecked
        }
    }
}
