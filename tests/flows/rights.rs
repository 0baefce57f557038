//! The rights of the template's roles, from both ends: every flow of these tests is held to them, and here one long day
//! makes use of each. What no day would use is named with its reason, or is no right any more.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use local::function::Function;
use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, InstanceState, LaunchSettings, SeedVolume};

use crate::support::app::App;
use crate::support::images::{delete_image, make_image};
use crate::support::others::{adopt, taken_elsewhere, these};
use crate::support::regions::{OTHER, instance_here, instance_there, two_regions};
use crate::support::reply::text;
use crate::support::restores::{after, begun};
use crate::support::sweeps::sweep;

const FUNCTIONS: [Function; 8] = [
    Function::Api,
    Function::Scheduler,
    Function::Snapshotter,
    Function::Tracker,
    Function::Sweeper,
    Function::Reaper,
    Function::Restorer,
    Function::Reconciler,
];

/// What the day does not use, each with why it is given all the same.
const KEPT: &[(Function, &str, &str, &str)] = &[
    (
        Function::Api,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Scheduler,
        "LookAtEc2",
        "ec2:DescribeSnapshots",
        "a lost reply is looked for by its tag",
    ),
    (
        Function::Scheduler,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Scheduler,
        "UseTable",
        "dynamodb:GetItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Snapshotter,
        "LookAtEc2",
        "ec2:DescribeSnapshots",
        "a lost reply is looked for by its tag",
    ),
    (
        Function::Snapshotter,
        "UseIndexes",
        "dynamodb:Query",
        "one statement of the table for all functions",
    ),
    (
        Function::Snapshotter,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Snapshotter,
        "UseTable",
        "dynamodb:Query",
        "one statement of the table for all functions",
    ),
    (
        Function::Tracker,
        "UseIndexes",
        "dynamodb:Query",
        "one statement of the table for all functions",
    ),
    (
        Function::Tracker,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Tracker,
        "UseTable",
        "dynamodb:GetItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Tracker,
        "UseTable",
        "dynamodb:Query",
        "one statement of the table for all functions",
    ),
    (
        Function::Sweeper,
        "ForgetLooks",
        "dynamodb:DeleteItem",
        "a look is forgotten once a sweep has begun after it",
    ),
    (
        Function::Sweeper,
        "LookAtEc2",
        "ec2:DescribeInstances",
        "rules for instances that are gone ask for them",
    ),
    (
        Function::Sweeper,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Reaper,
        "LookAtEc2",
        "ec2:DescribeInstances",
        "rules for instances that are gone ask for them",
    ),
    (
        Function::Reaper,
        "UseTable",
        "dynamodb:Query",
        "one statement of the table for all functions",
    ),
    (
        Function::Restorer,
        "OfVolumesThere",
        "ec2:ModifyInstanceAttribute",
        "volumes that went with their instance do so again, where EC2 shows them late",
    ),
    (
        Function::Restorer,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
    (
        Function::Restorer,
        "UseTable",
        "dynamodb:Query",
        "one statement of the table for all functions",
    ),
    (
        Function::Reconciler,
        "UseTable",
        "dynamodb:ConditionCheckItem",
        "one statement of the table for all functions",
    ),
];

/// An instance whose restore uses whatever a launch can.
fn web(app: &App) -> String {
    let profile = Some("arn:aws:iam::123456789012:instance-profile/web".to_owned());
    let settings = LaunchSettings {
        instance_profile: profile,
        source_check_off: true,
        ..LaunchSettings::default()
    };
    let mut spec = InstanceSpec::named("web").settings(settings).key_name("ops");
    spec.volumes = vec![SeedVolume::new("/dev/xvda", 8), SeedVolume::new("/dev/sdb", 8)];
    app.ec2.add_instance(spec)
}

async fn scheduled(app: &App, instances: &[&str]) -> String {
    let body = json!({
        "name": "all of it", "expression": "rate(30 minutes)", "drill_every": "1d", "grace_minutes": 5,
        "targets": { "instance_ids": instances, "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
        "retention": { "keep_last": 2 }, "copies": [{ "region": OTHER, "retention": { "keep_last": 1 } }],
    });
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

/// Schedules, copies, drills, retention in two regions, and an instance that is gone and comes back.
async fn routine(app: &App, web: &str) {
    let (here, there) = (instance_here(app, "here"), instance_there(app, "there"));
    let schedule = scheduled(app, &[web]).await;
    app.call("POST", &format!("/v1/schedules/{schedule}/runs"), Value::Null).await.expect(202);
    app.pass(SignedDuration::from_hours(5)).await;
    for path in
        ["/v1/instances", "/v1/billing", "/v1/snapshots/stats", "/v1/audit", "/v1/sweeps/blocked"]
    {
        app.get(path).await;
    }
    for instance in [&here, &there] {
        app.get(&format!("/v1/instances/{instance}/history")).await;
    }
    sweep(app, "plan_only").await;
    app.ec2.set_instance_state(&here, InstanceState::ShuttingDown);
    sweep(app, "execute").await;
    app.ec2.set_instance_state(&here, InstanceState::Running);
    app.pass_minutes(11).await;
    sweep(app, "execute").await;
    app.call("POST", "/v1/reconciliation", Value::Null).await.expect(202);
    app.settle().await;
    app.call("DELETE", &format!("/v1/schedules/{schedule}"), Value::Null).await;
    app.pass_minutes(10).await;
}

/// A snapshot condemned by name, rescued, and deleted.
async fn by_name(app: &App, web: &str) {
    let id = app.take_snapshot(web).await;
    let path = format!("/v1/snapshots/{id}");
    app.call("DELETE", &format!("{path}?grace_minutes=60"), Value::Null).await.expect(202);
    app.call("POST", &format!("{path}/rescue"), Value::Null).await.expect(200);
    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.pass_minutes(10).await;
    assert_eq!(app.status(&id).await, "deleted");
}

async fn restores(app: &App, web: &str) {
    let db = app.instance("db", 1);
    let snapshot = app.take_snapshot(web).await;
    for body in [
        json!({ "mode": "new_volumes", "attach_to": db, "volumes": [{ "device": "/dev/sdb", "attach_as": "/dev/sdf" }] }),
        json!({ "mode": "replace_root" }),
        json!({ "mode": "replace_volumes", "stop": true }),
        json!({ "mode": "new_instance" }),
    ] {
        let id = begun(app, &snapshot, body.clone()).await;
        let done = after(app, &id, 40).await;
        assert_eq!(text(&done, "status"), "done", "{body}: {done:#}");
    }
    // Taken back in the middle: what it has made is deleted.
    let id = begun(app, &snapshot, json!({ "mode": "new_volumes" })).await;
    app.settle().await;
    app.call("POST", &format!("/v1/restores/{id}/cancel"), json!({})).await;
    app.pass_minutes(10).await;
}

async fn images(app: &App, web: &str) {
    let old = app.take_snapshot(web).await;
    app.take_snapshot(web).await;
    let (id, _) = make_image(app, &old).await;
    delete_image(app, &id, "?delete_snapshots=true").await;
    app.pass(SignedDuration::from_hours(2)).await;
}

/// What nobody can make sense of is put aside, by each function behind a queue.
async fn rejections(app: &App) {
    let batch = || json!({ "Records": [{ "messageId": "bad", "body": "{not json" }] });
    let clock = app.function_clock();
    let service = |function| app.world.service(function).unwrap();
    snapshotter::handle(service(Function::Snapshotter), &clock, batch()).await.unwrap();
    tracker::handle(service(Function::Tracker), &clock, batch()).await.unwrap();
    reaper::handle(service(Function::Reaper), &clock, batch()).await.unwrap();
    restorer::handle(service(Function::Restorer), &clock, batch()).await.unwrap();
}

/// What others have made becomes ours: nobody's, another installation's, and ours of before there were installations.
async fn adoptions(app: &App, web: &str) {
    let nobodys = taken_elsewhere(app, "us-east-1", web);
    adopt(app, these(&nobodys)).await;
    app.settle().await;
    let other = app.installed_beside("staging.us-east-1").await;
    let before: BTreeSet<_> = app.ec2.snapshots().into_iter().map(|one| one.id).collect();
    // EC2's events reach the first one alone: here it is enough that EC2 has completed it.
    other.request_snapshot(web).await;
    other.pass_minutes(3).await;
    let is_new = |one: &sim_ec2::Snapshot| !before.contains(&one.id);
    let theirs: Vec<_> = app.ec2.snapshots().into_iter().filter(is_new).map(|one| one.id).collect();
    app.pass_minutes(61).await;
    let mut body = these(&theirs);
    body["also_from"] = json!("another_installation");
    adopt(app, body).await;
    app.settle().await;
    let old = app.take_snapshot(web).await;
    for one in
        app.ec2.snapshots().into_iter().filter(|one| one.tags.get("snapkeep:id") == Some(&old))
    {
        let body = format!(
            "Action=DeleteTags&ResourceId.1={}&Tag.1.Key=snapkeep:installation&Version=2016-11-15",
            one.id
        );
        assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);
    }
    app.pass_minutes(61).await;
}

#[tokio::test]
async fn every_right_is_used_in_a_day_or_kept_for_a_reason() {
    let app = two_regions().await;
    let web = web(&app);
    routine(&app, &web).await;
    by_name(&app, &web).await;
    restores(&app, &web).await;
    images(&app, &web).await;
    adoptions(&app, &web).await;
    rejections(&app).await;

    let mut unused = Vec::new();
    for function in FUNCTIONS {
        let (given, used) = (app.world.rights_given(function), app.world.rights_used(function));
        assert!(!given.is_empty() && used.is_subset(&given), "{function}: {used:?}");
        for (sid, action) in given.difference(&used) {
            let is_kept = KEPT.iter().any(|(who, kept, what, why)| {
                *who == function && kept == sid && what == action && !why.is_empty()
            });
            if !is_kept {
                unused.push(format!("{function} {sid} {action}"));
            }
        }
        for (who, sid, action, _) in KEPT.iter().filter(|(who, ..)| *who == function) {
            let right = ((*sid).to_owned(), (*action).to_owned());
            assert!(given.contains(&right), "{who} has no right {sid} {action} any more");
            assert!(!used.contains(&right), "{who} uses {sid} {action} after all");
        }
    }
    assert!(unused.is_empty(), "given and never used:\n{}", unused.join("\n"));
}
