//! Turns: snapshots of one instance are never begun within EC2's 15 seconds; what must wait is late, not failed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::snapshot::Status;
use shared::table::turns::Turn;
use sim_ec2::{Completion, Config, InstanceSpec, SeedVolume};

use crate::support::app::App;
use crate::support::events::requested;

/// When EC2 began the snapshots of each volume, in order.
fn starts(app: &App) -> BTreeMap<String, Vec<Timestamp>> {
    let mut starts: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for snapshot in app.ec2.snapshots() {
        starts.entry(snapshot.volume_id).or_default().push(snapshot.started_at);
    }
    for starts in starts.values_mut() {
        starts.sort();
    }
    starts
}

fn assert_apart(app: &App) {
    for (volume, starts) in starts(app) {
        for pair in starts.windows(2) {
            let gap = pair[1].duration_since(pair[0]);
            assert!(gap >= SignedDuration::from_secs(15), "{volume}: {gap}");
        }
    }
}

#[tokio::test]
async fn two_schedules_that_fall_due_together_each_take_their_own() {
    let app = App::start().await;
    let instances = [app.instance("web", 2), app.instance("db", 1), app.instance("mail", 1)];
    let names: Vec<_> = instances.iter().map(String::as_str).collect();
    app.schedule("cron(5 10 * * ? *)", &names, Value::Null).await;
    app.schedule("cron(0/5 10 * * ? *)", &names, Value::Null).await;

    app.pass_minutes(9).await;

    let available = app.list("/v1/snapshots?status=available").await;
    assert_eq!(available.len(), 6);
    // None was refused: each was asked for once.
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 6);
    assert_eq!(starts(&app).len(), 4);
    assert_apart(&app);
    assert!(available.iter().all(|one| one["failure"].is_null()));
}

#[tokio::test]
async fn the_limit_of_pending_snapshots_makes_them_late_and_fails_none() {
    let completion =
        Completion { base: SignedDuration::from_mins(100), per_gib: SignedDuration::ZERO };
    let app = App::with(Config { completion, ..Config::default() }).await;
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(app.request_snapshot(&instance).await);
    }

    app.pass_minutes(90).await;
    let mut waiting = 0;
    for id in &ids {
        let record = app.record(id).await;
        if record.status == Status::Requested {
            waiting += 1;
            assert_eq!(record.course.failure.unwrap().code, "ConcurrentSnapshotLimitExceeded");
        }
    }
    app.pass_minutes(150).await;

    assert_eq!(waiting, 2);
    for id in &ids {
        assert_eq!(app.status(id).await, "available");
    }
    assert_apart(&app);
    // Waiting so long is nothing that a person must look at.
    let dead = app.world.bus().dispatch().dead_letters().values().sum::<usize>();
    assert_eq!(dead, 0);
}

#[tokio::test]
async fn a_throughput_volume_has_one_pending_snapshot_and_the_second_follows() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("log");
    spec.volumes = vec![SeedVolume::new("/dev/sda", 3_000).volume_type("st1")];
    let instance = app.ec2.add_instance(spec);
    app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await;
    app.schedule("cron(0/5 10 * * ? *)", &[&instance], Value::Null).await;

    app.pass_minutes(24).await;

    let schedules: Vec<_> = app.list("/v1/schedules").await;
    for schedule in schedules {
        let id = schedule["id"].as_str().unwrap();
        let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
        let first = runs.last().unwrap();
        assert_eq!(first["counts"]["succeeded"], 1, "{first:#}");
    }
    assert_apart(&app);
}

#[tokio::test]
async fn whoever_dies_with_a_turn_delays_the_next_one_by_seconds() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.request_snapshot(&instance).await;
    let died_at = app.now();

    let taken = app.service().table.take_turn(&instance.parse().unwrap(), died_at).await.unwrap();
    app.settle().await;

    assert_eq!(taken, Turn::Ours);
    let started_at = app.record(&id).await.started_at.unwrap();
    let wait = started_at.duration_since(died_at).as_secs();
    assert!((15..30).contains(&wait), "{wait}");
}

#[tokio::test]
async fn what_cannot_wait_for_its_turn_is_put_off_until_then() {
    let app = App::start().await;
    let (busy, free) = (app.instance("web", 1), app.instance("db", 1));
    let (first, second) = (app.request_snapshot(&busy).await, app.request_snapshot(&free).await);
    let table = &app.service().table;
    assert_eq!(table.take_turn(&busy.parse().unwrap(), app.now()).await.unwrap(), Turn::Ours);
    let mut batch = requested(&first, &busy);
    let other = requested(&second, &free)["Records"][0].clone();
    batch["Records"].as_array_mut().unwrap().push(other);

    // Ten seconds are left.
    let end = app.now() + SignedDuration::from_secs(10);
    let clock = app.function_clock().until(end);
    let answer = snapshotter::handle(app.service(), &clock, batch).await.unwrap();
    let postponed = app.record(&first).await;
    let created = app.status(&second).await;
    app.pass_minutes(5).await;

    assert_eq!(answer, serde_json::json!({ "batchItemFailures": [] }));
    assert_eq!(postponed.status, Status::Requested);
    let wait = postponed.course.attention_at.unwrap().duration_since(postponed.course.touched_at);
    assert!(wait > SignedDuration::ZERO && wait <= SignedDuration::from_secs(16), "{wait}");
    assert_eq!(created, "pending");
    assert_eq!(app.status(&first).await, "available");
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 2);
}

#[tokio::test]
async fn a_turn_is_over_after_sixteen_seconds_and_one_from_the_future_does_not_count() {
    let app = App::start().await;
    let instance = app.instance("web", 1).parse().unwrap();
    let table = &app.service().table;
    let now = app.now();
    let turn = async |seconds: i64| {
        let at = now + SignedDuration::from_secs(seconds);
        table.take_turn(&instance, at).await.unwrap()
    };

    assert_eq!(turn(0).await, Turn::Ours);
    assert_eq!(turn(0).await, Turn::FreeAt(now + SignedDuration::from_secs(16)));
    assert_eq!(turn(15).await, Turn::FreeAt(now + SignedDuration::from_secs(16)));
    assert_eq!(turn(16).await, Turn::Ours);
    assert_eq!(turn(1_000_000).await, Turn::Ours);
    assert_eq!(turn(40).await, Turn::Ours);
}
