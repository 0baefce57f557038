//! What EC2 tells of EBS snapshots in lists of their own: locks, fast snapshot restore, the Recycle Bin, the archive, and
//! that everybody may use them. Issue 13.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim_ec2::RetentionRule;

use crate::support::app::App;
use crate::support::others::reconcile;
use crate::support::reply::text;
use crate::support::sweeps::ec2;

/// The only EBS snapshot of one of ours.
async fn member(app: &App, id: &str) -> String {
    text(&shown(app, id).await["volumes"][0], "ebs_snapshot_id").to_owned()
}

async fn shown(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/snapshots/{id}")).await
}

/// Somebody else asks EC2 for this.
fn ask(app: &App, words: &str) {
    ec2(app, &format!("Action={words}&Version=2016-11-15"));
}

/// A snapshot that goes in a day, and its EBS snapshot.
async fn one_that_goes(app: &App) -> (String, String, Timestamp) {
    let instance = app.instance("web", 1);
    let end = app.now() + SignedDuration::from_hours(24);
    let id = app.take_snapshot(&instance).await;
    app.call("PATCH", &format!("/v1/snapshots/{id}"), json!({ "expires_at": end }))
        .await
        .expect(200);
    // The newest would stay.
    app.take_snapshot(&instance).await;
    let member = member(app, &id).await;
    (id, member, end)
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("no instant: {value}")).parse().unwrap()
}

#[tokio::test]
async fn a_lock_is_shown_and_puts_off_what_is_foretold() {
    let app = App::start().await;
    let (id, member, end) = one_that_goes(&app).await;
    let before = shown(&app, &id).await;
    ask(&app, &format!("LockSnapshot&SnapshotId={member}&LockMode=governance&LockDuration=30"));

    reconcile(&app).await;

    let after = shown(&app, &id).await;
    let lock = &after["volumes"][0]["lock"];
    assert_eq!(before["volumes"][0]["lock"], Value::Null);
    assert!(at(&before["fate"]["expected_deletion_at"]) < end + SignedDuration::from_hours(3));
    assert_eq!(text(lock, "state"), "governance", "{after:#}");
    assert_eq!(after["fate"]["expected_deletion_at"], lock["until"]);
    assert!(
        text(&after["fate"], "because")
            .contains(&format!("{member} is locked in EC2 (governance)"))
    );
    let listed = app.list("/v1/snapshots?sort=created_at").await.remove(0);
    assert_eq!(listed["volumes"][0]["lock"], *lock);

    ask(&app, &format!("UnlockSnapshot&SnapshotId={member}"));
    reconcile(&app).await;

    let freed = shown(&app, &id).await;
    assert_eq!(freed["volumes"][0]["lock"], Value::Null);
    assert_eq!(freed["fate"]["expected_deletion_at"], before["fate"]["expected_deletion_at"]);
}

#[tokio::test]
async fn what_is_enabled_for_fast_restore_is_shown_and_nobody_can_say_when_it_goes() {
    let app = App::start().await;
    let (id, member, _) = one_that_goes(&app).await;
    let switch = |way: &str, zone: &str| {
        ask(
            &app,
            &format!(
                "{way}FastSnapshotRestores&AvailabilityZone.1={zone}&SourceSnapshotId.1={member}"
            ),
        );
    };
    switch("Enable", "us-east-1d");
    switch("Enable", "us-east-1b");

    reconcile(&app).await;

    let enabled = shown(&app, &id).await;
    assert_eq!(enabled["volumes"][0]["fast_restore_zones"], json!(["us-east-1b", "us-east-1d"]));
    assert_eq!(text(&enabled["fate"], "outlook"), "unknown");
    assert!(
        text(&enabled["fate"], "because")
            .contains("fast snapshot restore in us-east-1b, us-east-1d"),
        "{enabled:#}"
    );

    let bill = app.get(&format!("/v1/snapshots/{id}/billing")).await;
    assert_eq!(bill["fast_restore"], json!({ "snapshot_zones": 2, "cost": 1080.0 }), "{bill:#}");

    switch("Disable", "us-east-1b");
    switch("Disable", "us-east-1d");
    reconcile(&app).await;

    let disabled = shown(&app, &id).await;
    assert_eq!(disabled["volumes"][0]["fast_restore_zones"], json!([]));
    assert_eq!(text(&disabled["fate"], "outlook"), "at");
    let bill = app.get(&format!("/v1/snapshots/{id}/billing")).await;
    assert_eq!(bill["fast_restore"], Value::Null);
}

#[tokio::test]
async fn what_lies_in_the_recycle_bin_is_shown_is_billed_and_comes_back() {
    let app = App::start().await;
    app.ec2.add_retention_rule("us-east-1", RetentionRule::all(7));
    let (id, member, _) = one_that_goes(&app).await;
    ask(&app, &format!("DeleteSnapshot&SnapshotId={member}"));
    app.pass_minutes(150).await;
    reconcile(&app).await;

    let missing = app.list("/v1/snapshots?status=missing").await.remove(0);
    assert_eq!(text(&missing, "id"), id);
    let end = at(&missing["volumes"][0]["recycled_until"]);
    assert!(end > app.now() + SignedDuration::from_hours(24 * 6), "{end}");
    let fate = &shown(&app, &id).await["fate"];
    assert!(
        text(fate, "because").contains(&format!("until {end} it can be taken out")),
        "{fate:#}"
    );
    let bill = app.get(&format!("/v1/snapshots/{id}/billing")).await;
    assert!(bill["size"]["cost"].as_f64().unwrap() > 0.0, "{bill:#}");

    ask(&app, &format!("RestoreSnapshotFromRecycleBin&SnapshotId={member}"));
    app.pass_minutes(62).await;
    reconcile(&app).await;

    let back = shown(&app, &id).await;
    assert_eq!(text(&back, "status"), "available");
    assert_eq!(back["volumes"][0]["recycled_until"], Value::Null);
}

#[tokio::test]
async fn what_has_left_the_recycle_bin_is_gone_for_good() {
    let app = App::start().await;
    app.ec2.add_retention_rule("us-east-1", RetentionRule::all(1));
    let (id, member, _) = one_that_goes(&app).await;
    ask(&app, &format!("DeleteSnapshot&SnapshotId={member}"));
    app.pass_minutes(150).await;
    reconcile(&app).await;
    assert_ne!(shown(&app, &id).await["volumes"][0]["recycled_until"], Value::Null);

    app.clock.advance(SignedDuration::from_hours(25));
    reconcile(&app).await;

    let gone = shown(&app, &id).await;
    assert_eq!(gone["volumes"][0]["recycled_until"], Value::Null);
    let bill = app.get(&format!("/v1/snapshots/{id}/billing")).await;
    assert_eq!(bill["size"]["cost"], 0.0, "{bill:#}");
}

/// Somebody shares an EBS snapshot, or shares it no more.
fn change_sharing(app: &App, member: &str, change: &str) {
    ask(
        app,
        &format!(
            "ModifySnapshotAttribute&SnapshotId={member}&Attribute=createVolumePermission\
             &CreateVolumePermission.{change}"
        ),
    );
}

#[tokio::test]
async fn the_accounts_that_may_use_it_are_shown() {
    let app = App::start().await;
    let (id, member, _) = one_that_goes(&app).await;
    change_sharing(&app, &member, "Add.1.UserId=999988887777");
    change_sharing(&app, &member, "Add.1.UserId=111122223333");

    reconcile(&app).await;

    let shared = shown(&app, &id).await;
    assert_eq!(shared["volumes"][0]["shared_with"], json!(["111122223333", "999988887777"]));
    assert_eq!(shared["volumes"][0]["public"], false);
    let listed = app.list("/v1/snapshots?sort=created_at").await.remove(0);
    assert_eq!(listed["volumes"][0]["shared_with"], shared["volumes"][0]["shared_with"]);

    change_sharing(&app, &member, "Remove.1.UserId=999988887777");
    reconcile(&app).await;

    assert_eq!(shown(&app, &id).await["volumes"][0]["shared_with"], json!(["111122223333"]));
}

// EC2 tells the accounts of one snapshot at a time, and all that an account of which one knows may use:
// docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html, `RestorableBy`.
#[tokio::test]
async fn of_many_a_hundred_are_asked_about_and_a_known_account_is_followed_at_once() {
    let app = App::start().await;
    for number in 0..4 {
        let instance = app.instance(&format!("web-{number}"), 26);
        app.take_snapshot(&instance).await;
    }
    let mut members = Vec::new();
    for one in app.list("/v1/snapshots?status=available&sort=created_at").await {
        let volumes = one["volumes"].as_array().unwrap().clone();
        let id = text(&one, "id").to_owned();
        members.extend(
            volumes.iter().map(|one| (id.clone(), text(one, "ebs_snapshot_id").to_owned())),
        );
    }
    assert_eq!(members.len(), 104);
    for (_, member) in &members {
        change_sharing(&app, member, "Add.1.UserId=999988887777");
    }
    app.ec2.reset_calls();

    reconcile(&app).await;

    assert_eq!(app.ec2.calls()["DescribeSnapshotAttribute"], 100);
    for (id, member) in &members {
        let record = shown(&app, id).await;
        let mut volumes = record["volumes"].as_array().unwrap().iter();
        let volume = volumes.find(|one| text(one, "ebs_snapshot_id") == member).unwrap();
        assert_eq!(volume["shared_with"], json!(["999988887777"]), "{member}");
    }
}

#[tokio::test]
async fn where_ec2_does_not_tell_whom_it_is_shared_with_the_rest_is_noted() {
    let app = App::start().await;
    let (id, member, _) = one_that_goes(&app).await;
    change_sharing(&app, &member, "Add.1.UserId=999988887777");
    reconcile(&app).await;
    ask(&app, &format!("LockSnapshot&SnapshotId={member}&LockMode=governance&LockDuration=30"));
    app.ec2.fault(
        sim_ec2::Fault::on("DescribeSnapshotAttribute")
            .error("UnauthorizedOperation", 403)
            .times(9),
    );

    reconcile(&app).await;

    let volume = &shown(&app, &id).await["volumes"][0];
    assert_ne!(volume["lock"], Value::Null);
    assert_eq!(volume["shared_with"], json!(["999988887777"]));
}

#[tokio::test]
async fn what_everybody_may_use_is_shown_as_public() {
    let app = App::start().await;
    let (id, member, _) = one_that_goes(&app).await;
    change_sharing(&app, &member, "Add.1.UserId=999988887777");
    reconcile(&app).await;
    assert_eq!(shown(&app, &id).await["volumes"][0]["public"], false);

    change_sharing(&app, &member, "Add.1.Group=all");
    reconcile(&app).await;

    assert_eq!(shown(&app, &id).await["volumes"][0]["public"], true);
}

// What is archived is a full snapshot at another price, and shares no block:
// docs.aws.amazon.com/ebs/latest/userguide/archiving-guidelines.html.
#[tokio::test]
async fn what_is_archived_costs_what_the_archive_costs() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.take_snapshot(&instance).await);
        app.clock.advance(SignedDuration::from_hours(24));
        app.settle().await;
    }
    let region = |bill: &Value| bill["total"]["estimated_incremental"].clone();
    reconcile(&app).await;
    let all_hot = region(&app.get("/v1/billing?group_by=region").await);
    let archived = member(&app, &ids[1]).await;
    ask(&app, &format!("ModifySnapshotTier&SnapshotId={archived}"));
    app.pass_minutes(130).await;
    reconcile(&app).await;
    // The count is of what stood before.
    reconcile(&app).await;

    let bill = app.get(&format!("/v1/snapshots/{}/billing", ids[1])).await;
    let next = app.get(&format!("/v1/snapshots/{}/billing", ids[2])).await;
    let in_part = region(&app.get("/v1/billing?group_by=region").await);

    let number = |value: &Value| value.as_f64().unwrap();
    let is_near = |one: f64, other: f64| (one - other).abs() < 2e-3;
    let full = number(&bill["full_size"]["gib"]);
    let estimate = &bill["estimated_incremental"];
    assert_eq!(bill["volumes"][0]["basis"], "archived", "{bill:#}");
    assert_eq!(bill["volumes"][0]["neighbours"], "apart");
    assert!(is_near(number(&estimate["gib"]), full));
    assert!(is_near(number(&estimate["cost"]), full * 0.0125), "{estimate:#}");
    assert!(is_near(number(&bill["deletion_frees"]["at_least_gib"]), full));
    assert!(is_near(number(&bill["deletion_frees"]["saves_at_most"]), full * 0.0125));
    assert!(is_near(number(&bill["size"]["cost"]), 8.0 * 0.0125));
    // The next one has changed since the first, two days before.
    assert!(is_near(number(&next["estimated_incremental"]["gib"]), full * 0.06), "{next:#}");
    // Of all: the first in full, the third's two days, and the archived one at its own price.
    assert!(is_near(number(&all_hot["gib"]), full * 1.06), "{all_hot:#}");
    assert!(is_near(number(&in_part["gib"]), full * 2.06), "{in_part:#}");
    assert!(is_near(number(&in_part["cost"]), full * (1.06 * 0.05 + 0.0125)), "{in_part:#}");
}

#[tokio::test]
async fn where_ec2_does_not_tell_what_was_noted_stands() {
    let app = App::start().await;
    let (id, member, _) = one_that_goes(&app).await;
    ask(&app, &format!("LockSnapshot&SnapshotId={member}&LockMode=governance&LockDuration=30"));
    reconcile(&app).await;
    ask(&app, &format!("UnlockSnapshot&SnapshotId={member}"));
    app.ec2.fault(
        sim_ec2::Fault::on("DescribeFastSnapshotRestores").error("Unavailable", 503).times(9),
    );

    reconcile(&app).await;

    assert_ne!(shown(&app, &id).await["volumes"][0]["lock"], Value::Null);
}
