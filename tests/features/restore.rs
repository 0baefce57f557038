//! Restoring.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::snapshot::Status;

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{after, ask, begun, devices, members, shown};

async fn with_snapshot() -> (App, String, String) {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    (app, instance, snapshot)
}

#[tokio::test]
async fn u9_every_available_snapshot_of_the_list_can_be_restored() {
    let (app, _, _) = with_snapshot().await;

    for snapshot in app.list("/v1/snapshots").await {
        assert_eq!(snapshot["restorable"], true);
        let answer = ask(&app, text(&snapshot, "id"), json!({ "mode": "new_volumes" })).await;
        assert_eq!(answer.status, 202);
        let id = text(&answer.body, "id").to_owned();
        assert_eq!(answer.header("location"), format!("/v1/restores/{id}"));
        assert_eq!(after(&app, &id, 5).await["status"], "done");
    }
}

/// The snapshot shows what identifies it; the restore wants its name or id once more.
#[tokio::test]
async fn u11_a_restore_is_confirmed_by_the_name_or_id_of_the_snapshot() {
    let (app, instance, id) = with_snapshot().await;
    let snapshot = app.get(&format!("/v1/snapshots/{id}")).await;
    let path = format!("/v1/snapshots/{id}/restore");
    assert_eq!(text(&snapshot, "instance_id"), instance);
    assert!(snapshot["created_at"].is_string());

    for wrong in [json!({}), json!({ "confirm": "web" }), json!({ "confirm": "" })] {
        let mut body = wrong.clone();
        body["mode"] = json!("new_volumes");
        let refusal = app.call("POST", &path, body).await.expect(400);
        assert_eq!(text(&refusal, "field"), "confirm", "{wrong}");
    }
    for right in [text(&snapshot, "name"), &id] {
        let body = json!({ "confirm": right, "mode": "new_volumes" });
        app.call("POST", &path, body).await.expect(202);
    }
}

#[tokio::test]
async fn m7_nothing_is_restored_without_confirmation() {
    let (app, _, id) = with_snapshot().await;

    let path = format!("/v1/snapshots/{id}/restore");
    app.call("POST", &path, json!({ "mode": "replace_root" })).await.expect(400);
    app.pass_minutes(3).await;

    assert!(app.list("/v1/restores").await.is_empty());
    assert_eq!(app.ec2.root_replacements(), []);
}

#[tokio::test]
async fn u12_the_instance_itself_is_restored_in_place() {
    let (app, instance, id) = with_snapshot().await;
    let before = devices(&app, &instance);

    let restore = begun(&app, &id, json!({ "mode": "replace_volumes", "stop": true })).await;

    assert_eq!(after(&app, &restore, 20).await["status"], "done");
    let now = devices(&app, &instance);
    assert!(now.iter().all(|(device, volume)| before[device] != *volume));
}

#[tokio::test]
async fn m3_the_root_volume_is_replaced_without_stopping_the_instance() {
    let (app, instance, id) = with_snapshot().await;
    let before = devices(&app, &instance);

    let body = json!({ "mode": "replace_root", "snapshot_first": false });
    let restore = begun(&app, &id, body).await;

    assert_eq!(after(&app, &restore, 4).await["status"], "done");
    assert_ne!(devices(&app, &instance)["/dev/sda"], before["/dev/sda"]);
    assert!(!app.ec2.calls().contains_key("StopInstances"));
}

/// EC2 is paid to fetch the blocks of every volume that a restore makes, in each of its modes.
#[tokio::test]
async fn m3_new_volumes_get_their_blocks_at_the_rate_that_is_asked_for() {
    for mut body in [
        json!({ "mode": "new_volumes" }),
        json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false }),
        json!({ "mode": "replace_root", "snapshot_first": false }),
        json!({ "mode": "new_instance" }),
    ] {
        for rate in [Some(200), None] {
            let (app, _, id) = with_snapshot().await;
            let before: Vec<_> = app.ec2.volumes().into_iter().map(|volume| volume.id).collect();
            body["volume_initialization_rate"] = json!(rate);

            let restore = begun(&app, &id, body.clone()).await;
            let done = after(&app, &restore, 15).await;

            assert_eq!(done["status"], "done", "{body}: {done:#}");
            let shown = done["volumes"].as_array().unwrap();
            assert!(shown.iter().all(|one| one["volume_initialization_rate"] == json!(rate)));
            let mut new = app.ec2.volumes();
            new.retain(|volume| !before.contains(&volume.id));
            assert_eq!(new.len(), shown.len(), "{body}");
            let of = members(&app, &id).await;
            for volume in new {
                assert_eq!(volume.initialization_rate, rate, "{body}");
                let device = volume.attachment.map(|place| place.device);
                let source = volume.snapshot_id.unwrap();
                assert!(of.values().any(|one| *one == source), "{body}");
                assert!(device.is_none_or(|device| of[&device] == source), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn m3_a_rate_that_ec2_does_not_have_is_refused_and_what_it_refuses_is_passed_on() {
    let (app, _, id) = with_snapshot().await;
    for rate in [json!(0), json!(99), json!(301), json!(-1)] {
        let body = json!({ "mode": "new_volumes", "volume_initialization_rate": rate });
        let refusal = ask(&app, &id, body).await.expect(400);
        assert_eq!(text(&refusal, "field"), "volume_initialization_rate", "{rate}");
        let detail = text(&refusal, "detail");
        assert!(detail.contains("100 to 300"), "{rate}: {detail}");
    }
    for rate in [100, 300] {
        let body = json!({ "mode": "new_volumes", "volume_initialization_rate": rate });
        ask(&app, &id, body).await.expect(202);
    }
    app.pass_minutes(5).await;

    // The first call is the dry run.
    let code = "VolumeInitializationRateLimitExceeded";
    app.ec2.fault(sim_ec2::Fault::on("CreateVolume").skip(1).error(code, 400));
    let body = json!({ "mode": "new_volumes", "volume_initialization_rate": 300 });
    let restore = begun(&app, &id, body).await;
    let failed = after(&app, &restore, 3).await;
    assert_eq!(text(&failed["failure"], "step"), "create_volumes", "{failed:#}");
    assert_eq!(text(&failed["failure"], "code"), code);
}

#[tokio::test]
async fn u20_who_lacks_the_role_or_the_right_is_told_which() {
    let (app, _, id) = with_snapshot().await;
    let body = json!({ "confirm": id, "mode": "new_volumes" });
    let request = http::Request::post(format!("/v1/snapshots/{id}/restore"))
        .header("content-type", "application/json")
        .body(bytes::Bytes::from(body.to_string()))
        .unwrap();
    let viewer = local::http::Caller::Person(local::options::Role::Viewer);

    let refused = app.world.request(request, viewer).await;
    assert_eq!(refused.status(), 403);
    let refusal: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(text(&refusal, "needed_role"), "operator");

    // What AWS does not permit our own role is found out by dry runs, before anything is done.
    app.ec2.deny("CreateVolume");
    let restore = begun(&app, &id, json!({ "mode": "new_volumes" })).await;
    let failed = after(&app, &restore, 2).await;
    assert_eq!(text(&failed["failure"], "code"), "aws_not_permitted");
    assert_eq!(text(&failed["failure"], "missing_right"), "ec2:CreateVolume");
}

#[tokio::test]
async fn m4_after_its_restore_window_a_snapshot_is_not_restored_any_more() {
    let (app, _, id) = with_snapshot().await;
    let until = app.now() + SignedDuration::from_hours(14 * 24);
    let path = format!("/v1/snapshots/{id}");
    app.call("PATCH", &path, json!({ "restore_until": until })).await.expect(200);

    app.clock.set(until - SignedDuration::from_secs(1));
    ask(&app, &id, json!({ "mode": "new_volumes" })).await.expect(202);
    app.clock.set(until);
    let over = ask(&app, &id, json!({ "mode": "new_volumes" })).await.expect(410);

    assert!(text(&over, "detail").contains("window is over"));
    assert_eq!(app.record(&id).await.status, Status::Available);
}

/// The same key makes one restore, another body under it none.
#[tokio::test]
async fn b5_a_restore_is_asked_for_by_one_post_and_once_under_a_key() {
    let (app, _, id) = with_snapshot().await;
    let path = format!("/v1/snapshots/{id}/restore");
    let key = [("idempotency-key", "monday")];
    let body = json!({ "confirm": id, "mode": "new_volumes" });

    let first = app.send("POST", &path, body.clone(), &key).await.expect(202);
    app.pass_minutes(2).await;
    let again = app.send("POST", &path, body, &key).await.expect(202);
    let other = json!({ "confirm": id, "mode": "new_instance" });
    app.send("POST", &path, other, &key).await.expect(422);

    assert_eq!(first["id"], again["id"]);
    assert_eq!(app.list(&format!("/v1/restores?snapshot_id={id}")).await.len(), 1);
}

#[tokio::test]
async fn b30_a_restore_says_how_far_it_is() {
    let (app, instance, id) = with_snapshot().await;
    let body = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });
    let restore = begun(&app, &id, body).await;
    let wanted = shown(&app, &restore).await;
    assert_eq!(
        wanted["progress"],
        json!({
            "step": 1, "of": 7, "percent": 0, "text": "step 1 of 7: check",
        })
    );

    let mut seen = vec![0];
    for _ in 0..300 {
        app.clock.advance(SignedDuration::from_secs(3));
        app.settle().await;
        let now = shown(&app, &restore).await;
        seen.push(now["progress"]["percent"].as_i64().unwrap());
        if now["status"] == "done" {
            break;
        }
    }
    let done = shown(&app, &restore).await;

    assert!(seen.is_sorted() && seen.last() == Some(&100), "{seen:?}");
    for step in done["steps"].as_array().unwrap() {
        assert!(step["seconds"].is_i64(), "{step}");
    }
    for filter in [format!("instance_id={instance}"), "status=done".to_owned(), String::new()] {
        assert_eq!(app.list(&format!("/v1/restores?{filter}")).await.len(), 1, "{filter}");
    }
    assert!(app.list("/v1/restores?status=failed").await.is_empty());
}
