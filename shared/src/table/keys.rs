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

use super::lists::{Presence, SnapshotList};
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

/// An index. All but [`Index::Comb`] hold keys only.
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
    /// The snapshots of an instance, each with what the rules read of it.
    Comb,
}

impl Index {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Instance,
        Self::Schedule,
        Self::Status,
        Self::Blocked,
        Self::Held,
        Self::Due,
        Self::Comb,
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
            Self::Comb => "comb",
        }
    }

    /// Its partition key's attribute.
    pub fn partition(self) -> &'static str {
        match self {
            Self::All => "all_pk",
            Self::Instance | Self::Comb => "instance_pk",
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
            | Self::Held
            | Self::Comb => "list_sk",
            Self::Due => "due_sk",
        }
    }

    /// The attribute that it holds beside keys.
    pub fn holds(self) -> Option<&'static str> {
        match self {
            Self::Comb => Some(COMB),
            Self::All
            | Self::Instance
            | Self::Schedule
            | Self::Status
            | Self::Blocked
            | Self::Held
            | Self::Due => None,
        }
    }
}

/// The attribute that has the short form of a snapshot.
pub const COMB: &str = "comb";
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
/// The index and the partition of a list.
pub fn list(list: &SnapshotList) -> (Index, String) {
    match list {
        SnapshotList::All(presence) => (Index::All, format!("SNAPSHOTS#{}", suffix(*presence))),
        SnapshotList::Of(id, presence) => {
            (Index::Instance, format!("INSTANCE#{id}#{}", suffix(*presence)))
        }
        SnapshotList::OfSchedule(id, presence) => {
            (Index::Schedule, format!("SCHEDULE#{id}#{}", suffix(*presence)))
        }
        SnapshotList::InStatus(status) => (Index::Status, format!("STATUS#{status}")),
        SnapshotList::Blocked => (Index::Blocked, "BLOCKED".to_owned()),
        SnapshotList::Held => (Index::Held, "HELD".to_owned()),
    }
}

/// What tells the two partitions of an index apart.
fn suffix(presence: Presence) -> &'static str {
    match presence {
        Presence::Here => "HERE",
        Presence::Gone => "GONE",
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

/// The partition of [`Index::All`] in which the runs of all schedules are.
pub const RUNS: &str = "RUNS";

/// Where a run sorts among those of all schedules.
fn run_position(slot: &ScheduleSlot) -> String {
    format!("{}#{}", instant(slot.slot), slot.schedule_id)
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

/// One page of the tallies of a sweep's plan, from 1 on; under their own hash, as for the plan.
pub fn tally_page(id: &SweepId, tally_hash: &str, page: u32) -> Key {
    Key::new(format!("SWEEP#{id}"), format!("TALLY#{tally_hash}#{page:06}"))
}

/// When the last sweep was executed.
pub fn last_sweep() -> Key {
    Key::new("META", "LAST_SWEEP")
}

/// Whose turn it is at creating snapshots of an instance.
pub fn turn(id: &InstanceId) -> Key {
    Key::new(format!("TURN#{id}"), "TURN")
}

/// Whose the table is.
pub fn installation() -> Key {
    Key::new("META", "INSTALLATION")
}

/// When an instance was first found gone.
pub fn gone(id: &InstanceId) -> Key {
    Key::new(GONE, id.as_str())
}

/// What an idempotency key of a caller has served for. No two of them have one key here, whatever callers are called:
/// what ends the caller's name is written another way within it.
pub fn idempotency(caller: &str, key: &str) -> Key {
    let caller = caller.replace('%', "%25").replace('#', "%23");
    Key::new(format!("IDEMPOTENCY#{caller}#{key}"), "IDEMPOTENCY")
}

/// The index keys of a record.
pub(super) type IndexKeys = Vec<(&'static str, String)>;

/// The index keys of a snapshot.
pub(super) fn of_snapshot(snapshot: &Snapshot) -> IndexKeys {
    let presence = Presence::of(snapshot.status);
    let of_schedule = snapshot.schedule_id().cloned();
    let lists = [
        Some(SnapshotList::All(presence)),
        Some(SnapshotList::Of(snapshot.source.instance_id.clone(), presence)),
        of_schedule.map(|id| SnapshotList::OfSchedule(id, presence)),
        SnapshotList::in_status(snapshot.status),
        Some(SnapshotList::Blocked),
        Some(SnapshotList::Held),
    ];
    let lists = lists.into_iter().flatten().filter(|list| list.has(snapshot));
    let mut keys: IndexKeys = lists
        .map(|one| {
            let (index, partition) = list(&one);
            (index.partition(), partition)
        })
        .collect();
    keys.push((Index::All.sort(), list_position(snapshot)));
    if let Some((partition, at)) = due_of(snapshot) {
        keys.push((Index::Due.partition(), partition));
        keys.push((Index::Due.sort(), due(at, snapshot.id.as_str())));
    }
    keys
}

/// Where a snapshot is in [`Index::Due`], if anything is to be done about it.
fn due_of(snapshot: &Snapshot) -> Option<(String, Timestamp)> {
    let by_attention =
        |kind: DueKind| Some((kind.partition().to_owned(), snapshot.course.attention_at?));
    match snapshot.status {
        Status::Condemned | Status::Deleting => by_attention(DueKind::Deletion),
        _ if snapshot.is_awaited_copy() => {
            Some((copies::queue(&snapshot.source.region), snapshot.queued_at()))
        }
        Status::Requested | Status::Creating => by_attention(DueKind::Creation),
        Status::Available if snapshot.has_copies_to_order() => {
            let since = snapshot.course.completed_at.unwrap_or(snapshot.course.touched_at);
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
    let listed =
        [(Index::All.partition(), RUNS.to_owned()), (Index::All.sort(), run_position(&run.slot))];
    due.into_iter().flatten().chain(listed).collect()
}

/// The index keys of something that is looked at again at `at`.
pub(super) fn due_keys(kind: DueKind, at: Timestamp, id: &str) -> [(&'static str, String); 2] {
    [(Index::Due.partition(), kind.partition().to_owned()), (Index::Due.sort(), due(at, id))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_idempotency_keys_are_one() {
        let pairs = [
            ("a#b", "c"),
            ("a", "b#c"),
            ("a%23b", "c"),
            ("a", "b%23c"),
            ("a#b#c", ""),
            ("", "a#b#c"),
        ];

        let keys: std::collections::BTreeSet<_> =
            pairs.iter().map(|(caller, key)| idempotency(caller, key).pk).collect();

        assert_eq!(keys.len(), pairs.len());
        // What was stored before is found.
        assert_eq!(idempotency("ada@example.org", "k#1").pk, "IDEMPOTENCY#ada@example.org#k#1");
    }

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
