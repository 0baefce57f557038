//! The actions that the audit knows, and which of them other systems are told.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::words::words;

macro_rules! actions {
    ($($(#[$doc:meta])* $kind:ident $variant:ident => $word:literal, $phrase:literal, $telling:ident;)+) => {
        /// What became of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The `detail-type` of its event.
            pub fn event_type(self) -> &'static str {
                match self { $(Self::$variant => concat!("snapkeep.", $word),)+ }
            }

            /// What a sentence about the record says.
            pub fn phrase(self) -> &'static str {
                match self { $(Self::$variant => $phrase,)+ }
            }

            /// What kind of record it is about.
            pub fn kind(self) -> RecordKind {
                match self { $(Self::$variant => RecordKind::$kind,)+ }
            }

            fn telling(self) -> Announcement {
                match self { $(Self::$variant => Announcement::$telling,)+ }
            }
        }
    };
}

/// Whether other systems are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Announcement {
    Announced,
    Kept,
}

actions! {
    /// It is wanted.
    Snapshot SnapshotRequested => "snapshot.requested", "is wanted", Kept;
    /// It is whole and restorable.
    Snapshot SnapshotAvailable => "snapshot.available", "is available", Announced;
    /// It could not be taken, or a member of it failed.
    Snapshot SnapshotFailed => "snapshot.failed", "failed", Announced;
    /// A person changed its name, description, tags, hold, expiry or restore window.
    Snapshot SnapshotEdited => "snapshot.edited", "was edited", Kept;
    /// A hold was placed.
    Snapshot SnapshotHeld => "snapshot.held", "is held", Kept;
    /// Its hold was removed.
    Snapshot SnapshotReleased => "snapshot.released", "is not held any more", Kept;
    /// It is to be deleted, and can still be rescued.
    Snapshot SnapshotCondemned => "snapshot.condemned", "is condemned", Announced;
    /// It stays after all.
    Snapshot SnapshotRescued => "snapshot.rescued", "is rescued", Announced;
    /// It is gone, by us.
    Snapshot SnapshotDeleted => "snapshot.deleted", "is deleted", Announced;
    /// Only its record is gone; what EC2 has stays.
    Snapshot SnapshotRecordRemoved => "snapshot.record_removed", "is not looked after any more", Announced;
    /// It is gone, not by us.
    Snapshot SnapshotMissing => "snapshot.missing", "is missing", Announced;
    /// It had counted as missing and is back.
    Snapshot SnapshotReturned => "snapshot.returned", "had been missing and is back", Announced;
    /// It should be gone and something is in the way.
    Snapshot SnapshotBlocked => "snapshot.blocked", "should be gone and is not", Announced;
    /// EC2 deleted some of its members and refused others: it is torn.
    Snapshot SnapshotDamaged => "snapshot.damaged", "is torn: members of it are gone and others cannot be deleted", Announced;
    /// It was made twice, by a lost reply.
    Snapshot SnapshotDuplicate => "snapshot.duplicate", "was made twice", Announced;
    /// Its record was made again from its tags.
    Snapshot SnapshotRebuilt => "snapshot.rebuilt", "has a record again", Announced;
    /// It was found in EC2 and taken over.
    Snapshot SnapshotAdopted => "snapshot.adopted", "is taken over", Announced;
    /// It was made.
    Schedule ScheduleCreated => "schedule.created", "is made", Announced;
    /// A person changed it.
    Schedule ScheduleEdited => "schedule.edited", "was edited", Announced;
    /// It was deleted.
    Schedule ScheduleDeleted => "schedule.deleted", "is deleted", Announced;
    /// Due times of it passed without a run.
    Schedule ScheduleMissed => "schedule.missed", "missed due times", Announced;
    /// A schedule names it now.
    Instance InstanceAssigned => "instance.assigned", "is assigned", Kept;
    /// A schedule names it no longer.
    Instance InstanceUnassigned => "instance.unassigned", "is not assigned any more", Kept;
    /// It has begun.
    Run RunStarted => "run.started", "has begun", Kept;
    /// All its targets are settled, or it failed as a whole.
    Run RunFinished => "run.finished", "has ended", Announced;
    /// It was not begun in time.
    Run RunMissed => "run.missed", "was missed", Kept;
    /// A person asked for it.
    Sweep SweepRequested => "sweep.requested", "is asked for", Kept;
    /// The brake stopped some of it.
    Sweep SweepNeedsApproval => "sweep.needs_approval", "waits for an admin", Announced;
    /// An admin released what was stopped.
    Sweep SweepApproved => "sweep.approved", "is approved", Announced;
    /// It was carried out.
    Sweep SweepFinished => "sweep.finished", "is finished", Kept;
    /// It was not carried out.
    Sweep SweepRefused => "sweep.refused", "is not carried out", Announced;
    /// A person asked for it.
    Restore RestoreRequested => "restore.requested", "is asked for", Kept;
    /// It goes on after a failure.
    Restore RestoreRetried => "restore.retried", "goes on", Kept;
    /// A person cancelled it: what it did is being taken back.
    Restore RestoreCancelling => "restore.cancelling", "is being taken back", Kept;
    /// It is given up: what it did is taken back, or left.
    Restore RestoreCancelled => "restore.cancelled", "is cancelled", Announced;
    /// It is done.
    Restore RestoreFinished => "restore.finished", "is done", Announced;
    /// A step of it failed.
    Restore RestoreFailed => "restore.failed", "failed", Announced;
    /// The volumes that it replaced may be deleted, and cost until then.
    Restore RestoreOldVolumesDue => "restore.old_volumes_due", "has old volumes that may be deleted now", Announced;
    /// The image that it was to keep costs, and keeps its snapshot from deletion.
    Restore RestoreImageDue => "restore.image_due", "still keeps an image, and with it its snapshot", Announced;
    /// A drill has begun.
    Drill DrillRequested => "drill.requested", "is asked for", Kept;
    /// A drill goes on after a failure.
    Drill DrillRetried => "drill.retried", "goes on", Kept;
    /// A person cancelled a drill: what it made is being removed.
    Drill DrillCancelling => "drill.cancelling", "is being taken back", Kept;
    /// A drill is given up.
    Drill DrillCancelled => "drill.cancelled", "is cancelled", Kept;
    /// A drill has restored the set and removed what it made.
    Drill DrillFinished => "drill.finished", "is done", Announced;
    /// A drill failed.
    Drill DrillFailed => "drill.failed", "failed", Announced;
    /// A person asked for it.
    Image ImageRequested => "image.requested", "is asked for", Kept;
    /// It can be launched from.
    Image ImageAvailable => "image.available", "is available", Announced;
    /// It could not be made.
    Image ImageFailed => "image.failed", "failed", Announced;
    /// A person wants it deregistered.
    Image ImageDeregistrationRequested => "image.deregistration_requested", "is to be deregistered", Kept;
    /// EC2 refused to deregister it.
    Image ImageKept => "image.kept", "is not deregistered", Kept;
    /// It is gone, not by us.
    Image ImageMissing => "image.missing", "is missing", Kept;
    /// It was deregistered.
    Image ImageDeregistered => "image.deregistered", "is deregistered", Announced;
}

impl Action {
    /// Whether other systems are told.
    pub fn is_announced(self) -> bool {
        self.telling() == Announcement::Announced
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>();
        let found = Self::ALL.iter().copied().find(|action| action.as_str() == text);
        found.ok_or_else(|| format!("must be one of {}", words().join(", ")))
    }
}

words! {
    /// What a record is of. The word is also the field of an event that says how the record stands.
    RecordKind {
        /// A snapshot.
        Snapshot => "snapshot",
        /// A schedule.
        Schedule => "schedule",
        /// Which schedules name an instance.
        Instance => "instance",
        /// A run of a schedule.
        Run => "run",
        /// A sweep.
        Sweep => "sweep",
        /// A restore.
        Restore => "restore",
        /// A restore for practice.
        Drill => "drill",
        /// An image.
        Image => "image",
    }
}
