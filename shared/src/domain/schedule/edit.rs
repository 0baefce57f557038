//! Edits of a schedule.

use super::Schedule;

/// What an edit makes of a schedule: the same if it changes nothing.
#[derive(Clone, Debug)]
pub struct Edit {
    /// As it is.
    pub old: Schedule,
    /// As it would be.
    pub new: Schedule,
}
