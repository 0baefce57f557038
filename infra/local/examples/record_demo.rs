//! Makes the history that `--demo` shows: ninety days of an account, lived through by the real functions on a clock that
//! jumps from one thing that is due to the next. `cargo run -p local --example record_demo` writes it anew.

#![expect(clippy::indexing_slicing, reason = "JSON answers null for what it lacks")]

mod record_demo {
    pub(crate) mod account;
    pub(crate) mod run;
    pub(crate) mod story;
}

use std::io::{self, Write as _};

use record_demo::{run::Run, story};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo/history.json.gz");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut run = Run::start().await?;
    Box::pin(story::tell(&mut run)).await?;
    let bytes = run.recorded()?;
    std::fs::write(FILE, &bytes)?;
    writeln!(io::stdout(), "{} bytes in {FILE}", bytes.len())?;
    Ok(())
}
