//! Approval: of that very plan, of the rules it was made with, and of nothing that has changed until it is carried out.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::InstanceState;

use crate::support::app::App;
use crate::support::events::sweep_requested;
use crate::support::reply::text;
use crate::support::sweeps::{approve, outcomes, register_image, sweep, with_twenty};

/// A sweep that the brake has stopped: eighteen of twenty would go.
async fn stopped(app: &App) -> (Value, String) {
    let (_, path) = with_twenty(app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await.expect(200);
    let stopped = sweep(app, "execute").await;
    assert_eq!(text(&stopped, "status"), "needs_approval");
    (stopped, path)
}

async fn oldest_available(app: &App, count: usize) -> Vec<String> {
    let list = app.list("/v1/snapshots?status=available&sort=created_at").await;
    list.iter().take(count).map(|one| text(one, "id").to_owned()).collect()
}

async fn shown(app: &App, sweep: &Value) -> Value {
    app.get(&format!("/v1/sweeps/{}", text(sweep, "id"))).await
}

#[tokio::test]
async fn rules_edited_since_the_plan_must_be_planned_anew() {
    let app = App::start().await;
    let (stopped, path) = stopped(&app).await;

    for edit in [
        json!({ "retention": { "keep_last": 3 } }),
        json!({ "retention": { "keep_last": 2 }, "timezone": "Europe/Berlin" }),
        json!({ "timezone": "UTC", "when_gone": { "type": "keep_all" } }),
    ] {
        app.call("PATCH", &path, edit).await.expect(200);
        let refused = approve(&app, &stopped).await.expect(409);
        assert!(text(&refused, "detail").contains("ask for a new sweep"), "{refused}");
    }
    assert_eq!(text(&shown(&app, &stopped).await, "status"), "needs_approval");

    // What deletes nothing may change, and what is back as it was is as it was.
    let back = json!({ "when_gone": { "type": "apply" }, "name": "renamed" });
    app.call("PATCH", &path, back).await.expect(200);
    approve(&app, &stopped).await.expect(202);
}

#[tokio::test]
async fn a_schedule_deleted_since_the_plan_has_nothing_to_approve() {
    let app = App::start().await;
    let (stopped, path) = stopped(&app).await;
    app.call("DELETE", &path, Value::Null).await.expect(204);

    let refused = approve(&app, &stopped).await.expect(409);

    assert!(text(&refused, "detail").contains("is gone"), "{refused}");
}

#[tokio::test]
async fn what_is_protected_after_the_approval_is_left_out_and_the_others_go() {
    let app = App::start().await;
    let (stopped, _) = stopped(&app).await;
    let oldest = oldest_available(&app, 2).await;
    approve(&app, &stopped).await.expect(202);

    let hold = json!({ "hold": { "type": "never" } });
    app.call("PATCH", &format!("/v1/snapshots/{}", oldest[0]), hold).await.expect(200);
    register_image(&app, &oldest[1]);
    app.settle().await;

    let done = shown(&app, &stopped).await;
    assert_eq!(text(&done, "status"), "done");
    assert_eq!((outcomes(&done, "condemned"), outcomes(&done, "changed")), (16, 2));
    assert_eq!(done["executed"], json!({ "condemned": 16, "skipped": 2, "failed": 0 }));
    for id in &oldest {
        assert_eq!(app.status(id).await, "available");
    }
    assert_eq!(app.list("/v1/snapshots?status=condemned").await.len(), 16);
}

#[tokio::test]
async fn an_approved_sweep_waits_while_the_clock_is_wrong() {
    let app = App::start().await;
    let (stopped, _) = stopped(&app).await;
    approve(&app, &stopped).await.expect(202);
    let event = sweep_requested(text(&stopped, "id"));
    let wrong = shared::clock::Clock::fixed(app.now() + SignedDuration::from_mins(6));

    let refused = sweeper::handle(app.service(), &wrong, event).await.unwrap_err();
    let waiting = shown(&app, &stopped).await;
    app.settle().await;

    assert!(refused.to_string().contains("more than 5 minutes apart"), "{refused}");
    assert_eq!(text(&waiting, "status"), "approved");
    assert_eq!(shown(&app, &stopped).await["executed"]["condemned"], json!(18));
}

#[tokio::test]
async fn rules_edited_after_the_approval_let_nothing_go() {
    let app = App::start().await;
    let (stopped, path) = stopped(&app).await;
    approve(&app, &stopped).await.expect(202);

    app.call("PATCH", &path, json!({ "retention": { "keep_last": 3 } })).await.expect(200);
    app.settle().await;

    let done = shown(&app, &stopped).await;
    assert_eq!(done["executed"], json!({ "condemned": 0, "skipped": 18, "failed": 0 }));
    assert!(app.list("/v1/snapshots?status=condemned").await.is_empty());
}

#[tokio::test]
async fn an_instance_that_is_back_after_the_approval_keeps_its_snapshots() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 1)];
    let ids: Vec<_> = instances.iter().map(String::as_str).collect();
    let schedule = app.schedule("rate(2 minutes)", &ids, Value::Null).await;
    app.pass_minutes(25).await;
    let path = format!("/v1/schedules/{schedule}");
    // Edited while the instances are gone: what follows from it is nobody's expectation.
    for id in ids {
        app.ec2.set_instance_state(id, InstanceState::Terminated);
    }
    let edit = json!({ "enabled": false, "when_gone": { "type": "keep_last", "count": 1 } });
    app.call("PATCH", &path, edit).await.expect(200);
    app.pass_minutes(2).await;
    let first = sweep(&app, "execute").await;
    app.pass_minutes(11).await;
    let stopped = sweep(&app, "execute").await;
    approve(&app, &stopped).await.expect(202);

    app.ec2.set_instance_state(&instances[1], InstanceState::Stopped);
    app.settle().await;

    assert_eq!((text(&first, "status"), &first["planned"]["delete"]), ("done", &json!(0)));
    assert_eq!(text(&stopped, "status"), "needs_approval");
    assert_eq!(stopped["brakes"][0]["unexpected"], json!(22));
    let done = shown(&app, &stopped).await;
    assert_eq!(done["executed"], json!({ "condemned": 11, "skipped": 11, "failed": 0 }));
    let condemned = app.list("/v1/snapshots?status=condemned").await;
    assert!(condemned.iter().all(|one| text(one, "instance_id") == instances[0]));
}

#[tokio::test]
async fn a_sweep_that_waited_after_a_long_pause_is_planned_again_as_well() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    sweep(&app, "execute").await;
    app.clock.advance(SignedDuration::from_hours(36 * 24));
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);
    let stopped = sweep(&app, "execute").await;
    let oldest = oldest_available(&app, 1).await.remove(0);
    approve(&app, &stopped).await.expect(202);

    let hold = json!({ "hold": { "type": "never" } });
    app.call("PATCH", &format!("/v1/snapshots/{oldest}"), hold).await.expect(200);
    app.settle().await;

    let done = shown(&app, &stopped).await;
    assert!(text(&stopped, "refusal").contains("35 days"));
    assert_eq!(done["executed"], json!({ "condemned": 4, "skipped": 1, "failed": 0 }));
    assert_eq!(app.status(&oldest).await, "available");
}
