//! What is counted while the system is at work: everything that an alarm or the dashboard looks at, by what really happens.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use local::function::Function;
use serde_json::{Value, json};
use shared::metrics::{Counted, Metric};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::restores::begun;
use crate::support::sweeps::{register_image, sweep, with_twenty};

const FUNCTIONS: [Function; 8] = [
    Function::Api,
    Function::Scheduler,
    Function::Snapshotter,
    Function::Tracker,
    Function::Sweeper,
    Function::Reaper,
    Function::Restorer,
    Function::Reconciler,
];

/// What each function has counted since this was last asked.
fn taken(app: &App) -> Vec<(Function, Counted)> {
    FUNCTIONS.map(|function| (function, app.world.service(function).unwrap().metrics.take())).into()
}

fn sum(app: &App, metric: Metric) -> f64 {
    taken(app).iter().filter_map(|(_, counted)| counted.of(metric)).sum()
}

/// A count, which is a whole number.
#[expect(clippy::cast_possible_truncation, reason = "small counts")]
fn whole(count: f64) -> i64 {
    count.round() as i64
}

#[tokio::test]
async fn a_snapshot_is_counted_once_however_often_it_is_delivered() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    app.request_snapshot(&instance).await;

    app.pass_doubled(SignedDuration::from_mins(3)).await;

    let counted = taken(&app);
    let of = |metric| whole(counted.iter().filter_map(|(_, one)| one.of(metric)).sum());
    assert_eq!(of(Metric::SnapshotsRequested), 1);
    assert_eq!(of(Metric::SnapshotsCompleted), 1);
    assert_eq!(of(Metric::SnapshotsFailed), 0);
}

#[tokio::test]
async fn how_late_a_scheduled_snapshot_is_counts_from_its_slot() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(1 hour)", &[&instance], json!({ "keep_last": 3 })).await;
    app.pass_minutes(58).await;
    // The tick stands still for ten minutes, and comes back.
    app.clock.advance(SignedDuration::from_mins(12));
    app.pass_minutes(2).await;

    let late = taken(&app).iter().find_map(|(_, one)| one.of(Metric::LatenessSeconds)).unwrap();
    assert!((540.0..=800.0).contains(&late), "{late}");
}

#[tokio::test]
async fn a_call_that_ec2_throttles_counts_as_one() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.fault(Fault::on("CreateSnapshots").error("RequestLimitExceeded", 503));
    app.request_snapshot(&instance).await;
    app.pass_minutes(1).await;

    let counted = taken(&app);
    let (_, snapshotter) =
        counted.iter().find(|(function, _)| *function == Function::Snapshotter).unwrap();
    assert_eq!(snapshotter.of(Metric::Ec2Throttled), Some(1.0));
    assert!(snapshotter.of(Metric::Ec2Calls).unwrap() > 1.0);
    let percent = snapshotter.of(Metric::ThrottlePercent).unwrap();
    assert!((1.0..=50.0).contains(&percent), "{percent}");
}

/// Slots that nobody ran, a set that fails, one that is gone, one that an image keeps, a restore that stops.
async fn misfortunes(app: &App) {
    let instance = app.instance("web", 2);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(45).await;
    app.clock.advance(SignedDuration::from_hours(2));
    app.pass_minutes(30).await;
    app.ec2.fault(Fault::on("CreateSnapshots").member_fails());
    app.pass_minutes(15).await;
    let snapshot = app.take_snapshot(&instance).await;
    app.ec2.deny("StopInstances");
    begun(app, &snapshot, json!({ "mode": "replace_volumes", "stop": true })).await;
    app.pass_minutes(5).await;
    let other = app.instance("db", 1);
    let (old, lost) = (app.take_snapshot(&other).await, app.take_snapshot(&other).await);
    app.take_snapshot(&other).await;
    let path = format!("/v1/snapshots/{old}?grace_minutes=60");
    app.call("DELETE", &path, Value::Null).await.expect(202);
    register_image(app, &old);
    let of = |id: &str| {
        let ours =
            |one: &sim_ec2::Snapshot| one.tags.get("snapkeep:id").is_some_and(|set| set == id);
        app.ec2.snapshots().into_iter().find(ours).unwrap().id
    };
    app.ec2.remove_snapshot(&of(&lost));
    // Ours by its tags, and in no record.
    let unknown = "snp_0195500c-6d00-7000-8000-0000000000aa";
    app.ec2.repeat_snapshot(
        ("us-east-1", &of(&old)),
        ("snap-00000000000000abc", SignedDuration::ZERO),
        &[("snapkeep:id", unknown)],
    );
    app.pass(SignedDuration::from_hours(3)).await;
}

#[tokio::test]
async fn everything_that_is_looked_at_is_counted_by_what_happens() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await.expect(200);
    app.pass_minutes(2).await;
    sweep(&app, "execute").await;
    app.ec2.fault(Fault::on("DescribeSnapshots").error("RequestLimitExceeded", 503));
    misfortunes(&app).await;

    let counted = taken(&app);
    let names: BTreeSet<_> = Metric::ALL
        .iter()
        .filter(|metric| counted.iter().any(|(_, one)| one.of(**metric).is_some_and(|n| n > 0.0)))
        .map(|metric| metric.name())
        .collect();

    let all: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let missing: Vec<_> = all.difference(&names).collect();
    assert!(missing.is_empty(), "nothing has counted {missing:?}");
    assert_eq!(whole(sum(&app, Metric::SnapshotsRequested)), 0, "it was taken already");
}
