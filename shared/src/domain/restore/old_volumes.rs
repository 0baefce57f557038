//! The volumes that made room: how long they are kept, how they are marked, and that people are told once when they may go.

use jiff::{SignedDuration, Timestamp};

use super::{Before, Course, Restore};
use crate::domain::tags::{self, Tags};

impl Restore {
    /// When a person may delete the old volumes, if they are marked at `now`.
    pub fn old_volumes_expiry(&self, now: Timestamp) -> Timestamp {
        let days = SignedDuration::from_hours(24 * i64::from(self.before.keep_old_days));
        self.before.old_volumes_expire_at.unwrap_or_else(|| now.saturating_add(days).unwrap_or(now))
    }

    /// Whether a person may delete its old volumes at `now`: they are off, and their time is over.
    pub fn has_old_volumes_due(&self, now: Timestamp) -> bool {
        let has_some = self.before.old_volumes.as_ref().is_some_and(|old| !old.is_empty());
        has_some && self.before.old_volumes_expire_at.is_some_and(|at| at <= now)
    }

    /// The marks of an old volume that is back in its place: they say no more when it may go.
    pub fn marks_of_what_is_back(&self) -> Tags {
        Tags::from([
            (tags::REPLACED_BY.to_owned(), String::new()),
            (tags::EXPIRES_AT.to_owned(), "never".to_owned()),
        ])
    }

    /// The marks of an old volume that may be deleted at `expires_at`.
    pub fn old_volume_tags(&self, expires_at: Timestamp) -> Tags {
        Tags::from([
            (tags::REPLACED_BY.to_owned(), self.id.to_string()),
            (tags::EXPIRES_AT.to_owned(), format!("{expires_at:.0}")),
        ])
    }

    /// When a restore that is over is looked at again, because people are to be told of its old volumes; none if it has
    /// none, or they know.
    pub(super) fn tells_at(&self) -> Option<Timestamp> {
        let has_some = self.before.old_volumes.as_ref().is_some_and(|old| !old.is_empty());
        let untold = self.before.old_volumes_told_at.is_none();
        self.before.old_volumes_expire_at.filter(|_| has_some && untold)
    }

    /// Whether it is over, and people are to be told at `now` that its old volumes may be deleted.
    pub fn is_to_tell(&self, now: Timestamp) -> bool {
        self.status.is_over() && self.tells_at().is_some_and(|at| at <= now)
    }

    /// The restore once people are told, or once nothing is left to tell of: nobody looks at it again.
    #[must_use]
    pub fn told(&self, told_at: Option<Timestamp>) -> Self {
        Self {
            course: Course { attention_at: None, ..self.course.clone() },
            before: Before { old_volumes_told_at: told_at, ..self.before.clone() },
            ..self.clone()
        }
    }
}
