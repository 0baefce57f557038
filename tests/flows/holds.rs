//! The list of all holds.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

const HOLDS: &str = "/v1/holds";

async fn hold(app: &App, id: &str, hold: Value) {
    app.call("PATCH", &format!("/v1/snapshots/{id}"), json!({ "hold": hold })).await.expect(200);
}

#[tokio::test]
async fn every_hold_is_listed_with_who_placed_it_and_why() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let first = app.take_snapshot(&instance).await;
    let second = app.take_snapshot(&instance).await;
    app.take_snapshot(&instance).await;
    let until = "2026-03-02T11:00:00Z";
    hold(&app, &first, json!({ "type": "never", "reason": "audit" })).await;
    hold(&app, &second, json!({ "type": "until", "until": until })).await;

    let holds = app.list(HOLDS).await;
    let pages = app.list("/v1/holds?sort=created_at&limit=1").await;

    let ids: Vec<_> = holds.iter().map(|one| text(one, "snapshot_id")).collect();
    assert_eq!(ids, [&second, &first]);
    let ids: Vec<_> = pages.iter().map(|one| text(one, "snapshot_id")).collect();
    assert_eq!(ids, [&first, &second]);
    let audit = &holds[1];
    assert_eq!((text(audit, "instance_id"), text(audit, "instance_name")), (&*instance, "web"));
    assert_eq!((text(audit, "status"), &audit["size_gib"]), ("available", &json!(8)));
    assert_eq!(audit["schedule_id"], Value::Null);
    let placed = &audit["hold"];
    assert_eq!((text(placed, "type"), text(placed, "reason")), ("never", "audit"));
    assert!(placed["by"].is_string() && placed["at"].is_string());
    assert!(holds.iter().all(|one| one["active"] == json!(true)));

    // An `until` that is over is listed and keeps nothing; a hold that is removed is not listed.
    app.clock.set(until.parse().unwrap());
    hold(&app, &first, Value::Null).await;
    let left = app.list(HOLDS).await;
    assert_eq!(left.len(), 1);
    assert_eq!((text(&left[0], "snapshot_id"), &left[0]["active"]), (&*second, &json!(false)));
}

#[tokio::test]
async fn those_whose_review_is_due_can_be_asked_for() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let soon = app.take_snapshot(&instance).await;
    let late = app.take_snapshot(&instance).await;
    let never = app.take_snapshot(&instance).await;
    let review = "2026-03-02T12:00:00Z";
    hold(&app, &soon, json!({ "type": "never", "review_at": review })).await;
    hold(&app, &late, json!({ "type": "never", "review_at": "2026-03-03T12:00:00Z" })).await;
    hold(&app, &never, json!({ "type": "never" })).await;

    let before = app.list("/v1/holds?review_due=true").await.len();
    app.clock.set(review.parse().unwrap());
    let due = app.list("/v1/holds?review_due=true").await;
    let all = app.list("/v1/holds?review_due=false").await.len();

    assert_eq!((before, due.len(), all), (0, 1, 3));
    assert_eq!(text(&due[0], "snapshot_id"), soon);
    assert_eq!(text(&due[0]["hold"], "review_at"), review);
}

#[tokio::test]
async fn a_review_that_is_past_cannot_be_asked_for() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let past = json!({ "hold": { "type": "never", "review_at": "2026-03-02T10:00:00Z" } });

    let refused = app.call("PATCH", &format!("/v1/snapshots/{id}"), past).await.expect(400);

    assert_eq!(text(&refused, "field"), "hold.review_at");
}

#[tokio::test]
async fn a_record_of_before_there_were_ledgers_comes_into_them_by_the_reconciler() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    hold(&app, &id, json!({ "type": "never" })).await;
    app.forget_attribute(&id, "held_pk").await;
    let before = app.list(HOLDS).await.len();

    let clock = app.function_clock();
    reconciler::handle(app.service(), &clock, Value::Null).await.unwrap();
    let version = app.record(&id).await.version;
    reconciler::handle(app.service(), &clock, Value::Null).await.unwrap();

    assert_eq!((before, app.list(HOLDS).await.len()), (0, 1));
    assert_eq!(app.record(&id).await.version, version);
}
