//! Several installations in one account: neither touches what is the other's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::others::{first_set, reconcile, tag, these};
use crate::support::reply::text;
use crate::support::sweeps::sweep;

/// What the second installation is called.
const STAGING: &str = "staging.us-east-1";
const INSTALLATION: &str = "snapkeep:installation";
const ADOPT: &str = "/v1/reconciliation/adopt";

#[tokio::test]
async fn hours_of_two_installations_leave_each_others_snapshots_alone() {
    let app = App::start().await;
    let other = app.installed_beside(STAGING).await;

    let hours = side_by_side(&app, &other).await;

    assert_eq!(hours.touched, Vec::<String>::new());
    for (one, instance) in [(&app, &hours.own), (&other, &hours.others)] {
        let records = one.list("/v1/snapshots?include_deleted=true").await;
        let of: BTreeSet<_> = records.iter().map(|record| text(record, "instance_id")).collect();
        assert_eq!(of, [&**instance].into());
        assert!(records.iter().any(|record| record["status"] == json!("deleted")));
    }
    for snapshot in app.ec2.snapshots() {
        let is_own = snapshot.tags["snapkeep:instance"] == hours.own;
        let id = if is_own { app.service() } else { other.service() };
        assert_eq!(snapshot.tags[INSTALLATION], id.settings.installation.as_str());
    }
}

#[tokio::test]
async fn under_one_id_two_installations_fight() {
    let app = App::start().await;
    let same = app.service().settings.installation.clone();
    let other = app.installed_beside(same.as_str()).await;

    let hours = side_by_side(&app, &other).await;

    // What the flow above would see without the ids.
    assert!(!hours.touched.is_empty());
}

#[tokio::test]
async fn what_is_anothers_is_listed_so_and_taken_over_only_where_that_is_said() {
    let app = App::start().await;
    let other = app.installed_beside(STAGING).await;
    let set = app.take_snapshot(&app.instance("web", 2)).await;
    let ids: Vec<_> = app.ec2.snapshots().into_iter().map(|one| one.id).collect();
    app.clock.advance(SignedDuration::from_mins(11));
    let report = reconcile(&other).await;

    let found = other.list("/v1/reconciliation?owner=another_installation").await;
    let refused = other.call("POST", ADOPT, these(&ids)).await.expect(409);
    let mut body = these(&ids);
    body["also_from"] = json!("another_installation");
    let taken = first_set(&other.call("POST", ADOPT, body).await.expect(202));
    other.settle().await;

    assert_eq!(report["repaired"], json!([]));
    let listed: BTreeSet<_> = found.iter().map(|one| text(one, "ebs_snapshot_id")).collect();
    assert_eq!(listed, ids.iter().map(String::as_str).collect());
    assert!(text(&refused, "detail").contains("of the installation local.snapkeep.us-east-1"));
    assert_eq!(other.status(&taken).await, "available");
    for id in &ids {
        assert_eq!(tag(&app, id, INSTALLATION).as_deref(), Some(STAGING));
        assert_eq!(tag(&app, id, "snapkeep:id"), Some(taken.clone()));
    }
    // Who has lost them no longer counts them, and does nothing to them.
    reconcile(&app).await;
    app.clock.advance(SignedDuration::from_mins(11));
    reconcile(&app).await;
    assert_eq!(app.status(&set).await, "missing");
    assert_eq!(app.list("/v1/reconciliation?owner=another_installation").await.len(), 2);
}

#[tokio::test]
async fn one_of_before_is_whose_record_has_it_and_gets_that_ones_id() {
    let app = App::start().await;
    let other = app.installed_beside(STAGING).await;
    app.take_snapshot(&app.instance("web", 2)).await;
    forget_installations(&app);
    app.clock.advance(SignedDuration::from_mins(11));

    let theirs = reconcile(&other).await;
    let unnamed = installations(&app);
    let ours = reconcile(&app).await;

    assert_eq!((&theirs["repaired"], &theirs["signed"]), (&json!([]), &json!(0)));
    assert_eq!(theirs["left"].as_array().unwrap().len(), 2);
    assert_eq!(unnamed, BTreeSet::new());
    assert_eq!(ours["signed"], json!(2));
    let own = app.service().settings.installation.to_string();
    assert_eq!(installations(&app), [own].into());
    assert_eq!(app.list("/v1/reconciliation?owner=ours").await.len(), 2);
}

#[tokio::test]
async fn one_of_before_that_takes_no_further_tag_is_still_deleted_by_whose_record_has_it() {
    let app = App::start().await;
    let other = app.installed_beside(STAGING).await;
    let id = app.take_snapshot(&app.instance("web", 1)).await;
    forget_installations(&app);
    let ebs = app.ec2.snapshots()[0].id.clone();
    let present = app.ec2.snapshots()[0].tags.len();
    for number in present..49 {
        app.ec2.tag_snapshot(&ebs, &format!("k{number}"), "v");
    }
    app.clock.advance(SignedDuration::from_mins(11));
    reconcile(&other).await;
    let report = reconcile(&app).await;

    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;

    // There is one place, and that is the mark's.
    assert_eq!(report["signed"], json!(0));
    assert_eq!(app.status(&id).await, "deleted");
    assert!(app.ec2.snapshots().is_empty());
}

/// What two installations have done for some hours.
struct Hours {
    /// The instance of the first one.
    own: String,
    /// That of the other.
    others: String,
    /// What one of them has done to a snapshot of the other's.
    touched: Vec<String>,
}

/// Each has a schedule for an instance of its own, and one creation of the first gets no answer. After each step of each of
/// them the other's EBS snapshots must be as they were.
async fn side_by_side(app: &App, other: &App) -> Hours {
    let (own, others) = (app.instance("web", 2), app.instance("db", 2));
    let rules = || json!({ "keep_last": 2 });
    app.schedule("rate(30 minutes)", &[&own], rules()).await;
    other.schedule("rate(30 minutes)", &[&others], rules()).await;
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).reply_lost());
    let mut touched = Vec::new();
    for _ in 0..6 * 60 {
        app.clock.advance(SignedDuration::from_mins(1));
        for (one, foreign) in [(app, &others), (other, &own)] {
            let before = of_instance(app, foreign);
            one.settle().await;
            let after = of_instance(app, foreign);
            let differs = before.into_iter().filter(|(id, tags)| after.get(id) != Some(tags));
            touched.extend(differs.map(|(id, _)| id));
        }
    }
    Hours { own, others, touched }
}

/// The EBS snapshots that say they are of an instance, with their tags.
fn of_instance(app: &App, instance: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let all = app.ec2.snapshots().into_iter();
    all.filter(|one| one.tags.get("snapkeep:instance").is_some_and(|of| of == instance))
        .map(|one| (one.id, one.tags.into_iter().collect()))
        .collect()
}

/// Makes the account's EBS snapshots as they were made before installations had ids.
fn forget_installations(app: &App) {
    for snapshot in app.ec2.snapshots() {
        let body = format!(
            "Action=DeleteTags&Version=2016-11-15&ResourceId.1={}&Tag.1.Key={INSTALLATION}",
            snapshot.id
        );
        assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);
    }
}

/// The installations that the account's EBS snapshots name.
fn installations(app: &App) -> BTreeSet<String> {
    app.ec2.snapshots().iter().filter_map(|one| one.tags.get(INSTALLATION).cloned()).collect()
}

/// Has `other` take over these EBS snapshots, and does no more of what is due.
async fn taken_over(other: &App, ids: &[String]) {
    reconcile(other).await;
    let mut body = these(ids);
    body["also_from"] = json!("another_installation");
    other.call("POST", ADOPT, body).await.expect(202);
    other.settle().await;
}

fn members_of(app: &App, set: &str) -> Vec<String> {
    let is_its = |one: &sim_ec2::Snapshot| one.tags["snapkeep:id"] == set;
    app.ec2.snapshots().into_iter().filter(is_its).map(|one| one.id).collect()
}

#[tokio::test]
async fn what_another_has_just_taken_over_gets_no_mark_of_ours() {
    let app = App::start().await;
    let other = app.installed_beside(STAGING).await;
    let instance = app.instance("web", 2);
    let set = app.take_snapshot(&instance).await;
    app.clock.advance(SignedDuration::from_mins(11));
    let ids = members_of(&app, &set);
    taken_over(&other, &ids).await;

    app.call("DELETE", &format!("/v1/snapshots/{set}"), Value::Null).await.expect(202);

    assert!(ids.iter().all(|id| tag(&app, id, "snapkeep:state").is_none()));
    let blocked = app.record(&set).await.ending.blocked.unwrap();
    assert!(blocked.cause.describe().contains("NotOurs"), "{}", blocked.cause.describe());
}

#[tokio::test]
async fn what_another_has_just_taken_over_lets_no_other_go() {
    let app = App::start().await;
    let other = app.installed_beside(STAGING).await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(45).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    let sets = app.list("/v1/snapshots?status=available&sort=created_at").await;
    let sets: Vec<_> = sets.iter().map(|one| text(one, "id").to_owned()).collect();
    app.clock.advance(SignedDuration::from_mins(11));
    let newest: Vec<_> = sets[2..].iter().flat_map(|one| members_of(&app, one)).collect();
    taken_over(&other, &newest).await;

    let swept = sweep(&app, "execute").await;

    assert_eq!((sets.len(), text(&swept, "status")), (4, "done"));
    for id in &sets {
        assert_eq!(app.status(id).await, "available");
    }
}
