//! Images: registered under every fault EC2 has, protected, deregistered, and with their snapshots deleted.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::snapshot::Status;
use sim_ec2::{Config, Fault};

use crate::support::app::App;
use crate::support::events::image_due;
use crate::support::images::{
    delete_image, image_ids, image_status, make_image, request_image, show_image,
};
use crate::support::reply::text;
use crate::support::sweeps::{ec2, register_image, sweep};
use crate::support::tripwire::at_every_call;

/// A snapshot of an instance with two volumes.
async fn with_snapshot(app: &App) -> String {
    let instance = app.instance("web", 2);
    app.take_snapshot(&instance).await
}

/// An older and a newer snapshot of one instance.
async fn with_two(app: &App) -> (String, String) {
    let instance = app.instance("web", 2);
    (app.take_snapshot(&instance).await, app.take_snapshot(&instance).await)
}

#[tokio::test]
async fn registration_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let snapshot = with_snapshot(&app).await;
        let id = request_image(&app, &snapshot).await;
        let clock = app.function_clock();

        let work = Box::pin(restorer::handle(&app.fragile, &clock, image_due(&id)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass(SignedDuration::from_mins(20)).await;

        let image = show_image(&app, &id).await;
        assert_eq!(text(&image, "status"), "available", "{trip:?}");
        let registered = app.ec2.images();
        assert_eq!(registered.len(), 1, "{trip:?}");
        assert_eq!(text(&image, "ami_id"), registered[0].id, "{trip:?}");
        // Died before it was noted, the sweep notes it.
        app.skip_hour().await;
        assert_eq!(image_ids(&app, &snapshot).await, [registered[0].id.clone()], "{trip:?}");
        alive
    })
    .await;

    assert!(calls >= 6, "{calls} calls: read, snapshot, claim, register, record, look");
}

#[tokio::test]
async fn a_deregistration_with_its_snapshot_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let (old, new) = with_two(&app).await;
        let (id, _) = make_image(&app, &old).await;
        delete_image(&app, &id, "?delete_snapshots=true").await;
        let clock = app.function_clock();

        let work = Box::pin(restorer::handle(&app.fragile, &clock, image_due(&id)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass(SignedDuration::from_mins(130)).await;

        let image = show_image(&app, &id).await;
        assert_eq!(text(&image, "status"), "deregistered", "{trip:?}");
        let outcome = &image["deregistration"]["snapshot_deletion"]["outcome"];
        assert_eq!(outcome, "condemned", "{trip:?}");
        assert!(app.ec2.images().is_empty(), "{trip:?}");
        assert_eq!(app.record(&old).await.status, Status::Deleted, "{trip:?}");
        assert_eq!(app.sets(), [(new, 2)].into(), "{trip:?}");
        alive
    })
    .await;

    assert!(calls >= 8, "{calls} calls");
}

#[tokio::test]
async fn a_lost_reply_makes_no_second_image() {
    for fault in
        [Fault::on("RegisterImage").reply_lost(), Fault::on("RegisterImage").reply_timed_out()]
    {
        let app = App::start().await;
        let snapshot = with_snapshot(&app).await;
        app.ec2.fault(fault);
        let id = request_image(&app, &snapshot).await;

        app.settle().await;
        assert_eq!(image_status(&app, &id).await, "registering");
        app.pass_minutes(7).await;

        assert_eq!(image_status(&app, &id).await, "available");
        assert_eq!(app.ec2.images().len(), 1);
        // It was found by its tag, not tried again.
        assert_eq!(app.ec2.calls()["RegisterImage"], 1);
    }
}

#[tokio::test]
async fn a_lost_reply_makes_no_second_image_even_when_ec2_shows_it_late() {
    for minutes in [4, 12] {
        let lag = SignedDuration::from_mins(minutes);
        let app = App::with(Config { visibility_lag: lag, ..Config::default() }).await;
        let instance = app.instance("web", 1);
        app.request_snapshot(&instance).await;
        app.pass_minutes(75).await;
        let snapshot = text(&app.list("/v1/snapshots").await[0], "id").to_owned();
        app.ec2.fault(Fault::on("RegisterImage").reply_lost());

        let id = request_image(&app, &snapshot).await;
        app.pass_minutes(40).await;

        // After twelve minutes it has been tried again, and EC2 has refused the name.
        assert_eq!(image_status(&app, &id).await, "available", "{minutes}");
        assert_eq!(app.ec2.images().len(), 1, "{minutes}");
    }
}

#[tokio::test]
async fn what_ec2_has_not_done_is_tried_again() {
    for fault in [
        Fault::on("RegisterImage").internal_error(),
        Fault::on("RegisterImage").timeout(),
        Fault::on("RegisterImage").error("RequestLimitExceeded", 503),
    ] {
        let app = App::start().await;
        let snapshot = with_snapshot(&app).await;
        app.ec2.fault(fault);

        let id = request_image(&app, &snapshot).await;
        app.settle().await;
        assert_ne!(image_status(&app, &id).await, "available");
        app.pass_minutes(7).await;

        assert_eq!(image_status(&app, &id).await, "available");
        assert_eq!(app.ec2.images().len(), 1);
        assert_eq!(app.ec2.calls()["RegisterImage"], 2);
    }
}

#[tokio::test]
async fn what_ec2_refuses_is_failed_with_its_words() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    app.ec2.fault(Fault::on("RegisterImage").error("UnauthorizedOperation", 403));

    let id = request_image(&app, &snapshot).await;
    app.pass_minutes(30).await;

    let image = show_image(&app, &id).await;
    assert_eq!(text(&image, "status"), "failed");
    assert_eq!(text(&image["failure"], "code"), "UnauthorizedOperation");
    assert_eq!(app.ec2.calls()["RegisterImage"], 1);
}

#[tokio::test]
async fn a_name_that_somebody_takes_meanwhile_is_a_failure() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let path = format!("/v1/snapshots/{snapshot}/image");
    let member = app.ec2.snapshots()[0].id.clone();
    let asked = app.call("POST", &path, json!({ "name": "golden" })).await.expect(202);

    ec2(
        &app,
        &format!(
            "Action=RegisterImage&Name=golden&RootDeviceName=/dev/sda&BlockDeviceMapping.1.DeviceName=/dev/sda\
             &BlockDeviceMapping.1.Ebs.SnapshotId={member}&Version=2016-11-15"
        ),
    );
    app.pass_minutes(10).await;

    let image = show_image(&app, text(&asked, "id")).await;
    assert_eq!(text(&image, "status"), "failed");
    assert_eq!(text(&image["failure"], "code"), "InvalidAMIName.Duplicate");
    // Asked for again, it is refused at once.
    let refused = app.call("POST", &path, json!({ "name": "golden" })).await.expect(409);
    assert!(text(&refused, "detail").contains("the name golden is taken by ami-"));
}

#[tokio::test]
async fn delivered_twice_it_is_registered_and_deregistered_once() {
    let app = App::start().await;
    let (old, _) = with_two(&app).await;
    let id = request_image(&app, &old).await;
    app.pass_doubled(SignedDuration::from_mins(2)).await;

    assert_eq!(image_status(&app, &id).await, "available");
    assert_eq!(app.ec2.calls()["RegisterImage"], 1);

    delete_image(&app, &id, "?delete_snapshots=true").await;
    app.pass_doubled(SignedDuration::from_mins(5)).await;

    assert_eq!(image_status(&app, &id).await, "deregistered");
    assert_eq!(app.record(&old).await.status, Status::Deleted);
}

#[tokio::test]
async fn while_ec2_is_out_of_reach_an_image_waits() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    app.ec2.fault(Fault::on("*").times(1_000_000).reset());

    let id = request_image(&app, &snapshot).await;
    app.pass_minutes(20).await;
    let waiting = show_image(&app, &id).await;
    app.ec2.forget_faults();
    app.pass_minutes(20).await;

    assert_eq!(text(&waiting, "status"), "registering");
    assert_eq!(waiting["instances"], Value::Null);
    assert_eq!(image_status(&app, &id).await, "available");
    assert_eq!(app.ec2.images().len(), 1);
}

#[tokio::test]
async fn what_was_condemned_since_is_not_registered() {
    let app = App::start().await;
    let (old, _) = with_two(&app).await;
    let id = request_image(&app, &old).await;

    app.call("DELETE", &format!("/v1/snapshots/{old}?grace_minutes=60"), Value::Null)
        .await
        .expect(202);
    app.settle().await;

    let image = show_image(&app, &id).await;
    assert_eq!(text(&image, "status"), "failed");
    assert_eq!(text(&image["failure"], "code"), "SnapshotNotUsable");
    assert!(text(&image["failure"], "message").contains("the snapshot is condemned"));
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn what_ec2_has_deleted_since_is_a_clear_failure() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let id = request_image(&app, &snapshot).await;

    let member = app.ec2.snapshots()[0].id.clone();
    app.ec2.remove_snapshot(&member);
    app.settle().await;

    let image = show_image(&app, &id).await;
    assert_eq!(text(&image, "status"), "failed");
    assert!(text(&image["failure"], "message").contains(&member), "{image:#}");
}

#[tokio::test]
async fn a_deregistration_that_comes_while_the_answer_is_lost_leaves_nothing() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    app.ec2.fault(Fault::on("RegisterImage").reply_lost());
    let id = request_image(&app, &snapshot).await;
    app.settle().await;

    delete_image(&app, &id, "").await;
    app.pass_minutes(1).await;

    assert_eq!(image_status(&app, &id).await, "deregistered");
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn a_deregistration_waits_for_an_image_that_ec2_may_not_show_yet() {
    let lag = SignedDuration::from_mins(3);
    let app = App::with(Config { visibility_lag: lag, ..Config::default() }).await;
    let instance = app.instance("web", 1);
    app.request_snapshot(&instance).await;
    app.pass_minutes(75).await;
    let snapshot = text(&app.list("/v1/snapshots").await[0], "id").to_owned();
    app.ec2.fault(Fault::on("RegisterImage").reply_lost());
    let id = request_image(&app, &snapshot).await;
    app.settle().await;

    delete_image(&app, &id, "").await;
    app.pass_minutes(1).await;
    let waiting = image_status(&app, &id).await;
    app.pass_minutes(10).await;

    assert_eq!(waiting, "deregistering");
    assert_eq!(image_status(&app, &id).await, "deregistered");
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn what_was_never_asked_of_ec2_is_deregistered_without_it() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let id = request_image(&app, &snapshot).await;

    delete_image(&app, &id, "").await;
    app.settle().await;

    assert_eq!(image_status(&app, &id).await, "deregistered");
    assert!(!app.ec2.calls().contains_key("RegisterImage"));
    assert!(!app.ec2.calls().contains_key("DeregisterImage"));
}

#[tokio::test]
async fn already_gone_is_success_and_twice_is_once() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let (id, ami) = make_image(&app, &snapshot).await;
    app.pass_minutes(6).await;
    ec2(&app, &format!("Action=DeregisterImage&ImageId={ami}&Version=2016-11-15"));

    delete_image(&app, &id, "").await;
    app.settle().await;
    let gone = show_image(&app, &id).await;
    let again = delete_image(&app, &id, "").await;

    assert_eq!((text(&gone, "status"), text(&again, "status")), ("deregistered", "deregistered"));
    assert_eq!(gone["version"], again["version"]);
    assert!(image_ids(&app, &snapshot).await.is_empty());
}

#[tokio::test]
async fn one_that_ec2_will_not_deregister_stays_and_says_why() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let (id, _) = make_image(&app, &snapshot).await;
    app.ec2.fault(Fault::on("DeregisterImage").error("OperationNotPermitted", 400));

    delete_image(&app, &id, "").await;
    app.pass_minutes(5).await;
    let kept = show_image(&app, &id).await;
    delete_image(&app, &id, "").await;
    app.settle().await;

    assert_eq!(text(&kept, "status"), "available");
    assert_eq!(text(&kept["failure"], "code"), "OperationNotPermitted");
    assert_eq!(image_status(&app, &id).await, "deregistered");
}

#[tokio::test]
async fn a_deregistration_whose_answer_is_lost_is_done_once() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let (id, _) = make_image(&app, &snapshot).await;
    app.pass_minutes(6).await;
    app.ec2.fault(Fault::on("DeregisterImage").reply_lost());

    delete_image(&app, &id, "").await;
    app.pass_minutes(20).await;

    assert_eq!(image_status(&app, &id).await, "deregistered");
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn the_newest_snapshot_goes_with_its_image_only_when_named() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let (first, _) = make_image(&app, &snapshot).await;

    let answer = delete_image(&app, &first, "?delete_snapshots=true").await;
    app.pass_minutes(5).await;

    let deletion = &answer["deregistration"]["snapshot_deletion"];
    assert_eq!(text(deletion, "outcome"), "refused");
    assert!(text(deletion, "reason").contains("the newest available snapshot of i-"));
    assert_eq!(image_status(&app, &first).await, "deregistered");
    assert_eq!(app.status(&snapshot).await, "available");

    // Asked again with its name, it goes as well.
    let named = format!("?delete_snapshots=true&snapshot_id={snapshot}");
    let answer = delete_image(&app, &first, &named).await;
    assert_eq!(text(&answer["deregistration"]["snapshot_deletion"], "outcome"), "waiting");
    app.pass_minutes(5).await;
    assert_eq!(app.status(&snapshot).await, "deleted");
    let condemnation = app.record(&snapshot).await.ending.condemnation.unwrap();
    assert_eq!(condemnation.reason, "deleted by name");
}

#[tokio::test]
async fn what_something_else_needs_stays_when_its_image_goes() {
    for need in ["hold", "other image", "coming image"] {
        let app = App::start().await;
        let (old, _) = with_two(&app).await;
        let (id, _) = make_image(&app, &old).await;
        let expected = match need {
            "hold" => {
                let hold = json!({ "hold": { "type": "never" } });
                app.call("PATCH", &format!("/v1/snapshots/{old}"), hold).await.expect(200);
                "held: never delete automatically".to_owned()
            }
            "other image" => format!("in use by {}", register_image(&app, &old)),
            _ => request_image(&app, &old).await,
        };

        let answer = delete_image(&app, &id, "?delete_snapshots=true").await;
        app.pass_minutes(5).await;

        let deletion = &answer["deregistration"]["snapshot_deletion"];
        assert_eq!(text(deletion, "outcome"), "refused", "{need}");
        assert!(text(deletion, "reason").contains(&expected), "{need}: {deletion}");
        assert_eq!(image_status(&app, &id).await, "deregistered", "{need}");
        assert_eq!(app.status(&old).await, "available", "{need}");
    }
}

#[tokio::test]
async fn what_comes_to_need_it_meanwhile_keeps_it_too() {
    let app = App::start().await;
    let (old, _) = with_two(&app).await;
    let (id, _) = make_image(&app, &old).await;
    let asked = delete_image(&app, &id, "?delete_snapshots=true").await;

    let hold = json!({ "hold": { "type": "never" } });
    app.call("PATCH", &format!("/v1/snapshots/{old}"), hold).await.expect(200);
    app.pass_minutes(5).await;

    assert_eq!(text(&asked["deregistration"]["snapshot_deletion"], "outcome"), "waiting");
    let deletion = &show_image(&app, &id).await["deregistration"]["snapshot_deletion"];
    assert_eq!(text(deletion, "outcome"), "refused");
    assert!(text(deletion, "reason").contains("held"));
    assert_eq!(app.status(&old).await, "available");
}

#[tokio::test]
async fn an_image_protects_its_snapshot_until_it_is_deregistered() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(41).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(2).await;
    let oldest = app.list("/v1/snapshots?sort=created_at").await.remove(0);
    let oldest = text(&oldest, "id").to_owned();
    let (id, ami) = make_image(&app, &oldest).await;

    sweep(&app, "execute").await;
    app.pass_minutes(65).await;

    let kept = app.get(&format!("/v1/snapshots/{oldest}")).await;
    assert_eq!(text(&kept, "status"), "available");
    assert_eq!(text(&kept["blocked"], "detail"), format!("in use by {ami}"));
    assert_eq!(kept["ami_ids"], json!([ami]));
    let direct = app.call("DELETE", &format!("/v1/snapshots/{oldest}"), Value::Null).await;
    assert!(text(&direct.expect(409), "detail").contains(&ami));

    delete_image(&app, &id, "").await;
    app.settle().await;
    sweep(&app, "execute").await;
    app.pass_minutes(65).await;
    assert_eq!(app.status(&oldest).await, "deleted");
}

#[tokio::test]
async fn what_others_register_and_deregister_is_noted_within_the_hour() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let ami = register_image(&app, &snapshot);
    ec2(&app, &format!("Action=DisableImage&ImageId={ami}&Version=2016-11-15"));
    assert!(image_ids(&app, &snapshot).await.is_empty());

    app.skip_hour().await;
    let record = app.record(&snapshot).await;
    assert_eq!(image_ids(&app, &snapshot).await, std::slice::from_ref(&ami));
    app.skip_hour().await;
    // Only changes are written.
    assert_eq!(app.record(&snapshot).await, record);

    ec2(&app, &format!("Action=DeregisterImage&ImageId={ami}&Version=2016-11-15"));
    app.skip_hour().await;
    assert!(image_ids(&app, &snapshot).await.is_empty());
}

#[tokio::test]
async fn an_image_that_others_deregister_is_found_missing() {
    let app = App::start().await;
    let snapshot = with_snapshot(&app).await;
    let (id, ami) = make_image(&app, &snapshot).await;
    ec2(&app, &format!("Action=DisableImage&ImageId={ami}&Version=2016-11-15"));
    app.clock.advance(SignedDuration::from_hours(6));
    app.pass_minutes(3).await;
    let disabled = show_image(&app, &id).await;

    ec2(&app, &format!("Action=DeregisterImage&ImageId={ami}&Version=2016-11-15"));
    app.clock.advance(SignedDuration::from_hours(6));
    app.pass_minutes(3).await;
    let once = image_status(&app, &id).await;
    app.pass_minutes(20).await;

    assert_eq!(
        (text(&disabled, "status"), text(&disabled, "ec2_state")),
        ("available", "disabled")
    );
    assert_eq!(once, "available");
    assert_eq!(image_status(&app, &id).await, "missing");
    assert!(image_ids(&app, &snapshot).await.is_empty());
}
