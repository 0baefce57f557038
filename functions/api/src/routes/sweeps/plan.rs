//! Plans on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::ids::{ImageId, InstanceId, ScheduleId, SnapshotId};
use shared::domain::sweep::plan::{self as domain, Verdict};
use utoipa::ToSchema;

use super::super::snapshots::Condemner;
use super::super::words::wire_words;

/// What a plan says of one snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanEntry {
    /// The snapshot.
    #[schema(value_type = String)]
    snapshot_id: SnapshotId,
    /// Its instance.
    #[schema(value_type = String)]
    instance_id: InstanceId,
    /// Its schedule.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// What is to become of it.
    verdict: PlanVerdict,
    /// With verdict `delete` or `blocked`: which rule says so.
    cause: Option<Condemner>,
    /// With verdict `delete`: whether the rules of the last executed sweep would have kept it. With another verdict: true if
    /// only what protects it keeps it from such a deletion, which counts for the brake as well.
    unexpected: Option<bool>,
    /// With verdict `blocked`: the image that uses it.
    #[schema(value_type = Option<String>)]
    ami_id: Option<ImageId>,
    /// Why, in words.
    reasons: Vec<String>,
    /// What became of it.
    outcome: Option<PlanOutcome>,
}

/// What is to become of a snapshot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlanVerdict {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
    /// It should go and cannot.
    Blocked,
}

impl std::str::FromStr for PlanVerdict {
    type Err = serde::de::value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::deserialize(serde::de::value::StrDeserializer::new(text))
    }
}

wire_words! {
    /// What became of an entry of a plan.
    PlanOutcome of domain::Outcome {
        /// Condemned.
        Condemned,
        /// It had changed meanwhile and was left alone.
        Changed,
        /// The brake stopped it.
        Stopped,
        /// The limit of one sweep was reached; the next goes on.
        Later,
        /// A fault that passes.
        Failed,
    }
}

impl From<domain::PlanEntry> for PlanEntry {
    fn from(entry: domain::PlanEntry) -> Self {
        let domain::PlanEntry {
            snapshot_id,
            instance_id,
            schedule_id,
            taken_at,
            verdict,
            reasons,
            shielded_from,
            group: _group,
            outcome,
        } = entry;
        let is_shielded = shielded_from.map(|_| true);
        let (verdict, cause, unexpected, ami_id) = match verdict {
            Verdict::Keep => (PlanVerdict::Keep, None, is_shielded, None),
            Verdict::Delete { by, unexpected } => {
                (PlanVerdict::Delete, Some(Condemner::from(&by)), Some(unexpected), None)
            }
            Verdict::Blocked { image_id, by } => {
                let cause = by.as_ref().map(Condemner::from);
                (PlanVerdict::Blocked, cause, is_shielded, Some(image_id))
            }
        };
        Self {
            snapshot_id,
            instance_id,
            schedule_id,
            taken_at,
            verdict,
            cause,
            unexpected,
            ami_id,
            reasons,
            outcome: outcome.map(PlanOutcome::from),
        }
    }
}
