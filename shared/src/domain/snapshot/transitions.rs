//! The transitions of a snapshot, each conditional on where it stands.

use jiff::{SignedDuration, Timestamp};

use super::condemnation::{Condemnation, CondemnedBy};
use super::member::Member;
use super::{
    ABSENCE_UNCERTAIN, CreationAttempt, Failure, MISSING_AFTER, Origin, Request, ScheduleSlot,
    Snapshot, Source, Status,
};
use crate::domain::adoption::AdoptedFrom;
use crate::domain::hold::Deleter;
use crate::domain::ids::{RestoreId, SnapshotId};
use crate::domain::ownership::{EbsSnapshot, EbsState};
use crate::domain::snapshot::{Course, Ending, Extent, Keepers};
use crate::domain::tags::Tags;

/// When the tick looks again at what was asked for and not begun, or is being deleted.
pub(super) const NUDGE_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// When the tick asks again for what EC2 had put off: limits free themselves within seconds.
const PUT_OFF_FOR: SignedDuration = SignedDuration::from_mins(1);

/// The snapshot does not stand where the transition begins; the text says so in words.
pub(super) type Refusal = String;

impl Snapshot {
    /// A snapshot that is wanted, and of which nothing else is known than what it is to be of.
    pub fn requested(
        id: SnapshotId,
        origin: Origin,
        source: Source,
        slot: Option<ScheduleSlot>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            version: 1,
            status: Status::Requested,
            origin,
            source,
            slot,
            given_at: None,
            name: String::new(),
            description: None,
            tags: Tags::new(),
            request: Request::default(),
            members: Vec::new(),
            created_at: now,
            started_at: None,
            duplicate_of: None,
            stands_in: false,
            copy_of: None,
            adopted_from: AdoptedFrom::Nobody,
            extent: Extent::Whole,
            course: Course {
                completed_at: None,
                attempt: None,
                failure: None,
                absent_since: None,
                attention_at: None,
                touched_at: now,
            },
            keepers: Keepers::default(),
            ending: Ending::default(),
        }
    }

    pub(super) fn next(&self, status: Status, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            status,
            course: Course { touched_at: now, ..self.course.clone() },
            ..self.clone()
        }
    }

    pub(super) fn must_be(&self, allowed: &[Status], verb: &str) -> Result<(), Refusal> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        let words: Vec<_> = allowed.iter().map(|status| status.as_str()).collect();
        Err(format!(
            "a snapshot that is {} cannot be {verb}; it must be {}",
            self.status,
            words.join(" or ")
        ))
    }

    /// Whether an attempt under way may still succeed, or its success not show yet.
    pub fn is_attempt_uncertain(&self, now: Timestamp) -> bool {
        self.status == Status::Creating
            && self.course.attempt.as_ref().is_some_and(|attempt| {
                now < attempt.started_at.saturating_add(ABSENCE_UNCERTAIN).unwrap_or(now)
            })
    }

    /// Whether the last attempt lies so far back that EC2 shows all that it has made.
    pub fn is_attempt_settled(&self, now: Timestamp) -> bool {
        let attempt = self.course.attempt.as_ref();
        attempt.is_none_or(|attempt| now.duration_since(attempt.started_at) >= MISSING_AFTER)
    }

    /// An attempt at creating it begins: EC2 is about to be asked. Refused while an earlier one is uncertain.
    pub fn begin_attempt(&self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Requested, Status::Creating], "created")?;
        if self.is_attempt_uncertain(now) {
            return Err("an attempt at creating it is under way".to_owned());
        }
        let number = self.course.attempt.as_ref().map_or(1, |attempt| attempt.number + 1);
        let mut next = self.next(Status::Creating, now);
        next.course.attempt = Some(CreationAttempt { number, started_at: now });
        next.course.attention_at = later(now, ABSENCE_UNCERTAIN);
        Ok(next)
    }

    /// EC2 has proven that it did nothing, and may do it later: back to where it was.
    pub fn put_off(&self, failure: Failure, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Creating], "put off")?;
        let mut next = self.next(Status::Requested, now);
        next.course.failure = Some(failure);
        next.course.attention_at = later(now, PUT_OFF_FOR);
        Ok(next)
    }

    /// It is not its turn before `until`; nothing was asked of EC2.
    pub fn postponed(&self, until: Timestamp, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Requested, Status::Creating], "postponed")?;
        let mut next = self.next(self.status, now);
        next.course.attention_at = Some(until);
        Ok(next)
    }

    /// A restore has its instance apart: what would be taken now would lack volumes.
    pub fn held_apart(&self, restore: &RestoreId, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Requested, Status::Creating], "put off")?;
        let mut next = self.next(Status::Requested, now);
        let message = format!(
            "held by {restore}, which has volumes off the instance; it is taken once that is over"
        );
        next.course.failure = Some(Failure::new("HeldByRestore", message));
        next.course.attention_at = later(now, PUT_OFF_FOR);
        Ok(next)
    }

    /// EC2 has made the set, now or in an attempt whose answer was lost; also one that was given up since.
    pub fn created(&self, members: Vec<Member>, now: Timestamp) -> Result<Self, Refusal> {
        if !self.is_given_up_unmade() {
            self.must_be(&[Status::Requested, Status::Creating], "found created")?;
        }
        let mut next = self.next(Status::Pending, now);
        next.members = members;
        next.course.failure = None;
        next.course.attention_at = None;
        Ok(next)
    }

    /// Whether it was given up and nothing of it is known in EC2.
    pub fn is_given_up_unmade(&self) -> bool {
        self.status == Status::Error && self.members.is_empty() && self.copy_of.is_none()
    }

    /// It cannot be made.
    pub fn fail(&self, failure: Failure, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Requested, Status::Creating, Status::Pending], "failed")?;
        let mut next = self.next(Status::Error, now);
        next.course.failure = Some(failure);
        next.course.attention_at = None;
        Ok(next)
    }

    /// How it stands by what EC2 shows of its members at `now`; nothing if that changes nothing.
    ///
    /// A member that EC2 does not show is believed gone at the second look, [`MISSING_AFTER`] after the
    /// first; a look in between that shows it takes the first one back. So is one that another
    /// installation has taken over: we can no longer keep it from going.
    pub fn observed(&self, seen: &[EbsSnapshot], now: Timestamp) -> Option<Self> {
        let settled = match self.status {
            Status::Pending | Status::Available | Status::Error => self.status,
            // One that has vanished is what was wanted; the reaper finds out.
            Status::Condemned => return self.shown_again(seen),
            Status::Requested
            | Status::Creating
            | Status::Deleting
            | Status::Deleted
            | Status::Missing => return None,
        };
        if self.members.is_empty() {
            return None;
        }
        let find = |member: &Member| {
            seen.iter().find(|seen| {
                seen.id == member.ebs_snapshot_id && !self.is_taken_over(seen.installation)
            })
        };
        if self.members.iter().any(|member| find(member).is_none()) {
            return self.absent(now);
        }
        let members: Vec<_> = self
            .members
            .iter()
            .map(|member| {
                find(member).map_or_else(|| member.clone(), |seen| member.refreshed(&seen.into()))
            })
            .collect();
        let started_at = seen
            .iter()
            .filter(|seen| self.has_member(&seen.id))
            .map(|seen| seen.started_at)
            .min()
            // A copy has the content of its original, however late EC2 has begun it.
            .filter(|_| self.copy_of.is_none())
            .or(self.started_at);
        let status = if settled != Status::Pending {
            settled
        } else if self.origin == Origin::Adopted {
            self.adopted_standing(seen)
        } else {
            standing(&members)
        };
        let changed = Self {
            members,
            started_at,
            status,
            course: Course {
                absent_since: None,
                completed_at: self
                    .course
                    .completed_at
                    .or((status == Status::Available).then_some(now)),
                failure: if status == Status::Error && self.course.failure.is_none() {
                    Some(Failure::new("SnapshotFailed", self.why_failed(seen)))
                } else if settled == Status::Pending && status == Status::Available {
                    None
                } else {
                    self.course.failure.clone()
                },
                ..self.course.clone()
            },
            ..self.clone()
        };
        (changed != *self).then(|| changed.next(status, now))
    }

    fn absent(&self, now: Timestamp) -> Option<Self> {
        let Some(since) = self.course.absent_since else {
            let mut next = self.next(self.status, now);
            next.course.absent_since = Some(now);
            return Some(next);
        };
        (now.duration_since(since) >= MISSING_AFTER).then(|| {
            let mut next = self.next(Status::Missing, now);
            next.ending.gone_at = Some(now);
            next.course.attention_at = None;
            next.ending.blocked = None;
            next
        })
    }

    /// It had counted as missing, and EC2 shows all its members again; nothing if not all.
    pub fn returned(&self, seen: &[EbsSnapshot], now: Timestamp) -> Option<Self> {
        let is_seen = |member: &Member| seen.iter().any(|seen| seen.id == member.ebs_snapshot_id);
        if self.status != Status::Missing || !self.members.iter().all(is_seen) {
            return None;
        }
        let mut back = self.next(Status::Pending, now);
        back.course.absent_since = None;
        back.ending.gone_at = None;
        let observed = back.observed(seen, now).unwrap_or_else(|| back.clone());
        Some(Self { version: back.version, ..observed })
    }

    /// It is to be deleted at `delete_after`. One that a rule has condemned may be condemned again by a person.
    pub fn condemn(
        &self,
        by: CondemnedBy,
        reason: impl Into<String>,
        delete_after: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let again = by.deleter() == Deleter::Person;
        let allowed: &[Status] = if again {
            &[Status::Available, Status::Error, Status::Condemned]
        } else {
            &[Status::Available, Status::Error]
        };
        let is_rest = again && self.is_given_up_torn();
        if !is_rest {
            self.must_be(allowed, "condemned")?;
        }
        self.must_be_unused(now)?;
        if let Some(hold) =
            self.keepers.hold.as_ref().filter(|hold| hold.forbids(by.deleter(), now))
        {
            return Err(format!("the snapshot is {}; remove the hold first", hold.describe()));
        }
        // What is left of a torn set is past being condemned.
        let mut next = self.next(if is_rest { Status::Deleting } else { Status::Condemned }, now);
        next.ending.condemnation = Some(Condemnation {
            by,
            reason: reason.into(),
            at: now,
            delete_after,
            from: self.ending.condemnation.as_ref().map_or(self.status, |past| past.from),
        });
        next.ending.blocked = None;
        next.course.attention_at = Some(delete_after);
        Ok(next)
    }

    /// It stays after all. Refused once its deletion has begun.
    pub fn rescue(&self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Condemned], "rescued")?;
        let from = self.ending.condemnation.as_ref().map_or(Status::Available, |past| past.from);
        let mut next = self.next(from, now);
        next.ending.condemnation = None;
        next.ending.blocked = None;
        next.course.attention_at = None;
        Ok(next)
    }

    /// The tick has published it again and looks at it later. Nothing has become of it: [`super::Course::touched_at`] stays,
    /// which the age of a broken deletion goes by.
    #[must_use]
    pub fn nudged(&self, now: Timestamp) -> Self {
        let version = self.version + 1;
        Self {
            version,
            course: Course { attention_at: later(now, NUDGE_AFTER), ..self.course.clone() },
            ..self.clone()
        }
    }
}

fn standing(members: &[Member]) -> Status {
    if members.iter().any(|member| member.state == EbsState::Error) {
        Status::Error
    } else if members.iter().all(|member| member.state == EbsState::Completed) {
        Status::Available
    } else {
        Status::Pending
    }
}

pub(super) fn later(now: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(by).ok()
}
