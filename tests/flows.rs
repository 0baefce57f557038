//! Flows through the whole system.

mod crash;
mod creation;
mod deletion;
mod doubled;
mod events;
mod exclusions;
mod limits;
mod reconciliation;
mod restore_window;
mod runs;
mod scale;
mod schedules;
mod sweeps;
mod targets;
mod turns;
