//! The wishes and complaints that people have with their tools, as far as no flow has shown them before.

use serde_json::{Value, json};
use sim_ec2::InstanceSpec;

use crate::support::app::App;
use crate::support::reply::text;

/// Each slot is told in UTC; the zone is the schedule's own, and stays with it.
#[tokio::test]
async fn t9_a_schedule_fires_at_the_time_of_its_zone_and_keeps_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({
        "name": "noon", "expression": "cron(0 12 * * ? *)", "timezone": "Europe/Berlin",
        "targets": { "instance_ids": [instance] },
    });
    let made = app.call("POST", "/v1/schedules", body).await.expect(201);

    app.pass_minutes(62).await;

    assert_eq!(text(&made, "timezone"), "Europe/Berlin");
    let taken = app.list("/v1/snapshots").await;
    assert_eq!(taken.len(), 1);
    assert_eq!(text(&taken[0], "slot"), "2026-03-02T11:00:00Z");
}

/// A slot is run although the tick of its minute never came, and not again by a tick that comes twice.
#[tokio::test]
async fn t11_slots_do_not_depend_on_when_the_ticks_come() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("cron(0/20 * * * ? *)", &[&instance], Value::Null).await;

    for _ in 0..4 {
        app.clock.advance(jiff::SignedDuration::from_mins(7));
        app.settle().await;
        app.settle().await;
    }
    app.pass_minutes(3).await;

    let slots: Vec<_> = app.list("/v1/snapshots?sort=created_at").await;
    let slots: Vec<_> = slots.iter().map(|one| text(one, "slot")).collect();
    assert_eq!(slots, ["2026-03-02T10:20:00Z"]);
}

/// What is still being written, or has failed, pushes nothing out.
#[tokio::test]
async fn t16_only_what_is_whole_and_there_counts() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 1 })).await;
    app.pass_minutes(12).await;
    let good = text(&app.list("/v1/snapshots?status=available").await[0], "id").to_owned();
    // From now on nothing is heard of a completion, and nobody looks.
    app.ec2.event_fault(sim_ec2::EventFault::lost().times(100));
    app.clock.advance(jiff::SignedDuration::from_mins(9));
    app.settle().await;
    let pending = app.list(&format!("/v1/snapshots?schedule_id={schedule}&status=pending")).await;

    app.call("POST", "/v1/sweeps", json!({ "mode": "execute" })).await.expect(202);
    app.settle().await;

    assert_eq!(pending.len(), 1);
    assert_eq!(app.status(&good).await, "available");
}

#[tokio::test]
async fn t19_people_can_tell_snapshots_apart_in_ec2_too() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("web").tag("team", "blue");
    for number in 0..48 {
        spec = spec.tag(&format!("tag-{number:02}"), "x");
    }
    let instance = app.ec2.add_instance(spec);
    let body = json!({
        "instance_id": instance, "name": "before the upgrade", "tags": { "ticket": "OPS-7" },
    });
    app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;

    let tags = &app.ec2.snapshots()[0].tags;
    assert!(tags.len() <= 50, "{}", tags.len());
    assert_eq!(tags["Name"], "before the upgrade");
    assert_eq!(tags["ticket"], "OPS-7");
    assert!(tags.contains_key("snapkeep:id") && tags.contains_key("tag-00"), "{tags:#?}");
}
