//! A wire that can be tripped: the process dies right after a call of its choice has had its effect, or right
//! before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Notify;

/// When the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trip {
    /// Right before the call of this number, from 1 on, has any effect.
    Before(usize),
    /// Right after it, before anybody hears of it.
    After(usize),
}

/// More calls than any flow makes.
const CALLS_MAX: usize = 250;

/// Dies at each call in turn, until the flow comes through alive; answers how many calls there were.
///
/// Dying right before a call is dying right after the one before it: what is tried is the first call that never happens,
/// and then the death after each.
pub(crate) async fn at_every_call(case: impl AsyncFn(Trip) -> bool) -> usize {
    for calls in 0..CALLS_MAX {
        let trip = if calls == 0 { Trip::Before(1) } else { Trip::After(calls) };
        if Box::pin(case(trip)).await {
            return calls.saturating_sub(1);
        }
    }
    panic!("the flow never came through");
}

#[derive(Debug, Default)]
struct State {
    trip: Option<Trip>,
    calls: usize,
    /// By `X-Amz-Target`, which EventBridge's and DynamoDB's calls have.
    targets: BTreeMap<String, usize>,
    /// At a call that says this somebody else comes first.
    waits_at: Option<String>,
}

/// Counts the calls that go through it, and stops all at the one that is chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tripwire {
    state: Arc<Mutex<State>>,
    tripped: Arc<Notify>,
    reached: Arc<Notify>,
    goes_on: Arc<Notify>,
}

impl Tripwire {
    /// A client whose calls go through the wire.
    pub(crate) fn over(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Tripping { wire: self.clone(), client })
    }

    /// Does `work` until it is done, or until it dies at `trip`: then nothing, and all it held is dropped.
    pub(crate) async fn run<T>(&self, trip: Trip, work: impl Future<Output = T>) -> Option<T> {
        *self.state.lock().unwrap() = State { trip: Some(trip), ..State::default() };
        let done = tokio::select! {
            biased;
            () = self.tripped.notified() => None,
            done = work => Some(done),
        };
        *self.state.lock().unwrap() = State::default();
        done
    }

    /// Does `work`, and right before its first call that says `words` has any effect, all of `other`.
    pub(crate) async fn amid<T>(
        &self,
        words: &str,
        work: impl Future<Output = T>,
        other: impl Future<Output = ()>,
    ) -> T {
        self.state.lock().unwrap().waits_at = Some(words.to_owned());
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            _ = &mut work => panic!("no call says {words}"),
            () = self.reached.notified() => {}
        }
        other.await;
        self.goes_on.notify_one();
        work.await
    }

    /// How many calls of this `X-Amz-Target` went through it.
    pub(crate) fn calls(&self, target: &str) -> usize {
        self.state.lock().unwrap().targets.get(target).copied().unwrap_or_default()
    }

    fn next(&self, request: &HttpRequest) -> (usize, Option<Trip>) {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        if let Some(target) = request.headers().get("x-amz-target") {
            *state.targets.entry(target.to_owned()).or_default() += 1;
        }
        (state.calls, state.trip)
    }

    /// Whether this call is the one that somebody else comes before.
    fn is_waited_for(&self, request: &HttpRequest) -> bool {
        let mut state = self.state.lock().unwrap();
        let says =
            |text: &[u8], words: &str| text.windows(words.len()).any(|one| one == words.as_bytes());
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let is_it = |words: &String| says(target.as_bytes(), words) || says(body, words);
        state.waits_at.take_if(|words| is_it(words)).is_some()
    }

    async fn die<T>(&self) -> T {
        self.tripped.notify_one();
        std::future::pending().await
    }
}

#[derive(Clone, Debug)]
struct Tripping {
    wire: Tripwire,
    client: SharedHttpClient,
}

impl HttpClient for Tripping {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(TrippingConnector { wire: self.wire.clone(), connector })
    }
}

#[derive(Clone, Debug)]
struct TrippingConnector {
    wire: Tripwire,
    connector: SharedHttpConnector,
}

impl HttpConnector for TrippingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { wire, connector } = self.clone();
        HttpConnectorFuture::new(async move {
            let (call, trip) = wire.next(&request);
            if trip == Some(Trip::Before(call)) {
                return wire.die().await;
            }
            if wire.is_waited_for(&request) {
                wire.reached.notify_one();
                wire.goes_on.notified().await;
            }
            let answer = connector.call(request).await;
            if trip == Some(Trip::After(call)) {
                return wire.die().await;
            }
            answer
        })
    }
}
