//! Numbers: right at every stage of a snapshot's life without a count of all, and mended by one.

use std::future::poll_fn;
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};
use local::function::Function;
use serde_json::{Value, json};
use shared::domain::instance::launch::LaunchSettings;
use shared::domain::snapshot::{Origin, Snapshot, Source};
use shared::operations::reconciliation;
use shared::operations::reconciliation::recount::RecountReport;
use shared::views;
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::tripwire::Trip;

const STATUSES: [&str; 9] = [
    "requested",
    "creating",
    "pending",
    "available",
    "error",
    "condemned",
    "deleting",
    "deleted",
    "missing",
];

async fn stats(app: &App) -> Value {
    app.get("/v1/snapshots/stats").await
}

async fn recount(app: &App) -> RecountReport {
    Box::pin(reconciliation::reconcile(app.service(), app.now())).await.unwrap().numbers
}

/// The numbers as the lists themselves give them, held against those that are kept.
async fn assert_right(app: &App) -> Value {
    let kept = stats(app).await;
    let records = app.list("/v1/snapshots?include_deleted=true").await;
    let stored: Vec<_> = records
        .iter()
        .filter(|one| !["deleted", "missing"].contains(&text(one, "status")))
        .filter(|one| one["size_gib"].as_i64().unwrap() > 0)
        .collect();
    let gib = |of: &dyn Fn(&Value) -> bool| -> i64 {
        stored.iter().filter(|one| of(one)).map(|one| one["size_gib"].as_i64().unwrap()).sum()
    };

    for status in STATUSES {
        let count = records.iter().filter(|one| one["status"] == status).count();
        assert_eq!(kept["by_status"][status], count, "{status} {kept:#}");
    }
    assert_eq!(kept["size"]["snapshots"], stored.len(), "{kept:#}");
    assert_eq!(kept["size"]["size_gib"], gib(&|_| true), "{kept:#}");
    assert_eq!(kept["growth"].as_array().unwrap().len(), 30);
    assert_eq!(kept["growth"][29]["size_gib"], kept["size"]["size_gib"]);
    for row in app.list("/v1/snapshots/stats/instances?limit=1").await {
        let of_it = gib(&|one: &Value| one["instance_id"] == row["instance_id"]);
        assert_eq!(row["size"]["size_gib"], of_it, "{row:#}");
    }
    for row in app.list("/v1/snapshots/stats/schedules").await {
        let of_it = gib(&|one: &Value| one["schedule_id"] == row["schedule_id"]);
        assert_eq!(row["size"]["size_gib"], of_it, "{row:#}");
    }
    kept
}

#[tokio::test]
async fn the_numbers_are_right_at_every_stage_without_a_count() {
    let app = App::start().await;
    assert_right(&app).await;
    let instance = app.instance("web", 2);
    let id = app.request_snapshot(&instance).await;
    assert_eq!(assert_right(&app).await["by_status"]["requested"], 1);
    app.settle_only(&[Function::Snapshotter]).await;
    assert_eq!(assert_right(&app).await["by_status"]["pending"], 1);
    app.pass_minutes(2).await;
    let available = assert_right(&app).await;
    app.take_snapshot(&instance).await;
    let two = assert_right(&app).await;

    let path = format!("/v1/snapshots/{id}?grace_minutes=5");
    app.call("DELETE", &path, Value::Null).await.expect(202);
    assert_eq!(assert_right(&app).await["by_status"]["condemned"], 1);
    let rescue = format!("/v1/snapshots/{id}/rescue");
    app.call("POST", &rescue, json!({})).await.expect(200);
    assert_eq!(assert_right(&app).await["by_status"]["available"], 2);
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;
    let deleted = assert_right(&app).await;

    assert_eq!(available["size"]["size_gib"], 16);
    assert_eq!(available["size"]["measured_size_gib"], 16);
    assert_eq!(two["size"]["snapshots"], 2);
    assert_eq!(two["by_origin"], json!({"manual": 2, "schedule": 0, "adopted": 0, "copy": 0}));
    assert_eq!(deleted["by_status"]["deleted"], 1);
    assert_eq!(deleted["growth"][29]["gone"], 1);
    // Nothing of this came from a count.
    assert_eq!(deleted["recounted_at"], Value::Null);
    assert_eq!(recount(&app).await, RecountReport { records: 1, corrected: 0, failed: 0 });
}

#[tokio::test]
async fn runs_sweeps_and_losses_keep_the_numbers_right() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 2)];
    let names: Vec<_> = instances.iter().map(String::as_str).collect();
    app.schedule("rate(10 minutes)", &names, json!({"keep_last": 2})).await;
    let vanishing = app.take_snapshot(&app.instance("old", 1)).await;
    let vanishing = app.get(&format!("/v1/snapshots/{vanishing}")).await;
    // Over sweeps, their grace and the deletions, with counts in between.
    app.pass_minutes(100).await;
    app.ec2.remove_snapshot(text(&vanishing["volumes"][0], "ebs_snapshot_id"));
    app.pass_minutes(125).await;

    let kept = assert_right(&app).await;

    assert_eq!(kept["by_status"]["missing"], 1);
    assert!(kept["by_status"]["deleted"].as_i64().unwrap() > 5, "{kept:#}");
    assert_ne!(kept["recounted_at"], Value::Null);
    assert_eq!(kept["by_region"].as_array().unwrap().len(), 1);
    assert_eq!(recount(&app).await.corrected, 0);
}

fn wanted(instance: &str, now: Timestamp) -> Snapshot {
    let source = Source {
        instance_id: instance.parse().unwrap(),
        instance_name: None,
        instance_type: None,
        architecture: None,
        platform: None,
        region: "us-east-1".to_owned(),
        zone: None,
        tags: [].into(),
        launch: LaunchSettings::default(),
        machine: None,
    };
    let id = shared::domain::ids::SnapshotId::derived(now, &[instance]);
    Snapshot::requested(id, Origin::Manual, source, None, now)
}

#[tokio::test]
async fn what_dies_before_its_numbers_is_counted_within_the_hour() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = wanted(&instance, app.now());

    let work = app.fragile.table.insert_snapshot(&snapshot);
    let alive = app.wire.run(Trip::After(1), work).await.is_some();
    let lacking = stats(&app).await;
    reconciler::handle(app.service(), &app.function_clock(), Value::Null).await.unwrap();
    let mended = assert_right(&app).await;
    let again = recount(&app).await;

    assert!(!alive);
    assert_eq!(lacking["by_status"]["requested"], 0);
    assert_eq!(mended["by_status"]["requested"], 1);
    assert_eq!(mended["recounted_at"], json!(app.now()));
    assert_eq!(again.corrected, 0);
}

#[tokio::test]
async fn the_hour_reads_each_record_once_and_counts_it_though_no_region_answers() {
    let app = App::start().await;
    for _ in 0..30 {
        app.request_snapshot(&app.instance("web", 1)).await;
    }
    app.pass_minutes(8).await;
    let batches = || app.wire.calls("DynamoDB_20120810.BatchGetItem");

    let report = Box::pin(reconciliation::reconcile(&app.fragile, app.now())).await.unwrap();
    let read = batches();
    app.ec2.fault(Fault::on("DescribeSnapshots").times(99).error("AuthFailure", 401));
    app.clock.advance(SignedDuration::from_mins(1));
    let failed = Box::pin(reconciliation::reconcile(app.service(), app.now())).await;

    assert_eq!(report.numbers, RecountReport { records: 30, corrected: 0, failed: 0 });
    // All thirty at once.
    assert_eq!(read, 1);
    assert!(failed.is_err());
    assert_eq!(assert_right(&app).await["recounted_at"], json!(app.now()));
}

#[tokio::test]
async fn what_is_written_between_any_two_calls_of_the_hour_is_no_difference() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.take_snapshot(&instance).await;
    let mut written = 0;
    for waits in 0.. {
        let now = app.now();
        let mut hour = Box::pin(reconciliation::reconcile(app.service(), now));
        let mut ended = None;
        for _ in 0..waits {
            let polled = poll_fn(|context| Poll::Ready(hour.as_mut().poll(context))).await;
            if let Poll::Ready(report) = polled {
                ended = Some(report);
                break;
            }
        }
        if let Some(report) = ended {
            assert_eq!(report.unwrap().numbers.corrected, 0);
            break;
        }
        let at = now + SignedDuration::from_millis(waits);
        let new = wanted(&instance, at);
        assert!(app.service().table.insert_snapshot(&new).await.unwrap().is_done());
        written += 1;

        let report = hour.await.unwrap();

        assert_eq!(report.numbers.corrected, 0, "after {waits} waits");
    }

    assert!(written > 20, "{written}");
    assert_eq!(assert_right(&app).await["by_status"]["requested"], written);
    assert_eq!(recount(&app).await.corrected, 0);
}

#[tokio::test]
async fn stored_sizes_that_were_lost_are_found_and_belong_to_that_day() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    app.take_snapshot(&instance).await;
    app.take_snapshot(&instance).await;
    // A table of before there were numbers.
    for kind in ["REGION", "INSTANCE", "SCHEDULE", "DAY"] {
        app.forget_partition(&format!("STATISTICS#{kind}")).await;
    }

    assert_eq!(stats(&app).await["size"]["size_gib"], 0);
    let first = recount(&app).await;
    let mended = assert_right(&app).await;

    assert_eq!(first.corrected, 3, "{first:?}");
    let today = &mended["growth"][29];
    assert_eq!(today["added_gib"], mended["size"]["size_gib"]);
    assert_eq!(today["added"], mended["size"]["snapshots"]);
    assert_eq!(recount(&app).await.corrected, 0);
}

#[tokio::test]
async fn growth_is_told_day_by_day() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let first = app.take_snapshot(&instance).await;
    app.take_snapshot(&instance).await;
    app.clock.advance(SignedDuration::from_hours(24));
    app.pass_minutes(2).await;
    app.take_snapshot(&instance).await;
    app.call("DELETE", &format!("/v1/snapshots/{first}"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;

    let growth = assert_right(&app).await["growth"].clone();

    let day = |at: usize| growth[at].clone();
    assert_eq!(
        day(29),
        json!({"date": "2026-03-03", "added": 1, "gone": 1, "added_gib": 8, "gone_gib": 8, "size_gib": 16})
    );
    assert_eq!(
        day(28),
        json!({"date": "2026-03-02", "added": 2, "gone": 0, "added_gib": 16, "gone_gib": 0, "size_gib": 16})
    );
    assert_eq!(day(27)["size_gib"], 0);
    assert_eq!(day(0)["date"], "2026-02-02");
}

#[tokio::test]
async fn a_month_costs_what_was_stored_as_long_as_it_was() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let newest = app.take_snapshot(&instance).await;
    app.pass_minutes(1).await;
    let begun: Timestamp =
        text(&app.get(&format!("/v1/snapshots/{id}")).await, "created_at").parse().unwrap();
    app.clock.advance(SignedDuration::from_hours(50));
    app.pass_minutes(2).await;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;
    let gone = app.get(&format!("/v1/snapshots/{id}")).await;
    let gone: Timestamp = text(&gone, "deleted_at").parse().unwrap();
    let other: Timestamp =
        text(&app.get(&format!("/v1/snapshots/{newest}")).await, "created_at").parse().unwrap();
    app.clock.set("2026-04-03T00:00:00Z".parse().unwrap());

    let bill = app.get("/v1/billing?group_by=month").await;
    let second = app.get("/v1/billing?group_by=month&limit=1").await;
    let cursor = text(&second, "next_cursor");
    let last = app.get(&format!("/v1/billing?group_by=month&limit=1&cursor={cursor}")).await;

    let seconds_of_march = 31.0 * 86_400.0;
    let end: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
    let stored = gone.duration_since(begun).as_secs_f64() + end.duration_since(other).as_secs_f64();
    let expected = 8.0 * stored / seconds_of_march;
    let march = &bill["items"][1];
    assert_eq!(march["month"], "2026-03");
    let gib = march["size"]["gib"].as_f64().unwrap();
    assert!((gib - expected).abs() < 1e-3, "{gib} {expected}");
    let cost = march["size"]["cost"].as_f64().unwrap();
    assert!((cost - expected * 0.05).abs() < 1e-4, "{cost}");
    assert_eq!(march["snapshots"], 2);
    // Two days of April so far.
    let april = bill["items"][0]["size"]["gib"].as_f64().unwrap();
    assert!((april - 8.0 * 2.0 / 30.0).abs() < 1e-3, "{april}");
    assert_eq!(bill["items"].as_array().unwrap().len(), 2);
    assert_eq!(last["items"], json!([march]));
    assert_eq!(last["next_cursor"], Value::Null);
}

/// How often the table was read over the wire that counts.
fn reads(app: &App) -> usize {
    let calls = |name: &str| app.wire.calls(&format!("DynamoDB_20120810.{name}"));
    ["Query", "BatchGetItem", "GetItem", "Scan"].into_iter().map(calls).sum()
}

#[tokio::test]
async fn an_answer_costs_the_same_with_more_records() {
    let app = App::start().await;
    let mut costs = Vec::new();
    for _ in 0..2 {
        let before = reads(&app);
        views::statistics::show(&app.fragile, app.now()).await.unwrap();
        costs.push(reads(&app) - before);
        for _ in 0..30 {
            let instance = app.instance("web", 1);
            app.request_snapshot(&instance).await;
        }
        app.pass_minutes(8).await;
    }

    assert_eq!(stats(&app).await["by_status"]["available"], 60);
    // The second found 30 snapshots: two more reads for the newest and the oldest.
    assert!(costs[1] <= costs[0] + 2, "{costs:?}");
}
