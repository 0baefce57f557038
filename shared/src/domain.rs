//! The nouns and rules of Snapkeep: pure values and decisions, without I/O and without a clock.

pub mod adoption;
pub mod audit;
pub mod capacity;
pub mod chain;
pub mod cost;
pub mod cursor;
pub mod fate;
pub mod finding;
pub mod hold;
pub mod ids;
pub mod image;
pub mod installation;
pub mod instance;
pub mod ownership;
pub mod restore;
pub mod retention;
pub mod run;
pub mod schedule;
pub mod simulation;
pub mod snapshot;
pub mod statistics;
pub mod sweep;
pub mod tags;
pub mod todo;
mod words;
