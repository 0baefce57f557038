//! Flows through the whole system.

mod crash;
mod creation;
mod deletion;
mod doubled;
mod events;
mod reconciliation;
mod scale;
mod schedules;
mod sweeps;
