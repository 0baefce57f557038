//! The one DynamoDB table: all records, each write conditional on what was read.
//!
//! A record is `pk`, `sk`, the keys of the indexes it is in, `schema` (the version of its form), `version`
//! (what conditions compare) and `body` (the noun as [`crate::domain`] serializes it). But for one, the indexes hold keys
//! only: a page of a list is one Query for the keys and one `BatchGetItem` for the records, and a write touches
//! only the indexes whose keys change. The index `comb` holds what the rules read of each snapshot as well.

pub mod audit;
pub mod client;
pub mod comb;
mod condition;
mod copies;
mod drills;
pub mod findings;
pub mod gone;
pub mod idempotency;
pub mod images;
mod installation;
pub mod keys;
mod lists;
mod members;
mod record;
mod removal;
mod resolved;
pub mod restores;
pub mod runs;
pub mod schedules;
pub mod schema;
pub mod snapshots;
pub mod statistics;
#[cfg(test)]
mod stored_forms;
pub mod sweeps;
mod together;
mod transaction;
pub mod turns;

pub use client::{Table, Written};
pub use keys::DueKind;
pub use lists::{Presence, SnapshotList};
