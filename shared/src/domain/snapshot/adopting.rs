//! Adoption: an EBS snapshot that is there already becomes a member of a set of ours.
//!
//! The record comes first, `pending`; it is `available` once EC2 shows all members completed and with our tags.

use jiff::Timestamp;

use super::labels::{Identity, for_adoption};
use super::member::Member;
use super::{Failure, Origin, ScheduleSlot, Snapshot, Source, Status};
use crate::domain::ids::SnapshotId;
use crate::domain::ownership::{EbsSnapshot, EbsState};
use crate::domain::tags::Tags;

impl Snapshot {
    /// A set that is to be taken over: its members are there, their tags are not ours yet.
    ///
    /// It is made at `now`, whenever its members were taken: what deletes it at the next sweep is unexpected.
    pub fn adopting(
        id: SnapshotId,
        source: Source,
        slot: Option<ScheduleSlot>,
        (members, taken_at): (Vec<Member>, Timestamp),
        now: Timestamp,
    ) -> Self {
        Self {
            status: Status::Pending,
            members,
            started_at: Some(taken_at),
            ..Self::requested(id, Origin::Adopted, source, slot, now)
        }
    }

    /// Whether its members are still to get our tags, as far as the record knows.
    pub fn is_being_adopted(&self) -> bool {
        self.origin == Origin::Adopted && self.status == Status::Pending
    }

    /// Whether this installation has made, copied or adopted it. A record that was made again from tags does not say so.
    pub fn is_made_by_us(&self) -> bool {
        self.course.attempt.is_some()
            || self.origin == Origin::Adopted && !self.is_being_adopted()
            || !self.parts().is_empty()
    }

    /// The tags that its members get.
    pub fn adoption_tags(&self) -> Tags {
        for_adoption(&Identity {
            snapshot_id: &self.id,
            instance_id: &self.source.instance_id,
            slot: self.slot.as_ref(),
            name: &self.name,
            copied_from: None,
        })
    }

    /// What it is by what EC2 shows of its members, all of which are among `seen`. One that EC2 cannot use is left for a
    /// person to look at: a failed set would go by itself.
    pub(super) fn adopted_standing(&self, seen: &[EbsSnapshot]) -> Status {
        let is_ours = |seen: &EbsSnapshot| {
            seen.state == EbsState::Completed && seen.set().as_ref() == Some(self.tagged_id())
        };
        let mut members = seen.iter().filter(|seen| self.has_member(&seen.id));
        if members.all(is_ours) { Status::Available } else { Status::Pending }
    }

    /// All its members bear our tags now; nothing if it is not being adopted.
    pub fn adopted(&self, now: Timestamp) -> Option<Self> {
        self.is_being_adopted().then(|| {
            let mut next = self.next(Status::Available, now);
            next.course.failure = None;
            next.course.completed_at = Some(now);
            next
        })
    }

    /// Its members cannot get our tags, for now; nothing if the record says so already. It is tried again each hour.
    pub fn adoption_refused(&self, failure: Failure, now: Timestamp) -> Option<Self> {
        let is_news = self.is_being_adopted() && self.course.failure.as_ref() != Some(&failure);
        is_news.then(|| {
            let mut next = self.next(self.status, now);
            next.course.failure = Some(failure);
            next
        })
    }
}
