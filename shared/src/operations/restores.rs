//! Restores: asked for, advanced step by step, taken up again, cancelled; drills by schedule.

pub mod advance;
pub mod drill_due;
pub mod request;
pub mod resume;
