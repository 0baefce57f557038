//! Ports on loopback, and the API behind one of them.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    StartError,
    guard::guarded,
    http::{BODY_MAX, Caller, Refusal},
    world::World,
};

/// How far the run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Running,
    /// No new requests and calls; those under way are finished.
    Draining,
    /// Nobody needs EC2 and DynamoDB any more.
    Closing,
}

/// A port that is ours from now on.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Port {
    /// Takes the port; `flag` is the option that chooses another.
    pub(crate) async fn take(port: u16, flag: &'static str) -> Result<Self, StartError> {
        let failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                StartError::PortTaken { port, flag }
            } else {
                StartError::failed(format!("port {port} ({flag} chooses another)"), error)
            }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Waits until the run has come to `stage`, or whoever says so is gone.
pub(crate) async fn reached(mut stages: watch::Receiver<Stage>, stage: Stage) {
    // An error means that the sender is gone, which is the end as well.
    drop(stages.wait_for(|now| *now >= stage).await);
}

/// Serves `router` until the run has come to `stage`, to those who may speak to a port of ours.
pub(crate) async fn serve(
    port: Port,
    router: Router,
    stages: watch::Receiver<Stage>,
    stage: Stage,
) {
    let router = guarded(router, port.address.port());
    let served = axum::serve(port.listener, router).with_graceful_shutdown(reached(stages, stage));
    if let Err(error) = served.await {
        tracing::error!("Port {} is no longer served: {error}", port.address.port());
    }
}

/// The HTTP API: every path is asked of the world.
pub(crate) fn api(world: Arc<World>, caller: Caller) -> Router {
    Router::new().fallback(answer).with_state((world, caller))
}

async fn answer(State((world, caller)): State<(Arc<World>, Caller)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match to_bytes(body, BODY_MAX).await {
        Ok(body) => world.request(http::Request::from_parts(parts, body), caller).await,
        Err(_) => Refusal::TooLarge.response(),
    };
    answer.map(Body::from)
}
