//! Cargo with a small aws-sdk-ec2.
//!
//! The whole crate has 811 operations and takes minutes and some 8 GB in one rustc; a copy with those that Snapkeep calls
//! takes seconds. `cargo slim test --workspace` is `cargo test --workspace` with the copy, `cargo start` is
//! `cargo run -p local` with it; `.cargo/config.toml` has both names. The copy is made again on every call, below the
//! target folder, and nothing of it is committed. Cargo takes it by a path override, which leaves Cargo.lock as it is.

mod cargo;
mod copy;
mod cut;
mod failure;
mod items;
mod references;
mod sources;

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{cargo::Workspace, failure::Failure, sources::Sources};

/// The operations that the workspace calls, tests included.
const OPERATIONS: &str = include_str!("../operations.txt");

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            // Nowhere is left to say it if this fails.
            drop(writeln!(io::stderr(), "slim-ec2: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// What Cargo ends with when it is run with these arguments and the copy.
fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    if arguments.is_empty() {
        return Err(Failure::new("say what Cargo shall do: `cargo slim test --workspace`"));
    }
    let workspace = Workspace::ask()?;
    let sources = Sources::read_from(workspace.crate_folder())?;
    let operations = operations();
    let files = cut::cut(&sources, &operations)?;
    let folder = workspace.copy_folder();
    if copy::write(&folder, &files)? {
        let version = &workspace.version;
        let count = operations.len();
        let said = writeln!(
            io::stderr(),
            "aws-sdk-ec2 {version} with {count} operations: {}",
            folder.display()
        );
        said.map_err(|error| Failure::new(format!("cannot write to the terminal: {error}")))?;
    }
    cargo::run_with(&folder, arguments)
}

fn operations() -> BTreeSet<&'static str> {
    let lines = OPERATIONS.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}
