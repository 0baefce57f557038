//! Lists: filters, order, pages.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| text(item, "name")).collect()
}

async fn with_named(app: &App, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        let instance = app.instance(name, 1);
        let body = json!({ "instance_id": instance, "name": name, "tags": { "for": name } });
        let answer = app.call("POST", "/v1/snapshots", body).await.expect(202);
        ids.push(text(&answer, "id").to_owned());
        app.pass_minutes(1).await;
    }
    app.pass_minutes(2).await;
    ids
}

#[tokio::test]
async fn the_newest_come_first_unless_asked_otherwise() {
    let app = App::start().await;
    with_named(&app, &["a", "b", "c"]).await;

    assert_eq!(names(&app.list("/v1/snapshots").await), ["c", "b", "a"]);
    assert_eq!(names(&app.list("/v1/snapshots?sort=created_at").await), ["a", "b", "c"]);
    assert_eq!(names(&app.list("/v1/snapshots?sort=-created_at").await), ["c", "b", "a"]);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let app = App::start().await;
    with_named(&app, &["a", "b", "c", "d", "e"]).await;

    for limit in 1..=6 {
        for (sort, wanted) in
            [("created_at", ["a", "b", "c", "d", "e"]), ("-created_at", ["e", "d", "c", "b", "a"])]
        {
            let items = app.list(&format!("/v1/snapshots?limit={limit}&sort={sort}")).await;
            assert_eq!(names(&items), wanted, "limit {limit}");
        }
    }
}

#[tokio::test]
async fn a_cursor_survives_the_deletion_of_what_it_points_at() {
    let app = App::start().await;
    let ids = with_named(&app, &["a", "b", "c", "d"]).await;
    let first = app.get("/v1/snapshots?limit=2").await;
    let cursor = text(&first, "next_cursor").to_owned();

    app.call("DELETE", &format!("/v1/snapshots/{}", ids[2]), Value::Null).await.expect(202);
    app.settle().await;
    let second = app.get(&format!("/v1/snapshots?limit=2&cursor={cursor}")).await;

    assert_eq!(names(first["items"].as_array().unwrap()), ["d", "c"]);
    assert_eq!(names(second["items"].as_array().unwrap()), ["b", "a"]);
}

#[tokio::test]
async fn every_filter_filters() {
    let app = App::start().await;
    let ids = with_named(&app, &["alpha", "beta"]).await;
    let record = app.record(&ids[1]).await;
    let created = record.created_at;

    for query in [
        format!("instance_id={}", record.source.instance_id),
        "tag=for=beta".to_owned(),
        "q=BET".to_owned(),
        format!("from={created}"),
        "status=available&q=beta".to_owned(),
        "origin=manual&region=us-east-1&q=beta".to_owned(),
    ] {
        assert_eq!(names(&app.list(&format!("/v1/snapshots?{query}")).await), ["beta"], "{query}");
    }
    for query in
        ["status=error".to_owned(), "origin=schedule".to_owned(), "tag=for=gamma".to_owned()]
    {
        assert!(app.list(&format!("/v1/snapshots?{query}")).await.is_empty(), "{query}");
    }
    let before = app.list(&format!("/v1/snapshots?to={created}")).await;
    assert_eq!(names(&before), ["alpha"]);
}

#[tokio::test]
async fn instances_are_listed_with_their_eligibility_in_pages() {
    let app = App::start().await;
    for number in 0..7 {
        app.instance(&format!("web-{number}"), 1);
    }
    app.instance("bare", 0);

    let all = app.list("/v1/instances?limit=3").await;
    let bare = app.list("/v1/instances?eligible=false").await;
    let named = app.list("/v1/instances?q=web-3").await;

    assert_eq!(all.len(), 8);
    assert_eq!(names(&bare), ["bare"]);
    assert!(bare[0]["eligibility"]["reason"].as_str().unwrap().contains("no EBS volumes"));
    assert_eq!(names(&named), ["web-3"]);
}

#[tokio::test]
async fn with_what_is_deleted_pages_still_follow_each_other() {
    let app = App::start().await;
    let ids = with_named(&app, &["a", "b", "c", "d", "e"]).await;
    for id in [&ids[1], &ids[3]] {
        app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    }
    app.settle().await;

    for limit in 1..=4 {
        let items = app.list(&format!("/v1/snapshots?include_deleted=true&limit={limit}")).await;
        assert_eq!(names(&items), ["e", "d", "c", "b", "a"]);
    }
    assert_eq!(names(&app.list("/v1/snapshots").await), ["e", "c", "a"]);
    assert_eq!(names(&app.list("/v1/snapshots?status=deleted").await), ["d", "b"]);
}

#[tokio::test]
async fn a_list_says_how_many_there_are_in_all_when_asked() {
    let app = App::start().await;
    let ids = with_named(&app, &["a", "b", "c", "d", "e"]).await;
    app.call("DELETE", &format!("/v1/snapshots/{}", ids[0]), Value::Null).await.expect(202);
    app.settle().await;
    let third = app.record(&ids[2]).await;
    let (instance, created) = (&third.source.instance_id, third.created_at);

    for (query, total) in [
        ("", 4),
        ("status=available", 4),
        ("status=error&status=condemned", 0),
        ("origin=manual", 4),
        ("origin=schedule", 0),
        ("region=us-east-1", 4),
        (&format!("instance_id={instance}"), 1),
        (&format!("from={created}"), 3),
        (&format!("to={created}"), 1),
        (&format!("from={created}&instance_id={instance}"), 1),
        ("include_deleted=true", 5),
        ("status=missing", 0),
    ] {
        let path = format!("/v1/snapshots?{query}&count=true&limit=2");
        let path = path.replace("?&", "?");
        let page = app.get(&path).await;
        assert_eq!(page["total"], json!(total), "{query}");
    }
    let first = app.get("/v1/snapshots?limit=3&count=true").await;
    let cursor = text(&first, "next_cursor");
    let second = app.get(&format!("/v1/snapshots?limit=3&cursor={cursor}")).await;
    assert_eq!(
        (&second["total"], names(second["items"].as_array().unwrap())),
        (&Value::Null, vec!["b"])
    );

    for query in ["q=a", "tag=for=a", "status=deleted", "origin=manual&status=error"] {
        let path = format!("/v1/snapshots?{query}&count=true");
        let refused = app.call("GET", &path, Value::Null).await.expect(400);
        assert_eq!(text(&refused, "field"), "count", "{query}");
        assert!(text(&refused, "detail").contains("leave it out"), "{refused}");
    }
}

#[tokio::test]
async fn schedules_runs_and_sweeps_are_counted_with_their_filters() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule =
        app.schedule("cron(0/10 * * * ? *)", &[&instance], json!({ "keep_last": 9 })).await;
    app.schedule("rate(1 day)", &[&instance], json!({ "keep_last": 9 })).await;
    app.pass_minutes(35).await;
    app.call("POST", "/v1/sweeps", json!({ "mode": "plan_only" })).await.expect(202);
    app.settle().await;
    let runs = format!("/v1/schedules/{schedule}/runs");
    let third = "2026-03-02T10:30:00Z";

    for (path, total) in [
        ("/v1/schedules?count=true", 2),
        ("/v1/schedules?count=true&enabled=false", 0),
        ("/v1/sweeps?count=true&limit=1&mode=plan_only", 1),
        ("/v1/sweeps?count=true&status=refused", 0),
        (&format!("{runs}?count=true&limit=1"), 3),
        (&format!("{runs}?count=true&status=done"), 3),
        (&format!("{runs}?count=true&status=failed"), 0),
        (&format!("{runs}?count=true&from={third}"), 1),
        (&format!("{runs}?count=true&to={third}"), 2),
    ] {
        assert_eq!(app.get(path).await["total"], json!(total), "{path}");
        let plain = path.replace("count=true", "count=false");
        assert_eq!(app.get(&plain).await["total"], Value::Null, "{path}");
    }
}
