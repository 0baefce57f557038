//! What a month costs, beside the storage of the EBS snapshots: of measured units, calls and times, at dated prices.
//!
//! A day is played at two numbers of instances, once everything has its number of snapshots. What a day takes then
//! grows by the same with each further instance, so the two give the day of any number.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use jiff::SignedDuration;
use local::function::Function;
use serde_json::{Value, json};
use sim_ec2::Throttling;
use tracing_subscriber::filter::LevelFilter;

use crate::prices::{self, Amounts};
use crate::say::{hint, say, table};
use crate::seed;
use crate::stage::{Delays, Metering, Setting, Stage};

/// What of a month is reckoned.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The two numbers of instances whose day is played.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 10])]
    played: Vec<usize>,
}

/// The numbers of instances of the table.
const INSTANCES: [u64; 3] = [100, 1_000, 10_000];
/// How long each call of EC2 and of DynamoDB is taken to last.
const DELAYS: Delays =
    Delays { ec2: SignedDuration::from_millis(200), dynamodb: SignedDuration::from_millis(5) };
/// What a call of a function logs beside what is counted here: its last line, with its numbers.
const LAST_LINE_BYTES: f64 = 1_024.0;

static LOGGED: AtomicU64 = AtomicU64::new(0);

/// How often snapshots are taken, and how many are kept.
struct Cadence {
    name: &'static str,
    expression: &'static str,
    kept: usize,
    /// How long until each instance has so many, and each hour's work is what it will be.
    settles: SignedDuration,
}

/// Prints the table.
pub(crate) async fn main(options: &Options) {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(shared::lambda::log_filter(LevelFilter::INFO))
        .without_time()
        .with_writer(|| Counting)
        .init();
    let cadences = [
        Cadence {
            name: "hourly, 24 kept",
            expression: "cron(5 * * * ? *)",
            kept: 24,
            settles: SignedDuration::from_hours(28),
        },
        Cadence {
            name: "daily, 7 kept",
            expression: "cron(5 12 * * ? *)",
            kept: 7,
            settles: SignedDuration::from_hours(24 * 9),
        },
    ];
    for cadence in &cadences {
        let mut days = Vec::new();
        for instances in &options.played {
            hint(format!("{}: a day of {instances}", cadence.name));
            days.push(a_day(cadence, *instances).await);
        }
        let apart = f64::from(u32::try_from(options.played[1] - options.played[0]).unwrap());
        let few = f64::from(u32::try_from(options.played[0]).unwrap());
        let each = days[1].and(days[0], -1.0);
        let each = Amounts::default().and(each, 1.0 / apart);
        let none = days[0].and(each, -few);
        report(cadence, none, each);
    }
}

/// What a day takes with so many instances of two volumes.
async fn a_day(cadence: &Cadence, instances: usize) -> Amounts {
    let setting = Setting {
        delays: DELAYS,
        throttling: Throttling::Default,
        environment: BTreeMap::new(),
        metering: Metering::On,
    };
    let stage = Stage::set(setting).await;
    seed::instances(&stage, instances, 2);
    let retention = json!({ "keep_last": cadence.kept });
    seed::schedule(&stage, cadence.expression, retention).await;
    stage.pass_to(stage.now() + cadence.settles).await;
    stage.forget_counts();
    LOGGED.store(0, Ordering::Relaxed);
    let (announced, kept) = (announced(&stage), table_bytes(&stage));

    stage.pass_to(stage.now() + SignedDuration::from_hours(24)).await;

    assert_eq!(stage.failures(), 0);
    let (units, _) = stage.meter.take();
    let worked = stage.worked();
    let calls = |function: Function| worked.get(&function).map_or(0, |one| one.calls);
    let invocations: u64 = worked.values().map(|one| one.calls).sum();
    let gib_seconds = worked.iter().map(|(function, one)| {
        f64::from(prices::mebibytes(*function)) / 1_024.0 * one.time.as_secs_f64()
    });
    // Each event of ours to another function is one message, and so is each of EC2's.
    let asked = calls(Function::Snapshotter) + calls(Function::Reaper) + calls(Function::Restorer);
    let events = asked + (self::announced(&stage) - announced);
    Amounts {
        write_units: number(units.writes),
        read_units: number(units.half_reads) / 2.0,
        invocations: number(invocations),
        gib_seconds: gib_seconds.sum(),
        events: number(events),
        messages: number(asked + stage.events_of_ec2()),
        log_bytes: number(LOGGED.load(Ordering::Relaxed)) + LAST_LINE_BYTES * number(invocations),
        kept_bytes: table_bytes(&stage) - kept,
    }
}

fn announced(stage: &Stage) -> u64 {
    stage.world.bus().dispatch().announced().count() as u64
}

#[expect(clippy::cast_precision_loss, reason = "far below what a double holds")]
fn number(count: u64) -> f64 {
    count as f64
}

/// What the items of the table come to, each with the hundred bytes that DynamoDB adds; without indexes.
fn table_bytes(stage: &Stage) -> f64 {
    let mut request = json!({ "TableName": local::world::TABLE });
    let mut bytes = 0.0;
    loop {
        let text = request.to_string();
        let (_, page) = stage.database.answer("DynamoDB_20120810.Scan", text.as_bytes());
        let page: Value = serde_json::from_str(&page).unwrap();
        for item in page["Items"].as_array().unwrap() {
            bytes += number(u64::try_from(crate::meter::size(item)).unwrap()) + 100.0;
        }
        if page["LastEvaluatedKey"].is_null() {
            return bytes;
        }
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
}

fn report(cadence: &Cadence, none: Amounts, each: Amounts) {
    say(format!("\n{}: a day without instances, and what each adds\n", cadence.name));
    let row = |name: &str, of: fn(&Amounts) -> f64| {
        vec![name.to_owned(), format!("{:.1}", of(&none)), format!("{:.2}", of(&each))]
    };
    let rows = [
        row("write units", |day| day.write_units),
        row("read units", |day| day.read_units),
        row("calls of functions", |day| day.invocations),
        row("GB-seconds", |day| day.gib_seconds),
        row("events of ours", |day| day.events),
        row("messages", |day| day.messages),
        row("KiB logged", |day| day.log_bytes / 1_024.0),
        row("KiB kept as long as the audit", |day| day.kept_bytes / 1_024.0),
    ];
    say(table(&["", "without", "each"], &rows));
    let months: Vec<_> = INSTANCES
        .iter()
        .map(|count| none.and(each, number(*count)))
        .map(prices::Month::of)
        .collect();
    say(format!("\n{}: dollars a month\n", cadence.name));
    let mut head = vec!["a month".to_owned()];
    head.extend(INSTANCES.iter().map(|count| format!("{} instances", crate::say::count(*count))));
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    say(table(&head, &prices::rows(&months)));
}

/// Takes what is logged, and keeps its length.
struct Counting;

impl io::Write for Counting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        LOGGED.fetch_add(buf.len() as u64, Ordering::Relaxed);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
