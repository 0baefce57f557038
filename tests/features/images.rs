//! Images from snapshots.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::instance::launch::LaunchSettings as Recorded;
use shared::domain::snapshot::Snapshot;
use sim_ec2::{Fault, InstanceSpec, LaunchSettings, OnTermination, SeedVolume};

use crate::support::app::App;
use crate::support::images::{delete_image, image_ids, make_image, request_image, show_image};
use crate::support::reply::text;
use crate::support::sweeps::{ec2, register_image};

const UNKNOWN: &str = "snp_0195500c-6d00-7000-8000-000000000000";

/// Changes a snapshot's record behind everybody's back.
async fn rewrite(app: &App, id: &str, change: impl FnOnce(&mut Snapshot)) {
    let old = app.record(id).await;
    let mut new = Snapshot { version: old.version + 1, ..old.clone() };
    change(&mut new);
    assert!(app.service().table.update_snapshot(&old, &new).await.unwrap().is_done());
}

fn detail(answer: &Value) -> &str {
    text(answer, "detail")
}

/// An instance of its own kind: another architecture, a boot mode, tokens, three types of volumes.
fn special(app: &App) -> String {
    let settings = LaunchSettings {
        boot_mode: Some("uefi".to_owned()),
        metadata_tokens: Some("required".to_owned()),
        ..LaunchSettings::default()
    };
    let spec = InstanceSpec::named("db")
        .instance_type("m7g.large")
        .volume(SeedVolume::new("/dev/sdf", 50).volume_type("io2"))
        .volume(SeedVolume::new("/dev/sdg", 20).volume_type("gp2"));
    app.ec2.add_instance(InstanceSpec { settings, ..spec })
}

#[tokio::test]
async fn b8_an_image_is_registered_as_the_instance_was() {
    let app = App::start().await;
    let snapshot = app.take_snapshot(&special(&app)).await;
    let body = json!({ "description": "before the upgrade", "tags": { "team": "blue" } });

    let reply = app.call("POST", &format!("/v1/snapshots/{snapshot}/image"), body).await;
    let location = reply.header("location").to_owned();
    let asked = reply.expect(202);
    app.settle().await;
    let image = app.get(&location).await;

    assert_eq!(text(&asked, "status"), "requested");
    assert_eq!(location, format!("/v1/images/{}", text(&asked, "id")));
    assert_eq!((text(&image, "status"), text(&image, "ec2_state")), ("available", "available"));
    let registered = app.ec2.images().remove(0);
    assert_eq!(registered.id, text(&image, "ami_id"));
    assert_eq!(registered.name, text(&image, "name"));
    assert_eq!(registered.description, "before the upgrade");
    assert_eq!((&*registered.architecture, &*registered.root_device), ("arm64", "/dev/xvda"));
    let support = &registered.support;
    assert_eq!((&*support.virtualization, support.ena), ("hvm", true));
    assert_eq!(support.boot_mode.as_deref(), Some("uefi"));
    assert_eq!(support.imds.as_deref(), Some("v2.0"));
    let tags = &registered.tags;
    assert_eq!(tags["snapkeep:image"], text(&image, "id"));
    assert_eq!((&*tags["snapkeep:managed-by"], &*tags["team"]), ("snapkeep", "blue"));
}

#[tokio::test]
async fn b8_its_volumes_are_as_they_were() {
    let app = App::start().await;
    let snapshot = app.take_snapshot(&special(&app)).await;
    rewrite(&app, &snapshot, |one| {
        for settings in one.members.iter_mut().filter_map(|member| member.volume.as_mut()) {
            settings.iops = Some(4_000);
        }
    })
    .await;

    make_image(&app, &snapshot).await;

    let registered = app.ec2.images().remove(0);
    let mut devices: Vec<_> = registered
        .devices
        .iter()
        .map(|one| {
            let goes = one.on_termination == OnTermination::Delete;
            (&*one.name, &*one.volume_type, one.size_gib, one.iops, goes)
        })
        .collect();
    devices.sort_unstable();
    let expected = [
        ("/dev/sdf", "io2", 50, Some(4_000), false),
        ("/dev/sdg", "gp2", 20, None, false),
        ("/dev/xvda", "gp3", 8, Some(4_000), true),
    ];
    assert_eq!(devices, expected);
}

#[tokio::test]
async fn b8_the_same_request_under_a_key_makes_one_image() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{snapshot}/image");
    let key = [("idempotency-key", "k1")];

    let first = app.send("POST", &path, json!({}), &key).await.expect(202);
    app.pass_minutes(2).await;
    let again = app.send("POST", &path, json!({}), &key).await.expect(202);
    let other = json!({ "description": "other" });
    app.send("POST", &path, other, &key).await.expect(422);

    assert_eq!(text(&first, "id"), text(&again, "id"));
    assert_eq!(text(&again, "status"), "available");
    assert_eq!(app.ec2.images().len(), 1);
}

#[tokio::test]
async fn b8_a_chosen_name_is_kept_and_must_be_free() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{snapshot}/image");

    let asked = app.call("POST", &path, json!({ "name": "web golden" })).await.expect(202);
    app.settle().await;
    let taken = app.call("POST", &path, json!({ "name": "web golden" })).await.expect(409);
    let wrong = app.call("POST", &path, json!({ "name": "größe" })).await.expect(400);

    assert_eq!(text(&asked, "name"), "web golden");
    assert_eq!(app.ec2.images()[0].name, "web golden");
    assert!(detail(&taken).contains("the name web golden is taken by ami-"), "{taken}");
    assert_eq!(text(&wrong, "field"), "name");
}

#[tokio::test]
async fn b8_of_what_cannot_be_an_image_the_reason_is_told() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.request_snapshot(&instance).await;
    let (path, at) =
        (format!("/v1/snapshots/{snapshot}/image"), format!("/v1/snapshots/{snapshot}"));
    let early = app.call("POST", &path, json!({})).await.expect(409);
    assert!(detail(&early).contains("only an available one can become an image"), "{early}");
    app.pass_minutes(3).await;

    let until = app.now() + SignedDuration::from_hours(1);
    app.call("PATCH", &at, json!({ "restore_until": until })).await.expect(200);
    app.clock.set(until);
    let over = app.call("POST", &path, json!({})).await.expect(410);
    assert_eq!(text(&over, "type"), "urn:snapkeep:problem:gone");
    assert!(detail(&over).contains("restore window"), "{over}");
    app.call("PATCH", &at, json!({ "restore_until": null })).await.expect(200);

    rewrite(&app, &snapshot, |one| one.source.platform = Some("Windows".to_owned())).await;
    let licensed = app.call("POST", &path, json!({})).await.expect(409);
    assert!(detail(&licensed).contains("CreateImage"), "{licensed}");
    rewrite(&app, &snapshot, |one| {
        one.source.platform = Some("Linux/UNIX".to_owned());
        one.source.region = "eu-west-1".to_owned();
    })
    .await;
    let elsewhere = app.call("POST", &path, json!({})).await.expect(409);
    assert!(detail(&elsewhere).contains("SNAPKEEP_REGIONS"), "{elsewhere}");

    app.call("POST", &format!("/v1/snapshots/{UNKNOWN}/image"), json!({})).await.expect(404);
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn b8_without_the_boot_volume_there_is_no_image() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let body = json!({ "instance_id": instance, "exclude_boot_volume": true });
    let snapshot = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(3).await;

    let path = format!("/v1/snapshots/{}/image", text(&snapshot, "id"));
    let refused = app.call("POST", &path, json!({})).await.expect(409);

    assert!(detail(&refused).contains("no volume at /dev/sda"), "{refused}");
}

#[tokio::test]
async fn b8_what_an_older_record_lacks_can_be_given() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    rewrite(&app, &snapshot, |one| {
        one.source.architecture = None;
        one.source.launch = Recorded::default();
        one.members[0].volume = None;
    })
    .await;
    let path = format!("/v1/snapshots/{snapshot}/image");

    let mut body = json!({});
    let lacking = [
        ("architecture", json!("x86_64")),
        ("ena_support", json!(true)),
        ("volume_type", json!("gp3")),
    ];
    for (field, value) in lacking {
        let refused = app.call("POST", &path, body.clone()).await.expect(409);
        assert!(detail(&refused).ends_with(&format!("give it as `{field}`")), "{refused}");
        body[field] = value;
    }
    let asked = app.call("POST", &path, body).await.expect(202);
    app.settle().await;

    let image = show_image(&app, text(&asked, "id")).await;
    assert_eq!((text(&image, "status"), text(&image, "root_device")), ("available", "/dev/sda"));
    let contrary = json!({ "platform": "Windows" });
    let refused = app.call("POST", &path, contrary).await.expect(409);
    assert!(detail(&refused).contains("but the snapshot records Linux/UNIX"), "{refused}");
}

#[tokio::test]
async fn b9_images_are_listed_by_what_is_asked_for() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let (of_web, of_db) = (app.take_snapshot(&web).await, app.take_snapshot(&db).await);
    let (first, _) = make_image(&app, &of_web).await;
    app.pass_minutes(1).await;
    let (second, _) = make_image(&app, &of_db).await;
    app.pass_minutes(1).await;
    let third = request_image(&app, &of_web).await;

    let ids = async |query: &str| -> Vec<String> {
        let items = app.list(&format!("/v1/images{query}")).await;
        items.iter().map(|item| text(item, "id").to_owned()).collect()
    };

    assert_eq!(ids("").await, [&*third, &second, &first]);
    assert_eq!(ids("?limit=1").await, [&*third, &second, &first]);
    assert_eq!(ids(&format!("?snapshot_id={of_web}")).await, [&*third, &first]);
    assert_eq!(ids(&format!("?instance_id={web}&limit=1")).await, [&*third, &first]);
    assert_eq!(ids(&format!("?instance_id={db}")).await, [&*second]);
    assert_eq!(ids("?status=requested").await, [&*third]);
    assert_eq!(ids("?region=us-east-1&status=available").await, [&*second, &first]);
    app.call("GET", "/v1/images?region=eu-west-1", Value::Null).await.expect(400);
    app.call("GET", "/v1/images?status=gone", Value::Null).await.expect(400);
}

#[tokio::test]
async fn b9_an_image_is_shown_with_its_volumes_and_instances() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let (id, ami) = make_image(&app, &snapshot).await;
    let launch = format!(
        "Action=RunInstances&ImageId={ami}&InstanceType=t3.micro&MinCount=1&MaxCount=1\
         &Version=2016-11-15"
    );
    ec2(&app, &launch);

    let image = show_image(&app, &id).await;

    let mut launched = app.ec2.instances();
    launched.retain(|one| one.image_id == ami);
    assert_eq!(image["instances"], json!([launched[0].id]));
    assert_eq!(text(&image, "instance_id"), instance);
    assert_eq!(text(&image, "snapshot_id"), snapshot);
    let volumes = image["volumes"].as_array().unwrap();
    let devices: Vec<_> = volumes.iter().map(|one| text(one, "device")).collect();
    assert_eq!(devices, ["/dev/sda", "/dev/sdb"]);
}

#[tokio::test]
async fn b9_a_deleted_image_is_deregistered_and_its_snapshot_stays() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let (id, _) = make_image(&app, &snapshot).await;
    let path = format!("/v1/images/{id}");

    let stale = [("if-match", "\"1\"")];
    app.send("DELETE", &path, Value::Null, &stale).await.expect(412);
    let lonely = format!("{path}?snapshot_id={snapshot}");
    app.call("DELETE", &lonely, Value::Null).await.expect(400);
    let other = format!("{path}?delete_snapshots=true&snapshot_id={UNKNOWN}");
    let other = app.call("DELETE", &other, Value::Null).await.expect(400);
    let answer = delete_image(&app, &id, "").await;
    app.settle().await;

    assert!(detail(&other).contains("the image was made from"), "{other}");
    assert_eq!(text(&answer, "status"), "deregistering");
    assert_eq!(answer["deregistration"]["snapshot_deletion"], Value::Null);
    let gone = show_image(&app, &id).await;
    assert_eq!(text(&gone, "status"), "deregistered");
    assert!(gone["gone_at"].is_string());
    assert!(app.ec2.images().is_empty());
    assert_eq!(app.status(&snapshot).await, "available");
}

#[tokio::test]
async fn b10_the_images_of_a_snapshot_are_ours_and_others() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let other = register_image(&app, &snapshot);
    ec2(&app, &format!("Action=DisableImage&ImageId={other}&Version=2016-11-15"));
    let (id, ami) = make_image(&app, &snapshot).await;
    let path = format!("/v1/snapshots/{snapshot}/images");

    let answer = app.get(&path).await;

    let images = answer["images"].as_array().unwrap();
    let find = |ami: &str| images.iter().find(|one| text(one, "ami_id") == ami).unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!((&find(&ami)["ours"], text(find(&ami), "image_id")), (&json!(true), &*id));
    assert_eq!(find(&ami)["ebs_snapshot_ids"].as_array().unwrap().len(), 2);
    assert_eq!((&find(&other)["ours"], &find(&other)["image_id"]), (&json!(false), &Value::Null));
    assert_eq!(text(find(&other), "ec2_state"), "disabled");
    let unknown = format!("/v1/snapshots/{UNKNOWN}/images");
    app.call("GET", &unknown, Value::Null).await.expect(404);
    app.ec2.fault(Fault::on("DescribeImages").times(10).reset());
    app.call("GET", &path, Value::Null).await.expect(503);
}

#[tokio::test]
async fn b11_the_images_of_many_snapshots_are_told_at_once() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let (with, without) = (app.take_snapshot(&instance).await, app.take_snapshot(&instance).await);
    let (_, ami) = make_image(&app, &with).await;
    let path = "/v1/snapshots/images:batch";
    app.ec2.reset_calls();

    let wanted = json!({ "snapshot_ids": [without, with, UNKNOWN, with] });
    let answer = app.call("POST", path, wanted.clone()).await.expect(200);

    // One call for all of them, and each once.
    assert_eq!(app.ec2.calls()["DescribeImages"], 1);
    let items = answer["items"].as_array().unwrap();
    let of = |id: &str| items.iter().find(|one| text(one, "snapshot_id") == id).unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(text(&of(&with)["images"][0], "ami_id"), ami);
    assert_eq!(of(&without)["images"], json!([]));
    assert_eq!(answer["unknown_snapshot_ids"], json!([UNKNOWN]));

    for count in [0, 101] {
        let ids = vec![UNKNOWN; count];
        let refused = app.call("POST", path, json!({ "snapshot_ids": ids })).await.expect(400);
        assert_eq!(text(&refused, "field"), "snapshot_ids");
    }
    app.call("POST", path, json!({ "snapshot_ids": vec![UNKNOWN; 100] })).await.expect(200);
    app.ec2.fault(Fault::on("DescribeImages").times(10).reset());
    app.call("POST", path, wanted).await.expect(503);
}

#[tokio::test]
async fn b14_every_snapshot_says_whether_there_is_an_image() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let (with, without) = (app.take_snapshot(&instance).await, app.take_snapshot(&instance).await);

    let (id, ami) = make_image(&app, &with).await;
    app.ec2.reset_calls();
    let list = app.list("/v1/snapshots").await;

    let of = |id: &str| list.iter().find(|one| text(one, "id") == id).unwrap();
    assert_eq!(of(&with)["ami_ids"], json!([ami]));
    assert_eq!(of(&without)["ami_ids"], json!([]));
    // A list asks EC2 nothing.
    assert!(!app.ec2.calls().contains_key("DescribeImages"));
    delete_image(&app, &id, "").await;
    app.settle().await;
    assert!(image_ids(&app, &with).await.is_empty());
}
