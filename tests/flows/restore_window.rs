//! The restore window: until when a snapshot can be restored.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

#[tokio::test]
async fn a_schedules_snapshots_can_be_restored_within_its_window() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({
        "name": "x", "expression": "cron(5 10 * * ? *)", "timezone": "Europe/Berlin",
        "targets": { "instance_ids": [instance] }, "restore_window": "1d",
    });
    let made = app.call("POST", "/v1/schedules", body).await.expect(201);
    let run = format!("/v1/schedules/{}/runs", text(&made, "id"));
    app.call("POST", &run, Value::Null).await.expect(202);
    app.pass_minutes(2).await;

    let snapshot = app.list("/v1/snapshots").await.remove(0);
    let path = format!("/v1/snapshots/{}", text(&snapshot, "id"));
    let until: Timestamp = text(&snapshot, "restore_until").parse().unwrap();
    let created: Timestamp = text(&snapshot, "created_at").parse().unwrap();
    assert_eq!(until.duration_since(created), SignedDuration::from_hours(24));
    app.clock.set(until - SignedDuration::from_secs(1));
    assert_eq!(app.get(&path).await["restorable"], json!(true));
    app.clock.set(until);
    let over = app.get(&path).await;

    // It is still there, and available; only its restoration is over.
    assert_eq!((text(&over, "status"), &over["restorable"]), ("available", &json!(false)));
}

#[tokio::test]
async fn an_edit_of_the_window_is_for_snapshots_from_then_on() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 day)", &[&instance], Value::Null).await;
    let (path, run) = (format!("/v1/schedules/{id}"), format!("/v1/schedules/{id}/runs"));
    app.call("POST", &run, Value::Null).await.expect(202);
    app.pass_minutes(2).await;

    app.call("PATCH", &path, json!({ "restore_window": "14d" })).await.expect(200);
    app.call("POST", &run, Value::Null).await.expect(202);
    app.pass_minutes(2).await;

    let snapshots = app.list("/v1/snapshots").await;
    assert!(snapshots[0]["restore_until"].is_string());
    assert_eq!(snapshots[1]["restore_until"], Value::Null);
}

#[tokio::test]
async fn the_end_of_a_snapshots_window_can_be_moved_and_taken_away() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");

    let until = app.now() + SignedDuration::from_hours(1);
    let set = app.call("PATCH", &path, json!({ "restore_until": until })).await.expect(200);
    app.clock.set(until);
    let over = app.get(&path).await;
    let later = until + SignedDuration::from_hours(1);
    let moved = app.call("PATCH", &path, json!({ "restore_until": later })).await.expect(200);
    app.clock.set(later);
    let cleared = app.call("PATCH", &path, json!({ "restore_until": null })).await.expect(200);

    assert_eq!(set["restorable"], json!(true));
    assert_eq!(over["restorable"], json!(false));
    assert_eq!(moved["restorable"], json!(true));
    assert_eq!((&cleared["restorable"], &cleared["restore_until"]), (&json!(true), &Value::Null));
}
