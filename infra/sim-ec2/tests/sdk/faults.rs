//! What goes wrong on request, and throttling.

use aws_sdk_ec2::config::retry::RetryConfig;
use jiff::SignedDuration;
use sim_ec2::{Config, EventFault, Fault, Throttling};

use super::support::{client, default_retries, of_instance, refusal, world, world_with};

#[tokio::test]
async fn with_the_sdks_own_retries_a_lost_reply_makes_two_sets() {
    let world = world();
    let (instance, _) = world.instance();
    let ec2 = client(&world.sim, "us-east-1", default_retries());
    let lost =
        Fault::on("CreateSnapshots").reply_lost().noticed_after(SignedDuration::from_secs(20));
    world.sim.fault(lost);

    let set = ec2.create_snapshots().instance_specification(of_instance(&instance)).send().await;

    assert_eq!(set.unwrap().snapshots().len(), 3, "the caller knows of one set");
    assert_eq!(world.sim.snapshots().len(), 6, "and there are two");
    assert_eq!(world.sim.calls()["CreateSnapshots"], 2);
}

#[tokio::test]
async fn a_retry_within_fifteen_seconds_is_refused_though_the_set_exists() {
    let world = world();
    let (instance, _) = world.instance();
    let ec2 = client(&world.sim, "us-east-1", default_retries());
    world.sim.fault(Fault::on("CreateSnapshots").reply_lost());

    let set = ec2.create_snapshots().instance_specification(of_instance(&instance)).send().await;

    assert_eq!(refusal(set), "SnapshotCreationPerVolumeRateExceeded");
    assert_eq!(world.sim.snapshots().len(), 3);
}

#[tokio::test]
async fn without_retries_a_lost_reply_is_an_unknown_outcome() {
    let world = world();
    let (instance, _) = world.instance();

    for (fault, made) in [
        (Fault::on("CreateSnapshots").timeout(), 0),
        (Fault::on("CreateSnapshots").reset(), 0),
        (Fault::on("CreateSnapshots").reply_timed_out(), 3),
    ] {
        world.sim.fault(fault);
        let specification = of_instance(&instance);
        let set = world.ec2.create_snapshots().instance_specification(specification).send().await;

        assert!(refusal(set).starts_with("not answered"));
        assert_eq!(world.sim.snapshots().len(), made);
    }
}

#[tokio::test]
async fn a_fault_skips_strikes_and_is_spent() {
    let world = world();
    world.sim.fault(Fault::on("DescribeVolumes").skip(1).times(2).error("Unavailable", 503));

    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(world.ec2.describe_volumes().send().await.is_ok());
    }

    assert_eq!(answers, [true, false, false, true]);
}

#[tokio::test]
async fn an_internal_error_is_a_500_and_changes_nothing() {
    let world = world();
    let id = world.snapshot().await;
    world.sim.fault(Fault::on("DeleteSnapshot").internal_error());

    let refused = refusal(world.ec2.delete_snapshot().snapshot_id(&id).send().await);

    assert_eq!(refused, "InternalError");
    assert!(world.sim.snapshot(&id).is_some());
}

#[tokio::test]
async fn a_slow_answer_takes_simulated_time() {
    let world = world();
    let before = world.sim.now();
    world.sim.fault(Fault::on("*").slow(90_000));

    world.ec2.describe_volumes().send().await.unwrap();

    assert_eq!(world.sim.now().duration_since(before), SignedDuration::from_secs(90));
}

#[tokio::test]
async fn a_burst_is_throttled_and_counted() {
    let world = world_with(Config { throttling: Throttling::Default, ..Config::default() });
    let id = world.sim.add_instance(sim_ec2::InstanceSpec::default());
    let stop = || world.ec2.create_tags().resources(&id).tags(super::support::tag("a", "1")).send();
    for _ in 0..100 {
        stop().await.unwrap();
    }

    let refused = refusal(stop().await);
    world.pass(1);
    for _ in 0..5 {
        stop().await.unwrap();
    }

    assert_eq!(refused, "RequestLimitExceeded");
    assert_eq!(refusal(stop().await), "RequestLimitExceeded");
    assert_eq!(world.sim.calls()["CreateTags"], 107);
    assert_eq!(world.sim.throttled()["CreateTags"], 2);
    world.sim.reset_calls();
    assert!(world.sim.calls().is_empty() && world.sim.throttled().is_empty());
}

#[tokio::test]
async fn regions_have_buckets_of_their_own() {
    let world = world_with(Config { throttling: Throttling::Default, ..Config::default() });
    let elsewhere = client(&world.sim, "eu-west-1", RetryConfig::disabled());
    for _ in 0..101 {
        world.ec2.describe_volumes().send().await.ok();
    }

    assert_eq!(world.sim.throttled()["DescribeVolumes"], 1);
    elsewhere.describe_volumes().send().await.unwrap();
}

#[tokio::test]
async fn a_lost_event_stays_lost_and_a_doubled_one_comes_twice() {
    let world = world();
    world.sim.event_fault(EventFault::lost());
    world.sim.event_fault(EventFault::doubled());

    world.snapshot().await;
    let first = world.sim.take_events().len();
    world.snapshot().await;
    let second = world.sim.take_events();

    assert_eq!(first, 0);
    assert_eq!(second.len(), 2);
    assert_eq!(second[0], second[1]);
}
