//! `cargo slim run --profile simulation -p bench -- --help`: figures, each measured when it is asked for.
//!
//! # Map
//!
//! [`rules`] are pure. [`calls`] and [`month`] play the whole system over its stand-ins on the time of a [`stage`], on which
//! many work at once and a pause takes as long as it says. [`memory`] and [`requests`] put the stand-ins behind ports
//! ([`serve`]) and the function into a process of its own ([`child`]), so that what it takes is its own. [`ec2`] does so on the
//! machine's clock, for tools that others wrote.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a command for those who change the code: what cannot be is a panic that names itself"
)]

mod calls;
mod child;
mod clocks;
mod ec2;
#[path = "../../simulation/src/hands.rs"]
mod hands;
mod lambda;
mod memory;
#[expect(dead_code, reason = "the tests ask it for more")]
#[path = "../../support/meter.rs"]
mod meter;
mod month;
mod prices;
mod proc;
mod requests;
mod rules;
mod say;
mod seed;
mod serve;
mod slow;
mod stage;
mod start;

use clap::{Parser, Subcommand};

/// Measures Snapkeep.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    #[command(subcommand)]
    what: What,
}

/// What is measured.
#[derive(Debug, Subcommand)]
enum What {
    /// The pure rules, without I/O.
    Rules(rules::Options),
    /// The calls of EC2, by action, at its default limits.
    Calls(calls::Options),
    /// The memory and the processor time of a sweep and a reconciliation.
    Memory(memory::Options),
    /// What a request of the API reads and costs.
    Requests(requests::Options),
    /// What each function takes from its start to its first answers.
    Start(start::Options),
    /// What a month costs.
    Month(month::Options),
    /// A simulated EC2 at its default limits, for other tools: `beside.py` begins it.
    Ec2(ec2::Options),
    /// A function in a process of its own; begun by the others.
    #[command(hide = true)]
    Child(child::Options),
}

fn main() {
    match Options::parse().what {
        What::Rules(options) => rules::main(&options),
        What::Calls(options) => clocks::block_on(calls::main(&options)),
        What::Memory(options) => memory::main(&options),
        What::Requests(options) => requests::main(&options),
        What::Start(options) => start::main(&options),
        What::Month(options) => clocks::block_on(month::main(&options)),
        What::Ec2(options) => clocks::block_on(ec2::main(&options)),
        What::Child(options) => clocks::block_on(child::main(&options)),
    }
}
