//! Adoption: EBS snapshots that others made become ours, and nothing that somebody needs does.

use jiff::SignedDuration;
use local::function::Function;
use serde_json::{Value, json};
use shared::domain::adoption::{AdoptedFrom, Choice};
use shared::operations::reconciliation;
use shared::operations::reconciliation::adopt::Adoption;

use crate::support::app::App;
use crate::support::others::{
    adopt, first_set, image_of, of_volume, reconcile, tag, taken_elsewhere, terminate, these,
    volume_of,
};
use crate::support::regions::{OTHER, cut_off, instance_there, two_regions};
use crate::support::reply::text;
use crate::support::sweeps::{approve, ec2, outcomes, sweep};
use crate::support::tripwire::{Trip, at_every_call};

#[tokio::test]
async fn what_is_nobodys_becomes_a_set_and_keeps_its_own_tags() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    for id in &ids {
        app.ec2.tag_snapshot(id, "team", "blue");
    }
    let taken_at = app.ec2.snapshot(&ids[0]).unwrap().started_at;

    let adoption = adopt(&app, these(&ids)).await;
    let id = first_set(&adoption);
    let before = app.status(&id).await;
    app.settle().await;

    assert_eq!(before, "pending");
    assert_eq!(adoption["adopted"].as_array().unwrap().len(), 1);
    let snapshot = app.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!((text(&snapshot, "status"), text(&snapshot, "origin")), ("available", "adopted"));
    assert_eq!(text(&snapshot, "instance_id"), instance);
    assert_eq!(snapshot["taken_at"], json!(taken_at));
    assert_eq!(snapshot["tags"], json!({ "team": "blue" }));
    assert_eq!(snapshot["volumes"].as_array().unwrap().len(), 2);
    for ebs in &ids {
        let tagged = |key: &str| tag(&app, ebs, key).unwrap_or_default();
        assert_eq!((tagged("team"), tagged("snapkeep:id")), ("blue".to_owned(), id.clone()));
        assert_eq!(tagged("snapkeep:managed-by"), "snapkeep");
        assert_eq!(tagged("snapkeep:instance"), instance);
        assert_eq!(tagged("snapkeep:origin"), "adopted");
        assert_eq!(tag(&app, ebs, "snapkeep:state"), None);
    }
}

#[tokio::test]
async fn what_nobody_heard_of_the_hourly_look_takes_up() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    let id = first_set(&adopt(&app, these(&ids)).await);
    // The event is lost.
    app.settle_only(&[Function::Tracker]).await;
    let before = app.status(&id).await;

    let report = reconcile(&app).await;
    let again = reconcile(&app).await;

    assert_eq!(before, "pending");
    assert_eq!((&report["adopted"], &again["adopted"]), (&json!([id]), &json!([])));
    assert_eq!(app.status(&id).await, "available");
    assert_eq!(app.ec2.calls()["CreateTags"], 1);
}

async fn is_whole(app: &App, ids: &[String], trip: Trip) {
    let all = app.list("/v1/snapshots?include_deleted=true").await;
    assert_eq!(all.len(), 1, "{trip:?}");
    assert_eq!(text(&all[0], "status"), "available", "{trip:?}");
    let id = text(&all[0], "id").to_owned();
    assert_eq!(app.sets(), [(id, ids.len())].into(), "{trip:?}");
    assert!(!app.ec2.calls().contains_key("DeleteSnapshot"), "{trip:?}");
}

#[tokio::test]
async fn asking_for_an_adoption_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let ids = taken_elsewhere(&app, "us-east-1", &instance);
        let adoption = Adoption {
            choice: Choice::Each(ids.iter().map(|id| id.parse().unwrap()).collect()),
            also_from: AdoptedFrom::Nobody,
            instance_id: None,
            schedule_id: None,
            expires_at: None,
            name: None,
            description: None,
            who: "ada".to_owned(),
        };

        let work = Box::pin(reconciliation::adopt(&app.fragile, &adoption, app.now()));
        let alive = app.wire.run(trip, work).await.is_some();
        // Whoever got no answer asks again.
        app.clock.advance(SignedDuration::from_mins(1));
        let again = reconciliation::adopt(app.service(), &adoption, app.now()).await.unwrap();
        app.pass_minutes(61).await;

        assert_eq!((again.snapshots.len(), again.refused.len()), (1, 0), "{trip:?}");
        is_whole(&app, &ids, trip).await;
        alive
    })
    .await;

    assert!(calls > 2, "{calls} calls");
}

#[tokio::test]
async fn tagging_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let ids = taken_elsewhere(&app, "us-east-1", &instance);
        let id = first_set(&adopt(&app, these(&ids)).await);
        let detail = json!({ "snapshot_ids": [id] });
        let event = json!({ "detail-type": "AdoptionRequested", "detail": detail });

        let clock = app.function_clock();
        let work = Box::pin(reconciler::handle(&app.fragile, &clock, event));
        let alive = app.wire.run(trip, work).await.is_some();
        app.settle_only(&[Function::Tracker]).await;
        reconcile(&app).await;

        is_whole(&app, &ids, trip).await;
        alive
    })
    .await;

    assert!(calls > 2, "{calls} calls");
}

#[tokio::test]
async fn everything_delivered_twice_adopts_once() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    let path = "/v1/reconciliation/adopt";
    let key = [("idempotency-key", "k")];

    let first = app.send("POST", path, these(&ids), &key).await.expect(202);
    let second = app.send("POST", path, these(&ids), &key).await.expect(202);
    let other = app.send("POST", path, these(&ids[..1]), &key).await;
    app.pass_doubled(SignedDuration::from_mins(2)).await;
    let third = adopt(&app, these(&ids)).await;

    assert_eq!(first, second);
    assert_eq!(other.status, 422);
    assert_eq!(first_set(&third), first_set(&first));
    assert_eq!(text(&third["adopted"][0], "status"), "available");
    assert_eq!(app.list("/v1/snapshots").await.len(), 1);
    assert_eq!(app.ec2.calls()["CreateTags"], 1);
}

#[tokio::test]
async fn what_somebody_needs_is_refused_and_stays_untouched() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let volume = volume_of(&app, &instance);
    let ours = app.take_snapshot(&instance).await;
    let member = app.ec2.snapshots()[0].id.clone();
    let mut cases = vec![(member, "already_ours", ours.as_str())];
    for (key, said) in [
        ("aws:dlm:lifecycle-policy-id", "Data Lifecycle Manager"),
        ("aws:backup:source-resource", "AWS Backup"),
        ("ebs.csi.aws.com/cluster", "Kubernetes"),
        ("AWSElasticDisasterRecoveryManaged", "Elastic Disaster Recovery"),
    ] {
        let id = of_volume(&app, &volume);
        app.ec2.tag_snapshot(&id, key, "x");
        cases.push((id, "owned", said));
    }
    let used = of_volume(&app, &volume);
    let image = image_of(&app, &used);
    ec2(&app, &format!("Action=DisableImage&ImageId={image}&Version=2016-11-15"));
    cases.push((used, "owned", &image));
    let crowded = of_volume(&app, &volume);
    for number in 0..46 {
        app.ec2.tag_snapshot(&crowded, &format!("k{number}"), "v");
    }
    cases.push((crowded, "too_many_tags", "46 tags"));
    let unknown = "snap-0123456789abcdef0".to_owned();
    cases.push((unknown, "not_found", "any region"));
    let good = of_volume(&app, &volume);
    let before = app.ec2.snapshots();

    let mut ids: Vec<_> = cases.iter().map(|(id, ..)| id.clone()).collect();
    let none = app.call("POST", "/v1/reconciliation/adopt", these(&ids)).await.expect(409);
    ids.push(good);
    let adoption = adopt(&app, these(&ids)).await;

    assert!(text(&none, "detail").contains("none of them can be adopted"));
    assert_eq!(adoption["adopted"].as_array().unwrap().len(), 1);
    let refused = adoption["refused"].as_array().unwrap();
    assert_eq!(refused.len(), cases.len());
    for (id, reason, said) in &cases {
        let one = refused.iter().find(|one| text(one, "ebs_snapshot_id") == id).unwrap();
        assert_eq!(text(one, "reason"), *reason, "{one:#}");
        assert!(text(one, "detail").contains(said), "{one:#}");
    }
    app.pass_minutes(65).await;
    let untouched = before.iter().filter(|one| cases.iter().any(|(id, ..)| *id == one.id));
    for one in untouched {
        assert_eq!(app.ec2.snapshot(&one.id).unwrap().tags, one.tags);
    }
}

#[tokio::test]
async fn what_is_still_written_or_of_nobody_knows_whom_is_refused() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    let copy = format!(
        "Action=CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={}&Version=2016-11-15",
        ids[0]
    );
    ec2(&app, &copy);
    let copy = app.ec2.snapshots().into_iter().find(|one| one.copy_of.is_some()).unwrap().id;
    let copies = these(std::slice::from_ref(&copy));
    let path = "/v1/reconciliation/adopt";

    let pending = app.call("POST", path, copies.clone()).await.expect(409);
    app.pass_minutes(30).await;
    let unknown = app.call("POST", path, copies).await.expect(409);
    let said = json!({ "ebs_snapshot_ids": [copy], "instance_id": instance });
    let adoption = adopt(&app, said).await;

    assert!(text(&pending, "detail").contains("still writing"));
    assert!(text(&unknown, "detail").contains("give instance_id"));
    assert_eq!(text(&adoption["adopted"][0], "instance_id"), instance);
}

#[tokio::test]
async fn an_image_of_it_made_meanwhile_is_found_by_who_tags() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    let id = first_set(&adopt(&app, these(&ids)).await);
    let image = image_of(&app, &ids[0]);

    app.settle().await;
    let refused = app.get(&format!("/v1/snapshots/{id}")).await;
    ec2(&app, &format!("Action=DeregisterImage&ImageId={image}&Version=2016-11-15"));
    reconcile(&app).await;

    assert_eq!(text(&refused, "status"), "pending");
    assert!(text(&refused["failure"], "message").contains(&image));
    assert_eq!(app.status(&id).await, "available");
}

#[tokio::test]
async fn an_adoption_that_aws_does_not_permit_says_so_and_can_be_given_up() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    app.ec2.deny("CreateTags");
    let id = first_set(&adopt(&app, these(&ids)).await);

    app.pass_minutes(65).await;
    let shown = app.get(&format!("/v1/snapshots/{id}")).await;
    let path = format!("/v1/snapshots/{id}");
    app.call("DELETE", &path, Value::Null).await.expect(409);
    app.call("DELETE", &format!("{path}?record_only=true"), Value::Null).await.expect(200);
    app.ec2.allow("CreateTags");
    app.pass_minutes(65).await;

    assert_eq!(text(&shown, "status"), "pending");
    assert_eq!(text(&shown["failure"], "code"), "UnauthorizedOperation");
    assert_eq!(app.status(&id).await, "deleted");
    assert_eq!(tag(&app, &ids[0], "snapkeep:id"), None);
}

#[tokio::test]
async fn what_is_given_up_stays_in_ec2_and_is_not_taken_back() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    let id = first_set(&adopt(&app, these(&ids)).await);
    app.settle().await;
    let path = format!("/v1/snapshots/{id}?record_only=true");

    app.call("DELETE", &path, Value::Null).await.expect(200);
    app.pass_minutes(130).await;
    let report = reconcile(&app).await;
    let again = app.call("POST", "/v1/reconciliation/adopt", these(&ids)).await.expect(409);

    assert_eq!((&report["left"], &report["repaired"]), (&json!(ids), &json!([])));
    assert_eq!(app.status(&id).await, "deleted");
    assert!(app.ec2.snapshot(&ids[0]).is_some());
    assert!(text(&again, "detail").contains("left alone"));
}

/// A schedule that keeps three, and thirty old snapshots of its instance adopted under it; not tagged yet.
async fn with_thirty(app: &App) -> String {
    let instance = app.instance("web", 1);
    let schedule = app.schedule("cron(0 3 * * ? *)", &[&instance], json!({ "keep_last": 3 })).await;
    let volume = volume_of(app, &instance);
    let ids: Vec<_> = (0..30).map(|_| of_volume(app, &volume)).collect();
    // The rules have been in force for a sweep already.
    app.pass_minutes(65).await;
    assert_eq!(text(&app.list("/v1/sweeps").await[0], "status"), "done");
    let body = json!({ "ebs_snapshot_ids": ids, "schedule_id": schedule });
    assert_eq!(adopt(app, body).await["adopted"].as_array().unwrap().len(), 30);
    schedule
}

#[tokio::test]
async fn adopting_thirty_under_keep_last_three_stops_at_the_brake() {
    let app = App::start().await;
    let schedule = with_thirty(&app).await;
    app.settle().await;

    let stopped = sweep(&app, "execute").await;
    app.pass_minutes(65).await;
    let hourly = app.list("/v1/sweeps").await.remove(0);
    let available =
        app.list(&format!("/v1/snapshots?schedule_id={schedule}&status=available")).await;
    let released = sweep(&app, "execute").await;
    approve(&app, &released).await.expect(202);
    app.settle().await;
    let path = format!("/v1/sweeps/{}", text(&released, "id"));
    let done = app.get(&path).await;

    assert_eq!(text(&stopped, "status"), "needs_approval");
    assert_eq!(outcomes(&stopped, "condemned"), 0);
    assert_eq!(text(&hourly, "status"), "needs_approval");
    assert_eq!(available.len(), 30);
    assert_eq!(outcomes(&done, "condemned"), 27);
}

#[tokio::test]
async fn a_sweep_between_the_record_and_the_tags_does_not_make_it_expected() {
    let app = App::start().await;
    with_thirty(&app).await;
    // The event is lost, and a sweep goes by before the hourly look.
    app.settle_only(&[Function::Tracker]).await;
    let unseen = sweep(&app, "execute").await;
    app.clock.advance(SignedDuration::from_mins(1));
    reconcile(&app).await;

    let stopped = sweep(&app, "execute").await;

    assert_eq!(text(&unseen, "status"), "done");
    assert_eq!(text(&stopped, "status"), "needs_approval");
}

#[tokio::test]
async fn without_a_schedule_it_stays_unless_it_expires() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let volume = volume_of(&app, &instance);
    let ids: Vec<_> = (0..3).map(|_| of_volume(&app, &volume)).collect();
    let stays = first_set(&adopt(&app, these(&ids[..1])).await);
    let expires_at = app.now() + SignedDuration::from_mins(30);
    let body = json!({ "ebs_snapshot_ids": [ids[1]], "expires_at": expires_at });
    let goes = first_set(&adopt(&app, body).await);
    let newest = first_set(&adopt(&app, these(&ids[2..])).await);

    app.pass_minutes(185).await;

    let statuses = [app.status(&stays).await, app.status(&goes).await, app.status(&newest).await];
    assert_eq!(statuses, ["available", "deleted", "available"]);
    assert!(app.ec2.snapshot(&ids[1]).is_none());
    assert!(app.ec2.snapshot(&ids[0]).is_some());
}

#[tokio::test]
async fn one_of_an_instance_that_is_gone_is_adopted_by_what_its_tags_say() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    terminate(&app, &instance).await;
    let path = "/v1/reconciliation/adopt";
    let unknown = app.call("POST", path, these(&ids)).await.expect(409);
    for id in &ids {
        app.ec2.tag_snapshot(id, "InstanceId", &instance);
    }

    let adoption = adopt(&app, these(&ids)).await;
    app.settle().await;

    assert!(text(&unknown, "detail").contains("of which instance"));
    let record = app.get(&format!("/v1/snapshots/{}", first_set(&adoption))).await;
    assert_eq!((text(&record, "status"), text(&record, "instance_id")), ("available", &*instance));
}

#[tokio::test]
async fn one_in_another_region_is_adopted_there_and_an_outage_elsewhere_is_no_matter() {
    let app = two_regions().await;
    let instance = instance_there(&app, "web");
    let there = taken_elsewhere(&app, OTHER, &instance);
    let here = taken_elsewhere(&app, "us-east-1", &app.instance("db", 1));

    let adoption = adopt(&app, these(&there)).await;
    app.settle().await;
    let record = app.get(&format!("/v1/snapshots/{}", first_set(&adoption))).await;
    cut_off(&app);
    let meanwhile = adopt(&app, these(&here)).await;
    let lost = vec!["snap-0123456789abcdef0".to_owned()];
    let uncertain = app.call("POST", "/v1/reconciliation/adopt", these(&lost)).await;

    assert_eq!((text(&record, "status"), text(&record, "region")), ("available", OTHER));
    assert_eq!(meanwhile["adopted"].as_array().unwrap().len(), 1);
    assert_eq!(uncertain.status, 503);
}

#[tokio::test]
async fn a_lost_table_knows_again_what_was_adopted() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    let fresh = App::start().await;
    let volume = volume_of(&fresh, &fresh.instance("web", 1));
    let same = of_volume(&fresh, &volume);
    let id = first_set(&adopt(&app, these(&ids)).await);
    app.settle().await;
    for (key, value) in &app.ec2.snapshot(&ids[0]).unwrap().tags {
        fresh.ec2.tag_snapshot(&same, key, value);
    }
    fresh.clock.advance(SignedDuration::from_mins(11));

    reconcile(&fresh).await;

    let rebuilt = fresh.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!((text(&rebuilt, "origin"), text(&rebuilt, "status")), ("adopted", "available"));
}
