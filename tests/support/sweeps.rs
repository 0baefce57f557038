//! Sweeps as a person asks for them, and what stands in their way.

use serde_json::{Value, json};

use super::app::App;
use super::reply::{Reply, text};

/// A schedule with twenty available snapshots, switched off, before any sweep could delete one.
pub(crate) async fn with_twenty(app: &App) -> (String, String) {
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(2 minutes)", &[&instance], json!({ "keep_last": 100 })).await;
    app.pass_minutes(41).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(3).await;
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 20);
    (schedule, path)
}

/// A sweep of this mode, carried out, with the first page of its plan.
pub(crate) async fn sweep(app: &App, mode: &str) -> Value {
    let answer = app.call("POST", "/v1/sweeps", json!({ "mode": mode })).await.expect(202);
    app.settle().await;
    app.get(&format!("/v1/sweeps/{}", text(&answer, "id"))).await
}

/// An admin's approval of this sweep's plan. What follows from it is not done yet.
pub(crate) async fn approve(app: &App, sweep: &Value) -> Reply {
    let path = format!("/v1/sweeps/{}/approve", text(sweep, "id"));
    app.call("POST", &path, json!({ "plan_hash": sweep["plan_hash"] })).await
}

/// How many entries of a sweep's plan have this outcome.
pub(crate) fn outcomes(sweep: &Value, outcome: &str) -> usize {
    let entries = sweep["plan"]["items"].as_array().unwrap();
    entries.iter().filter(|entry| entry["outcome"] == outcome).count()
}

/// An image of a member of this snapshot.
pub(crate) fn register_image(app: &App, id: &str) -> String {
    let member = app.ec2.snapshots().into_iter().find(|one| one.tags["snapkeep:id"] == id).unwrap();
    let name = format!("golden-{}", member.id);
    let body = format!(
        "Action=RegisterImage&Name={name}&RootDeviceName=/dev/sda&BlockDeviceMapping.1.DeviceName=/dev/sda\
         &BlockDeviceMapping.1.Ebs.SnapshotId={}&Version=2016-11-15",
        member.id
    );
    ec2(app, &body);
    app.ec2.images().into_iter().find(|image| image.name == name).unwrap().id
}

/// A call of EC2 by somebody else, which must succeed.
pub(crate) fn ec2(app: &App, body: &str) {
    assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200, "{body}");
}
