//! Schedules: objects of their own, several for an instance, and deletion that follows from them.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

fn named(name: &str, expression: &str, instances: &[&str], retention: &Value) -> Value {
    json!({
        "name": name, "expression": expression, "targets": { "instance_ids": instances },
        "retention": retention,
    })
}

async fn make(app: &App, body: Value) -> String {
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

#[tokio::test]
async fn w1_w2_a_schedule_is_made_first_and_listed_before_it_is_for_anybody_in_particular() {
    let app = App::start().await;
    let body = json!({
        "name": "every 60 minutes", "expression": "rate(60 minutes)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "yes" }] } },
    });

    let id = make(&app, body).await;

    let listed = app.list("/v1/schedules").await;
    assert_eq!(text(&listed[0], "id"), id);
    assert_eq!(text(&listed[0], "name"), "every 60 minutes");
    assert_eq!(text(&listed[0], "expression"), "rate(60 minutes)");
    assert!(listed[0]["next_due_at"].is_string(), "{listed:#?}");
}

#[tokio::test]
async fn w3_an_instance_is_put_under_a_schedule_and_taken_off_it() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let id = make(&app, named("hourly", "rate(10 minutes)", &[&web], &Value::Null)).await;
    let path = format!("/v1/schedules/{id}");

    let edit = json!({ "targets": { "instance_ids": [db] } });
    app.call("PATCH", &path, edit).await.expect(200);
    app.pass_minutes(12).await;

    assert!(app.list(&format!("/v1/snapshots?instance_id={web}")).await.is_empty());
    assert_eq!(app.list(&format!("/v1/snapshots?instance_id={db}")).await.len(), 1);
    let shown = app.get(&format!("/v1/instances/{db}")).await;
    assert_eq!(text(&shown["protection"]["schedules"][0], "schedule_id"), id);
}

#[tokio::test]
async fn w5_what_a_schedule_has_taken_goes_by_itself() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    make(&app, named("often", "rate(10 minutes)", &[&instance], &json!({ "keep_last": 2 }))).await;

    app.pass_minutes(190).await;

    let gone = app.list("/v1/snapshots?status=deleted&limit=200").await;
    assert!(gone.len() >= 8, "{}", gone.len());
    assert!(gone.iter().all(|one| text(&one["condemned"], "cause") == "rules"));
    assert!(app.list("/v1/snapshots?status=available").await.len() >= 2);
}

#[tokio::test]
async fn w6_an_instance_has_several_schedules_and_each_keeps_its_own() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let keep = |count: u32| json!({ "keep_last": count });
    let often = make(&app, named("often", "rate(10 minutes)", &[&instance], &keep(1))).await;
    let seldom = make(&app, named("seldom", "rate(30 minutes)", &[&instance], &keep(10))).await;

    app.pass_minutes(195).await;

    let of = |id: &str, status: &str| format!("/v1/snapshots?schedule_id={id}&status={status}");
    assert!(app.list(&of(&often, "deleted")).await.len() >= 5);
    assert!(app.list(&of(&seldom, "deleted")).await.is_empty());
    assert_eq!(app.list(&of(&seldom, "available")).await.len(), 6);
}

#[tokio::test]
async fn w18_what_the_provider_will_not_do_is_a_warning_when_a_schedule_is_saved() {
    let app = App::start().await;
    let instances: Vec<_> = (0..30).map(|n| app.instance(&format!("web-{n}"), 1)).collect();
    let instances: Vec<_> = instances.iter().map(String::as_str).collect();
    let keep = json!({ "keep_last": 100_000 });
    let body = named("too often", "rate(1 minute)", &instances, &keep);

    let checked = app.call("POST", "/v1/schedules?preview=true", body).await.expect(200);

    let warnings = checked["limits"]["warnings"].as_array().unwrap();
    assert!(!warnings.is_empty(), "{checked:#}");
}

#[tokio::test]
async fn w26_retention_runs_each_hour_and_besides_whenever_somebody_asks() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    make(&app, named("often", "rate(5 minutes)", &[&instance], &json!({ "keep_last": 1 }))).await;
    app.pass_minutes(20).await;

    app.call("POST", "/v1/sweeps", json!({ "mode": "execute" })).await.expect(202);
    app.settle().await;
    let condemned_at_once = app.list("/v1/snapshots?status=condemned").await.len();
    app.pass_minutes(61).await;

    assert!(condemned_at_once >= 2, "{condemned_at_once}");
    assert!(app.list("/v1/sweeps").await.len() >= 2);
}
