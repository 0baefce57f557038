//! Snapshots from their beginning to their end.

use aws_sdk_ec2::types::{
    CopyTagsFromSource, InstanceSpecification, LockMode, ResourceType, SnapshotState,
};
use sim_ec2::{Fault, InstanceSpec, InstanceState, SeedVolume};

use super::support::{of_instance, refusal, sorted, tagged, world, world_with};

#[tokio::test]
async fn a_snapshot_is_pending_then_progresses_then_completes() {
    let world = world();
    let (_, volumes) = world.instance();
    let made =
        world.ec2.create_snapshot().volume_id(&volumes[1]).description("d <&> e").send().await;
    let id = made.unwrap().snapshot_id.unwrap();
    let look = || async {
        let found = world.ec2.describe_snapshots().snapshot_ids(&id).send().await.unwrap();
        found.snapshots()[0].clone()
    };

    let at_once = look().await;
    world.pass(16);
    let halfway = look().await;
    world.pass(16);
    let after = look().await;

    assert_eq!(at_once.state, Some(SnapshotState::Pending));
    assert_eq!(at_once.progress(), Some("0%"));
    assert_eq!(at_once.description(), Some("d <&> e"));
    assert_eq!(halfway.progress(), Some("50%"));
    assert_eq!(after.state, Some(SnapshotState::Completed));
    assert_eq!(after.progress(), Some("100%"));
    assert_eq!(after.volume_size, Some(20));
    assert_eq!(after.owner_id(), Some("123456789012"));
    assert!((1..20 << 30).contains(&after.full_snapshot_size_in_bytes.unwrap()));
    assert_eq!(after.start_time, at_once.start_time);
}

#[tokio::test]
async fn a_set_has_all_attached_volumes_one_start_and_the_tags_asked_for() {
    let world = world();
    let (instance, volumes) = world.instance();

    let set = world
        .ec2
        .create_snapshots()
        .instance_specification(of_instance(&instance))
        .copy_tags_from_source(CopyTagsFromSource::Volume)
        .tag_specifications(tagged(ResourceType::Snapshot, "snapkeep:id", "snp_1"))
        .send()
        .await
        .unwrap();

    let of: Vec<&str> = set.snapshots().iter().map(|member| member.volume_id().unwrap()).collect();
    assert_eq!(sorted(of), sorted(volumes.iter().map(String::as_str)));
    assert!(
        set.snapshots().iter().all(|member| member.start_time == set.snapshots()[0].start_time)
    );
    let logs =
        set.snapshots().iter().find(|member| member.volume_id() == Some(&volumes[1])).unwrap();
    let keys: Vec<&str> = logs.tags().iter().map(|tag| tag.key().unwrap()).collect();
    assert_eq!(sorted(keys), ["purpose", "snapkeep:id"]);
    let third =
        set.snapshots().iter().find(|member| member.volume_id() == Some(&volumes[2])).unwrap();
    assert_eq!(third.tags().len(), 1, "a tag of AWS's own is not copied");
}

#[tokio::test]
async fn excluded_volumes_are_left_out() {
    let world = world();
    let (instance, volumes) = world.instance();
    let specification = InstanceSpecification::builder()
        .instance_id(&instance)
        .exclude_boot_volume(true)
        .exclude_data_volume_ids(&volumes[1])
        .build();

    let set = world.ec2.create_snapshots().instance_specification(specification).send().await;

    let of: Vec<String> = set
        .unwrap()
        .snapshots()
        .iter()
        .map(|member| member.volume_id().unwrap().to_owned())
        .collect();
    assert_eq!(of, [volumes[2].clone()]);
}

#[tokio::test]
async fn a_set_ends_in_one_event_when_its_last_member_is_complete() {
    let world = world();
    let (instance, _) = world.instance();
    let specification = of_instance(&instance);
    world.ec2.create_snapshots().instance_specification(specification).send().await.unwrap();

    world.pass(32);
    let too_early = world.sim.take_events();
    world.pass(1);
    let events = world.sim.take_events();

    assert_eq!(too_early.len(), 0);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["detail-type"], "EBS Multi-Volume Snapshots Completion Status");
    assert_eq!(events[0]["detail"]["event"], "createSnapshots");
    assert_eq!(events[0]["detail"]["result"], "succeeded");
    assert_eq!(events[0]["detail"]["snapshots"].as_array().unwrap().len(), 3);
    assert!(world.sim.take_events().is_empty(), "each comes once");
}

#[tokio::test]
async fn a_single_snapshot_ends_in_an_event_of_its_own() {
    let world = world();

    let id = world.snapshot().await;

    let events = world.sim.take_events();
    assert_eq!(events[0]["detail-type"], "EBS Snapshot Notification");
    assert_eq!(events[0]["detail"]["event"], "createSnapshot");
    let arn = format!("arn:aws:ec2::us-east-1:snapshot/{id}");
    assert_eq!(events[0]["detail"]["snapshot_id"], arn.as_str());
    assert_eq!(events[0]["time"], "2026-11-22T06:00:30Z");
}

#[tokio::test]
async fn when_one_member_fails_the_whole_set_is_in_error() {
    let world = world();
    let (instance, _) = world.instance();
    world.sim.fault(Fault::on("CreateSnapshots").member_fails());
    let set = world
        .ec2
        .create_snapshots()
        .instance_specification(of_instance(&instance))
        .send()
        .await
        .unwrap();

    world.pass(60);

    let events = world.sim.take_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["detail"]["result"], "failed");
    let cause = events[0]["detail"]["cause"].as_str().unwrap();
    assert!(cause.ends_with("is in status error"), "{cause}");
    assert_eq!(set.snapshots().len(), 3);
    assert!(world.sim.snapshots().iter().all(|each| each.state == sim_ec2::SnapshotState::Error));
}

#[tokio::test]
async fn a_second_snapshot_of_a_volume_needs_fifteen_seconds() {
    let world = world();
    let (_, volumes) = world.instance();
    let create = || world.ec2.create_snapshot().volume_id(&volumes[0]).send();
    create().await.unwrap();

    world.pass(14);
    let too_soon = refusal(create().await);
    world.pass(1);

    assert_eq!(too_soon, "SnapshotCreationPerVolumeRateExceeded");
    create().await.unwrap();
}

#[tokio::test]
async fn five_snapshots_of_a_volume_may_be_pending_even_if_deleted() {
    let world = world_with(sim_ec2::Config {
        completion: sim_ec2::Completion {
            base: jiff::SignedDuration::from_hours(1),
            ..sim_ec2::Completion::default()
        },
        ..sim_ec2::Config::default()
    });
    let (_, volumes) = world.instance();
    for _ in 0..5 {
        let made = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
        let id = made.snapshot_id.unwrap();
        world.ec2.delete_snapshot().snapshot_id(id).send().await.unwrap();
        world.pass(20);
    }

    let sixth = refusal(world.ec2.create_snapshot().volume_id(&volumes[0]).send().await);

    assert_eq!(sixth, "ConcurrentSnapshotLimitExceeded");
}

#[tokio::test]
async fn one_snapshot_of_a_throughput_volume_may_be_pending() {
    let world = world();
    let spec = InstanceSpec { volumes: vec![], ..InstanceSpec::default() }
        .volume(SeedVolume::new("/dev/xvda", 125).volume_type("st1"));
    let instance = world.sim.instance(&world.sim.add_instance(spec)).unwrap();
    let create = || world.ec2.create_snapshot().volume_id(&instance.devices[0].volume_id).send();
    create().await.unwrap();
    world.pass(20);

    assert_eq!(refusal(create().await), "ConcurrentSnapshotLimitExceeded");
}

#[tokio::test]
async fn a_set_with_one_volume_refused_begins_nothing() {
    let world = world();
    let (instance, volumes) = world.instance();
    world.ec2.create_snapshot().volume_id(&volumes[2]).send().await.unwrap();

    let create = world.ec2.create_snapshots().instance_specification(of_instance(&instance));

    assert_eq!(refusal(create.send().await), "SnapshotCreationPerVolumeRateExceeded");
    assert_eq!(world.sim.snapshots().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_snapshot_is_refused_by_its_code() {
    let world = world();
    let (_, volumes) = world.instance();
    let gone = world.sim.add_instance(InstanceSpec::default().state(InstanceState::Terminated));
    let stranger = world.sim.add_instance(InstanceSpec::default());
    let set =
        |specification| world.ec2.create_snapshots().instance_specification(specification).send();
    let excluding = InstanceSpecification::builder()
        .instance_id(&stranger)
        .exclude_data_volume_ids(&volumes[1])
        .build();

    assert_eq!(
        refusal(set(of_instance("i-0123456789abcdef0")).await),
        "InvalidInstanceID.NotFound"
    );
    assert_eq!(refusal(set(of_instance("web")).await), "InvalidInstanceID.Malformed");
    assert_eq!(refusal(set(of_instance(&gone)).await), "IncorrectInstanceState");
    assert_eq!(refusal(set(excluding).await), "InvalidParameterValue");
    let create = world.ec2.create_snapshot();
    assert_eq!(refusal(create.clone().send().await), "MissingParameter");
    let unknown = create.volume_id("vol-0123456789abcdef0").send().await;
    assert_eq!(refusal(unknown), "InvalidVolume.NotFound");
}

#[tokio::test]
async fn a_deleted_snapshot_is_gone_at_once_and_only_once() {
    let world = world();
    let id = world.snapshot().await;
    let delete = || world.ec2.delete_snapshot().snapshot_id(&id).send();

    delete().await.unwrap();

    assert_eq!(world.sim.snapshot(&id), None);
    assert_eq!(refusal(delete().await), "InvalidSnapshot.NotFound");
}

#[tokio::test]
async fn a_snapshot_deleted_while_pending_goes_when_it_is_complete() {
    let world = world();
    let (_, volumes) = world.instance();
    let made = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    let id = made.snapshot_id.unwrap();

    world.ec2.delete_snapshot().snapshot_id(&id).send().await.unwrap();

    assert!(world.sim.snapshot(&id).is_some());
    world.pass(60);
    assert_eq!(world.sim.snapshot(&id), None);
}

#[tokio::test]
async fn a_locked_snapshot_is_not_deleted_until_the_lock_is_off() {
    let world = world();
    let id = world.snapshot().await;
    let delete = || world.ec2.delete_snapshot().snapshot_id(&id).send();
    let lock = world
        .ec2
        .lock_snapshot()
        .snapshot_id(&id)
        .lock_mode(LockMode::Governance)
        .lock_duration(2)
        .send()
        .await
        .unwrap();

    let refused = refusal(delete().await);
    let listed = world.ec2.describe_locked_snapshots().send().await.unwrap();
    world.ec2.unlock_snapshot().snapshot_id(&id).send().await.unwrap();

    assert_eq!(
        lock.lock_expires_on.unwrap().secs() - lock.lock_created_on.unwrap().secs(),
        172_800
    );
    assert_eq!(refused, "SnapshotLocked");
    assert_eq!(listed.snapshots()[0].snapshot_id(), Some(id.as_str()));
    delete().await.unwrap();
}

#[tokio::test]
async fn a_compliance_lock_holds_until_it_expires() {
    let world = world();
    let id = world.snapshot().await;
    world
        .ec2
        .lock_snapshot()
        .snapshot_id(&id)
        .lock_mode(LockMode::Compliance)
        .lock_duration(1)
        .send()
        .await
        .unwrap();

    let unlock = refusal(world.ec2.unlock_snapshot().snapshot_id(&id).send().await);
    world.pass(86_400);

    assert_eq!(unlock, "SnapshotLocked");
    world.ec2.delete_snapshot().snapshot_id(&id).send().await.unwrap();
}
