//! Images, and the snapshots they hold.

use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice, ImageState};

use super::support::{World, filter, refusal, world};

async fn registered(world: &World, snapshot: &str, name: &str) -> String {
    let ebs = EbsBlockDevice::builder().snapshot_id(snapshot).build();
    let device = BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(ebs).build();
    let request = world.ec2.register_image().name(name).root_device_name("/dev/xvda");
    request.block_device_mappings(device).send().await.unwrap().image_id.unwrap()
}

#[tokio::test]
async fn a_snapshot_of_an_image_is_in_use_even_when_it_is_disabled() {
    let world = world();
    let snapshot = world.snapshot().await;
    let image = registered(&world, &snapshot, "golden").await;
    let delete = || world.ec2.delete_snapshot().snapshot_id(&snapshot).send();

    let error = delete().await.unwrap_err().into_service_error();
    world.ec2.disable_image().image_id(&image).send().await.unwrap();
    let disabled = refusal(delete().await);
    world.ec2.deregister_image().image_id(&image).send().await.unwrap();

    let message = format!("The snapshot {snapshot} is currently in use by {image}");
    assert_eq!(error.meta().message(), Some(message.as_str()));
    assert_eq!(disabled, "InvalidSnapshot.InUse");
    delete().await.unwrap();
}

#[tokio::test]
async fn a_disabled_image_is_listed_only_when_asked_for() {
    let world = world();
    let snapshot = world.snapshot().await;
    let image = registered(&world, &snapshot, "golden").await;
    world.ec2.disable_image().image_id(&image).send().await.unwrap();
    let list = || {
        let by_snapshot = filter("block-device-mapping.snapshot-id", &snapshot);
        world.ec2.describe_images().owners("self").filters(by_snapshot)
    };

    let plain = list().send().await.unwrap();
    let all = list().include_disabled(true).send().await.unwrap();

    assert!(plain.images().is_empty());
    assert_eq!(all.images()[0].state, Some(ImageState::Disabled));
    world.ec2.enable_image().image_id(&image).send().await.unwrap();
    assert_eq!(list().send().await.unwrap().images().len(), 1);
}

#[tokio::test]
async fn an_image_of_an_instance_waits_for_its_snapshots() {
    let world = world();
    let (instance, _) = world.instance();
    let made = world.ec2.create_image().instance_id(&instance).name("of web").send().await.unwrap();
    let look = || async {
        let found = world.ec2.describe_images().owners("self").send().await.unwrap();
        found.images()[0].clone()
    };

    let pending = look().await;
    world.pass(60);
    let available = look().await;

    assert_eq!(pending.image_id, made.image_id);
    assert_eq!(pending.state, Some(ImageState::Pending));
    assert_eq!(available.state, Some(ImageState::Available));
    assert_eq!(available.block_device_mappings().len(), 3);
    assert_eq!(world.sim.snapshots().len(), 3);
}

#[tokio::test]
async fn a_deregistered_image_takes_its_snapshots_along_when_told() {
    let world = world();
    let (shared, own) = (world.snapshot().await, world.snapshot().await);
    registered(&world, &shared, "other").await;
    let first = registered(&world, &shared, "first").await;
    let second = registered(&world, &own, "second").await;
    let deregister = |image: String| {
        world.ec2.deregister_image().image_id(image).delete_associated_snapshots(true).send()
    };

    let skipped = deregister(first).await.unwrap();
    let deleted = deregister(second).await.unwrap();

    let code = |results: &[aws_sdk_ec2::types::DeleteSnapshotReturnCode]| {
        results[0].return_code().unwrap().as_str().to_owned()
    };
    assert_eq!(code(skipped.delete_snapshot_results()), "skipped");
    assert_eq!(code(deleted.delete_snapshot_results()), "success");
    assert_eq!(world.sim.snapshots().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_by_its_code() {
    let world = world();
    let snapshot = world.snapshot().await;
    registered(&world, &snapshot, "golden").await;
    let register = |name: &str| world.ec2.register_image().name(name).send();

    assert_eq!(refusal(register("golden").await), "InvalidAMIName.Duplicate");
    assert_eq!(refusal(register("x").await), "InvalidAMIName.Malformed");
    assert_eq!(refusal(register("fine").await), "InvalidBlockDeviceMapping");
    let deregister = world.ec2.deregister_image().image_id("ami-0abcdef1234567890").send().await;
    assert_eq!(refusal(deregister), "AuthFailure", "Amazon's images are not ours");
}
