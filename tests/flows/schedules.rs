//! Schedules: due slots become runs and snapshots, once each, whatever happens to the ticks.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::cursor::PageRequest;
use shared::domain::schedule::Settings;
use shared::operations::schedules;
use sim_ec2::{Fault, InstanceSpec};

use crate::support::app::App;
use crate::support::events::tick;
use crate::support::reply::text;
use crate::support::sweeps::sweep;
use crate::support::tripwire::at_every_call;

#[tokio::test]
async fn a_schedule_keeps_the_newest_of_each_instance() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 2));
    app.schedule("rate(1 minute)", &[&web, &db], json!({ "keep_last": 3 })).await;

    app.pass_minutes(190).await;

    for instance in [&web, &db] {
        let path = format!("/v1/snapshots?instance_id={instance}&limit=200");
        let here = app.list(&format!("{path}&status=available")).await;
        let gone = app.list(&format!("{path}&status=deleted")).await;
        // Those since the last sweep, and the three that it left.
        assert!(here.len() >= 3 && here.len() <= 66, "{}", here.len());
        assert!(gone.len() >= 50, "{}", gone.len());
        assert!(app.list(&format!("{path}&status=error")).await.is_empty());
    }
}

#[tokio::test]
async fn a_schedule_does_not_fire_when_it_is_made_or_enabled_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 hour)", &[&instance], Value::Null).await;
    let path = format!("/v1/schedules/{id}");

    app.pass_minutes(5).await;
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(120).await;
    app.call("PATCH", &path, json!({ "enabled": true })).await.expect(200);
    app.pass_minutes(5).await;

    assert!(app.list("/v1/snapshots").await.is_empty());
}

#[tokio::test]
async fn two_ticks_at_once_take_one_snapshot() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await;
    let slot: Timestamp = "2026-03-02T10:05:00Z".parse().unwrap();
    app.clock.set(slot);
    let event = tick(slot);
    let clock = app.function_clock();

    let (one, other) = tokio::join!(
        scheduler::handle(app.service(), &clock, event.clone()),
        scheduler::handle(app.service(), &clock, event.clone()),
    );
    app.pass_minutes(10).await;

    assert!(one.is_ok() && other.is_ok());
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
    assert_eq!(app.list("/v1/snapshots").await.len(), 1);
}

#[tokio::test]
async fn after_an_outage_the_latest_slot_runs_and_the_missed_ones_are_told() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;

    // Nothing ticks for an hour and a bit.
    app.clock.set("2026-03-02T11:05:00Z".parse().unwrap());
    app.pass_minutes(3).await;

    let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
    assert_eq!(text(&runs[0], "slot"), "2026-03-02T11:00:30Z");
    assert_eq!(runs[0]["missed"], json!(5));
    let slots: Vec<_> =
        runs[1..].iter().map(|run| (text(run, "slot"), text(run, "status"))).collect();
    assert_eq!(
        slots,
        [
            ("2026-03-02T10:50:30Z", "missed"),
            ("2026-03-02T10:40:30Z", "missed"),
            ("2026-03-02T10:30:30Z", "missed"),
            ("2026-03-02T10:20:30Z", "missed"),
            ("2026-03-02T10:10:30Z", "missed"),
        ]
    );
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn one_targets_failure_does_not_stop_the_others_and_can_be_seen() {
    let app = App::start().await;
    let (good, bare) = (app.instance("web", 1), app.instance("bare", 0));
    let unknown = "i-0123456789abcdef0";
    let id = app.schedule("rate(10 minutes)", &[&bare, unknown, &good], Value::Null).await;

    app.pass_minutes(16).await;

    let run = &app.list(&format!("/v1/schedules/{id}/runs")).await[0];
    assert_eq!(text(run, "status"), "partly_failed");
    let errors = app.list("/v1/snapshots?status=error").await;
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error["failure"]["message"].is_string()));
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 1);
}

#[tokio::test]
async fn instances_are_chosen_by_tag_when_the_slot_is_due() {
    let app = App::start().await;
    app.ec2.add_instance(InstanceSpec::named("a").tag("Backup", "daily"));
    app.ec2.add_instance(InstanceSpec::named("b").tag("Backup", "weekly"));
    let body = json!({
        "name": "tagged", "expression": "rate(10 minutes)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    app.call("POST", "/v1/schedules", body).await.expect(201);
    app.ec2.add_instance(InstanceSpec::named("late").tag("Backup", "daily"));

    app.pass_minutes(15).await;

    let mut names: Vec<_> = app
        .list("/v1/snapshots")
        .await
        .iter()
        .map(|one| text(one, "instance_name").to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "late"]);
}

#[tokio::test]
async fn a_run_now_runs_now_and_the_same_key_runs_once() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 day)", &[&instance], Value::Null).await;
    let path = format!("/v1/schedules/{id}/runs");
    let key = [("idempotency-key", "now")];

    app.send("POST", &path, Value::Null, &key).await.expect(202);
    app.pass_minutes(1).await;
    app.send("POST", &path, Value::Null, &key).await.expect(202);
    app.pass_minutes(4).await;

    assert_eq!(app.list(&path).await.len(), 1);
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 1);
}

#[tokio::test]
async fn ec2_out_of_reach_delays_a_run_and_loses_none() {
    let app = App::start().await;
    let instance = app.ec2.add_instance(InstanceSpec::named("a").tag("Backup", "daily"));
    let body = json!({
        "name": "tagged", "expression": "rate(10 minutes)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    app.call("POST", "/v1/schedules", body).await.expect(201);
    // The SDK tries a call up to three times, or once if other tests have used up what all clients of a process have
    // for retries: two ticks fail, or five.
    app.ec2.fault(Fault::on("DescribeInstances").times(5).internal_error());

    app.pass_minutes(19).await;

    let snapshots = app.list("/v1/snapshots?status=available").await;
    assert_eq!(snapshots.len(), 1);
    assert_eq!(text(&snapshots[0], "instance_id"), instance);
}

#[tokio::test]
async fn after_an_outage_of_ec2_the_latest_slot_is_taken_and_the_older_ones_are_missed() {
    let app = App::start().await;
    for name in ["a", "b"] {
        app.ec2.add_instance(InstanceSpec::named(name).tag("Backup", "daily"));
    }
    let body = json!({
        "name": "tagged", "expression": "rate(5 minutes)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    let made = app.call("POST", "/v1/schedules", body).await.expect(201);
    app.ec2.fault(Fault::on("DescribeInstances").times(u64::MAX).internal_error());

    app.pass_minutes(72).await;
    let path = format!("/v1/schedules/{}/runs", text(&made, "id"));
    let during = app.list(&path).await;
    app.ec2.forget_faults();
    app.pass_minutes(2).await;
    let after = app.list(&path).await;

    assert_eq!((during.len(), after.len()), (14, 14));
    assert_eq!(text(&during[0], "status"), "dispatching");
    assert!(during[1..].iter().all(|run| text(run, "status") == "missed"), "{during:#?}");
    assert_eq!(text(&after[0], "slot"), "2026-03-02T11:10:30Z");
    assert_eq!(after[0]["counts"]["total"], json!(2));
    assert_eq!(after[1..], during[1..]);
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 2);
    // It tells when it was first taken up, not when it was last tried.
    assert_eq!(after[0]["started_at"], during[0]["started_at"]);
}

#[tokio::test]
async fn an_edit_of_when_it_fires_does_not_lose_a_slot_that_is_due() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await;

    app.clock.set("2026-03-02T10:05:10Z".parse().unwrap());
    let path = format!("/v1/schedules/{id}");
    app.call("PATCH", &path, json!({ "expression": "cron(0 2 * * ? *)" })).await.expect(200);
    app.pass_minutes(5).await;

    let runs = app.list(&format!("{path}/runs")).await;
    let slots: Vec<_> = runs.iter().map(|run| text(run, "slot")).collect();
    assert_eq!(slots, ["2026-03-02T10:05:00Z"]);
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 1);
    assert_eq!(text(&app.get(&path).await, "next_due_at"), "2026-03-03T02:00:00Z");
}

#[tokio::test]
async fn slots_that_are_due_when_a_schedule_is_disabled_are_missed() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 minute)", &[&instance], Value::Null).await;

    app.clock.set("2026-03-02T10:03:40Z".parse().unwrap());
    let path = format!("/v1/schedules/{id}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(5).await;

    let runs = app.list(&format!("{path}/runs")).await;
    let runs: Vec<_> = runs.iter().map(|run| (text(run, "slot"), text(run, "status"))).collect();
    assert_eq!(
        runs,
        [
            ("2026-03-02T10:03:30Z", "missed"),
            ("2026-03-02T10:02:30Z", "missed"),
            ("2026-03-02T10:01:30Z", "missed"),
        ]
    );
    assert!(app.list("/v1/snapshots").await.is_empty());
}

#[tokio::test]
async fn no_slot_is_lost_where_a_schedule_is_disabled_by_somebody_who_dies() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let id = app.schedule("rate(1 minute)", &[&instance], Value::Null).await;
        app.clock.set("2026-03-02T10:03:40Z".parse().unwrap());

        let disabled = |settings| Settings { enabled: false, ..settings };
        let schedule = id.parse().unwrap();
        let edit = schedules::edit::edit(&app.fragile, &schedule, disabled, None, app.now());
        let alive = app.wire.run(trip, Box::pin(edit)).await.is_some();
        // The tick that finds the slot due, if the schedule still fires.
        app.clock.set("2026-03-02T10:04:00Z".parse().unwrap());
        app.settle().await;

        let path = format!("/v1/schedules/{id}");
        let enabled = app.get(&path).await["enabled"] == json!(true);
        let runs = app.list(&format!("{path}/runs")).await;
        let slots: Vec<_> = runs.iter().map(|run| text(run, "slot")).collect();
        let all = ["2026-03-02T10:03:30Z", "2026-03-02T10:02:30Z", "2026-03-02T10:01:30Z"];
        assert_eq!(slots, all, "{trip:?}");
        assert_eq!(text(&runs[0], "status") == "missed", !enabled, "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn an_edit_does_not_move_a_slot_that_is_due() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await;

    // The slot is due, its tick has not come yet.
    app.clock.set("2026-03-02T10:05:10Z".parse().unwrap());
    let path = format!("/v1/schedules/{id}");
    app.call("PATCH", &path, json!({ "name": "renamed" })).await.expect(200);
    app.pass_minutes(5).await;

    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 1);
}

#[tokio::test]
async fn a_schedule_that_is_over_can_still_be_edited() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("at(2026-03-02T10:05:00)", &[&instance], Value::Null).await;
    app.pass_minutes(10).await;

    let path = format!("/v1/schedules/{id}");
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 1 } })).await.expect(200);
    app.call("PATCH", &path, json!({ "enabled": false, "name": "over" })).await.expect(200);
    app.call("PATCH", &path, json!({ "name": "long over" })).await.expect(200);
    let again = app.call("PATCH", &path, json!({ "enabled": true })).await.expect(400);
    assert_eq!(text(&again, "field"), "expression");
}

#[tokio::test]
async fn a_slot_of_days_ago_is_still_taken_when_ticks_come_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("cron(0 12 ? * MON *)", &[&instance], Value::Null).await;

    app.clock.set("2026-03-05T10:00:00Z".parse().unwrap());
    app.pass_minutes(5).await;

    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 1);
}

#[tokio::test]
async fn a_repeated_request_does_not_make_a_deleted_schedule_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let key = [("idempotency-key", "deploy")];
    let body = json!({
        "name": "x", "expression": "rate(1 minute)", "targets": { "instance_ids": [instance] },
        "retention": { "keep_last": 1 },
    });
    let made = app.send("POST", "/v1/schedules", body.clone(), &key).await.expect(201);
    app.pass_minutes(5).await;
    let path = format!("/v1/schedules/{}", text(&made, "id"));
    app.call("DELETE", &path, Value::Null).await.expect(204);

    app.send("POST", "/v1/schedules", body, &key).await.expect(409);
}

#[tokio::test]
async fn a_run_that_can_never_begin_fails_and_the_schedule_goes_on() {
    let app = App::start().await;
    app.ec2.add_instance(InstanceSpec::named("a").tag("Backup", "daily"));
    let body = json!({
        "name": "tagged", "expression": "rate(10 minutes)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    let made = app.call("POST", "/v1/schedules", body).await.expect(201);
    app.ec2.fault(Fault::on("DescribeInstances").times(1).error("UnauthorizedOperation", 403));

    app.pass_minutes(25).await;

    let runs = app.list(&format!("/v1/schedules/{}/runs", text(&made, "id"))).await;
    let statuses: Vec<_> = runs.iter().map(|run| text(run, "status")).collect();
    assert_eq!(statuses, ["done", "failed"]);
    assert!(runs[1]["failure"]["message"].as_str().unwrap().contains("DescribeInstances"));
}

#[tokio::test]
async fn what_never_fires_is_refused() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = |expression: &str| {
        json!({
            "name": "x", "expression": expression, "targets": { "instance_ids": [instance] },
        })
    };

    let never = app.call("POST", "/v1/schedules", body("cron(0 0 30 2 ? *)")).await.expect(400);
    let mut over = body("rate(1 day)");
    over["end_at"] = json!("2020-01-01T00:00:00Z");
    let over = app.call("POST", "/v1/schedules", over).await.expect(400);
    let wrong = app.call("POST", "/v1/schedules", body("every day")).await.expect(400);

    assert_eq!(text(&over, "field"), "end_at");
    assert_eq!(text(&never, "field"), "expression");
    assert_eq!(text(&wrong, "field"), "expression");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stops_no_other_schedule_and_lets_nothing_go() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 1)];
    let rules = || json!({ "keep_last": 1 });
    let spoilt = app.schedule("rate(5 minutes)", &[&instances[0]], rules()).await;
    let other = app.schedule("rate(5 minutes)", &[&instances[1]], rules()).await;
    app.pass_minutes(18).await;

    app.spoil_schedule(&spoilt).await;
    app.pass_minutes(10).await;
    let swept = sweep(&app, "execute").await;

    assert_eq!(text(&swept, "status"), "done");
    assert_eq!(swept["unreadable_schedule_ids"], json!([spoilt]));
    let runs = async |id: &str| {
        app.service().table.list_runs(&id.parse().unwrap(), &PageRequest::default()).await
    };
    let (of_spoilt, of_other) = (runs(&spoilt).await.unwrap(), runs(&other).await.unwrap());
    assert_eq!((of_spoilt.items.len(), of_other.items.len()), (3, 5));
    let condemned = app.list("/v1/snapshots?status=condemned").await;
    assert!(!condemned.is_empty());
    assert!(condemned.iter().all(|one| text(one, "schedule_id") == other));
    assert_eq!(app.list("/v1/schedules").await.len(), 1);
}
