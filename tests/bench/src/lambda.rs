//! Lambda's runtime interface on loopback, of the little that a function asks of it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clocks::block_on;

/// How long a function may take for anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a function tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It wants an event.
    Ready,
    /// It has answered one.
    Answered,
}

/// The interface, for one function at a time.
#[derive(Debug)]
pub(crate) struct Lambda {
    address: SocketAddr,
    told: mpsc::Receiver<(Told, Instant)>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    event: Mutex<String>,
    /// How many events may be taken, by whoever was started last: one that was ended may still stand in line at another.
    events: Mutex<Arc<Semaphore>>,
    tell: mpsc::Sender<(Told, Instant)>,
}

type OfShared = State<Arc<Shared>>;

impl Lambda {
    /// An interface on a thread of its own.
    pub(crate) fn begin() -> Self {
        let (tell, told) = mpsc::channel();
        let shared = Arc::new(Shared { event: Mutex::default(), events: Mutex::new(none()), tell });
        let state = Arc::clone(&shared);
        let (tell_address, told_address) = mpsc::channel();
        thread::spawn(move || {
            block_on(async {
                let router = Router::new()
                    .route("/2018-06-01/runtime/invocation/next", get(next))
                    .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
                    .fallback(refused)
                    .with_state(state);
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                tell_address.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await
            })
        });
        Self { address: told_address.recv().unwrap(), told, shared }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// This is the event from now on, of a function that is about to start.
    pub(crate) fn give(&self, event: &Value) {
        *self.shared.events.lock().unwrap_or_else(PoisonError::into_inner) = none();
        *self.shared.event.lock().unwrap_or_else(PoisonError::into_inner) = event.to_string();
    }

    /// The function may have the event once more.
    pub(crate) fn go_on(&self) {
        self.shared.events().add_permits(1);
    }

    /// When the function has told this, which must be what it tells next.
    pub(crate) fn wait(&self, wanted: Told) -> Instant {
        let (told, at) = self.told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(told, wanted);
        at
    }
}

fn none() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

impl Shared {
    fn events(&self) -> Arc<Semaphore> {
        Arc::clone(&self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, told: Told) {
        self.tell.send((told, Instant::now())).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "a function goes by the machine's clock")]
async fn next(State(shared): OfShared) -> Response {
    let events = shared.events();
    shared.tell(Told::Ready);
    events.acquire().await.unwrap().forget();
    let event = shared.event.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let deadline = Timestamp::now() + SignedDuration::from_mins(15);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000001".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:measured".to_owned(),
        ),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000001".to_owned()),
    ];
    (headers, event).into_response()
}

/// All of the answer is read, for the connection to stay.
async fn answered(State(shared): OfShared, answer: Bytes) -> StatusCode {
    drop(answer);
    shared.tell(Told::Answered);
    StatusCode::ACCEPTED
}

/// A function that has failed measures nothing.
async fn refused(request: axum::extract::Request) -> StatusCode {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    crate::say::hint(format!("{path}: {}", String::from_utf8_lossy(&body)));
    StatusCode::ACCEPTED
}
