//! Sweeps: asked for, planned, released, carried out.

pub(crate) mod enforce;
pub mod execute;
pub(crate) mod gone_instances;
pub(crate) mod note_blocked;
pub mod plan;
pub mod request;
mod rescue;

pub use self::request::{approve, request};
