//! Everything that the functions of Snapkeep have in common.
//!
//! # Map
//!
//! From the top: a function calls one deed, a route one deed or one answer.
//!
//! | module | what it is |
//! |---|---|
//! | [`operations`] | deeds, by noun: the only rooms that write to the table or ask EC2 for a change |
//! | [`views`] | answers: they write nothing |
//! | [`regions`] | one question asked of several regions |
//! | [`domain`] | nouns and rules: pure, without I/O or clock |
//! | [`table`], [`ec2`], [`bus`] | DynamoDB, EC2 and EventBridge, in our words |
//! | [`service`], [`settings`], [`clock`] | what a `main` makes and hands on |
//! | [`lambda`], [`queue`], [`events`] | what the functions have in common, and what they are sent |
//! | [`error`] | the one error that crosses modules |
//!
//! # Invariants
//!
//! * Time is an argument called `now`. Only a `main` reads a clock; [`clock::Clock`] hands it on.
//! * A write of a record is conditional on what was read. Numbers are no records: they are added to.
//! * Creation may at worst duplicate. Deletion may at worst be late.
//!
//! `ARCHITECTURE.md` has the walkthroughs, `shared/DECISIONS.md` says why things are as they are.

pub mod bus;
pub mod clock;
pub mod domain;
pub mod ec2;
pub mod error;
pub mod events;
pub mod lambda;
pub mod metrics;
pub mod operations;
pub mod queue;
mod regions;
pub mod service;
pub mod settings;
pub mod table;
pub mod trace;
pub mod views;

pub use error::Error;
pub use service::Service;

#[cfg(test)]
mod tests;
