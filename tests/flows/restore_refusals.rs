//! What cannot be restored, with the reason and what would help.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceState};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{after, ask, begun, devices, made, shown};
use crate::support::sweeps::{ec2, sweep};

/// The status of a refusal and what it says.
async fn refused(app: &App, snapshot: &str, body: Value) -> (u16, String) {
    let answer = ask(app, snapshot, body).await;
    let field = answer.body["field"].as_str().unwrap_or_default();
    (answer.status, format!("{field} {}", answer.body["detail"]))
}

#[tokio::test]
async fn only_what_is_available_and_within_its_window_is_restored() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let pending = app.request_snapshot(&instance).await;
    let (status, why) = refused(&app, &pending, json!({ "mode": "new_volumes" })).await;
    assert_eq!(status, 409, "{why}");
    assert!(why.contains("requested"), "{why}");
    app.pass_minutes(2).await;

    let until = app.now() + SignedDuration::from_mins(5);
    let path = format!("/v1/snapshots/{pending}");
    app.call("PATCH", &path, json!({ "restore_until": until })).await.expect(200);
    app.clock.set(until);
    let over = ask(&app, &pending, json!({ "mode": "new_volumes" })).await;

    assert_eq!((over.status, text(&over.body, "type")), (410, "urn:snapkeep:problem:gone"));
    assert!(text(&over.body, "detail").contains(&until.to_string()));
}

#[tokio::test]
async fn an_instance_that_is_gone_or_in_the_wrong_state_is_told_with_what_would_help() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let in_place = json!({ "mode": "replace_volumes" });

    let (status, running) = refused(&app, &snapshot, in_place.clone()).await;
    assert!(status == 409 && running.contains("stop: true"), "{running}");
    app.ec2.set_instance_state(&instance, InstanceState::Stopped);
    let (status, stopped) = refused(&app, &snapshot, json!({ "mode": "replace_root" })).await;
    assert!(status == 409 && stopped.contains("replace_volumes"), "{stopped}");
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    for mode in ["replace_volumes", "replace_root"] {
        let (status, gone) = refused(&app, &snapshot, json!({ "mode": mode })).await;
        assert!(status == 409 && gone.contains("new_instance"), "{gone}");
    }
    let (status, nowhere) =
        refused(&app, &snapshot, json!({ "mode": "new_volumes", "attach_to": instance })).await;
    assert!(status == 400 && nowhere.starts_with("attach_to"), "{nowhere}");
}

#[tokio::test]
async fn zones_and_devices_must_fit() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let snapshot = app.take_snapshot(&web).await;
    let attach = |extra: Value| {
        let mut body = json!({ "mode": "new_volumes", "attach_to": db });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };

    for (body, status, said) in [
        (attach(json!({ "zone": "us-east-1b" })), 400, "zone"),
        (json!({ "mode": "new_volumes", "zone": "eu-west-1a" }), 400, "us-east-1"),
        (json!({ "mode": "replace_volumes", "stop": true, "zone": "us-east-1b" }), 400, "zone"),
        (attach(json!({})), 409, "attach_as"),
        (attach(json!({ "volumes": [{ "device": "/dev/sdz" }] })), 400, "volumes[0].device"),
        (json!({ "mode": "new_volumes", "volumes": [] }), 400, "volumes"),
        (
            json!({ "mode": "new_volumes", "volumes": [{ "device": "/dev/sda", "size_gib": 1 }] }),
            400,
            "volumes[0].size_gib",
        ),
        (
            json!({ "mode": "new_volumes", "volumes": [{ "device": "/dev/sda", "volume_type": "io1" }] }),
            400,
            "volumes[0].iops",
        ),
        (json!({ "mode": "new_volumes", "stop": true }), 400, "stop"),
        (json!({ "mode": "new_volumes", "snapshot_first": true }), 400, "snapshot_first"),
        (json!({ "mode": "replace_root", "attach_to": db }), 400, "attach_to"),
    ] {
        let (found, why) = refused(&app, &snapshot, body.clone()).await;
        assert_eq!(found, status, "{body}: {why}");
        assert!(why.contains(said), "{body}: {why}");
    }
    assert!(app.list("/v1/restores").await.is_empty());
    assert_eq!(app.record(&snapshot).await.keepers.restores, []);
}

/// With Multi-Attach a volume is at several instances, and restoring it in place is not the matter of one of them.
#[tokio::test]
async fn a_volume_that_another_instance_uses_too_is_not_replaced() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 2));
    let volume = devices(&app, &db)["/dev/sdb"].clone();
    app.ec2.share_volume(&volume, &web, "/dev/sdx");
    let (of_web, of_db) = (app.take_snapshot(&web).await, app.take_snapshot(&db).await);
    let in_place = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });

    for (snapshot, other) in [(&of_web, &db), (&of_db, &web)] {
        let (status, why) = refused(&app, snapshot, in_place.clone()).await;
        assert_eq!(status, 409, "{why}");
        assert!(why.contains(&volume) && why.contains(other.as_str()), "{why}");
    }
    let mut root_only = in_place.clone();
    root_only["volumes"] = json!([{ "device": "/dev/sda" }]);
    root_only["keep"] = json!(["/dev/sdx"]);
    let root = begun(&app, &of_web, root_only).await;
    assert_eq!(after(&app, &root, 15).await["status"], "done");
    assert_eq!(devices(&app, &web)["/dev/sdx"], volume);
    assert_eq!(devices(&app, &db)["/dev/sdb"], volume);
}

#[tokio::test]
async fn a_volume_that_another_instance_gets_meanwhile_is_not_taken_off() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 2), app.instance("db", 1));
    let snapshot = app.take_snapshot(&web).await;
    let before = devices(&app, &web);
    let body = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });
    let id = begun(&app, &snapshot, body).await;
    app.ec2.share_volume(&before["/dev/sdb"], &db, "/dev/sdx");

    let failed = after(&app, &id, 10).await;
    assert_eq!(text(&failed["failure"], "code"), "VolumeShared", "{failed:#}");
    assert_eq!(text(&failed["failure"], "step"), "stop_instance");
    assert!(text(&failed["failure"], "message").contains(&db));
    assert_eq!(app.ec2.instance(&web).unwrap().state, InstanceState::Running);
    assert_eq!(devices(&app, &web), before);

    let off = format!(
        "Action=DetachVolume&VolumeId={}&InstanceId={db}&Version=2016-11-15",
        before["/dev/sdb"]
    );
    ec2(&app, &off);
    app.pass_minutes(1).await;
    app.call("POST", &format!("/v1/restores/{id}/retry"), Value::Null).await.expect(202);
    assert_eq!(after(&app, &id, 15).await["status"], "done");
}

#[tokio::test]
async fn an_instance_is_restored_by_one_at_a_time() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let (one, other) = (app.take_snapshot(&instance).await, app.take_snapshot(&instance).await);
    let body = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });
    let id = begun(&app, &one, body.clone()).await;

    let (status, why) = refused(&app, &other, body.clone()).await;
    assert!(status == 409 && why.contains(&id), "{why}");
    begun(&app, &other, json!({ "mode": "new_volumes" })).await;
    assert_eq!(after(&app, &id, 15).await["status"], "done");
    begun(&app, &other, body).await;
}

#[tokio::test]
async fn a_region_that_is_not_looked_after_is_named() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let old = app.record(&id).await;
    let mut elsewhere = old.clone();
    elsewhere.source.region = "eu-west-1".to_owned();
    elsewhere.version += 1;
    assert!(app.service().table.update_snapshot(&old, &elsewhere).await.unwrap().is_done());

    let (status, why) = refused(&app, &id, json!({ "mode": "new_volumes" })).await;

    assert!(status == 409 && why.contains("eu-west-1"), "{why}");
}

/// A record of before launches and volumes were recorded.
#[tokio::test]
async fn an_older_record_says_what_must_be_given() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let old = app.record(&id).await;
    let mut bare = old.clone();
    (bare.source.instance_type, bare.source.architecture, bare.source.zone) = (None, None, None);
    bare.source.launch = shared::domain::instance::launch::LaunchSettings::default();
    bare.members[0].volume = None;
    bare.version += 1;
    assert!(app.service().table.update_snapshot(&old, &bare).await.unwrap().is_done());

    for (instance, field) in
        [(json!({}), "instance_type"), (json!({ "instance_type": "t3.micro" }), "architecture")]
    {
        let body = json!({ "mode": "new_instance", "instance": instance });
        let (status, why) = refused(&app, &id, body).await;
        assert!(status == 400 && why.contains(field), "{why}");
    }
    let (status, why) = refused(&app, &id, json!({ "mode": "new_volumes" })).await;
    assert!(status == 400 && why.starts_with("zone"), "{why}");
    let given = json!({ "instance_type": "t3.micro", "architecture": "x86_64" });
    let launched = begun(&app, &id, json!({ "mode": "new_instance", "instance": given })).await;
    let body = json!({ "mode": "new_volumes", "zone": "us-east-1a" });
    let volumes = begun(&app, &id, body).await;
    assert_eq!(after(&app, &launched, 6).await["status"], "done");
    assert_eq!(shown(&app, &volumes).await["status"], "done");
    assert_eq!(made(&app, &volumes)[0].volume_type, "gp3");
}

#[tokio::test]
async fn the_right_that_is_missing_is_named_before_anything_is_done() {
    for (mode, action) in [
        ("new_volumes", "CreateVolume"),
        ("replace_volumes", "CreateVolume"),
        ("replace_volumes", "StopInstances"),
        ("replace_volumes", "DetachVolume"),
        ("replace_volumes", "AttachVolume"),
        ("replace_volumes", "CreateTags"),
        ("replace_volumes", "StartInstances"),
        ("replace_root", "CreateReplaceRootVolumeTask"),
        ("new_instance", "RegisterImage"),
    ] {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let snapshot = app.take_snapshot(&instance).await;
        let volumes = app.ec2.volumes();
        app.ec2.deny(action);
        let mut body = json!({ "mode": mode });
        if mode == "replace_volumes" {
            body["stop"] = json!(true);
        }
        let id = begun(&app, &snapshot, body).await;

        let failed = after(&app, &id, 3).await;
        let right = format!("ec2:{action}");
        assert_eq!(text(&failed["failure"], "step"), "check", "{action}: {failed:#}");
        assert_eq!(text(&failed["failure"], "code"), "aws_not_permitted");
        assert_eq!(text(&failed["failure"], "missing_right"), right);
        assert_eq!(failed["failure"]["exists"], json!(["nothing was made or changed"]));
        assert_eq!(app.ec2.volumes(), volumes);
        assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running);

        app.ec2.allow(action);
        app.call("POST", &format!("/v1/restores/{id}/retry"), Value::Null).await.expect(202);
        assert_eq!(after(&app, &id, 20).await["status"], "done", "{mode} {action}");
    }
}

/// What a restore uses is not deleted, by rules or by people, until it is over.
#[tokio::test]
async fn a_snapshot_under_restore_is_not_deleted_meanwhile() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(5 minutes)", &[&instance], json!({ "keep_last": 1 })).await;
    app.pass_minutes(12).await;
    let all = app.list("/v1/snapshots?sort=created_at").await;
    let oldest = text(&all[0], "id").to_owned();
    app.ec2.fault(Fault::on("CreateVolume").skip(1).error("VolumeLimitExceeded", 400));
    let id = begun(&app, &oldest, json!({ "mode": "new_volumes" })).await;
    assert_eq!(after(&app, &id, 2).await["status"], "failed");

    sweep(&app, "execute").await;
    assert_eq!(app.status(&oldest).await, "available");
    let path = format!("/v1/snapshots/{oldest}");
    let refusal = app.call("DELETE", &path, Value::Null).await.expect(409);
    assert!(text(&refusal, "detail").contains(&id));
    let snapshot = app.get(&path).await;
    assert_eq!(snapshot["restores_under_way"], json!([id]));

    app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202);
    assert_eq!(after(&app, &id, 10).await["status"], "cancelled");
    sweep(&app, "execute").await;
    assert_eq!(app.status(&oldest).await, "condemned");
}
