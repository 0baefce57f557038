//! Deleting: by hand, by rules, and what keeps a snapshot from either.

use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::sweep;

async fn hold(app: &App, id: &str, hold: Value) {
    app.call("PATCH", &format!("/v1/snapshots/{id}"), json!({ "hold": hold })).await.expect(200);
}

/// A schedule that has taken three and keeps one, switched off: oldest first, none condemned yet.
async fn with_three(app: &App) -> Vec<String> {
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 1 })).await;
    app.pass_minutes(31).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(2).await;
    let list = app.list("/v1/snapshots?status=available&sort=created_at").await;
    assert_eq!(list.len(), 3);
    list.iter().map(|one| text(one, "id").to_owned()).collect()
}

#[tokio::test]
async fn u10_w9_b4_a_person_deletes_one_and_is_told_where_it_stands() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");

    let reply = app.call("DELETE", &path, Value::Null).await;
    assert_eq!(reply.header("location"), path);
    let answer = reply.expect(202);
    app.pass_minutes(1).await;

    assert_eq!(text(&answer, "status"), "condemned");
    assert_eq!(text(&answer["condemned"], "by"), "local-admin");
    assert_eq!(app.status(&id).await, "deleted");
    // Again, it is gone already.
    let again = app.call("DELETE", &path, Value::Null).await.expect(202);
    assert_eq!(text(&again, "status"), "deleted");
}

#[tokio::test]
async fn u14_delete_removes_from_account_and_storage() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    let id = app.take_snapshot(&instance).await;
    assert_eq!(app.ec2.snapshots().len(), 3);

    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    // At once: nothing but what is due at this very moment.
    app.settle().await;

    assert!(app.ec2.snapshots().is_empty());
    assert!(app.list("/v1/snapshots").await.is_empty());
    assert_eq!(app.status(&id).await, "deleted");
}

#[tokio::test]
async fn u20_u21_b24_a_right_that_is_missing_is_named() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");

    // Of the person.
    for (role, method) in [("viewer", "DELETE"), ("operator", "DELETE"), ("none", "DELETE")] {
        let refused = app.send(method, &path, Value::Null, &[("x-snapkeep-role", role)]).await;
        assert!([401, 403].contains(&refused.status), "{role}");
        if refused.status == 403 {
            assert_eq!(text(&refused.body, "needed_role"), "admin");
        }
    }
    // Of Snapkeep, while the person waits.
    app.ec2.deny("DescribeImages");
    let refused = app.call("DELETE", &path, Value::Null).await.expect(403);
    assert_eq!(text(&refused, "type"), "urn:snapkeep:problem:aws_not_permitted");
    assert_eq!(text(&refused, "aws_action"), "ec2:DescribeImages");
    app.ec2.allow("DescribeImages");
    // Of Snapkeep, later.
    app.ec2.deny("DeleteSnapshot");
    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.pass_minutes(20).await;
    let blocked = app.get(&path).await;
    assert_eq!(text(&blocked["blocked"], "cause"), "not_permitted");
    assert!(text(&blocked["blocked"], "detail").contains("DeleteSnapshot"), "{blocked:#}");
}

#[tokio::test]
async fn w10_what_is_held_never_to_go_is_kept_by_every_sweep_and_a_person_may_delete_it() {
    let app = App::start().await;
    let ids = with_three(&app).await;
    hold(&app, &ids[0], json!({ "type": "never", "reason": "audit" })).await;

    sweep(&app, "execute").await;
    app.pass_minutes(65).await;

    assert_eq!(app.status(&ids[0]).await, "available");
    assert_eq!(app.status(&ids[1]).await, "deleted");
    app.call("DELETE", &format!("/v1/snapshots/{}", ids[0]), Value::Null).await.expect(202);
}

#[tokio::test]
async fn w11_before_its_date_nobody_deletes_it_and_after_it_the_rules_do() {
    let app = App::start().await;
    let ids = with_three(&app).await;
    let path = format!("/v1/snapshots/{}", ids[0]);
    hold(&app, &ids[0], json!({ "type": "until", "until": "2026-03-02T12:30:00Z" })).await;

    app.call("DELETE", &path, Value::Null).await.expect(409);
    app.call("DELETE", &format!("{path}?record_only=true"), Value::Null).await.expect(409);
    sweep(&app, "execute").await;
    let held = app.status(&ids[0]).await;
    app.clock.set("2026-03-02T12:30:00Z".parse().unwrap());
    sweep(&app, "execute").await;

    assert_eq!(held, "available");
    assert_eq!(app.status(&ids[0]).await, "condemned");
}

#[tokio::test]
async fn w14_it_is_deleted_at_the_provider_first_and_the_entry_stays_if_that_fails() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    app.ec2.fault(Fault::on("DeleteSnapshot").times(1000).error("InternalError", 500));

    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;
    let while_it_fails = app.status(&id).await;
    app.ec2.forget_faults();
    app.pass_minutes(60).await;

    assert_ne!(while_it_fails, "deleted");
    assert_eq!(app.status(&id).await, "deleted");
    assert!(app.ec2.snapshots().is_empty());
}

#[tokio::test]
async fn w15_only_the_entry_goes_when_that_is_asked_for() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}?record_only=true");

    let operator = [("x-snapkeep-role", "operator")];
    app.send("DELETE", &path, Value::Null, &operator).await.expect(403);
    let removed = app.call("DELETE", &path, Value::Null).await.expect(200);
    app.pass_minutes(5).await;

    assert_eq!(text(&removed, "status"), "deleted");
    assert!(app.list("/v1/snapshots").await.is_empty());
    assert_eq!(app.ec2.snapshots().len(), 2);
}

#[tokio::test]
async fn w17_t7_what_cannot_be_deleted_says_so_and_is_not_called_deleted() {
    let app = App::start().await;
    let ids = with_three(&app).await;
    app.ec2.deny("DeleteSnapshot");

    sweep(&app, "execute").await;
    app.pass_minutes(65).await;
    let ledger = app.list("/v1/sweeps/blocked").await;

    assert_eq!(ledger.len(), 2);
    for entry in &ledger {
        assert_eq!((text(entry, "cause"), text(entry, "status")), ("not_permitted", "condemned"));
    }
    assert!(app.list("/v1/snapshots?status=deleted").await.is_empty());
    assert_eq!(app.status(&ids[2]).await, "available");
    // What is blocked is tried again once a day.
    app.ec2.allow("DeleteSnapshot");
    app.clock.advance(jiff::SignedDuration::from_hours(24));
    app.pass_minutes(5).await;
    assert_eq!(app.status(&ids[0]).await, "deleted");
    assert_eq!(app.status(&ids[1]).await, "deleted");
}
