//! The end of the last drill on the wire: with instances and with schedules.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{InstanceId, RestoreId, SnapshotId};
use shared::domain::restore::last_drill::{self as domain, DrillOutcome};
use utoipa::ToSchema;

use super::words::DrillOutcomeWord;

/// How a drill ended: a restore into volumes that are deleted as soon as they can be used.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LastDrill {
    /// The drill, with all its steps.
    #[schema(value_type = String, example = "rst_0195500c-6d00-7000-8000-000000000000")]
    restore_id: RestoreId,
    /// What was restored.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Of which instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// When it ended.
    finished_at: Timestamp,
    /// How.
    #[schema(value_type = DrillOutcomeWord)]
    outcome: DrillOutcome,
    /// How long it took until all volumes could be used, as looks once a minute tell; null if they never could.
    usable_after_seconds: Option<i64>,
    /// Why it failed, and at which step.
    failure: Option<String>,
}

impl From<domain::LastDrill> for LastDrill {
    fn from(drill: domain::LastDrill) -> Self {
        let domain::LastDrill {
            restore_id,
            snapshot_id,
            instance_id,
            at,
            outcome,
            usable_after_seconds,
            failure,
        } = drill;
        Self {
            restore_id,
            snapshot_id,
            instance_id,
            finished_at: at,
            outcome,
            usable_after_seconds,
            failure,
        }
    }
}
