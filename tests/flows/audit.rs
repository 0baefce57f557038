//! What changes leave behind: the audit, histories, and what other systems are told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use local::function::Function;
use serde_json::{Value, json};
use shared::domain::audit::Action;
use sim_ec2::{Fault, InstanceState};

use crate::support::app::App;
use crate::support::events::tick;
use crate::support::images::{delete_image, make_image};
use crate::support::others::{adopt, taken_elsewhere, these};
use crate::support::reply::text;
use crate::support::restores::{after, begun};
use crate::support::schema::{detail_types, problems, schema_of};
use crate::support::sweeps::{register_image, sweep, with_twenty};
use crate::support::tripwire::at_every_call;

/// The actions of these entries, the oldest first.
fn actions(items: &[Value]) -> Vec<&str> {
    items.iter().rev().map(|item| text(item, "action")).collect()
}

/// What other systems were told, by type.
fn told(app: &App) -> Vec<String> {
    let events = app.announced();
    events.iter().map(|event| text(event, "detail-type").to_owned()).collect()
}

/// Every event that was published is as its schema says, and the audit has it under the same identifier.
async fn assert_told_as_promised(app: &App) {
    let audit = app.list("/v1/audit?limit=200").await;
    let known: BTreeSet<_> = audit.iter().map(|item| text(item, "id")).collect();
    for event in app.announced() {
        let schema = schema_of(text(&event, "detail-type"));
        assert_eq!(problems(&schema, &event["detail"]), [""; 0], "{event:#}");
        assert_eq!(text(&event, "source"), "snapkeep");
        assert!(known.contains(text(&event["detail"], "event_id")), "{event:#}");
    }
}

#[tokio::test]
async fn a_snapshots_whole_life_leaves_its_history_its_audit_and_its_events() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");
    app.call("PATCH", &path, json!({ "name": "before the upgrade" })).await.expect(200);
    app.call("DELETE", &format!("{path}?grace_minutes=10"), Value::Null).await.expect(202);
    app.call("POST", &format!("{path}/rescue"), Value::Null).await.expect(200);
    app.send("DELETE", &path, Value::Null, &[("x-snapkeep-reason", "ticket 7 – über")])
        .await
        .expect(202);
    app.pass_minutes(30).await;

    let history = app.list(&format!("/v1/instances/{instance}/history")).await;
    let audit = app.list("/v1/audit").await;

    assert_eq!(
        actions(&history),
        [
            "snapshot.requested",
            "snapshot.available",
            "snapshot.edited",
            "snapshot.condemned",
            "snapshot.rescued",
            "snapshot.condemned",
            "snapshot.deleted",
        ]
    );
    assert_eq!(history, audit);
    let who: Vec<_> = history.iter().rev().map(|item| text(&item["actor"], "who")).collect();
    let admin = "local-admin";
    assert_eq!(who, [admin, "tracker", admin, admin, admin, admin, "reaper"]);
    assert_eq!(history[1]["reason"], "ticket 7 – über");
    assert_eq!(history[3]["reason"], "deleted by name");
    let renamed = json!([{ "field": "name", "before": "", "after": "before the upgrade" }]);
    assert_eq!(without_default_name(&history[4]["changes"]), renamed);
    assert_eq!(
        told(&app),
        [
            "snapkeep.snapshot.available",
            "snapkeep.snapshot.condemned",
            "snapkeep.snapshot.rescued",
            "snapkeep.snapshot.condemned",
            "snapkeep.snapshot.deleted",
        ]
    );
    assert_told_as_promised(&app).await;
}

/// The name that a snapshot has unless it is given one is not what this is about.
fn without_default_name(changes: &Value) -> Value {
    let mut changes = changes.clone();
    changes[0]["before"] = json!("");
    changes
}

#[tokio::test]
async fn what_rules_do_says_by_which_and_why() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 1 })).await;
    app.pass_minutes(24).await;
    sweep(&app, "execute").await;

    let condemned = app.list("/v1/audit?action=snapshot.condemned&who=sweeper").await;

    assert_eq!(condemned.len(), 1);
    assert_eq!(condemned[0]["actor"]["type"], "rule");
    assert_eq!(condemned[0]["actor"]["request_id"], Value::Null);
    assert!(text(&condemned[0], "reason").contains("no rule keeps it"), "{}", condemned[0]);
    assert!(condemned[0]["schedule_id"].is_string());
}

#[tokio::test]
async fn what_goes_wrong_is_told_as_promised() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).member_fails());
    app.request_snapshot(&web).await;
    app.pass_minutes(5).await;
    let lost = app.take_snapshot(&db).await;
    app.ec2.remove_snapshot(app.record(&lost).await.members[0].ebs_snapshot_id.as_str());
    let schedule = app.schedule("rate(10 minutes)", &[&web], json!({ "keep_last": 1 })).await;
    app.pass_minutes(21).await;
    let oldest = app.list(&format!("/v1/snapshots?schedule_id={schedule}")).await;
    register_image(&app, text(oldest.last().unwrap(), "id"));
    sweep(&app, "execute").await;
    app.clock.advance(SignedDuration::from_mins(60));
    app.pass_minutes(90).await;

    let told: BTreeSet<_> = told(&app).into_iter().collect();

    for wanted in ["snapshot.failed", "snapshot.missing", "snapshot.blocked", "schedule.missed"] {
        assert!(told.contains(&format!("snapkeep.{wanted}")), "{wanted} of {told:?}");
    }
    assert_told_as_promised(&app).await;
    let history = app.list(&format!("/v1/instances/{web}/history?kind=run")).await;
    assert!(history.iter().any(|item| item["action"] == "run.missed"), "{history:#?}");
}

#[tokio::test]
async fn a_stopped_sweep_is_told_and_so_are_edits_of_schedules() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await.expect(200);
    sweep(&app, "execute").await;
    app.call("DELETE", &path, Value::Null).await.expect(204);
    app.pass_minutes(2).await;

    let told = told(&app);

    for wanted in
        ["schedule.created", "schedule.edited", "sweep.needs_approval", "schedule.deleted"]
    {
        assert!(told.contains(&format!("snapkeep.{wanted}")), "{wanted} of {told:?}");
    }
    assert_told_as_promised(&app).await;
}

#[tokio::test]
async fn an_event_outlives_death_between_the_write_and_its_publication() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let id = app.request_snapshot(&instance).await;
        while app.status(&id).await != "available" {
            app.clock.advance(SignedDuration::from_secs(10));
            app.settle_only(&[Function::Snapshotter, Function::Tracker]).await;
        }
        assert!(told(&app).is_empty());
        let clock = app.function_clock();

        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(app.now())));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(2).await;

        let ids: BTreeSet<_> = app
            .announced()
            .iter()
            .map(|event| text(&event["detail"], "event_id").to_owned())
            .collect();
        assert_eq!(ids.len(), 1, "{trip:?}");
        assert!(app.announced().len() <= 2, "{trip:?}");
        assert!(app.service().table.outbox(10).await.unwrap().is_empty());
        alive
    })
    .await;

    assert!(calls > 4, "{calls} calls");
}

/// What each operation that may change something leaves in the audit; none for what changes no record.
fn expected() -> BTreeMap<&'static str, Option<Action>> {
    BTreeMap::from([
        ("create_snapshot", Some(Action::SnapshotRequested)),
        ("edit_snapshot", Some(Action::SnapshotEdited)),
        ("delete_snapshot", Some(Action::SnapshotCondemned)),
        ("rescue_snapshot", Some(Action::SnapshotRescued)),
        ("change_snapshots", Some(Action::SnapshotHeld)),
        ("decide_schedule_leftovers", Some(Action::SnapshotEdited)),
        ("create_schedule", Some(Action::ScheduleCreated)),
        ("edit_schedule", Some(Action::ScheduleEdited)),
        ("delete_schedule", Some(Action::ScheduleDeleted)),
        ("run_schedule", Some(Action::RunStarted)),
        ("request_sweep", Some(Action::SweepRequested)),
        ("approve_sweep", Some(Action::SweepApproved)),
        ("assign_schedules", Some(Action::InstanceAssigned)),
        ("adopt_snapshots", Some(Action::SnapshotAdopted)),
        ("restore_snapshot", Some(Action::RestoreRequested)),
        ("drill_snapshot", Some(Action::DrillRequested)),
        ("retry_restore", Some(Action::RestoreRetried)),
        ("cancel_restore", Some(Action::RestoreCancelling)),
        ("create_image", Some(Action::ImageRequested)),
        ("delete_image", Some(Action::ImageDeregistrationRequested)),
        // A look at EC2: what it finds and mends is the reconciler's, with entries of its own.
        ("request_reconciliation", None),
        // A list, with the wanted snapshots in the body because a query has no room for them.
        ("list_images_of_snapshots", None),
        ("show_combs", None),
        // They only try something out.
        ("preview_schedule", None),
        ("preview_retention", None),
        ("simulate_retention", None),
    ])
}

/// Each of those operations that leave something, done once.
async fn do_everything(app: &App) {
    let (_, schedule) = with_twenty(app).await;
    app.call("PATCH", &schedule, json!({ "retention": { "keep_last": 2 } })).await.expect(200);
    let stopped = sweep(app, "execute").await;
    crate::support::sweeps::approve(app, &stopped).await.expect(202);
    let instance = app.instance("db", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let snapshot = format!("/v1/snapshots/{snapshot}");
    app.call("PATCH", &snapshot, json!({ "name": "x" })).await.expect(200);
    app.call("DELETE", &format!("{snapshot}?grace_minutes=60"), Value::Null).await.expect(202);
    app.call("POST", &format!("{snapshot}/rescue"), Value::Null).await.expect(200);
    app.call("POST", &format!("{schedule}/runs"), Value::Null).await.expect(202);
    let held = json!({
        "snapshot_ids": [text(&app.get(&snapshot).await, "id")], "action": "hold", "hold": { "type": "never" },
    });
    app.call("POST", "/v1/snapshots:batch", held).await.expect(200);
    let assigned = format!("/v1/instances/{instance}/schedules");
    let schedule_id = schedule.rsplit('/').next().unwrap();
    app.call("PUT", &assigned, json!({ "schedule_ids": [schedule_id] })).await.expect(200);
    app.call("DELETE", &schedule, Value::Null).await.expect(204);
    let end = json!({ "expires_at": "2030-01-01T00:00:00Z" });
    app.call("POST", &format!("{schedule}/leftovers"), end).await.expect(200);
    Box::pin(restore_and_image(app, &instance)).await;
    let others = taken_elsewhere(app, "us-east-1", &instance);
    adopt(app, these(&others)).await;
}

/// Restores, a drill and an image of a new snapshot: one restore fails, goes on, and is done; another is cancelled.
async fn restore_and_image(app: &App, instance: &str) {
    let snapshot = app.take_snapshot(instance).await;
    let restore = failed_restore(app, &snapshot).await;
    app.call("POST", &format!("/v1/restores/{restore}/retry"), Value::Null).await.expect(202);
    assert_eq!(after(app, &restore, 5).await["status"], "done");
    let other = begun(app, &snapshot, json!({ "mode": "new_volumes" })).await;
    app.call("POST", &format!("/v1/restores/{other}/cancel"), Value::Null).await.expect(202);
    assert_eq!(after(app, &other, 5).await["status"], "cancelled");
    let path = format!("/v1/snapshots/{snapshot}/drill");
    let drill = app.call("POST", &path, Value::Null).await.expect(202);
    assert_eq!(after(app, text(&drill, "id"), 12).await["status"], "done");
    let (image, _) = make_image(app, &snapshot).await;
    delete_image(app, &image, "").await;
    app.pass_minutes(10).await;
}

/// A restore that stops because EC2 refuses to make its volume; the first call is the dry run.
async fn failed_restore(app: &App, snapshot: &str) -> String {
    app.ec2.fault(Fault::on("CreateVolume").skip(1).error("InvalidParameterValue", 400));
    let id = begun(app, snapshot, json!({ "mode": "new_volumes" })).await;
    assert_eq!(after(app, &id, 5).await["status"], "failed");
    id
}

#[tokio::test]
async fn restores_drills_and_images_are_on_the_instances_timeline_and_told_as_promised() {
    let app = App::start().await;
    let instance = app.instance("web", 1);

    Box::pin(restore_and_image(&app, &instance)).await;
    app.pass_minutes(2).await;

    let path = format!("/v1/instances/{instance}/history?kind=restore&kind=drill&kind=image");
    let history = app.list(&path).await;
    let expected = [
        ("restore.requested", "local-admin"),
        ("restore.failed", "restorer"),
        ("restore.retried", "local-admin"),
        ("restore.finished", "restorer"),
        ("restore.requested", "local-admin"),
        ("restore.cancelling", "local-admin"),
        ("restore.cancelled", "restorer"),
        ("drill.requested", "local-admin"),
        ("drill.finished", "restorer"),
        ("image.requested", "local-admin"),
        ("image.available", "restorer"),
        ("image.deregistration_requested", "local-admin"),
        ("image.deregistered", "restorer"),
    ];
    let found: Vec<_> = history
        .iter()
        .rev()
        .map(|item| (text(item, "action"), text(&item["actor"], "who")))
        .collect();
    assert_eq!(found, expected);
    let told = told(&app);
    for wanted in [
        "restore.failed",
        "restore.finished",
        "restore.cancelled",
        "drill.finished",
        "image.available",
        "image.deregistered",
    ] {
        let event = format!("snapkeep.{wanted}");
        assert_eq!(told.iter().filter(|name| **name == event).count(), 1, "{wanted} of {told:?}");
    }
    assert_told_as_promised(&app).await;
}

#[tokio::test]
async fn assigning_schedules_leaves_an_entry_for_each_and_a_preview_none() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let one = app.schedule("rate(10 days)", &[&web], Value::Null).await;
    let other = app.schedule("rate(20 days)", &[&web], Value::Null).await;
    let path = format!("/v1/instances/{db}/schedules");
    let both = json!({ "schedule_ids": [one, other] });
    let before = app.list("/v1/audit").await.len();

    app.call("PUT", &format!("{path}?preview=true"), both.clone()).await.expect(200);
    assert_eq!(app.list("/v1/audit").await.len(), before);
    app.call("PUT", &path, both.clone()).await.expect(200);
    app.call("PUT", &path, both).await.expect(200);
    assert_eq!(app.list("/v1/audit").await.len(), before + 4);
    app.call("PUT", &path, json!({ "schedule_ids": [one] })).await.expect(200);

    let history = app.list(&format!("/v1/instances/{db}/history?kind=instance")).await;
    let expected = ["instance.assigned", "instance.assigned", "instance.unassigned"];
    assert_eq!(actions(&history), expected);
    assert_eq!(history[0]["schedule_id"], json!(other));
    assert_eq!(app.list("/v1/audit?action=schedule.edited").await.len(), 3);
    app.pass_minutes(2).await;
    assert_told_as_promised(&app).await;
}

#[tokio::test]
async fn every_operation_that_changes_something_leaves_who_and_which_request() {
    let app = App::start().await;
    let document = app.get("/v1/openapi.json").await;
    let mut operations = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        let methods = item.as_object().unwrap().iter().filter(|(method, _)| *method != "get");
        operations.extend(methods.map(|(_, one)| text(one, "operationId").to_owned()));
    }
    let expected = expected();
    let named: BTreeSet<_> = expected.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(operations, named, "what does it leave in the audit?");

    Box::pin(do_everything(&app)).await;

    let audit = app.list("/v1/audit?who=local-admin&limit=200").await;
    for (operation, action) in &expected {
        let Some(action) = action else { continue };
        let item = audit.iter().find(|item| item["action"] == action.as_str());
        let item = item.unwrap_or_else(|| panic!("{operation} leaves nothing"));
        let actor = &item["actor"];
        assert_eq!((text(actor, "type"), text(actor, "role")), ("person", "admin"));
        assert!(text(actor, "request_id").starts_with("local-"), "{item}");
    }
    let requests: BTreeSet<_> =
        audit.iter().map(|item| text(&item["actor"], "request_id")).collect();
    assert!(requests.len() >= 10, "{requests:?}");
}

#[tokio::test]
async fn who_did_it_in_which_role_and_request_is_as_the_gateway_said() {
    let app = App::start().await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/api-create-schedule.json");
    let event = std::fs::read_to_string(file).unwrap();
    let request = lambda_http::request::from_str(&event).unwrap();
    let router = api::router(app.service().clone(), app.function_clock());

    let answer = Box::pin(api::handle(router, request)).await;

    let event: Value = serde_json::from_str(&event).unwrap();
    let claims = &event["requestContext"]["authorizer"]["jwt"]["claims"];
    let item = app.list("/v1/audit?action=schedule.created").await.remove(0);
    assert_eq!(answer.status(), 201);
    assert_eq!(
        item["actor"],
        json!({
            "type": "person", "who": claims["username"], "role": "admin",
            "request_id": event["requestContext"]["requestId"],
        })
    );
    assert_eq!(item["changes"][0]["before"], Value::Null);
}

#[tokio::test]
async fn what_is_refused_or_repeated_leaves_nothing() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");
    app.call("PATCH", &path, json!({ "name": "x" })).await.expect(200);
    let before = app.list("/v1/audit").await;

    app.call("PATCH", &path, json!({ "name": "x" })).await.expect(200);
    app.send("PATCH", &path, json!({ "name": "y" }), &[("if-match", "\"1\"")]).await.expect(412);
    app.call("PATCH", &path, json!({ "nme": "y" })).await.expect(400);
    app.call("POST", &format!("{path}/rescue"), Value::Null).await.expect(200);
    let gone = "/v1/schedules/sch_0195500c-6d00-7000-8000-000000000000";
    app.call("DELETE", gone, Value::Null).await.expect(404);
    for reason in ["", "a\tb", &"x".repeat(501)] {
        let headers = [("x-snapkeep-reason", reason)];
        let refused = app.send("DELETE", &path, Value::Null, &headers).await.expect(400);
        assert_eq!(text(&refused, "field"), "X-Snapkeep-Reason");
    }

    assert_eq!(app.list("/v1/audit").await, before);
}

#[tokio::test]
async fn the_audit_is_paged_and_filtered_over_days() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    for _ in 0..3 {
        app.take_snapshot(&web).await;
        app.take_snapshot(&db).await;
        app.clock.advance(SignedDuration::from_hours(24));
    }

    let all = app.list("/v1/audit").await;
    let paged = app.list("/v1/audit?limit=1").await;

    assert_eq!(all.len(), 12);
    assert_eq!(paged, all);
    let times: Vec<_> = all.iter().map(|item| text(item, "at")).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    assert_eq!(app.list("/v1/audit?day=2026-03-03").await, all[4..8]);
    let until = "/v1/audit?from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z";
    assert_eq!(app.list(until).await, all[4..8]);
    let of_db = app.list(&format!("/v1/audit?instance_id={db}&limit=2")).await;
    assert_eq!(of_db.len(), 6);
    assert!(of_db.iter().all(|item| item["instance_id"] == json!(db)));
    let id = text(&of_db[0], "resource_id");
    assert_eq!(app.list(&format!("/v1/audit?resource_id={id}")).await, of_db[..2]);
    assert_eq!(app.list("/v1/audit?action=snapshot.available").await.len(), 6);
    assert_eq!(app.list("/v1/audit?who=tracker").await.len(), 6);
    assert!(app.list("/v1/audit?who=nobody").await.is_empty());
    for wrong in
        ["day=2026-13-01", "day=2026-03-01&to=2026-03-02T00:00:00Z", "action=x", "cursor=eA"]
    {
        app.call("GET", &format!("/v1/audit?{wrong}"), Value::Null).await.expect(400);
    }
}

#[tokio::test]
async fn an_instance_that_is_gone_keeps_its_history() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;
    app.pass_minutes(15).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    app.call("DELETE", &format!("/v1/schedules/{schedule}"), Value::Null).await.expect(204);
    app.pass_minutes(120).await;

    let history = app.list(&format!("/v1/instances/{instance}/history")).await;
    let assignments =
        app.list(&format!("/v1/instances/{instance}/history?kind=instance&limit=1")).await;

    let expected =
        ["instance.assigned", "snapshot.requested", "snapshot.available", "instance.unassigned"];
    assert_eq!(actions(&history), expected);
    assert_eq!(actions(&assignments), ["instance.assigned", "instance.unassigned"]);
    let unknown = "/v1/instances/i-0000000000000dead/history";
    assert!(app.list(unknown).await.is_empty());
}

#[tokio::test]
async fn an_entry_is_kept_as_long_as_the_setting_says() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let before = app.now();
    app.take_snapshot(&instance).await;

    let expiries = app.expiries("AUDIT#2026-03-02").await;

    let kept = SignedDuration::from_hours(400 * 24).as_secs();
    assert_eq!(expiries.len(), 2);
    for expiry in expiries {
        assert!((0..=300).contains(&(expiry - before.as_second() - kept)), "{expiry}");
    }
}

#[test]
fn every_event_that_is_told_has_a_schema_and_no_other() {
    let told = Action::ALL.iter().filter(|action| action.is_announced());
    let told: BTreeSet<_> = told.map(|action| action.event_type().to_owned()).collect();

    assert_eq!(told, detail_types().into_iter().collect());
    for name in told {
        let schema = schema_of(&name);
        assert_eq!(
            (text(&schema, "title"), &schema["properties"]["type"]["const"]),
            (&*name, &json!(name))
        );
    }
}

#[test]
fn a_value_that_breaks_a_schema_is_found_out() {
    let schema = schema_of("snapkeep.schedule.missed");
    let good = json!({
        "event_id": "evt_x", "type": "snapkeep.schedule.missed", "occurred_at": "2026-03-01T00:00:00Z",
        "actor": { "type": "rule", "function": "scheduler" }, "summary": "s", "reason": null,
        "schedule": { "id": "sch_x", "missed": 1, "slot": "2026-03-01T00:00:00Z" },
    });
    assert_eq!(problems(&schema, &good), [""; 0]);

    for (pointer, bad) in [
        ("/type", json!("snapkeep.schedule.edited")),
        ("/occurred_at", json!("yesterday")),
        ("/actor/type", json!("person")),
        ("/schedule/missed", json!("1")),
        ("/schedule", json!({ "id": "sch_x", "missed": 1 })),
        ("/reason", json!(7)),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = bad;
        assert!(!problems(&schema, &value).is_empty(), "{pointer}");
    }
    let mut more = good;
    more["more"] = json!(1);
    assert!(!problems(&schema, &more).is_empty());
}
