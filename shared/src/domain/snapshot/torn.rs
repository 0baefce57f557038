//! Torn sets: EC2 has deleted some members and will not delete others.
//!
//! Such a set counts for nothing and can neither be rescued nor restored. It is not tried again until a person asks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condemnation::{Blocked, BlockedCause};
use super::transitions::Refusal;
use super::{Snapshot, Status};

/// What tore a set: EC2 deleted some of its members and refused others, though everything had been asked before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// What was in the way of the others.
    pub cause: BlockedCause,
    /// When.
    pub at: Timestamp,
}

impl Snapshot {
    /// Members of it are gone, and `cause` is in the way of the others.
    pub fn torn(&self, cause: BlockedCause, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[Status::Deleting], "torn")?;
        let since = self.ending.blocked.as_ref().map_or(now, |blocked| blocked.since);
        let at = self.ending.damaged.as_ref().map_or(now, |damaged| damaged.at);
        let mut next = self.next(Status::Deleting, now);
        next.ending.damaged = Some(Damaged { cause: cause.clone(), at });
        next.ending.blocked = Some(Blocked { cause, since, wanted: None });
        next.course.attention_at = None;
        Ok(next)
    }

    /// Whether it is torn and nobody has asked again for the deletion of what is left.
    pub fn is_given_up_torn(&self) -> bool {
        self.status == Status::Deleting
            && self.ending.damaged.is_some()
            && self.ending.blocked.is_some()
    }
}
