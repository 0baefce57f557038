//! The simulated EC2, saved whenever it has changed.
//!
//! It is saved before an answer leaves: whatever the table knows of EC2, the file knows as well, even when the
//! process is killed the next moment.

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use sim_ec2::SimEc2;
use tower::ServiceExt as _;

use super::events::LocalBus;

/// A simulated EC2 and the file it is kept in. Clones are the same one.
#[derive(Clone, Debug)]
pub struct KeptEc2(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    simulation: SimEc2,
    path: PathBuf,
    /// The revision in the file. Whoever holds it may write.
    saved: Mutex<Option<u64>>,
}

impl KeptEc2 {
    /// Keeps `simulation` at `path`.
    pub fn new(simulation: SimEc2, path: PathBuf) -> Self {
        Self(Arc::new(Inner { simulation, path, saved: Mutex::new(None) }))
    }

    /// The simulation.
    pub fn simulation(&self) -> &SimEc2 {
        &self.0.simulation
    }

    /// Saves it if it has changed since it was last saved.
    pub fn save(&self) -> io::Result<()> {
        let mut saved = self.0.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = self.0.simulation.revision();
        if *saved != Some(revision) {
            self.0.simulation.save(&self.0.path)?;
            *saved = Some(revision);
        }
        Ok(())
    }

    /// An HTTP client for the SDK that never leaves the process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Client(self.clone()))
    }

    /// EC2's endpoint, and `PutEvents` of `bus`.
    pub fn router(&self, bus: LocalBus) -> Router {
        Router::new().fallback(serve).with_state((self.clone(), bus))
    }
}

#[derive(Clone)]
struct Client(KeptEc2);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.0.simulation().http_client().http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, kept: self.0.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    kept: KeptEc2,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.inner.call(request);
        let kept = self.kept.clone();
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            kept.save().map_err(|error| ConnectorError::io(error.into()))?;
            answer
        })
    }
}

async fn serve(State((kept, bus)): State<(KeptEc2, LocalBus)>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    if let Some(target) = target.map(str::to_owned) {
        return put_events(&bus, &target, request.into_body()).await;
    }
    let Ok(answer) = kept.simulation().router().oneshot(request).await;
    match kept.save() {
        Ok(()) => answer,
        Err(error) => {
            tracing::error!("The simulated EC2 cannot be saved: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn put_events(bus: &LocalBus, target: &str, body: Body) -> Response {
    let Ok(body) = to_bytes(body, crate::http::BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (status, body) = bus.answer(target, &body);
    let json = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, json, body.to_string()).into_response()
}
