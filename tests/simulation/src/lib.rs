//! Deterministic simulation: the real functions over a simulated EC2 and an embedded DynamoDB, one seed one history.
//!
//! # Map
//!
//! A [`seed`](plan) gives a *plan*: how the world is set up, and a list of acts of people, outsiders and the weather, each
//! with a seed of its own, so that the others mean the same when one is left out ([`shrink`]). The [`world`] carries it
//! out: [`crew`] polls the functions in an order that the seed decides, on the time of [`hands`]; [`wire`] lets calls go
//! wrong as the [`weather`] says. The [`oracle`] looks at every deletion before EC2 carries it out, and at everything when
//! the weather has been calm for a while. It goes by its own [`ledger`] of what people were promised and what EC2 really
//! has, and shares no code with the product's decisions.
//!
//! # Invariants
//!
//! - Nothing reads a clock, a thread's order, a hash's order or a random number but the seed's.
//! - What the product does is judged by EC2's state and by people's acknowledged wishes, never by its records alone.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::option_option,
    clippy::struct_excessive_bools,
    clippy::wildcard_enum_match_arm,
    reason = "this is a test, from end to end: what cannot be is a panic that names itself"
)]

mod another;
mod crew;
mod hands;
mod installations;
mod ledger;
mod lies;
mod machines;
mod oracle;
mod outsiders;
mod people;
mod plan;
mod restores;
mod rng;
mod rules;
mod run;
mod runner;
mod shrink;
mod weather;
mod wire;
mod world;

pub use lies::Lie;
pub use run::{Verdict, run};
pub use runner::{Options, main};

/// Seeds ask for memory all the time, and for nothing else that the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(test)]
mod tests;
