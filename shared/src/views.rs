//! The answers: what is there, what will happen, what it costs. They write nothing.

pub mod audit;
pub mod billing;
pub mod drills;
pub mod fates;
pub mod findings;
pub(crate) mod gone_instances;
pub mod held_and_blocked;
pub mod history;
pub mod image_relations;
pub mod images;
pub mod instance_coverage;
pub mod instances;
pub mod latest_snapshots;
mod paging;
pub mod restores;
pub mod retention_preview;
pub mod review;
pub mod runs;
pub mod schedule_limits;
pub mod schedules;
pub mod snapshots;
pub mod statistics;
pub mod sweeps;
