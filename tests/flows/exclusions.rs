//! Volumes that are left out by a tag: resolved once for each snapshot, and held to.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceSpec, SeedVolume};

use crate::support::app::App;
use crate::support::reply::text;

/// An instance with a boot volume, one for data, and one for scratch.
fn instance(app: &App, name: &str) -> String {
    app.ec2.add_instance(
        InstanceSpec::named(name)
            .volume(SeedVolume::new("/dev/sdf", 8).tag("use", "data"))
            .volume(SeedVolume::new("/dev/sdg", 8).tag("use", "scratch-1")),
    )
}

fn scratch() -> Value {
    json!([{ "key": "use", "value": "scratch*" }, { "key": "backup", "value": "no" }])
}

async fn schedule(app: &App, instances: &[&String], tags: Value) -> String {
    let body = json!({
        "name": "x", "expression": "cron(5 10 * * ? *)", "targets": { "instance_ids": instances },
        "options": { "exclude_volumes_tagged": tags },
    });
    let id = text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned();
    app.ec2.reset_calls();
    id
}

fn devices(snapshot: &Value) -> Vec<&str> {
    let volumes = snapshot["volumes"].as_array().unwrap();
    let mut devices: Vec<_> = volumes.iter().map(|one| text(one, "device")).collect();
    devices.sort_unstable();
    devices
}

#[tokio::test]
async fn a_schedule_leaves_out_the_volumes_that_bear_a_tag() {
    let app = App::start().await;
    let (web, db) = (instance(&app, "web"), instance(&app, "db"));
    schedule(&app, &[&web, &db], scratch()).await;

    app.pass_minutes(10).await;

    let snapshots = app.list("/v1/snapshots?status=available").await;
    assert_eq!(snapshots.len(), 2);
    for snapshot in &snapshots {
        assert_eq!(devices(snapshot), ["/dev/sdf", "/dev/xvda"]);
    }
    // Once for both.
    assert_eq!(app.ec2.calls()["DescribeVolumes"], 1);
}

#[tokio::test]
async fn volumes_out_of_reach_keep_a_snapshot_from_being_taken_only_where_their_tags_matter() {
    let app = App::start().await;
    let web = instance(&app, "web");
    schedule(&app, &[&web], json!([])).await;
    app.ec2.fault(Fault::on("DescribeVolumes").times(u64::MAX).internal_error());

    app.pass_minutes(10).await;
    let without = app.list("/v1/snapshots?status=available").await;
    let tagged = schedule(&app, &[&web], scratch()).await;
    app.call("POST", &format!("/v1/schedules/{tagged}/runs"), Value::Null).await.expect(202);
    app.pass_minutes(10).await;
    let during = app.list("/v1/snapshots?status=available").await;
    app.ec2.forget_faults();
    app.pass_minutes(30).await;
    let after = app.list("/v1/snapshots?status=available").await;

    assert_eq!((without.len(), during.len(), after.len()), (1, 1, 2));
}

#[tokio::test]
async fn a_repeated_attempt_goes_by_the_same_volumes() {
    let app = App::start().await;
    let web = instance(&app, "web");
    schedule(&app, &[&web], scratch()).await;
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).error("RequestLimitExceeded", 503));
    app.clock.set("2026-03-02T10:05:00Z".parse().unwrap());
    app.settle().await;
    let id = text(&app.list("/v1/snapshots").await[0], "id").to_owned();
    let left_out = app.record(&id).await.request.exclusions.volumes;

    // Meanwhile somebody takes the tag away.
    let untag = format!("Action=DeleteTags&ResourceId.1={}&Tag.1.Key=use", left_out[0]);
    assert_eq!(app.ec2.answer("us-east-1", untag.as_bytes()).status, 200);
    app.pass_minutes(15).await;

    let scratch = app.ec2.volumes().into_iter().find(|one| one.id == left_out[0].as_str()).unwrap();
    assert!(scratch.tags.is_empty());
    let snapshot = app.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!(text(&snapshot, "status"), "available");
    assert_eq!(devices(&snapshot), ["/dev/sdf", "/dev/xvda"]);
}

#[tokio::test]
async fn a_lost_reply_is_adopted_by_the_same_volumes() {
    let app = App::start().await;
    let web = instance(&app, "web");
    schedule(&app, &[&web], scratch()).await;
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).reply_lost());

    app.pass_minutes(20).await;

    let snapshots = app.list("/v1/snapshots?status=available").await;
    assert_eq!(snapshots.len(), 1);
    assert_eq!(devices(&snapshots[0]).len(), 2);
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
    let record = app.record(text(&snapshots[0], "id")).await;
    assert_eq!(record.request.exclusions.volumes.len(), 1);
}

#[tokio::test]
async fn a_snapshot_of_nothing_fails_in_words() {
    let app = App::start().await;
    let web = instance(&app, "web");
    let body = json!({
        "name": "x", "expression": "cron(5 10 * * ? *)", "targets": { "instance_ids": [web] },
        "options": {
            "exclude_boot_volume": true,
            "exclude_volumes_tagged": [{ "key": "use", "value": "*" }],
        },
    });
    let made = app.call("POST", "/v1/schedules", body).await.expect(201);
    assert!(made["limits"]["warnings"].to_string().contains("every volume of the instance"));

    app.pass_minutes(10).await;

    let failed = &app.list("/v1/snapshots?status=error").await[0];
    assert_eq!(text(&failed["failure"], "code"), "NotEligible");
    assert!(
        text(&failed["failure"], "message").contains("every volume of the instance is excluded")
    );
}

#[tokio::test]
async fn a_person_can_leave_out_by_tag_too_but_not_everything() {
    let app = App::start().await;
    let web = instance(&app, "web");
    let body = |boot: bool, value: &str| {
        json!({
            "instance_id": web, "exclude_boot_volume": boot,
            "exclude_volumes_tagged": [{ "key": "use", "value": value }],
        })
    };

    let wanted = app.call("POST", "/v1/snapshots", body(false, "scratch*")).await.expect(202);
    app.pass_minutes(2).await;
    let refused = app.call("POST", "/v1/snapshots", body(true, "*")).await.expect(409);

    let snapshot = app.get(&format!("/v1/snapshots/{}", text(&wanted, "id"))).await;
    assert_eq!(devices(&snapshot), ["/dev/sdf", "/dev/xvda"]);
    assert!(text(&refused, "detail").contains("every volume of the instance is excluded"));
}

#[tokio::test]
async fn more_than_40_data_volumes_cannot_be_left_out() {
    let app = App::start().await;
    let spec = (0..42).fold(InstanceSpec::named("many"), |spec, n| {
        spec.volume(SeedVolume::new(&format!("/dev/sdf{n:02}"), 1).tag("n", &n.to_string()))
    });
    let many = app.ec2.add_instance(spec);
    let details = app.get(&format!("/v1/instances/{many}")).await;
    let data: Vec<_> = details["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|volume| text(volume, "device") != "/dev/xvda")
        .map(|volume| text(volume, "volume_id"))
        .collect();
    let request = |count: usize| json!({ "instance_id": many, "exclude_volumes": &data[..count] });
    let tagged = json!({
        "instance_id": many, "exclude_volumes_tagged": [{ "key": "n", "value": "*" }],
    });

    let named = app.call("POST", "/v1/snapshots", request(41)).await.expect(400);
    let by_tag = app.call("POST", "/v1/snapshots", tagged).await.expect(409);
    app.call("POST", "/v1/snapshots", request(40)).await.expect(202);
    schedule(&app, &[&many], json!([{ "key": "n", "value": "*" }])).await;
    app.pass_minutes(10).await;

    assert_eq!(text(&named, "field"), "exclude_volumes");
    assert!(text(&by_tag, "detail").contains("42 data volumes"), "{by_tag}");
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 1);
    let failed = &app.list("/v1/snapshots?status=error").await[0];
    assert!(text(&failed["failure"], "message").contains("at most 40"), "{failed:#}");
}
