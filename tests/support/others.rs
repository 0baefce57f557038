//! EBS snapshots that others make, and what becomes of them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::app::App;
use super::sweeps::ec2;

/// A snapshot of all volumes of an instance that somebody takes without us, complete; its EBS snapshots.
pub(crate) fn taken_elsewhere(app: &App, region: &str, instance: &str) -> Vec<String> {
    let call = format!("CreateSnapshots&InstanceSpecification.InstanceId={instance}");
    made(app, region, &call)
}

/// A snapshot of one volume that somebody takes without us, complete.
pub(crate) fn of_volume(app: &App, volume: &str) -> String {
    made(app, "us-east-1", &format!("CreateSnapshot&VolumeId={volume}")).remove(0)
}

/// The first volume of an instance.
pub(crate) fn volume_of(app: &App, instance: &str) -> String {
    let is_its = |volume: &&sim_ec2::Volume| {
        volume.attachment.as_ref().is_some_and(|one| one.instance_id == instance)
    };
    app.ec2.volumes().iter().find(is_its).unwrap().id.clone()
}

fn made(app: &App, region: &str, call: &str) -> Vec<String> {
    let ids = |app: &App| app.ec2.snapshots().into_iter().map(|one| one.id).collect::<Vec<_>>();
    let before = ids(app);
    let body = format!("Action={call}&Description=before+the+upgrade&Version=2016-11-15");
    assert_eq!(app.ec2.answer(region, body.as_bytes()).status, 200, "{body}");
    app.clock.advance(SignedDuration::from_mins(2));
    ids(app).into_iter().filter(|id| !before.contains(id)).collect()
}

/// The instance with its volumes goes, and EC2 forgets it.
pub(crate) async fn terminate(app: &App, instance: &str) {
    ec2(app, &format!("Action=TerminateInstances&InstanceId.1={instance}&Version=2016-11-15"));
    app.pass_minutes(15).await;
}

/// An image of this EBS snapshot that somebody registers.
pub(crate) fn image_of(app: &App, ebs_snapshot: &str) -> String {
    let body = format!(
        "Action=RegisterImage&Name=of-{ebs_snapshot}&RootDeviceName=/dev/sda&BlockDeviceMapping.1.DeviceName=/dev/sda\
         &BlockDeviceMapping.1.Ebs.SnapshotId={ebs_snapshot}&Version=2016-11-15"
    );
    ec2(app, &body);
    let name = format!("of-{ebs_snapshot}");
    app.ec2.images().into_iter().find(|image| image.name == name).unwrap().id
}

/// What the reconciler finds when it looks now.
pub(crate) async fn reconcile(app: &App) -> Value {
    reconciler::handle(app.service(), &app.function_clock(), Value::Null).await.unwrap()
}

/// The body that adopts these.
pub(crate) fn these(ids: &[String]) -> Value {
    json!({ "ebs_snapshot_ids": ids })
}

/// Adopts what the body says; what follows from it is not done yet.
pub(crate) async fn adopt(app: &App, body: Value) -> Value {
    app.call("POST", "/v1/reconciliation/adopt", body).await.expect(202)
}

/// The first set that was adopted.
pub(crate) fn first_set(adoption: &Value) -> String {
    adoption["adopted"][0]["snapshot_id"].as_str().unwrap().to_owned()
}

/// A tag of an EBS snapshot, as EC2 has it.
pub(crate) fn tag(app: &App, id: &str, key: &str) -> Option<String> {
    app.ec2.snapshot(id).unwrap().tags.get(key).cloned()
}
