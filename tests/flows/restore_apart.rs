//! Schedules and people's snapshots while a restore has an instance apart, and what the rules do with half sets.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceState};

use crate::support::app::App;
use crate::support::hands;
use crate::support::reply::text;
use crate::support::restores::{after, begun, devices, made};
use crate::support::sweeps::sweep;

const ROOT_ONLY: &str = r#"{
    "mode": "replace_volumes", "stop": true, "snapshot_first": false, "volumes": [{ "device": "/dev/sda" }],
    "keep": ["/dev/sdb"]
}"#;

fn root_only() -> Value {
    serde_json::from_str(ROOT_ONLY).unwrap()
}

/// The snapshots of a schedule that are available, with how many volumes each has.
async fn sets(app: &App) -> Vec<(String, usize)> {
    let all = app.list("/v1/snapshots?status=available&sort=created_at").await;
    let sizes = all
        .iter()
        .map(|one| (text(one, "id").to_owned(), one["volumes"].as_array().map_or(0, Vec::len)));
    sizes.collect()
}

/// R2: the root is off, for the new volume is gone; runs go on.
#[tokio::test]
async fn nothing_is_taken_of_an_instance_that_a_restore_has_apart() {
    let app = App::start().await;
    let instance = app.instance("render", 2);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 3 })).await;
    app.pass_minutes(33).await;
    let before = sets(&app).await;
    assert_eq!(before.len(), 3, "{before:?}");
    let id = begun(&app, &before[0].0, root_only()).await;
    app.ec2.fault(Fault::on("AttachVolume").skip(1).error("InvalidParameterValue", 400));
    let failed = after(&app, &id, 4).await;
    assert_eq!(text(&failed["failure"], "step"), "attach_volumes", "{failed:#}");

    app.pass_minutes(62).await;

    assert_eq!(sets(&app).await, before, "no half set is taken, and no whole one goes");
    let waiting = app.list("/v1/snapshots?status=requested").await;
    assert_eq!(waiting.len(), 1, "{waiting:#?}");
    assert_eq!(text(&waiting[0]["failure"], "code"), "HeldByRestore");
    assert!(text(&waiting[0]["failure"], "message").contains(&id));

    // Once the instance is whole again, it is taken.
    app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202);
    assert_eq!(after(&app, &id, 10).await["status"], "cancelled");
    app.pass_minutes(9).await;
    assert_eq!(app.status(text(&waiting[0], "id")).await, "available");
    assert!(sets(&app).await.iter().all(|(_, volumes)| *volumes == 2));
}

#[tokio::test]
async fn an_undisturbed_restore_leaves_no_half_set_behind() {
    let app = App::start().await;
    let instance = app.instance("render", 2);
    let schedule = app.schedule("rate(1 minute)", &[&instance], json!({ "keep_last": 50 })).await;
    app.pass_minutes(3).await;
    let first = sets(&app).await[0].0.clone();
    let id = begun(&app, &first, root_only()).await;

    let done = after(&app, &id, 8).await;

    assert_eq!(done["status"], "done", "{done:#}");
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), json!({ "enabled": false }))
        .await
        .expect(200);
    app.pass_minutes(9).await;
    let sets = sets(&app).await;
    assert!(sets.len() > 4 && sets.iter().all(|(_, volumes)| *volumes == 2), "{sets:?}");
}

/// The restore is ended with the root off: half sets are taken from then on, and push no whole one out.
#[tokio::test]
async fn half_sets_stand_for_no_period_and_let_no_whole_set_go() {
    let app = App::start().await;
    let instance = app.instance("render", 2);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 3 })).await;
    app.pass_minutes(33).await;
    let before = sets(&app).await;
    let id = begun(&app, &before[0].0, root_only()).await;
    app.ec2.fault(Fault::on("AttachVolume").skip(1).error("InvalidParameterValue", 400));
    assert_eq!(after(&app, &id, 4).await["status"], "failed");
    let leave = json!({ "leave": true });
    app.call("POST", &format!("/v1/restores/{id}/cancel"), leave).await.expect(202);
    app.ec2.set_instance_state(&instance, InstanceState::Stopped);

    app.pass_minutes(65).await;
    sweep(&app, "execute").await;
    app.pass_minutes(65).await;

    let now = sets(&app).await;
    let whole: Vec<_> = now.iter().filter(|(_, volumes)| *volumes == 2).cloned().collect();
    assert_eq!(whole, before, "{now:?}");
    assert!(now.iter().any(|(_, volumes)| *volumes == 1), "{now:?}");
    // The old root, off and marked, can be put back by hand.
    let old = app.get(&format!("/v1/restores/{id}")).await["old_volumes"][0].clone();
    assert!(hands::attach(&app, text(&old, "volume_id"), &instance, "/dev/sda"));
    assert_eq!(devices(&app, &instance).len(), 2);
    let marked =
        app.ec2.volumes().into_iter().find(|one| one.id == text(&old, "volume_id")).unwrap();
    assert_eq!(marked.tags["snapkeep:replaced-by"], id);
    assert_eq!(made(&app, &id).len(), 1);
}
