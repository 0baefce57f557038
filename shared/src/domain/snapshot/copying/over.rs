//! How a copy ends without being made: cancelled before it has begun, or given up; and what its original hears.

use jiff::Timestamp;

use super::{COPY_WITHIN, CopyOf, Part};
use crate::domain::snapshot::transitions::Refusal;
use crate::domain::snapshot::{Failure, Snapshot, Status};

impl Snapshot {
    /// Whether EC2 makes some of it, or may: was asked for a part and has not answered.
    pub fn has_begun_copying(&self) -> bool {
        let is_begun = |part: &Part| part.claimed_at.is_some() || part.copy.is_some();
        !self.is_being_copied() || !self.members.is_empty() || self.parts().iter().any(is_begun)
    }

    /// The copy, not begun, is not to be made, and its original need not wait for it.
    pub fn copy_cancelled(&self, who: &str, now: Timestamp) -> Result<Self, Refusal> {
        if self.has_begun_copying() {
            return Err("it has begun".to_owned());
        }
        let message = format!("{who} deleted its original before it had begun");
        let failed = self.fail(Failure::new("Cancelled", message), now)?;
        let known = failed.no_longer_awaited().unwrap_or(failed);
        Ok(Self { version: self.version + 1, ..known })
    }

    /// Why it is given up at `now`, if it is: nothing of it is asked of EC2, and it has waited long enough.
    pub fn copy_given_up(&self, now: Timestamp) -> Option<Failure> {
        let is_late = now.duration_since(self.created_at) >= COPY_WITHIN;
        let is_asked_for = self.parts().iter().any(|part| part.claimed_at.is_some());
        if !is_late || !self.is_being_copied() || is_asked_for {
            return None;
        }
        let last = self.course.failure.as_ref().map(|failure| failure.message.as_str());
        let last = last.unwrap_or("it was not its turn");
        Some(Failure::new("GivenUp", format!("not copied within 7 days; the last attempt: {last}")))
    }

    /// The same, the original having heard that it is over; nothing if it is not, or has.
    pub fn no_longer_awaited(&self) -> Option<Self> {
        let is_over = match self.status {
            Status::Requested | Status::Creating | Status::Pending => false,
            Status::Available
            | Status::Error
            | Status::Condemned
            | Status::Deleting
            | Status::Deleted
            | Status::Missing => true,
        };
        let original = self.copy_of.as_ref().filter(|one| is_over && one.is_awaited)?;
        let copy_of = CopyOf { is_awaited: false, ..original.clone() };
        Some(Self { copy_of: Some(copy_of), version: self.version + 1, ..self.clone() })
    }
}
