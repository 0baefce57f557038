//! The fate of a snapshot: in every answer that has the snapshot, in one shape.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

/// The outlook, of a fate that has all its fields and nothing else.
#[track_caller]
fn outlook(snapshot: &Value) -> &str {
    let fate = &snapshot["fate"];
    let fields: BTreeSet<_> = fate.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["because", "expected_deletion_at", "kept_by", "outlook"].into());
    assert!(fate["kept_by"].is_array());
    let outlook = text(fate, "outlook");
    assert_eq!(fate["expected_deletion_at"].is_string(), outlook == "at", "{fate:#}");
    outlook
}

#[tokio::test]
async fn every_answer_with_a_snapshot_has_its_fate_and_a_list_that_asks_for_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({ "instance_id": instance });

    let asked = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;
    let path = format!("/v1/snapshots/{}", text(&asked, "id"));
    let shown = app.get(&path).await;
    let listed = app.list("/v1/snapshots?include=fate").await;
    let plain = app.list("/v1/snapshots").await;
    let edited = app.call("PATCH", &path, json!({ "name": "before" })).await.expect(200);
    let deleted =
        app.call("DELETE", &format!("{path}?grace_minutes=30"), Value::Null).await.expect(202);
    let rescued = app.call("POST", &format!("{path}/rescue"), Value::Null).await.expect(200);

    assert_eq!(outlook(&asked), "unknown");
    assert_eq!(outlook(&shown), "never");
    assert_eq!(shown["fate"]["kept_by"], json!(["no schedule and no expires_at: kept"]));
    assert_eq!(listed.iter().map(outlook).collect::<Vec<_>>(), ["never"]);
    assert_eq!(plain[0]["fate"], Value::Null);
    assert_eq!(outlook(&edited), "never");
    assert_eq!(outlook(&deleted), "at");
    assert_eq!(deleted["fate"]["expected_deletion_at"], deleted["condemned"]["delete_after"]);
    assert_eq!(outlook(&rescued), "never");
}
