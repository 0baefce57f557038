//! Restores that fail, are taken up again, or are cancelled: at every step, and with nothing lost.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{Config, Fault, InstanceState};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{
    after, after_lease, ask, assert_free, begun, devices, drive, made, record, shown,
};
use crate::support::tripwire::at_every_call;

const IN_PLACE: &str = r#"{"mode": "replace_volumes", "stop": true, "snapshot_first": false}"#;

fn in_place() -> Value {
    serde_json::from_str(IN_PLACE).unwrap()
}

async fn cancel(app: &App, id: &str) -> Value {
    app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202)
}

async fn retry(app: &App, id: &str) -> Value {
    app.call("POST", &format!("/v1/restores/{id}/retry"), Value::Null).await.expect(202)
}

#[tokio::test]
async fn a_replacement_is_taken_back_wherever_it_is_cancelled() {
    for looks in 0..40 {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let snapshot = app.take_snapshot(&instance).await;
        let (before, volumes) = (devices(&app, &instance), app.ec2.volumes().len());
        let id = begun(&app, &snapshot, in_place()).await;
        drive(&app, &id, looks).await;
        if record(&app, &id).await.status.is_over() {
            assert!(looks > 4, "{looks}");
            app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(409);
            return;
        }

        cancel(&app, &id).await;
        let cancelled = after(&app, &id, 40).await;

        assert_eq!(text(&cancelled, "status"), "cancelled", "{looks}: {cancelled:#}");
        assert_eq!(devices(&app, &instance), before, "{looks}");
        assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running, "{looks}");
        assert_free(&app, &snapshot, &instance).await;
        // What was ever attached may have something that is nowhere else.
        let left = made(&app, &id);
        let notes = cancelled["notes"].as_array().unwrap().len();
        assert!(left.iter().all(|volume| volume.attachment.is_none()), "{looks}");
        assert_eq!((left.len(), app.ec2.volumes().len()), (notes, volumes + notes), "{looks}");
        let restore = record(&app, &id).await;
        let asked = restore.made.volumes.iter().filter(|one| one.attached_at.is_some()).count();
        assert_eq!(left.len(), asked, "{looks}");
    }
    panic!("the restore never came to an end");
}

#[tokio::test]
async fn a_cancellation_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let snapshot = app.take_snapshot(&instance).await;
        let (before, volumes) = (devices(&app, &instance), app.ec2.volumes().len());
        let id = begun(&app, &snapshot, in_place()).await;
        app.ec2.fault(Fault::on("AttachVolume").skip(2).error("InvalidParameterValue", 400));
        drive(&app, &id, 20).await;
        assert_eq!(shown(&app, &id).await["failure"]["step"], "attach_volumes");
        cancel(&app, &id).await;

        let work = Box::pin(drive(&app, &id, 60));
        let alive = app.wire.run(trip, work).await.is_some();
        let cancelled = after_lease(&app, &id, 14).await;

        assert_eq!(text(&cancelled, "status"), "cancelled", "{trip:?}: {cancelled:#}");
        assert_eq!(devices(&app, &instance), before, "{trip:?}");
        // One of the two was attached, and stays.
        assert_eq!(app.ec2.volumes().len(), volumes + 1, "{trip:?}");
        assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running, "{trip:?}");
        assert_free(&app, &snapshot, &instance).await;
        alive
    })
    .await;

    assert!(calls > 10, "{calls} calls");
}

/// EC2 shows changes half a minute late: what was asked for before the cancellation must not come after it.
#[tokio::test]
async fn a_cancellation_does_not_believe_what_is_of_before() {
    for looks in 1..14 {
        let lag = SignedDuration::from_secs(25);
        let app = App::with(Config { visibility_lag: lag, ..Config::default() }).await;
        let instance = app.instance("web", 2);
        app.clock.advance(SignedDuration::from_mins(1));
        let snapshot = app.take_snapshot(&instance).await;
        let before = devices(&app, &instance);
        let id = begun(&app, &snapshot, in_place()).await;
        drive(&app, &id, looks).await;
        if record(&app, &id).await.status.is_over() {
            return;
        }

        cancel(&app, &id).await;
        let cancelled = after(&app, &id, 40).await;

        assert_eq!(text(&cancelled, "status"), "cancelled", "{looks}: {cancelled:#}");
        assert_eq!(devices(&app, &instance), before, "{looks}");
        assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running, "{looks}");
    }
}

#[tokio::test]
async fn each_call_that_is_refused_stops_its_step_and_a_retry_goes_on_there() {
    for (action, step) in [
        ("CreateVolume", "create_volumes"),
        ("StopInstances", "stop_instance"),
        ("DetachVolume", "detach_volumes"),
        ("AttachVolume", "attach_volumes"),
        ("StartInstances", "start_instance"),
    ] {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let snapshot = app.take_snapshot(&instance).await;
        let before = devices(&app, &instance);
        let id = begun(&app, &snapshot, in_place()).await;
        // The first call is the dry run; of two volumes the second fails.
        let skip = if action.ends_with("Volume") { 2 } else { 1 };
        app.ec2.fault(Fault::on(action).skip(skip).error("InvalidParameterValue", 400));

        let failed = after(&app, &id, 20).await;
        assert_eq!(text(&failed, "status"), "failed", "{action}: {failed:#}");
        assert_eq!(text(&failed["failure"], "step"), step, "{action}");
        assert_eq!(text(&failed["failure"], "code"), "InvalidParameterValue");
        assert!(text(&failed["failure"], "go_on").contains("/retry"));
        assert!(text(&failed["failure"], "go_back").contains("/cancel"));
        assert!(!failed["failure"]["exists"].as_array().unwrap().is_empty());
        // It holds its instance and its snapshot as long as it is not over.
        let other = ask(&app, &snapshot, in_place()).await.expect(409);
        assert!(text(&other, "detail").contains(&id) || text(&other, "detail").contains("stop"));
        let path = format!("/v1/snapshots/{snapshot}");
        app.call("DELETE", &path, Value::Null).await.expect(409);

        retry(&app, &id).await;
        let done = after(&app, &id, 20).await;
        assert_eq!(text(&done, "status"), "done", "{action}: {done:#}");
        assert_eq!(done["failure"], Value::Null);
        assert_eq!(made(&app, &id).len(), 2, "{action}");
        let now = devices(&app, &instance);
        assert!(now.iter().all(|(device, volume)| before[device] != *volume), "{action}");
        assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running);
    }
}

#[tokio::test]
async fn an_old_volume_that_cannot_be_marked_is_noted_and_holds_up_nothing() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let id = begun(&app, &snapshot, in_place()).await;
    // The first call is the dry run.
    app.ec2.fault(Fault::on("CreateTags").skip(1).error("TagLimitExceeded", 400));

    let done = after(&app, &id, 20).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let notes = done["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "{done:#}");
    assert!(notes[0].as_str().unwrap().contains("could not be marked"), "{done:#}");
}

#[tokio::test]
async fn what_passes_is_tried_again_without_anybody() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let id = begun(&app, &snapshot, in_place()).await;
    for action in ["StopInstances", "DetachVolume", "AttachVolume", "StartInstances"] {
        app.ec2.fault(Fault::on(action).skip(1).times(4).error("RequestLimitExceeded", 503));
    }
    app.ec2.fault(Fault::on("CreateVolume").skip(1).reply_lost());

    let done = after(&app, &id, 30).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    assert_eq!(made(&app, &id).len(), 2);
}

#[tokio::test]
async fn a_root_replacement_that_fails_is_tried_anew_by_a_retry() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let before = devices(&app, &instance);
    app.ec2.fault(Fault::on("CreateReplaceRootVolumeTask").skip(1).member_fails());
    let body = json!({ "mode": "replace_root", "snapshot_first": false });
    let id = begun(&app, &snapshot, body).await;

    let failed = after(&app, &id, 5).await;
    assert_eq!(text(&failed["failure"], "code"), "RootReplacementFailed", "{failed:#}");
    assert_eq!(devices(&app, &instance), before);

    retry(&app, &id).await;
    let done = after(&app, &id, 5).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");
    assert_ne!(devices(&app, &instance), before);
    assert_eq!(app.ec2.root_replacements().len(), 2);
}

#[tokio::test]
async fn a_failed_snapshot_first_changes_nothing_and_a_retry_takes_another() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let (before, volumes) = (devices(&app, &instance), app.ec2.volumes());
    app.ec2.fault(Fault::on("CreateSnapshots").member_fails());
    let id = begun(&app, &snapshot, json!({ "mode": "replace_volumes", "stop": true })).await;

    let failed = after(&app, &id, 10).await;
    assert_eq!(text(&failed["failure"], "step"), "snapshot_first", "{failed:#}");
    assert_eq!(devices(&app, &instance), before);
    assert_eq!(app.ec2.volumes().len(), volumes.len());
    assert!(made(&app, &id).is_empty());

    retry(&app, &id).await;
    let done = after(&app, &id, 20).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");
    assert_ne!(done["snapshot_first_id"], failed["snapshot_first_id"]);
}

#[tokio::test]
async fn a_cancelled_new_instance_leaves_no_image_and_says_what_stays() {
    for looks in 0..12 {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let snapshot = app.take_snapshot(&instance).await;
        let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
        drive(&app, &id, looks).await;
        if record(&app, &id).await.status.is_over() {
            assert!(looks > 2);
            return;
        }

        cancel(&app, &id).await;
        let cancelled = after(&app, &id, 20).await;

        assert_eq!(text(&cancelled, "status"), "cancelled", "{looks}: {cancelled:#}");
        assert!(app.ec2.images().is_empty(), "{looks}");
        let launched = app.ec2.instances().len() - 1;
        assert_eq!(cancelled["notes"].as_array().unwrap().len(), launched, "{looks}");
    }
    panic!("the restore never came to an end");
}

#[tokio::test]
async fn what_somebody_uses_is_not_deleted() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.fault(Fault::on("CreateVolume").skip(2).error("VolumeLimitExceeded", 400));
    let id = begun(
        &app,
        &snapshot,
        json!({ "mode": "new_volumes", "attach_to": db, "volumes": [
        { "device": "/dev/sda", "attach_as": "/dev/sdx" },
    ] }),
    )
    .await;
    let done = after(&app, &id, 6).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");

    // Another restore, failed with its volume made, which somebody then attaches.
    app.ec2.forget_faults();
    app.ec2.fault(Fault::on("AttachVolume").skip(1).error("InvalidParameterValue", 400));
    let body = json!({ "mode": "new_volumes", "attach_to": db, "volumes": [
        { "device": "/dev/sda", "attach_as": "/dev/sdy" },
    ] });
    let id = begun(&app, &snapshot, body).await;
    let failed = after(&app, &id, 6).await;
    let volume = text(&failed["volumes"][0], "volume_id").to_owned();
    let call = format!(
        "Action=AttachVolume&VolumeId={volume}&InstanceId={web}&Device=/dev/sdz&Version=2016-11-15"
    );
    crate::support::sweeps::ec2(&app, &call);
    cancel(&app, &id).await;
    let cancelled = after(&app, &id, 15).await;

    assert_eq!(text(&cancelled, "status"), "cancelled", "{cancelled:#}");
    assert_eq!(devices(&app, &web)["/dev/sdz"], volume);
    assert_eq!(cancelled["notes"].as_array().unwrap().len(), 1);
}

/// The instance joins a group, which would end it once stopped, after it was started on the new volumes.
#[tokio::test]
async fn a_cancellation_does_not_stop_an_instance_that_its_group_would_end() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = devices(&app, &instance);
    let id = begun(&app, &snapshot, in_place()).await;
    app.ec2.fault(Fault::on("StartInstances").skip(1).error("InvalidParameterValue", 400));
    let failed = after(&app, &id, 20).await;
    assert_eq!(text(&failed["failure"], "step"), "start_instance", "{failed:#}");
    app.ec2.set_instance_state(&instance, InstanceState::Running);
    app.ec2.tag_instance(&instance, "aws:autoscaling:groupName", "fleet");
    app.ec2.reset_calls();

    cancel(&app, &id).await;
    let stopped = after(&app, &id, 10).await;
    assert_eq!(text(&stopped, "status"), "failed", "{stopped:#}");
    assert_eq!(text(&stopped["failure"], "step"), "stop_again");
    assert_eq!(text(&stopped["failure"], "code"), "AutoScalingGroup");
    assert!(text(&stopped["failure"], "message").contains("fleet"));
    assert!(!app.ec2.calls().contains_key("StopInstances"));
    assert_ne!(devices(&app, &instance), before);

    // In Standby a person stops it.
    app.ec2.set_instance_state(&instance, InstanceState::Stopped);
    retry(&app, &id).await;
    assert_eq!(text(&after(&app, &id, 20).await, "status"), "cancelled");
    assert_eq!(devices(&app, &instance), before);
    assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running);
}

#[tokio::test]
async fn a_restore_can_be_ended_with_everything_left_as_it_is() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let id = begun(&app, &snapshot, in_place()).await;
    app.ec2.fault(Fault::on("AttachVolume").skip(2).error("InvalidParameterValue", 400));
    let failed = after(&app, &id, 20).await;
    assert_eq!(text(&failed, "status"), "failed");
    let before = (devices(&app, &instance), app.ec2.volumes());

    let path = format!("/v1/restores/{id}/cancel");
    let left = app.call("POST", &path, json!({ "leave": true })).await.expect(202);
    app.pass_minutes(10).await;

    assert_eq!(text(&left, "status"), "cancelled");
    assert_eq!((devices(&app, &instance), app.ec2.volumes()), before);
    assert_free(&app, &snapshot, &instance).await;
}

#[tokio::test]
async fn retry_and_cancel_are_refused_where_they_make_no_sense_and_repeated_do_nothing() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let id = begun(&app, &snapshot, json!({ "mode": "new_volumes" })).await;

    assert_eq!(retry(&app, &id).await["status"], "requested");
    cancel(&app, &id).await;
    assert_eq!(cancel(&app, &id).await["status"], "cancelling");
    assert_eq!(text(&after(&app, &id, 5).await, "status"), "cancelled");
    assert_eq!(cancel(&app, &id).await["status"], "cancelled");
    app.call("POST", &format!("/v1/restores/{id}/retry"), Value::Null).await.expect(409);
}
