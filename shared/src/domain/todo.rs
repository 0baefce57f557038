//! What waits for a person: its kinds, how much each matters, and what it is about.

use jiff::Timestamp;

use crate::domain::ids::ScheduleId;
use crate::domain::words::words;

words! {
    /// What kind of thing waits for a person.
    TodoKind {
        /// The brake has stopped a sweep.
        SweepNeedsApproval => "sweep_needs_approval",
        /// The last slot of a schedule, or slots before it, led to nothing because nothing ticked.
        RunMissed => "run_missed",
        /// The last run of a schedule failed, as a whole or in part.
        RunFailed => "run_failed",
        /// Snapshots have failed.
        SnapshotFailed => "snapshot_failed",
        /// EC2 no longer has them, and not by us.
        SnapshotMissing => "snapshot_missing",
        /// They are torn: some of their members are gone and others cannot be deleted.
        SnapshotDamaged => "snapshot_damaged",
        /// They should be gone, and something is in the way for more than a day.
        SnapshotBlocked => "snapshot_blocked",
        /// Somebody should have looked at their holds by now.
        HoldReviewDue => "hold_review_due",
        /// A restore has stopped.
        RestoreFailed => "restore_failed",
        /// The last drill of a schedule failed.
        DrillFailed => "drill_failed",
        /// The drill of a schedule that is due could not be begun.
        DrillPutOff => "drill_put_off",
        /// Instances are not protected as their schedules promise.
        InstanceLate => "instance_late",
        /// No schedule is for these instances.
        InstanceUnprotected => "instance_unprotected",
        /// A region gives no answer.
        RegionOutOfReach => "region_out_of_reach",
        /// A schedule is disabled, and its snapshots stay.
        DisabledWithSnapshots => "disabled_with_snapshots",
        /// EC2's quota of EBS snapshots in a region is nearly used up.
        QuotaNear => "quota_near",
    }
}

words! {
    /// How much it matters.
    Severity {
        /// Something may be lost, or nothing goes on until somebody acts.
        High => "high",
        /// It is not as it was promised.
        Medium => "medium",
        /// It costs money or attention.
        Low => "low",
    }
}

/// What a thing to do is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TodoAbout {
    /// Several things of a kind.
    Many,
    Sweep(String),
    Schedule(ScheduleId),
    /// A run, by its schedule and slot.
    Run(ScheduleId, Timestamp),
    Restore(String),
    Instance(String),
    Region(String),
}

/// Something that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoItem {
    pub kind: TodoKind,
    pub severity: Severity,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// How many there are; more if `more`.
    pub count: u64,
    /// Whether there may be more than were counted.
    pub more: bool,
    /// In words.
    pub detail: String,
    pub about: TodoAbout,
}

impl TodoKind {
    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::SweepNeedsApproval
            | Self::RunMissed
            | Self::RunFailed
            | Self::SnapshotMissing
            | Self::SnapshotDamaged
            | Self::RestoreFailed
            | Self::DrillFailed
            | Self::InstanceLate
            | Self::RegionOutOfReach
            | Self::QuotaNear => Severity::High,
            Self::SnapshotFailed | Self::DrillPutOff | Self::InstanceUnprotected => {
                Severity::Medium
            }
            Self::SnapshotBlocked | Self::HoldReviewDue | Self::DisabledWithSnapshots => {
                Severity::Low
            }
        }
    }
}

impl TodoItem {
    /// An item with the severity of its kind; `count` says whether there may be more than were counted.
    pub fn new(
        kind: TodoKind,
        (count, more): (u64, bool),
        since: Option<Timestamp>,
        detail: String,
        about: TodoAbout,
    ) -> Self {
        Self { kind, severity: kind.severity(), since, count, more, detail, about }
    }

    /// Where it sorts: what matters most first, and then what has waited longest.
    pub fn order(&self) -> (Severity, Timestamp, TodoKind, &TodoAbout) {
        (self.severity, self.since.unwrap_or(Timestamp::MAX), self.kind, &self.about)
    }
}
