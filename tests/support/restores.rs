//! Restores as a person asks for them, and what is there afterwards.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::ids::RestoreId;
use shared::domain::restore::Restore;
use shared::domain::restore::plan::SnapshotFirst;
use shared::domain::restore::wanted::{Accepted, WantedMode, WantedRestore};
use shared::operations::restores::request::NewRestore;

use super::app::App;
use super::events::job_due;
use super::reply::{Reply, text};

/// Asks for a restore of this snapshot, confirmed.
pub(crate) async fn ask(app: &App, snapshot: &str, mut body: Value) -> Reply {
    body["confirm"] = json!(snapshot);
    app.call("POST", &format!("/v1/snapshots/{snapshot}/restore"), body).await
}

/// A restore that is wanted; nothing of it is done yet.
pub(crate) async fn begun(app: &App, snapshot: &str, body: Value) -> String {
    let answer = ask(app, snapshot, body).await.expect(202);
    text(&answer, "id").to_owned()
}

/// A restore as it is shown after so many minutes.
pub(crate) async fn after(app: &App, id: &str, minutes: i64) -> Value {
    app.pass_minutes(minutes).await;
    shown(app, id).await
}

/// The same once whoever died with it has lost it.
pub(crate) async fn after_lease(app: &App, id: &str, minutes: i64) -> Value {
    app.clock.advance(SignedDuration::from_mins(6));
    after(app, id, minutes).await
}

pub(crate) async fn shown(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/restores/{id}")).await
}

/// The record itself.
pub(crate) async fn record(app: &App, id: &str) -> Restore {
    app.service().table.restore(&id.parse().unwrap()).await.unwrap().unwrap()
}

/// Has the restorer look at it every half minute, over the wire that can be tripped, and nobody else do anything.
pub(crate) async fn drive(app: &App, id: &str, looks: usize) {
    for _ in 0..looks {
        app.clock.advance(SignedDuration::from_secs(30));
        // A worker whose time is over within a second stays for nothing: each look is one step at the most.
        let clock = app.function_clock().until(app.now() + SignedDuration::from_secs(1));
        restorer::handle(&app.fragile, &clock, job_due(id)).await.unwrap();
        if record(app, id).await.status.is_over() {
            return;
        }
    }
}

/// A replacement of volumes, as the operation takes it.
pub(crate) fn new_restore(app: &App, snapshot: &str) -> NewRestore {
    NewRestore {
        id: RestoreId::derived(app.now(), &["test"]),
        snapshot_id: snapshot.parse().unwrap(),
        confirm: snapshot.to_owned(),
        who: "ada".to_owned(),
        wanted: WantedRestore {
            mode: WantedMode::ReplaceVolumes { stop: true },
            zone: None,
            volumes: None,
            initialization_rate_mibps: None,
            accepted: Accepted::default(),
        },
        attach_to: None,
        snapshot_first: Some(SnapshotFirst::No),
        keep_old_days: 14,
        drill_due: None,
    }
}

/// The volumes of an instance by their devices, as they are in EC2.
pub(crate) fn devices(app: &App, instance: &str) -> BTreeMap<String, String> {
    let instance = app.ec2.instance(instance).unwrap();
    instance.devices.into_iter().map(|device| (device.name, device.volume_id)).collect()
}

/// The volumes that this restore has made and that are there, by where they are attached or their own ids.
pub(crate) fn made(app: &App, id: &str) -> Vec<sim_ec2::Volume> {
    let is_made = |volume: &sim_ec2::Volume| {
        volume.tags.get("snapkeep:restore").is_some_and(|restore| restore == id)
    };
    app.ec2.volumes().into_iter().filter(is_made).collect()
}

/// The EBS snapshots of a snapshot by the devices of their volumes.
pub(crate) async fn members(app: &App, snapshot: &str) -> BTreeMap<String, String> {
    let record = app.record(snapshot).await;
    let pair = |member: &shared::domain::snapshot::member::Member| {
        (member.device.clone().unwrap(), member.ebs_snapshot_id.to_string())
    };
    record.members.iter().map(pair).collect()
}

/// That nothing holds the snapshot or the instance any more.
pub(crate) async fn assert_free(app: &App, snapshot: &str, instance: &str) {
    assert_eq!(app.record(snapshot).await.keepers.restores, []);
    let lock = app.service().table.restoring(&instance.parse().unwrap()).await.unwrap();
    assert_eq!(lock.restore_id, None);
}
