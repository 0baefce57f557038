//! The verbs: one file each, idempotent, free of HTTP and Lambda. Whoever repeats one does nothing twice.

pub mod adopt_members;
mod ask_targets;
pub mod check_schedule;
pub mod delete_snapshot;
pub mod edit_snapshot;
pub mod execute_sweep;
pub mod idempotency;
pub mod instances;
pub mod list_snapshots;
pub mod look_after_runs;
pub mod nudge_stuck;
mod overlap;
pub mod plan_sweep;
pub mod preview_retention;
pub mod reap_snapshots;
pub mod reconcile;
pub mod refresh_snapshots;
pub mod reject_message;
pub mod request_snapshot;
pub mod rescue_snapshot;
pub mod run_due_schedules;
pub mod run_schedule;
pub mod schedules;
pub mod show_run;
pub mod sweeps;
pub mod take_requested;
