//! Protection and the brake: what holds, images and copies keep from going counts as what the rules make of it.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{approve, ec2, register_image, sweep, with_twenty};

const KEEP_TWO: &str = r#"{ "retention": { "keep_last": 2 } }"#;

async fn oldest(app: &App, count: usize) -> Vec<String> {
    let list = app.list("/v1/snapshots?status=available&sort=created_at").await;
    list.iter().take(count).map(|one| text(one, "id").to_owned()).collect()
}

async fn keep_two(app: &App, path: &str) {
    app.call("PATCH", path, serde_json::from_str(KEEP_TWO).unwrap()).await.expect(200);
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
    let body = serde_json::from_str(KEEP_TWO).unwrap();
    let preview = app.call("PATCH", &format!("{path}?preview=true"), body).await.expect(200);
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
