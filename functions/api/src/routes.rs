//! The routes, a file a noun: wire structs beside the handlers that use them.

pub(crate) mod audit;
pub(crate) mod billing;
mod drills;
pub(crate) mod holds;
pub(crate) mod images;
pub(crate) mod instances;
pub(crate) mod meta;
pub(crate) mod overview;
pub(crate) mod reconciliation;
pub(crate) mod restores;
pub(crate) mod retention;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod snapshots;
pub(crate) mod statistics;
pub(crate) mod sweeps;
mod tags;
mod wire;
mod words;
