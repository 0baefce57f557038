//! Copies in another region: made once, at most twenty at a time, kept by their own rules, restorable there.

use jiff::SignedDuration;
use local::function::Function;
use serde_json::{Value, json};
use shared::domain::snapshot::Status;
use shared::domain::snapshot::copying::CopyStage;
use shared::operations::snapshots;
use shared::operations::snapshots::delete::DeleteRequest;
use shared::table::Written;
use sim_ec2::{Completion, Config, Fault, InstanceSpec, SeedVolume, SnapshotState};

use crate::support::app::App;
use crate::support::events::{copies_due, tick};
use crate::support::regions::{OTHER, cut_off, two_regions};
use crate::support::reply::text;
use crate::support::restores::{after, ask, begun};
use crate::support::sweeps::sweep;
use crate::support::tripwire::at_every_call;

/// A schedule that takes these at five past ten, and has what it takes copied.
async fn copied(app: &App, instances: &[&str], retention: Value) -> String {
    scheduled(app, "cron(5 10 * * ? *)", instances, json!({ "copies": [retention] })).await
}

async fn scheduled(app: &App, expression: &str, instances: &[&str], more: Value) -> String {
    let mut body = json!({
        "name": "far", "expression": expression, "targets": { "instance_ids": instances },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

fn there() -> Value {
    json!({ "region": OTHER })
}

/// All copies, also those that are gone, by their ids.
async fn copies(app: &App) -> Vec<Value> {
    app.list("/v1/snapshots?origin=copy&include_deleted=true").await
}

async fn originals(app: &App) -> Vec<Value> {
    app.list("/v1/snapshots?origin=schedule").await
}

/// The EBS snapshots in the other region.
fn ebs_there(app: &App) -> Vec<sim_ec2::Snapshot> {
    app.ec2.snapshots().into_iter().filter(|one| one.region == OTHER).collect()
}

fn stages(original: &Value) -> Vec<&str> {
    original["copies"].as_array().unwrap().iter().map(|copy| text(copy, "stage")).collect()
}

/// An original whose copy is recorded, and nothing of it asked of EC2.
async fn ordered(app: &App, volumes: usize) -> (Value, String) {
    let instance = app.instance("web", volumes);
    copied(app, &[&instance], there()).await;
    while app.list("/v1/snapshots?origin=copy").await.is_empty() {
        app.clock.advance(SignedDuration::from_secs(30));
        app.settle_only(&[Function::Scheduler, Function::Snapshotter, Function::Tracker]).await;
    }
    let copy = copies(app).await.remove(0);
    assert_eq!(text(&copy, "status"), "requested");
    let id = text(&copy, "id").to_owned();
    (originals(app).await.remove(0), id)
}

/// An original that is available, and of whose copy nothing is recorded: no tick has come since.
async fn wanted(app: &App) -> (Value, String) {
    let instance = app.instance("web", 1);
    copied(app, &[&instance], there()).await;
    let without_ticks = [Function::Snapshotter, Function::Tracker];
    let with_ticks = [Function::Scheduler, Function::Snapshotter];
    loop {
        app.clock.advance(SignedDuration::from_secs(30));
        let found = originals(app).await.pop();
        app.settle_only(if found.is_none() { &with_ticks } else { &without_ticks }).await;
        if let Some(original) = found.filter(|one| text(one, "status") == "available") {
            assert!(copies(app).await.is_empty());
            let id = text(&original, "id").to_owned();
            return (original, id);
        }
    }
}

#[tokio::test]
async fn what_is_available_is_copied_with_all_its_volumes_and_tags() {
    let app = two_regions().await;
    let mut spec = InstanceSpec::named("web").tag("team", "blue");
    spec.volumes =
        vec![SeedVolume::new("/dev/sda", 8).encrypted(), SeedVolume::new("/dev/sdb", 16)];
    let instance = app.ec2.add_instance(spec);
    copied(&app, &[&instance], json!({ "region": OTHER, "kms_key": "alias/far" })).await;

    app.pass_minutes(15).await;

    let (original, copy) = (originals(&app).await.remove(0), copies(&app).await.remove(0));
    assert_eq!((text(&copy, "status"), text(&copy, "region")), ("available", OTHER));
    assert_eq!(copy["copy_of"], json!({ "snapshot_id": original["id"], "region": "us-east-1" }));
    assert_eq!(original["copies"][0]["snapshot_id"], copy["id"]);
    assert_eq!((stages(&original), &original["copy_of"]), (vec!["over"], &Value::Null));
    // It has the content of its original, however late it was made.
    assert_eq!((&copy["taken_at"], &copy["slot"]), (&original["taken_at"], &original["slot"]));
    assert_eq!((&copy["size_gib"], &copy["name"]), (&json!(24), &original["name"]));
    let volumes = |one: &Value| {
        let volumes = one["volumes"].as_array().unwrap().iter();
        volumes.map(|one| (one["volume_id"].clone(), one["device"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(volumes(&copy), volumes(&original));
    let ebs = ebs_there(&app);
    assert_eq!(ebs.len(), 2);
    for one in ebs {
        assert_eq!(one.tags["snapkeep:id"], text(&copy, "id"));
        assert_eq!(one.tags["snapkeep:copy-of"], text(&original, "id"));
        assert_eq!((&*one.tags["team"], one.encrypted), ("blue", true));
        let source = one.copy_of.unwrap();
        assert_eq!(one.tags["snapkeep:copied-from"], format!("us-east-1/{}", source.snapshot_id));
    }
}

#[tokio::test]
async fn copies_are_kept_by_rules_of_their_own_and_the_newest_stays() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    let body = json!({
        "retention": { "keep_last": 4 },
        "copies": [{ "region": OTHER, "retention": { "keep_last": 2 } }],
    });
    let schedule = scheduled(&app, "rate(10 minutes)", &[&instance], body).await;

    app.pass_minutes(62).await;
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), json!({ "enabled": false }))
        .await
        .expect(200);
    app.pass_minutes(10).await;
    sweep(&app, "execute").await;
    let available = async |origin: &str| {
        app.list(&format!("/v1/snapshots?origin={origin}&status=available&include=fate")).await
    };
    let (here, far) = (available("schedule").await, available("copy").await);

    assert_eq!((here.len(), far.len()), (4, 2));
    let newest = |list: &[Value]| text(&list[0], "slot").to_owned();
    assert_eq!(newest(&here), newest(&far));
    assert_eq!(far[0]["fate"]["kept_by"], json!(["last 1 of 2"]));

    // Whatever the rules say, the last restore point in each region stays.
    let none = json!({ "retention": { "max_age": "1h" },
        "copies": [{ "region": OTHER, "retention": { "max_age": "1h" } }] });
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), none).await.expect(200);
    app.pass_minutes(150).await;
    sweep(&app, "execute").await;
    let (here, far) = (available("schedule").await, available("copy").await);
    assert_eq!((here.len(), far.len()), (1, 1));
}

#[tokio::test]
async fn what_was_copied_to_a_region_that_is_not_named_any_more_stays() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    let body = json!({
        "retention": { "keep_last": 2 },
        "copies": [{ "region": OTHER, "retention": { "keep_last": 1 } }],
    });
    let schedule = scheduled(&app, "rate(10 minutes)", &[&instance], body).await;
    app.pass_minutes(35).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "copies": [] })).await.expect(200);
    sweep(&app, "execute").await;
    app.pass_minutes(30).await;

    let far = app.list("/v1/snapshots?origin=copy&status=available").await;
    assert_eq!((far.len(), far.len()), (3, ebs_there(&app).len()));
}

#[tokio::test]
async fn making_a_copy_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = two_regions().await;
        let (original, copy) = ordered(&app, 2).await;
        let clock = app.function_clock();

        let work = Box::pin(restorer::handle(&app.fragile, &clock, copies_due(OTHER)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(30).await;

        let record = app.record(&copy).await;
        assert_eq!(record.status, Status::Available, "{trip:?}");
        assert_eq!(ebs_there(&app).len(), 2, "{trip:?}");
        assert_eq!(record.members.len(), 2, "{trip:?}");
        let original = app.record(text(&original, "id")).await;
        assert_eq!(original.keepers.copies[0].stage, CopyStage::Over, "{trip:?}");
        alive
    })
    .await;

    assert!(calls >= 6, "{calls} calls: turn, queue, records, claim, two copies, record");
}

#[tokio::test]
async fn ordering_copies_survives_death_at_every_call() {
    at_every_call(async |trip| {
        let app = two_regions().await;
        let instance = app.instance("web", 1);
        copied(&app, &[&instance], there()).await;
        let functions = [Function::Scheduler, Function::Snapshotter];
        while app.list("/v1/snapshots?status=pending").await.is_empty() {
            app.clock.advance(SignedDuration::from_secs(30));
            app.settle_only(&functions).await;
        }
        app.clock.advance(SignedDuration::from_secs(55));
        app.settle_only(&[Function::Tracker]).await;

        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(app.now())));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(30).await;

        let copies = copies(&app).await;
        assert_eq!(copies.len(), 1, "{trip:?}");
        assert_eq!(text(&copies[0], "status"), "available", "{trip:?}");
        assert_eq!((ebs_there(&app).len(), app.ec2.calls()["CopySnapshot"]), (1, 1), "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn a_lost_reply_makes_one_copy_and_it_is_found() {
    let app = two_regions().await;
    let instance = app.instance("web", 2);
    copied(&app, &[&instance], there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(1).reply_lost());

    app.pass_minutes(20).await;

    assert_eq!(text(&copies(&app).await[0], "status"), "available");
    assert_eq!((ebs_there(&app).len(), app.ec2.calls()["CopySnapshot"]), (2, 2));
}

#[tokio::test]
async fn what_ec2_never_heard_is_asked_for_again_after_five_minutes() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    copied(&app, &[&instance], there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(1).reset());

    app.pass_minutes(9).await;
    let early = ebs_there(&app).len();
    app.pass_minutes(10).await;

    assert_eq!((early, ebs_there(&app).len()), (0, 1));
    assert_eq!(text(&copies(&app).await[0], "status"), "available");
}

#[tokio::test]
async fn each_event_delivered_twice_copies_once() {
    let app = two_regions().await;
    let instance = app.instance("web", 3);
    copied(&app, &[&instance], there()).await;

    app.pass_doubled(SignedDuration::from_mins(20)).await;

    assert_eq!(copies(&app).await.len(), 1);
    assert_eq!((ebs_there(&app).len(), app.ec2.calls()["CopySnapshot"]), (3, 3));
}

#[tokio::test]
async fn t13_at_most_twenty_copies_are_under_way_to_a_region_and_the_others_wait() {
    let mut config = Config::default();
    let slow = SignedDuration::from_mins(4);
    config.completion = Completion { base: slow, ..config.completion };
    let app = App::beside_with(OTHER, config).await;
    let instances: Vec<_> = (0..9).map(|n| app.instance(&format!("web-{n}"), 5)).collect();
    let names: Vec<_> = instances.iter().map(String::as_str).collect();
    copied(&app, &names, there()).await;

    let mut most = 0;
    for _ in 0..70 {
        app.pass(SignedDuration::from_secs(30)).await;
        let pending = |one: &&sim_ec2::Snapshot| one.state == SnapshotState::Pending;
        most = most.max(ebs_there(&app).iter().filter(pending).count());
    }

    assert_eq!(most, 20);
    let copies = copies(&app).await;
    assert_eq!(copies.len(), 9);
    assert!(copies.iter().all(|copy| copy["status"] == "available"), "{copies:#?}");
    // None was refused: each was asked for once.
    assert_eq!((app.ec2.calls()["CopySnapshot"], ebs_there(&app).len()), (45, 45));
}

#[tokio::test]
async fn a_limit_that_others_have_used_up_makes_copies_late_and_fails_none() {
    let app = two_regions().await;
    let instance = app.instance("web", 3);
    copied(&app, &[&instance], there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(4).error("ResourceLimitExceeded", 400));

    app.pass_minutes(8).await;
    let during = copies(&app).await.remove(0);
    app.pass_minutes(15).await;

    assert_eq!(text(&during, "status"), "requested");
    assert_eq!(text(&during["failure"], "code"), "NotNow");
    assert_eq!(text(&copies(&app).await[0], "status"), "available");
    assert_eq!(ebs_there(&app).len(), 3);
}

#[tokio::test]
async fn an_original_stays_while_it_is_copied() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    copied(&app, &[&instance], there()).await;
    cut_off(&app);
    app.pass_minutes(12).await;
    let original = originals(&app).await.remove(0);
    let path = format!("/v1/snapshots/{}", text(&original, "id"));

    let refusal = app.call("DELETE", &path, Value::Null).await.expect(409);
    app.ec2.forget_faults();
    app.pass_minutes(12).await;

    assert_eq!(stages(&original), ["under_way"]);
    assert!(text(&refusal, "detail").contains(OTHER), "{refusal:#}");
    assert_eq!(text(&copies(&app).await[0], "status"), "available");
    app.call("DELETE", &path, Value::Null).await.expect(202);
}

#[tokio::test]
async fn an_original_that_is_deleted_by_name_cancels_copies_that_have_not_begun() {
    let app = two_regions().await;
    let (original, copy) = ordered(&app, 2).await;
    app.ec2.deny("CopySnapshot");
    app.take_snapshot(text(&original, "instance_id")).await;
    let path = format!("/v1/snapshots/{}", text(&original, "id"));

    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.ec2.allow("CopySnapshot");
    app.pass_minutes(10).await;

    let cancelled = app.get(&format!("/v1/snapshots/{copy}")).await;
    let told = app.list(&format!("/v1/audit?resource_id={copy}")).await;
    assert_eq!(app.status(text(&original, "id")).await, "deleted");
    assert_eq!(text(&cancelled, "status"), "error");
    assert_eq!(text(&cancelled["failure"], "code"), "Cancelled");
    assert!(told.iter().any(|one| one["action"] == "snapshot.failed"), "{told:#?}");
    assert!(ebs_there(&app).is_empty());
}

#[tokio::test]
async fn an_original_that_is_deleted_by_name_cancels_copies_that_no_tick_has_ordered_yet() {
    let app = two_regions().await;
    let (original, id) = wanted(&app).await;
    // A tick that has read the original, and gets no further until it is deleted.
    let before = app.service().table.snapshot(&id.parse().unwrap()).await.unwrap().unwrap();

    app.call("DELETE", &format!("/v1/snapshots/{id}?grace_minutes=60"), Value::Null)
        .await
        .expect(202);
    let order = before.keepers.copies.first().unwrap();
    let late = app.service().table.insert_snapshot(&before.copy_ordered(order, app.now())).await;
    app.pass_minutes(90).await;

    let cancelled = copies(&app).await;
    assert_eq!(stages(&original), ["wanted"]);
    assert_eq!(late.unwrap(), Written::Changed);
    assert_eq!(cancelled.len(), 1);
    assert_eq!(text(&cancelled[0]["failure"], "code"), "Cancelled");
    assert_eq!(app.status(&id).await, "deleted");
    assert!(ebs_there(&app).is_empty());
}

#[tokio::test]
async fn a_copy_that_has_begun_keeps_its_original_from_deletion_by_name() {
    let app = two_regions().await;
    let (original, copy) = ordered(&app, 2).await;
    // One part has begun, the other has not.
    app.ec2.fault(Fault::on("CopySnapshot").skip(1).times(9).error("ResourceLimitExceeded", 400));
    app.pass_minutes(2).await;
    let path = format!("/v1/snapshots/{}", text(&original, "id"));

    let refused = app.call("DELETE", &path, Value::Null).await.expect(409);
    let removed = format!("{path}?record_only=true");
    app.call("DELETE", &removed, Value::Null).await.expect(409);

    assert!(text(&refused, "detail").contains(OTHER));
    assert_eq!(app.status(text(&original, "id")).await, "available");
    app.pass_minutes(15).await;
    assert_eq!(app.status(&copy).await, "available");
}

#[tokio::test]
async fn a_deletion_that_dies_at_any_call_leaves_no_copy_without_its_original() {
    at_every_call(async |trip| {
        let app = two_regions().await;
        let (original, copy) = ordered(&app, 1).await;
        let id = text(&original, "id").to_owned();
        let request = DeleteRequest {
            id: id.parse().unwrap(),
            who: "ada".to_owned(),
            grace: SignedDuration::ZERO,
            expected_version: None,
        };

        let work = Box::pin(snapshots::delete(&app.fragile, request, app.now()));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(30).await;

        // Either both are as they were, or the copy is not made; then nothing keeps the original.
        let (of, copied) = (app.status(&id).await, app.status(&copy).await);
        let is_whole = of == "available" && copied == "available";
        let is_cancelled = copied == "error" || copied == "deleted";
        assert!(is_whole || is_cancelled, "{trip:?}: {of}, {copied}");
        if is_cancelled {
            app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
        }
        alive
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_ec2_refuses_fails_says_why_and_frees_its_original() {
    let app = two_regions().await;
    let instance = app.instance("web", 2);
    copied(&app, &[&instance], there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").skip(1).times(1).error("InvalidParameterValue", 400));

    app.pass_minutes(15).await;

    let copy = copies(&app).await.remove(0);
    assert_eq!(text(&copy, "status"), "error");
    assert_eq!(text(&copy["failure"], "code"), "InvalidParameterValue");
    assert_eq!(stages(&originals(&app).await[0]), ["over"]);
    // What had begun is a member of it, and goes with it.
    assert_eq!(copy["volumes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_right_that_is_missing_makes_copies_late_and_fails_none() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    copied(&app, &[&instance], there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(3).error("UnauthorizedOperation", 403));

    app.pass_minutes(9).await;
    let during = copies(&app).await.remove(0);
    app.pass_minutes(10).await;

    assert_eq!(text(&during["failure"], "code"), "UnauthorizedOperation");
    assert_eq!(text(&copies(&app).await[0], "status"), "available");
}

#[tokio::test]
async fn one_that_is_not_permitted_keeps_no_other_waiting() {
    let app = two_regions().await;
    let instances: Vec<_> = ["web", "db", "mail"].map(|name| app.instance(name, 2)).into();
    let ids: Vec<_> = instances.iter().map(String::as_str).collect();
    copied(&app, &ids, there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(1).error("UnauthorizedOperation", 403));

    while !app.ec2.calls().contains_key("CopySnapshot") {
        app.clock.advance(SignedDuration::from_secs(30));
        app.settle().await;
    }
    let calls = app.ec2.calls()["CopySnapshot"];
    let (waiting, begun): (Vec<_>, Vec<_>) =
        copies(&app).await.into_iter().partition(|copy| copy["status"] == "requested");
    app.pass_minutes(20).await;

    // The second volume of the one that was refused waits with it.
    assert_eq!((calls, waiting.len(), begun.len()), (5, 1, 2));
    assert_eq!(text(&waiting[0]["failure"], "code"), "UnauthorizedOperation");
    let all = copies(&app).await;
    assert!(all.iter().all(|copy| copy["status"] == "available"), "{all:?}");
}

#[tokio::test]
async fn what_is_not_permitted_goes_to_the_end_of_the_queue() {
    let app = two_regions().await;
    // More than one round tries.
    let many: Vec<_> = (0..90).map(|number| app.instance(&format!("web-{number}"), 1)).collect();
    let ids: Vec<_> = many.iter().map(String::as_str).collect();
    copied(&app, &ids, there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(80).error("UnauthorizedOperation", 403));

    while app.ec2.calls().get("CopySnapshot").is_none_or(|calls| *calls < 80) {
        app.clock.advance(SignedDuration::from_secs(30));
        app.settle().await;
    }
    let all = copies(&app).await;
    let refused = all.iter().filter(|copy| copy["failure"]["code"] == "UnauthorizedOperation");

    // No round tries more than forty, and the second not the same ones.
    assert!(refused.count() > 40);
}

#[tokio::test]
async fn what_a_failed_copy_had_begun_without_an_answer_gets_a_record_of_its_own() {
    let app = two_regions().await;
    let instance = app.instance("web", 2);
    copied(&app, &[&instance], there()).await;
    app.ec2.fault(Fault::on("CopySnapshot").times(1).reply_lost());
    app.ec2.fault(Fault::on("CopySnapshot").times(1).error("InvalidParameterValue", 400));

    app.pass_minutes(75).await;

    let (failed, others): (Vec<_>, Vec<_>) =
        copies(&app).await.into_iter().partition(|copy| copy["status"] == "error");
    assert_eq!((failed.len(), others.len(), ebs_there(&app).len()), (1, 1, 1));
    let members = others[0]["volumes"].as_array().unwrap();
    assert_eq!(text(&members[0], "ebs_snapshot_id"), ebs_there(&app)[0].id);
    // It is as old as what it is a copy of.
    assert_eq!(others[0]["taken_at"], originals(&app).await[0]["taken_at"]);
}

#[tokio::test]
async fn a_copy_is_restored_where_it_lies() {
    let app = two_regions().await;
    let instance = app.instance("web", 2);
    copied(&app, &[&instance], there()).await;
    app.pass_minutes(15).await;
    let copy = text(&copies(&app).await[0], "id").to_owned();

    let in_place = json!({ "mode": "replace_volumes", "stop": true });
    let refusal = ask(&app, &copy, in_place).await.expect(409);
    let body = json!({ "mode": "new_volumes", "zone": format!("{OTHER}a") });
    let volumes = begun(&app, &copy, body).await;
    let volumes = after(&app, &volumes, 5).await;
    let new = begun(&app, &copy, json!({ "mode": "new_instance" })).await;
    let new = after(&app, &new, 15).await;

    let words = text(&refusal, "detail");
    assert!(words.contains("is a copy in eu-west-1") && words.contains("us-east-1"), "{words}");
    assert_eq!(text(&volumes, "status"), "done", "{volumes:#}");
    let made = app.ec2.volumes();
    let made =
        made.iter().filter(|one| one.zone == format!("{OTHER}a") && one.snapshot_id.is_some());
    assert!(made.count() >= 2);
    assert_eq!(text(&new, "status"), "done", "{new:#}");
    let launched = app.ec2.instance(text(&new, "new_instance_id")).unwrap();
    assert_eq!(launched.region, OTHER);
}

#[tokio::test]
async fn a_copy_is_no_restore_point_of_the_instance_s_own_region() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    copied(&app, &[&instance], there()).await;
    app.pass_minutes(15).await;
    let original = text(&originals(&app).await[0], "id").to_owned();

    let shown = app.get(&format!("/v1/instances/{instance}")).await;

    assert_eq!(text(&shown["protection"]["newest_available"], "snapshot_id"), original);
}

#[tokio::test]
async fn the_numbers_and_the_bill_know_copies() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    scheduled(&app, "rate(10 minutes)", &[&instance], json!({ "copies": [there()] })).await;
    app.pass_minutes(35).await;
    let copies = copies(&app).await;

    let stats = app.get("/v1/snapshots/stats").await;
    let newest = app.get(&format!("/v1/snapshots/{}/billing", text(&copies[0], "id"))).await;

    assert_eq!(copies.len(), 3);
    let there = stats["by_region"].as_array().unwrap().iter().find(|one| one["region"] == OTHER);
    assert_eq!(there.unwrap()["by_origin"]["copy"], 3);
    assert_eq!(text(&newest["volumes"][0], "neighbours"), "before", "{newest:#}");
}

#[tokio::test]
async fn copies_go_to_regions_that_are_looked_after_each_once() {
    let app = two_regions().await;
    let instance = app.instance("web", 1);
    let asked = async |copies: Value| {
        let body = json!({
            "name": "far", "expression": "rate(1 day)",
            "targets": { "instance_ids": [instance] }, "copies": copies,
        });
        app.call("POST", "/v1/schedules", body).await.expect(400)
    };
    let refusals = [
        (json!([{ "region": "ap-east-1" }]), "copies[0].region"),
        (json!([there(), there()]), "copies[1].region"),
        (json!([{ "region": OTHER, "kms_key": "" }]), "copies[0].kms_key"),
    ];

    for (copies, field) in refusals {
        let refusal = asked(copies).await;
        assert_eq!(text(&refusal, "field"), field, "{refusal:#}");
    }
    assert_eq!(app.list("/v1/schedules").await.len(), 0);
}
