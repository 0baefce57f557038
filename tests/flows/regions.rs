//! Several regions: what goes on in one whatever becomes of another.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceState};

use crate::support::app::App;
use crate::support::regions::{
    OTHER, cut_off, daily, instance_here, instance_there, regions, two_regions,
};
use crate::support::reply::text;
use crate::support::sweeps::sweep;

const BOTH: [&str; 2] = [OTHER, "us-east-1"];
const AVAILABLE: &str = "/v1/snapshots?status=available";

async fn runs(app: &App, schedule: &str) -> Vec<Value> {
    app.list(&format!("/v1/schedules/{schedule}/runs")).await
}

/// How many EBS snapshots there are in a region.
fn ebs_in(app: &App, region: &str) -> usize {
    app.ec2.snapshots().into_iter().filter(|one| one.region == region).count()
}

#[tokio::test]
async fn a_schedule_by_tag_reaches_the_instances_of_both_regions() {
    let app = two_regions().await;
    instance_here(&app, "here");
    instance_there(&app, "there");
    let schedule = daily(&app, "rate(10 minutes)", json!(null)).await;

    app.pass_minutes(13).await;

    // Its events come from there, too: the hourly reconciliation has not been.
    assert_eq!(regions(&app, AVAILABLE).await, BOTH);
    assert_eq!((ebs_in(&app, OTHER), ebs_in(&app, "us-east-1")), (1, 1));
    let runs = runs(&app, &schedule).await;
    assert_eq!(text(&runs[0], "status"), "done");
    assert_eq!(runs[0]["regions_out_of_reach"], json!([]));
}

#[tokio::test]
async fn a_region_out_of_reach_does_not_stop_the_others_and_catches_up() {
    let app = two_regions().await;
    instance_here(&app, "here");
    instance_there(&app, "there");
    let schedule = daily(&app, "cron(5 10 * * ? *)", json!(null)).await;
    cut_off(&app);

    app.pass_minutes(20).await;
    let during = (regions(&app, AVAILABLE).await, runs(&app, &schedule).await.remove(0));
    app.ec2.forget_faults();
    app.pass_minutes(5).await;
    let after = runs(&app, &schedule).await.remove(0);
    app.pass_minutes(30).await;

    assert_eq!(during.0, ["us-east-1"]);
    assert_eq!(text(&during.1, "status"), "running");
    assert_eq!(during.1["regions_out_of_reach"], json!([OTHER]));
    assert_eq!(during.1["counts"]["succeeded"], json!(1));
    assert_eq!(regions(&app, AVAILABLE).await, BOTH);
    assert_eq!(after["regions_out_of_reach"], json!([]));
    assert_eq!(after["counts"]["total"], json!(2));
    assert_eq!(text(&runs(&app, &schedule).await[0], "status"), "done");
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 2);
}

#[tokio::test]
async fn after_a_long_outage_a_region_is_taken_once_and_not_for_every_slot() {
    let app = two_regions().await;
    instance_here(&app, "here");
    instance_there(&app, "there");
    let schedule = daily(&app, "rate(10 minutes)", json!(null)).await;
    cut_off(&app);

    app.pass_minutes(36).await;
    app.ec2.forget_faults();
    app.pass_minutes(3).await;

    let runs = runs(&app, &schedule).await;
    assert_eq!((ebs_in(&app, "us-east-1"), ebs_in(&app, OTHER)), (3, 1));
    let missing = |run: &Value| run["regions_out_of_reach"].clone();
    assert_eq!((missing(&runs[0]), runs[0]["counts"]["total"].clone()), (json!([]), json!(2)));
    for overtaken in &runs[1..] {
        assert_eq!(text(overtaken, "status"), "partly_failed");
        assert_eq!(missing(overtaken), json!([OTHER]));
        assert_eq!(text(&overtaken["failure"], "code"), "OutOfReach");
    }
}

#[tokio::test]
async fn named_instances_of_a_region_out_of_reach_are_not_taken_for_missing() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "here"), instance_there(&app, "there"));
    let schedule = app.schedule("cron(5 10 * * ? *)", &[&here, &there], json!(null)).await;
    cut_off(&app);

    app.pass_minutes(20).await;
    let during = app.list("/v1/snapshots").await;
    app.ec2.forget_faults();
    app.pass_minutes(60).await;

    assert_eq!(during.len(), 1);
    assert_eq!(text(&during[0], "status"), "available");
    assert_eq!(regions(&app, AVAILABLE).await, BOTH);
    assert_eq!(text(&runs(&app, &schedule).await[0], "status"), "done");
}

#[tokio::test]
async fn a_lost_reply_is_looked_for_in_its_own_region() {
    let app = two_regions().await;
    let there = instance_there(&app, "there");
    app.ec2.fault(Fault::on("CreateSnapshots").in_region(OTHER).times(1).reply_lost());

    let id = app.request_snapshot(&there).await;
    app.pass_minutes(30).await;

    assert_eq!(app.status(&id).await, "available");
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

/// A schedule that has three of an instance in each region, two of which no rule keeps; switched off.
async fn with_three_each(app: &App) -> String {
    let schedule = daily(app, "rate(10 minutes)", json!({ "keep_last": 1 })).await;
    app.pass_minutes(33).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    assert_eq!(regions(app, AVAILABLE).await.len(), 6);
    schedule
}

#[tokio::test]
async fn a_sweep_deletes_in_both_regions() {
    let app = two_regions().await;
    instance_here(&app, "here");
    instance_there(&app, "there");
    with_three_each(&app).await;

    let swept = sweep(&app, "execute").await;
    app.pass_minutes(90).await;

    assert_eq!(swept["executed"]["condemned"], json!(4));
    assert_eq!((ebs_in(&app, OTHER), ebs_in(&app, "us-east-1")), (1, 1));
    assert_eq!(regions(&app, AVAILABLE).await, BOTH);
}

#[tokio::test]
async fn a_sweep_leaves_a_region_out_of_reach_alone_and_deletes_in_the_others() {
    let app = two_regions().await;
    instance_here(&app, "here");
    instance_there(&app, "there");
    with_three_each(&app).await;
    cut_off(&app);

    let swept = sweep(&app, "execute").await;
    let entries = swept["plan"]["items"].as_array().unwrap().clone();
    app.pass_minutes(90).await;
    let during = (ebs_in(&app, OTHER), ebs_in(&app, "us-east-1"));
    app.ec2.forget_faults();
    app.pass_minutes(150).await;

    assert_eq!(swept["regions_out_of_reach"], json!([OTHER]));
    assert_eq!(swept["executed"]["condemned"], json!(2));
    let left = "its region eu-west-1 is out of reach; left alone";
    assert_eq!(entries.iter().filter(|entry| entry["reasons"] == json!([left])).count(), 2);
    assert_eq!(during, (3, 1));
    assert_eq!((ebs_in(&app, OTHER), ebs_in(&app, "us-east-1")), (1, 1));
}

#[tokio::test]
async fn rules_edited_while_a_region_is_out_of_reach_do_not_pass_the_brake_there() {
    let app = two_regions().await;
    instance_there(&app, "there");
    let schedule = daily(&app, "rate(2 minutes)", json!({ "keep_last": 100 })).await;
    app.pass_minutes(41).await;
    sweep(&app, "execute").await;
    let path = format!("/v1/schedules/{schedule}");
    let edit = json!({ "enabled": false, "retention": { "keep_last": 1 } });
    app.call("PATCH", &path, edit).await.expect(200);
    app.pass_minutes(3).await;
    cut_off(&app);

    // A sweep that does not see the region must not make the new rules the expected ones.
    let blind = sweep(&app, "execute").await;
    app.pass_minutes(2).await;
    app.ec2.forget_faults();
    let seeing = sweep(&app, "execute").await;

    assert_eq!(text(&blind, "status"), "done");
    assert_eq!(text(&seeing, "status"), "needs_approval");
    assert_eq!(seeing["executed"]["condemned"], json!(0));
}

#[tokio::test]
async fn what_is_condemned_in_a_region_out_of_reach_is_deleted_later() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "here"), instance_there(&app, "there"));
    let ids = [app.take_snapshot(&here).await, app.take_snapshot(&there).await];
    app.pass_minutes(2).await;
    for id in &ids {
        let path = format!("/v1/snapshots/{id}?grace_minutes=20");
        app.call("DELETE", &path, Value::Null).await.expect(202);
    }
    cut_off(&app);

    app.pass_minutes(30).await;
    let during = [app.status(&ids[0]).await, app.status(&ids[1]).await];
    app.ec2.forget_faults();
    app.pass_minutes(45).await;

    assert_eq!(during, ["deleted", "condemned"]);
    assert_eq!(app.status(&ids[1]).await, "deleted");
    assert!(app.ec2.snapshots().is_empty());
}

#[tokio::test]
async fn a_deletion_by_name_goes_to_the_snapshots_own_region() {
    let app = two_regions().await;
    let there = instance_there(&app, "there");
    let id = app.take_snapshot(&there).await;
    let path = format!("/v1/snapshots/{id}?grace_minutes=20");

    app.call("DELETE", &path, Value::Null).await.expect(202);
    let marked = app.ec2.snapshots()[0].tags.contains_key("snapkeep:state");
    app.call("POST", &format!("/v1/snapshots/{id}/rescue"), Value::Null).await.expect(200);
    let unmarked = !app.ec2.snapshots()[0].tags.contains_key("snapkeep:state");
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(30).await;

    assert!(marked && unmarked);
    assert_eq!(app.status(&id).await, "deleted");
    assert!(app.ec2.snapshots().is_empty());
}

#[tokio::test]
async fn an_instance_of_a_region_out_of_reach_is_not_gone() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "here"), instance_there(&app, "there"));
    let schedule = with_three_each(&app).await;
    let edit = json!({ "when_gone": { "type": "keep_last", "count": 2 }, "retention": null });
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), edit).await.expect(200);
    let first_looks = async || app.service().table.first_looks().await.unwrap();
    app.ec2.set_instance_state(&here, InstanceState::Terminated);
    app.pass_minutes(2).await;
    cut_off(&app);

    sweep(&app, "execute").await;
    let blind = first_looks().await;
    app.ec2.forget_faults();
    app.ec2.set_instance_state(&there, InstanceState::Terminated);
    sweep(&app, "execute").await;
    let seeing = first_looks().await;
    cut_off(&app);
    app.pass_minutes(12).await;
    sweep(&app, "execute").await;

    // Nothing was learnt of the other region while it was out of reach, and nothing was forgotten.
    assert_eq!(blind.keys().map(ToString::to_string).collect::<Vec<_>>(), [here]);
    assert!(seeing.contains_key(&there.parse().unwrap()));
    assert!(first_looks().await.contains_key(&there.parse().unwrap()));
    assert_eq!(regions(&app, "/v1/snapshots?status=condemned").await, ["us-east-1"]);
}

#[tokio::test]
async fn a_schedules_check_counts_every_region_and_says_which_it_could_not() {
    let app = two_regions().await;
    instance_here(&app, "here");
    let there = instance_there(&app, "there");
    let body = json!({
        "name": "x", "expression": "rate(1 hour)", "retention": { "keep_last": 2 },
        "targets": { "instance_ids": [there], "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    let preview =
        async || app.call("POST", "/v1/schedules?preview=true", body.clone()).await.expect(200);

    let whole = preview().await;
    cut_off(&app);
    let part = preview().await;

    assert_eq!(whole["limits"]["instances"], json!(2));
    assert_eq!(whole["limits"]["warnings"], json!([]));
    assert_eq!(part["limits"]["instances"], json!(1));
    let warnings = part["limits"]["warnings"].to_string();
    assert!(warnings.contains("its instances in eu-west-1 are not counted"), "{warnings}");
    assert!(!warnings.contains("has no instance"), "{warnings}");
}

#[tokio::test]
async fn events_of_a_region_within_reach_are_heard_while_another_is_not() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "here"), instance_there(&app, "there"));
    let ids = [app.request_snapshot(&here).await, app.request_snapshot(&there).await];
    app.settle().await;
    cut_off(&app);

    app.pass_minutes(5).await;
    let during = [app.status(&ids[0]).await, app.status(&ids[1]).await];
    app.ec2.forget_faults();
    app.pass_minutes(30).await;

    assert_eq!(during, ["available", "pending"]);
    assert_eq!(app.status(&ids[1]).await, "available");
}
