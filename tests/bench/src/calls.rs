//! The calls of EC2, by action, as the simulation counts them at EC2's default limits, and how long it all takes.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use serde_json::json;
use shared::operations::reconciliation::reconcile;
use sim_ec2::Throttling;

use crate::say::{count, say, table};
use crate::seed;
use crate::stage::{Delays, Metering, Setting, Stage};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Task {
    /// One slot of a schedule over all instances, of two volumes each.
    Schedule,
    /// A sweep that condemns one in ten, and their deletions.
    Sweep,
    /// A reconciliation that finds nothing to do.
    Reconciliation,
}

/// What of the calls is counted.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which task.
    task: Task,
    /// How many: instances of a schedule, else EBS snapshots.
    #[arg(long, default_value_t = 1_000)]
    size: usize,
    /// How many milliseconds each call of EC2 takes.
    #[arg(long, default_value_t = 0)]
    ec2_ms: i64,
    /// And each of DynamoDB.
    #[arg(long, default_value_t = 0)]
    dynamodb_ms: i64,
}

/// EC2 gives so many calls that change something at once, and so many a second.
const BUCKET: usize = 100;
const PER_SECOND: usize = 5;
/// How many sets an instance has of which a sweep condemns one in ten, and how long they can be rescued.
const KEPT: usize = 100;
const GRACE_MINUTES: i64 = 5;
/// How many sets an instance has, where there are to be many.
const SETS: usize = 50;

/// Prints what was called.
pub(crate) async fn main(options: &Options) {
    let size = options.size;
    match options.task {
        Task::Schedule => schedule(options, size).await,
        Task::Sweep => sweep(options, size).await,
        Task::Reconciliation => reconciliation(options, size).await,
    }
}

async fn stage(options: &Options) -> Stage {
    let delay = SignedDuration::from_millis;
    let delays = Delays { ec2: delay(options.ec2_ms), dynamodb: delay(options.dynamodb_ms) };
    // By default a sweep condemns a thousand at the most, and the next goes on; and so many at once are braked.
    let limits = [("SNAPKEEP_CONDEMN_MAX", "100000"), ("SNAPKEEP_BRAKE_DELETIONS", "1000000")];
    let environment = limits.map(|(name, limit)| (name.to_owned(), limit.to_owned())).into();
    let throttling = Throttling::Default;
    Stage::set(Setting { delays, throttling, environment, metering: Metering::Off }).await
}

async fn schedule(options: &Options, instances: usize) {
    let stage = stage(options).await;
    seed::instances(&stage, instances, 2);
    seed::schedule(&stage, seed::DAILY, json!(null)).await;
    let began = seed::first_slot();
    stage.pass_to(began - SignedDuration::from_secs(1)).await;
    stage.forget_counts();
    let is_taken = || stage.ec2.snapshots().len() >= instances * 2;
    assert!(stage.pass_until(began + SignedDuration::from_hours(12), is_taken).await);
    let snapshots = stage.ec2.snapshots();
    let last = snapshots.iter().map(|one| one.started_at).max().unwrap();
    // What is completed is told, asked about and recorded.
    stage.pass_to(stage.now() + SignedDuration::from_mins(5)).await;
    assert_eq!(stage.ec2.snapshots().len(), instances * 2, "none is taken twice");
    report(&stage, instances + instances.div_ceil(1_000) + (instances * 2).div_ceil(1_000));
    say_time("to the last creation", last.duration_since(began), instances);
}

async fn sweep(options: &Options, size: usize) {
    let stage = stage(options).await;
    seed::snapshots(&stage, (size / KEPT, 1), KEPT, json!({ "keep_last": KEPT })).await;
    let (_, schedules) = stage.ask("GET", "/v1/schedules", &json!(null)).await;
    let path = format!("/v1/schedules/{}", schedules["items"][0]["id"].as_str().unwrap());
    let gone = size / 10;
    let rules =
        json!({ "retention": { "keep_last": KEPT - KEPT / 10 }, "grace_minutes": GRACE_MINUTES });
    let (status, edited) = stage.ask("PATCH", &path, &rules).await;
    assert_eq!(status, 200, "{edited:#}");
    stage.forget_counts();
    let began = stage.now();
    let (status, asked) = stage.ask("POST", "/v1/sweeps", &json!({ "mode": "execute" })).await;
    assert_eq!(status, 202, "{asked:#}");
    let is_done = || stage.ec2.snapshots().len() <= size - gone;
    assert!(stage.pass_until(began + SignedDuration::from_hours(18), is_done).await);
    assert_eq!(stage.ec2.snapshots().len(), size - gone, "none goes that should stay");
    // Whether all are gone is looked at once a minute.
    let took = stage.now().duration_since(began) - SignedDuration::from_mins(GRACE_MINUTES);
    report(&stage, gone + size.div_ceil(1_000) + gone.div_ceil(50));
    say_time("from the end of the grace to the last deletion", took, gone);
}

async fn reconciliation(options: &Options, size: usize) {
    let stage = stage(options).await;
    let instances = size / 2 / SETS;
    seed::snapshots(&stage, (instances, 2), SETS, json!({ "keep_last": SETS })).await;
    // The first after so much has come stores it, the second mends numbers; the next finds nothing to do.
    for _ in 0..2 {
        drop(stage.drive(Box::pin(reconcile(stage.owner(), stage.now()))).await.unwrap());
        // Without ticks: what is measured is this alone, after EC2's buckets are full again.
        stage.hands.set(stage.now() + SignedDuration::from_mins(2));
    }
    stage.forget_counts();
    let begins = stage.now();
    let found = stage.drive(Box::pin(reconcile(stage.owner(), begins))).await.unwrap();
    assert_eq!(found.ebs_snapshots, size);
    assert!(found.repaired.is_empty() && found.refreshed.is_empty());
    report(&stage, size.div_ceil(1_000));
    say(format!("in {}", seconds(stage.now().duration_since(begins))));
}

/// What was called, beside the fewest calls with which it can be done.
fn report(stage: &Stage, minimum: usize) {
    let calls = stage.ec2.calls();
    let throttled = stage.ec2.throttled();
    let of = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
    let mut rows: Vec<_> = calls
        .iter()
        .map(|(name, number)| vec![name.clone(), count(*number), count(of(&throttled, name))])
        .collect();
    let total: u64 = calls.values().sum();
    let refused: u64 = throttled.values().sum();
    rows.push(vec!["together".to_owned(), count(total), count(refused)]);
    say(table(&["EC2", "calls", "throttled"], &rows));
    let over = percent(total, minimum as u64);
    say(format!("{} calls at the least: {over} more", count(minimum as u64)));
    let rows: Vec<_> = stage
        .dynamodb_calls
        .lock()
        .unwrap()
        .iter()
        .map(|(name, number)| vec![name.clone(), count(*number)])
        .collect();
    say(table(&["DynamoDB", "calls"], &rows));
    let rows: Vec<_> = stage
        .worked()
        .iter()
        .map(|(function, worked)| {
            vec![function.to_string(), count(worked.calls), seconds(worked.time)]
        })
        .collect();
    say(table(&["function", "calls", "time"], &rows));
    say(format!("{} calls of functions have failed", stage.failures()));
    let dead = stage.world.bus().dispatch().dead_letters().values().sum::<usize>();
    assert_eq!(dead, 0, "none is given up");
}

fn say_time(what: &str, took: SignedDuration, changes: usize) {
    let least = changes.saturating_sub(BUCKET).div_ceil(PER_SECOND);
    let took = took.as_secs().unsigned_abs();
    say(format!(
        "{what} {took} s; EC2 allows {least} s: {} more",
        percent(took, least.try_into().unwrap())
    ));
}

fn seconds(time: SignedDuration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn percent(number: u64, least: u64) -> String {
    format!("{:.1} %", (number as f64 / least.max(1) as f64 - 1.0) * 100.0)
}
