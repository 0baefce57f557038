//! Sweeps: asked for, planned, released, carried out.

pub mod execute;
pub(crate) mod gone_instances;
pub mod plan;
pub mod request;

pub use self::request::{approve, request};
