//! Instances that are gone: believed at the second look, and what their schedule says of it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::ids::ScheduleId;
use shared::domain::snapshot::condemnation::CondemnedBy;
use sim_ec2::InstanceState;

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{ec2, sweep};

/// A schedule that has taken four of an instance and is switched off.
async fn with_four(app: &App, rules: Value) -> String {
    let instance = app.instance("web", 1);
    let mut body = json!({
        "name": "test", "expression": "rate(10 minutes)",
        "targets": { "instance_ids": [instance] },
    });
    body.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    let schedule = app.call("POST", "/v1/schedules", body).await.expect(201);
    app.pass_minutes(41).await;
    let path = format!("/v1/schedules/{}", text(&schedule, "id"));
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(2).await;
    assert_eq!(count(app, "available").await, 4);
    instance
}

async fn count(app: &App, status: &str) -> usize {
    app.list(&format!("/v1/snapshots?status={status}")).await.len()
}

async fn first_looks(app: &App) -> usize {
    app.service().table.first_looks().await.unwrap().len()
}

#[tokio::test]
async fn an_instance_is_gone_at_the_second_look_and_its_newest_stay() {
    let app = App::start().await;
    // Without rules: the one for instances that are gone deletes all the same.
    let rule = json!({ "when_gone": { "type": "keep_last", "count": 2 } });
    let instance = with_four(&app, rule).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);

    // A dry run writes nothing, not even that it has looked.
    sweep(&app, "plan_only").await;
    let looks_of_a_dry_run = first_looks(&app).await;
    sweep(&app, "execute").await;
    app.pass_minutes(5).await;
    sweep(&app, "execute").await;
    let condemned_too_early = count(&app, "condemned").await;
    app.pass_minutes(6).await;
    let planned = sweep(&app, "plan_only").await;
    sweep(&app, "execute").await;

    assert_eq!((looks_of_a_dry_run, condemned_too_early), (0, 0));
    assert_eq!(planned["planned"]["delete"], json!(2));
    let condemned = app.list("/v1/snapshots?status=condemned").await;
    assert_eq!(condemned.len(), 2);
    for one in &condemned {
        assert_eq!(text(&one["condemned"], "cause"), "instance_gone");
        assert!(text(&one["condemned"], "reason").contains("instance gone"));
    }
    app.pass_minutes(65).await;
    assert_eq!((count(&app, "available").await, count(&app, "deleted").await), (2, 2));
}

#[tokio::test]
async fn an_instance_that_ec2_no_longer_shows_at_all_is_gone_as_well() {
    let app = App::start().await;
    let instance = with_four(&app, json!({ "when_gone": { "type": "keep_all" } })).await;
    ec2(&app, &format!("Action=TerminateInstances&InstanceId.1={instance}&Version=2016-11-15"));
    // Two hourly sweeps have looked, and EC2 has forgotten it.
    app.pass_minutes(80).await;
    let schedule = app.list("/v1/schedules").await.remove(0);
    let path = format!("/v1/schedules/{}", text(&schedule, "id"));
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 1 } })).await.expect(200);

    let shown = app.call("GET", &format!("/v1/instances/{instance}"), Value::Null).await;
    let kept = sweep(&app, "execute").await;

    shown.expect(404);
    assert_eq!(kept["planned"]["delete"], json!(0));
    let entries = kept["plan"]["items"].as_array().unwrap();
    assert!(entries.iter().all(|one| one["reasons"] == json!(["instance gone: all are kept"])));
}

#[tokio::test]
async fn one_edit_of_rules_and_of_what_becomes_of_the_gone_protects_what_was_gone_long_before() {
    let app = App::start().await;
    let instance = with_four(&app, json!({ "retention": { "keep_last": 9 } })).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    app.pass_minutes(130).await;
    let schedule = app.list("/v1/schedules").await.remove(0);
    let path = format!("/v1/schedules/{}", text(&schedule, "id"));

    let edit = json!({ "retention": { "keep_last": 1 }, "when_gone": { "type": "keep_all" } });
    app.call("PATCH", &path, edit).await.expect(200);
    let first = sweep(&app, "execute").await;
    app.pass_minutes(200).await;

    assert_eq!(first["planned"]["delete"], json!(0));
    let reason = json!(["EC2 does not show its instance; looked for again"]);
    let entries = first["plan"]["items"].as_array().unwrap();
    assert!(entries.iter().all(|one| one["reasons"] == reason), "{entries:#?}");
    assert_eq!(count(&app, "available").await, 4);
}

#[tokio::test]
async fn a_sweep_after_a_long_pause_condemns_nothing_of_an_instance_that_has_gone_meanwhile() {
    let app = App::start().await;
    let rules = json!({ "retention": { "max_age": "1d" }, "when_gone": { "type": "keep_all" } });
    let instance = with_four(&app, rules).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    app.clock.advance(SignedDuration::from_hours(10 * 24));

    let first = sweep(&app, "execute").await;
    app.pass_minutes(130).await;

    assert_eq!((text(&first, "status"), &first["planned"]["delete"]), ("done", &json!(0)));
    assert_eq!(count(&app, "available").await, 4);
}

#[tokio::test]
async fn what_the_rules_condemned_stays_if_its_instance_goes_within_the_grace() {
    let app = App::start().await;
    let rules = json!({ "retention": { "keep_last": 1 }, "when_gone": { "type": "keep_all" } });
    let instance = with_four(&app, rules).await;
    sweep(&app, "execute").await;
    let condemned = count(&app, "condemned").await;

    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    app.pass_minutes(130).await;

    assert_eq!(condemned, 3);
    assert_eq!((count(&app, "available").await, count(&app, "deleted").await), (4, 0));
    assert!(!app.ec2.calls().contains_key("DeleteSnapshot"));
}

#[tokio::test]
async fn an_instance_that_goes_after_the_edit_does_not_keep_it_from_being_enforced() {
    let app = App::start().await;
    let instance = with_four(&app, json!({})).await;
    let schedule = app.list("/v1/schedules").await.remove(0);
    let id: ScheduleId = text(&schedule, "id").parse().unwrap();
    let path = format!("/v1/schedules/{id}");
    // Gone at the first sweep after the edit: it may have been gone before.
    let edit = json!({ "when_gone": { "type": "keep_all" } });
    app.call("PATCH", &path, edit).await.expect(200);
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    let enforced = async || {
        let schedule = app.service().table.schedule(&id).await.unwrap().unwrap();
        schedule.enforced.when_gone == schedule.settings.when_gone
    };

    app.clock.advance(SignedDuration::from_mins(2));
    sweep(&app, "execute").await;
    let with_a_look_since_the_edit = enforced().await;
    // As if it had been there.
    let table = &app.service().table;
    for (gone, since) in table.first_looks().await.unwrap() {
        assert!(table.forget_first_look(&gone, since).await.unwrap().is_done());
    }
    sweep(&app, "execute").await;

    assert!(!with_a_look_since_the_edit);
    assert!(enforced().await);
}

#[tokio::test]
async fn one_absence_is_forgotten_when_the_instance_shows_again() {
    let app = App::start().await;
    let rule = json!({ "when_gone": { "type": "keep_last", "count": 1 } });
    let instance = with_four(&app, rule).await;

    app.ec2.set_instance_state(&instance, InstanceState::ShuttingDown);
    sweep(&app, "execute").await;
    let after_the_first = first_looks(&app).await;
    app.ec2.set_instance_state(&instance, InstanceState::Running);
    app.pass_minutes(11).await;
    sweep(&app, "execute").await;
    let after_it_showed = first_looks(&app).await;
    // Gone once more: the look of before does not count.
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    sweep(&app, "execute").await;

    assert_eq!((after_the_first, after_it_showed, first_looks(&app).await), (1, 0, 1));
    assert_eq!(count(&app, "condemned").await, 0);
}

#[tokio::test]
async fn a_look_that_nobody_asks_about_any_more_is_forgotten() {
    let app = App::start().await;
    let rule = json!({ "when_gone": { "type": "keep_last", "count": 1 } });
    let instance = with_four(&app, rule).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    sweep(&app, "execute").await;
    let schedule = app.list("/v1/schedules").await.remove(0);
    let path = format!("/v1/schedules/{}", text(&schedule, "id"));

    app.call("PATCH", &path, json!({ "when_gone": { "type": "apply" } })).await.expect(200);
    app.pass_minutes(11).await;
    // The first enforces the edit, the second no longer asks.
    sweep(&app, "execute").await;
    sweep(&app, "execute").await;

    assert_eq!(first_looks(&app).await, 0);
}

#[tokio::test]
async fn an_instance_that_is_back_within_the_grace_has_its_snapshots_rescued() {
    let app = App::start().await;
    let rule = json!({ "when_gone": { "type": "keep_last", "count": 2 } });
    let instance = with_four(&app, rule).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);
    sweep(&app, "execute").await;
    app.pass_minutes(11).await;
    sweep(&app, "execute").await;
    let condemned = app.list("/v1/snapshots?status=condemned").await;
    let by = app.record(text(&condemned[0], "id")).await.ending.condemnation.unwrap().by;

    app.ec2.set_instance_state(&instance, InstanceState::Stopped);
    app.pass_minutes(65).await;

    assert_eq!(condemned.len(), 2);
    assert!(matches!(by, CondemnedBy::InstanceGone { .. }));
    assert_eq!((count(&app, "available").await, count(&app, "deleted").await), (4, 0));
    assert!(!app.ec2.calls().contains_key("DeleteSnapshot"));
}

#[tokio::test]
async fn ec2_is_asked_only_about_instances_that_a_rule_for_gone_ones_is_for() {
    let app = App::start().await;
    with_four(&app, json!({ "retention": { "keep_last": 4 } })).await;
    app.ec2.reset_calls();

    sweep(&app, "execute").await;

    assert!(!app.ec2.calls().contains_key("DescribeInstances"), "{:?}", app.ec2.calls());
}
