//! What requests of the API ask of DynamoDB, and what they cost the function, at several sizes of an instance.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};
use shared::table::{Presence, SnapshotList};
use sim_ec2::Throttling;

use crate::child::Work;
use crate::clocks::block_on;
use crate::proc::machine;
use crate::say::{count, say, table};
use crate::seed;
use crate::serve::{Ports, serve};
use crate::stage::{Delays, Metering, Setting, Stage};

/// How large an instance's history is.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many snapshots each instance has, several times.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000])]
    of_each: Vec<usize>,
    /// How many instances there are.
    #[arg(long, default_value_t = 2)]
    instances: usize,
    /// How often each request is made, after the first.
    #[arg(long, default_value_t = 10)]
    times: usize,
}

/// Prints what each takes.
pub(crate) fn main(options: &Options) {
    say(machine());
    for of_each in &options.of_each {
        let stage = block_on(stage(options.instances, *of_each));
        let lines = block_on(lines(&stage));
        let ports = serve(&stage);
        let rows: Vec<_> =
            lines.iter().map(|(name, line)| row(&ports, options, name, line)).collect();
        say(format!("\n{} snapshots of each of {} instances:\n", of_each, options.instances));
        let head = [
            "request",
            "status",
            "DynamoDB calls",
            "Query",
            "BatchGet",
            "Get",
            "writes",
            "entries",
            "records",
            "KiB read",
            "processor ms",
            "wall ms",
        ];
        say(table(&head, &rows));
    }
}

async fn stage(instances: usize, of_each: usize) -> Stage {
    let (delays, environment) = (Delays::NONE, BTreeMap::new());
    let (throttling, metering) = (Throttling::Off, Metering::Off);
    let stage = Stage::set(Setting { delays, throttling, environment, metering }).await;
    let retention = json!({ "keep_last": of_each, "keep_daily": 7, "keep_weekly": 5 });
    seed::snapshots(&stage, (instances, 1), of_each, retention).await;
    stage
}

/// The requests, each by a name.
async fn lines(stage: &Stage) -> Vec<(&'static str, String)> {
    let list = SnapshotList::All(Presence::Here);
    let all = stage.drive(stage.owner().table.every_snapshot(&list)).await.unwrap();
    let one = &all[all.len() / 2];
    let (id, instance) = (&one.id, &one.source.instance_id);
    let schedule = one.schedule_id().unwrap();
    let rules = json!({ "schedule_id": schedule, "rules": { "keep_last": 3 } });
    let edit = json!({ "retention": { "keep_last": 3 } });
    vec![
        ("a list of 50", "GET /v1/snapshots?limit=50".to_owned()),
        ("with fates", "GET /v1/snapshots?limit=50&include=fate".to_owned()),
        ("of an instance", format!("GET /v1/snapshots?limit=50&instance_id={instance}")),
        ("one snapshot", format!("GET /v1/snapshots/{id}")),
        ("preview of rules", format!("POST /v1/retention/preview {rules}")),
        ("preview of an edit", format!("PATCH /v1/schedules/{schedule}?preview=true {edit}")),
        ("overview", "GET /v1/overview".to_owned()),
        ("slots", "GET /v1/instances/slots".to_owned()),
        ("instances", "GET /v1/instances?limit=50".to_owned()),
    ]
}

fn row(ports: &Ports, options: &Options, name: &str, line: &str) -> Vec<String> {
    ports.forget();
    // Twice: what a first request alone asks for is left out.
    let twice = ports.child(Work::Api, &format!("{line}\n{line}\n"));
    let both = ports.asked();
    drop(ports.child(Work::Api, &format!("{line}\n")));
    let first = ports.asked();
    let took = ports.child(Work::Api, &format!("{line}\n").repeat(options.times + 1));
    let status = twice[1]["status"].to_string();
    let of = |both: u64, first: u64| count(both - first);
    vec![
        name.to_owned(),
        status,
        of(both.requests(), first.requests()),
        of(both.queries, first.queries),
        of(both.batches, first.batches),
        of(both.gets, first.gets),
        of(both.writes, first.writes),
        of(both.entries, first.entries),
        of(both.records, first.records),
        of(both.bytes / 1_024, first.bytes / 1_024),
        median(&took[1..], "processor_us"),
        median(&took[1..], "wall_us"),
    ]
}

fn median(took: &[Value], name: &str) -> String {
    let mut all: Vec<_> = took.iter().map(|one| one[name].as_u64().unwrap()).collect();
    all.sort_unstable();
    let micros = all[all.len() / 2];
    format!("{}.{}", micros / 1_000, micros % 1_000 / 100)
}
