//! Restores: asked for, advanced step by step, taken up again, cancelled; drills by schedule.

pub mod advance;
mod consider;
pub mod drill_due;
pub mod request;
pub mod resume;

pub use self::advance::advance;
pub use self::drill_due::begin_due_drills;
pub use self::request::{preview, request};
pub use self::resume::{cancel, retry};
