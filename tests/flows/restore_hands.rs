//! People's hands at an instance under restore: what they have attached is neither taken off nor deleted, and what they
//! run is not stopped unless the restore was allowed to.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceState};

use crate::support::app::App;
use crate::support::hands;
use crate::support::reply::text;
use crate::support::restores::{after, begun, devices, drive, made, shown};

async fn cancel(app: &App, id: &str) -> Value {
    app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202)
}

async fn retry(app: &App, id: &str) -> Value {
    app.call("POST", &format!("/v1/restores/{id}/retry"), Value::Null).await.expect(202)
}

fn has(app: &App, volume: &str) -> bool {
    app.ec2.volumes().iter().any(|one| one.id == volume)
}

fn state(app: &App, instance: &str) -> InstanceState {
    app.ec2.instance(instance).unwrap().state
}

/// R1, case 1: the place is taken meanwhile, and a person finishes by hand.
#[tokio::test]
async fn a_volume_that_a_person_has_attached_elsewhere_is_neither_taken_off_nor_deleted() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 2), app.instance("db", 1));
    let snapshot = app.take_snapshot(&web).await;
    let body = json!({
        "mode": "new_volumes", "attach_to": db,
        "volumes": [{ "device": "/dev/sdb", "attach_as": "/dev/sdf" }],
    });
    let id = begun(&app, &snapshot, body).await;
    let other = hands::new_volume(&app);
    app.clock.advance(SignedDuration::from_secs(5));
    assert!(hands::attach(&app, &other, &db, "/dev/sdf"), "{:#}", shown(&app, &id).await);
    let failed = after(&app, &id, 5).await;
    assert_eq!(text(&failed["failure"], "code"), "DeviceInUse", "{failed:#}");
    let new = text(&failed["volumes"][0], "volume_id").to_owned();

    assert!(hands::attach(&app, &new, &db, "/dev/sdg"));
    app.pass_minutes(1).await;
    cancel(&app, &id).await;
    let stopped = after(&app, &id, 10).await;

    assert_eq!(devices(&app, &db)["/dev/sdg"], new, "{stopped:#}");
    assert_eq!(text(&stopped, "status"), "cancelled", "{stopped:#}");
    let notes = stopped["notes"].to_string();
    assert!(notes.contains(&new) && notes.contains("/dev/sdg"), "{stopped:#}");
}

/// R1, case 2: without `stop`, a person starts the instance, then puts the new volume in by hand.
#[tokio::test]
async fn what_stop_did_not_allow_is_not_stopped_on_the_way_back_either() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    app.ec2.set_instance_state(&instance, InstanceState::Stopped);
    let before = devices(&app, &instance);
    let body = json!({
        "mode": "replace_volumes", "snapshot_first": false, "volumes": [{ "device": "/dev/sdb" }],
        "keep": ["/dev/sda"],
    });
    let id = begun(&app, &snapshot, body).await;
    hands::start(&app, &instance);
    let failed = after(&app, &id, 10).await;
    assert_eq!(text(&failed["failure"], "code"), "InstanceRunning", "{failed:#}");
    let new = made(&app, &id)[0].id.clone();
    hands::stop(&app, &instance);
    app.pass_minutes(1).await;
    assert!(hands::detach(&app, &before["/dev/sdb"]));
    app.pass_minutes(1).await;
    assert!(hands::attach(&app, &new, &instance, "/dev/sdb"));
    hands::start(&app, &instance);
    app.pass_minutes(1).await;
    app.ec2.reset_calls();

    cancel(&app, &id).await;
    let stopped = after(&app, &id, 10).await;

    assert!(!app.ec2.calls().contains_key("StopInstances"), "{stopped:#}");
    assert_eq!(state(&app, &instance), InstanceState::Running);
    assert_eq!(devices(&app, &instance)["/dev/sdb"], new, "{stopped:#}");
    assert_eq!(text(&stopped["failure"], "code"), "AttachedByHand", "{stopped:#}");
    assert!(text(&stopped["failure"], "message").contains("leave"), "{stopped:#}");
    // A person who wants it back as it was takes it off, and nothing of it is lost.
    hands::stop(&app, &instance);
    app.pass_minutes(1).await;
    assert!(hands::detach(&app, &new));
    app.pass_minutes(1).await;
    retry(&app, &id).await;
    let cancelled = after(&app, &id, 10).await;
    assert_eq!(text(&cancelled, "status"), "cancelled", "{cancelled:#}");
    assert!(has(&app, &new), "{cancelled:#}");
    assert!(cancelled["notes"].to_string().contains(&new), "{cancelled:#}");
}

/// R1, case 3: a person starts the instance between detach and attach, and attaches the new volume by hand.
#[tokio::test]
async fn what_was_written_since_a_person_finished_by_hand_is_not_lost() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = devices(&app, &instance);
    let body = json!({
        "mode": "replace_volumes", "stop": true, "snapshot_first": false,
        "volumes": [{ "device": "/dev/sdb" }], "keep": ["/dev/sda"],
    });
    let id = begun(&app, &snapshot, body).await;
    app.ec2.fault(Fault::on("AttachVolume").skip(1).error("InvalidParameterValue", 400));
    let failed = after(&app, &id, 10).await;
    assert_eq!(text(&failed["failure"], "step"), "attach_volumes", "{failed:#}");
    let new = made(&app, &id)[0].id.clone();
    hands::start(&app, &instance);
    app.pass_minutes(1).await;
    assert!(hands::attach(&app, &new, &instance, "/dev/sdg"));
    app.pass_minutes(1).await;

    cancel(&app, &id).await;
    let stopped = after(&app, &id, 10).await;

    assert_eq!(devices(&app, &instance)["/dev/sdg"], new, "{stopped:#}");
    assert!(has(&app, &new) && has(&app, &before["/dev/sdb"]), "{stopped:#}");
    assert_eq!(state(&app, &instance), InstanceState::Running, "{stopped:#}");
    assert_eq!(text(&stopped["failure"], "code"), "AttachedByHand", "{stopped:#}");
}

/// R1, case 4: a person attaches the new root a little early, and the restore goes on by itself.
#[tokio::test]
async fn of_two_volumes_in_use_none_is_deleted_whoever_has_attached_it() {
    for looks in 4..40 {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let snapshot = app.take_snapshot(&instance).await;
        let body = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });
        let id = begun(&app, &snapshot, body).await;
        let mut attached_early = None;
        for _ in 0..looks {
            drive(&app, &id, 1).await;
            let new = made(&app, &id).into_iter().find(|one| one.tags["Name"].contains("/dev/sda"));
            if let (None, Some(new)) = (&attached_early, new)
                && hands::attach(&app, &new.id, &instance, "/dev/sda")
            {
                attached_early = Some(new.id);
            }
        }
        if shown(&app, &id).await["status"] == "done" {
            assert!(looks > 6, "{looks}");
            return;
        }

        cancel(&app, &id).await;
        let stopped = after(&app, &id, 20).await;

        if let Some(new) = &attached_early {
            assert!(has(&app, new), "{looks}: {stopped:#}");
        }
    }
    panic!("the restore never came to an end");
}
