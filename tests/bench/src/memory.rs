//! What a sweep and a reconciliation take of memory and of the processor, each in a process of its own.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};
use sim_ec2::Throttling;

use crate::child::Work;
use crate::clocks::block_on;
use crate::proc::machine;
use crate::say::{count, say, table};
use crate::seed;
use crate::serve::serve;
use crate::stage::{Delays, Metering, Setting, Stage};

/// How many snapshots there are, of one volume each.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    size: usize,
    /// How many each instance has.
    #[arg(long, default_value_t = 100)]
    of_each: usize,
}

/// Prints what each took.
pub(crate) fn main(options: &Options) {
    let Options { size, of_each } = *options;
    let stage = block_on(async {
        let (delays, environment) = (Delays::NONE, BTreeMap::new());
        let (throttling, metering) = (Throttling::Off, Metering::Off);
        let stage = Stage::set(Setting { delays, throttling, environment, metering }).await;
        // Rules of each kind, which keep all of them.
        let retention = json!({
            "keep_last": of_each, "keep_hourly": of_each, "keep_daily": 7, "keep_weekly": 5,
            "keep_monthly": 12, "keep_yearly": 3, "keep_within": "2d",
        });
        seed::snapshots(&stage, (size / of_each, 1), of_each, retention).await;
        stage
    });
    let ports = serve(&stage);
    let mut rows = Vec::new();
    // The first reconciliation stores what it finds, the second mends numbers, the next has nothing to do.
    let works = [Work::Sweeper, Work::Reconciler, Work::Reconciler, Work::Reconciler];
    let names = ["a sweep", "a first reconciliation", "the second", "the third, in sync"];
    for (work, name) in works.into_iter().zip(names) {
        ports.forget();
        let took = ports.child(work, "").remove(0);
        let asked = ports.asked();
        let mib = |name: &str| format!("{}", number(&took, name) / 1_024);
        let seconds = |name: &str| {
            let ms = number(&took, name);
            format!("{}.{}", ms / 1_000, ms % 1_000 / 100)
        };
        rows.push(vec![
            name.to_owned(),
            count(size as u64),
            mib("before_kib"),
            mib("peak_kib"),
            seconds("processor_ms"),
            seconds("wall_ms"),
            count(asked.requests()),
            count(asked.writes),
        ]);
    }
    say(machine());
    let head = [
        "what",
        "records",
        "MiB before",
        "MiB peak",
        "processor s",
        "wall s",
        "DynamoDB calls",
        "of these writes",
    ];
    say(table(&head, &rows));
}

fn number(took: &Value, name: &str) -> u64 {
    took[name].as_u64().unwrap()
}
