//! The frame of every function's `main`: the log, the service, the clock, and the report of an error.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::error;
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::error::{Error, chain};
use crate::service::{Connections, Service};
use crate::settings::Settings;

/// What is left of a function's time when it takes up no new piece of work: enough to finish the one at hand.
const RESERVE: SignedDuration = SignedDuration::from_secs(20);

/// What goes wrong before the first event, or in the runtime itself.
pub type StartError = lambda_runtime::Error;

/// Writes the log as JSON lines, at the level of `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG`.
pub fn start_log() {
    let filter = EnvFilter::try_from_env("AWS_LAMBDA_LOG_LEVEL")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(filter)
        .without_time()
        .init();
}

/// The service of this process: settings and credentials from the environment.
pub async fn service() -> Result<Service, StartError> {
    // As text: the runtime prints what it gets for programmers.
    let settings = Settings::from_env().map_err(|error| error.to_string())?;
    let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    Ok(Service::new(settings, &Connections::same(config)))
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
        // Boxed without its type: the compiler need not look through every future below.
        let answer: Pin<Box<dyn Future<Output = Result<Value, Error>> + '_>> =
            Box::pin(handle(Arc::clone(&service), clock, payload));
        async move { answer.await.map_err(|failure| diagnostic(&failure)) }
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
