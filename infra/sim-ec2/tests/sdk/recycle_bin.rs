//! Deleted snapshots that a rule keeps.

use sim_ec2::RetentionRule;

use super::support::{World, refusal, tag, world};

const DAY: i64 = 24 * 60 * 60;

/// A completed snapshot that is ours, deleted.
async fn deleted(world: &World) -> String {
    let id = world.snapshot().await;
    world.ec2.create_tags().resources(&id).tags(tag("ours", "yes")).send().await.unwrap();
    world.ec2.delete_snapshot().snapshot_id(&id).send().await.unwrap();
    id
}

async fn in_bin(world: &World) -> Vec<String> {
    let listed = world.ec2.list_snapshots_in_recycle_bin().send().await.unwrap();
    listed.snapshots().iter().map(|each| each.snapshot_id().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_deleted_snapshot_that_a_rule_keeps_is_in_the_bin_until_its_time_is_over() {
    let world = world();
    world.sim.add_retention_rule("us-east-1", RetentionRule::tagged("ours", "yes", 7));

    let id = deleted(&world).await;
    let other = world.snapshot().await;
    world.ec2.delete_snapshot().snapshot_id(&other).send().await.unwrap();

    assert_eq!(in_bin(&world).await, [&*id]);
    let listed = world.ec2.list_snapshots_in_recycle_bin().snapshot_ids(&id).send().await.unwrap();
    let listed = &listed.snapshots()[0];
    let entered = listed.recycle_bin_enter_time().unwrap().secs();
    assert_eq!(listed.recycle_bin_exit_time().unwrap().secs() - entered, 7 * DAY);
    let gone = world.ec2.describe_snapshots().snapshot_ids(&id).send().await;
    assert_eq!(refusal(gone), "InvalidSnapshot.NotFound");
    world.pass(7 * DAY - 120);
    assert_eq!(in_bin(&world).await, [&*id]);
    world.pass(120);
    assert!(in_bin(&world).await.is_empty());
    let late = world.ec2.restore_snapshot_from_recycle_bin().snapshot_id(&id).send().await;
    assert_eq!(refusal(late), "InvalidSnapshot.NotFound");
}

#[tokio::test]
async fn a_snapshot_comes_back_as_it_was() {
    let world = world();
    world.sim.add_retention_rule("us-east-1", RetentionRule::tagged("ours", "yes", 7));
    let id = deleted(&world).await;
    let again = world.ec2.delete_snapshot().snapshot_id(&id).send().await;
    assert_eq!(refusal(again), "InvalidSnapshot.NotFound");
    let kept = world.sim.recycled().remove(0).snapshot;

    let back = world.ec2.restore_snapshot_from_recycle_bin().snapshot_id(&id).send().await.unwrap();

    assert_eq!(back.snapshot_id(), Some(&*id));
    assert_eq!(back.state().unwrap().as_str(), "completed");
    let restored = world.sim.snapshot(&id).unwrap();
    assert_eq!(kept.tags["aws:recycle-bin:resource-in-bin"], "true");
    assert_eq!(restored.tags.keys().collect::<Vec<_>>(), ["ours"]);
    assert_eq!((restored.volume_id, restored.started_at), (kept.volume_id, kept.started_at));
    assert!(in_bin(&world).await.is_empty());
    let found = world.ec2.describe_snapshots().snapshot_ids(&id).send().await.unwrap();
    assert_eq!(found.snapshots().len(), 1);
    world.pass(8 * DAY);
    assert!(world.sim.snapshot(&id).is_some(), "the bin has forgotten it");
}

#[tokio::test]
async fn a_snapshot_deleted_while_pending_enters_the_bin_when_it_is_complete() {
    let world = world();
    world.sim.add_retention_rule("us-east-1", RetentionRule::all(1));
    let (_, volumes) = world.instance();
    let made = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    let id = made.snapshot_id.unwrap();
    world.ec2.delete_snapshot().snapshot_id(&id).send().await.unwrap();

    assert!(in_bin(&world).await.is_empty());
    world.pass(60);
    assert_eq!(in_bin(&world).await, [id]);
}

#[tokio::test]
async fn the_rule_with_the_longest_time_counts() {
    let world = world();
    world.sim.add_retention_rule("us-east-1", RetentionRule::tagged("ours", "yes", 7));
    world.sim.add_retention_rule("us-east-1", RetentionRule::all(2).excluding("ours", "no"));
    world.sim.add_retention_rule("eu-west-1", RetentionRule::all(300));

    deleted(&world).await;
    world.pass(3 * DAY);

    assert_eq!(in_bin(&world).await.len(), 1);
}

#[tokio::test]
async fn the_bin_is_listed_in_pages() {
    let world = world();
    world.sim.add_retention_rule("us-east-1", RetentionRule::all(7));
    for _ in 0..7 {
        deleted(&world).await;
    }
    let list = || world.ec2.list_snapshots_in_recycle_bin().max_results(5);

    let first = list().send().await.unwrap();
    let second = list().set_next_token(first.next_token.clone()).send().await.unwrap();

    assert_eq!((first.snapshots().len(), second.snapshots().len()), (5, 2));
    assert!(second.next_token().is_none());
    let unknown = world.ec2.list_snapshots_in_recycle_bin().snapshot_ids("snap-0123456789abcdef0");
    assert_eq!(refusal(unknown.send().await), "InvalidSnapshot.NotFound");
}
