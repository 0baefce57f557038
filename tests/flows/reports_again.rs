//! Ten public reports more, after those of `reports.rs`, each tried on Snapkeep. Issue 13.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim_ec2::iam::Policy;
use sim_ec2::{Fault, InstanceSpec, LaunchSettings, SeedVolume};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{after, ask, begun};
use crate::support::sweeps::ec2;

/// Everything but what these statements deny, for everybody of the account.
fn organized(denied: Value) -> Policy {
    let everything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    Policy::read(&[everything, denied]).unwrap()
}

/// The only EBS snapshot of one of ours.
async fn member(app: &App, id: &str) -> String {
    let shown = app.get(&format!("/v1/snapshots/{id}")).await;
    text(&shown["volumes"][0], "ebs_snapshot_id").to_owned()
}

// 11. github.com/velero-io/velero/issues/1312: where a policy denies volumes that are not encrypted, a volume of an encrypted
// snapshot is refused unless the call says so.
#[tokio::test]
async fn a_volume_of_an_encrypted_snapshot_is_made_where_others_are_forbidden() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("vault").volume(SeedVolume::new("/dev/sdf", 20).encrypted());
    spec.volumes[0] = spec.volumes[0].clone().encrypted();
    let instance = app.ec2.add_instance(spec);
    let id = app.take_snapshot(&instance).await;
    app.ec2.organize(organized(json!({
        "Sid": "EncryptedOnly", "Effect": "Deny", "Action": "ec2:CreateVolume",
        "Resource": "arn:aws:ec2:*:*:volume/*", "Condition": { "Bool": { "ec2:Encrypted": "false" } },
    })));
    let before = app.ec2.volumes().len();

    let restore = begun(&app, &id, json!({ "mode": "new_volumes" })).await;
    let done = after(&app, &restore, 5).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let volumes = app.ec2.volumes();
    assert_eq!(volumes.len(), before + 2);
    assert!(volumes.iter().all(|one| one.encrypted), "{volumes:?}");
    // Of a snapshot that is not encrypted nobody says that its volume would be.
    let open = app.instance("open", 1);
    let open = app.take_snapshot(&open).await;
    let refused = begun(&app, &open, json!({ "mode": "new_volumes" })).await;
    let refused = after(&app, &refused, 5).await;
    assert_eq!(text(&refused, "status"), "failed", "{refused:#}");
    assert!(text(&refused["failure"], "message").contains("explicit deny"), "{refused:#}");
}

// 12. github.com/hashicorp/terraform-provider-aws/issues/7505 and 35639: whatever is made without the tags that a policy
// wants is refused, and tags that come in a second call come too late.
#[tokio::test]
async fn where_tags_are_wanted_of_everything_new_all_is_made_with_those_of_the_instance() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("web").tag("team", "blue");
    spec.volumes[0] = spec.volumes[0].clone().tag("team", "blue");
    let instance = app.ec2.add_instance(spec);
    app.ec2.organize(organized(json!({
        "Sid": "Tagged", "Effect": "Deny",
        "Action": ["ec2:CreateSnapshots", "ec2:CreateVolume", "ec2:RunInstances"],
        "Resource": ["arn:aws:ec2:*::snapshot/*", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:instance/*"],
        "Condition": { "Null": { "aws:RequestTag/team": "true", "aws:ResourceTag/team": "true" } },
    })));

    let id = app.take_snapshot(&instance).await;
    let volumes = begun(&app, &id, json!({ "mode": "new_volumes" })).await;
    let volumes = after(&app, &volumes, 5).await;
    let launched = begun(&app, &id, json!({ "mode": "new_instance" })).await;
    let launched = after(&app, &launched, 6).await;

    assert_eq!(app.status(&id).await, "available");
    assert_eq!(text(&volumes, "status"), "done", "{volumes:#}");
    assert_eq!(text(&launched, "status"), "done", "{launched:#}");
}

// 13. github.com/pingcap/tidb/issues/53037: one EBS snapshot that failed was waited for without end, and no backup came after.
#[tokio::test]
async fn a_set_that_failed_is_waited_for_by_nobody() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    app.schedule("rate(1 hour)", &[&instance], json!({ "keep_last": 3 })).await;
    app.ec2.fault(Fault::on("CreateSnapshots").member_fails());

    app.pass_minutes(125).await;

    let mut standing: Vec<_> = app
        .list("/v1/snapshots?sort=created_at")
        .await
        .iter()
        .map(|one| text(one, "status").to_owned())
        .collect();
    standing.sort();
    assert_eq!(standing, ["available", "error"]);
    let runs = app.list("/v1/runs").await;
    assert!(runs.iter().all(|run| text(run, "status") != "running"), "{runs:#?}");
}

// 14. github.com/velero-io/velero/issues/1799: a restore asked for while EC2 is still writing failed half way.
#[tokio::test]
async fn what_is_still_being_written_is_restored_when_it_is_there() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.request_snapshot(&instance).await;
    app.settle().await;
    assert_eq!(app.status(&id).await, "pending");

    let early = ask(&app, &id, json!({ "mode": "new_volumes" })).await;
    app.pass_minutes(2).await;
    let restore = begun(&app, &id, json!({ "mode": "new_volumes" })).await;

    assert_eq!(early.status, 409);
    assert!(text(&early.body, "detail").contains("pending"), "{}", early.body);
    assert_eq!(text(&after(&app, &restore, 5).await, "status"), "done");
}

// 15. github.com/hashicorp/packer/issues/2033, github.com/Netflix/aminator/issues/73: EC2 does not know at once the image
// that it has just registered.
#[tokio::test]
async fn an_image_that_ec2_does_not_know_yet_is_launched_a_little_later() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let words = "The image id '[ami-0ed6aa075ca18d129]' does not exist";
    app.ec2.fault(Fault::on("RunInstances").refused("InvalidAMIID.NotFound", words).times(2));

    let restore = begun(&app, &id, json!({ "mode": "new_instance" })).await;
    let done = after(&app, &restore, 10).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    assert_eq!(app.ec2.instances().len(), 2);
}

// 16. github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/2512, github.com/rancher/rancher/issues/19328: at the account's limit
// volumes were made anew again and again, and those that served nothing stayed.
#[tokio::test]
async fn at_the_limit_of_volumes_ec2s_words_are_told_and_the_way_back_leaves_none() {
    let app = App::start().await;
    let instance = app.instance("web", 3);
    let id = app.take_snapshot(&instance).await;
    let before = app.ec2.volumes().len();
    let words = "You have exceeded your maximum io2 storage limit of 30 TiB in this region. Please contact AWS Support to \
                 request an Elastic Block Store service limit increase.";
    // The rehearsal and one volume are let through.
    app.ec2
        .fault(Fault::on("CreateVolume").skip(2).refused("VolumeLimitExceeded", words).times(99));

    let restore = begun(&app, &id, json!({ "mode": "new_volumes" })).await;
    let failed = after(&app, &restore, 30).await;

    assert_eq!(text(&failed, "status"), "failed", "{failed:#}");
    assert_eq!(text(&failed["failure"], "code"), "VolumeLimitExceeded");
    assert!(text(&failed["failure"], "message").contains(words), "{failed:#}");
    assert_eq!(app.ec2.volumes().len(), before + 1, "none is made anew");
    app.call("POST", &format!("/v1/restores/{restore}/cancel"), json!({})).await.expect(202);
    let cancelled = after(&app, &restore, 5).await;
    assert_eq!(text(&cancelled, "status"), "cancelled", "{cancelled:#}");
    assert_eq!(app.ec2.volumes().len(), before);
}

// 17. github.com/bitnami/vms/issues/1224: a product of the Marketplace that does not allow an instance of this type.
#[tokio::test]
async fn a_launch_that_a_product_does_not_allow_fails_in_ec2s_words_and_leaves_nothing() {
    let app = App::start().await;
    let instance = app.instance("mongo", 1);
    let id = app.take_snapshot(&instance).await;
    let words = "The instance configuration for this AWS Marketplace product is not supported. Please see the AWS \
                 Marketplace site for more information about supported instance types, regions, and operating systems.";
    app.ec2.fault(Fault::on("RunInstances").refused("UnsupportedOperation", words).times(99));

    let restore = begun(&app, &id, json!({ "mode": "new_instance" })).await;
    let failed = after(&app, &restore, 10).await;

    assert_eq!(text(&failed, "status"), "failed", "{failed:#}");
    assert_eq!(text(&failed["failure"], "code"), "UnsupportedOperation");
    assert!(text(&failed["failure"], "message").contains(words), "{failed:#}");
    app.call("POST", &format!("/v1/restores/{restore}/cancel"), json!({})).await.expect(202);
    let cancelled = after(&app, &restore, 5).await;
    assert_eq!(text(&cancelled, "status"), "cancelled", "{cancelled:#}");
    assert!(app.ec2.images().is_empty());
    assert_eq!(app.ec2.instances().len(), 1);
}

// 18. github.com/hashicorp/packer/issues/4922, github.com/Netflix/aminator/issues/219: an image that is registered from EBS
// snapshots has lost the billing code of its licence.
#[tokio::test]
async fn a_licence_that_an_image_would_lose_is_named_before_one_is_made() {
    let app = App::start().await;
    let platform = Some("Red Hat Enterprise Linux".to_owned());
    let settings = LaunchSettings { platform, ..LaunchSettings::default() };
    let instance = app.ec2.add_instance(InstanceSpec::named("rhel").settings(settings));
    let id = app.take_snapshot(&instance).await;

    let image = app.call("POST", &format!("/v1/snapshots/{id}/image"), json!({})).await;
    let launched = ask(&app, &id, json!({ "mode": "new_instance" })).await;
    let volumes = begun(&app, &id, json!({ "mode": "new_volumes" })).await;

    for refused in [image, launched] {
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(text(&refused.body, "detail").contains("billing code"), "{}", refused.body);
    }
    assert_eq!(text(&after(&app, &volumes, 5).await, "status"), "done");
    assert_eq!(app.ec2.calls().get("RegisterImage"), None);
}

// 19. github.com/vatesfr/xen-orchestra/issues/4024, github.com/amazon-archives/ebs-snapshot-scheduler/issues/14: when the clocks
// change, a daily backup at two was made twice or never again. github.com/sebdah/automated-ebs-snapshots/issues/23: one that is
// made by how old the last one is comes every other day, as it is a little late each time.
#[tokio::test]
async fn a_daily_one_is_one_a_day_when_clocks_change_and_however_late_the_last_one_was() {
    let app = App::start().await;
    let days = async |hour: i32, from: &str| {
        let body = json!({
            "expression": format!("cron(0 {hour} * * ? *)"), "timezone": "America/New_York", "from": from,
            "count": 3,
        });
        let preview = app.call("POST", "/v1/schedules/preview", body).await.expect(200);
        let fires = preview["fires"].as_array().unwrap().iter();
        let at = fires.map(|fire| text(fire, "at").parse::<Timestamp>().unwrap());
        at.map(|at| at.in_tz("America/New_York").unwrap().day()).collect::<Vec<_>>()
    };
    // Two o'clock is not there on 8 March, where EventBridge Scheduler fires not at all, and one o'clock twice on 1 November:
    // docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
    assert_eq!(days(2, "2026-03-07T00:00:00Z").await, [7, 9, 10]);
    assert_eq!(days(1, "2026-10-31T00:00:00Z").await, [31, 1, 2]);
    let instance = app.instance("web", 1);
    app.schedule("cron(5 10 * * ? *)", &[&instance], json!({ "keep_last": 9 })).await;

    for _ in 0..4 {
        app.pass_minutes(25).await;
        app.clock.advance(SignedDuration::from_hours(23) + SignedDuration::from_mins(50));
    }
    app.settle().await;

    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 4);
}

// 20. github.com/cloud-custodian/cloud-custodian/issues/6242: what was gone between the list and the deletion failed the rest.
#[tokio::test]
async fn what_is_gone_before_its_deletion_keeps_no_other_from_going() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(app.take_snapshot(&instance).await);
    }
    for id in &ids[..3] {
        let path = format!("/v1/snapshots/{id}?grace_minutes=5");
        app.call("DELETE", &path, Value::Null).await.expect(202);
    }
    let gone = member(&app, &ids[1]).await;
    ec2(&app, &format!("Action=DeleteSnapshot&SnapshotId={gone}&Version=2016-11-15"));

    app.pass_minutes(150).await;

    for id in [&ids[0], &ids[2]] {
        assert_eq!(app.status(id).await, "deleted", "{id}");
    }
    assert!(["deleted", "missing"].contains(&app.status(&ids[1]).await.as_str()));
    assert_eq!(app.status(&ids[3]).await, "available");
}
