//! Whose rules a snapshot goes by: those of its schedule, or of another that a person has given it when its own was deleted.

use jiff::Timestamp;

use super::transitions::Refusal;
use super::{ScheduleSlot, Snapshot, Status};
use crate::domain::ids::ScheduleId;

impl Snapshot {
    /// The same given to `schedule` at `now`: it goes by that one's rules from then on, and has no end of its own any
    /// more. What deletes it at the next sweep is unexpected. Its EBS snapshots bear the tags that they were made with.
    pub fn given_to(&self, schedule: &ScheduleId, now: Timestamp) -> Result<Self, Refusal> {
        self.may_be_decided()?;
        let Some(slot) = &self.slot else {
            return Err("it was taken for no schedule; it goes by its own expires_at".to_owned());
        };
        let slot = ScheduleSlot { schedule_id: schedule.clone(), slot: slot.slot };
        let mut next = self.next(self.status, now);
        (next.slot, next.given_at) = (Some(slot), Some(now));
        next.ending.expires_at = None;
        Ok(next)
    }

    /// The same with this end of its own, or with none. Where its schedule is there nobody asks about it.
    pub fn expiring(&self, at: Option<Timestamp>, now: Timestamp) -> Result<Self, Refusal> {
        self.may_be_decided()?;
        let mut next = self.next(self.status, now);
        next.ending.expires_at = at;
        Ok(next)
    }

    /// When it came to its schedule, if that has not taken it: adopted, or given by a person. The record of an adopted one
    /// is there a little before, and no sweep of then has seen it.
    pub fn joined_at(&self) -> Option<Timestamp> {
        let adopted_at = (self.origin == super::Origin::Adopted)
            .then(|| self.course.completed_at.unwrap_or(self.created_at).max(self.created_at));
        self.given_at.max(adopted_at)
    }

    /// The same, counting from now on in the stead of what it was made twice for, which has failed.
    #[must_use]
    pub fn standing_in(&self, now: Timestamp) -> Self {
        Self { stands_in: true, ..self.next(self.status, now) }
    }

    fn may_be_decided(&self) -> Result<(), Refusal> {
        let allowed = [Status::Pending, Status::Available, Status::Error, Status::Condemned];
        self.must_be(&allowed, "given an end or a schedule")
    }
}
