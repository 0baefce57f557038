//! Sweeps on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::cursor::Page;
use shared::domain::ids::{ScheduleId, SweepId};
use shared::domain::sweep as domain;
use shared::domain::sweep::brake;
use shared::domain::sweep::plan;
use utoipa::ToSchema;

use super::super::wire::List;
use super::super::words::wire_words;
use super::plan::PlanEntry;

/// One evaluation of retention over everything.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sweep {
    /// Its identifier.
    #[schema(value_type = String, example = "swp_0195500c-6d00-7000-8000-000000000000")]
    id: SweepId,
    /// Whether it only plans.
    mode: SweepMode,
    /// Where it stands.
    status: SweepStatus,
    /// Who asked for it; null for the hourly one.
    requested_by: Option<String>,
    /// When.
    created_at: Timestamp,
    /// When the plan was made.
    planned_at: Option<Timestamp>,
    /// A fingerprint of the plan; what an approval names.
    plan_hash: Option<String>,
    /// The plan in numbers.
    planned: PlanCounts,
    /// The schedules that were stopped, and why: the first hundred.
    brakes: Vec<Brake>,
    /// How many schedules were stopped.
    brakes_total: u32,
    /// The regions that were out of reach when it was planned. Their snapshots are left alone.
    regions_out_of_reach: Vec<String>,
    /// The schedules whose records could not be read when it was planned: the first hundred. Their snapshots are left alone.
    unreadable_schedule_ids: Vec<String>,
    /// The snapshots whose records could not be read when it was planned: the first hundred. They are left alone, and
    /// let no other go.
    unreadable_snapshot_ids: Vec<String>,
    /// Why the whole sweep was refused, or waits for a person's word.
    refusal: Option<String>,
    /// Who released what was stopped.
    approval: Option<Approval>,
    /// What its execution did, in numbers.
    executed: ExecutionCounts,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// Counts the changes.
    version: u64,
}

/// A sweep and a page of its plan.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SweepWithPlan {
    #[serde(flatten)]
    sweep: Sweep,
    /// The plan; empty until it is made.
    plan: List<PlanEntry>,
}

/// Whether a sweep only plans.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SweepMode {
    /// Nothing but the plan.
    PlanOnly,
    /// The plan is carried out, as far as the brake lets it.
    Execute,
}

impl std::str::FromStr for SweepMode {
    type Err = serde::de::value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::deserialize(serde::de::value::StrDeserializer::new(text))
    }
}

wire_words! {
    /// Where a sweep stands.
    SweepStatus of domain::SweepStatus {
        /// Wanted.
        Requested,
        /// Planned, and no more was wanted.
        Planned,
        /// Being carried out.
        Executing,
        /// Carried out, but for what the brake stopped and an admin may release.
        NeedsApproval,
        /// Released by an admin.
        Approved,
        /// Carried out.
        Done,
        /// Not carried out, since the clock looks wrong.
        Refused,
    }
}

/// A plan in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct PlanCounts {
    /// Snapshots looked at.
    snapshots: u32,
    /// To be kept.
    keep: u32,
    /// To be deleted.
    delete: u32,
    /// Should go and cannot.
    blocked: u32,
}

/// A schedule that was stopped.
#[derive(Debug, Serialize, ToSchema)]
struct Brake {
    /// The schedule.
    #[schema(value_type = String)]
    schedule_id: ScheduleId,
    /// How many of its snapshots would go that the rules of the last executed sweep would have kept, now or once nothing
    /// protects them any more.
    unexpected: u32,
    /// How many went like that in the 24 hours before.
    earlier: u32,
    /// How many available snapshots it had when those began.
    available: u32,
}

/// Who released what was stopped.
#[derive(Debug, Serialize, ToSchema)]
struct Approval {
    /// Who.
    by: String,
    /// When.
    at: Timestamp,
}

/// An execution in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct ExecutionCounts {
    /// Condemned.
    condemned: u32,
    /// Left alone, since they had changed meanwhile.
    skipped: u32,
    /// Could not be condemned, for a fault that passes.
    failed: u32,
}

impl From<SweepMode> for domain::SweepMode {
    fn from(mode: SweepMode) -> Self {
        match mode {
            SweepMode::PlanOnly => Self::PlanOnly,
            SweepMode::Execute => Self::Execute,
        }
    }
}

impl From<domain::SweepMode> for SweepMode {
    fn from(mode: domain::SweepMode) -> Self {
        match mode {
            domain::SweepMode::PlanOnly => Self::PlanOnly,
            domain::SweepMode::Execute => Self::Execute,
        }
    }
}

impl SweepWithPlan {
    /// The sweep with this page of its plan.
    pub(super) fn of(sweep: domain::Sweep, page: Page<plan::PlanEntry>) -> Self {
        Self { sweep: sweep.into(), plan: List::of(page, PlanEntry::from) }
    }
}

impl From<domain::Sweep> for Sweep {
    fn from(sweep: domain::Sweep) -> Self {
        let domain::Sweep {
            id,
            version,
            mode,
            status,
            requested_by,
            created_at,
            planned_at,
            plan_hash,
            plan_pages: _plan_pages,
            tally_hash: _tally_hash,
            tally_pages: _tally_pages,
            planned,
            brakes,
            brakes_total,
            unsettled: _unsettled,
            regions_out_of_reach,
            unreadable_schedules,
            unreadable_snapshots,
            refusal,
            approval,
            executed,
            claimed_at: _claimed_at,
            finished_at,
        } = sweep;
        Self {
            id,
            mode: mode.into(),
            status: status.into(),
            requested_by,
            created_at,
            planned_at,
            plan_hash,
            planned: planned.into(),
            brakes_total: brakes_total.max(u32::try_from(brakes.len()).unwrap_or(u32::MAX)),
            brakes: brakes.into_iter().map(Brake::from).collect(),
            regions_out_of_reach,
            unreadable_schedule_ids: unreadable_schedules,
            unreadable_snapshot_ids: unreadable_snapshots,
            refusal,
            approval: approval.map(Approval::from),
            executed: executed.into(),
            finished_at,
            version,
        }
    }
}

impl From<domain::PlanCounts> for PlanCounts {
    fn from(counts: domain::PlanCounts) -> Self {
        let domain::PlanCounts { snapshots, keep, delete, blocked } = counts;
        Self { snapshots, keep, delete, blocked }
    }
}

impl From<brake::Brake> for Brake {
    fn from(brake: brake::Brake) -> Self {
        let brake::Brake { schedule_id, unexpected, earlier, available, rules_digest: _digest } =
            brake;
        Self { schedule_id, unexpected, earlier, available }
    }
}

impl From<domain::Approval> for Approval {
    fn from(approval: domain::Approval) -> Self {
        let domain::Approval { by, at } = approval;
        Self { by, at }
    }
}

impl From<domain::ExecutionCounts> for ExecutionCounts {
    fn from(counts: domain::ExecutionCounts) -> Self {
        let domain::ExecutionCounts { condemned, skipped, failed } = counts;
        Self { condemned, skipped, failed }
    }
}
