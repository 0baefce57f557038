//! Snapshots: asked for, taken, brought in line with EC2, edited, deleted by name, reaped.

pub mod delete;
pub mod edit;
pub(crate) mod mark;
pub(crate) mod newest;
pub mod reap;
pub mod recover;
pub mod refresh;
pub mod request;
pub mod rescue;
pub mod take;
