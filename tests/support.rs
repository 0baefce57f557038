//! What the tests stand on: the whole system on one machine, with a clock that a test sets.

pub(crate) mod app;
pub(crate) mod contract;
pub(crate) mod events;
pub(crate) mod forward;
pub(crate) mod grown;
pub(crate) mod hands;
pub(crate) mod images;
pub(crate) mod items;
pub(crate) mod meter;
pub(crate) mod others;
pub(crate) mod regions;
pub(crate) mod reply;
pub(crate) mod restores;
pub(crate) mod schema;
pub(crate) mod sweeps;
pub(crate) mod tripwire;
