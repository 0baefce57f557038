//! Asking again and asking on: tags, cursors, edits that meet.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

#[tokio::test]
async fn what_the_client_has_is_not_sent_again_until_it_says_something_else() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");
    for path in ["/v1/snapshots", "/v1/snapshots/stats", &path] {
        let first = app.send("GET", path, Value::Null, &[]).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        assert_eq!(first.header("cache-control"), "private, no-cache");

        app.pass_minutes(1).await;
        let again = app.send("GET", path, Value::Null, &[("if-none-match", &tag)]).await;

        assert_eq!((again.status, &again.body), (304, &Value::Null), "{path}");
        assert_eq!(again.header("etag"), tag);
    }
    let tag = app.send("GET", &path, Value::Null, &[]).await.header("etag").to_owned();
    let edit = json!({ "name": "before" });
    let edited = app.send("PATCH", &path, edit.clone(), &[("if-match", &tag)]).await;
    let stale = app.send("PATCH", &path, json!({ "name": "after" }), &[("if-match", &tag)]).await;
    let changed = app.send("GET", &path, Value::Null, &[("if-none-match", &tag)]).await;

    assert_eq!((edited.status, stale.status, changed.status), (200, 412, 200));
    assert_eq!(edited.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_cursor_of_another_list_or_filter_is_refused() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    for _ in 0..3 {
        app.take_snapshot(&instance).await;
    }
    let page = app.get("/v1/snapshots?limit=1&status=available").await;
    let cursor = text(&page, "next_cursor");

    for path in [
        "/v1/snapshots?limit=1",
        "/v1/snapshots?status=available&sort=created_at",
        "/v1/restores?status=failed",
        "/v1/holds?limit=1",
        "/v1/schedules?limit=1",
        "/v1/runs?limit=1",
        "/v1/sweeps?limit=1",
        "/v1/audit?limit=1",
        "/v1/images?limit=1",
        "/v1/instances?limit=1",
        "/v1/reconciliation?limit=1",
    ] {
        let path = format!("{path}&cursor={cursor}");
        let problem = app.call("GET", &path, Value::Null).await.expect(400);
        assert_eq!(problem["field"], "cursor", "{path}");
        assert!(text(&problem, "detail").contains("of another list"), "{problem:#}");
    }
    let next = app.get(&format!("/v1/snapshots?status=available&limit=2&cursor={cursor}")).await;
    assert_eq!(next["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn edits_that_meet_are_all_made_unless_they_say_what_they_have_read() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 day)", &[&instance], json!({ "keep_last": 3 })).await;
    let path = format!("/v1/schedules/{id}");
    let edits = (0..4).map(|number| {
        let (app, path) = (&app, &path);
        async move { app.call("PATCH", path, json!({ "name": format!("n{number}") })).await.status }
    });

    let statuses = futures::future::join_all(edits).await;

    assert_eq!(statuses, [200; 4]);
    assert_eq!(app.get(&path).await["version"], json!(5));
}
