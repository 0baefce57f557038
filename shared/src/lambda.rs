//! The frame of every function's `main`: the log, the service, the clock, and the report of an error.

pub mod invocation;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::clock::Clock;
use crate::error::{Error, chain};
use crate::lambda::invocation::{Ending, Invocation, kind_of};
use crate::service::{Connections, Service};
use crate::settings::Settings;
use crate::trace::TraceParent;

/// What is left of a function's time when it takes up no new piece of work: enough to finish the one at hand.
const RESERVE: SignedDuration = SignedDuration::from_secs(20);

/// How long the start waits for the table. Lambda gives it ten seconds.
const WARMING_LASTS: Duration = Duration::from_secs(2);

/// What goes wrong before the first event, or in the runtime itself.
pub type StartError = lambda_runtime::Error;

/// The crates whose lines are ours.
const OURS: [&str; 9] = [
    "shared",
    "api",
    "scheduler",
    "snapshotter",
    "tracker",
    "sweeper",
    "reaper",
    "restorer",
    "reconciler",
];

/// The filter for a level: it is that of our own lines. Of others' none below INFO is shown, for below it the runtime and
/// the SDK write whole requests, with their tokens and bodies.
pub fn log_filter(level: LevelFilter) -> EnvFilter {
    let others = level.min(LevelFilter::INFO);
    let ours = OURS.iter().map(|name| format!(",{name}={level}"));
    EnvFilter::new(format!("{others}{}", ours.collect::<String>()))
}

/// The level that this variable names, or the lowest of its directives.
fn level_of(variable: &str) -> Option<LevelFilter> {
    EnvFilter::try_from_env(variable).ok()?.max_level_hint()
}

/// Writes the log as JSON lines, at the level of `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG`.
pub fn start_log() {
    let level = level_of("AWS_LAMBDA_LOG_LEVEL").or_else(|| level_of("RUST_LOG"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(log_filter(level.unwrap_or(LevelFilter::INFO)))
        .without_time()
        .init();
}

/// The service of this process: settings and credentials from the environment.
pub async fn service() -> Result<Service, StartError> {
    // As text: the runtime prints what it gets for programmers.
    let settings = Settings::from_env().map_err(|error| error.to_string())?;
    let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    let service = Service::new(settings, &Connections::same(config));
    warm(&service).await;
    Ok(service)
}

/// Asks the table for something small before the first event comes: what a first call pays for (credentials, names, TLS)
/// is most of it, and the processor costs nothing yet. Whatever goes wrong here the first event will meet, and say.
async fn warm(service: &Service) {
    let asked = tokio::time::timeout(WARMING_LASTS, service.table.installation()).await;
    if !matches!(asked, Ok(Ok(_))) {
        tracing::debug!("The table did not answer before the first event");
    }
}

/// A clock that tells the time by `now`, a reader of the real one.
pub fn real_clock(now: fn() -> Timestamp) -> Clock {
    Clock::new(now, |duration| tokio::time::sleep(duration.unsigned_abs()))
}

/// Answers events with `handle` until the sandbox ends. `now` reads the real clock.
pub async fn run<F, Answer>(now: fn() -> Timestamp, handle: F) -> Result<(), StartError>
where
    F: Fn(Arc<Service>, Clock, Value) -> Answer,
    Answer: Future<Output = Result<Value, Error>>,
{
    start_log();
    let service = Arc::new(service().await?);
    let handle = &handle;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let (payload, context) = event.into_parts();
        let clock = real_clock(now).until(deadline(context.deadline));
        let trace = TraceParent::of_event(&payload);
        let call = Invocation::begin(&context, kind_of(&payload), trace, now());
        let service = Arc::new(service.traced(call.trace().cloned()));
        // Boxed without its type: the compiler need not look through every future below.
        let answer: Pin<Box<dyn Future<Output = Result<Value, Error>> + '_>> =
            Box::pin(handle(Arc::clone(&service), clock, payload));
        async move {
            let answer = answer.await;
            let ending = match &answer {
                Ok(report) => Ending::Answered(report),
                Err(error) => Ending::Failed(error),
            };
            call.end(&service, ending, now());
            answer.map_err(|failure| diagnostic(&failure))
        }
    }))
    .await
}

fn deadline(epoch_millis: u64) -> Timestamp {
    i64::try_from(epoch_millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .and_then(|end| end.checked_sub(RESERVE).ok())
        .unwrap_or(Timestamp::MAX)
}

/// The error as Lambda reports it: `errorType` is what alarms look for.
fn diagnostic(failure: &Error) -> Diagnostic {
    let text = chain(failure);
    error!(error.kind = failure.kind(), error.chain = %text, "The event was not handled: {failure}");
    Diagnostic { error_type: failure.kind().to_owned(), error_message: text }
}
