//! What restores leave behind for a person: images that stay, and what there is of those that have stopped, listed,
//! announced once, and priced.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::hands;
use crate::support::reply::text;
use crate::support::restores::{after, begun, made};

/// The rows of this section of the review.
async fn reviewed(app: &App, section: &str) -> Vec<Value> {
    let review = app.get("/v1/snapshots/review").await;
    review[section]["items"].as_array().unwrap().clone()
}

fn announced(app: &App, kind: &str) -> Vec<Value> {
    let all = app.announced().into_iter();
    all.filter(|event| event["detail-type"] == kind).collect()
}

/// A restore that has kept its image, done at the tenth hour of the second of March.
async fn with_image(app: &App) -> (String, String) {
    let web = app.instance("web", 2);
    let snapshot = app.take_snapshot(&web).await;
    let body = json!({ "mode": "new_instance", "instance": { "keep_image": true } });
    let id = begun(app, &snapshot, body).await;
    let done = after(app, &id, 6).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");
    (id, text(&done, "ami_id").to_owned())
}

/// R11: it costs, and its snapshot is blocked from then on.
#[tokio::test]
async fn an_image_that_a_restore_keeps_is_listed_and_priced_and_told_of_once() {
    let app = App::start().await;
    let (id, image) = with_image(&app).await;

    app.clock.advance(SignedDuration::from_hours(14 * 24 - 1));
    assert_eq!(reviewed(&app, "kept_images").await, Vec::<Value>::new());
    app.clock.advance(SignedDuration::from_hours(1));
    let due = reviewed(&app, "kept_images").await;

    assert_eq!((due.len(), text(&due[0], "restore_id")), (1, id.as_str()), "{due:#?}");
    let why = text(&due[0], "why");
    // Two volumes of 8 GiB at 5 cents.
    assert!(why.contains(&image) && why.contains("at most 0.80 USD a month"), "{why}");
    for _ in 0..2 {
        app.pass_minutes(30).await;
        app.clock.advance(SignedDuration::from_hours(7));
    }
    let told = announced(&app, "snapkeep.restore.image_due");
    assert_eq!(told.len(), 1, "{told:#?}");
    let summary = told[0]["detail"]["summary"].to_string();
    assert!(summary.contains(&id) && summary.contains(&image), "{summary}");

    assert!(hands::act(&app, &format!("DeregisterImage&ImageId={image}")));
    assert_eq!(reviewed(&app, "kept_images").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_image_that_somebody_has_removed_in_time_is_told_to_nobody() {
    let app = App::start().await;
    let (_, image) = with_image(&app).await;
    assert!(hands::act(&app, &format!("DeregisterImage&ImageId={image}")));

    app.clock.advance(SignedDuration::from_hours(15 * 24));
    app.pass_minutes(30).await;

    let told = announced(&app, "snapkeep.restore.image_due");
    assert!(told.is_empty(), "{told:#?}");
}

/// It was to go, and somebody has ended the restore with everything as it is.
#[tokio::test]
async fn an_image_that_was_left_is_listed_like_one_that_was_to_stay() {
    let app = App::start().await;
    let web = app.instance("web", 1);
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.fault(Fault::on("RunInstances").error("InvalidParameterValue", 400));
    let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
    let failed = after(&app, &id, 6).await;
    assert_eq!(text(&failed["failure"], "step"), "run_instance", "{failed:#}");
    let leave = json!({ "leave": true });
    app.call("POST", &format!("/v1/restores/{id}/cancel"), leave).await.expect(202);

    app.clock.advance(SignedDuration::from_hours(14 * 24));

    let due = reviewed(&app, "kept_images").await;
    assert_eq!((due.len(), text(&due[0], "restore_id")), (1, id.as_str()), "{due:#?}");
    app.pass_minutes(30).await;
    assert_eq!(announced(&app, "snapkeep.restore.image_due").len(), 1);
}

/// R11: a drill that a person has asked for waits for a person, and its volumes cost until then.
#[tokio::test]
async fn the_volumes_of_a_drill_that_has_failed_are_listed_and_priced_and_told_of_once() {
    let app = App::start().await;
    let web = app.instance("web", 2);
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.fault(Fault::on("DeleteVolume").error("InvalidParameterValue", 400));
    let path = format!("/v1/snapshots/{snapshot}/drill");
    let answer = app.call("POST", &path, Value::Null).await.expect(202);
    let id = text(&answer, "id").to_owned();

    let failed = after(&app, &id, 12).await;

    assert_eq!(text(&failed["failure"], "step"), "delete_volumes", "{failed:#}");
    let stopped = reviewed(&app, "stopped_restores").await;
    assert_eq!((stopped.len(), text(&stopped[0], "restore_id")), (1, id.as_str()), "{stopped:#?}");
    let (why, volumes) = (text(&stopped[0], "why"), made(&app, &id));
    assert_eq!(volumes.len(), 2);
    assert!(volumes.iter().all(|volume| why.contains(&volume.id)), "{why}");
    assert!(why.contains("they cost 1.28 USD a month"), "{why}");
    app.pass_minutes(60).await;
    assert_eq!(announced(&app, "snapkeep.drill.failed").len(), 1);
}

/// R11: the snapshot that was taken first is named beside what has stopped, and ends by itself.
#[tokio::test]
async fn the_snapshot_taken_first_is_listed_with_what_has_stopped_and_ends_by_itself() {
    let app = App::start().await;
    let web = app.instance("web", 1);
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.fault(Fault::on("StopInstances").skip(1).error("InvalidParameterValue", 400));
    let body = json!({ "mode": "replace_volumes", "stop": true, "keep_old_days": 1 });
    let id = begun(&app, &snapshot, body).await;

    let failed = after(&app, &id, 15).await;

    assert_eq!(text(&failed["failure"], "step"), "stop_instance", "{failed:#}");
    let first = text(&failed, "snapshot_first_id").to_owned();
    let stopped = reviewed(&app, "stopped_restores").await;
    assert!(text(&stopped[0], "why").contains(&first), "{stopped:#?}");
    app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202);
    assert_eq!(text(&after(&app, &id, 10).await, "status"), "cancelled");
    // The rule that ends it never takes the newest set of an instance.
    app.take_snapshot(&web).await;
    app.clock.advance(SignedDuration::from_hours(25));
    app.pass_minutes(150).await;
    assert_eq!(app.get(&format!("/v1/snapshots/{first}")).await["status"], "deleted");
}
