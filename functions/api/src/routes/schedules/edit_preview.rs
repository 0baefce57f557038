//! The preview of an edit on the wire: what the next sweep would do with and without it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::capacity;
use shared::domain::ids::{InstanceId, SnapshotId};
use shared::domain::sweep::plan::PlanEntry;
use shared::views::retention_preview as domain;
use utoipa::{IntoParams, ToSchema};

use super::super::retention::PreviewVerdict;
use super::limits::{CheckedSchedule, Limits};
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};

/// Whether an edit is carried out.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EditParameters {
    /// Write nothing, and tell what the next sweep would do now with the schedule as it is and as it would be.
    pub(super) preview: Option<bool>,
}

impl FromQuery for EditParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { preview: given.flag("preview")? })
    }
}

/// What an edit has done, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum EditAnswer {
    /// The schedule as it is now.
    Schedule(Box<CheckedSchedule>),
    /// With `preview=true`.
    Preview(EditPreview),
}

/// What the next sweep would do now with the available snapshots of a schedule as it is, and as it would be
/// after the edit. What an image uses stays, if a sweep has found it. Failed snapshots go after their time, whatever
/// the rules say, and are not counted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EditPreview {
    /// With the schedule as it is.
    before: PreviewCounts,
    /// With the schedule as it would be.
    after: PreviewCounts,
    /// The snapshots of which the verdict would be another, oldest first; 1,000 at the most.
    changes: Vec<VerdictChange>,
    /// How many there are in all.
    changes_total: u32,
    /// Whether the brake would stop the edited schedule until an admin approves the sweep.
    braked: bool,
    /// With `braked`: why, in words.
    braked_reason: Option<String>,
    /// What the edited schedule comes to beside EC2's limits.
    limits: Limits,
}

/// A plan in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewCounts {
    /// So many would stay.
    kept: u32,
    /// So many would go.
    deleted: u32,
}

/// A snapshot of which the verdict would be another.
#[derive(Debug, Serialize, ToSchema)]
struct VerdictChange {
    /// The snapshot.
    #[schema(value_type = String)]
    snapshot_id: SnapshotId,
    /// Its instance.
    #[schema(value_type = String)]
    instance_id: InstanceId,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// What a sweep would do as the schedule is.
    before: PreviewVerdict,
    /// What it would do after the edit.
    after: PreviewVerdict,
    /// Why it would do that, in words.
    reasons: Vec<String>,
}

impl EditPreview {
    /// A preview with what the edited schedule comes to.
    pub(super) fn of(preview: domain::EditPreview, limits: capacity::Limits) -> Self {
        let domain::EditPreview { before, after, changes, changes_total, braked } = preview;
        Self {
            before: before.into(),
            after: after.into(),
            changes: changes.into_iter().map(VerdictChange::from).collect(),
            changes_total,
            braked: braked.is_some(),
            braked_reason: braked,
            limits: limits.into(),
        }
    }
}

impl From<domain::Counts> for PreviewCounts {
    fn from(counts: domain::Counts) -> Self {
        let domain::Counts { kept, deleted } = counts;
        Self { kept, deleted }
    }
}

impl From<domain::ChangedVerdict> for VerdictChange {
    fn from(change: domain::ChangedVerdict) -> Self {
        let domain::ChangedVerdict { before, after } = change;
        let PlanEntry {
            snapshot_id,
            instance_id,
            schedule_id: _schedule_id,
            taken_at,
            verdict,
            reasons,
            shielded_from: _shielded_from,
            group: _group,
            outcome: _outcome,
        } = after;
        let after = domain::KeepOrDelete::of(&verdict).into();
        Self { snapshot_id, instance_id, taken_at, before: before.into(), after, reasons }
    }
}
