//! What else is in the account: shown, taken over, and else never touched.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::others::{
    adopt, first_set, of_volume, reconcile, taken_elsewhere, terminate, these, volume_of,
};
use crate::support::reply::text;

/// Snapshots made outside are shown with whose they are, and come in by adoption.
#[tokio::test]
async fn w20_what_was_made_elsewhere_is_shown_and_can_be_taken_in() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let ids = taken_elsewhere(&app, "us-east-1", &instance);
    reconcile(&app).await;

    let shown = app.list("/v1/reconciliation?owner=other").await;
    let id = first_set(&adopt(&app, these(&ids)).await);
    app.settle().await;
    reconcile(&app).await;

    assert_eq!(shown.len(), 2);
    let taken_in = app.list(&format!("/v1/snapshots?instance_id={instance}&origin=adopted")).await;
    assert_eq!(text(&taken_in[0], "id"), id);
    assert_eq!(text(&taken_in[0], "status"), "available");
    assert!(app.list("/v1/reconciliation?owner=other").await.is_empty());
    let ours = app.list("/v1/reconciliation?owner=ours").await;
    assert!(ours.len() == 2 && ours.iter().all(|one| text(one, "snapshot_id") == id));
}

/// What vanished from EC2 stays in the history, and is shown among what is missing.
#[tokio::test]
async fn w16_what_is_gone_from_ec2_stays_in_the_history() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let member = app.ec2.snapshots()[0].id.clone();
    app.ec2.remove_snapshot(&member);

    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_mins(11));
        reconcile(&app).await;
    }

    let missing = app.list("/v1/reconciliation?missing=true").await;
    assert_eq!(text(&missing[0], "ebs_snapshot_id"), member);
    let history =
        app.list(&format!("/v1/snapshots?instance_id={instance}&include_deleted=true")).await;
    assert_eq!((text(&history[0], "id"), text(&history[0], "status")), (&*id, "missing"));
}

/// Snapshots of instances and volumes that are gone: ours go on by their rules, others' are found as orphans and can be
/// brought under rules.
#[tokio::test]
async fn t4_orphans_are_found_and_can_be_brought_under_rules() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("cron(0 3 * * ? *)", &[&instance], json!({ "keep_last": 1 })).await;
    let volume = volume_of(&app, &instance);
    let ids = [of_volume(&app, &volume), of_volume(&app, &volume)];
    terminate(&app, &instance).await;
    reconcile(&app).await;

    let orphans = app.list("/v1/reconciliation?orphaned=true").await;
    let body = json!({
        "ebs_snapshot_ids": ids, "instance_id": instance, "schedule_id": schedule,
    });
    adopt(&app, body).await;
    app.pass_minutes(190).await;

    assert_eq!(orphans.len(), 2);
    assert!(app.ec2.snapshot(&ids[0]).is_none());
    assert!(app.ec2.snapshot(&ids[1]).is_some());
}

/// What people made by hand is theirs, whatever volume it is of.
#[tokio::test]
async fn t8_what_others_made_is_never_changed_or_deleted() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut theirs = taken_elsewhere(&app, "us-east-1", &instance);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 1 })).await;
    app.pass_minutes(100).await;
    theirs.extend(taken_elsewhere(&app, "us-east-1", &instance));
    let before: Vec<_> = theirs.iter().map(|id| app.ec2.snapshot(id).unwrap().tags).collect();

    app.pass_minutes(130).await;

    let deleted = app.list("/v1/snapshots?status=deleted").await;
    assert!(deleted.len() > 5, "{}", deleted.len());
    let after: Vec<_> = theirs.iter().map(|id| app.ec2.snapshot(id).unwrap().tags).collect();
    assert_eq!(before, after);
    let shown = app.list("/v1/reconciliation?owner=other").await;
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0]["snapshot_id"], Value::Null);
}
