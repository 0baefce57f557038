//! The lists of snapshots that the table keeps. Which index and partition each is stands in the keys.

use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::snapshot::{Snapshot, Status};

/// A list of snapshots, in the order in which their records were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotList {
    /// All snapshots.
    All(Presence),
    /// The snapshots of an instance.
    Of(InstanceId, Presence),
    /// The snapshots of a schedule.
    OfSchedule(ScheduleId, Presence),
    /// The snapshots that stand there. It is empty for `available` and `deleted`, which are the most by far:
    /// [`SnapshotList::in_status`] knows.
    InStatus(Status),
    /// The snapshots that should be gone and are not.
    Blocked,
    /// The snapshots that have a hold.
    Held,
}

/// Whether a list shows what is there or what is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// What lists show.
    Here,
    /// Deleted or missing.
    Gone,
}

impl Presence {
    /// The lists that a snapshot of this status is in.
    pub fn of(status: Status) -> Self {
        if status.is_gone() { Self::Gone } else { Self::Here }
    }
}

impl SnapshotList {
    /// The list of what stands at `status`; none for the two that are not listed.
    pub fn in_status(status: Status) -> Option<Self> {
        match status {
            Status::Available | Status::Deleted => None,
            Status::Requested
            | Status::Creating
            | Status::Pending
            | Status::Error
            | Status::Condemned
            | Status::Deleting
            | Status::Missing => Some(Self::InStatus(status)),
        }
    }

    /// Whether a record belongs to the list.
    pub fn has(&self, snapshot: &Snapshot) -> bool {
        let presence_is = |presence: &Presence| Presence::of(snapshot.status) == *presence;
        match self {
            Self::All(presence) => presence_is(presence),
            Self::Of(id, presence) => snapshot.source.instance_id == *id && presence_is(presence),
            Self::OfSchedule(id, presence) => {
                snapshot.schedule_id() == Some(id) && presence_is(presence)
            }
            Self::InStatus(status) => {
                snapshot.status == *status && Self::in_status(*status).is_some()
            }
            Self::Blocked => snapshot.ending.blocked.is_some() && !snapshot.status.is_gone(),
            // What is missing may come back, and then it is held.
            Self::Held => snapshot.keepers.hold.is_some() && snapshot.status != Status::Deleted,
        }
    }
}
