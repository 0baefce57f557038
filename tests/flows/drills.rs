//! Drills that a schedule's `drill_every` begins, and the last drill as it is shown.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::ids::ScheduleId;
use shared::domain::restore::RestoreFailure;
use shared::domain::restore::step::StepName;
use shared::table::keys;
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::events::tick;
use crate::support::regions::{OTHER, instance_there, two_regions};
use crate::support::reply::text;
use crate::support::restores::{after_lease, drive, made, record};
use crate::support::tripwire::at_every_call;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A weekly schedule that is drilled daily, of which nothing was taken yet.
async fn planned(app: &App, instances: &[&str]) -> String {
    let body = json!({
        "name": "drilled", "expression": "rate(7 days)", "drill_every": "1d",
        "targets": { "instance_ids": instances },
    });
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

async fn take(app: &App, schedule: &str) {
    app.call("POST", &format!("/v1/schedules/{schedule}/runs"), Value::Null).await.expect(202);
    app.pass_minutes(3).await;
}

/// The same with a snapshot of each instance.
async fn drilled(app: &App, instances: &[&str]) -> String {
    let id = planned(app, instances).await;
    take(app, &id).await;
    id
}

async fn shown(app: &App, schedule: &str) -> Value {
    app.get(&format!("/v1/schedules/{schedule}")).await
}

/// When a tick looks at the drills of a schedule again.
async fn next_at(app: &App, schedule: &str) -> Timestamp {
    text(&shown(app, schedule).await, "next_drill_at").parse().unwrap()
}

/// Comes to the next drill, and lets it end.
async fn to_the_next(app: &App, schedule: &str) {
    app.clock.set(next_at(app, schedule).await);
    app.pass_minutes(12).await;
}

/// The drills there were, the oldest first.
async fn drills(app: &App) -> Vec<Value> {
    let mut all = app.list("/v1/restores").await;
    all.reverse();
    all
}

#[tokio::test]
async fn instances_are_drilled_in_turn_and_the_last_drill_is_shown() {
    let app = App::start().await;
    let mut instances = [app.instance("web", 2), app.instance("db", 1)];
    instances.sort();
    let made_at = app.now();
    let id = drilled(&app, &[&instances[0], &instances[1]]).await;
    let volumes = app.ec2.volumes();
    assert_eq!(shown(&app, &id).await["last_drill"], Value::Null);
    assert_eq!(next_at(&app, &id).await, made_at + DAY);

    to_the_next(&app, &id).await;

    let drill = drills(&app).await.remove(0);
    assert_eq!((text(&drill, "mode"), text(&drill, "status")), ("drill", "done"), "{drill:#}");
    assert_eq!(text(&drill, "requested_by"), format!("schedule {id}"));
    assert_eq!(drill["drill_due_at"], json!(made_at + DAY));
    assert_eq!((text(&drill, "instance_id"), text(&drill, "schedule_id")), (&*instances[0], &*id));
    assert_eq!(app.ec2.volumes(), volumes);
    assert_eq!(app.record(text(&drill, "snapshot_id")).await.keepers.restores, []);
    let schedule = shown(&app, &id).await;
    let last = &schedule["last_drill"];
    assert_eq!((&last["restore_id"], &last["finished_at"]), (&drill["id"], &drill["finished_at"]));
    assert_eq!((text(last, "outcome"), &last["failure"]), ("done", &Value::Null));
    assert!(last["usable_after_seconds"].as_i64().unwrap() > 0, "{last}");
    assert_eq!(app.list("/v1/schedules").await[0]["last_drill"], *last);
    assert_eq!(app.get(&format!("/v1/instances/{}", instances[0])).await["last_drill"], *last);
    let other = app.get(&format!("/v1/instances/{}", instances[1])).await;
    assert_eq!(other["last_drill"], Value::Null);
    assert_eq!(next_at(&app, &id).await, made_at + DAY + DAY);

    for _ in 0..3 {
        to_the_next(&app, &id).await;
    }

    let of: Vec<_> =
        drills(&app).await.iter().map(|one| text(one, "instance_id").to_owned()).collect();
    let [one, other] = instances;
    assert_eq!(of, [one.clone(), other.clone(), one, other]);
}

#[tokio::test]
async fn the_audit_says_for_which_schedule_a_drill_was() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;

    to_the_next(&app, &id).await;

    let drill = drills(&app).await.remove(0);
    let entries = app.list(&format!("/v1/audit?resource_id={}", text(&drill, "id"))).await;
    let asked = entries.iter().find(|one| one["action"] == "drill.requested").unwrap();
    assert_eq!(text(asked, "reason"), format!("drill of schedule {id}"));
    assert!(asked.to_string().contains("scheduler"), "{asked}");
}

#[tokio::test]
async fn two_ticks_at_once_begin_one_drill() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 1)];
    let id = drilled(&app, &[&instances[0], &instances[1]]).await;
    app.clock.set(next_at(&app, &id).await);
    let (clock, event) = (app.function_clock(), tick(app.now()));

    let (one, other) = tokio::join!(
        Box::pin(scheduler::handle(app.service(), &clock, event.clone())),
        Box::pin(scheduler::handle(app.service(), &clock, event.clone())),
    );
    app.pass_minutes(15).await;

    assert!(one.is_ok() && other.is_ok());
    assert_eq!(drills(&app).await.len(), 1);
    assert_eq!(shown(&app, &id).await["last_drill"]["outcome"], "done");
}

#[tokio::test]
async fn a_drill_survives_death_of_its_tick_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instances = [app.instance("web", 1), app.instance("db", 1)];
        let id = drilled(&app, &[&instances[0], &instances[1]]).await;
        let due = next_at(&app, &id).await;
        app.clock.set(due);

        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(due)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(15).await;

        let drills = drills(&app).await;
        assert_eq!(drills.len(), 1, "{trip:?}");
        assert_eq!(drills[0]["drill_due_at"], json!(due), "{trip:?}");
        let last = &shown(&app, &id).await["last_drill"];
        assert_eq!(
            (&last["restore_id"], text(last, "outcome")),
            (&drills[0]["id"], "done"),
            "{trip:?}"
        );
        assert_eq!(next_at(&app, &id).await, due + DAY, "{trip:?}");
        alive
    })
    .await;

    assert!(calls > 12, "{calls} calls");
}

/// From its second volume on EC2 refuses to make any, but for the dry run.
fn no_room(app: &App) {
    let refusal = Fault::on("CreateVolume").skip(2).times(1_000);
    app.ec2.fault(refusal.error("VolumeLimitExceeded", 400));
}

#[tokio::test]
async fn a_failed_drill_is_shown_and_leaves_nothing() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = drilled(&app, &[&instance]).await;
    let volumes = app.ec2.volumes();
    no_room(&app);

    to_the_next(&app, &id).await;

    let drill = drills(&app).await.remove(0);
    assert_eq!(text(&drill, "status"), "cancelled", "{drill:#}");
    assert_eq!(app.ec2.volumes(), volumes, "the one that was made is deleted");
    assert_eq!(app.record(text(&drill, "snapshot_id")).await.keepers.restores, []);
    let last = &shown(&app, &id).await["last_drill"];
    assert_eq!(text(last, "outcome"), "failed");
    assert!(text(last, "failure").starts_with("create_volumes: "), "{last}");
    assert_eq!(last["usable_after_seconds"], Value::Null);
    assert_eq!(app.get(&format!("/v1/instances/{instance}")).await["last_drill"], *last);
    let told = app.announced();
    assert!(told.iter().any(|event| event["detail-type"] == "snapkeep.drill.failed"));
}

#[tokio::test]
async fn what_a_failed_drill_leaves_is_taken_back_whoever_dies() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let id = drilled(&app, &[&instance]).await;
        let volumes = app.ec2.volumes();
        no_room(&app);
        let due = next_at(&app, &id).await;
        app.clock.set(due);
        let clock = app.function_clock();
        Box::pin(scheduler::handle(app.service(), &clock, tick(due))).await.unwrap();
        let drill = text(&drills(&app).await[0], "id").to_owned();

        let work = Box::pin(drive(&app, &drill, 60));
        let alive = app.wire.run(trip, work).await.is_some();
        let ended = after_lease(&app, &drill, 20).await;

        assert_eq!(text(&ended, "status"), "cancelled", "{trip:?}: {ended:#}");
        assert_eq!(app.ec2.volumes(), volumes, "{trip:?}");
        let last = &shown(&app, &id).await["last_drill"];
        assert_eq!(
            (&last["restore_id"], text(last, "outcome")),
            (&ended["id"], "failed"),
            "{trip:?}"
        );
        alive
    })
    .await;

    assert!(calls > 9, "{calls} calls");
}

#[tokio::test]
async fn while_a_drill_is_stuck_no_other_is_begun_and_its_way_back_is_taken_up_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;
    let volumes = app.ec2.volumes();
    app.ec2.deny("DeleteVolume");
    to_the_next(&app, &id).await;
    let stuck = drills(&app).await.remove(0);
    assert_eq!(text(&stuck, "status"), "failed");
    let last = shown(&app, &id).await["last_drill"].clone();
    assert!(text(&last, "failure").starts_with("delete_volumes: "), "{last}");
    assert!(last["usable_after_seconds"].is_i64(), "a restore would have gone well");

    to_the_next(&app, &id).await;
    let waits = shown(&app, &id).await;
    assert!(text(&waits, "drill_put_off").contains(text(&stuck, "id")), "{waits:#}");
    assert_eq!((drills(&app).await.len(), &waits["last_drill"]), (1, &last));
    app.ec2.allow("DeleteVolume");
    app.clock.advance(SignedDuration::from_hours(7));
    app.pass_minutes(12).await;
    assert_eq!(app.ec2.volumes(), volumes);
    to_the_next(&app, &id).await;

    let ends: Vec<_> =
        drills(&app).await.iter().map(|one| text(one, "status").to_owned()).collect();
    assert_eq!(ends, ["cancelled", "done"]);
    assert_eq!(shown(&app, &id).await["drill_put_off"], Value::Null);
}

#[tokio::test]
async fn a_way_back_that_is_stuck_is_taken_up_again_after_hours_whatever_becomes_of_the_schedule() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;
    let path = format!("/v1/schedules/{id}");
    app.call("PATCH", &path, json!({ "drill_every": "7d" })).await.expect(200);
    app.ec2.deny("DeleteVolume");
    to_the_next(&app, &id).await;
    let stuck = drills(&app).await.remove(0);
    let drill = text(&stuck, "id");
    assert_eq!((text(&stuck, "status"), made(&app, drill).len()), ("failed", 1), "{stuck:#}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.ec2.allow("DeleteVolume");

    app.clock.advance(SignedDuration::from_hours(5));
    app.pass_minutes(2).await;
    assert_eq!(made(&app, drill).len(), 1, "it stands still for six hours");
    app.clock.advance(SignedDuration::from_hours(2));
    app.pass_minutes(12).await;

    assert!(made(&app, drill).is_empty());
    let ended = drills(&app).await.remove(0);
    assert_eq!((text(&ended, "id"), text(&ended, "status")), (drill, "cancelled"), "{ended:#}");
    assert_eq!(app.record(text(&ended, "snapshot_id")).await.keepers.restores, []);
}

#[tokio::test]
async fn where_nothing_can_be_restored_a_drill_is_tried_again_in_an_hour() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = planned(&app, &[&instance]).await;
    let due = next_at(&app, &id).await;

    to_the_next(&app, &id).await;
    let none_taken = shown(&app, &id).await;
    take(&app, &id).await;
    let snapshot = app.list("/v1/snapshots").await.remove(0);
    let path = format!("/v1/snapshots/{}", text(&snapshot, "id"));
    let over = app.now() + SignedDuration::from_mins(1);
    app.call("PATCH", &path, json!({ "restore_until": over })).await.expect(200);
    to_the_next(&app, &id).await;
    let window_over = shown(&app, &id).await;
    app.call("PATCH", &path, json!({ "restore_until": null })).await.expect(200);
    assert!(drills(&app).await.is_empty());
    to_the_next(&app, &id).await;

    let minutes = |schedule: &Value| {
        let at: Timestamp = text(schedule, "next_drill_at").parse().unwrap();
        at.duration_since(due).as_mins()
    };
    assert!(text(&none_taken, "drill_put_off").contains("last runs"), "{none_taken:#}");
    assert!((60..62).contains(&minutes(&none_taken)), "{none_taken:#}");
    assert!(text(&window_over, "drill_put_off").contains(&instance), "{window_over:#}");
    assert!((120..124).contains(&minutes(&window_over)), "{window_over:#}");
    assert_eq!(drills(&app).await[0]["drill_due_at"], json!(due), "it is the same drill");
    assert_eq!(next_at(&app, &id).await, due + DAY);
}

#[tokio::test]
async fn one_instance_without_a_snapshot_does_not_stop_the_drill() {
    let app = App::start().await;
    let mut instances = [app.instance("web", 1), app.instance("db", 1)];
    instances.sort();
    let id = drilled(&app, &[&instances[0], &instances[1]]).await;
    let path = format!("/v1/snapshots?instance_id={}", instances[0]);
    let snapshot = app.list(&path).await.remove(0);
    let path = format!("/v1/snapshots/{}", text(&snapshot, "id"));
    app.call("PATCH", &path, json!({ "restore_until": app.now() })).await.expect(200);

    to_the_next(&app, &id).await;

    assert_eq!(text(&drills(&app).await[0], "instance_id"), instances[1]);
}

#[tokio::test]
async fn a_schedule_that_is_disabled_edited_or_deleted_is_drilled_no_more() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let disabled = drilled(&app, &[&instance]).await;
    let [edited, deleted] = [planned(&app, &[&instance]).await, planned(&app, &[&instance]).await];
    for id in [&edited, &deleted] {
        take(&app, id).await;
    }
    let path = |id: &str| format!("/v1/schedules/{id}");

    app.call("PATCH", &path(&disabled), json!({ "enabled": false })).await.expect(200);
    app.call("PATCH", &path(&edited), json!({ "drill_every": null })).await.expect(200);
    app.call("DELETE", &path(&deleted), Value::Null).await.expect(204);
    app.clock.advance(DAY + DAY);
    app.pass_minutes(5).await;
    assert!(drills(&app).await.is_empty());
    assert_eq!(shown(&app, &disabled).await["next_drill_at"], Value::Null);
    let again = app.now();
    let looked_at = app.service().table.due_drills(again + DAY * 400, 10).await.unwrap();
    assert!(looked_at.is_empty(), "{looked_at:?}");
    app.call("PATCH", &path(&disabled), json!({ "enabled": true })).await.expect(200);
    app.pass_minutes(5).await;
    assert!(drills(&app).await.is_empty(), "enabling it does not drill it");
    assert_eq!(next_at(&app, &disabled).await, again + DAY);
    to_the_next(&app, &disabled).await;

    assert_eq!(drills(&app).await.len(), 1);
}

#[tokio::test]
async fn nothing_of_its_drills_is_left_of_a_schedule_that_is_deleted() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;
    to_the_next(&app, &id).await;
    let table = &app.service().table;
    let (ids, far) = ([id.parse::<ScheduleId>().unwrap()], app.now() + DAY * 400);
    assert_eq!(table.due_drills(far, 10).await.unwrap(), ids);
    assert_eq!(table.last_drills_of_schedules(&ids).await.unwrap().len(), 1);

    app.call("DELETE", &format!("/v1/schedules/{id}"), Value::Null).await.expect(204);

    assert!(table.due_drills(far, 10).await.unwrap().is_empty());
    assert!(table.last_drills_of_schedules(&ids).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_drill_that_a_person_asks_for_counts_and_an_older_one_never_hides_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;
    let snapshot = text(&app.list("/v1/snapshots").await[0], "id").to_owned();
    let path = format!("/v1/snapshots/{snapshot}/drill");
    let early = app.call("POST", &path, Value::Null).await.expect(202);
    let early = record(&app, text(&early, "id")).await;
    let at = app.now();
    app.pass_minutes(1).await;
    let late = app.call("POST", &path, Value::Null).await.expect(202);
    app.pass_minutes(12).await;
    let before = shown(&app, &id).await["last_drill"].clone();

    // One that failed before the others were done, and of which its worker tells only now.
    let forgotten = app.call("POST", &path, Value::Null).await.expect(202);
    let forgotten = record(&app, text(&forgotten, "id")).await;
    let failure = RestoreFailure {
        step: StepName::Check,
        code: "x".to_owned(),
        message: "x".to_owned(),
        missing_right: None,
        at,
    };
    let failed = forgotten.leased(at).unwrap().failed(failure, at);
    let table = &app.service().table;
    table.update_restore(&forgotten, &failed, app.now()).await.unwrap().unwrap();

    assert_eq!(text(&before, "restore_id"), text(&late, "id"), "not {}", early.id);
    assert_eq!(shown(&app, &id).await["last_drill"], before);
    assert_eq!(app.get(&format!("/v1/instances/{instance}")).await["last_drill"], before);
}

#[tokio::test]
async fn a_person_decides_what_becomes_of_a_drill_of_theirs_that_failed() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    no_room(&app);

    let path = format!("/v1/snapshots/{snapshot}/drill");
    app.call("POST", &path, Value::Null).await.expect(202);
    app.pass_minutes(12).await;

    assert_eq!(text(&drills(&app).await[0], "status"), "failed");
    let last = &app.get(&format!("/v1/instances/{instance}")).await["last_drill"];
    assert_eq!(text(last, "outcome"), "failed");
}

#[tokio::test]
async fn a_drill_is_where_the_snapshot_is() {
    let app = two_regions().await;
    let instance = instance_there(&app, "web");
    let id = drilled(&app, &[&instance]).await;

    to_the_next(&app, &id).await;

    let drill = drills(&app).await.remove(0);
    assert_eq!((text(&drill, "region"), text(&drill, "status")), (OTHER, "done"), "{drill:#}");
    assert!(text(&drill, "zone").starts_with(OTHER), "{drill:#}");
}

#[tokio::test]
async fn what_an_older_version_has_written_is_not_looked_at_for_ever() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;
    let due = next_at(&app, &id).await;
    app.forget_drills(&id).await;
    app.clock.set(due);
    let table = &app.service().table;
    assert_eq!(table.due_drills(due, 9).await.unwrap().len(), 1);

    app.pass_minutes(2).await;

    assert!(table.due_drills(app.now(), 9).await.unwrap().is_empty());
    assert!(drills(&app).await.is_empty());
    assert_eq!(shown(&app, &id).await["next_drill_at"], Value::Null);
}

#[tokio::test]
async fn a_schedule_that_an_older_version_has_deleted_is_not_looked_at_for_ever() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = drilled(&app, &[&instance]).await;
    let due = next_at(&app, &id).await;
    app.forget_partition(&keys::schedule(&id.parse().unwrap()).pk).await;
    app.clock.set(due);
    let table = &app.service().table;
    assert_eq!(table.due_drills(due, 9).await.unwrap().len(), 1);

    app.pass_minutes(2).await;

    assert!(table.due_drills(app.now(), 9).await.unwrap().is_empty());
}
