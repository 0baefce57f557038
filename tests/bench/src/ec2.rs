//! The simulated EC2 at its default limits, on a port of loopback and on the machine's clock, for tools that others wrote.

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use clap::Args;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use sim_ec2::{Clock, Config, InstanceSpec, SeedVolume, SimEc2, Throttling};
use tokio::net::TcpListener;

use crate::say::say;
use crate::stage::REGION;

/// What there is, and how slow it is.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many instances, of one volume each.
    #[arg(long, default_value_t = 1_000)]
    size: usize,
    /// How many milliseconds each call takes.
    #[arg(long, default_value_t = 300)]
    ec2_ms: u64,
}

/// A simulated EC2 and how long each of its answers takes.
#[derive(Clone, Debug)]
struct Slow {
    ec2: SimEc2,
    delay: Duration,
}

/// Says where it is, and answers until it is ended: EC2's calls, `GET /counts`, `POST /forget`.
pub(crate) async fn main(options: &Options) {
    let config = Config { throttling: Throttling::Default, ..Config::default() };
    let ec2 = SimEc2::new(config, clock());
    for number in 0..options.size {
        let mut spec = InstanceSpec::named(&format!("web-{number}")).tag("Backup", "daily");
        spec.volumes = vec![SeedVolume::new("/dev/sda", 8).tag("Backup", "daily")];
        ec2.add_instance(spec);
    }
    let slow = Slow { ec2, delay: Duration::from_millis(options.ec2_ms) };
    let router = Router::new()
        .route("/counts", get(counts))
        .route("/forget", post(forget))
        .fallback(answer)
        .with_state(slow);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    say(format!("http://{}", listener.local_addr().unwrap()));
    axum::serve(listener, router).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "what waits here waits on the machine's clock")]
fn clock() -> Clock {
    Clock::from_fn(Timestamp::now)
}

async fn answer(State(Slow { ec2, delay }): State<Slow>, request: Request) -> Response {
    // Whether it is throttled is decided when it comes in; the rest is the way there and back.
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let answer = ec2.answer(REGION, &body);
    tokio::time::sleep(delay).await;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

async fn counts(State(Slow { ec2, .. }): State<Slow>) -> Response {
    let volumes: Vec<_> = ec2.snapshots().into_iter().map(|one| one.volume_id).collect();
    let counts =
        json!({ "calls": ec2.calls(), "throttled": ec2.throttled(), "snapshots_of": volumes });
    counts.to_string().into_response()
}

async fn forget(State(Slow { ec2, .. }): State<Slow>) {
    ec2.reset_calls();
}
