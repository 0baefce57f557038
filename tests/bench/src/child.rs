//! A function in a process of its own, over ports of whoever began it.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::Request;
use jiff::Timestamp;
use local::connections;
use local::dispatch::Identity;
use local::function::Function;
use local::http::{Caller, Gateway};
use local::options::Role;
use local::world::{BUS, TABLE};
use serde_json::{Value, json};
use shared::Service;
use shared::clock::Clock;
use shared::service::Connections;
use shared::settings::Settings;

use crate::proc::{kib, processor_time};
use crate::say::say;
use crate::stage::{REGION, TEMPLATE};

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// One hourly sweep.
    Sweeper,
    /// One reconciliation.
    Reconciler,
    /// Requests, a line of the input each.
    Api,
}

/// What a child does, and with what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    work: Work,
    #[arg(long)]
    ec2: String,
    #[arg(long)]
    dynamodb: String,
    #[arg(long)]
    now: Timestamp,
}

/// Does it, and prints what it took, as JSON.
pub(crate) async fn main(options: &Options) {
    let Options { work, ec2, dynamodb, now } = options;
    let base = connections::local(REGION);
    let settings = Settings::from_lookup(|name| {
        let text = match name {
            "AWS_REGION" => REGION.to_owned(),
            "SNAPKEEP_TABLE" => TABLE.to_owned(),
            "SNAPKEEP_BUS" => BUS.to_owned(),
            "SNAPKEEP_INSTALLATION" => format!("local.{TABLE}.{REGION}"),
            _ => return None,
        };
        Some(text)
    });
    let connections = Connections {
        ec2: connections::at(base.clone(), ec2),
        dynamodb: connections::at(base.clone(), dynamodb),
        eventbridge: connections::at(base, ec2),
    };
    let service = Service::new(settings.unwrap(), &connections);
    let clock = Clock::fixed(*now);
    match work {
        Work::Sweeper => once(&service, &clock, Function::Sweeper).await,
        Work::Reconciler => once(&service, &clock, Function::Reconciler).await,
        Work::Api => requests(service, &clock).await,
    }
}

/// The event of the hourly rule.
fn hourly(now: Timestamp) -> Value {
    json!({
        "version": "0", "id": "00000000-0000-4000-8000-000000000001", "account": "123456789012",
        "source": "aws.events", "detail-type": "Scheduled Event", "region": REGION,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "resources": [], "detail": {},
    })
}

async fn once(service: &Service, clock: &Clock, function: Function) {
    // A connection to each, as after a start.
    service.table.installation().await.unwrap();
    let before = kib("VmRSS");
    let (begun, processor) = (Instant::now(), processor_time());
    let event = hourly(clock.now());
    let answer = if function == Function::Sweeper {
        Box::pin(sweeper::handle(service, clock, event)).await
    } else {
        Box::pin(reconciler::handle(service, clock, event)).await
    };
    let (wall, processor) = (begun.elapsed(), processor_time().saturating_sub(processor));
    answer.unwrap();
    let took = json!({
        "before_kib": before, "peak_kib": kib("VmHWM"), "wall_ms": wall.as_millis(),
        "processor_ms": processor.as_millis(),
    });
    say(took.to_string());
}

/// Answers each line of the input, `GET /v1/…` or `POST /v1/… {…}`, with what it took.
async fn requests(service: Service, clock: &Clock) {
    let identity = Identity { account: "123456789012".to_owned(), region: REGION.to_owned() };
    let claim = service.settings.role_claim.clone();
    let gateway = Gateway::new(TEMPLATE.routes.clone(), claim, identity);
    let router = api::router(service, clock.clone());
    let gateway = Arc::new(gateway);
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    for line in input.lines() {
        let took = answered(&router, &gateway, clock, line).await;
        say(took.to_string());
    }
}

async fn answered(router: &Router, gateway: &Gateway, clock: &Clock, line: &str) -> Value {
    let mut parts = line.splitn(3, ' ');
    let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
    let body = parts.next().unwrap_or_default();
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json");
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let caller = Caller::Person(Role::Admin);
    let (_, event) = gateway.event(&request, caller, clock.now()).unwrap();
    let event = event.to_string();
    let (begun, processor) = (Instant::now(), processor_time());
    let request = lambda_http::request::from_str(&event).unwrap();
    let answer = Box::pin(api::handle(router.clone(), request)).await;
    let (wall, processor) = (begun.elapsed(), processor_time().saturating_sub(processor));
    json!({
        "status": answer.status().as_u16(), "bytes": answer.body().len(),
        "wall_us": wall.as_micros(), "processor_us": processor.as_micros(),
        "peak_kib": kib("VmHWM"),
    })
}
