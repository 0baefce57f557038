//! The brake cannot be walked around: not under protection, not in small steps, not with an adoption.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{approve, ec2, register_image, sweep, with_twenty};

async fn oldest(app: &App, count: usize) -> Vec<String> {
    let list = app.list("/v1/snapshots?status=available&sort=created_at").await;
    list.iter().take(count).map(|one| text(one, "id").to_owned()).collect()
}

fn keep(count: u32) -> Value {
    json!({ "retention": { "keep_last": count } })
}

/// Has a schedule keep its last two, long enough before a sweep.
async fn keep_two(app: &App, path: &str) {
    app.call("PATCH", path, keep(2)).await.expect(200);
    app.pass_minutes(2).await;
}

async fn hold(app: &App, ids: &[String], hold: Value) {
    for id in ids {
        let edit = json!({ "hold": hold });
        app.call("PATCH", &format!("/v1/snapshots/{id}"), edit).await.expect(200);
    }
}

#[tokio::test]
async fn rules_under_a_hold_are_not_in_force_when_it_ends() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let held = oldest(&app, 18).await;
    hold(&app, &held, json!({ "type": "never" })).await;
    let preview = app.call("PATCH", &format!("{path}?preview=true"), keep(2)).await.expect(200);
    keep_two(&app, &path).await;

    let during = sweep(&app, "execute").await;
    hold(&app, &held, Value::Null).await;
    let after = sweep(&app, "execute").await;

    assert!(text(&preview, "braked_reason").starts_with("18 of its 20 "), "{preview}");
    assert_eq!(text(&during, "status"), "needs_approval");
    assert_eq!(during["brakes"][0]["unexpected"], json!(18));
    assert_eq!(during["planned"]["delete"], json!(0));
    let unexpected = |entry: &&Value| entry["verdict"] == "keep" && entry["unexpected"] == true;
    assert_eq!(during["plan"]["items"].as_array().unwrap().iter().filter(unexpected).count(), 18);
    assert_eq!(text(&after, "status"), "needs_approval");
    assert_eq!(after["brakes"][0]["unexpected"], json!(18));
    assert!(app.list("/v1/snapshots?status=condemned").await.is_empty());
}

#[tokio::test]
async fn rules_that_images_stand_in_the_way_of_are_not_in_force_when_these_are_gone() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let images: Vec<_> = oldest(&app, 18).await.iter().map(|id| register_image(&app, id)).collect();
    keep_two(&app, &path).await;

    let during = sweep(&app, "execute").await;
    for image in images {
        ec2(&app, &format!("Action=DeregisterImage&ImageId={image}&Version=2016-11-15"));
    }
    let after = sweep(&app, "execute").await;

    assert_eq!(
        (&during["planned"]["blocked"], &during["planned"]["delete"]),
        (&json!(18), &json!(0))
    );
    for sweep in [during, after] {
        assert_eq!(text(&sweep, "status"), "needs_approval");
        assert_eq!(sweep["brakes"][0]["unexpected"], json!(18));
    }
    assert!(app.list("/v1/snapshots?status=condemned").await.is_empty());
}

#[tokio::test]
async fn what_an_admin_has_released_under_a_hold_goes_when_it_ends() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let held = oldest(&app, 5).await;
    hold(&app, &held, json!({ "type": "never" })).await;
    keep_two(&app, &path).await;

    let stopped = sweep(&app, "execute").await;
    approve(&app, &stopped).await.expect(202);
    app.settle().await;
    hold(&app, &held, Value::Null).await;
    let after = sweep(&app, "execute").await;

    assert_eq!(stopped["brakes"][0]["unexpected"], json!(18));
    assert_eq!(text(&after, "status"), "done");
    assert_eq!(app.list("/v1/snapshots?status=condemned").await.len(), 18);
}

#[tokio::test]
async fn small_edits_of_a_day_count_together() {
    for minutes in [0, 2] {
        let app = App::start().await;
        let (_, path) = with_twenty(&app).await;
        for count in [16, 12] {
            app.call("PATCH", &path, keep(count)).await.expect(200);
            app.pass_minutes(minutes).await;
            assert_eq!(text(&sweep(&app, "execute").await, "status"), "done");
        }

        let preview = app.call("PATCH", &format!("{path}?preview=true"), keep(9)).await.expect(200);
        app.call("PATCH", &path, keep(9)).await.expect(200);
        let stopped = sweep(&app, "execute").await;
        app.clock.advance(SignedDuration::from_hours(24));
        let a_day_later = sweep(&app, "execute").await;

        assert!(text(&preview, "braked_reason").starts_with("3 of its 20 "), "{preview}");
        assert!(text(&preview, "braked_reason").contains(", after 8 within 24 hours"), "{preview}");
        assert_eq!(text(&stopped, "status"), "needs_approval");
        let brake = &stopped["brakes"][0];
        assert_eq!(
            [&brake["unexpected"], &brake["earlier"], &brake["available"]],
            [&json!(3), &json!(8), &json!(20)]
        );
        assert_eq!(text(&a_day_later, "status"), "done");
        assert_eq!(a_day_later["brakes"], json!([]));
    }
}

#[tokio::test]
async fn after_an_admin_has_released_a_plan_the_day_begins_anew() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, keep(12)).await.expect(200);
    app.pass_minutes(2).await;
    sweep(&app, "execute").await;
    app.call("PATCH", &path, keep(5)).await.expect(200);
    app.pass_minutes(2).await;

    let stopped = sweep(&app, "execute").await;
    approve(&app, &stopped).await.expect(202);
    app.settle().await;
    app.call("PATCH", &path, keep(1)).await.expect(200);
    let next = sweep(&app, "execute").await;

    assert_eq!(text(&stopped, "status"), "needs_approval");
    assert_eq!((text(&next, "status"), &next["executed"]["condemned"]), ("done", &json!(4)));
}
