//! What a deleted schedule has left: an end, or another schedule, for one and for all of it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{approve, sweep, with_twenty};

/// The schedule of twenty snapshots, deleted; and theirs, the oldest first.
async fn left_by_deleted(app: &App) -> (String, Vec<String>) {
    let (schedule, path) = with_twenty(app).await;
    app.call("DELETE", &path, Value::Null).await.expect(204);
    let all = app.list("/v1/snapshots?status=available&sort=created_at").await;
    (schedule, all.iter().map(|one| text(one, "id").to_owned()).collect())
}

async fn here(app: &App) -> usize {
    app.list("/v1/snapshots?status=available").await.len()
}

/// A schedule of nothing in particular that keeps so many.
async fn keeping(app: &App, count: u32) -> String {
    let other = app.instance("other", 1);
    app.schedule("cron(0 3 1 1 ? *)", &[&other], json!({ "keep_last": count })).await
}

#[tokio::test]
async fn one_of_them_can_be_given_an_end_and_goes_then() {
    let app = App::start().await;
    let (_, ids) = left_by_deleted(&app).await;
    let path = format!("/v1/snapshots/{}", ids[0]);
    let end = app.now() + SignedDuration::from_mins(30);

    let edited = app.call("PATCH", &path, json!({ "expires_at": end })).await.expect(200);
    app.pass_minutes(150).await;

    assert_eq!(edited["fate"]["outlook"], "at");
    assert_eq!(app.status(&ids[0]).await, "deleted");
    assert_eq!(here(&app).await, 19);
}

#[tokio::test]
async fn all_of_them_can_be_given_an_end_and_the_newest_stays() {
    let app = App::start().await;
    let (schedule, ids) = left_by_deleted(&app).await;
    let path = format!("/v1/schedules/{schedule}/leftovers");
    let end = json!({ "expires_at": app.now() + SignedDuration::from_mins(30) });

    let mut outcomes = Vec::new();
    let mut next = format!("{path}?limit=7");
    loop {
        let page = app.call("POST", &next, end.clone()).await.expect(200);
        outcomes.extend(page["items"].as_array().unwrap().iter().map(|one| one["outcome"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("{path}?limit=7&cursor={cursor}");
    }
    let again = app.call("POST", &path, end).await.expect(200);
    let told = app.list("/v1/audit?action=snapshot.edited").await;
    app.pass_minutes(200).await;

    assert_eq!(outcomes, vec![json!("changed"); 20]);
    assert!(again["items"].as_array().unwrap().iter().all(|one| one["outcome"] == "unchanged"));
    assert_eq!(told.len(), 20);
    assert_eq!(here(&app).await, 1);
    assert_eq!(app.status(&ids[19]).await, "available");
}

#[tokio::test]
async fn what_is_given_to_another_schedule_goes_by_its_rules_and_the_brake_asks() {
    let app = App::start().await;
    let (schedule, ids) = left_by_deleted(&app).await;
    let heir = keeping(&app, 3).await;
    sweep(&app, "execute").await;
    let path = format!("/v1/schedules/{schedule}/leftovers");

    app.call("POST", &path, json!({ "schedule_id": heir })).await.expect(200);
    let stopped = sweep(&app, "execute").await;
    let left = here(&app).await;
    approve(&app, &stopped).await.expect(202);
    app.pass_minutes(75).await;

    assert_eq!(text(&stopped, "status"), "needs_approval");
    assert_eq!((&stopped["brakes"][0]["unexpected"], left), (&json!(17), 20));
    assert_eq!(here(&app).await, 3);
    let of_heir = app.list(&format!("/v1/snapshots?schedule_id={heir}")).await;
    assert_eq!(of_heir.len(), 3);
    assert_eq!(app.status(&ids[19]).await, "available");
    let change = &app.list(&format!("/v1/audit?resource_id={}", ids[19])).await;
    let edited = change.iter().find(|one| one["action"] == "snapshot.edited").unwrap();
    assert_eq!(edited["changes"][0]["field"], "schedule_id");
    assert_eq!(edited["changes"][0]["after"], heir.as_str());
}

#[tokio::test]
async fn one_of_them_can_be_given_to_another_schedule() {
    let app = App::start().await;
    let (_, ids) = left_by_deleted(&app).await;
    let heir = keeping(&app, 3).await;

    let path = format!("/v1/snapshots/{}", ids[0]);
    let edited = app.call("PATCH", &path, json!({ "schedule_id": heir })).await.expect(200);
    let again = app.call("PATCH", &path, json!({ "schedule_id": heir })).await.expect(200);
    let end = json!({ "expires_at": app.now() + SignedDuration::from_hours(1) });
    let refused = app.call("PATCH", &path, end).await.expect(409);

    assert_eq!((text(&edited, "schedule_id"), &edited["version"]), (&*heir, &again["version"]));
    assert!(text(&refused, "detail").contains(&heir));
}

#[tokio::test]
async fn nothing_is_decided_where_a_schedule_does_or_where_nothing_clear_is_said() {
    let app = App::start().await;
    let (schedule, path) = with_twenty(&app).await;
    let heir = keeping(&app, 3).await;
    let leftovers = format!("{path}/leftovers");
    let end = json!({ "expires_at": app.now() + SignedDuration::from_hours(1) });
    let id = text(&app.list("/v1/snapshots?limit=1").await[0], "id").to_owned();
    let snapshot = format!("/v1/snapshots/{id}");

    app.call("POST", &leftovers, end.clone()).await.expect(409);
    app.call("PATCH", &snapshot, end.clone()).await.expect(409);
    app.call("PATCH", &snapshot, json!({ "schedule_id": heir })).await.expect(409);
    app.call("DELETE", &path, Value::Null).await.expect(204);
    let nobody = json!({ "schedule_id": "sch_0195500c-6d00-7000-8000-000000000000" });
    for wrong in [json!({}), json!({ "expires_at": null, "schedule_id": heir }), nobody.clone()] {
        app.call("POST", &leftovers, wrong).await.expect(400);
    }
    app.call("POST", &leftovers, json!({ "expires_at": "2020-01-01T00:00:00Z" })).await.expect(400);
    app.call("PATCH", &snapshot, nobody).await.expect(400);

    let kept = app.list(&format!("/v1/snapshots?schedule_id={schedule}")).await;
    assert!(kept.iter().all(|one| one["expires_at"] == Value::Null));
    assert_eq!(kept.len(), 20);
}
