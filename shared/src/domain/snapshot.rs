//! Our snapshot: a crash-consistent set of EBS snapshots of one instance, and its state machine.
//!
//! ```text
//! requested → creating → pending → available | error
//!                          available | error → condemned → deleting → deleted
//!                          from anywhere after pending: missing
//! ```
//! Each transition is a method that answers the changed snapshot, or why it cannot be.

mod adopting;
mod belonging;
pub mod condemnation;
pub mod copying;
mod deleting;
mod giving_up;
pub mod images;
mod in_use;
pub mod labels;
pub mod member;
pub mod noted;
mod shown;
mod source;
mod torn;
mod transitions;

pub use source::Source;
pub use torn::Damaged;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::adoption::AdoptedFrom;
use crate::domain::hold::{Deleter, Hold};
use crate::domain::ids::{EbsSnapshotId, InstanceId, RestoreId, ScheduleId, SnapshotId};
use crate::domain::instance::Exclusions;
use crate::domain::later::is_default;
use crate::domain::snapshot::condemnation::{Blocked, Condemnation};
use crate::domain::snapshot::copying::{CopyOf, CopyOrder};
use crate::domain::snapshot::images::ImagesNote;
use crate::domain::snapshot::member::Member;
use crate::domain::tags::Tags;
use crate::domain::words::words;

/// How long an absence is not believed: EC2 is eventually consistent, and asks to poll "up to five minutes"
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>).
pub const ABSENCE_UNCERTAIN: SignedDuration = SignedDuration::from_mins(5);

/// How far apart the two looks are after which a snapshot that EC2 does not have counts as missing.
pub const MISSING_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// One restore point of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: SnapshotId,
    /// Counts the writes; what `If-Match` compares.
    pub version: u64,
    pub status: Status,
    pub origin: Origin,
    pub source: Source,
    /// The schedule whose rules it goes by, and the due time it was taken for.
    pub slot: Option<ScheduleSlot>,
    /// When a person gave it to that schedule, which had not taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Timestamp>,
    /// Display name.
    pub name: String,
    /// In the caller's words.
    pub description: Option<String>,
    /// Tags of the caller's, which its EBS snapshots bear as well.
    #[serde(default)]
    pub tags: Tags,
    /// What was to be taken.
    #[serde(default)]
    pub request: Request,
    /// The EBS snapshots, one a volume; empty until EC2 has made them.
    pub members: Vec<Member>,
    /// When this record was made.
    pub created_at: Timestamp,
    /// EC2's start time: the instant whose content the snapshot has.
    pub started_at: Option<Timestamp>,
    /// The set that this one was made twice for, by a lost reply.
    pub duplicate_of: Option<SnapshotId>,
    /// That one has failed: this one counts in its stead.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stands_in: bool,
    /// What it is a copy of; none for what was taken.
    #[serde(default)]
    pub copy_of: Option<CopyOf>,
    /// From whom it may be adopted, as the person who adopts it has said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub adopted_from: AdoptedFrom,
    /// How much of the record this is.
    #[serde(skip)]
    pub extent: Extent,
    #[serde(flatten)]
    pub course: Course,
    #[serde(flatten)]
    pub keepers: Keepers,
    #[serde(flatten)]
    pub ending: Ending,
}

/// How much of a record was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// What the rules read. It is good for judging, and the table takes no write of it.
    Short,
}

/// How far a snapshot has come, and when somebody looks at it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// When we learnt that all members were completed.
    pub completed_at: Option<Timestamp>,
    /// The attempt at creating it that is or was last under way.
    pub attempt: Option<CreationAttempt>,
    /// Why it failed, or why the last attempt was put off.
    pub failure: Option<Failure>,
    /// Since when EC2 does not show members of it.
    pub absent_since: Option<Timestamp>,
    /// When the tick looks at it again.
    pub attention_at: Option<Timestamp>,
    /// When something last became of it: being looked at again and being blocked while available are not that.
    pub touched_at: Timestamp,
}

/// What keeps a snapshot, beside the rules: nobody deletes it while any of this stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keepers {
    /// A person's hold.
    pub hold: Option<Hold>,
    /// The restores under way that use it: until they are over nobody condemns it.
    #[serde(default)]
    pub restores: Vec<RestoreId>,
    /// The images that use its members, as the last one who looked has found them.
    #[serde(default)]
    pub images: Option<ImagesNote>,
    /// The copies that are made of it in other regions.
    #[serde(default)]
    pub copies: Vec<CopyOrder>,
}

/// How a snapshot ends, or why it has not ended yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When a snapshot without a schedule goes.
    pub expires_at: Option<Timestamp>,
    /// From when on it cannot be restored any more, whether it is still there or not; for ever without it.
    #[serde(default)]
    pub restore_until: Option<Timestamp>,
    /// Who condemned it, why, and when it goes.
    pub condemnation: Option<Condemnation>,
    /// Why it should be gone and is not.
    pub blocked: Option<Blocked>,
    /// It is torn: some of its members were deleted, and others cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<Damaged>,
    /// When it was deleted, or found missing.
    pub gone_at: Option<Timestamp>,
}

/// What of an instance is to be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is left out.
    #[serde(default)]
    pub exclusions: Exclusions,
    /// Whether the EBS snapshots bear the instance's tags too.
    #[serde(default)]
    pub copy_tags: bool,
}

/// The schedule and the due time that a snapshot was taken for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScheduleSlot {
    pub schedule_id: ScheduleId,
    pub slot: Timestamp,
}

impl ScheduleSlot {
    /// The one snapshot of `instance` that this slot gives, however often it is asked for.
    pub fn snapshot_id(&self, instance: &InstanceId) -> SnapshotId {
        let slot = self.slot.to_string();
        SnapshotId::derived(self.slot, &[self.schedule_id.as_str(), instance.as_str(), &slot])
    }
}

words! {
    /// Where a snapshot stands.
    Status {
        /// Wanted; nothing asked of EC2 yet.
        Requested => "requested",
        /// Asked of EC2; the answer is not in.
        Creating => "creating",
        /// EC2 is writing it.
        Pending => "pending",
        /// Whole and restorable.
        Available => "available",
        /// Failed; never counts, never restorable.
        Error => "error",
        /// To be deleted once its grace is over; can be rescued.
        Condemned => "condemned",
        /// Being deleted; too late to rescue.
        Deleting => "deleting",
        /// Gone, by us.
        Deleted => "deleted",
        /// Gone, not by us.
        Missing => "missing",
    }
}

impl Status {
    /// Whether lists hide it unless asked.
    pub fn is_gone(self) -> bool {
        match self {
            Self::Deleted | Self::Missing => true,
            Self::Requested
            | Self::Creating
            | Self::Pending
            | Self::Available
            | Self::Error
            | Self::Condemned
            | Self::Deleting => false,
        }
    }
}

words! {
    /// How a snapshot came to be.
    Origin {
        /// A person asked for it.
        Manual => "manual",
        /// A schedule did.
        Schedule => "schedule",
        /// It was found in EC2 and taken over.
        Adopted => "adopted",
        /// A schedule had another region's copied.
        Copy => "copy",
    }
}

/// An attempt at creating the EBS snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreationAttempt {
    /// 1 for the first.
    pub number: u32,
    /// When EC2 was about to be asked. Absence is believed only [`ABSENCE_UNCERTAIN`] after it.
    pub started_at: Timestamp,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// EC2's error code, or one of ours.
    pub code: String,
    pub message: String,
}

impl Failure {
    /// A failure of this code and these words.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

impl Snapshot {
    /// Whether it can be restored at `now`: whole, there, out of the archive, and within its restore window.
    pub fn is_restorable(&self, now: Timestamp) -> bool {
        self.status == Status::Available
            && !self.is_archived()
            && self.ending.restore_until.is_none_or(|end| now < end)
    }

    /// Whether it counts, for the rules and as an instance's newest: whole, and not made twice.
    pub fn is_good(&self) -> bool {
        self.is_whole() && self.twin().is_none()
    }

    /// Whether it is of all volumes that its instance had.
    pub fn leaves_nothing_out(&self) -> bool {
        self.request.exclusions == Exclusions::default()
    }

    /// The instant retention goes by: whose content it has, or when it was asked for.
    pub fn taken_at(&self) -> Timestamp {
        self.started_at.unwrap_or(self.created_at)
    }

    /// Whether one of its members is a copy: then it is as old as the copy, and its content is older, by nobody knows
    /// how much.
    pub fn has_copies(&self) -> bool {
        self.members.iter().any(Member::is_copy)
    }

    /// How it stands among the restore points of its instance, the best last: the later it was taken, and before
    /// any that has copies.
    pub fn standing(&self) -> (bool, Timestamp) {
        (!self.has_copies(), self.taken_at())
    }

    /// The sum of its volumes' sizes.
    pub fn size_gib(&self) -> i64 {
        self.members.iter().map(|member| i64::from(member.size_gib)).sum()
    }

    /// The sum of its members' full sizes, once EC2 tells them all.
    pub fn full_size_bytes(&self) -> Option<i64> {
        if self.members.is_empty() {
            return None;
        }
        self.members.iter().map(|member| member.full_size_bytes).sum()
    }

    /// How far EC2 is, in percent, over all members by size.
    pub fn progress_percent(&self) -> u8 {
        let total = self.size_gib().max(1);
        let done: i64 = self
            .members
            .iter()
            .map(|member| i64::from(member.size_gib) * i64::from(member.progress_percent))
            .sum();
        u8::try_from((done / total).clamp(0, 100)).unwrap_or(100)
    }

    /// Its EBS snapshots that EC2 still has, as far as we know.
    pub fn living_members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.deleted)
    }

    /// Whether `id` is one of its members.
    pub fn has_member(&self, id: &EbsSnapshotId) -> bool {
        self.members.iter().any(|member| member.ebs_snapshot_id == *id)
    }

    /// The schedule it belongs to.
    pub fn schedule_id(&self) -> Option<&ScheduleId> {
        self.slot.as_ref().map(|slot| &slot.schedule_id)
    }

    /// The set that it was made twice for, if it is of no use beside it.
    pub fn twin(&self) -> Option<&SnapshotId> {
        self.duplicate_of.as_ref().filter(|_| !self.stands_in)
    }

    /// The set that the tags of its members name: its own, or the one it was made twice for.
    pub fn tagged_id(&self) -> &SnapshotId {
        self.duplicate_of.as_ref().unwrap_or(&self.id)
    }

    /// Whether a hold forbids `deleter` to delete it at `now`.
    pub fn is_held(&self, deleter: Deleter, now: Timestamp) -> bool {
        self.keepers.hold.as_ref().is_some_and(|hold| hold.forbids(deleter, now))
    }
}

#[cfg(test)]
mod tests;
