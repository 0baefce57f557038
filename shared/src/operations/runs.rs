//! Runs of schedules: begun when a slot is due, their targets asked for and looked after.

pub(crate) mod ask_targets;
pub mod begin;
pub mod begin_due;
pub mod look_after;
mod overlap;
mod told_gone;

pub use self::begin::begin_now;
pub use self::begin_due::begin_due;
pub use self::look_after::look_after;
