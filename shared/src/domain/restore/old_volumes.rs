//! The volumes that made room, and the image that stays: how long they are kept, how they are marked, and that people are
//! told once when they may go.

use jiff::{SignedDuration, Timestamp};

use super::{Before, Course, Restore};
use crate::domain::ids::ImageId;
use crate::domain::tags::{self, Tags};

impl Restore {
    /// When a person may delete the old volumes, if they are marked at `now`.
    pub fn old_volumes_expiry(&self, now: Timestamp) -> Timestamp {
        let expiry = || now.saturating_add(self.keeps_for()).unwrap_or(now);
        self.before.old_volumes_expire_at.unwrap_or_else(expiry)
    }

    fn keeps_for(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.before.keep_old_days))
    }

    /// The image that it has made and that stays, once it is over: because it was to, or because all was left as it is.
    pub fn kept_image(&self) -> Option<&ImageId> {
        self.made.image_id.as_ref().filter(|_| self.status.is_over())
    }

    fn image_due_at(&self) -> Option<Timestamp> {
        self.kept_image()?;
        self.course.finished_at?.saturating_add(self.keeps_for()).ok()
    }

    /// Whether an image of it stays, for longer at `now` than old volumes would be kept: it costs, and keeps its snapshot.
    pub fn has_image_due(&self, now: Timestamp) -> bool {
        self.image_due_at().is_some_and(|at| at <= now)
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

    /// The restore, which is over, to be looked at again when people are to be told of what it has left.
    #[must_use]
    pub(super) fn telling_later(self) -> Self {
        let attention_at = self.tells_at();
        Self { course: Course { attention_at, ..self.course }, ..self }
    }

    /// When people are to be told of its old volumes or its image; none if it has neither, or they know.
    fn tells_at(&self) -> Option<Timestamp> {
        let has_some = self.before.old_volumes.as_ref().is_some_and(|old| !old.is_empty());
        let untold = self.before.told_at.is_none();
        let volumes = self.before.old_volumes_expire_at.filter(|_| has_some);
        volumes.or_else(|| self.image_due_at()).filter(|_| untold)
    }

    /// Whether it is over, and people are to be told at `now` that what it has left may be deleted.
    pub fn is_to_tell(&self, now: Timestamp) -> bool {
        self.status.is_over() && self.tells_at().is_some_and(|at| at <= now)
    }

    /// The restore once people are told, or once nothing is left to tell of: nobody looks at it again.
    #[must_use]
    pub fn told(&self, told_at: Option<Timestamp>) -> Self {
        Self {
            course: Course { attention_at: None, ..self.course.clone() },
            before: Before { told_at, ..self.before.clone() },
            ..self.clone()
        }
    }
}
