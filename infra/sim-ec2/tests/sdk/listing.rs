//! Lists of snapshots: pages, filters, ids, lag.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::ResourceType;
use jiff::SignedDuration;
use sim_ec2::{Completion, Config, InstanceSpec};

use super::support::{World, filter, refusal, tag, tagged, world, world_with};

/// A world in which snapshots are complete at once and any number can be taken.
fn hasty() -> World {
    world_with(Config {
        completion: Completion { base: SignedDuration::ZERO, per_gib: SignedDuration::ZERO },
        snapshot_interval: SignedDuration::ZERO,
        ..Config::default()
    })
}

#[tokio::test]
async fn twenty_thousand_and_one_snapshots_come_in_twenty_one_pages() {
    let world = hasty();
    let instance = world.sim.instance(&world.sim.add_instance(InstanceSpec::default())).unwrap();
    let form = format!("Action=CreateSnapshot&VolumeId={}", instance.devices[0].volume_id);
    for _ in 0..20_001 {
        assert_eq!(world.sim.answer("us-east-1", form.as_bytes()).status, 200);
    }
    let (mut seen, mut sizes, mut token) = (BTreeSet::new(), Vec::new(), None);

    loop {
        let request = world.ec2.describe_snapshots().owner_ids("self").max_results(1000);
        let page = request.set_next_token(token).send().await.unwrap();
        sizes.push(page.snapshots().len());
        seen.extend(page.snapshots().iter().map(|each| each.snapshot_id().unwrap().to_owned()));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }

    assert_eq!(seen.len(), 20_001);
    assert_eq!((sizes.len(), sizes.last()), (21, Some(&1)));
    assert_eq!(world.sim.calls()["DescribeSnapshots"], 21);
}

#[tokio::test]
async fn a_page_is_not_disturbed_by_what_is_deleted_between() {
    let world = hasty();
    let instance = world.sim.instance(&world.sim.add_instance(InstanceSpec::default())).unwrap();
    for _ in 0..10 {
        world.ec2.create_snapshot().volume_id(&instance.devices[0].volume_id).send().await.unwrap();
    }
    let first = world.ec2.describe_snapshots().max_results(5).send().await.unwrap();
    let last_of_first = first.snapshots()[4].snapshot_id().unwrap();
    world.ec2.delete_snapshot().snapshot_id(last_of_first).send().await.unwrap();

    let second =
        world.ec2.describe_snapshots().max_results(5).set_next_token(first.next_token.clone());
    let second = second.send().await.unwrap();

    assert_eq!(second.snapshots().len(), 5);
    // It is full, so there is a token, although nothing follows.
    let third = world.ec2.describe_snapshots().max_results(5).set_next_token(second.next_token);
    let third = third.send().await.unwrap();
    assert!(third.snapshots().is_empty());
    assert_eq!(third.next_token, None);
}

#[tokio::test]
async fn snapshots_are_found_by_every_filter() {
    let world = world();
    let (_, volumes) = world.instance();
    let specification = tagged(ResourceType::Snapshot, "snapkeep:id", "snp_1");
    let request = world.ec2.create_snapshot().volume_id(&volumes[1]).description("nightly of web");
    let made = request.tag_specifications(specification).send().await.unwrap();
    let id = made.snapshot_id.unwrap();
    world.snapshot().await;
    let found = |name: &'static str, value: String| {
        let request = world.ec2.describe_snapshots().filters(filter(name, &value));
        async move {
            let found = request.send().await.unwrap();
            found
                .snapshots()
                .iter()
                .map(|each| each.snapshot_id().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };

    for (name, value) in [
        ("snapshot-id", id.clone()),
        ("volume-id", volumes[1].clone()),
        ("volume-size", "20".to_owned()),
        ("description", "nightly*".to_owned()),
        ("tag:snapkeep:id", "snp_?".to_owned()),
        ("tag-key", "snapkeep:*".to_owned()),
    ] {
        assert_eq!(found(name, value.clone()).await.join(" "), id, "{name}={value}");
    }
    for (name, value) in [
        ("status", "completed"),
        ("start-time", "2026-11-22*"),
        ("owner-id", "123456789012"),
        ("progress", "100%"),
        ("encrypted", "false"),
        ("storage-tier", "standard"),
    ] {
        assert_eq!(found(name, value.to_owned()).await.len(), 2, "{name}={value}");
    }
    assert!(found("status", "pending".to_owned()).await.is_empty());
    assert!(found("start-time", "2026-11-23*".to_owned()).await.is_empty());
}

#[tokio::test]
async fn a_missing_id_fails_the_whole_call_and_a_filter_does_not() {
    let world = world();
    let (here, gone) = (world.snapshot().await, "snap-0123456789abcdef0");
    let by_id = world.ec2.describe_snapshots().snapshot_ids(&here).snapshot_ids(gone).send().await;
    let both = aws_sdk_ec2::types::Filter::builder().name("snapshot-id").values(&here).values(gone);

    let by_filter = world.ec2.describe_snapshots().filters(both.build()).send().await.unwrap();

    assert_eq!(refusal(by_id), "InvalidSnapshot.NotFound");
    assert_eq!(by_filter.snapshots().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_by_its_code() {
    let world = world();
    let id = world.snapshot().await;
    let list = || world.ec2.describe_snapshots();

    for (result, code) in [
        (list().filters(filter("colour", "red")).send().await, "InvalidParameterValue"),
        (list().max_results(4).send().await, "InvalidParameterValue"),
        (list().max_results(1001).send().await, "InvalidParameterValue"),
        (list().max_results(5).snapshot_ids(&id).send().await, "InvalidParameterCombination"),
        (list().snapshot_ids("snap-xyz").send().await, "InvalidSnapshotID.Malformed"),
        (list().next_token("mine").send().await, "InvalidNextToken"),
        (list().dry_run(true).send().await, "DryRunOperation"),
    ] {
        assert_eq!(refusal(result), code);
    }
}

#[tokio::test]
async fn other_owners_and_other_regions_have_nothing_of_ours() {
    let world = world();
    world.snapshot().await;
    let elsewhere = super::support::client(
        &world.sim,
        "eu-central-1",
        aws_sdk_ec2::config::retry::RetryConfig::disabled(),
    );

    let of_amazon = world.ec2.describe_snapshots().owner_ids("amazon").send().await.unwrap();
    let there = elsewhere.describe_snapshots().owner_ids("self").send().await.unwrap();

    assert!(of_amazon.snapshots().is_empty());
    assert!(there.snapshots().is_empty());
}

#[tokio::test]
async fn describe_lags_behind_and_changing_calls_do_not() {
    let world =
        world_with(Config { visibility_lag: SignedDuration::from_mins(5), ..Config::default() });
    let (_, volumes) = world.instance();
    let made = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    let id = made.snapshot_id.unwrap();
    let listed = || async {
        let found = world.ec2.describe_snapshots().owner_ids("self").send().await.unwrap();
        let tags: usize = found.snapshots().iter().map(|each| each.tags().len()).sum();
        (found.snapshots().len(), tags)
    };

    let unseen = refusal(world.ec2.describe_snapshots().snapshot_ids(&id).send().await);
    world.ec2.create_tags().resources(&id).tags(tag("a", "1")).send().await.unwrap();
    world.pass(299);
    let before = listed().await;
    world.pass(1);
    let after = listed().await;
    world.pass(60);
    world.ec2.delete_snapshot().snapshot_id(&id).send().await.unwrap();
    let still = listed().await;
    world.pass(300);
    let gone = listed().await;

    assert_eq!(unseen, "InvalidSnapshot.NotFound");
    assert_eq!([before, after, still, gone], [(0, 0), (1, 1), (1, 1), (0, 0)]);
}
