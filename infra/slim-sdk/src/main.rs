//! Cargo with a small AWS SDK.
//!
//! aws-sdk-ec2 has 811 operations, and takes minutes and some 8 GB in one rustc; a copy with those that Snapkeep calls
//! takes seconds. `cargo slim test --workspace` is `cargo test --workspace` with such copies, `cargo start` is
//! `cargo run -p local` with them; `.cargo/config.toml` has both names. Every call makes the copies again, below the
//! target folder, and writes what differs. Cargo takes them by path overrides, which leave Cargo.lock as it is.

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
    path::PathBuf,
    process::ExitCode,
};

use crate::{cargo::Workspace, failure::Failure, sources::Sources};

/// The crates that are cut, and the operations that the workspace calls, tests included.
const CRATES: [(&str, &str); 3] = [
    ("aws-sdk-ec2", include_str!("../ec2.txt")),
    ("aws-sdk-dynamodb", include_str!("../dynamodb.txt")),
    ("aws-sdk-eventbridge", include_str!("../eventbridge.txt")),
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            // Nowhere is left to say it if this fails.
            drop(writeln!(io::stderr(), "slim-sdk: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// What Cargo ends with when it is run with these arguments and the copies.
fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    if arguments.is_empty() {
        return Err(Failure::new("say what Cargo shall do: `cargo slim test --workspace`"));
    }
    let workspace = Workspace::ask(arguments)?;
    let mut copies = Vec::new();
    for (name, operations) in CRATES {
        let operations = listed(operations);
        copies.push(copy(&workspace, name, &operations).map_err(|failure| failure.of(name))?);
    }
    cargo::run_with(&copies, arguments)
}

/// The folder of the crate's copy, with these operations.
fn copy(
    workspace: &Workspace,
    name: &str,
    operations: &BTreeSet<&str>,
) -> Result<PathBuf, Failure> {
    let package = workspace.package(name)?;
    let sources = Sources::read_from(&package.folder)?;
    let files = cut::cut(&sources, operations)?;
    let folder = workspace.target.join("slim-sdk").join(name);
    if copy::write(&folder, &files)? {
        let (version, count) = (&package.version, operations.len());
        // Nothing depends on that this is read.
        drop(writeln!(
            io::stderr(),
            "   Cutting {name} {version} down to what is called (operations: {count})"
        ));
    }
    Ok(folder)
}

fn listed(operations: &str) -> BTreeSet<&str> {
    let lines = operations.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}
