//! `cargo run -p simulation -- --seed 42`: one history again; `-- --seeds 10000`: many, on all cores.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    simulation::main(&simulation::Options::parse())
}
