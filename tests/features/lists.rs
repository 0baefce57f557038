//! Lists and details: what is there, and what is known of it.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

#[tokio::test]
async fn u1_b1_one_list_has_the_snapshots_of_all_instances_page_by_page() {
    let app = App::start().await;
    let mut taken = Vec::new();
    for name in ["web", "db", "mail"] {
        let instance = app.instance(name, 1);
        taken.push(app.request_snapshot(&instance).await);
        app.pass_minutes(1).await;
    }

    let first = app.get("/v1/snapshots?limit=2").await;
    let all = app.list("/v1/snapshots?limit=2").await;

    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert!(first["next_cursor"].is_string());
    taken.reverse();
    let listed: Vec<_> = all.iter().map(|one| text(one, "id")).collect();
    assert_eq!(listed, taken);
}

#[tokio::test]
async fn u3_u4_u5_u8_b2_each_has_its_id_name_instance_and_time() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let asked_at = app.now();
    let body = json!({ "instance_id": instance, "name": "before the upgrade" });
    let asked = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;

    let listed = app.list("/v1/snapshots?include=fate").await.remove(0);
    let shown = app.get(&format!("/v1/snapshots/{}", text(&asked, "id"))).await;

    assert_eq!(listed, shown);
    assert!(text(&shown, "id").starts_with("snp_"));
    assert_eq!(text(&shown, "name"), "before the upgrade");
    assert_eq!((text(&shown, "instance_id"), text(&shown, "instance_name")), (&*instance, "web"));
    assert_eq!(shown["created_at"], json!(asked_at));
    assert!(text(&shown, "created_at").ends_with('Z'));
    // The provider's identifiers stand beside ours.
    for volume in shown["volumes"].as_array().unwrap() {
        assert!(text(volume, "ebs_snapshot_id").starts_with("snap-"));
        assert!(text(volume, "volume_id").starts_with("vol-"));
    }
}

#[tokio::test]
async fn u7_the_place_of_a_snapshot_is_shown_and_can_be_asked_for() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;

    let shown = app.get(&format!("/v1/snapshots/{id}")).await;

    assert_eq!(text(&shown, "region"), "us-east-1");
    assert!(text(&shown, "zone").starts_with("us-east-1"));
    assert_eq!(app.list("/v1/snapshots?region=us-east-1").await.len(), 1);
    app.call("GET", "/v1/snapshots?region=eu-west-1", Value::Null).await.expect(400);
}

/// What a page asks for before it restores or deletes: which one it is, how large, and since when it is there.
#[tokio::test]
async fn u11_u13_b18_all_that_a_confirm_dialog_shows_is_in_the_snapshot() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;

    let shown = app.get(&format!("/v1/snapshots/{id}")).await;

    assert_eq!(text(&shown, "id"), id);
    assert!(!text(&shown, "name").is_empty());
    assert_eq!(text(&shown, "instance_id"), instance);
    assert!(shown["created_at"].is_string());
    assert_eq!(shown["size_gib"], json!(16));
    let full: i64 = shown["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|volume| volume["full_size_bytes"].as_i64().unwrap())
        .sum();
    assert_eq!(shown["full_size_bytes"], json!(full));
    // Whether to offer the one and the other at all.
    assert_eq!(shown["restorable"], json!(true));
    assert_eq!((&shown["hold"], &shown["blocked"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn w7_w13_whatever_is_taken_is_in_the_list_by_hand_or_by_schedule() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let by_hand = app.take_snapshot(&instance).await;
    let schedule = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;
    app.pass_minutes(12).await;

    let manual = app.list("/v1/snapshots?origin=manual").await;
    let scheduled = app.list("/v1/snapshots?origin=schedule").await;

    assert_eq!(manual.len(), 1);
    assert_eq!((text(&manual[0], "id"), &manual[0]["schedule_id"]), (&*by_hand, &Value::Null));
    assert_eq!(scheduled.len(), 1);
    assert_eq!(text(&scheduled[0], "schedule_id"), schedule);
}

#[tokio::test]
async fn w8_w16_what_is_deleted_leaves_the_list_and_its_history_stays() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(2).await;

    let with_deleted = app.list("/v1/snapshots?include_deleted=true").await;
    let shown = app.get(&format!("/v1/snapshots/{id}")).await;

    assert!(app.list("/v1/snapshots").await.is_empty());
    assert_eq!(text(&with_deleted[0], "id"), id);
    assert_eq!(text(&shown, "status"), "deleted");
    assert!(shown["deleted_at"].is_string());
    assert_eq!(text(&shown["condemned"], "cause"), "person");
}

#[tokio::test]
async fn b16_a_description_is_there_only_if_somebody_has_given_one() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.request_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");

    let without = app.get(&path).await;
    let said = "a line\nand another";
    app.call("PATCH", &path, json!({ "description": said })).await.expect(200);

    assert_eq!(without["description"], Value::Null);
    assert_eq!(text(&app.get(&path).await, "description"), said);
}

#[tokio::test]
async fn b17_only_what_is_available_can_be_restored() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut seen = Vec::new();
    let id = app.request_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");

    for pause in [0, 1, 2] {
        app.pass_minutes(pause).await;
        let shown = app.get(&path).await;
        seen.push((text(&shown, "status").to_owned(), shown["restorable"] == json!(true)));
    }
    app.call("DELETE", &format!("{path}?grace_minutes=60"), Value::Null).await.expect(202);
    let condemned = app.get(&path).await;

    seen.dedup();
    for (status, restorable) in &seen {
        assert_eq!(*restorable, status == "available", "{seen:?}");
    }
    assert_eq!(seen.last().unwrap().0, "available");
    assert_eq!(
        (text(&condemned, "status"), &condemned["restorable"]),
        ("condemned", &json!(false))
    );
}

#[tokio::test]
async fn b27_pages_hold_together_while_snapshots_come_and_go() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(app.take_snapshot(&instance).await);
    }
    let first = app.get("/v1/snapshots?limit=2").await;
    let cursor = text(&first, "next_cursor").to_owned();

    app.call("DELETE", &format!("/v1/snapshots/{}", ids[1]), Value::Null).await.expect(202);
    app.take_snapshot(&instance).await;
    let second = app.get(&format!("/v1/snapshots?limit=2&cursor={cursor}")).await;

    let listed: Vec<_> =
        second["items"].as_array().unwrap().iter().map(|one| text(one, "id")).collect();
    assert_eq!(listed, [&ids[0]]);
    assert_eq!(second["next_cursor"], Value::Null);
}
