//! Death of the restorer at every call of every mode; then life goes on, and the restore ends as it would have.

use shared::operations::restores;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim_ec2::{InstanceState, Volume};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{
    after_lease, assert_free, begun, devices, drive, made, members, new_restore,
};
use crate::support::tripwire::{Trip, at_every_call};

/// More looks than any restore takes.
const LOOKS: usize = 60;

/// A restore that dies once, and what was there before.
struct Case {
    app: App,
    instance: String,
    snapshot: String,
    id: String,
    before: BTreeMap<String, String>,
    volumes: Vec<Volume>,
    trip: Trip,
}

/// Has the restorer die at each call in turn, lets time pass, and has `check` look at what came of it.
async fn survives(body: Value, check: impl AsyncFn(&Case, Value)) {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let snapshot = app.take_snapshot(&instance).await;
        let (before, volumes) = (devices(&app, &instance), app.ec2.volumes());
        let id = begun(&app, &snapshot, body.clone()).await;

        let work = Box::pin(drive(&app, &id, LOOKS));
        let alive = app.wire.run(trip, work).await.is_some();
        let restore = after_lease(&app, &id, 12).await;
        assert_eq!(text(&restore, "status"), "done", "{trip:?}: {restore:#}");
        assert_free(&app, &snapshot, &instance).await;
        check(&Case { app, instance, snapshot, id, before, volumes, trip }, restore).await;
        alive
    })
    .await;

    assert!(calls > 9, "{calls} calls");
}

#[tokio::test]
async fn new_volumes_survive_death_at_every_call() {
    survives(json!({ "mode": "new_volumes" }), async |case: &Case, _| {
        let Case { app, id, volumes, trip, .. } = case;
        assert_eq!(made(app, id).len(), 2, "{trip:?}");
        assert_eq!(app.ec2.volumes().len(), volumes.len() + 2, "{trip:?}");
    })
    .await;
}

#[tokio::test]
async fn replaced_volumes_survive_death_at_every_call() {
    let body = json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false });
    survives(body, async |case: &Case, restore| {
        let Case { app, instance, snapshot, id, before, volumes, trip } = case;
        let (now, of) = (devices(app, instance), members(app, snapshot).await);
        let new: BTreeMap<_, _> =
            made(app, id).into_iter().map(|one| (one.id.clone(), one)).collect();
        assert_eq!((new.len(), now.len()), (2, 2), "{trip:?}");
        for (device, volume) in &now {
            assert_eq!(new[volume].snapshot_id.as_ref(), Some(&of[device]), "{trip:?}");
        }
        for old in volumes {
            let kept = app.ec2.volumes().into_iter().find(|one| one.id == old.id).unwrap();
            assert_eq!(kept.attachment, None, "{trip:?}");
            assert_eq!(kept.tags["snapkeep:replaced-by"], *id, "{trip:?}");
        }
        let old = restore["old_volumes"].as_array().unwrap();
        assert_eq!(old.len(), before.len(), "{trip:?}");
        let state = app.ec2.instance(instance).unwrap().state;
        assert_eq!(state, InstanceState::Running, "{trip:?}: it ran before");
    })
    .await;
}

#[tokio::test]
async fn a_replaced_root_survives_death_at_every_call() {
    let body = json!({ "mode": "replace_root", "snapshot_first": false });
    survives(body, async |case: &Case, restore| {
        let Case { app, instance, before, volumes, trip, .. } = case;
        let now = devices(app, instance);
        assert_eq!(app.ec2.root_replacements().len(), 1, "{trip:?}");
        assert_eq!(app.ec2.volumes().len(), volumes.len() + 1, "{trip:?}");
        assert_ne!(now["/dev/sda"], before["/dev/sda"], "{trip:?}");
        assert_eq!(text(&restore["volumes"][0], "volume_id"), now["/dev/sda"], "{trip:?}");
        assert_eq!(text(&restore["old_volumes"][0], "volume_id"), before["/dev/sda"], "{trip:?}");
    })
    .await;
}

#[tokio::test]
async fn a_new_instance_survives_death_at_every_call() {
    survives(json!({ "mode": "new_instance" }), async |case: &Case, restore| {
        let Case { app, instance, before, trip, .. } = case;
        assert_eq!(app.ec2.instances().len(), 2, "{trip:?}");
        assert!(app.ec2.images().is_empty(), "{trip:?}");
        assert_eq!(devices(app, instance), *before, "{trip:?}");
        let new = app.ec2.instance(text(&restore, "new_instance_id")).unwrap();
        assert_eq!(new.state, InstanceState::Running, "{trip:?}");
    })
    .await;
}

#[tokio::test]
async fn a_drill_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let snapshot = app.take_snapshot(&instance).await;
        let volumes = app.ec2.volumes();
        let path = format!("/v1/snapshots/{snapshot}/drill");
        let answer = app.call("POST", &path, Value::Null).await.expect(202);
        let id = text(&answer, "id");

        let work = Box::pin(drive(&app, id, LOOKS));
        let alive = app.wire.run(trip, work).await.is_some();
        let restore = after_lease(&app, id, 12).await;

        assert_eq!(restore["status"], "done", "{trip:?}");
        assert_eq!(app.ec2.volumes(), volumes, "{trip:?}");
        assert_eq!(app.record(&snapshot).await.keepers.restores, [], "{trip:?}");
        alive
    })
    .await;

    assert!(calls > 4, "{calls} calls");
}

/// Dies in the request itself: either nothing is wanted, or all of it.
#[tokio::test]
async fn a_request_is_recorded_whole_or_not_at_all() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let snapshot = app.take_snapshot(&instance).await;
        let new = new_restore(&app, &snapshot);
        let (service, now) = (app.fragile.clone(), app.now());
        let work = async move { restores::request(&service, new, now).await };
        let alive = app.wire.run(trip, Box::pin(work)).await.is_some();

        let there = app.list("/v1/restores").await.len();
        let lock = app.service().table.restoring(&instance.parse().unwrap()).await.unwrap();
        assert_eq!(app.record(&snapshot).await.keepers.restores.len(), there, "{trip:?}");
        assert_eq!(usize::from(lock.restore_id.is_some()), there, "{trip:?}");
        app.pass_minutes(15).await;
        let done = app.list("/v1/restores?status=done").await.len();
        assert_eq!(done, there, "{trip:?}: the tick has taken it up");
        alive
    })
    .await;

    assert!(calls > 4, "{calls} calls");
}
