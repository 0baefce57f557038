//! The keys of the table and its indexes. Nobody else spells one.

pub mod audit;
pub mod copies;
pub mod drills;
mod due_kind;
pub mod findings;
pub mod images;
pub mod restores;
pub mod statistics;

pub use due_kind::DueKind;

use jiff::Timestamp;

use crate::domain::ids::{EbsSnapshotId, InstanceId, ScheduleId, SnapshotId, SweepId};
use crate::domain::run::Run;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{ScheduleSlot, Snapshot, Status};

/// The key of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// An index, all of which hold keys only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// All snapshots.
    All,
    /// The snapshots of an instance.
    Instance,
    /// The snapshots of a schedule.
    Schedule,
    /// The snapshots that stand neither at `available` nor at `deleted`, which are the most by far.
    Status,
    /// The snapshots that should be gone and are not.
    Blocked,
    /// The snapshots that have a hold.
    Held,
    /// What the tick is to look at, by when.
    Due,
}

impl Index {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::All,
        Self::Instance,
        Self::Schedule,
        Self::Status,
        Self::Blocked,
        Self::Held,
        Self::Due,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Instance => "instance",
            Self::Schedule => "schedule",
            Self::Status => "status",
            Self::Blocked => "blocked",
            Self::Held => "held",
            Self::Due => "due",
        }
    }

    /// Its partition key's attribute.
    pub fn partition(self) -> &'static str {
        match self {
            Self::All => "all_pk",
            Self::Instance => "instance_pk",
            Self::Schedule => "schedule_pk",
            Self::Status => "status_pk",
            Self::Blocked => "blocked_pk",
            Self::Held => "held_pk",
            Self::Due => "due_pk",
        }
    }

    /// Its sort key's attribute.
    pub fn sort(self) -> &'static str {
        match self {
            Self::All
            | Self::Instance
            | Self::Schedule
            | Self::Status
            | Self::Blocked
            | Self::Held => "list_sk",
            Self::Due => "due_sk",
        }
    }
}

/// The attribute that DynamoDB deletes by.
pub const TIME_TO_LIVE: &str = "expires_at_epoch";
/// Where all schedules are.
pub const SCHEDULES: &str = "SCHEDULES";
/// Where all sweeps are.
pub const SWEEPS: &str = "SWEEPS";
/// Where the first looks at which instances were gone are.
pub const GONE: &str = "GONE";
/// Where what is known of each region's EBS snapshots is.
pub const FINDINGS: &str = "FINDINGS";
/// The partition of [`Index::Blocked`].
pub const BLOCKED: &str = "BLOCKED";
/// The partition of [`Index::Held`].
pub const HELD: &str = "HELD";

/// Whether a list shows what is there or what is gone: two partitions of each index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// What lists show.
    Here,
    /// Deleted or missing.
    Gone,
}

impl Presence {
    fn of(status: Status) -> Self {
        if status.is_gone() { Self::Gone } else { Self::Here }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Here => "HERE",
            Self::Gone => "GONE",
        }
    }
}

/// The partition of [`Index::All`].
pub fn all(presence: Presence) -> String {
    format!("SNAPSHOTS#{}", presence.suffix())
}

/// The partition of an instance in [`Index::Instance`].
pub fn instance(id: &str, presence: Presence) -> String {
    format!("INSTANCE#{id}#{}", presence.suffix())
}

/// The partition of a schedule in [`Index::Schedule`].
pub fn schedule_list(id: &str, presence: Presence) -> String {
    format!("SCHEDULE#{id}#{}", presence.suffix())
}

/// The partition of a status in [`Index::Status`]; none for those that are not in it.
pub fn status(status: Status) -> Option<String> {
    match status {
        Status::Available | Status::Deleted => None,
        Status::Requested
        | Status::Creating
        | Status::Pending
        | Status::Error
        | Status::Condemned
        | Status::Deleting
        | Status::Missing => Some(format!("STATUS#{status}")),
    }
}

/// An instant as it sorts: RFC 3339 with three digits of a second.
pub fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A sort key of [`Index::Due`].
pub fn due(at: Timestamp, id: &str) -> String {
    format!("{}#{id}", instant(at))
}

/// A bound above all that is due at or before `at`.
pub fn due_until(at: Timestamp) -> String {
    format!("{}#~", instant(at))
}

/// Where a snapshot sorts in lists.
pub fn list_position(snapshot: &Snapshot) -> String {
    format!("{}#{}", instant(snapshot.created_at), snapshot.id)
}

/// A snapshot.
pub fn snapshot(id: &SnapshotId) -> Key {
    Key::new(format!("SNAPSHOT#{id}"), "SNAPSHOT")
}

/// The snapshot whose record has this key.
pub fn snapshot_id(key: &Key) -> Option<SnapshotId> {
    key.pk.strip_prefix("SNAPSHOT#")?.parse().ok()
}

/// Which snapshot an EBS snapshot is a member of.
pub fn member(id: &EbsSnapshotId) -> Key {
    Key::new(format!("EBS#{id}"), "EBS")
}

/// A schedule.
pub fn schedule(id: &ScheduleId) -> Key {
    Key::new(SCHEDULES, id.as_str())
}

/// Where the runs of a schedule are.
pub fn runs(id: &ScheduleId) -> String {
    format!("RUNS#{id}")
}

/// A run.
pub fn run(slot: &ScheduleSlot) -> Key {
    Key::new(runs(&slot.schedule_id), instant(slot.slot))
}

/// A sweep.
pub fn sweep(id: &SweepId) -> Key {
    Key::new(SWEEPS, id.as_str())
}

/// One page of a sweep's plan, from 1 on. Two who plan the same sweep at once do not write each other's pages:
/// the record says by its hash whose plan it is.
pub fn plan_page(id: &SweepId, plan_hash: &str, page: u32) -> Key {
    Key::new(format!("SWEEP#{id}"), format!("PLAN#{plan_hash}#{page:06}"))
}

/// When the last sweep was executed.
pub fn last_sweep() -> Key {
    Key::new("META", "LAST_SWEEP")
}

/// Whose turn it is at creating snapshots of an instance.
pub fn turn(id: &InstanceId) -> Key {
    Key::new(format!("TURN#{id}"), "TURN")
}

/// When an instance was first found gone.
pub fn gone(id: &InstanceId) -> Key {
    Key::new(GONE, id.as_str())
}

/// What an idempotency key of a caller has served for.
pub fn idempotency(caller: &str, key: &str) -> Key {
    Key::new(format!("IDEMPOTENCY#{caller}#{key}"), "IDEMPOTENCY")
}

/// The index keys of a record.
pub(super) type IndexKeys = Vec<(&'static str, String)>;

/// The index keys of a snapshot.
pub(super) fn of_snapshot(snapshot: &Snapshot) -> IndexKeys {
    let presence = Presence::of(snapshot.status);
    let mut keys = vec![
        (Index::All.partition(), all(presence)),
        (Index::Instance.partition(), instance(snapshot.source.instance_id.as_str(), presence)),
        (Index::All.sort(), list_position(snapshot)),
    ];
    if let Some(id) = snapshot.schedule_id() {
        keys.push((Index::Schedule.partition(), schedule_list(id.as_str(), presence)));
    }
    if let Some(partition) = status(snapshot.status) {
        keys.push((Index::Status.partition(), partition));
    }
    if is_blocked(snapshot) {
        keys.push((Index::Blocked.partition(), BLOCKED.to_owned()));
    }
    if is_held(snapshot) {
        keys.push((Index::Held.partition(), HELD.to_owned()));
    }
    if let Some((partition, at)) = due_of(snapshot) {
        keys.push((Index::Due.partition(), partition));
        keys.push((Index::Due.sort(), due(at, snapshot.id.as_str())));
    }
    keys
}

/// Whether a snapshot is in [`Index::Blocked`].
pub fn is_blocked(snapshot: &Snapshot) -> bool {
    snapshot.blocked.is_some() && !snapshot.status.is_gone()
}

/// Whether a snapshot is in [`Index::Held`].
pub fn is_held(snapshot: &Snapshot) -> bool {
    snapshot.hold.is_some() && !snapshot.status.is_gone()
}

/// Where a snapshot is in [`Index::Due`], if anything is to be done about it.
fn due_of(snapshot: &Snapshot) -> Option<(String, Timestamp)> {
    let by_attention = |kind: DueKind| Some((kind.partition().to_owned(), snapshot.attention_at?));
    match snapshot.status {
        Status::Condemned | Status::Deleting => by_attention(DueKind::Deletion),
        _ if snapshot.is_awaited_copy() => {
            Some((copies::queue(&snapshot.source.region), snapshot.created_at))
        }
        Status::Requested | Status::Creating => by_attention(DueKind::Creation),
        Status::Available if snapshot.has_copies_to_order() => {
            let since = snapshot.completed_at.unwrap_or(snapshot.touched_at);
            Some((DueKind::Copy.partition().to_owned(), since))
        }
        Status::Pending | Status::Available | Status::Error | Status::Deleted | Status::Missing => {
            None
        }
    }
}

/// The index keys of a schedule.
pub(super) fn of_schedule(schedule: &Schedule) -> IndexKeys {
    let due = schedule.next_due.map(|at| due_keys(DueKind::Schedule, at, schedule.id.as_str()));
    due.into_iter().flatten().collect()
}

/// The index keys of a run.
pub(super) fn of_run(run: &Run) -> IndexKeys {
    let id = run.slot.schedule_id.as_str();
    let due = run.attention_at.map(|at| due_keys(DueKind::Run, at, id));
    due.into_iter().flatten().collect()
}

/// The index keys of something that is looked at again at `at`.
pub(super) fn due_keys(kind: DueKind, at: Timestamp, id: &str) -> [(&'static str, String); 2] {
    [(Index::Due.partition(), kind.partition().to_owned()), (Index::Due.sort(), due(at, id))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_text() {
        let early: Timestamp = "2026-03-01T02:00:00Z".parse().unwrap();
        let late: Timestamp = "2026-03-01T02:00:00.5Z".parse().unwrap();

        assert_eq!(instant(early), "2026-03-01T02:00:00.000Z");
        assert!(instant(early) < instant(late));
    }

    #[test]
    fn what_is_due_at_an_instant_lies_below_its_bound() {
        let at: Timestamp = "2026-03-01T02:00:00Z".parse().unwrap();
        let after: Timestamp = "2026-03-01T02:00:00.001Z".parse().unwrap();

        assert!(due(at, "sch_x") < due_until(at));
        assert!(due(after, "sch_x") > due_until(at));
    }
}
