//! The deeds, by noun: idempotent, conditional, free of HTTP and Lambda. No other room writes to the table or asks EC2
//! for a change.

pub mod announce;
pub mod copies;
pub mod idempotency;
pub mod images;
pub mod nudge_stuck;
pub mod reconciliation;
mod record_missed;
pub mod reject_message;
pub mod restores;
mod rewrite;
pub mod runs;
pub mod schedules;
pub mod snapshots;
pub mod sweeps;
