//! What a restore says beforehand, what must be accepted by name, and what can be known at once and is refused at once.

use serde_json::{Value, json};
use sim_ec2::{
    InstanceSpec, InstanceState, LaunchSettings, PublicAddress, Purchase, SeedVolume, StateReason,
    Stopping,
};

use crate::support::app::App;
use crate::support::hands;
use crate::support::reply::{Reply, text};
use crate::support::restores::{after, ask, begun, devices, made};

fn spec(name: &str) -> InstanceSpec {
    let mut spec = InstanceSpec::named(name);
    spec.volumes = vec![SeedVolume::new("/dev/xvda", 8), SeedVolume::new("/dev/sdf", 8)];
    spec
}

async fn preview(app: &App, snapshot: &str, mut body: Value) -> Reply {
    body["confirm"] = json!(snapshot);
    app.call("POST", &format!("/v1/snapshots/{snapshot}/restore?preview=true"), body).await
}

fn in_place() -> Value {
    json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false })
}

/// R3: a stop wipes the disks of the host.
#[tokio::test]
async fn instance_store_is_wiped_only_where_that_was_accepted_by_name() {
    let app = App::start().await;
    let settings =
        LaunchSettings { public_address: PublicAddress::Assigned, ..LaunchSettings::default() };
    let render =
        app.ec2.add_instance(spec("render").instance_type("g4dn.xlarge").settings(settings));
    let address = app.ec2.instance(&render).unwrap().public_ip.unwrap();
    let snapshot = app.take_snapshot(&render).await;

    let refused = ask(&app, &snapshot, in_place()).await;
    assert_eq!(refused.status, 409);
    let detail = text(&refused.body, "detail");
    assert!(detail.contains("accept_instance_store_loss") && detail.contains("125 GB"), "{detail}");
    assert!(app.list("/v1/restores").await.is_empty());

    let mut accepted = in_place();
    accepted["accept_instance_store_loss"] = json!(true);
    let told = preview(&app, &snapshot, accepted.clone()).await.expect(200);
    let costs = told["outlook"]["costs"].to_string();
    assert!(costs.contains("instance store") && costs.contains(&address), "{told:#}");
    assert!(costs.contains("capacity for g4dn.xlarge"), "{told:#}");
    assert!(app.list("/v1/restores").await.is_empty(), "a preview records nothing");
    assert_eq!(app.record(&snapshot).await.keepers.restores, []);
    let id = begun(&app, &snapshot, accepted.clone()).await;
    assert_eq!(after(&app, &id, 15).await["status"], "done");

    // One that is stopped has nothing left to lose.
    app.ec2.set_instance_state(&render, InstanceState::Stopped);
    preview(&app, &snapshot, in_place()).await.expect(200);
}

/// R4: volumes that nothing replaces would stay with the content of now.
#[tokio::test]
async fn volumes_that_stay_with_another_time_must_be_named() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let snapshot = app.take_snapshot(&web).await;
    let later = hands::new_volume(&app);
    app.pass_minutes(1).await;
    assert!(hands::attach(&app, &later, &web, "/dev/sdg"));
    app.pass_minutes(1).await;
    let mut body = in_place();
    body["volumes"] = json!([{ "device": "/dev/xvda" }]);

    let refused = ask(&app, &snapshot, body.clone()).await;
    assert_eq!(refused.status, 409);
    let detail = text(&refused.body, "detail").to_owned();
    assert!(detail.contains(r#""keep": ["/dev/sdf", "/dev/sdg"]"#), "{detail}");
    assert!(detail.contains(&later), "{detail}");

    body["keep"] = json!(["/dev/sdf", "/dev/sdh"]);
    assert_eq!(text(&ask(&app, &snapshot, body.clone()).await.body, "field"), "keep");
    // The same device under another of its names, and a volume by its id.
    body["keep"] = json!(["xvdf", later]);
    let told = preview(&app, &snapshot, body.clone()).await.expect(200);
    assert_eq!(told["outlook"]["stays"].as_array().unwrap().len(), 2, "{told:#}");
    let old = &told["old_volumes"];
    assert_eq!(old.as_array().unwrap().len(), 1, "{told:#}");
    assert_eq!(text(&old[0], "volume_id"), devices(&app, &web)["/dev/xvda"]);
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 15).await;
    assert_eq!(done["status"], "done", "{done:#}");
    assert_eq!(done["outlook"], told["outlook"]);
}

#[tokio::test]
async fn what_a_set_leaves_out_is_told_of_new_instances_too() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let data = devices(&app, &web)["/dev/sdf"].clone();
    let body = json!({ "instance_id": web, "exclude_volumes": [data] });
    let asked = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;
    let snapshot = text(&asked, "id");

    let told = preview(&app, snapshot, json!({ "mode": "new_instance" })).await.expect(200);

    assert_eq!(told["outlook"]["left_out"], json!([data]), "{told:#}");
    assert!(told["outlook"]["differs"].to_string().contains("user data"), "{told:#}");
}

/// R5: a volume that was moved makes room where it is now.
#[tokio::test]
async fn a_volume_that_was_moved_is_known_by_its_id() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.set_instance_state(&web, InstanceState::Stopped);
    let data = devices(&app, &web)["/dev/sdf"].clone();
    assert!(hands::detach(&app, &data));
    app.pass_minutes(1).await;
    assert!(hands::attach(&app, &data, &web, "/dev/sdg"));
    app.pass_minutes(1).await;

    let id = begun(&app, &snapshot, in_place()).await;
    let done = after(&app, &id, 10).await;

    assert_eq!(done["status"], "done", "{done:#}");
    let now = devices(&app, &web);
    assert_eq!(now.keys().collect::<Vec<_>>(), ["/dev/sdg", "/dev/xvda"], "{done:#}");
    assert!(!now.values().any(|volume| *volume == data), "it is not beside its own copy");
}

#[tokio::test]
async fn where_two_volumes_could_be_meant_both_are_named() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web").volume(SeedVolume::new("/dev/sdg", 8)));
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.set_instance_state(&web, InstanceState::Stopped);
    let before = devices(&app, &web);
    let (one, other) = (&before["/dev/sdf"], &before["/dev/sdg"]);
    assert!(hands::detach(&app, one) && hands::detach(&app, other));
    app.pass_minutes(1).await;
    assert!(
        hands::attach(&app, one, &web, "/dev/sdg") && hands::attach(&app, other, &web, "/dev/sdf")
    );
    app.pass_minutes(1).await;
    let mut body = in_place();
    body["volumes"] = json!([{ "device": "/dev/sdf" }]);
    body["keep"] = json!(["/dev/xvda"]);

    let refused = ask(&app, &snapshot, body).await;

    assert_eq!(refused.status, 409);
    let detail = text(&refused.body, "detail");
    assert!(detail.contains(one) && detail.contains(other), "{detail}");
}

/// R12: what would be found out after hours.
#[tokio::test]
async fn what_cannot_be_stopped_is_told_at_once() {
    let app = App::start().await;
    let spot = LaunchSettings { purchase: Purchase::SpotOnce, ..LaunchSettings::default() };
    let spot = app.ec2.add_instance(spec("spot").settings(spot));
    let snapshot = app.take_snapshot(&spot).await;
    let refused = ask(&app, &snapshot, in_place()).await;
    assert_eq!(refused.status, 409);
    assert!(text(&refused.body, "detail").contains("Spot Instance"), "{:#}", refused.body);

    let asleep = app.ec2.add_instance(spec("asleep"));
    let snapshot = app.take_snapshot(&asleep).await;
    let reason = StateReason::of("Client.UserInitiatedHibernate", "User initiated hibernate");
    app.ec2.set_instance_state(&asleep, InstanceState::Stopped);
    app.ec2.set_state_reason(&asleep, &reason);
    let refused = ask(&app, &snapshot, in_place()).await;
    assert_eq!(refused.status, 409);
    assert!(text(&refused.body, "detail").contains("holds its memory"), "{:#}", refused.body);
}

/// The dry run of the first step finds it, long before anything is made or stopped.
#[tokio::test]
async fn stop_protection_is_found_by_the_first_step() {
    let app = App::start().await;
    let guarded = LaunchSettings { stopping: Stopping::Protected, ..LaunchSettings::default() };
    let web = app.ec2.add_instance(spec("web").settings(guarded));
    let snapshot = app.take_snapshot(&web).await;

    let id = begun(&app, &snapshot, in_place()).await;
    let failed = after(&app, &id, 3).await;

    assert_eq!(text(&failed["failure"], "step"), "check", "{failed:#}");
    assert!(text(&failed["failure"], "message").contains("disableApiStop"), "{failed:#}");
    assert!(made(&app, &id).is_empty());
}

#[tokio::test]
async fn a_root_of_another_lineage_is_refused_at_once() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let snapshot = app.take_snapshot(&web).await;
    let id = begun(&app, &snapshot, in_place()).await;
    assert_eq!(after(&app, &id, 12).await["status"], "done");

    let refused = ask(&app, &snapshot, json!({ "mode": "replace_root" })).await;
    assert_eq!(refused.status, 409);
    assert!(text(&refused.body, "detail").contains("lineage"), "{:#}", refused.body);
    // A set of the root that is there now goes.
    let now = app.take_snapshot(&web).await;
    let id = begun(&app, &now, json!({ "mode": "replace_root", "snapshot_first": false })).await;
    assert_eq!(after(&app, &id, 12).await["status"], "done");
}

/// R13.
#[tokio::test]
async fn a_root_is_replaced_in_an_auto_scaling_group_only_where_its_end_is_accepted() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let snapshot = app.take_snapshot(&web).await;
    app.ec2.tag_instance(&web, "aws:autoscaling:groupName", "fleet");
    let mut body = json!({ "mode": "replace_root", "snapshot_first": false });

    let refused = ask(&app, &snapshot, body.clone()).await;
    assert_eq!(refused.status, 409);
    let detail = text(&refused.body, "detail");
    assert!(detail.contains("fleet") && detail.contains("accept_group_replacement"), "{detail}");
    body["accept_group_replacement"] = json!(true);
    let id = begun(&app, &snapshot, body).await;
    assert_eq!(after(&app, &id, 12).await["status"], "done");
}

/// R9: what goes by tags goes on with the new volumes.
#[tokio::test]
async fn new_volumes_have_the_tags_of_those_that_they_replace() {
    let app = App::start().await;
    let mut spec = spec("web");
    spec.volumes[1] = SeedVolume::new("/dev/sdf", 8).tag("Name", "pgdata").tag("Snapshot", "no");
    let web = app.ec2.add_instance(spec);
    let snapshot = app.take_snapshot(&web).await;
    let data = devices(&app, &web)["/dev/sdf"].clone();
    assert!(hands::act(
        &app,
        &format!("CreateTags&ResourceId.1={data}&Tag.1.Key=CostCenter&Tag.1.Value=42")
    ));

    let id = begun(&app, &snapshot, in_place()).await;
    assert_eq!(after(&app, &id, 12).await["status"], "done");

    let now = devices(&app, &web)["/dev/sdf"].clone();
    let tags = made(&app, &id).into_iter().find(|one| one.id == now).unwrap().tags;
    assert_eq!((tags["Name"].as_str(), tags["Snapshot"].as_str()), ("pgdata", "no"));
    assert_eq!(
        (tags["CostCenter"].as_str(), tags["snapkeep:restore"].as_str()),
        ("42", id.as_str())
    );
    // Beside others, as new volumes, they have those that were recorded.
    let beside = begun(&app, &snapshot, json!({ "mode": "new_volumes" })).await;
    after(&app, &beside, 5).await;
    let names: Vec<_> = made(&app, &beside).iter().map(|one| one.tags["Name"].clone()).collect();
    assert!(names.contains(&"pgdata".to_owned()), "{names:?}");
}

/// R10: `DeleteOnTermination` is as it was, there and back.
#[tokio::test]
async fn volumes_go_with_their_instance_as_before() {
    for is_cancelled in [false, true] {
        let app = App::start().await;
        let web = app.ec2.add_instance(spec("web"));
        let snapshot = app.take_snapshot(&web).await;
        if is_cancelled {
            let fault =
                sim_ec2::Fault::on("StartInstances").skip(1).error("InvalidParameterValue", 400);
            app.ec2.fault(fault);
        }
        let id = begun(&app, &snapshot, in_place()).await;
        after(&app, &id, 12).await;
        if is_cancelled {
            app.call("POST", &format!("/v1/restores/{id}/cancel"), Value::Null).await.expect(202);
            assert_eq!(after(&app, &id, 12).await["status"], "cancelled");
        }

        let now = devices(&app, &web);
        for (device, goes) in [("/dev/xvda", true), ("/dev/sdf", false)] {
            let volume = app.ec2.volumes().into_iter().find(|one| one.id == now[device]).unwrap();
            let at = volume.attachment.unwrap();
            assert_eq!(at.delete_on_termination, goes, "{device}, cancelled: {is_cancelled}");
        }
    }
}

/// Containers need a hop limit of two, and what was alone on its hardware is so for a reason.
#[tokio::test]
async fn a_new_instance_has_the_settings_that_were_recorded() {
    let app = App::start().await;
    let settings = LaunchSettings {
        metadata_hop_limit: Some(2),
        metadata_endpoint: Some("disabled".to_owned()),
        tenancy: Some("dedicated".to_owned()),
        monitored: true,
        ..LaunchSettings::default()
    };
    let web = app.ec2.add_instance(spec("web").settings(settings.clone()));
    let snapshot = app.take_snapshot(&web).await;

    let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
    let done = after(&app, &id, 6).await;

    assert_eq!(done["status"], "done", "{done:#}");
    let new = app.ec2.instance(text(&done, "new_instance_id")).unwrap().settings;
    assert_eq!(new.metadata_hop_limit, settings.metadata_hop_limit);
    assert_eq!(new.metadata_endpoint, settings.metadata_endpoint);
    assert_eq!((new.tenancy, new.monitored), (settings.tenancy, true));
}

/// R11: nobody is told of what somebody has deleted in time.
#[tokio::test]
async fn old_volumes_that_are_gone_in_time_are_told_to_nobody() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let snapshot = app.take_snapshot(&web).await;
    let before = devices(&app, &web);
    let body = json!({ "mode": "replace_volumes", "stop": true, "keep_old_days": 1 });
    let id = begun(&app, &snapshot, body).await;
    assert_eq!(after(&app, &id, 15).await["status"], "done");
    for volume in before.values() {
        assert!(hands::act(&app, &format!("DeleteVolume&VolumeId={volume}")));
    }

    app.clock.advance(jiff::SignedDuration::from_hours(25));
    app.pass_minutes(30).await;

    let told = app.announced();
    let is_it = |event: &Value| event["detail-type"] == "snapkeep.restore.old_volumes_due";
    assert!(!told.iter().any(is_it), "{told:#?}");
}

/// R11: what is left behind is marked at once, ends with its snapshot, and is listed until a person has deleted it.
#[tokio::test]
async fn old_volumes_past_their_time_are_listed_until_they_are_deleted() {
    let app = App::start().await;
    let web = app.ec2.add_instance(spec("web"));
    let snapshot = app.take_snapshot(&web).await;
    let before = devices(&app, &web);
    let body = json!({ "mode": "replace_volumes", "stop": true, "keep_old_days": 1 });
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 15).await;
    assert_eq!(done["status"], "done", "{done:#}");
    let first = app.get(&format!("/v1/snapshots/{}", text(&done, "snapshot_first_id"))).await;
    assert!(text(&first, "expires_at").starts_with("2026-03-03T"), "{first:#}");
    let due = "/v1/restores?old_volumes_due=true";
    assert!(app.list(due).await.is_empty());

    app.clock.advance(jiff::SignedDuration::from_hours(25));
    assert_eq!(app.list(due).await.len(), 1);
    let review = app.get("/v1/snapshots/review").await;
    let why = review["old_volumes_due"]["items"][0]["why"].to_string();
    assert!(before.values().all(|volume| why.contains(volume)), "{review:#}");
    assert!(why.contains("list price of us-east-1 they cost"), "{review:#}");

    app.pass_minutes(30).await;
    app.clock.advance(jiff::SignedDuration::from_hours(7));
    app.pass_minutes(30).await;
    let told = app.announced();
    let is_it = |event: &&Value| event["detail-type"] == "snapkeep.restore.old_volumes_due";
    let told: Vec<_> = told.iter().filter(is_it).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0]["detail"]["summary"].to_string().contains(&id), "{told:#?}");

    for volume in before.values() {
        assert!(hands::act(&app, &format!("DeleteVolume&VolumeId={volume}")));
    }
    assert!(app.list(due).await.is_empty());
    let review = app.get("/v1/snapshots/review").await;
    assert_eq!(review["old_volumes_due"]["items"], json!([]));
}

/// R12: EC2 would refuse the launch an hour later, when the image is made.
#[tokio::test]
async fn a_network_or_key_that_is_lost_is_refused_at_once_and_another_is_taken() {
    let app = App::start().await;
    let home = "us-east-1";
    let subnet = app.ec2.add_subnet(home, "us-east-1a");
    let group = app.ec2.add_security_group(home, "web");
    let settings = LaunchSettings {
        subnet_id: Some(subnet.clone()),
        security_groups: vec![group.clone()],
        ..LaunchSettings::default()
    };
    let instance = app.ec2.add_instance(spec("web").key_name("ops").settings(settings));
    let snapshot = app.take_snapshot(&instance).await;
    let mut chosen = json!({});

    for (lost, field, other) in [
        (&*subnet, "subnet_id", json!(app.ec2.add_subnet(home, "us-east-1b"))),
        (&*group, "security_group_ids", json!([app.ec2.add_security_group(home, "others")])),
        ("ops", "key_name", json!("new")),
    ] {
        if field == "security_group_ids" {
            chosen[field] = json!([group]);
        }
        let body = json!({ "mode": "new_instance", "instance": chosen });
        preview(&app, &snapshot, body.clone()).await.expect(200);
        app.ec2.remove_from_network(home, lost);
        let refused = ask(&app, &snapshot, body).await.expect(400);
        let problem = refused.to_string();
        assert!(
            problem.contains(&format!("instance.{field}")) && problem.contains(lost),
            "{problem}"
        );
        chosen[field] = other;
    }
    app.ec2.add_key_pair(home, "new");
    let body = json!({ "mode": "new_instance", "instance": chosen });
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 12).await;

    assert_eq!(done["status"], "done", "{done:#}");
    let zone = json!({ "mode": "new_volumes", "zone": "us-east-1z" });
    let unknown = ask(&app, &snapshot, zone).await.expect(400).to_string();
    assert!(unknown.contains("us-east-1a, us-east-1b"), "{unknown}");
    assert_eq!(app.ec2.calls().get("RunInstances"), Some(&1));
}
