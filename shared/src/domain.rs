//! The nouns and rules of Snapkeep: pure values and decisions, without I/O and without a clock.

pub mod capacity;
pub mod cost;
pub mod cursor;
pub mod fate;
pub mod hold;
pub mod ids;
pub mod instance;
pub mod ownership;
pub mod protection;
pub mod retention;
pub mod run;
pub mod schedule;
pub mod simulation;
pub mod snapshot;
pub mod sweep;
pub mod tags;
