//! Snapshots in the archive, and snapshots that others may use.

use aws_sdk_ec2::types::{
    CreateVolumePermission, CreateVolumePermissionModifications, SnapshotAttributeName,
    TargetStorageTier,
};
use sim_ec2::{InstanceSpec, SeedVolume, StorageTier};

use super::support::{World, filter, refusal, world};

const HOUR: i64 = 60 * 60;

async fn archived(world: &World) -> String {
    let id = world.snapshot().await;
    let archive = world.ec2.modify_snapshot_tier().snapshot_id(&id);
    archive.storage_tier(TargetStorageTier::Archive).send().await.unwrap();
    world.pass(HOUR);
    id
}

async fn status(world: &World, id: &str) -> String {
    let request = world.ec2.describe_snapshot_tier_status();
    let found = request.filters(filter("snapshot-id", id)).send().await.unwrap();
    let found = &found.snapshot_tier_statuses()[0];
    let tier = found.storage_tier().unwrap().as_str();
    format!("{tier}, {}", found.last_tiering_operation_status().unwrap().as_str())
}

#[tokio::test]
async fn an_archived_snapshot_makes_no_volume_until_it_is_restored() {
    let world = world();
    let id = archived(&world).await;
    let create = || {
        let request = world.ec2.create_volume().availability_zone("us-east-1a");
        request.snapshot_id(&id).send()
    };

    assert_eq!(status(&world, &id).await, "archive, archival-completed");
    assert_eq!(refusal(create().await), "IncorrectState");
    let restore = world.ec2.restore_snapshot_tier().snapshot_id(&id);
    let restored = restore.temporary_restore_days(2).send().await.unwrap();
    assert_eq!(restored.restore_duration(), Some(2));
    assert_eq!(status(&world, &id).await, "archive, temporary-restore-in-progress");
    world.pass(HOUR);
    assert_eq!(status(&world, &id).await, "standard, temporary-restore-completed");
    create().await.unwrap();
    world.pass(48 * HOUR);
    assert_eq!(world.sim.snapshot(&id).unwrap().tiering.tier, StorageTier::Archive);
}

#[tokio::test]
async fn a_temporary_restore_is_made_permanent_at_once() {
    let world = world();
    let id = archived(&world).await;
    let restore = || world.ec2.restore_snapshot_tier().snapshot_id(&id);
    restore().temporary_restore_days(1).send().await.unwrap();
    world.pass(HOUR);

    restore().permanent_restore(true).send().await.unwrap();

    assert_eq!(status(&world, &id).await, "standard, permanent-restore-completed");
    world.pass(72 * HOUR);
    assert_eq!(world.sim.snapshot(&id).unwrap().tiering.tier, StorageTier::Standard);
    let found = world.ec2.describe_snapshots().filters(filter("storage-tier", "standard"));
    assert_eq!(found.send().await.unwrap().snapshots().len(), 1);
    assert_eq!(refusal(restore().permanent_restore(true).send().await), "IncorrectState");
}

#[tokio::test]
async fn what_cannot_be_archived_or_restored_is_refused_by_its_code() {
    let world = world();
    let id = archived(&world).await;
    let archive = |id: &str| world.ec2.modify_snapshot_tier().snapshot_id(id).send();
    let restore = || world.ec2.restore_snapshot_tier().snapshot_id(&id);

    assert_eq!(refusal(archive(&id).await), "IncorrectState");
    assert_eq!(refusal(archive("snap-0123456789abcdef0").await), "InvalidSnapshot.NotFound");
    assert_eq!(refusal(restore().send().await), "MissingParameter");
    let long = restore().temporary_restore_days(181).send().await;
    assert_eq!(refusal(long), "InvalidParameterValue");
    let both = restore().temporary_restore_days(1).permanent_restore(true).send().await;
    assert_eq!(refusal(both), "InvalidParameterCombination");
}

fn account(id: &str) -> CreateVolumePermission {
    CreateVolumePermission::builder().user_id(id).build()
}

async fn users(world: &World, id: &str) -> Vec<String> {
    let request = world.ec2.describe_snapshot_attribute().snapshot_id(id);
    let request = request.attribute(SnapshotAttributeName::CreateVolumePermission);
    let found = request.send().await.unwrap();
    let user = |each: &CreateVolumePermission| match each.user_id() {
        Some(id) => id.to_owned(),
        None => each.group().unwrap().as_str().to_owned(),
    };
    found.create_volume_permissions().iter().map(user).collect()
}

#[tokio::test]
async fn a_snapshot_is_shared_and_taken_back() {
    let world = world();
    let id = world.snapshot().await;
    let modify = || world.ec2.modify_snapshot_attribute().snapshot_id(&id);
    let changes = || CreateVolumePermissionModifications::builder();

    let added = changes().add(account("111122223333")).add(account("444455556666")).build();
    modify().create_volume_permission(added).send().await.unwrap();
    let shared = users(&world, &id).await;
    let removed = changes().remove(account("111122223333")).build();
    modify().create_volume_permission(removed).send().await.unwrap();
    let public = modify().operation_type("add".into()).group_names("all");
    public.send().await.unwrap();

    assert_eq!(shared, ["111122223333", "444455556666"]);
    assert_eq!(users(&world, &id).await, ["444455556666", "all"]);
    let both = changes().add(account("111122223333")).remove(account("444455556666")).build();
    let both = modify().create_volume_permission(both).send().await;
    assert_eq!(refusal(both), "InvalidParameterCombination");
    let odd = modify().create_volume_permission(changes().add(account("me")).build()).send().await;
    assert_eq!(refusal(odd), "InvalidUserID.Malformed");
}

#[tokio::test]
async fn what_is_encrypted_with_the_default_key_is_not_shared() {
    let world = world();
    let spec = InstanceSpec { volumes: vec![], ..InstanceSpec::default() };
    let spec = spec.volume(SeedVolume::new("/dev/xvda", 8).encrypted());
    let instance = world.sim.instance(&world.sim.add_instance(spec)).unwrap();
    let made = world.ec2.create_snapshot().volume_id(&instance.devices[0].volume_id);
    let id = made.send().await.unwrap().snapshot_id.unwrap();
    let modify = world.ec2.modify_snapshot_attribute().snapshot_id(&id);

    let shared = modify.operation_type("add".into()).user_ids("111122223333").send().await;

    assert_eq!(refusal(shared), "OperationNotPermitted");
}
