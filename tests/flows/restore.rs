//! Restores that go well, in each of their modes.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, InstanceState, SeedVolume};

use crate::support::app::App;
use crate::support::events::job_due;
use crate::support::reply::text;
use crate::support::restores::{
    after, assert_free, begun, devices, drive, made, members, record, shown,
};

fn step<'a>(restore: &'a Value, name: &str) -> &'a Value {
    let steps = restore["steps"].as_array().unwrap();
    steps
        .iter()
        .find(|step| step["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {restore:#}"))
}

#[tokio::test]
async fn new_volumes_are_made_as_the_old_ones_were() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = app.ec2.volumes().len();

    let id = begun(&app, &snapshot, json!({ "mode": "new_volumes" })).await;
    assert_eq!(app.record(&snapshot).await.keepers.restores.len(), 1);
    let done = after(&app, &id, 5).await;

    assert_eq!((text(&done, "status"), &done["failure"]), ("done", &Value::Null), "{done:#}");
    assert_eq!(done["progress"]["percent"], 100);
    let made = made(&app, &id);
    assert_eq!((made.len(), app.ec2.volumes().len()), (2, before + 2));
    let of = members(&app, &snapshot).await;
    for volume in &made {
        assert!(of.values().any(|one| Some(one) == volume.snapshot_id.as_ref()));
        assert_eq!((volume.zone.as_str(), volume.size_gib), ("us-east-1a", 8));
        assert_eq!(volume.tags["snapkeep:managed-by"], "snapkeep");
        assert_eq!(volume.tags["snapkeep:snapshot"], snapshot);
        assert!(volume.tags["Name"].starts_with("web /dev/sd"), "{:?}", volume.tags);
        assert_eq!(volume.attachment, None);
    }
    for volume in done["volumes"].as_array().unwrap() {
        assert!(made.iter().any(|one| one.id == text(volume, "volume_id")));
    }
    assert_free(&app, &snapshot, &instance).await;
}

#[tokio::test]
async fn a_new_volume_can_be_larger_of_another_type_and_attached_elsewhere() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 2), app.instance("db", 1));
    let snapshot = app.take_snapshot(&web).await;

    let choice = json!({
        "device": "/dev/sdb", "attach_as": "/dev/sdf", "volume_type": "io2", "iops": 500, "size_gib": 20,
    });
    let body = json!({ "mode": "new_volumes", "attach_to": db, "volumes": [choice] });
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 6).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let made = made(&app, &id);
    assert_eq!(made.len(), 1);
    assert_eq!(
        (made[0].size_gib, made[0].volume_type.as_str(), made[0].iops),
        (20, "io2", Some(500))
    );
    assert_eq!(devices(&app, &db)["/dev/sdf"], made[0].id);
    assert_eq!(devices(&app, &web).len(), 2);
    assert_free(&app, &snapshot, &db).await;
}

#[tokio::test]
async fn volumes_are_replaced_in_place_after_a_snapshot() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = devices(&app, &instance);

    let id = begun(&app, &snapshot, json!({ "mode": "replace_volumes", "stop": true })).await;
    let done = after(&app, &id, 20).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let now = devices(&app, &instance);
    let of = members(&app, &snapshot).await;
    assert_eq!(now.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for volume in made(&app, &id) {
        let device = volume.attachment.unwrap().device;
        assert_eq!(now[&device], volume.id);
        assert_eq!(of[&device], volume.snapshot_id.unwrap());
    }
    let expiry = text(&done, "old_volumes_expire_at");
    for old in before.values() {
        let volume = app.ec2.volumes().into_iter().find(|one| one.id == *old).unwrap();
        assert_eq!(volume.attachment, None);
        assert_eq!(volume.tags["snapkeep:replaced-by"], id);
        assert!(volume.tags["snapkeep:expires-at"].starts_with("2026-03-16T"), "{expiry}");
        assert!(!volume.tags.contains_key("snapkeep:restore"));
    }
    assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Running);
    let first = app.record(text(&done, "snapshot_first_id")).await;
    assert_eq!(first.status.as_str(), "available");
    let began = record(&app, &id)
        .await
        .forward(shared::domain::restore::step::StepName::StopInstance)
        .unwrap()
        .started_at;
    assert!(first.course.completed_at < began, "nothing is changed before the snapshot is there");
    assert_free(&app, &snapshot, &instance).await;
}

#[tokio::test]
async fn a_stopped_instance_stays_stopped_and_only_chosen_volumes_are_replaced() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    let snapshot = app.take_snapshot(&instance).await;
    app.ec2.set_instance_state(&instance, InstanceState::Stopped);
    let before = devices(&app, &instance);

    let body = json!({
        "mode": "replace_volumes", "snapshot_first": false, "volumes": [{ "device": "/dev/sdb" }],
        "keep": ["/dev/sda", "/dev/sdc"],
        "keep_old_days": 3,
    });
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 12).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    assert_eq!(step(&done, "start_instance")["status"], "skipped");
    let now = devices(&app, &instance);
    assert_eq!((&now["/dev/sda"], &now["/dev/sdc"]), (&before["/dev/sda"], &before["/dev/sdc"]));
    assert_eq!(now["/dev/sdb"], made(&app, &id)[0].id);
    assert_eq!(app.ec2.instance(&instance).unwrap().state, InstanceState::Stopped);
    assert!(!app.ec2.calls().contains_key("StopInstances"));
    assert!(!app.ec2.calls().contains_key("StartInstances"));
}

#[tokio::test]
async fn the_root_volume_is_replaced_while_the_instance_runs() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = devices(&app, &instance);

    let id = begun(&app, &snapshot, json!({ "mode": "replace_root" })).await;
    let done = after(&app, &id, 12).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let now = devices(&app, &instance);
    assert_ne!(now["/dev/sda"], before["/dev/sda"]);
    assert_eq!(now["/dev/sdb"], before["/dev/sdb"]);
    assert_eq!(text(&done["volumes"][0], "volume_id"), now["/dev/sda"]);
    assert_eq!(text(&done["old_volumes"][0], "volume_id"), before["/dev/sda"]);
    let old = app.ec2.volumes().into_iter().find(|one| one.id == before["/dev/sda"]).unwrap();
    assert_eq!(old.tags["snapkeep:replaced-by"], id);
    assert!(!app.ec2.calls().contains_key("StopInstances"));
    assert_free(&app, &snapshot, &instance).await;
}

#[tokio::test]
async fn a_new_instance_is_like_the_one_that_is_gone() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("web").tag("team", "blue").key_name("ops");
    spec.volumes = vec![SeedVolume::new("/dev/xvda", 8), SeedVolume::new("/dev/sdf", 30)];
    let subnet = app.ec2.add_subnet("us-east-1", "us-east-1b");
    let group = app.ec2.add_security_group("us-east-1", "web");
    spec.settings.subnet_id = Some(subnet.clone());
    spec.settings.security_groups = vec![group.clone()];
    spec.zone = Some("us-east-1b".to_owned());
    let instance = app.ec2.add_instance(spec);
    let snapshot = app.take_snapshot(&instance).await;
    app.ec2.set_instance_state(&instance, InstanceState::Terminated);

    let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
    let done = after(&app, &id, 6).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let new = app.ec2.instance(text(&done, "new_instance_id")).unwrap();
    assert_eq!((new.instance_type.as_str(), new.zone.as_str()), ("t3.micro", "us-east-1b"));
    assert_eq!(new.settings.subnet_id, Some(subnet));
    assert_eq!(new.settings.security_groups, [group]);
    assert_eq!(new.key_name.as_deref(), Some("ops"));
    assert_eq!((new.tags["Name"].as_str(), new.tags["team"].as_str()), ("web", "blue"));
    let sizes: Vec<_> = devices(&app, &new.id).into_keys().collect();
    assert_eq!(sizes, ["/dev/sdf", "/dev/xvda"]);
    // The image has served; kept, it would keep the snapshot from ever being deleted.
    assert!(app.ec2.images().is_empty());
    assert_free(&app, &snapshot, &instance).await;
}

#[tokio::test]
async fn a_new_instance_can_differ_and_its_image_stay() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = app.take_snapshot(&instance).await;

    let differs = json!({
        "name": "copy", "instance_type": "m5.large", "tags": { "team": "red" }, "keep_image": true,
    });
    let body = json!({ "mode": "new_instance", "zone": "us-east-1b", "instance": differs });
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 6).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let new = app.ec2.instance(text(&done, "new_instance_id")).unwrap();
    assert_eq!((new.instance_type.as_str(), new.zone.as_str()), ("m5.large", "us-east-1b"));
    assert_eq!((new.tags["Name"].as_str(), new.tags["team"].as_str()), ("copy", "red"));
    assert_eq!(app.ec2.images().len(), 1);
    assert_eq!(text(&done, "ami_id"), app.ec2.images()[0].id);
}

#[tokio::test]
async fn a_drill_makes_volumes_says_how_long_it_took_and_leaves_nothing() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let before = app.ec2.volumes();

    let path = format!("/v1/snapshots/{snapshot}/drill");
    let answer = app.call("POST", &path, Value::Null).await.expect(202);
    let done = after(&app, text(&answer, "id"), 12).await;

    assert_eq!((text(&done, "mode"), text(&done, "status")), ("drill", "done"), "{done:#}");
    assert!(step(&done, "create_volumes")["seconds"].as_i64().unwrap() > 0);
    assert_eq!(app.ec2.calls()["CreateVolume"], 3, "one of them a dry run");
    assert_eq!(app.ec2.volumes(), before);
    assert_eq!(app.record(&snapshot).await.keepers.restores, []);
}

#[tokio::test]
async fn everything_delivered_twice_restores_once() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 2), app.instance("db", 1));
    let snapshots = [app.take_snapshot(&web).await, app.take_snapshot(&db).await];

    let body = json!({ "mode": "replace_volumes", "stop": true });
    let replaced = begun(&app, &snapshots[0], body).await;
    let launched = begun(&app, &snapshots[1], json!({ "mode": "new_instance" })).await;
    app.pass_doubled(SignedDuration::from_mins(25)).await;

    for id in [&replaced, &launched] {
        assert_eq!(shown(&app, id).await["status"], "done");
    }
    assert_eq!(made(&app, &replaced).len(), 2);
    assert_eq!(app.ec2.instances().len(), 3);
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn two_workers_do_not_act_at_once() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let snapshot = app.take_snapshot(&instance).await;
    let id = begun(&app, &snapshot, json!({ "mode": "new_volumes" })).await;
    let leased = record(&app, &id).await.leased(app.now()).unwrap();
    let old = record(&app, &id).await;
    let table = &app.service().table;
    table.update_restore(&old, &leased, app.now()).await.unwrap().unwrap();

    drive(&app, &id, 5).await;
    assert!(!app.ec2.calls().contains_key("CreateVolume"), "another has it");
    app.clock.advance(SignedDuration::from_mins(6));
    restorer::handle(app.service(), &app.function_clock(), job_due(&id)).await.unwrap();

    assert!(app.ec2.calls()["CreateVolume"] >= 1, "the other's time is over");
}
