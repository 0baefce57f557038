//! Deleting: only what is ours, condemned, not held, not in use, and not the last good one.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::snapshot::Status;
use shared::domain::snapshot::condemnation::BlockedCause;
use shared::operations::snapshots;
use shared::operations::snapshots::delete::DeleteRequest;
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::events::due;
use crate::support::images::{delete_image, image_status, make_image};
use crate::support::others::{adopt, first_set, taken_elsewhere, these};
use crate::support::reply::text;
use crate::support::sweeps::register_image;

/// A schedule that has taken a few, and what its sweep at the next hour lets go: oldest first.
pub(super) async fn with_condemned(app: &App) -> (String, Vec<String>) {
    let instance = app.instance("web", 2);
    condemned_of(app, &instance).await
}

/// The same of this instance.
async fn condemned_of(app: &App, instance: &str) -> (String, Vec<String>) {
    let schedule = app.schedule("rate(10 minutes)", &[instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(61).await;
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), json!({ "enabled": false }))
        .await
        .expect(200);
    app.pass_minutes(2).await;
    let mut condemned = app.list("/v1/snapshots?status=condemned&sort=created_at").await;
    let ids = condemned.drain(..).map(|one| text(&one, "id").to_owned()).collect();
    (schedule, ids)
}

#[tokio::test]
async fn a_sweep_condemns_and_the_reaper_deletes_after_the_grace() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;

    assert_eq!(condemned.len(), 3);
    assert!(!app.ec2.calls().contains_key("DeleteSnapshot"));
    app.pass_minutes(61).await;

    for id in &condemned {
        assert_eq!(app.status(id).await, "deleted");
        assert!(!app.sets().contains_key(id));
    }
    // Of each of the three sets all members but the first are tried out before any of the six is deleted.
    assert_eq!(app.ec2.calls()["DeleteSnapshot"], 9);
    // What is gone is hidden, unless asked for.
    let shown = app.list("/v1/snapshots").await;
    assert!(shown.iter().all(|one| !condemned.contains(&text(one, "id").to_owned())));
    let all = app.list("/v1/snapshots?include_deleted=true").await;
    assert_eq!(all.len(), shown.len() + condemned.len());
}

#[tokio::test]
async fn a_rescued_one_stays_and_its_mark_is_taken_off() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;

    app.call("POST", &format!("/v1/snapshots/{}/rescue", condemned[0]), Value::Null)
        .await
        .expect(200);
    let marked = |app: &App| {
        app.ec2
            .snapshots()
            .iter()
            .filter(|one| one.tags["snapkeep:id"] == condemned[0])
            .any(|one| one.tags.contains_key("snapkeep:state"))
    };
    let marked_after_rescue = marked(&app);
    app.pass_minutes(30).await;

    assert!(!marked_after_rescue);
    assert_eq!(app.status(&condemned[0]).await, "available");
}

#[tokio::test]
async fn a_hold_placed_in_the_grace_blocks_the_deletion() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let hold = json!({ "hold": { "type": "never", "reason": "audit" } });

    app.call("PATCH", &format!("/v1/snapshots/{}", condemned[0]), hold).await.expect(200);
    app.pass_minutes(75).await;

    let record = app.record(&condemned[0]).await;
    assert_eq!(record.status, Status::Condemned);
    assert_eq!(record.ending.blocked.unwrap().cause, BlockedCause::Held);
    assert_eq!(app.status(&condemned[1]).await, "deleted");
}

#[tokio::test]
async fn an_image_in_the_way_blocks_one_and_no_other() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    register_image(&app, &condemned[0]);

    app.pass_minutes(75).await;

    let record = app.record(&condemned[0]).await;
    assert!(matches!(
        record.ending.blocked.unwrap().cause,
        BlockedCause::InUse { image_id: Some(_), .. }
    ));
    assert_eq!(record.members.iter().filter(|member| member.deleted).count(), 0);
    assert_eq!(app.status(&condemned[1]).await, "deleted");
    assert_eq!(app.status(&condemned[2]).await, "deleted");
}

#[tokio::test]
async fn a_disabled_image_is_in_the_way_as_well() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let image = register_image(&app, &condemned[0]);
    let body = format!("Action=DisableImage&ImageId={image}&Version=2016-11-15");
    assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);

    app.pass_minutes(75).await;

    let cause = app.record(&condemned[0]).await.ending.blocked.unwrap().cause;
    let BlockedCause::InUse { image_id, .. } = cause else { panic!("{cause:?}") };
    assert_eq!(image_id, Some(image.parse().unwrap()));
}

#[tokio::test]
async fn a_held_one_is_not_condemned() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let first = app.take_snapshot(&instance).await;
    let hold = json!({ "hold": { "type": "never" }, "expires_at": "2026-03-02T10:30:00Z" });
    app.call("PATCH", &format!("/v1/snapshots/{first}"), hold).await.expect(200);
    app.take_snapshot(&instance).await;

    app.pass_minutes(130).await;

    assert_eq!(app.status(&first).await, "available");
}

#[tokio::test]
async fn retention_goes_on_when_the_instance_is_gone() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(45).await;
    let body = format!("Action=TerminateInstances&InstanceId.1={instance}&Version=2016-11-15");
    assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);

    app.pass_minutes(150).await;

    // The two newest good ones stay; what could not be taken since is there to be seen.
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 2);
    assert_eq!(app.list("/v1/snapshots?status=deleted").await.len(), 2);
    assert!(!app.list("/v1/snapshots?status=error").await.is_empty());
}

#[tokio::test]
async fn rules_edited_in_the_grace_rescue_what_the_old_ones_condemned() {
    let app = App::start().await;
    let (schedule, condemned) = with_condemned(&app).await;

    let edit = json!({ "retention": { "keep_last": 100 } });
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), edit).await.expect(200);
    app.pass_minutes(75).await;

    for id in &condemned {
        assert_eq!(app.status(id).await, "available");
    }
    assert!(!app.ec2.calls().contains_key("DeleteSnapshot"));
}

#[tokio::test]
async fn what_a_deleted_schedule_condemned_is_rescued() {
    let app = App::start().await;
    let (schedule, condemned) = with_condemned(&app).await;

    app.call("DELETE", &format!("/v1/schedules/{schedule}"), Value::Null).await.expect(204);
    app.pass_minutes(75).await;

    assert_eq!(app.status(&condemned[0]).await, "available");
}

#[tokio::test]
async fn the_newest_one_left_is_rescued_although_it_was_condemned() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;

    // Behind everybody's back, all newer ones vanish.
    for one in app.list("/v1/snapshots?status=available").await {
        for member in app.record(text(&one, "id")).await.members {
            app.ec2.remove_snapshot(member.ebs_snapshot_id.as_str());
        }
    }
    let clock = app.function_clock();
    reconciler::handle(app.service(), &clock, Value::Null).await.unwrap();
    app.clock.advance(SignedDuration::from_mins(11));
    reconciler::handle(app.service(), &clock, Value::Null).await.unwrap();
    app.pass_minutes(50).await;

    // Each was the newest when it was looked at, or older than one of them.
    let newest = app.record(&condemned[2]).await;
    assert_eq!(
        (newest.status, newest.ending.condemnation, newest.ending.blocked),
        (Status::Available, None, None)
    );
    app.pass_minutes(120).await;
    // What the rules keep.
    for id in &condemned[1..] {
        assert_eq!(app.status(id).await, "available");
    }
}

#[tokio::test]
async fn the_newest_good_one_is_found_behind_many_that_are_not() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let instance = app.record(&condemned[0]).await.source.instance_id;
    app.ec2.fault(Fault::on("CreateSnapshots").times(99).error("InvalidParameterValue", 400));
    for _ in 0..6 {
        app.request_snapshot(instance.as_str()).await;
        app.pass_minutes(1).await;
    }

    app.pass_minutes(60).await;

    assert_eq!(app.list("/v1/snapshots?status=error").await.len(), 6);
    for id in &condemned {
        assert_eq!(app.status(id).await, "deleted");
    }
}

#[tokio::test]
async fn what_was_condemned_goes_although_an_older_set_was_adopted_since() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let older = taken_elsewhere(&app, "us-east-1", &instance);
    let (_, condemned) = condemned_of(&app, &instance).await;

    let adopted = first_set(&adopt(&app, these(&older)).await);
    app.pass_minutes(75).await;

    assert_eq!(app.status(&adopted).await, "available");
    assert!(!condemned.is_empty());
    for id in &condemned {
        assert_eq!(app.status(id).await, "deleted");
    }
}

#[tokio::test]
async fn the_newest_stays_when_its_image_goes_although_an_older_set_was_adopted_since() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let older = taken_elsewhere(&app, "us-east-1", &instance);
    let newest = app.take_snapshot(&instance).await;
    let adopted = first_set(&adopt(&app, these(&older)).await);
    app.settle().await;
    let before = app.status(&adopted).await;
    let (image, _) = make_image(&app, &newest).await;

    let answer = delete_image(&app, &image, "?delete_snapshots=true").await;
    app.pass_minutes(5).await;

    let deletion = &answer["deregistration"]["snapshot_deletion"];
    assert_eq!(before, "available");
    assert_eq!(text(deletion, "outcome"), "refused");
    assert!(text(deletion, "reason").contains("the newest available snapshot of i-"));
    assert_eq!(image_status(&app, &image).await, "deregistered");
    assert_eq!(app.status(&newest).await, "available");
}

#[tokio::test]
async fn one_that_ec2_has_failed_to_show_lets_no_other_go() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    for one in app.list("/v1/snapshots?status=available").await {
        for member in app.record(text(&one, "id")).await.members {
            app.ec2.remove_snapshot(member.ebs_snapshot_id.as_str());
        }
    }

    // One look only: they are absent, and not yet missing.
    reconciler::handle(app.service(), &app.function_clock(), Value::Null).await.unwrap();
    app.clock.advance(SignedDuration::from_mins(61));
    for id in &condemned {
        reaper::handle(app.service(), &app.function_clock(), due(id)).await.unwrap();
    }

    for id in &condemned {
        assert_eq!(app.status(id).await, "available");
    }
    // They were tried out, and nothing more.
    assert_eq!(app.ec2.snapshots().len(), 6);
}

#[tokio::test]
async fn what_ec2_had_no_time_to_delete_is_checked_anew() {
    let app = App::start().await;
    let (schedule, condemned) = with_condemned(&app).await;
    app.clock.advance(SignedDuration::from_mins(61));
    app.ec2.fault(Fault::on("DeleteSnapshot").times(99).error("RequestLimitExceeded", 503));
    for id in &condemned {
        reaper::handle(app.service(), &app.function_clock(), due(id)).await.unwrap();
    }
    let put_off = app.record(&condemned[0]).await;

    let edit = json!({ "retention": { "keep_last": 100 } });
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), edit).await.expect(200);
    app.pass_minutes(75).await;

    assert_eq!((put_off.status, put_off.ending.blocked), (Status::Condemned, None));
    for id in &condemned {
        assert_eq!(app.status(id).await, "available");
    }
}

#[tokio::test]
async fn a_deletion_that_broke_off_before_it_did_anything_is_checked_anew() {
    let app = App::start().await;
    let (schedule, condemned) = with_condemned(&app).await;
    app.clock.advance(SignedDuration::from_mins(61));
    // Claimed, and nothing more.
    let claimed = app.record(&condemned[0]).await;
    let deleting = claimed.begin_deletion(app.now()).unwrap();
    let table = &app.service().table;
    assert!(table.update_snapshot(&claimed, &deleting).await.unwrap().is_done());

    let edit = json!({ "retention": { "keep_last": 100 } });
    app.call("PATCH", &format!("/v1/schedules/{schedule}"), edit).await.expect(200);
    reaper::handle(app.service(), &app.function_clock(), due(&condemned[0])).await.unwrap();
    let at_once = app.status(&condemned[0]).await;
    app.pass_minutes(40).await;

    assert_eq!(at_once, "deleting");
    assert_eq!(app.status(&condemned[0]).await, "available");
    assert!(!app.ec2.calls().contains_key("DeleteSnapshot"));
}

#[tokio::test]
async fn a_message_that_comes_again_much_later_is_done() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    let clock = app.function_clock();
    reaper::handle(app.service(), &clock, due(&id)).await.unwrap();

    app.clock.advance(SignedDuration::from_mins(20));
    let answer = reaper::handle(app.service(), &clock, due(&id)).await.unwrap();

    assert_eq!(answer, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn a_locked_one_can_still_be_rescued() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    for member in app.record(&condemned[0]).await.members {
        let body = format!(
            "Action=LockSnapshot&SnapshotId={}&LockMode=governance&LockDuration=30&Version=2016-11-15",
            member.ebs_snapshot_id
        );
        assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);
    }

    app.pass_minutes(75).await;
    let blocked = app.record(&condemned[0]).await;
    let path = format!("/v1/snapshots/{}/rescue", condemned[0]);
    app.call("POST", &path, Value::Null).await.expect(200);

    assert_eq!(blocked.status, Status::Condemned);
    assert!(matches!(blocked.ending.blocked.unwrap().cause, BlockedCause::Locked { .. }));
    assert_eq!(app.status(&condemned[0]).await, "available");
    assert_eq!(app.status(&condemned[1]).await, "deleted");
}

#[tokio::test]
async fn a_hold_that_is_taken_off_lets_the_deletion_go_on() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let path = format!("/v1/snapshots/{}", condemned[0]);
    let hold = json!({ "hold": { "type": "until", "until": "2030-01-01T00:00:00Z" } });
    app.call("PATCH", &path, hold).await.expect(200);
    app.pass_minutes(75).await;
    let cause = app.record(&condemned[0]).await.ending.blocked.unwrap().cause;

    app.call("PATCH", &path, json!({ "hold": null })).await.expect(200);
    app.pass_minutes(5).await;

    assert_eq!(cause, BlockedCause::Held);
    assert_eq!(app.status(&condemned[0]).await, "deleted");
}

#[tokio::test]
async fn a_person_deletes_even_the_last_one_by_name_and_at_once() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;

    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.settle().await;

    assert_eq!(app.status(&id).await, "deleted");
    assert!(app.ec2.snapshots().is_empty());
}

#[tokio::test]
async fn a_person_cannot_delete_what_is_held_until_a_day() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");
    let hold = json!({ "hold": { "type": "until", "until": "2027-01-01T00:00:00Z" } });
    app.call("PATCH", &path, hold).await.expect(200);

    let refused = app.call("DELETE", &path, Value::Null).await.expect(409);

    assert!(text(&refused, "detail").contains("held until"));
}

#[tokio::test]
async fn a_person_is_told_which_image_is_in_the_way() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    register_image(&app, &id);

    let refused = app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(409);

    assert!(text(&refused, "detail").contains("ami-"));
    assert_eq!(app.status(&id).await, "available");
}

#[tokio::test]
async fn a_removed_record_leaves_ec2_alone() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;

    let path = format!("/v1/snapshots/{id}?record_only=true");
    app.call("DELETE", &path, Value::Null).await.expect(200);
    app.pass_minutes(130).await;

    assert_eq!(app.status(&id).await, "deleted");
    assert_eq!(app.ec2.snapshots().len(), 1);
}

#[tokio::test]
async fn two_reapers_at_once_delete_once() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    let id = app.take_snapshot(&instance).await;
    let request = DeleteRequest {
        id: id.parse().unwrap(),
        who: "ada".to_owned(),
        grace: SignedDuration::ZERO,
        expected_version: None,
    };
    snapshots::delete(app.service(), request, app.now()).await.unwrap();
    let event = json!({ "snapshot_ids": [id] });
    let due = serde_json::from_value(event).unwrap();
    let clock = app.function_clock();

    let (one, other) = tokio::join!(
        snapshots::reap(app.service(), &due, &clock),
        snapshots::reap(app.service(), &due, &clock),
    );
    app.pass_minutes(20).await;

    assert!(one.is_ok() && other.is_ok());
    assert_eq!(app.status(&id).await, "deleted");
    assert!(app.ec2.snapshots().is_empty());
}

#[tokio::test]
async fn others_snapshots_are_never_touched() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    foreign_snapshot(&app, &instance);
    let theirs: Vec<_> = app.ec2.snapshots().into_iter().map(|one| (one.id, one.tags)).collect();

    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 1 })).await;
    app.pass_minutes(200).await;

    for (id, tags) in theirs {
        assert_eq!(app.ec2.snapshot(&id).unwrap().tags, tags);
    }
}

/// A snapshot that somebody has taken by hand.
fn foreign_snapshot(app: &App, instance: &str) {
    let body = format!(
        "Action=CreateSnapshots&InstanceSpecification.InstanceId={instance}&Version=2016-11-15"
    );
    assert_eq!(app.ec2.answer("us-east-1", body.as_bytes()).status, 200);
}
