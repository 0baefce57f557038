//! Instances: which can be snapshotted and why not, what they are made of, and which schedules they have.

use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, InstanceState, LaunchSettings, RootDevice, SeedVolume};

use crate::support::app::App;
use crate::support::reply::text;

/// The instances of a list by their names.
async fn names(app: &App, query: &str) -> Vec<String> {
    let mut names: Vec<_> = app
        .list(&format!("/v1/instances{query}"))
        .await
        .iter()
        .map(|one| text(one, "name").to_owned())
        .collect();
    names.sort();
    names
}

/// Why no snapshot of an instance can be taken, if that is so.
async fn reason(app: &App, id: &str) -> Option<String> {
    let instance = app.get(&format!("/v1/instances/{id}")).await;
    let reason = instance["eligibility"]["reason"].as_str().map(str::to_owned);
    assert_eq!(instance["eligibility"]["eligible"], json!(reason.is_none()));
    reason
}

async fn assign(app: &App, instance: &str, schedules: &[&str]) -> Value {
    let body = json!({ "schedule_ids": schedules });
    app.call("PUT", &format!("/v1/instances/{instance}/schedules"), body).await.expect(200)
}

fn schedules_of(protection: &Value) -> Vec<&str> {
    let schedules = protection["schedules"].as_array().unwrap();
    schedules.iter().map(|one| text(one, "schedule_id")).collect()
}

#[tokio::test]
async fn b7_instances_are_listed_with_whether_a_snapshot_can_be_taken_and_why_not() {
    let app = App::start().await;
    app.instance("web", 1);
    app.ec2.add_instance(InstanceSpec::named("old").state(InstanceState::Terminated));
    app.instance("bare", 0);
    let store = InstanceSpec { root: RootDevice::InstanceStore, ..InstanceSpec::named("store") };
    app.ec2.add_instance(InstanceSpec { volumes: Vec::new(), ..store });

    let all = app.list("/v1/instances").await;

    assert_eq!(names(&app, "?eligible=true").await, ["web"]);
    assert_eq!(names(&app, "?eligible=false").await, ["bare", "old", "store"]);
    assert_eq!(names(&app, "?state=terminated").await, ["old"]);
    for (name, word) in
        [("old", "terminated"), ("bare", "no EBS volumes attached"), ("store", "instance store")]
    {
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        assert!(text(&one["eligibility"], "reason").contains(word), "{one:#}");
    }
}

#[tokio::test]
async fn u19_what_a_request_is_refused_with_is_what_the_list_says() {
    let app = App::start().await;
    let terminated = InstanceSpec::named("old").state(InstanceState::Terminated);
    for id in [app.instance("bare", 0), app.ec2.add_instance(terminated)] {
        let reason = reason(&app, &id).await.unwrap();

        let body = json!({ "instance_id": id });
        let refused = app.call("POST", "/v1/snapshots", body).await.expect(409);

        assert_eq!(text(&refused, "detail"), reason);
    }
}

#[tokio::test]
async fn u19_a_volume_that_has_its_fill_of_pending_snapshots_is_said_before_one_asks() {
    let app = App::start().await;
    let slow = SeedVolume::new("/dev/sdf", 500).volume_type("st1");
    let id = app.ec2.add_instance(InstanceSpec::named("archive").volume(slow));
    assert_eq!(reason(&app, &id).await, None);

    app.request_snapshot(&id).await;
    app.settle().await;
    let pending = reason(&app, &id).await.unwrap();
    let body = json!({ "instance_id": id });
    let refused = app.call("POST", "/v1/snapshots", body).await.expect(409);

    assert!(pending.starts_with("a snapshot of vol-"), "{pending}");
    assert_eq!(text(&refused, "detail"), pending);
    assert_eq!(names(&app, "?eligible=false").await, ["archive"]);
    assert!(names(&app, "?eligible=true").await.is_empty());
    // Without the volume there is nothing in the way.
    let instance = app.get(&format!("/v1/instances/{id}")).await;
    let volume = instance["volumes"].as_array().unwrap().iter().find(|one| one["boot"] == false);
    let volume = text(volume.unwrap(), "volume_id");
    let body = json!({ "instance_id": id, "exclude_volumes": [volume] });
    app.call("POST", "/v1/snapshots", body).await.expect(202);
    // Written, they are no longer in the way.
    app.pass_minutes(10).await;
    assert_eq!(reason(&app, &id).await, None);
}

#[tokio::test]
async fn u19_hibernation_is_a_caveat() {
    let app = App::start().await;
    let settings = LaunchSettings {
        hibernation: sim_ec2::Hibernation::Configured,
        ..LaunchSettings::default()
    };
    let id = app.ec2.add_instance(InstanceSpec::named("sleeper").settings(settings));

    let instance = app.get(&format!("/v1/instances/{id}")).await;

    assert_eq!(instance["eligibility"]["eligible"], json!(true));
    let caveats = instance["eligibility"]["caveats"].as_array().unwrap();
    assert!(caveats[0].as_str().unwrap().contains("hibernation is enabled"), "{caveats:?}");
    assert_eq!(instance["launch"]["hibernation"], json!(true));
    app.take_snapshot(&id).await;
}

#[tokio::test]
async fn b15_an_instance_shows_its_configuration() {
    let app = App::start().await;
    let spec = InstanceSpec::named("render")
        .instance_type("g4dn.xlarge")
        .key_name("ops")
        .volume(SeedVolume::new("/dev/sdf", 100).volume_type("io2").encrypted());
    let id = app.ec2.add_instance(spec);

    let shown = app.get(&format!("/v1/instances/{id}")).await;
    let listed = app.list("/v1/instances").await;

    assert_eq!(shown["instance_type"], json!("g4dn.xlarge"));
    assert_eq!(
        shown["machine"],
        json!({ "vcpus": 4, "memory_mib": 16_384, "instance_store_gb": 125, "gpus": [
            { "name": "NVIDIA T4", "count": 1, "memory_mib": 16_384 }
        ] })
    );
    assert_eq!(listed[0]["machine"], shown["machine"]);
    assert_eq!((&listed[0]["size_gib"], listed[0].get("disks")), (&json!(108), None));
    let data = &shown["disks"][0];
    assert_eq!(
        (&data["device"], &data["size_gib"], &data["volume_type"], &data["encrypted"]),
        (&json!("/dev/sdf"), &json!(100), &json!("io2"), &json!(true))
    );
    assert_eq!(shown["launch"]["key_name"], json!("ops"));
    assert!(text(&shown["launch"], "subnet_id").starts_with("subnet-"));
}

#[tokio::test]
async fn b15_a_snapshot_keeps_what_the_machine_was() {
    let app = App::start().await;
    let id = app.ec2.add_instance(InstanceSpec::named("render").instance_type("g5.xlarge"));
    let other = app.ec2.add_instance(InstanceSpec::named("new").instance_type("x99z.large"));
    app.schedule("cron(1 10 * * ? *)", &[&id, &other], Value::Null).await;
    let manual = app.take_snapshot(&id).await;
    app.pass_minutes(5).await;

    let snapshots = app.list("/v1/snapshots?status=available").await;

    assert_eq!(snapshots.len(), 3);
    for snapshot in snapshots {
        let machine = &snapshot["machine"];
        if snapshot["instance_id"] == json!(id) {
            assert_eq!(machine["vcpus"], json!(4), "{snapshot:#}");
            assert_eq!(machine["memory_mib"], json!(16_384));
            assert_eq!(machine["gpus"][0]["name"], json!("NVIDIA A10G"));
            assert_eq!(snapshot["volumes"][0]["volume_type"], json!("gp3"));
        } else {
            assert_eq!((&machine["vcpus"], &machine["gpus"]), (&Value::Null, &Value::Null));
            assert_eq!(machine["instance_type"], json!("x99z.large"));
        }
    }
    let source = app.record(&manual).await.source;
    assert_eq!(source.machine.unwrap().name, "g5.xlarge");
}

#[tokio::test]
async fn m2_all_volumes_of_an_instance_are_one_snapshot() {
    let app = App::start().await;
    let id = app.instance("db", 3);

    let snapshot = app.take_snapshot(&id).await;
    let snapshot = app.get(&format!("/v1/snapshots/{snapshot}")).await;

    let volumes = snapshot["volumes"].as_array().unwrap();
    assert_eq!((volumes.len(), &snapshot["size_gib"]), (3, &json!(24)));
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn w22_a_snapshot_says_that_the_instance_was_not_shut_down() {
    let app = App::start().await;
    let id = app.instance("web", 1);

    let snapshot = app.request_snapshot(&id).await;
    let snapshot = app.get(&format!("/v1/snapshots/{snapshot}")).await;

    assert_eq!(snapshot["consistency"], json!("crash"));
    let note = app.get("/v1/capabilities").await["snapshots"]["consistency_note"].clone();
    assert!(note.as_str().unwrap().contains("not shut down first"));
}

#[tokio::test]
async fn w3_a_schedule_is_assigned_to_an_instance() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let nightly = app.schedule("cron(0 2 * * ? *)", &[&db], json!({ "keep_last": 3 })).await;

    let answer = assign(&app, &web, &[&nightly]).await;
    let again = assign(&app, &web, &[&nightly]).await;

    assert_eq!(schedules_of(&answer["protection"]), [nightly.as_str()]);
    assert_eq!(answer["protection"]["status"], json!("ok"));
    assert_eq!(answer["changes"][0]["change"], json!("named"));
    assert_eq!(again["changes"], json!([]));
    assert_eq!(again["protection"], answer["protection"]);
    let shown = app.get(&format!("/v1/schedules/{nightly}")).await;
    assert_eq!(shown["targets"]["instance_ids"], json!([db, web]));
    assert_eq!(shown["version"], answer["changes"][0]["version"]);
}

#[tokio::test]
async fn w6_an_instance_may_have_several_schedules() {
    let app = App::start().await;
    let web = app.instance("web", 1);
    let other = app.instance("other", 1);
    let mut schedules = Vec::new();
    for expression in ["cron(5 10 * * ? *)", "cron(6 10 * * ? *)", "cron(7 10 * * ? *)"] {
        schedules.push(app.schedule(expression, &[&other], Value::Null).await);
    }
    schedules.sort();
    let wanted: Vec<_> = schedules.iter().map(String::as_str).collect();

    let answer = assign(&app, &web, &wanted).await;
    app.pass_minutes(20).await;

    assert_eq!(schedules_of(&answer["protection"]), wanted);
    let snapshots = app.list(&format!("/v1/snapshots?instance_id={web}")).await;
    let mut taken: Vec<_> = snapshots.iter().map(|one| text(one, "schedule_id")).collect();
    taken.sort_unstable();
    assert_eq!(taken, wanted);
}

#[tokio::test]
async fn w5_snapshots_of_an_assigned_schedule_are_deleted_by_its_rules() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let schedule = app.schedule("rate(10 minutes)", &[&db], json!({ "keep_last": 2 })).await;
    assign(&app, &web, &[&schedule]).await;

    app.pass_minutes(240).await;

    let left = app.list(&format!("/v1/snapshots?instance_id={web}&status=available")).await;
    let gone = app.list(&format!("/v1/snapshots?instance_id={web}&include_deleted=true")).await;
    assert!(left.len() < 15, "{}", left.len());
    assert!(gone.iter().any(|one| one["status"] == "deleted"));
}

#[tokio::test]
async fn b26_a_snapshot_before_a_change_has_a_name_a_purpose_and_an_end() {
    let app = App::start().await;
    let id = app.instance("web", 1);
    let body = json!({
        "instance_id": id,
        "name": "before the upgrade to 4.2",
        "description": "for going back, until the release is proven",
        "expires_at": "2026-03-16T00:00:00Z",
    });

    let made = app.call("POST", "/v1/snapshots", body.clone()).await.expect(202);
    app.pass_minutes(5).await;

    let shown = app.get(&format!("/v1/snapshots/{}", text(&made, "id"))).await;
    assert_eq!(shown["status"], json!("available"));
    for field in ["name", "description", "expires_at"] {
        assert_eq!(shown[field], body[field]);
    }
    // No schedule is needed, and none is promised by it.
    let instance = app.get(&format!("/v1/instances/{id}")).await;
    assert_eq!(instance["protection"]["status"], json!("unprotected"));
    assert_eq!(instance["protection"]["newest_available"]["snapshot_id"], made["id"]);
}
