//! Reconciliation: what is in EC2 and not in the table, and the reverse.

use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::reply::text;

async fn reconcile(app: &App) -> Value {
    reconciler::handle(app.service(), &app.function_clock(), Value::Null).await.unwrap()
}

#[tokio::test]
async fn what_vanished_from_ec2_is_missing_after_two_looks() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    let member = app.ec2.snapshots()[0].id.clone();
    app.ec2.remove_snapshot(&member);

    reconcile(&app).await;
    let first = app.status(&id).await;
    app.clock.advance(SignedDuration::from_mins(9));
    reconcile(&app).await;
    let second = app.status(&id).await;
    app.clock.advance(SignedDuration::from_mins(1));
    reconcile(&app).await;

    assert_eq!((first.as_str(), second.as_str()), ("available", "available"));
    assert_eq!(app.status(&id).await, "missing");
    assert!(app.list("/v1/snapshots").await.is_empty());
    assert_eq!(app.list("/v1/snapshots?status=missing").await.len(), 1);
}

#[tokio::test]
async fn a_set_made_twice_gets_a_record_and_a_sweep_lets_it_go() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    make_again(&app, &id, &instance);
    app.clock.advance(SignedDuration::from_mins(11));

    let report = reconcile(&app).await;
    let twice = app.sets()[&id];
    app.pass_minutes(185).await;

    assert_eq!(report["repaired"][0][1], json!("duplicate"));
    assert_eq!(twice, 4);
    assert_eq!(app.sets(), [(id.clone(), 2)].into());
    assert_eq!(app.status(&id).await, "available");
}

#[tokio::test]
async fn the_good_second_of_a_set_that_failed_counts_in_its_stead() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).member_fails());
    let schedule =
        app.schedule("cron(5 10 * * ? *)", &[&instance], json!({ "keep_last": 9 })).await;
    app.pass_minutes(10).await;
    let failed = app.list("/v1/snapshots").await.remove(0);
    let id = text(&failed, "id").to_owned();
    make_again(&app, &id, &instance);
    app.clock.advance(SignedDuration::from_mins(11));

    reconcile(&app).await;
    reconcile(&app).await;
    let both = app.list(&format!("/v1/snapshots?schedule_id={schedule}")).await;
    let second = both.iter().find(|one| one["id"] != id.as_str()).unwrap();
    let second = text(second, "id").to_owned();
    let protection = app.get(&format!("/v1/instances/{instance}")).await["protection"].clone();
    for _ in 0..52 {
        app.skip_hour().await;
    }

    assert_eq!(text(&failed, "status"), "error");
    assert_eq!(protection["newest_available"]["snapshot_id"], second.as_str());
    assert_eq!(app.status(&id).await, "deleted");
    // Newer ones are there, and the rules have room for it.
    assert_eq!(app.status(&second).await, "available");
    assert!(app.list("/v1/snapshots?status=available").await.len() >= 3);
}

#[tokio::test]
async fn what_was_given_up_and_shows_after_all_is_taken_up() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.deny("CreateSnapshots");
    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(5).await;
    app.ec2.allow("CreateSnapshots");
    let given_up = app.status(&id).await;

    make_again(&app, &id, &instance);
    app.clock.advance(SignedDuration::from_mins(11));
    let report = reconcile(&app).await;

    assert_eq!(given_up, "error");
    assert_eq!(report["repaired"], json!([[id, "recovered"]]));
    assert_eq!(app.status(&id).await, "available");
}

#[tokio::test]
async fn a_member_of_another_volume_is_no_duplicate() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let body = format!(
        "Action=CreateSnapshot&VolumeId={}&Version=2016-11-15&TagSpecification.1.ResourceType=snapshot\
         &TagSpecification.1.Tag.1.Key=snapkeep:id&TagSpecification.1.Tag.1.Value={id}\
         &TagSpecification.1.Tag.2.Key=snapkeep:managed-by&TagSpecification.1.Tag.2.Value=snapkeep\
         &TagSpecification.1.Tag.3.Key=snapkeep:installation&TagSpecification.1.Tag.3.Value={}",
        foreign_volume(&app),
        app.service().settings.installation,
    );
    assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);
    app.clock.advance(SignedDuration::from_mins(11));

    let report = reconcile(&app).await;
    app.pass_minutes(130).await;

    assert_eq!(report["repaired"], json!([]));
    assert_eq!(report["left"].as_array().unwrap().len(), 1);
    assert_eq!(app.sets(), [(id, 2)].into());
}

#[tokio::test]
async fn a_lost_table_is_made_again_from_the_tags() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    let fresh = App::start().await;
    for snapshot in app.ec2.snapshots() {
        let mut body =
            format!("Action=CreateSnapshot&VolumeId={}&Version=2016-11-15", foreign_volume(&fresh));
        body.push_str("&TagSpecification.1.ResourceType=snapshot");
        for (number, (key, value)) in snapshot.tags.iter().enumerate() {
            let number = number + 1;
            let value = value.replace(' ', "+");
            write!(body, "&TagSpecification.1.Tag.{number}.Key={key}").unwrap();
            write!(body, "&TagSpecification.1.Tag.{number}.Value={value}").unwrap();
        }
        assert_eq!(fresh.ec2.answer("us-east-1", body.as_bytes()).status, 200);
    }
    fresh.clock.advance(SignedDuration::from_mins(11));

    let report = reconcile(&fresh).await;

    assert_eq!(report["repaired"], json!([[id, "rebuilt"]]));
    let rebuilt = fresh.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!(text(&rebuilt, "instance_id"), instance);
    assert_eq!(text(&rebuilt, "status"), "available");
}

#[tokio::test]
async fn others_are_reported_with_whose_they_seem_to_be() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = format!(
        "Action=CreateSnapshots&InstanceSpecification.InstanceId={instance}&Version=2016-11-15"
    );
    app.ec2.answer("us-east-1", body.as_bytes());

    let report = reconcile(&app).await;

    assert_eq!(report["others"], json!({ "other": 1 }));
    assert_eq!(report["repaired"], json!([]));
}

#[tokio::test]
async fn what_events_missed_is_completed() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.event_fault(sim_ec2::EventFault::lost().times(5));
    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(5).await;
    let before = app.status(&id).await;

    reconcile(&app).await;
    let again = reconcile(&app).await;

    assert_eq!(before, "pending");
    assert_eq!(app.status(&id).await, "available");
    assert_eq!(again["refreshed"], json!([]));
}

#[tokio::test]
async fn an_attempt_whose_answer_was_lost_is_taken_up() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).reply_lost());
    let id = app.request_snapshot(&instance).await;
    app.settle().await;
    app.clock.advance(SignedDuration::from_mins(11));

    let report = reconcile(&app).await;

    assert_eq!(report["repaired"], json!([[id, "recovered"]]));
    assert_eq!(app.status(&id).await, "available");
}

/// A second set under the same tags, as a retry after a lost reply makes it.
fn make_again(app: &App, id: &str, instance: &str) {
    let installation = &app.service().settings.installation;
    let body = format!(
        "Action=CreateSnapshots&InstanceSpecification.InstanceId={instance}&Version=2016-11-15\
         &TagSpecification.1.ResourceType=snapshot\
         &TagSpecification.1.Tag.1.Key=snapkeep:id&TagSpecification.1.Tag.1.Value={id}\
         &TagSpecification.1.Tag.2.Key=snapkeep:managed-by&TagSpecification.1.Tag.2.Value=snapkeep\
         &TagSpecification.1.Tag.3.Key=snapkeep:instance&TagSpecification.1.Tag.3.Value={instance}\
         &TagSpecification.1.Tag.4.Key=snapkeep:installation&TagSpecification.1.Tag.4.Value={installation}"
    );
    assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);
}

/// A volume of an instance made for the purpose.
fn foreign_volume(app: &App) -> String {
    let known: Vec<_> = app.ec2.volumes().into_iter().map(|volume| volume.id).collect();
    app.instance("volume", 1);
    app.ec2.volumes().into_iter().map(|volume| volume.id).find(|id| !known.contains(id)).unwrap()
}
