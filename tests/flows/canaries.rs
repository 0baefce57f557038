//! The log, at every level: nothing in it that a request brought in confidence, or that an instance's owner wrote.

use std::io;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::lambda::log_filter;
use sim_ec2::{Fault, InstanceSpec};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::app::App;

/// What each of them begins with; what follows says where it was put.
const CANARY: &str = "canary-7f3a";
const LEVELS: [LevelFilter; 5] = [
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

/// What is logged, in memory.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The log of the functions at this level, while the guard is held.
fn logging(level: LevelFilter) -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(log_filter(level))
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    (log, guard)
}

fn canary(place: &str) -> String {
    format!("{CANARY}-{place}")
}

/// Requests with a canary wherever one can be put, good ones and bad ones, and what follows from them.
async fn requests(app: &App) {
    let spec = InstanceSpec::named(&canary("instance-name")).tag("secret", &canary("instance-tag"));
    let instance = app.ec2.add_instance(spec);
    let bearer = format!("Bearer {}", canary("token"));
    let cookie = format!("session={}", canary("cookie"));
    let own = canary("header");
    let reason = canary("reason");
    let headers: [(&str, &str); 4] = [
        ("authorization", &bearer),
        ("cookie", &cookie),
        ("x-own", &own),
        ("x-snapkeep-reason", &reason),
    ];
    let good = json!({
        "instance_id": instance, "name": canary("name"), "description": canary("description"),
        "tags": { "note": canary("tag") },
    });
    let made = app.send("POST", "/v1/snapshots", good, &headers).await.expect(202);
    let path = format!("/v1/snapshots/{}", made["id"].as_str().unwrap());
    let edit = json!({ "description": canary("edit"), "hold": { "type": "never", "reason": canary("hold") } });
    app.send("PATCH", &path, edit, &headers).await;
    let schedule = json!({
        "name": canary("schedule"), "expression": "rate(1 hour)", "targets": { "instance_ids": [instance] },
        "retention": { "keep_last": 1 }, "extra_tags": { "note": canary("extra-tag") },
    });
    app.send("POST", "/v1/schedules", schedule, &headers).await;
    for bad in [
        json!({ "instance_id": canary("no-id") }),
        json!({ "instance_id": instance, "unknown": canary("field") }),
        json!(canary("no-object")),
    ] {
        app.send("POST", "/v1/snapshots", bad, &headers).await;
    }
    app.send("GET", &format!("/v1/snapshots?q={}", canary("query")), Value::Null, &headers).await;
    app.send("GET", &format!("/v1/snapshots/{}", canary("path")), Value::Null, &headers).await;
    // What goes wrong is told at greater length.
    app.ec2.fault(Fault::on("CreateSnapshots").internal_error());
    app.ec2.fault(Fault::on("DescribeSnapshots").times(3).internal_error());
    app.pass(SignedDuration::from_mins(65)).await;
    app.send("DELETE", &path, Value::Null, &headers).await;
    app.pass_minutes(5).await;
}

/// What the runtime and the SDK write below INFO, as their sources have it.
fn foreign_lines() {
    let event = canary("raw-event");
    tracing::trace!(target: "lambda_runtime::layers::api_response", "raw JSON event received from Lambda: {event}");
    tracing::trace!(target: "lambda_http::request", "{event}");
    tracing::debug!(target: "hyper::proto::h1::role", "{event}");
    tracing::trace!(target: "aws_smithy_runtime::client::http::body", "{event}");
    tracing::debug!(target: "aws_sigv4::http_request", "{event}");
}

#[tokio::test]
async fn no_level_of_the_log_tells_what_a_request_or_a_tag_says() {
    // Where there is but one subscriber, whether a line is wanted is asked of whichever thread comes to it first, and other
    // tests' threads have none.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    for level in LEVELS {
        let (log, guard) = logging(level);
        let app = App::start().await;
        requests(&app).await;
        foreign_lines();
        tracing::trace!(target: "shared::operations", "the lowest line of ours");
        drop(guard);

        let text = log.text();
        let told: Vec<_> = text.lines().filter(|line| line.contains(CANARY)).collect();
        assert_eq!(told, Vec::<&str>::new(), "{level}");
        // It is a log all the same, and the lowest level is in force.
        assert_eq!(
            text.contains("the lowest line of ours"),
            level == LevelFilter::TRACE,
            "{level}"
        );
        if level >= LevelFilter::INFO {
            assert!(text.contains("is answered with 202"), "{level}: {text}");
        }
    }
}
