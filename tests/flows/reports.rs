//! Ten more public reports of what went wrong where people or tools snapshot EC2, each tried on Snapkeep. Issue 13.
//!
//! What EC2 does in them the simulated EC2 does too; where it has learnt that from the report, its own tests say so.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceSpec, InstanceState, SeedVolume};

use crate::support::app::App;
use crate::support::images::{image_status, request_image, show_image};
use crate::support::reply::text;
use crate::support::restores::{after, ask};
use crate::support::sweeps::{ec2, register_image};

/// The EBS snapshots of one of ours.
fn members(app: &App, id: &str) -> Vec<sim_ec2::Snapshot> {
    let all = app.ec2.snapshots().into_iter();
    all.filter(|one| one.tags.get("snapkeep:id").is_some_and(|set| set == id)).collect()
}

// 1. github.com/aws/aws-sdk-js/issues/939: a page that is full has a token although nothing follows.
#[tokio::test]
async fn a_full_last_page_is_no_reason_to_see_fewer_or_more() {
    let app = App::start().await;
    let ids: Vec<_> = (0..5).map(|number| app.instance(&format!("web-{number}"), 1)).collect();

    let mut listed: Vec<_> = app
        .list("/v1/instances?limit=5")
        .await
        .iter()
        .map(|one| text(one, "id").to_owned())
        .collect();

    listed.sort();
    let mut all = ids;
    all.sort();
    assert_eq!(listed, all);
}

// 2. github.com/aws/aws-sdk-ruby/issues/1193, github.com/boto/boto3/issues/2159: one reservation has several instances.
#[tokio::test]
async fn all_instances_of_one_launch_are_seen_and_taken() {
    let app = App::start().await;
    ec2(
        &app,
        "Action=RunInstances&ImageId=ami-0abcdef1234567890&MinCount=3&MaxCount=3&Version=2016-11-15",
    );
    app.pass_minutes(2).await;
    let launched: Vec<_> = app.ec2.instances().into_iter().map(|one| one.id).collect();
    assert_eq!(launched.len(), 3);

    let refs: Vec<&str> = launched.iter().map(String::as_str).collect();
    app.schedule("rate(1 hour)", &refs, json!({ "keep_last": 3 })).await;
    app.pass_minutes(65).await;

    assert_eq!(app.list("/v1/instances").await.len(), 3);
    for id in &launched {
        let taken = app.list(&format!("/v1/snapshots?instance_id={id}&status=available")).await;
        assert_eq!(taken.len(), 1, "{id}");
    }
}

// 3. github.com/zoph-io/instance-watcher/issues/22: EC2 leaves the tags out of an instance that has none.
#[tokio::test]
async fn an_instance_without_any_tag_is_one_like_others() {
    let app = App::start().await;
    let instance = app.ec2.add_instance(InstanceSpec::default());
    assert!(app.ec2.instance(&instance).unwrap().tags.is_empty());

    let id = app.take_snapshot(&instance).await;

    let shown = app.get(&format!("/v1/snapshots/{id}")).await;
    assert!(text(&shown, "name").starts_with(&instance), "{shown:#}");
    assert_eq!(shown["instance_name"], Value::Null);
}

// 4. github.com/AndrewFarley/AWS-Automated-Daily-Instance-AMI-Snapshots/issues/7: tags that only AWS can set are not copied.
#[tokio::test]
async fn an_instance_of_an_auto_scaling_group_has_its_own_tags_copied_and_no_others() {
    let app = App::start().await;
    let spec = InstanceSpec::named("web")
        .tag("aws:autoscaling:groupName", "web")
        .tag("aws:cloudformation:stack-name", "shop")
        .tag("team", "blue");
    let instance = app.ec2.add_instance(spec);
    let body = json!({ "instance_id": instance, "copy_tags": true });

    let asked = app.call("POST", "/v1/snapshots", body).await.expect(202);
    app.pass_minutes(2).await;

    let id = text(&asked, "id");
    assert_eq!(app.status(id).await, "available");
    let made = members(&app, id).remove(0);
    assert_eq!(made.tags["team"], "blue");
    assert!(made.tags.keys().all(|key| !key.starts_with("aws:")), "{:?}", made.tags);
}

// 5. github.com/webdigi/AWS-AMI-Automated-Creation-Deletion/issues/6: an instance's name has letters that an image's cannot.
#[tokio::test]
async fn an_image_is_made_of_an_instance_whose_name_no_image_could_have() {
    let app = App::start().await;
    let instance = app.instance("web:8080 <prod> & Büro #1", 1);
    let id = app.take_snapshot(&instance).await;

    let image = request_image(&app, &id).await;
    app.pass_minutes(2).await;

    assert_eq!(
        image_status(&app, &image).await,
        "available",
        "{:#}",
        show_image(&app, &image).await
    );
}

// 6. github.com/cloud-custodian/cloud-custodian/issues/10000: what could not be deleted was reported as deleted. And
// github.com/sebdah/automated-ebs-snapshots/issues/4: it kept the others from being deleted.
#[tokio::test]
async fn what_could_not_be_deleted_is_not_told_as_deleted_and_stops_no_other() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let (first, second) = (app.take_snapshot(&instance).await, app.take_snapshot(&instance).await);
    app.take_snapshot(&instance).await;
    for id in [&first, &second] {
        let path = format!("/v1/snapshots/{id}?grace_minutes=5");
        app.call("DELETE", &path, Value::Null).await.expect(202);
    }
    register_image(&app, &first);

    app.pass_minutes(12).await;

    assert_ne!(app.status(&first).await, "deleted");
    assert_eq!(app.status(&second).await, "deleted");
    assert_eq!(members(&app, &first).len(), 1);
    let told = app.list("/v1/audit?action=snapshot.deleted").await;
    assert!(told.iter().all(|one| !one.to_string().contains(&first)), "{told:#?}");
    assert!(told.iter().any(|one| one.to_string().contains(&second)), "{told:#?}");
}

// 7. github.com/cloud-custodian/cloud-custodian/issues/9459: AWS Backup's snapshots are deleted by AWS Backup only. What it has
// made of a volume that bears our tags has them too, and is not ours.
#[tokio::test]
async fn what_aws_backup_looks_after_is_left_to_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let member = members(&app, &id).remove(0).id;
    app.ec2.tag_snapshot(&member, "aws:backup:source-resource", &instance);

    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await;
    app.pass_minutes(12).await;

    let entry = app.list("/v1/sweeps/blocked").await.remove(0);
    assert_eq!(text(&entry, "snapshot_id"), id);
    assert_eq!(text(&entry, "cause"), "not_marked");
    assert!(text(&entry, "detail").contains("NotOurs"), "{entry:#}");
    assert_eq!(app.ec2.calls().get("DeleteSnapshot"), None, "nobody has tried");
    assert_eq!(members(&app, &id).len(), 1);
}

// 8. github.com/aws/aws-parallelcluster/issues/1001: a volume with a Marketplace code is attached to a stopped instance only.
#[tokio::test]
async fn a_volume_of_the_marketplace_fails_in_ec2s_words_and_is_attached_when_the_instance_stands_still()
 {
    let app = App::start().await;
    let (web, other) = (app.instance("web", 1), app.instance("other", 1));
    let id = app.take_snapshot(&web).await;
    let device = app.get(&format!("/v1/snapshots/{id}")).await["volumes"][0]["device"].clone();
    let body = json!({
        "mode": "new_volumes", "attach_to": other, "volumes": [{ "device": device, "attach_as": "/dev/sdx" }],
    });
    let words = "Cannot attach volume 'vol-1' with Marketplace codes as the instance 'i-1' is not in the 'stopped' state.";
    app.ec2.fault(Fault::on("AttachVolume").refused("IncorrectInstanceState", words).times(9));

    let asked = ask(&app, &id, body).await.expect(202);
    let failed = after(&app, text(&asked, "id"), 5).await;

    assert_eq!(text(&failed, "status"), "failed", "{failed:#}");
    assert_eq!(text(&failed["failure"], "code"), "IncorrectInstanceState");
    assert!(text(&failed["failure"], "message").contains(words), "{failed:#}");
    assert_eq!(
        app.ec2.instance(&other).unwrap().state,
        InstanceState::Running,
        "nobody has stopped it"
    );
    app.ec2.forget_faults();
    ec2(&app, &format!("Action=StopInstances&InstanceId.1={other}&Version=2016-11-15"));
    app.pass_minutes(2).await;
    let path = format!("/v1/restores/{}/retry", text(&asked, "id"));
    app.call("POST", &path, json!({})).await.expect(202);
    let done = after(&app, text(&asked, "id"), 5).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");
}

// 9. github.com/kubernetes/kubernetes/issues/62171, github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/3010: where a key may
// not be used, CreateVolume answers with a volume that is gone soon after, and its token never makes another.
#[tokio::test]
async fn a_volume_that_vanishes_for_want_of_its_key_fails_the_restore_and_a_retry_makes_another() {
    let app = App::start().await;
    let spec = InstanceSpec::named("vault").volume(SeedVolume::new("/dev/sdf", 20).encrypted());
    let instance = app.ec2.add_instance(spec);
    let id = app.take_snapshot(&instance).await;
    app.ec2.fault(Fault::on("CreateVolume").member_fails().times(99));

    let asked = ask(&app, &id, json!({ "mode": "new_volumes" })).await.expect(202);
    let failed = after(&app, text(&asked, "id"), 30).await;

    assert_eq!(text(&failed, "status"), "failed", "{failed:#}");
    assert!(text(&failed["failure"], "message").contains("vol-"), "{failed:#}");
    app.ec2.forget_faults();
    let path = format!("/v1/restores/{}/retry", text(&asked, "id"));
    app.call("POST", &path, json!({})).await.expect(202);
    let done = after(&app, text(&asked, "id"), 5).await;
    assert_eq!(text(&done, "status"), "done", "{done:#}");
}

// 10. github.com/aws-samples/bottlerocket-images-cache/issues/8: a description has 255 characters at the most.
#[tokio::test]
async fn a_name_as_long_as_a_tag_can_be_is_taken() {
    let app = App::start().await;
    let long = "x".repeat(256);
    let instance = app.instance(&long, 1);

    let id = app.take_snapshot(&instance).await;

    let made = members(&app, &id).remove(0);
    assert!(made.description.chars().count() <= 255);
    assert!(made.tags["Name"].chars().count() <= 256);
}
