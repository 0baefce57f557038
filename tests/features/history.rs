//! History, audit and events, as people expect them of what they used before.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

async fn history(app: &App, instance: &str) -> Vec<Value> {
    app.list(&format!("/v1/instances/{instance}/history")).await
}

#[tokio::test]
async fn m6_the_history_of_an_instance_names_each_snapshot_that_can_be_restored() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let taken = [app.take_snapshot(&instance).await, app.take_snapshot(&instance).await];

    let history = history(&app, &instance).await;

    let available: Vec<_> =
        history.iter().filter(|item| item["action"] == "snapshot.available").collect();
    let ids: Vec<_> = available.iter().map(|item| text(item, "resource_id")).collect();
    assert_eq!(ids, [&*taken[1], &*taken[0]]);
    for id in ids {
        let shown = app.get(&format!("/v1/snapshots/{id}")).await;
        assert_eq!(shown["restorable"], json!(true));
    }
}

#[tokio::test]
async fn w7_a_snapshot_that_a_schedule_took_is_on_record_from_its_beginning() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;
    app.pass_minutes(12).await;

    let list = app.list("/v1/snapshots").await;
    let history = history(&app, &instance).await;

    assert_eq!(list.len(), 1);
    let of_it: Vec<_> =
        history.iter().filter(|item| item["resource_id"] == list[0]["id"]).collect();
    assert_eq!(text(of_it[1], "action"), "snapshot.requested");
    assert_eq!(text(of_it[1], "schedule_id"), schedule);
    assert_eq!(
        of_it[1]["changes"][0],
        json!({ "field": "status", "before": null, "after": "creating" })
    );
}

#[tokio::test]
async fn w16_the_history_stays_though_the_snapshot_is_gone() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let member = app.record(&id).await.members[0].ebs_snapshot_id.to_string();
    app.ec2.remove_snapshot(&member);
    app.pass_minutes(180).await;

    let history = history(&app, &instance).await;

    assert!(app.list("/v1/snapshots").await.is_empty());
    assert_eq!(app.status(&id).await, "missing");
    let actions: Vec<_> = history.iter().map(|item| text(item, "action")).collect();
    assert_eq!(actions, ["snapshot.missing", "snapshot.available", "snapshot.requested"]);
}

#[tokio::test]
async fn w24_success_and_failure_are_events_that_name_what_ec2_has() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    app.ec2.fault(sim_ec2::Fault::on("CreateSnapshots").times(1).member_fails());
    let failed = app.request_snapshot(&instance).await;
    app.pass_minutes(5).await;

    let told = app.announced();

    let types: Vec<_> = told.iter().map(|event| text(event, "detail-type")).collect();
    assert_eq!(types, ["snapkeep.snapshot.available", "snapkeep.snapshot.failed"]);
    let member = app.record(&id).await.members[0].ebs_snapshot_id.to_string();
    assert_eq!(told[0]["detail"]["snapshot"]["ebs_snapshot_ids"], json!([member]));
    assert_eq!(told[1]["detail"]["snapshot"]["id"], json!(failed));
    assert!(text(&told[1]["detail"], "summary").contains("failed: "), "{}", told[1]);
}
