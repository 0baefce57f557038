//! What else is in the account: every EBS snapshot with whose it is, stored by the hourly look.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::others::{
    adopt, first_set, image_of, of_volume, reconcile, taken_elsewhere, terminate, these, volume_of,
};
use crate::support::regions::{OTHER, cut_off, instance_here, instance_there, two_regions};
use crate::support::reply::text;
use crate::support::sweeps::ec2;
use crate::support::tripwire::at_every_call;

async fn found(app: &App, query: &str) -> Vec<Value> {
    app.list(&format!("/v1/reconciliation{query}")).await
}

async fn region(app: &App, name: &str) -> Value {
    let answer = app.get("/v1/reconciliation").await;
    let regions = answer["regions"].as_array().unwrap();
    regions.iter().find(|one| text(one, "region") == name).unwrap().clone()
}

#[tokio::test]
async fn before_the_first_look_nothing_is_known_and_it_says_so() {
    let app = App::start().await;

    let answer = app.get("/v1/reconciliation").await;

    assert_eq!(answer["items"], json!([]));
    assert_eq!(answer["regions"][0]["region"], "us-east-1");
    assert_eq!(answer["regions"][0]["as_of"], Value::Null);
}

#[tokio::test]
async fn every_one_has_its_owner_and_all_that_is_known_of_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let volume = volume_of(&app, &instance);
    let set = app.take_snapshot(&instance).await;
    let ours = app.ec2.snapshots()[0].id.clone();
    let mut expected = vec![(ours.clone(), "ours")];
    for (key, owner) in [
        ("aws:dlm:lifecycle-policy-id", "data_lifecycle_manager"),
        ("aws:backup:source-resource", "aws_backup"),
        ("velero.io/backup", "kubernetes"),
        ("CSIVolumeSnapshotName", "kubernetes"),
        ("AWSElasticDisasterRecoveryManaged", "disaster_recovery"),
        ("AWSApplicationMigrationServiceManaged", "application_migration"),
        ("team", "other"),
    ] {
        let id = of_volume(&app, &volume);
        app.ec2.tag_snapshot(&id, key, "x");
        expected.push((id, owner));
    }
    let used = of_volume(&app, &volume);
    let image = image_of(&app, &used);
    ec2(&app, &format!("Action=DisableImage&ImageId={image}&Version=2016-11-15"));
    expected.push((used.clone(), "image"));

    let before = app.ec2.calls();
    reconcile(&app).await;
    let calls = app.ec2.calls();
    let all = found(&app, "?limit=2").await;
    assert_eq!(app.ec2.calls(), calls, "nothing is asked of EC2 on a request");

    assert_eq!(all.len(), expected.len());
    for (id, owner) in &expected {
        let one = all.iter().find(|one| text(one, "ebs_snapshot_id") == id).unwrap();
        assert_eq!(text(one, "owner"), *owner, "{one:#}");
        assert_eq!((text(one, "presence"), text(one, "state")), ("here", "completed"));
        assert_eq!((text(one, "volume_id"), text(one, "instance_id")), (&*volume, &*instance));
        assert_eq!(one["size_gib"], 8);
    }
    let one = |id: &str| all.iter().find(|one| text(one, "ebs_snapshot_id") == id).unwrap();
    assert_eq!(one(&ours)["snapshot_id"], json!(set));
    assert_eq!(one(&used)["ami_ids"], json!([image]));
    let sums = region(&app, "us-east-1").await;
    assert_eq!(sums["as_of"], json!(app.now()));
    let of = |owner: &str| {
        let owners = sums["owners"].as_array().unwrap();
        owners.iter().find(|one| text(one, "owner") == owner).unwrap()["all"].clone()
    };
    assert_eq!(of("kubernetes"), json!({ "count": 2, "size_gib": 16 }));
    assert_eq!(of("ours"), json!({ "count": 1, "size_gib": 8 }));
    let writes = |name: &str| calls.get(name) == before.get(name);
    assert!(["CreateTags", "DeleteTags", "DeleteSnapshot"].into_iter().all(writes));
}

#[tokio::test]
async fn orphans_are_told_beside_their_owner_and_copies_are_none() {
    let app = App::start().await;
    let (web, cache, db) =
        (app.instance("web", 1), app.instance("cache", 1), app.instance("db", 1));
    let mut orphans = taken_elsewhere(&app, "us-east-1", &web);
    orphans.extend(taken_elsewhere(&app, "us-east-1", &cache));
    app.ec2.tag_snapshot(&orphans[0], "dlm:managed", "true");
    let kept = taken_elsewhere(&app, "us-east-1", &db);
    let copy = "Action=CopySnapshot&SourceRegion=us-east-1&Version=2016-11-15&SourceSnapshotId=";
    ec2(&app, &format!("{copy}{}", kept[0]));
    terminate(&app, &web).await;
    terminate(&app, &cache).await;

    reconcile(&app).await;

    let all = found(&app, "?orphaned=true").await;
    let mut owners: Vec<_> = all.iter().map(|one| text(one, "owner")).collect();
    owners.sort_unstable();
    assert_eq!(owners, ["data_lifecycle_manager", "other"]);
    assert!(all.iter().all(|one| orphans.contains(&text(one, "ebs_snapshot_id").to_owned())));
    let others = found(&app, "?orphaned=false").await;
    assert_eq!(others.len(), 2);
    let copies = others.iter().filter(|one| one["volume_id"].is_null()).count();
    assert_eq!(copies, 1);
    let sums = region(&app, "us-east-1").await;
    let orphaned = |number: usize| &sums["owners"][number]["orphaned"]["count"];
    assert_eq!((orphaned(0), orphaned(1)), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_records_have_and_ec2_has_not_is_missing() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    app.pass_minutes(15).await;
    let gone = app.ec2.snapshots()[0].id.clone();
    app.ec2.remove_snapshot(&gone);

    reconcile(&app).await;
    let at_once = found(&app, "?missing=true").await;
    let since = app.now();
    app.clock.advance(SignedDuration::from_mins(11));
    reconcile(&app).await;
    app.clock.advance(SignedDuration::from_mins(11));
    reconcile(&app).await;
    let later = found(&app, "?missing=true").await;

    assert_eq!((at_once.len(), later.len()), (1, 1));
    for one in [&at_once[0], &later[0]] {
        assert_eq!((text(one, "presence"), text(one, "owner")), ("missing", "ours"));
        assert_eq!((text(one, "ebs_snapshot_id"), text(one, "snapshot_id")), (&*gone, &*id));
    }
    assert_eq!(later[0]["missing_since"], json!(since));
    assert_eq!(app.status(&id).await, "missing");
    let sums = region(&app, "us-east-1").await;
    assert_eq!(sums["missing"], json!({ "count": 1, "size_gib": 8 }));
}

#[tokio::test]
async fn pages_meet_and_filters_find() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 3), app.instance("db", 2));
    let mut ids = taken_elsewhere(&app, "us-east-1", &web);
    ids.extend(taken_elsewhere(&app, "us-east-1", &db));
    app.ec2.tag_snapshot(&ids[0], "Name", "Before The Move");
    reconcile(&app).await;

    let mut seen: Vec<_> = found(&app, "?limit=1").await;
    seen.sort_by_key(|one| text(one, "ebs_snapshot_id").to_owned());
    seen.dedup();
    let volume = text(&seen[0], "volume_id");

    assert_eq!(seen.len(), 5);
    assert_eq!(found(&app, "?q=before%20the%20move").await.len(), 1);
    assert_eq!(found(&app, "?q=upgrade&owner=other").await.len(), 5);
    assert_eq!(found(&app, &format!("?q={db}")).await.len(), 2);
    assert_eq!(found(&app, &format!("?volume_id={volume}")).await.len(), 1);
    assert_eq!(found(&app, "?owner=image").await.len(), 0);
    assert_eq!(found(&app, "?region=us-east-1").await.len(), 5);
    for bad in ["?owner=dlm", "?region=us-west-9", "?orphaned=1", "?cursor=eA", "?volume_id=x"] {
        let path = format!("/v1/reconciliation{bad}");
        app.call("GET", &path, Value::Null).await.expect(400);
    }
}

#[tokio::test]
async fn one_regions_outage_stops_no_other_and_leaves_its_own_records_alone() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "web"), instance_there(&app, "db"));
    let far = first_set(&adopt(&app, these(&taken_elsewhere(&app, OTHER, &there))).await);
    app.settle().await;
    taken_elsewhere(&app, "us-east-1", &here);
    reconcile(&app).await;
    let as_of = region(&app, OTHER).await["as_of"].clone();
    cut_off(&app);
    taken_elsewhere(&app, "us-east-1", &here);

    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_mins(11));
        let report = reconcile(&app).await;
        assert_eq!(report["out_of_reach"][0][0], json!(OTHER));
    }

    let (near, cut) = (region(&app, "us-east-1").await, region(&app, OTHER).await);
    assert_eq!(near["as_of"], json!(app.now()));
    assert_eq!(near["out_of_reach"], Value::Null);
    assert_eq!(near["owners"][0]["all"]["count"], 2);
    assert_eq!((&cut["as_of"], &cut["looked_at"]), (&as_of, &json!(app.now())));
    assert!(text(&cut, "out_of_reach").contains("EC2"), "{cut}");
    assert_eq!(found(&app, &format!("?region={OTHER}")).await.len(), 1);
    assert_eq!(app.status(&far).await, "available");
    assert_eq!(app.record(&far).await.course.absent_since, None);
}

#[tokio::test]
async fn when_every_region_is_out_of_reach_the_function_fails() {
    let app = App::start().await;
    app.ec2.fault(Fault::on("DescribeSnapshots").times(u64::MAX).internal_error());

    let failed = reconciler::handle(app.service(), &app.function_clock(), Value::Null).await;

    assert!(failed.is_err());
    assert!(!region(&app, "us-east-1").await["out_of_reach"].is_null());
}

#[tokio::test]
async fn what_is_ours_is_mended_though_nobody_knows_what_is_whose() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.event_fault(sim_ec2::EventFault::lost().times(5));
    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(5).await;
    app.ec2.deny("DescribeVolumes");

    let report = reconcile(&app).await;

    assert_eq!(app.status(&id).await, "available");
    assert!(report["out_of_reach"][0][1].as_str().unwrap().contains("volumes"));
    assert!(!region(&app, "us-east-1").await["out_of_reach"].is_null());
}

#[tokio::test]
async fn a_look_that_dies_leaves_what_was_found_before() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        taken_elsewhere(&app, "us-east-1", &instance);
        reconcile(&app).await;
        taken_elsewhere(&app, "us-east-1", &instance);

        let clock = app.function_clock();
        let work = Box::pin(reconciler::handle(&app.fragile, &clock, Value::Null));
        let alive = app.wire.run(trip, work).await.is_some();

        let seen = found(&app, "").await.len();
        let sums = region(&app, "us-east-1").await["owners"][0]["all"]["count"].clone();
        assert_eq!(sums, json!(seen), "{trip:?}");
        // What comes after the findings may be what it died of.
        assert!(seen == 2 || (seen == 1 && !alive), "{trip:?}: {seen}");
        reconcile(&app).await;
        assert_eq!(found(&app, "").await.len(), 2, "{trip:?}");
        alive
    })
    .await;

    assert!(calls > 4, "{calls} calls");
}

#[tokio::test]
async fn what_has_not_changed_is_not_written_again_but_once_a_day() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    taken_elsewhere(&app, "us-east-1", &instance);
    app.clock.advance(SignedDuration::from_mins(20));
    let writes = async || {
        let target = "DynamoDB_20120810.PutItem";
        let before = app.wire.calls(target);
        Box::pin(reconciler::handle(&app.fragile, &app.function_clock(), Value::Null))
            .await
            .unwrap();
        app.wire.calls(target) - before
    };

    let (first, again) = (writes().await, writes().await);
    app.clock.advance(SignedDuration::from_hours(25));
    let next_day = writes().await;

    // One of each is the note of when the numbers were counted; the first also notes whose the table is.
    assert_eq!((first, again, next_day), (4, 2, 3));
    assert_eq!(region(&app, "us-east-1").await["as_of"], json!(app.now()));
    assert_eq!(found(&app, "").await.len(), 2);
}

#[tokio::test]
async fn a_person_may_ask_for_a_look_now_but_not_all_the_time() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    taken_elsewhere(&app, "us-east-1", &instance);

    let asked = app.call("POST", "/v1/reconciliation", Value::Null).await;
    let meanwhile = app.call("POST", "/v1/reconciliation", Value::Null).await;
    app.settle().await;
    let seen = found(&app, "").await.len();
    let again = app.call("POST", "/v1/reconciliation", Value::Null).await;
    app.clock.advance(SignedDuration::from_mins(5));
    let later = app.call("POST", "/v1/reconciliation", Value::Null).await;

    assert_eq!((asked.status, meanwhile.status), (202, 409));
    assert_eq!((again.status, later.status), (409, 202));
    assert_eq!(seen, 1);
}
