//! A schedule with a thousand instances: what it costs, counted in calls.

use jiff::Timestamp;
use serde_json::json;
use sim_ec2::{Config, InstanceSpec, SeedVolume, Throttling};

use crate::support::app::App;
use crate::support::events::tick;
use crate::support::reply::text;

const INSTANCES: u64 = 1_000;

#[tokio::test]
async fn a_thousand_instances_cost_a_thousand_creations_and_nothing_else_per_instance() {
    let config = Config { throttling: Throttling::Default, ..Config::default() };
    let app = App::with(config).await;
    for number in 0..INSTANCES {
        let mut spec = InstanceSpec::named(&format!("web-{number}")).tag("Backup", "daily");
        spec.volumes = vec![SeedVolume::new("/dev/sda", 8), SeedVolume::new("/dev/sdb", 8)];
        app.ec2.add_instance(spec);
    }
    let body = json!({
        "name": "all", "expression": "cron(2 10 * * ? *)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    let schedule = app.call("POST", "/v1/schedules", body).await.expect(201);
    app.ec2.reset_calls();
    let slot: Timestamp = "2026-03-02T10:02:00Z".parse().unwrap();
    app.clock.set(slot);

    let clock = app.function_clock();
    Box::pin(scheduler::handle(&app.fragile, &clock, tick(slot))).await.unwrap();
    let published = app.wire.calls("AWSEvents.PutEvents");
    app.pass_minutes(40).await;

    // A hundred targets to an event, ten events a call; and one call that tells others of the schedule.
    assert_eq!(published, 1 + 1);

    let runs = app.list(&format!("/v1/schedules/{}/runs", text(&schedule, "id"))).await;
    assert_eq!(runs[0]["counts"]["succeeded"], json!(INSTANCES));
    assert_eq!(text(&runs[0], "status"), "done");
    let calls = app.ec2.calls();
    assert_eq!(calls["CreateSnapshots"], INSTANCES);
    assert_eq!(app.ec2.throttled().values().sum::<u64>(), 0);
    // One page of a thousand targets, then one call for each message of a hundred.
    assert!(calls["DescribeInstances"] <= 1 + INSTANCES / 100 + 2, "{calls:?}");
    // Completions are asked for in batches of a hundred events and two hundred members.
    assert!(calls["DescribeSnapshots"] <= INSTANCES / 10, "{calls:?}");
    // How the volumes were made is asked once for each message.
    assert!(calls["DescribeVolumes"] <= INSTANCES / 100 + 2, "{calls:?}");
    assert!(!calls.contains_key("CreateTags"), "{calls:?}");
    let others: u64 = calls
        .iter()
        .filter(|(action, _)| {
            !["CreateSnapshots", "DescribeInstances", "DescribeSnapshots", "DescribeVolumes"]
                .contains(&action.as_str())
        })
        .map(|(_, count)| count)
        .sum();
    assert!(others <= 20, "{calls:?}");
}

// Rights are tried out where a refusal could tear a set: of all members but the one that is deleted first.
#[tokio::test]
async fn a_set_of_two_takes_three_calls_to_delete_and_three_looks() {
    const SETS: u64 = 10;
    let config = Config { throttling: Throttling::Default, ..Config::default() };
    let app = App::with(config).await;
    let names: Vec<_> = (0..SETS).map(|number| app.instance(&format!("web-{number}"), 2)).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    app.schedule("cron(2 10,11 * * ? *)", &names, json!({ "keep_last": 1 })).await;
    app.pass_minutes(100).await;
    assert_eq!(app.ec2.snapshots().len(), names.len() * 4);
    app.ec2.reset_calls();

    app.pass_minutes(120).await;

    assert_eq!(app.ec2.snapshots().len(), names.len() * 2);
    let calls = app.ec2.calls();
    assert_eq!(calls["DeleteSnapshot"], 3 * SETS);
    assert_eq!(calls["CreateTags"], 1);
    // Locks, images, and in one look its own members and those that guard it; beside them two sweeps, two reconciliations
    // and the batches of the reaper.
    assert!(calls["DescribeLockedSnapshots"] <= SETS + 2, "{calls:?}");
    assert!(calls["DescribeSnapshots"] <= SETS + 12, "{calls:?}");
    assert!(calls["DescribeImages"] <= SETS + 12, "{calls:?}");
    assert_eq!(app.ec2.throttled().values().sum::<u64>(), 0);
}
