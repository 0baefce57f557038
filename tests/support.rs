//! What the tests stand on: the whole system on one machine, with a clock that a test sets.

pub(crate) mod app;
pub(crate) mod events;
pub(crate) mod reply;
pub(crate) mod sweeps;
pub(crate) mod tripwire;
