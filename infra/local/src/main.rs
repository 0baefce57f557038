//! `cargo run -p local`: the whole system on one machine.

use std::{
    fmt,
    io::{self, Write as _},
    process::{Command, ExitCode, Stdio},
};

use clap::Parser as _;
use jiff::Timestamp;
use local::{Options, StartError, System, system::Machine};
use shared::error::chain;
use tracing::field::Field;
use tracing_subscriber::{
    EnvFilter,
    fmt::format::{Writer, debug_fn},
};

/// What is logged unless `RUST_LOG` says otherwise.
/// DynamoDB's stand-in reports every write that a condition refused, which is its daily work.
const LOG: &str = "warn,local=info,shared=info,dynoxide=error";

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    start_log();
    match Box::pin(run(&options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere is left to say it if this fails.
            drop(writeln!(io::stderr(), "{}", chain(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), StartError> {
    let running = System::start(options, machine()).await?;
    let failed = |error: io::Error| StartError::failed("the terminal", error);
    write!(io::stderr(), "{}", running.welcome()).map_err(failed)?;
    writeln!(io::stdout(), "{}", running.ready()).map_err(failed)?;
    io::stdout().flush().map_err(failed)?;
    if options.open {
        open(running.api());
    }
    running.run_until(told_to_end).await
}

/// Opens the page as the platform opens addresses. Where it cannot, its address stands on the screen.
fn open(address: &str) {
    let (program, before): (_, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let opened = Command::new(program).args(before).arg(address).stdout(Stdio::null()).spawn();
    if let Err(error) = opened {
        tracing::warn!("{program} does not open the page ({error}): it is at {address}/");
    }
}

#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
fn machine() -> Machine {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Machine { real: Timestamp::now, environment: environment.collect() }
}

fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt()
        .compact()
        .with_target(false)
        .fmt_fields(debug_fn(in_words))
        .with_writer(io::stderr)
        .with_env_filter(filter)
        .init();
}

/// A line as a person reads it: without the ids that the message names anyway.
fn in_words(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        name if name.rsplit('.').next() == Some("id") => Ok(()),
        name => write!(writer, " {name}={value:?}"),
    }
}

/// Ctrl-C, or SIGTERM where there is such a thing.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // An error means that nobody can tell us; then nobody should wait for it either.
    drop(tokio::signal::ctrl_c().await);
}
