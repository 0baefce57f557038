//! How long a restore in place keeps its instance down, and what EC2 shows late, takes back or refuses meanwhile.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{Config, Fault, InstanceState};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{after, begun, devices, record};
use shared::domain::restore::step::StepName;

fn in_place() -> Value {
    json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false })
}

fn config(lag: i64) -> Config {
    Config { instance_lag: SignedDuration::from_secs(lag), ..Config::default() }
}

/// How long the instance was down: from the stop until it ran again.
async fn downtime(app: &App, id: &str) -> SignedDuration {
    let restore = record(app, id).await;
    let (stop, start) = (StepName::StopInstance, StepName::StartInstance);
    let begun = restore.forward(stop).unwrap().started_at.unwrap();
    restore.forward(start).unwrap().finished_at.unwrap().duration_since(begun)
}

/// R7. EC2 needs 10 s for the stop, 2 s each to detach and attach, and 10 s for the start.
#[tokio::test]
async fn an_undisturbed_restore_keeps_the_instance_down_for_hardly_longer_than_ec2_needs() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;

    let id = begun(&app, &snapshot, in_place()).await;
    assert_eq!(after(&app, &id, 10).await["status"], "done");

    let down = downtime(&app, &id).await;
    assert!(down <= SignedDuration::from_secs(24 + 10), "{down:#}");
}

/// R6: what `DescribeInstances` still shows at a device is what was taken off a moment ago.
#[tokio::test]
async fn what_is_shown_late_is_waited_for() {
    for lag in [1, 20, 75] {
        let app = App::with(config(lag)).await;
        let instance = app.instance("web", 2);
        let snapshot = app.take_snapshot(&instance).await;
        let before = devices(&app, &instance);

        let id = begun(&app, &snapshot, in_place()).await;
        let done = after(&app, &id, 20).await;

        assert_eq!(text(&done, "status"), "done", "{lag}: {done:#}");
        let now = devices(&app, &instance);
        assert!(now.iter().all(|(device, volume)| before[device] != *volume), "{lag}");
    }
}

/// R8: EC2 accepts a start and takes it back.
#[tokio::test]
async fn a_start_that_ec2_takes_back_fails_with_its_reason_in_the_first_minutes() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let never = Fault::on("StartInstances").skip(1);
    app.ec2.fault(never.never_runs("Client.InternalError", "Client error on launch"));
    let id = begun(&app, &snapshot, in_place()).await;

    let failed = after(&app, &id, 4).await;
    assert_eq!(text(&failed["failure"], "code"), "StartTakenBack", "{failed:#}");
    assert!(text(&failed["failure"], "message").contains("Client error on launch"), "{failed:#}");

    app.call("POST", &format!("/v1/restores/{id}/retry"), Value::Null).await.expect(202);
    assert_eq!(after(&app, &id, 4).await["status"], "done");
}

#[tokio::test]
async fn want_of_capacity_is_tried_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let never = Fault::on("StartInstances").skip(1).times(5);
    app.ec2.fault(never.never_runs("Server.InsufficientInstanceCapacity", "Insufficient capacity"));

    let id = begun(&app, &snapshot, in_place()).await;

    assert_eq!(after(&app, &id, 10).await["status"], "done");
    assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running);
}

#[tokio::test]
async fn a_launch_that_ec2_ends_says_why() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let never = Fault::on("RunInstances");
    app.ec2.fault(never.never_runs("Client.VolumeLimitExceeded", "Volume limit exceeded"));

    let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
    let failed = after(&app, &id, 6).await;

    assert_eq!(text(&failed["failure"], "code"), "InstanceFailed", "{failed:#}");
    assert!(text(&failed["failure"], "message").contains("Volume limit exceeded"), "{failed:#}");
}

/// R16: the first of two attachments is refused on the way back, and the root is put back all the same.
#[tokio::test]
async fn one_refused_volume_does_not_hold_up_the_root_on_the_way_back() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = devices(&app, &instance);
    let id = begun(&app, &snapshot, in_place()).await;
    // The dry run, then the new root and data volume; the way back finds one refused for good.
    app.ec2.fault(Fault::on("StartInstances").skip(1).error("InvalidParameterValue", 400));
    assert_eq!(after(&app, &id, 10).await["status"], "failed");
    app.ec2.refuse_attachment(&before["/dev/sdb"]);

    app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202);
    let failed = after(&app, &id, 12).await;

    assert_eq!(text(&failed["failure"], "step"), "reattach_old_volumes", "{failed:#}");
    assert!(text(&failed["failure"], "message").contains(&before["/dev/sdb"]), "{failed:#}");
    assert_eq!(devices(&app, &instance).get("/dev/sda"), Some(&before["/dev/sda"]));
}
