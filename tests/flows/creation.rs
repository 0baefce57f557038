//! Taking snapshots: on demand, under every fault EC2 and the events have.

use jiff::SignedDuration;
use serde_json::json;
use shared::domain::snapshot::Status;
use sim_ec2::{Config, EventFault, Fault};

use crate::support::app::App;
use crate::support::events::requested;
use crate::support::reply::text;

#[tokio::test]
async fn a_snapshot_is_taken_and_becomes_available() {
    let app = App::start().await;
    let instance = app.instance("web", 3);

    let id = app.request_snapshot(&instance).await;
    let before = app.status(&id).await;
    app.settle().await;
    let pending = app.get(&format!("/v1/snapshots/{id}")).await;
    app.pass_minutes(2).await;
    let available = app.get(&format!("/v1/snapshots/{id}")).await;

    assert_eq!(before, "requested");
    assert_eq!(text(&pending, "status"), "pending");
    assert_eq!(pending["restorable"], json!(false));
    assert_eq!(text(&available, "status"), "available");
    assert_eq!(available["restorable"], json!(true));
    assert_eq!(available["volumes"].as_array().unwrap().len(), 3);
    assert_eq!(available["size_gib"], json!(24));
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn every_member_bears_our_tags_from_the_start() {
    let app = App::start().await;
    let instance = app.instance("web", 2);

    let id = app.request_snapshot(&instance).await;
    app.settle().await;

    assert!(!app.ec2.calls().contains_key("CreateTags"));
    for snapshot in app.ec2.snapshots() {
        assert_eq!(snapshot.tags["snapkeep:id"], id);
        assert_eq!(snapshot.tags["snapkeep:managed-by"], "snapkeep");
        assert_eq!(snapshot.tags["snapkeep:instance"], instance);
    }
}

#[tokio::test]
async fn excluded_volumes_are_left_out() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    let details = app.get(&format!("/v1/instances/{instance}")).await;
    let second = text(&details["volumes"][1], "volume_id");

    let body = json!({
        "instance_id": instance, "exclude_boot_volume": true, "exclude_volumes": [second],
    });
    let answer = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;

    let snapshot = app.get(&format!("/v1/snapshots/{}", text(&answer, "id"))).await;
    let volumes = snapshot["volumes"].as_array().unwrap();
    assert_eq!(volumes.len(), 1);
    assert_eq!(text(&volumes[0], "device"), "/dev/sdc");
}

#[tokio::test]
async fn a_lost_reply_makes_one_set_and_it_is_adopted() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).reply_lost());

    let id = app.request_snapshot(&instance).await;
    app.settle().await;
    let unknown = app.status(&id).await;
    app.pass_minutes(12).await;

    assert_eq!(unknown, "creating");
    assert_eq!(app.status(&id).await, "available");
    assert_eq!(app.sets(), [(id, 2)].into());
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn a_call_that_did_nothing_and_did_not_say_so_is_repeated_after_five_minutes() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).internal_error());

    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(4).await;
    let early = app.ec2.calls()["CreateSnapshots"];
    app.pass_minutes(8).await;

    assert_eq!(early, 1);
    assert_eq!(app.status(&id).await, "available");
    assert_eq!(app.sets(), [(id, 1)].into());
}

#[tokio::test]
async fn absence_is_not_believed_while_ec2_may_lag_behind() {
    let lag = SignedDuration::from_secs(290);
    let app = App::with(Config { visibility_lag: lag, ..Config::default() }).await;
    let instance = app.instance("web", 2);
    app.pass_minutes(6).await;
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).reply_lost());

    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(80).await;

    assert_eq!(app.status(&id).await, "available");
    assert_eq!(app.sets(), [(id, 2)].into());
}

#[tokio::test]
async fn an_event_delivered_twice_takes_one_snapshot() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.request_snapshot(&instance).await;
    let event = requested(&id, &instance);

    app.settle().await;
    for _ in 0..3 {
        snapshotter::handle(app.service(), &app.function_clock(), event.clone()).await.unwrap();
    }

    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn two_deliveries_at_once_take_one_snapshot() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.request_snapshot(&instance).await;
    let event = requested(&id, &instance);
    let clock = app.function_clock();

    let (one, other) = tokio::join!(
        snapshotter::handle(app.service(), &clock, event.clone()),
        snapshotter::handle(app.service(), &clock, event.clone()),
    );

    assert!(one.is_ok() && other.is_ok());
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn completion_events_doubled_late_or_lost_change_nothing_in_the_end() {
    for fault in [
        EventFault::doubled().times(10),
        EventFault::late(SignedDuration::from_mins(7)).times(10),
        EventFault::lost().times(10),
    ] {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        app.ec2.event_fault(fault);

        let id = app.request_snapshot(&instance).await;
        // At the latest the hourly reconciliation finds out.
        app.pass_minutes(62).await;

        assert_eq!(app.status(&id).await, "available");
    }
}

#[tokio::test]
async fn one_failed_member_fails_the_set_and_it_is_not_restorable() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).member_fails());

    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(5).await;

    let failed = app.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!(text(&failed, "status"), "error");
    assert_eq!(failed["restorable"], json!(false));
    assert!(failed["failure"]["message"].is_string());
}

#[tokio::test]
async fn a_limit_that_frees_itself_makes_it_late_not_failed() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let code = "SnapshotCreationPerVolumeRateExceeded";
    app.ec2.fault(Fault::on("CreateSnapshots").times(2).error(code, 400));

    let id = app.request_snapshot(&instance).await;
    app.settle().await;
    let waiting = app.record(&id).await;
    app.pass_minutes(90).await;

    assert_eq!(waiting.status, Status::Requested);
    assert_eq!(waiting.course.failure.unwrap().code, code);
    assert_eq!(app.status(&id).await, "available");
}

#[tokio::test]
async fn an_instance_that_cannot_be_taken_is_refused_with_the_reason() {
    let app = App::start().await;
    let bare = app.instance("bare", 0);

    let refused = app.call("POST", "/v1/snapshots", json!({ "instance_id": bare })).await;
    let unknown = json!({ "instance_id": "i-0123456789abcdef0" });
    let missing = app.call("POST", "/v1/snapshots", unknown).await;

    assert!(text(&refused.expect(409), "detail").contains("no EBS volumes"));
    missing.expect(404);
    assert!(app.list("/v1/snapshots").await.is_empty());
}

#[tokio::test]
async fn the_same_idempotency_key_makes_one_snapshot() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let other = app.instance("db", 1);
    let key = [("idempotency-key", "before-the-upgrade")];
    let body = json!({ "instance_id": instance });

    let first = app.send("POST", "/v1/snapshots", body.clone(), &key).await.expect(202);
    app.pass_minutes(3).await;
    let again = app.send("POST", "/v1/snapshots", body, &key).await.expect(202);
    let reused = app.send("POST", "/v1/snapshots", json!({ "instance_id": other }), &key).await;

    assert_eq!(text(&first, "id"), text(&again, "id"));
    reused.expect(422);
    assert_eq!(app.list("/v1/snapshots").await.len(), 1);
}

#[tokio::test]
async fn a_message_that_is_no_event_is_put_aside_and_the_rest_goes_on() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.request_snapshot(&instance).await;
    let mut batch = requested(&id, &instance);
    let good = batch["Records"][0].clone();
    batch["Records"] = json!([{ "messageId": "bad", "body": "{not json" }, good]);

    let answer = snapshotter::handle(app.service(), &app.function_clock(), batch).await.unwrap();
    app.settle().await;

    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(app.status(&id).await, "pending");
    let dispatch = app.world.bus().dispatch();
    let rejected = dispatch.messages("RejectedDeadLetters");
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].body.contains("the body is no event"));
}
