//! Sweeps: asked for, planned, released, carried out.

pub(crate) mod enforce;
pub mod execute;
pub(crate) mod gone_instances;
pub mod plan;
pub mod request;
