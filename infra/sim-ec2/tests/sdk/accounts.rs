//! A second account, which sees nothing of the first but what is shared with it.

use aws_credential_types::Credentials;
use aws_sdk_ec2::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
    types::{CreateVolumePermission, CreateVolumePermissionModifications},
};

use super::support::{World, refusal, world};

const OTHER: &str = "999988887777";

/// The client of an account: its access key is its number.
fn of_account(world: &World, account: &str) -> Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::from_keys(account, "secret", None))
        .http_client(world.sim.http_client())
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

async fn share(world: &World, id: &str) {
    let permission = CreateVolumePermission::builder().user_id(OTHER).build();
    let change = CreateVolumePermissionModifications::builder().add(permission).build();
    let call = world.ec2.modify_snapshot_attribute().snapshot_id(id);
    call.create_volume_permission(change).send().await.unwrap();
}

/// The snapshots that an account lists, each with its owner.
async fn listed(ec2: &Client) -> Vec<(String, String)> {
    let answer = ec2.describe_snapshots().send().await.unwrap();
    let pair = |one: &aws_sdk_ec2::types::Snapshot| {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        (text(one.snapshot_id()), text(one.owner_id()))
    };
    answer.snapshots().iter().map(pair).collect()
}

#[tokio::test]
async fn another_account_has_nothing_of_ours() {
    let world = world();
    let id = world.snapshot().await;
    let other = of_account(&world, OTHER);

    assert!(listed(&other).await.is_empty());
    let named = other.describe_snapshots().snapshot_ids(&id).send().await;
    assert_eq!(refusal(named), "InvalidSnapshot.NotFound");
    let deleted = other.delete_snapshot().snapshot_id(&id).send().await;
    assert_eq!(refusal(deleted), "InvalidSnapshot.NotFound");
    assert!(other.describe_instances().send().await.unwrap().reservations().is_empty());
    assert!(other.describe_volumes().send().await.unwrap().volumes().is_empty());
    assert!(world.sim.snapshot(&id).is_some());
}

#[tokio::test]
async fn what_is_shared_is_seen_used_and_still_its_owners() {
    let world = world();
    let (id, private) = (world.snapshot().await, world.snapshot().await);
    let other = of_account(&world, OTHER);
    share(&world, &id).await;

    assert_eq!(listed(&other).await, [(id.clone(), "123456789012".to_owned())]);
    let own = other.describe_snapshots().owner_ids("self").send().await.unwrap();
    assert!(own.snapshots().is_empty());
    let volume = |id: &str| other.create_volume().availability_zone("us-east-1a").snapshot_id(id);
    volume(&id).send().await.unwrap();
    assert_eq!(refusal(volume(&private).send().await), "InvalidSnapshot.NotFound");
    let deleted = other.delete_snapshot().snapshot_id(&id).send().await;
    assert_eq!(refusal(deleted), "InvalidSnapshot.NotFound");

    let copy = other.copy_snapshot().source_region("us-east-1").source_snapshot_id(&id);
    let copy = copy.send().await.unwrap().snapshot_id.unwrap();
    world.pass(60);
    let own = other.describe_snapshots().owner_ids("self").send().await.unwrap();
    assert_eq!(own.snapshots()[0].snapshot_id(), Some(copy.as_str()));
    assert_eq!(own.snapshots()[0].owner_id(), Some(OTHER));
    // The first account does not see the copy.
    let seen = listed(&world.ec2).await;
    assert!(seen.iter().all(|(id, _)| *id != copy), "{seen:?}");
}

#[tokio::test]
async fn what_others_may_make_volumes_of_is_found_by_who_may() {
    let world = world();
    let (id, private) = (world.snapshot().await, world.snapshot().await);
    share(&world, &id).await;
    let public = world.snapshot().await;
    let everybody = CreateVolumePermission::builder().group("all".into()).build();
    let change = CreateVolumePermissionModifications::builder().add(everybody).build();
    let call = world.ec2.modify_snapshot_attribute().snapshot_id(&public);
    call.create_volume_permission(change).send().await.unwrap();
    let by = async |user: &str| {
        let call = world.ec2.describe_snapshots().owner_ids("self").restorable_by_user_ids(user);
        let answer = call.send().await.unwrap();
        answer
            .snapshots()
            .iter()
            .map(|one| one.snapshot_id().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    assert_eq!(by("all").await, std::slice::from_ref(&public));
    assert_eq!(by(OTHER).await, std::slice::from_ref(&id));
    let mut own = by("self").await;
    own.sort();
    let mut all = vec![id, private, public];
    all.sort();
    assert_eq!(own, all);
}
