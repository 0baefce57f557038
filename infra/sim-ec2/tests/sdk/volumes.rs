//! Volumes: made, attached, detached, deleted.

use aws_sdk_ec2::types::{VolumeState, VolumeType};
use sim_ec2::InstanceSpec;

use super::support::{World, filter, refusal, world};

async fn made(world: &World, zone: &str) -> String {
    let volume = world.ec2.create_volume().availability_zone(zone).size(10).send().await.unwrap();
    world.pass(2);
    volume.volume_id.unwrap()
}

#[tokio::test]
async fn a_volume_is_made_attached_detached_and_deleted() {
    let world = world();
    let (instance, _) = world.instance();
    let volume = made(&world, "us-east-1a").await;
    let state = || async {
        let found = world.ec2.describe_volumes().volume_ids(&volume).send().await.unwrap();
        found.volumes()[0].state().unwrap().clone()
    };
    let mut states = vec![state().await];

    let attach = world.ec2.attach_volume().volume_id(&volume).instance_id(&instance);
    attach.device("/dev/sdh").send().await.unwrap();
    world.pass(2);
    states.push(state().await);
    let in_use = refusal(world.ec2.delete_volume().volume_id(&volume).send().await);
    let devices = world.sim.instance(&instance).unwrap().devices.len();
    world.ec2.detach_volume().volume_id(&volume).send().await.unwrap();
    world.pass(2);
    states.push(state().await);
    world.ec2.delete_volume().volume_id(&volume).send().await.unwrap();

    assert_eq!(states, [VolumeState::Available, VolumeState::InUse, VolumeState::Available]);
    assert_eq!((in_use.as_str(), devices), ("VolumeInUse", 4));
    assert_eq!(world.sim.instance(&instance).unwrap().devices.len(), 3);
    let gone = world.ec2.describe_volumes().volume_ids(&volume).send().await;
    assert_eq!(refusal(gone), "InvalidVolume.NotFound");
}

/// "Multi-Attach is supported exclusively on Provisioned IOPS SSD (io1 and io2) volumes", and none of them is a boot volume.
#[tokio::test]
async fn some_volumes_can_be_at_several_instances_at_once() {
    let world = world();
    let (one, _) = world.instance();
    let (other, _) = world.instance();
    let create = |kind: VolumeType| {
        let request = world.ec2.create_volume().availability_zone("us-east-1a").size(10);
        let iops = (kind == VolumeType::Io2).then_some(100);
        request.volume_type(kind).set_iops(iops).multi_attach_enabled(true).send()
    };
    let attach = |volume: &str, instance: &str, device: &str| {
        let request = world.ec2.attach_volume().volume_id(volume).instance_id(instance);
        request.device(device).send()
    };

    assert_eq!(refusal(create(VolumeType::Gp3).await), "InvalidParameterCombination");
    let volume = create(VolumeType::Io2).await.unwrap().volume_id.unwrap();
    world.pass(2);
    attach(&volume, &one, "/dev/sdh").await.unwrap();
    attach(&volume, &other, "/dev/sdh").await.unwrap();
    world.pass(2);

    assert_eq!(refusal(attach(&volume, &one, "/dev/sdi").await), "VolumeInUse");
    let found = world.ec2.describe_volumes().volume_ids(&volume).send().await.unwrap();
    assert_eq!(found.volumes()[0].attachments().len(), 2);
    assert_eq!(found.volumes()[0].multi_attach_enabled(), Some(true));
    let detach = world.ec2.detach_volume().volume_id(&volume);
    assert_eq!(refusal(detach.clone().send().await), "MissingParameter");
    detach.instance_id(&other).send().await.unwrap();
    world.pass(2);
    let found = world.ec2.describe_volumes().volume_ids(&volume).send().await.unwrap();
    assert_eq!(found.volumes()[0].attachments().len(), 1);
}

#[tokio::test]
async fn a_client_token_makes_one_volume() {
    let world = world();
    let create = |size: i32| {
        let request = world.ec2.create_volume().availability_zone("us-east-1a");
        request.size(size).client_token("restore-1").send()
    };

    let first = create(10).await.unwrap().volume_id;
    let second = create(10).await.unwrap().volume_id;

    assert_eq!(first, second);
    assert_eq!(world.sim.volumes().len(), 1);
    assert_eq!(refusal(create(11).await), "IdempotentParameterMismatch");
}

#[tokio::test]
async fn a_volume_is_not_smaller_than_its_snapshot() {
    let world = world();
    let snapshot = world.snapshot().await;
    let create =
        || world.ec2.create_volume().availability_zone("us-east-1b").snapshot_id(&snapshot);

    let same = create().volume_type(VolumeType::Gp3).send().await.unwrap();
    let larger = create().size(9).send().await.unwrap();

    assert_eq!((same.size, larger.size), (Some(8), Some(9)));
    assert_eq!(same.snapshot_id(), Some(snapshot.as_str()));
    assert_eq!(refusal(create().size(7).send().await), "InvalidParameterValue");
}

#[tokio::test]
async fn a_pending_snapshot_makes_no_volume() {
    let world = world();
    let (_, volumes) = world.instance();
    let made = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    let create = world.ec2.create_volume().availability_zone("us-east-1a");

    let refused = refusal(create.set_snapshot_id(made.snapshot_id).send().await);

    assert_eq!(refused, "IncorrectState");
}

#[tokio::test]
async fn what_cannot_be_done_to_a_volume_is_refused_by_its_code() {
    let world = world();
    let (instance, volumes) = world.instance();
    let far = made(&world, "us-east-1b").await;
    let near = made(&world, "us-east-1a").await;
    let attach = |volume: &str, device: &str| {
        let request = world.ec2.attach_volume().volume_id(volume).instance_id(&instance);
        request.device(device).send()
    };
    let create = || world.ec2.create_volume();

    for (result, code) in [
        (attach(&far, "/dev/sdh").await, "InvalidVolume.ZoneMismatch"),
        (attach(&volumes[1], "/dev/sdh").await, "VolumeInUse"),
        (attach(&near, "/dev/sdf").await, "InvalidParameterValue"),
    ] {
        assert_eq!(refusal(result), code);
    }
    for (result, code) in [
        (create().size(1).send().await, "MissingParameter"),
        (create().size(1).availability_zone("mars-1a").send().await, "InvalidZone.NotFound"),
        (create().availability_zone("us-east-1a").send().await, "MissingParameter"),
        (
            create().availability_zone("us-east-1a").size(1).volume_type("gp9".into()).send().await,
            "UnknownVolumeType",
        ),
    ] {
        assert_eq!(refusal(result), code);
    }
    let detach = |volume: &str| world.ec2.detach_volume().volume_id(volume).send();
    assert_eq!(refusal(detach(&near).await), "IncorrectState");
    assert_eq!(refusal(detach(&volumes[0]).await), "OperationNotPermitted");
}

#[tokio::test]
async fn a_rate_of_initialization_is_of_a_volume_of_a_snapshot_and_shown() {
    let world = world();
    let snapshot = world.snapshot().await;
    let create = || world.ec2.create_volume().availability_zone("us-east-1a");
    let of_snapshot = |rate: i32| create().snapshot_id(&snapshot).volume_initialization_rate(rate);

    for rate in [100, 300] {
        let made = of_snapshot(rate).send().await.unwrap();
        assert_eq!(made.volume_initialization_rate, Some(rate));
        let found = world.ec2.describe_volumes().volume_ids(made.volume_id().unwrap());
        let found = found.send().await.unwrap();
        assert_eq!(found.volumes()[0].volume_initialization_rate, Some(rate));
    }
    let usual = create().snapshot_id(&snapshot).send().await.unwrap();
    assert_eq!(usual.volume_initialization_rate, None);
    for rate in [0, 99, 301] {
        assert_eq!(refusal(of_snapshot(rate).send().await), "InvalidParameterValue", "{rate}");
    }
    let empty = create().size(1).volume_initialization_rate(100).send().await;
    assert_eq!(refusal(empty), "InvalidParameterCombination");
}

#[tokio::test]
async fn a_volume_can_be_put_at_several_instances_and_is_taken_off_one_at_a_time() {
    let world = world();
    let (one, volumes) = world.instance();
    let (other, _) = world.instance();
    world.sim.share_volume(&volumes[1], &other, "/dev/sdx");
    let places = || async {
        let found = world.ec2.describe_volumes().volume_ids(&volumes[1]).send().await.unwrap();
        let of = |place: &aws_sdk_ec2::types::VolumeAttachment| {
            (place.instance_id().unwrap().to_owned(), place.device().unwrap().to_owned())
        };
        found.volumes()[0].attachments().iter().map(of).collect::<Vec<_>>()
    };
    let (here, there) =
        ((one.clone(), "/dev/sdf".to_owned()), (other.clone(), "/dev/sdx".to_owned()));
    assert_eq!(places().await, [here, there.clone()]);
    let found = world.ec2.describe_volumes();
    let found = found.filters(filter("attachment.instance-id", &other)).send().await.unwrap();
    assert_eq!(found.volumes().len(), 4);

    let off = |instance: &str| {
        world.ec2.detach_volume().volume_id(&volumes[1]).instance_id(instance).send()
    };
    off(&one).await.unwrap();
    world.pass(2);
    assert_eq!(places().await, [there]);
    off(&other).await.unwrap();
    world.pass(2);
    assert_eq!(places().await, []);
    assert_eq!(world.sim.instance(&other).unwrap().devices.len(), 3);
}

#[tokio::test]
async fn volumes_are_found_by_their_instance() {
    let world = world();
    let (instance, _) = world.instance();
    world.sim.add_instance(InstanceSpec::default());

    let request = world.ec2.describe_volumes();
    let found = request.filters(filter("attachment.instance-id", &instance)).send().await.unwrap();

    assert_eq!(found.volumes().len(), 3);
    assert!(found.volumes().iter().all(|volume| volume.attachments().len() == 1));
}
