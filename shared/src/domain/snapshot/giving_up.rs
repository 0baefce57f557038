//! Giving a snapshot up: the record goes, what EC2 has stays.

use jiff::Timestamp;

use super::transitions::Refusal;
use super::{Snapshot, Status};

impl Snapshot {
    /// Only the record goes; what EC2 has stays and is no longer ours to look after.
    pub fn record_removed(&self, now: Timestamp) -> Result<Self, Refusal> {
        if !self.is_being_adopted() {
            self.must_be(
                &[Status::Available, Status::Error, Status::Condemned, Status::Missing],
                "removed from the records",
            )?;
        }
        self.must_be_unused(now)?;
        let mut next = self.next(Status::Deleted, now);
        next.ending.gone_at = Some(now);
        next.course.attention_at = None;
        next.ending.blocked = None;
        Ok(next)
    }
}
