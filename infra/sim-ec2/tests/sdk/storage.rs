//! The state in a file.

use aws_sdk_ec2::config::retry::RetryConfig;
use sim_ec2::{Clock, Config, SimEc2};

use super::support::{client, of_instance, world};

#[tokio::test]
async fn a_loaded_simulation_goes_on_where_the_saved_one_was() {
    let folder = tempfile();
    let path = folder.join("ec2.json");
    let world = world();
    let (instance, _) = world.instance();
    let specification = of_instance(&instance);
    world.ec2.create_snapshots().instance_specification(specification).send().await.unwrap();

    world.sim.save(&path).unwrap();
    let clock = Clock::at(world.sim.now());
    let loaded = SimEc2::load(&path, Config::default(), clock).unwrap();

    assert_eq!(loaded.snapshots(), world.sim.snapshots());
    assert_eq!(loaded.instances(), world.sim.instances());
    assert_eq!(loaded.volumes(), world.sim.volumes());
    loaded.clock().advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(loaded.take_events().len(), 1, "what was pending completes");
    let ec2 = client(&loaded, "us-east-1", RetryConfig::disabled());
    let specification = of_instance(&instance);
    ec2.create_snapshots().instance_specification(specification).send().await.unwrap();
    let ids: std::collections::BTreeSet<String> =
        loaded.snapshots().into_iter().map(|snapshot| snapshot.id).collect();
    assert_eq!(ids.len(), 6, "new ids are new");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_revision_grows_with_what_is_stored() {
    let world = world();
    let (_, volumes) = world.instance();
    let start = world.sim.revision();

    world.ec2.describe_volumes().send().await.unwrap();
    let after_reading = world.sim.revision();
    world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    let after_change = world.sim.revision();
    world.pass(60);
    let after_time = world.sim.revision();

    assert_eq!(start, after_reading);
    assert!(after_reading < after_change && after_change < after_time);
}

#[tokio::test]
async fn a_snapshot_removed_behind_our_back_is_gone_without_a_word() {
    let world = world();
    let id = world.snapshot().await;
    world.sim.take_events();

    world.sim.remove_snapshot(&id);

    assert_eq!(world.sim.snapshot(&id), None);
    assert!(world.sim.take_events().is_empty());
    assert!(!world.sim.calls().contains_key("DeleteSnapshot"));
}

fn tempfile() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("sim-ec2-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
