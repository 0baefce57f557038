//! The transitions of a deletion: begun, put off, blocked, done.

use crate::domain::hold::HoldKind;
use crate::domain::snapshot::Member;
use jiff::{SignedDuration, Timestamp};

use super::condemnation::{Blocked, BlockedCause, Condemnation};
use super::transitions::{NUDGE_AFTER, Refusal, later};
use super::{Snapshot, Status};
use crate::domain::ids::EbsSnapshotId;

/// How long nobody else looks after what is being deleted, at the least.
const DELETION_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// When a deletion that something stands in the way of is tried again.
const BLOCKED_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// When a deletion is tried again that only waits for the next sweep to mark it.
const UNMARKED_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(1);

impl Snapshot {
    /// Its deletion begins; from here it cannot be rescued. What was in the way may still be. If the tick has just made it
    /// known, and looks again long after it is over, that stays.
    pub fn begin_deletion(&self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Condemned, Status::Deleting], "deleted")?;
        self.must_be_unused(now)?;
        let mut next = self.next(Status::Deleting, now);
        let is_next =
            |at: &Timestamp| (DELETION_LASTS..=NUDGE_AFTER).contains(&at.duration_since(now));
        let looked_at = self.course.attention_at.filter(is_next);
        next.course.attention_at = looked_at.or_else(|| later(now, NUDGE_AFTER));
        Ok(next)
    }

    /// A person asks again for its deletion: it goes at `delete_after` if that is sooner, and is tried at once if something
    /// was in the way. Nothing if neither changes anything.
    pub fn hurried(&self, delete_after: Timestamp, now: Timestamp) -> Option<Self> {
        let condemnation = self.ending.condemnation.as_ref()?;
        if !matches!(self.status, Status::Condemned | Status::Deleting) {
            return None;
        }
        let sooner = condemnation.delete_after.min(delete_after);
        let is_waiting = self.ending.blocked.is_some() && condemnation.delete_after <= now;
        let is_put_off = self.course.attention_at.is_some_and(|at| at > now);
        if sooner == condemnation.delete_after && !(is_waiting && is_put_off) {
            return None;
        }
        let mut next = self.next(self.status, now);
        next.ending.condemnation =
            Some(Condemnation { delete_after: sooner, ..condemnation.clone() });
        next.course.attention_at = Some(sooner.max(now));
        Some(next)
    }

    /// EC2 has proven that it deleted nothing, and may do it later: back to where it was.
    pub fn deletion_put_off(&self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Deleting], "put off")?;
        let mut next = self.next(Status::Condemned, now);
        next.course.attention_at = later(now, NUDGE_AFTER);
        Ok(next)
    }

    /// EC2 did not show members that were to be deleted; the first look is not believed.
    #[must_use]
    pub fn noticed_absent(&self, now: Timestamp) -> Self {
        let since = self.course.absent_since.or(Some(now));
        let mut next = self.next(self.status, now);
        next.course.absent_since = since;
        next.course.attention_at = later(now, NUDGE_AFTER);
        next
    }

    /// These members are gone. It is deleted once all are.
    pub fn members_deleted(&self, gone: &[EbsSnapshotId], now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Deleting], "found deleted")?;
        let members: Vec<_> = self
            .members
            .iter()
            .map(|member| Member {
                deleted: member.deleted || gone.contains(&member.ebs_snapshot_id),
                ..member.clone()
            })
            .collect();
        let all = members.iter().all(|member| member.deleted);
        let status = if all { Status::Deleted } else { Status::Deleting };
        let mut next = self.next(status, now);
        next.members = members;
        next.ending.gone_at = if all { Some(now) } else { self.ending.gone_at };
        next.course.attention_at = if all { None } else { later(now, NUDGE_AFTER) };
        next.ending.blocked = if all { None } else { self.ending.blocked.clone() };
        Ok(next)
    }

    /// Something is in the way of its deletion. It is tried again, at the latest in a day.
    pub fn block(&self, cause: BlockedCause, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Condemned, Status::Deleting], "blocked")?;
        let retry_at = match (&cause, self.keepers.hold.as_ref().map(|hold| hold.kind)) {
            (BlockedCause::Held, Some(HoldKind::Until(instant))) => Some(instant),
            (BlockedCause::NotMarked { .. }, _) => later(now, UNMARKED_RETRY_AFTER),
            _ => later(now, BLOCKED_RETRY_AFTER),
        };
        let since = self.ending.blocked.as_ref().map_or(now, |blocked| blocked.since);
        let known = self.ending.blocked.as_ref().map(|blocked| &blocked.cause);
        let cause = match (cause, known) {
            // That there is no mark says less than why there can be none.
            (
                BlockedCause::NotMarked { message: None },
                Some(BlockedCause::NotMarked { message }),
            ) => BlockedCause::NotMarked { message: message.clone() },
            (cause, _) => cause,
        };
        let mut next = self.next(self.status, now);
        next.ending.blocked = Some(Blocked { cause, since, wanted: None });
        next.course.attention_at = retry_at;
        Ok(next)
    }
}
