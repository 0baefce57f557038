//! Flows through the whole system.

mod approval;
mod blocked;
mod crash;
mod creation;
mod deletion;
mod doubled;
mod events;
mod exclusions;
mod fate;
mod gone;
mod holds;
mod limits;
mod reconciliation;
mod restore_window;
mod runs;
mod scale;
mod schedules;
mod sweeps;
mod targets;
mod turns;
mod year;
