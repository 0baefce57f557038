//! What real accounts contain, as public reports have it: names in all letters, fast restores, locks, and wishes that EC2
//! does not fulfil. Issue 13.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, SeedVolume};

use crate::support::app::App;
use crate::support::others::{adopt, image_of, taken_elsewhere, these};
use crate::support::reply::text;
use crate::support::restores::{after, ask};
use crate::support::sweeps::{ec2, register_image};

const LEDGER: &str = "/v1/sweeps/blocked";

/// The EBS snapshots of one of ours.
fn members(app: &App, id: &str) -> Vec<sim_ec2::Snapshot> {
    let all = app.ec2.snapshots().into_iter();
    all.filter(|one| one.tags.get("snapkeep:id").is_some_and(|set| set == id)).collect()
}

// EC2 takes ASCII only in descriptions: an instance called so got no snapshot at all.
#[tokio::test]
async fn an_instance_is_called_what_people_call_it() {
    let app = App::start().await;
    let instance = app.instance("Büroserver – 数据库", 1);
    let name = "vor dem Umzug — 2026, Büro";

    let unnamed = app.take_snapshot(&instance).await;
    app.pass_minutes(1).await;
    let body = json!({ "instance_id": instance, "name": name });
    let named = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;

    let named = app.get(&format!("/v1/snapshots/{}", text(&named, "id"))).await;
    assert_eq!((text(&named, "status"), text(&named, "name")), ("available", name));
    let made = members(&app, text(&named, "id"));
    assert_eq!(made[0].tags["Name"], name);
    assert_eq!(made[0].description, "Snapkeep: vor dem Umzug - 2026, Buro");
    let unnamed = members(&app, &unnamed);
    assert!(unnamed[0].description.starts_with("Snapkeep: Buroserver - ???"), "{unnamed:?}");
    assert!(unnamed[0].tags["Name"].starts_with("Büroserver – 数据库"), "{unnamed:?}");
}

// A snapshot enabled for fast restore was reported as used by an image that there is not. EC2's sentence is from
// github.com/rebuy-de/aws-nuke/issues/453.
#[tokio::test]
async fn what_is_enabled_for_fast_restore_says_so_and_goes_when_a_person_asks_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let member = members(&app, &id).remove(0).id;
    let switch = |way: &str| {
        let body = format!(
            "Action={way}FastSnapshotRestores&AvailabilityZone.1=us-east-1b&SourceSnapshotId.1={member}\
             &Version=2016-11-15"
        );
        ec2(&app, &body);
    };
    switch("Enable");
    let path = format!("/v1/snapshots/{id}");

    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.pass_minutes(12).await;

    let entry = app.list(LEDGER).await.remove(0);
    assert_eq!((text(&entry, "cause"), &entry["ami_id"]), ("in_use", &Value::Null));
    let detail = text(&entry, "detail");
    assert!(detail.contains("is currently enabled for fast restores in us-east-1b"), "{detail}");
    assert!(detail.contains("must be disabled"), "{detail}");

    switch("Disable");
    app.pass_minutes(2).await;
    assert_eq!(app.list(LEDGER).await.len(), 1, "it is tried again in a day only");
    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.settle().await;
    assert_eq!(app.status(&id).await, "deleted");
}

#[tokio::test]
async fn an_unlocked_one_goes_at_once_when_a_person_asks_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let member = members(&app, &id).remove(0).id;
    let lock = format!(
        "Action=LockSnapshot&SnapshotId={member}&LockMode=governance&LockDuration=3&Version=2016-11-15"
    );
    ec2(&app, &lock);
    let path = format!("/v1/snapshots/{id}");
    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.pass_minutes(12).await;
    let entry = app.list(LEDGER).await.remove(0);
    let detail = text(&entry, "detail");
    assert!(detail.contains(&member) && detail.contains("governance"), "{detail}");
    assert!(detail.contains("until 2026-03-05T"), "{detail}");

    ec2(&app, &format!("Action=UnlockSnapshot&SnapshotId={member}&Version=2016-11-15"));
    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.settle().await;

    assert_eq!(app.status(&id).await, "deleted");
}

#[tokio::test]
async fn a_second_deletion_with_less_grace_brings_it_forward() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");

    app.call("DELETE", &format!("{path}?grace_minutes=600"), Value::Null).await.expect(202);
    let longer =
        app.call("DELETE", &format!("{path}?grace_minutes=900"), Value::Null).await.expect(202);
    let in_ten_hours = app.now() + SignedDuration::from_hours(10);
    assert_eq!(longer["condemned"]["delete_after"], json!(in_ten_hours));
    let sooner =
        app.call("DELETE", &format!("{path}?grace_minutes=5"), Value::Null).await.expect(202);
    let in_five_minutes = app.now() + SignedDuration::from_mins(5);
    assert_eq!(sooner["condemned"]["delete_after"], json!(in_five_minutes));
    app.pass_minutes(4).await;
    assert_eq!(app.status(&id).await, "condemned");
    app.pass_minutes(3).await;

    assert_eq!(app.status(&id).await, "deleted");
}

#[tokio::test]
async fn all_images_in_the_way_are_named() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let first = register_image(&app, &id);
    let second = image_of(&app, &members(&app, &id)[0].id);

    let refused = app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await;

    let detail = text(&refused.body, "detail");
    assert_eq!(refused.status, 409);
    assert!(detail.contains(&first) && detail.contains(&second), "{detail}");
    assert!(detail.contains("deregister those images first"), "{detail}");
}

#[tokio::test]
async fn what_ec2_certainly_refuses_of_a_volume_is_refused_by_its_field_before_anything_is_done() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let id = app.take_snapshot(&web).await;
    let device = app.get(&format!("/v1/snapshots/{id}")).await["volumes"][0]["device"].clone();
    let attached = |extra: Value| {
        let mut choice = json!({ "device": device, "attach_as": "/dev/sdx" });
        choice.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "mode": "new_volumes", "attach_to": db, "volumes": [choice] })
    };
    let in_place = |extra: Value| {
        let mut choice = json!({ "device": device });
        choice.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "mode": "replace_volumes", "stop": true, "volumes": [choice] })
    };
    let calls = app.ec2.calls();

    for (body, field, words) in [
        (attached(json!({ "attach_as": "/dev/nvme1n1" })), "volumes[0].attach_as", "nvme"),
        (attached(json!({ "attach_as": "Disk_D" })), "volumes[0].attach_as", "/dev/sdf"),
        (
            in_place(json!({ "volume_type": "st1", "size_gib": 500 })),
            "volumes[0].volume_type",
            "boots",
        ),
        (attached(json!({ "volume_type": "st1" })), "volumes[0].size_gib", "125"),
        (
            attached(json!({ "volume_type": "io1", "size_gib": 20, "iops": 1001 })),
            "volumes[0].iops",
            "1000",
        ),
        (
            attached(json!({ "volume_type": "gp3", "throughput_mibps": 800 })),
            "volumes[0].throughput_mibps",
            "750",
        ),
        (attached(json!({ "volume_type": "gp2", "iops": 300 })), "volumes[0].iops", "none"),
        (
            attached(json!({ "volume_type": "standard", "size_gib": 2000 })),
            "volumes[0].size_gib",
            "1024",
        ),
    ] {
        let refused = ask(&app, &id, body.clone()).await;
        assert_eq!((refused.status, text(&refused.body, "field")), (400, field), "{body}");
        assert!(text(&refused.body, "detail").contains(words), "{}", refused.body);
    }

    assert!(app.list("/v1/restores").await.is_empty());
    for changing in ["CreateVolume", "StopInstances", "DetachVolume"] {
        assert_eq!(app.ec2.calls().get(changing), calls.get(changing), "{changing}");
    }
}

// A newcomer's first restore: the sample `database` has an io2 volume, for whose operations nobody had asked.
#[tokio::test]
async fn a_volume_with_provisioned_operations_is_restored_with_as_many() {
    let app = App::start().await;
    let spec =
        InstanceSpec::named("database").volume(SeedVolume::new("/dev/sdf", 200).volume_type("io2"));
    let instance = app.ec2.add_instance(spec);
    let id = app.take_snapshot(&instance).await;
    let volumes = || app.ec2.volumes().into_iter().filter(|one| one.volume_type == "io2");
    let had = volumes().next().unwrap().iops;

    let asked = ask(&app, &id, json!({ "mode": "new_volumes" })).await.expect(202);
    let restored = after(&app, text(&asked, "id"), 5).await;
    let drill = app.call("POST", &format!("/v1/snapshots/{id}/drill"), json!({})).await;

    assert_eq!(text(&restored, "status"), "done", "{restored:#}");
    assert_eq!(volumes().map(|one| one.iops).collect::<Vec<_>>(), [had, had]);
    assert!(had.is_some());
    assert_eq!(drill.status, 202, "{}", drill.body);
}

#[tokio::test]
async fn a_callers_name_tag_wins_and_what_has_no_room_is_said() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("web");
    for number in 0..49 {
        spec = spec.tag(&format!("k{number:02}"), "v");
    }
    let instance = app.ec2.add_instance(spec);
    let body = json!({ "instance_id": instance, "tags": { "Name": "gold" } });

    let asked = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;

    let made = members(&app, text(&asked, "id")).remove(0);
    assert_eq!(made.tags["Name"], "gold");
    let left_out: Vec<_> = asked["tags_left_out"].as_array().unwrap().iter().collect();
    assert!(!left_out.is_empty());
    for number in 0..49 {
        let key = format!("k{number:02}");
        assert_eq!(made.tags.contains_key(&key), !left_out.contains(&&json!(key)), "{key}");
    }
    let shown = app.get(&format!("/v1/snapshots/{}", text(&asked, "id"))).await;
    assert_eq!(shown["tags_left_out"], asked["tags_left_out"]);
    assert_eq!(text(&shown, "status"), "available");
    let refused = app
        .call("POST", "/v1/snapshots", json!({ "instance_id": instance, "tags": { "AWS:x": "y" } }))
        .await;
    assert_eq!((refused.status, text(&refused.body, "field")), (400, "tags"));
}

// An old snapshot that was adopted made its instance late although newer ones exist: its record is the newest.
#[tokio::test]
async fn the_newest_snapshot_is_the_one_of_the_newest_content() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let elsewhere = taken_elsewhere(&app, "us-east-1", &instance);
    app.pass_minutes(60).await;
    app.schedule("rate(1 hour)", &[&instance], json!({ "keep_last": 9 })).await;
    app.pass_minutes(62).await;
    let newest = app.list("/v1/snapshots?status=available").await.remove(0);
    app.pass_minutes(1).await;
    adopt(&app, these(&elsewhere)).await;
    app.pass_minutes(2).await;

    let shown = app.get(&format!("/v1/instances/{instance}")).await;

    let protection = &shown["protection"];
    assert_eq!(protection["newest_available"]["snapshot_id"], newest["id"], "{shown:#}");
    assert_eq!(text(protection, "status"), "ok", "{protection:#}");
}

#[tokio::test]
async fn what_is_missing_keeps_its_place_among_the_holds() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let hold = json!({ "hold": { "type": "never", "reason": "the auditors" } });
    app.call("PATCH", &format!("/v1/snapshots/{id}"), hold).await.expect(200);
    let member = members(&app, &id).remove(0).id;
    ec2(&app, &format!("Action=DeleteSnapshot&SnapshotId={member}&Version=2016-11-15"));
    app.pass_minutes(150).await;

    assert_eq!(app.status(&id).await, "missing");
    let holds = app.list("/v1/holds").await;

    assert_eq!(holds.len(), 1, "{holds:?}");
    assert!(holds[0].to_string().contains(&id));
}

#[tokio::test]
async fn a_plus_that_was_not_encoded_is_answered_with_what_to_write() {
    let app = App::start().await;

    let refused =
        app.call("GET", "/v1/snapshots?from=2026-03-01T00:00:00+01:00", Value::Null).await;
    let encoded =
        app.call("GET", "/v1/snapshots?from=2026-03-01T00:00:00%2B01:00", Value::Null).await;

    assert_eq!((refused.status, text(&refused.body, "field")), (400, "from"));
    assert!(text(&refused.body, "detail").contains("%2B"), "{}", refused.body);
    assert_eq!(encoded.status, 200);
}

#[tokio::test]
async fn an_instance_that_is_named_and_gone_fails_once_and_not_at_every_slot() {
    let app = App::start().await;
    let (web, old) = (app.instance("web", 1), app.instance("old", 1));
    app.schedule("rate(10 minutes)", &[&web, &old], json!({ "keep_last": 9 })).await;
    app.ec2.set_instance_state(&old, sim_ec2::InstanceState::Terminated);

    app.pass_minutes(52).await;

    let of = |id: &str| format!("/v1/snapshots?instance_id={id}");
    let failed = app.list(&of(&old)).await;
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(text(&failed[0], "status"), "error");
    assert_eq!(app.list(&of(&web)).await.len(), 5);
}

#[tokio::test]
async fn what_fails_says_why_in_ec2s_words() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    app.ec2.fault(sim_ec2::Fault::on("CreateSnapshots").member_fails());
    let id = app.request_snapshot(&instance).await;
    app.pass_minutes(3).await;

    let shown = app.get(&format!("/v1/snapshots/{id}")).await;

    let failed = members(&app, &id).into_iter().find_map(|one| one.state_message);
    assert_eq!(text(&shown, "status"), "error");
    let message = text(&shown["failure"], "message");
    assert!(message.contains(&failed.unwrap()), "{message}");
}
