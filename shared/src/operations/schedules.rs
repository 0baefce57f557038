//! Schedules: made, edited, deleted, assigned to instances.

pub mod assign;
pub mod edit;
