//! Marks that EC2 refuses: one stops no other, and is named where a person looks.

use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{ec2, sweep};

/// Tags as many as an EBS snapshot of ours still takes, and the one that would be too many.
const TAGS: std::ops::Range<usize> = 0..50;

/// A schedule that keeps two of two volumes each and has four: their ids, oldest first.
async fn with_four(app: &App) -> Vec<String> {
    let instance = app.instance("web", 2);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(41).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(2).await;
    let list = app.list("/v1/snapshots?status=available&sort=created_at").await;
    assert_eq!(list.len(), 4);
    list.iter().map(|one| text(one, "id").to_owned()).collect()
}

/// Has one member of a set bear as many tags as EC2 allows: which it is.
fn fill_up(app: &App, id: &str) -> String {
    let member = app.ec2.snapshots().into_iter().find(|one| one.tags["snapkeep:id"] == id).unwrap();
    for number in TAGS.take(50 - member.tags.len()) {
        app.ec2.tag_snapshot(&member.id, &format!("theirs-{number}"), "x");
    }
    member.id
}

async fn blocked(app: &App) -> Vec<(String, String, String)> {
    let list = app.list("/v1/sweeps/blocked").await;
    let told =
        |one: &Value| ["snapshot_id", "cause", "detail"].map(|field| text(one, field).to_owned());
    list.iter().map(told).map(|[id, cause, detail]| (id, cause, detail)).collect()
}

#[tokio::test]
async fn one_that_takes_no_further_tag_is_named_and_stops_no_other() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    let full = fill_up(&app, &ids[0]);

    let first = sweep(&app, "execute").await;
    let noted = blocked(&app).await;
    let record = app.record(&ids[0]).await;
    let second = sweep(&app, "execute").await;
    let again = app.record(&ids[0]).await;
    app.pass_minutes(130).await;

    assert_eq!((text(&first, "status"), text(&second, "status")), ("done", "done"));
    assert_eq!(noted.len(), 1);
    let (id, cause, detail) = &noted[0];
    assert_eq!((id, cause.as_str()), (&ids[0], "not_marked"));
    assert!(detail.contains(&full) && detail.contains("TagLimitExceeded"), "{detail}");
    assert_eq!(record, again, "only changes are written");
    assert_eq!(
        (app.status(&ids[0]).await, app.status(&ids[1]).await),
        ("condemned".to_owned(), "deleted".to_owned())
    );
    // The reaper, which finds no mark, does not forget why.
    assert!(blocked(&app).await[0].2.contains("TagLimitExceeded"));
    let sweeps = app.list("/v1/sweeps").await;
    assert!(sweeps.iter().all(|sweep| text(sweep, "status") == "done"), "{sweeps:?}");

    let tag = "Action=DeleteTags&Tag.1.Key=theirs-0&Version=2016-11-15";
    ec2(&app, &format!("{tag}&ResourceId.1={full}"));
    app.pass_minutes(180).await;
    assert_eq!(app.status(&ids[0]).await, "deleted");
    assert!(blocked(&app).await.is_empty());
}

#[tokio::test]
async fn a_person_who_deletes_what_takes_no_further_tag_is_told() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    fill_up(&app, &ids[1]);

    let path = format!("/v1/snapshots/{}", ids[1]);
    let deleted = app.call("DELETE", &path, Value::Null).await.expect(202);
    app.settle().await;

    assert_eq!(text(&deleted, "status"), "condemned");
    assert!(blocked(&app).await[0].2.contains("TagLimitExceeded"));
    assert_eq!(app.get(&path).await["version"], deleted["version"]);
    assert_eq!(text(&sweep(&app, "execute").await, "status"), "done");
}

#[tokio::test]
async fn a_region_that_lets_nothing_be_tagged_fails_no_sweep() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    app.ec2.fault(Fault::on("CreateTags").times(100).error("UnauthorizedOperation", 403));

    let swept = sweep(&app, "execute").await;
    let again = sweep(&app, "execute").await;

    assert_eq!((text(&swept, "status"), text(&again, "status")), ("done", "done"));
    let noted = blocked(&app).await;
    assert_eq!(noted.len(), 2);
    assert!(
        noted.iter().all(|(_, _, detail)| detail.contains("UnauthorizedOperation")),
        "{noted:?}"
    );
    assert_eq!(app.status(&ids[0]).await, "condemned");
}
