//! Sweeps: asked for, planned, released, carried out.

pub(crate) mod enforce;
pub mod execute;
pub(crate) mod gone_instances;
pub(crate) mod note_blocked;
pub mod plan;
mod region_answers;
pub mod request;
mod rescue;
mod tidy_marks;

pub use self::request::{approve, request};
