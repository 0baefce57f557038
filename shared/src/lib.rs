//! Everything the functions of Snapkeep have in common.
//!
//! [`domain`] holds the nouns and the rules: pure, no I/O, no clock. [`operations`] are the verbs, one file
//! each, idempotent; they know neither HTTP nor Lambda. Below them [`table`] (DynamoDB), [`ec2`] and [`bus`]
//! (EventBridge) speak to AWS in our words. The functions are shells over operations.
//!
//! Invariants, each held by a test:
//! * Time is an argument called `now`. Only a `main` reads a clock; [`clock::Clock`] is how it hands it on.
//! * Every write to a record is conditional on what was read; numbers, which are no records, are added to.
//! * Creation may at worst duplicate, deletion may at worst be late; never the reverse.

pub mod bus;
pub mod clock;
pub mod domain;
pub mod ec2;
pub mod error;
pub mod events;
pub mod lambda;
pub mod operations;
pub mod queue;
mod regions;
pub mod service;
pub mod settings;
pub mod table;
pub mod views;

pub use error::Error;
pub use service::Service;
