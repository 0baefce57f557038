//! What EC2 refuses, in its own words where clients have recorded them. The page beside this crate lists all rules.

use aws_sdk_ec2::types::{FastSnapshotRestoreStateCode, VolumeType};

use super::support::{World, world};

/// What a call as others send it is refused with: the code and the sentence.
fn refused(world: &World, call: &str) -> String {
    let answer = world.sim.answer("us-east-1", format!("{call}&Version=2016-11-15").as_bytes());
    let part = |name: &str| {
        let text = answer.body.split(&format!("<{name}>")).nth(1).unwrap_or_default();
        text.split("</").next().unwrap_or_default().to_owned()
    };
    format!("{} {}: {}", answer.status, part("Code"), part("Message"))
}

#[tokio::test]
async fn descriptions_are_in_ascii() {
    let world = world();
    let (instance, volumes) = world.instance();
    let snapshot = world.snapshot().await;
    let words = "is invalid. Character sets beyond ASCII are not supported.";
    for call in [
        format!("Action=CreateSnapshot&VolumeId={}", volumes[0]),
        format!("Action=CreateSnapshots&InstanceSpecification.InstanceId={instance}"),
        format!("Action=CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={snapshot}"),
        format!(
            "Action=RegisterImage&Name=golden&RootDeviceName=/dev/xvda&BlockDeviceMapping.1.DeviceName=/dev/xvda\
             &BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}"
        ),
        format!("Action=CreateImage&Name=golden&InstanceId={instance}"),
    ] {
        let refused = refused(&world, &format!("{call}&Description=B%C3%BCroserver"));

        let expected = format!(
            "400 InvalidParameterValue: Value (Büroserver) for parameter description {words}"
        );
        assert_eq!(refused, expected, "{call}");
    }
    assert_eq!(world.sim.snapshots().len(), 1);
}

#[tokio::test]
async fn image_names_have_the_letters_that_ec2_lists() {
    let world = world();
    let (instance, _) = world.instance();

    let name = refused(&world, &format!("Action=CreateImage&InstanceId={instance}&Name=a:b:c"));

    assert!(
        name.starts_with("400 InvalidAMIName.Malformed: AMI names must be between 3"),
        "{name}"
    );
}

#[tokio::test]
async fn what_is_enabled_for_fast_restore_is_not_deleted() {
    let world = world();
    let id = world.snapshot().await;
    let zone = "us-east-1b";
    let on = || {
        let call = world.ec2.enable_fast_snapshot_restores().source_snapshot_ids(&id);
        call.availability_zones(zone).send()
    };
    let off = || {
        let call = world.ec2.disable_fast_snapshot_restores().source_snapshot_ids(&id);
        call.availability_zones(zone).send()
    };
    let state = || async {
        let found = world.ec2.describe_fast_snapshot_restores().send().await.unwrap();
        found.fast_snapshot_restores()[0].state().cloned().unwrap()
    };

    let answer = on().await.unwrap();
    assert_eq!(answer.successful()[0].state(), Some(&FastSnapshotRestoreStateCode::Enabling));
    let at_once = refused(&world, &format!("Action=DeleteSnapshot&SnapshotId={id}"));
    world.pass(40);
    let optimizing = state().await;
    world.pass(3_600);
    let enabled = state().await;
    off().await.unwrap();
    let disabling = refused(&world, &format!("Action=DeleteSnapshot&SnapshotId={id}"));
    world.pass(60);
    let again = off().await.unwrap();

    let expected = format!(
        "400 InvalidSnapshot.InUse: The snapshot {id} is currently enabled for fast restores in {zone}. Fast snapshot \
         restores must be disabled within all Availability Zones before the snapshot may be deleted."
    );
    assert_eq!([at_once, disabling], [expected.clone(), expected]);
    assert_eq!(optimizing, FastSnapshotRestoreStateCode::Optimizing);
    assert_eq!(enabled, FastSnapshotRestoreStateCode::Enabled);
    assert_eq!((again.successful().len(), again.unsuccessful().len()), (0, 1));
    world.ec2.delete_snapshot().snapshot_id(&id).send().await.unwrap();
}

#[tokio::test]
async fn volumes_are_attached_under_names_that_ec2_knows() {
    let world = world();
    let (instance, _) = world.instance();
    let made = world.ec2.create_volume().availability_zone("us-east-1a").size(8).send().await;
    let volume = made.unwrap().volume_id.unwrap();
    world.pass(30);
    for device in ["/dev/nvme1n1", "Disk_D", "/dev/sdZZ"] {
        let call =
            format!("Action=AttachVolume&VolumeId={volume}&InstanceId={instance}&Device={device}");

        let expected = format!(
            "400 InvalidParameterValue: Value ({device}) for parameter device is invalid. {device} is not a valid EBS \
             device name."
        );
        assert_eq!(refused(&world, &call), expected);
    }
    let image = "Action=RunInstances&ImageId=ami-0abcdef1234567890&MinCount=1&MaxCount=1\
                 &BlockDeviceMapping.1.DeviceName=/dev/nvme1n1&BlockDeviceMapping.1.Ebs.VolumeSize=8";
    assert_eq!(
        refused(&world, image),
        "400 InvalidBlockDeviceMapping: Invalid device name /dev/nvme1n1"
    );
}

#[tokio::test]
async fn volumes_have_the_speed_that_their_type_and_size_allow() {
    let world = world();
    for (asked, expected) in [
        (
            "gp2&Size=8&Iops=300",
            "InvalidParameterCombination: The parameter iops is not supported for gp2 volumes.",
        ),
        ("io1&Size=20", "MissingParameter: The parameter iops must be specified for io1 volumes."),
        (
            "io1&Size=20&Iops=1200",
            "InvalidParameterValue: Iops to volume size ratio of 60.000000 is too high; maximum is 50",
        ),
        (
            "gp3&Size=8&Iops=2999",
            "InvalidParameterValue: Volume iops of 2999 is too low; minimum is 3000.",
        ),
        (
            "gp3&Size=8&Throughput=751",
            "InvalidParameterValue: Throughput (MiBps) to iops ratio of 0.250333 is too high; maximum is 0.250000 MiBps per iops.",
        ),
        (
            "st1&Size=125&Throughput=125",
            "InvalidParameterCombination: The parameter throughput is not supported for st1 volumes.",
        ),
    ] {
        let call = format!("Action=CreateVolume&AvailabilityZone=us-east-1a&VolumeType={asked}");
        assert_eq!(refused(&world, &call), format!("400 {expected}"), "{asked}");
    }
    let fast = world.ec2.create_volume().availability_zone("us-east-1a").size(8);
    fast.volume_type(VolumeType::Gp3).iops(4_000).throughput(1_000).send().await.unwrap();
}

// github.com/boto/boto3/issues/3653: nobody had asked for operations.
#[tokio::test]
async fn nothing_boots_from_a_hard_disk() {
    let world = world();
    let words = "InvalidParameterCombination: The parameter iops is not supported for st1 volumes.";
    let call = "Action=RunInstances&ImageId=ami-0abcdef1234567890&MinCount=1&MaxCount=1\
                &BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.VolumeSize=500\
                &BlockDeviceMapping.1.Ebs.VolumeType=st1";

    assert_eq!(refused(&world, call), format!("400 {words}"));
}

// As recorded in cloud-custodian/cloud-custodian#9459.
#[tokio::test]
async fn what_aws_backup_has_made_is_not_deleted() {
    let world = world();
    let id = world.snapshot().await;
    world.sim.tag_snapshot(&id, "aws:backup:source-resource", "x");

    let refused = refused(&world, &format!("Action=DeleteSnapshot&SnapshotId={id}"));

    assert!(
        refused.starts_with(
            "400 InvalidParameterValue: This snapshot is managed by the AWS Backup service"
        ),
        "{refused}"
    );
    assert!(world.sim.snapshot(&id).is_some());
}

// As recorded in kubernetes/kubernetes#62171 and kubernetes-sigs/aws-ebs-csi-driver#3010.
#[tokio::test]
async fn a_volume_whose_key_may_not_be_used_vanishes_and_its_token_makes_no_other() {
    let world = world();
    world.sim.fault(sim_ec2::Fault::on("CreateVolume").member_fails());
    let call = "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1&ClientToken=t";
    let form = format!("{call}&Version=2016-11-15");

    let made = world.sim.answer("us-east-1", form.as_bytes());
    let there = world.sim.volumes().len();
    world.pass(60);

    assert_eq!((made.status, there), (200, 1));
    assert!(world.sim.volumes().is_empty());
    assert_eq!(refused(&world, call), "400 IdempotentParameterMismatch: resource already deleted");
}
