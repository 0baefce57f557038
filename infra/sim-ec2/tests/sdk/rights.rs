//! Dry runs, and actions that nobody is allowed to call.

use std::collections::BTreeMap;

use serde_json::json;
use sim_ec2::iam::Policy;

use super::support::{refusal, tag, world};

/// Every action that changes something, with what makes it succeed.
fn changing(instance: &str, volume: &str, snapshot: &str, archived: &str) -> Vec<String> {
    let image = "ami-0abcdef1234567890";
    let device = "BlockDeviceMapping.1.DeviceName=/dev/xvda";
    [
        format!("RunInstances&ImageId={image}&MinCount=1&MaxCount=1"),
        format!("StartInstances&InstanceId.1={instance}"),
        format!("StopInstances&InstanceId.1={instance}&Force=true"),
        format!("TerminateInstances&InstanceId.1={instance}"),
        format!("ModifyInstanceAttribute&InstanceId={instance}&DisableApiTermination.Value=true"),
        "CreateVolume&AvailabilityZone=us-east-1a&Size=1".to_owned(),
        format!("DeleteVolume&VolumeId={volume}"),
        format!("AttachVolume&VolumeId={volume}&InstanceId={instance}&Device=/dev/sdz"),
        format!("CreateReplaceRootVolumeTask&InstanceId={instance}"),
        format!("CreateSnapshot&VolumeId={volume}"),
        format!("CreateSnapshots&InstanceSpecification.InstanceId={instance}"),
        format!("CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={snapshot}"),
        format!("DeleteSnapshot&SnapshotId={snapshot}"),
        format!("LockSnapshot&SnapshotId={snapshot}&LockMode=governance&LockDuration=1"),
        format!(
            "ModifySnapshotAttribute&SnapshotId={snapshot}\
             &CreateVolumePermission.Add.1.UserId=111122223333"
        ),
        format!("ModifySnapshotTier&SnapshotId={snapshot}"),
        format!("RestoreSnapshotTier&SnapshotId={archived}&PermanentRestore=true"),
        format!("CreateTags&ResourceId.1={snapshot}&Tag.1.Key=a"),
        format!("DeleteTags&ResourceId.1={snapshot}"),
        format!(
            "RegisterImage&Name=new&RootDeviceName=/dev/xvda&{device}\
             &BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}"
        ),
        format!("CreateImage&InstanceId={instance}&Name=new"),
    ]
    .into()
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let world = world();
    let (instance, _) = world.instance();
    let snapshot = world.snapshot().await;
    let archived = world.snapshot().await;
    world.ec2.modify_snapshot_tier().snapshot_id(&archived).send().await.unwrap();
    let made = world.ec2.create_volume().availability_zone("us-east-1a").size(1).send().await;
    let volume = made.unwrap().volume_id.unwrap();
    world.pass(3600);
    let revision = world.sim.revision();
    world.sim.reset_calls();

    for form in changing(&instance, &volume, &snapshot, &archived) {
        let action = form.split('&').next().unwrap().to_owned();
        let body = format!("Action={form}&DryRun=true&Version=2016-11-15");
        let allowed = world.sim.answer("us-east-1", body.as_bytes());
        world.sim.deny(&action);
        let denied = world.sim.answer("us-east-1", body.as_bytes());
        world.sim.allow(&action);

        assert_eq!(allowed.status, 412, "{action}: {}", allowed.body);
        assert!(allowed.body.contains("<Code>DryRunOperation</Code>"), "{action}");
        assert_eq!(denied.status, 403, "{action}");
        assert!(denied.body.contains("<Code>UnauthorizedOperation</Code>"), "{action}");
        assert_eq!(world.sim.calls()[&action], 2, "each call of {action} counts");
    }

    assert_eq!(world.sim.revision(), revision);
}

#[tokio::test]
async fn what_nobody_is_allowed_to_do_is_not_done() {
    let world = world();
    let id = world.snapshot().await;
    world.sim.deny("CreateTags");

    let tagging = world.ec2.create_tags().resources(&id).tags(tag("a", "1")).send().await;
    let listing = world.ec2.describe_snapshots().send().await.unwrap();

    assert_eq!(refusal(tagging), "UnauthorizedOperation");
    assert_eq!(listing.snapshots().len(), 1);
    assert_eq!(world.sim.snapshot(&id).unwrap().tags, BTreeMap::new());
}

// As recorded in velero-io/velero#1312: what a policy calls encrypted is what the call says.
#[tokio::test]
async fn an_organization_holds_everybody_and_goes_by_what_the_call_says() {
    let world = world();
    let zone = || world.ec2.create_volume().availability_zone("us-east-1a");
    let source = zone().size(1).encrypted(true).send().await.unwrap();
    world.pass(60);
    let volume = source.volume_id().unwrap();
    let snapshot = world.ec2.create_snapshot().volume_id(volume).send().await.unwrap();
    let snapshot = snapshot.snapshot_id.unwrap();
    world.pass(60);
    let policy = [
        json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }),
        json!({
            "Effect": "Deny", "Action": "ec2:CreateVolume", "Resource": "arn:aws:ec2:*:*:volume/*",
            "Condition": { "Bool": { "ec2:Encrypted": "false" } },
        }),
    ];
    world.sim.organize(Policy::read(&policy).unwrap());

    let silent = zone().snapshot_id(&snapshot).send().await;
    let said = zone().snapshot_id(&snapshot).encrypted(true).send().await.unwrap();

    assert_eq!(refusal(silent), "UnauthorizedOperation");
    assert_eq!(said.encrypted(), Some(true));
    assert_eq!(said.kms_key_id(), source.kms_key_id());
}
