//! Settings that restores bring back as they were recorded, and what is said of those that they do not.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceSpec, LaunchSettings, SeedVolume};

use crate::support::app::App;
use crate::support::hands;
use crate::support::reply::text;
use crate::support::restores::{after, ask, begun, devices, made, shown};

/// A database whose data volume could be at several instances at once.
fn clustered(app: &App) -> String {
    let mut spec = InstanceSpec::named("db");
    spec.volumes =
        vec![SeedVolume::new("/dev/xvda", 8), SeedVolume::new("/dev/sdf", 8).multi_attach()];
    app.ec2.add_instance(spec)
}

fn differs(restore: &Value) -> String {
    restore["outlook"]["differs"].to_string()
}

/// The restored volume of `/dev/sdf`, and whether it can be at several instances.
async fn data_volume(app: &App, id: &str) -> (String, bool) {
    let shown = shown(app, id).await;
    let volumes = shown["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|volume| volume["device"] == "/dev/sdf").unwrap();
    let id = text(volume, "volume_id").to_owned();
    let there = app.ec2.volumes().into_iter().find(|one| one.id == id).unwrap();
    assert_eq!(volume["multi_attach"], json!(there.multi_attach), "{volume:#}");
    (id, there.multi_attach)
}

#[tokio::test]
async fn a_volume_that_could_be_at_several_instances_can_again() {
    for body in [
        json!({ "mode": "new_volumes" }),
        json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false }),
    ] {
        let app = App::start().await;
        let (db, other) = (clustered(&app), app.instance("other", 1));
        let snapshot = app.take_snapshot(&db).await;

        let id = begun(&app, &snapshot, body).await;
        let done = after(&app, &id, 12).await;

        assert_eq!(text(&done, "status"), "done", "{done:#}");
        assert!(!differs(&done).contains("Multi-Attach"), "{done:#}");
        let (volume, multi_attach) = data_volume(&app, &id).await;
        assert!(multi_attach && hands::attach(&app, &volume, &other, "/dev/sdf"), "{done:#}");
        let of_root = made(&app, &id).into_iter().filter(|one| one.id != volume);
        assert!(of_root.into_iter().all(|one| !one.multi_attach));
    }
}

/// It has become such since, or the record is of a time when that was not recorded.
#[tokio::test]
async fn a_volume_that_replaces_one_that_can_now_can_too() {
    let app = App::start().await;
    let other = app.instance("other", 1);
    let mut spec = InstanceSpec::named("db");
    spec.volumes =
        vec![SeedVolume::new("/dev/xvda", 8), SeedVolume::new("/dev/sdf", 8).volume_type("io2")];
    let db = app.ec2.add_instance(spec);
    let snapshot = app.take_snapshot(&db).await;
    let volume = devices(&app, &db)["/dev/sdf"].clone();
    app.ec2.share_volume(&volume, &other, "/dev/sdf");
    assert!(hands::act(&app, &format!("DetachVolume&VolumeId={volume}&InstanceId={other}")));
    app.pass_minutes(1).await;

    let body = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });
    let id = begun(&app, &snapshot, body).await;

    assert_eq!(after(&app, &id, 12).await["status"], "done");
    assert!(data_volume(&app, &id).await.1);
}

#[tokio::test]
async fn a_type_that_cannot_and_a_launch_are_told_beforehand() {
    let app = App::start().await;
    let db = clustered(&app);
    let snapshot = app.take_snapshot(&db).await;

    let other_type = json!({
        "mode": "new_volumes", "volumes": [{ "device": "/dev/sdf", "volume_type": "gp3" }],
    });
    let answer = ask(&app, &snapshot, other_type).await.expect(202);
    let id = text(&answer, "id").to_owned();
    let launch = ask(&app, &snapshot, json!({ "mode": "new_instance" })).await.expect(202);

    assert!(differs(&answer).contains("/dev/sdf could be at several instances"), "{answer:#}");
    assert!(differs(&launch).contains("/dev/sdf could be at several instances"), "{launch:#}");
    assert_eq!(after(&app, &id, 6).await["status"], "done");
    assert!(!data_volume(&app, &id).await.1);
}

fn router() -> LaunchSettings {
    LaunchSettings {
        metadata_ipv6: Some("enabled".to_owned()),
        metadata_tags: Some("enabled".to_owned()),
        source_check_off: true,
        ..LaunchSettings::default()
    }
}

async fn launched_anew(app: &App, settings: LaunchSettings) -> Value {
    let nat = app.ec2.add_instance(InstanceSpec::named("nat").settings(settings));
    let snapshot = app.take_snapshot(&nat).await;
    let id = begun(app, &snapshot, json!({ "mode": "new_instance" })).await;
    let done = after(app, &id, 6).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");
    done
}

fn settings(app: &App, done: &Value) -> LaunchSettings {
    app.ec2.instance(text(done, "new_instance_id")).unwrap().settings
}

/// No launch turns it off: with it on, a NAT instance that is restored passes nothing on.
#[tokio::test]
async fn an_instance_that_passed_traffic_on_does_again() {
    let app = App::start().await;

    let done = launched_anew(&app, router()).await;

    let new = settings(&app, &done);
    assert!(new.source_check_off);
    assert_eq!(
        (new.metadata_ipv6, new.metadata_tags),
        (router().metadata_ipv6, router().metadata_tags)
    );
    assert_eq!(done["notes"], json!([]));
    assert_eq!(app.ec2.calls()["ModifyInstanceAttribute"], 1);
}

#[tokio::test]
async fn what_keeps_its_check_is_asked_for_nothing() {
    let app = App::start().await;

    let done = launched_anew(&app, LaunchSettings::default()).await;

    assert!(!settings(&app, &done).source_check_off);
    assert!(!app.ec2.calls().contains_key("ModifyInstanceAttribute"));
}

/// The instance is there: nothing waits for it, and nothing is launched anew.
#[tokio::test]
async fn a_check_that_cannot_be_turned_off_is_noted_and_holds_up_nothing() {
    for is_denied in [false, true] {
        let app = App::start().await;
        if is_denied {
            app.ec2.deny("ModifyInstanceAttribute");
        } else {
            let fault = Fault::on("ModifyInstanceAttribute").error("UnsupportedOperation", 400);
            app.ec2.fault(fault);
        }

        let done = launched_anew(&app, router()).await;

        let (notes, new) = (done["notes"].to_string(), text(&done, "new_instance_id"));
        assert!(notes.contains(new) && notes.contains("source/destination check"), "{notes}");
        assert_eq!(devices(&app, new).len(), 1);
    }
}
