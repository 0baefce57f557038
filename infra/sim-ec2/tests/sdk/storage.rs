//! The state in a file.

use aws_sdk_ec2::config::retry::RetryConfig;
use serde_json::Value;
use sim_ec2::{Clock, Config, ReplacementState, RetentionRule, SimEc2, SnapshotState};

use super::support::{client, of_instance, world};

#[tokio::test]
async fn a_loaded_simulation_goes_on_where_the_saved_one_was() {
    let folder = tempfile("loaded");
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

#[tokio::test]
async fn what_was_under_way_goes_on_after_loading() {
    let folder = tempfile("under-way");
    let path = folder.join("ec2.json");
    let world = world();
    world.sim.add_retention_rule("us-east-1", RetentionRule::all(1));
    let (instance, _) = world.instance();
    let (copied, deleted) = (world.snapshot().await, world.snapshot().await);
    let task = world.ec2.create_replace_root_volume_task().instance_id(&instance);
    task.client_token("restore-1").send().await.unwrap();
    let copy = world.ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&copied);
    let copy = copy.send().await.unwrap().snapshot_id.unwrap();
    world.ec2.delete_snapshot().snapshot_id(&deleted).send().await.unwrap();

    world.sim.save(&path).unwrap();
    let loaded = SimEc2::load(&path, Config::default(), Clock::at(world.sim.now())).unwrap();

    assert_eq!(loaded.recycled(), world.sim.recycled());
    assert_eq!(loaded.root_replacements(), world.sim.root_replacements());
    let ec2 = client(&loaded, "us-east-1", RetryConfig::disabled());
    let again = ec2.create_replace_root_volume_task().instance_id(&instance);
    again.client_token("restore-1").send().await.unwrap();
    loaded.clock().advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(loaded.root_replacements()[0].state, ReplacementState::Succeeded);
    assert_eq!(loaded.root_replacements().len(), 1, "the token is known");
    assert_eq!(loaded.snapshot(&copy).unwrap().state, SnapshotState::Completed);
    loaded.clock().advance(jiff::SignedDuration::from_hours(24));
    assert!(loaded.recycled().is_empty());
    std::fs::remove_dir_all(folder).unwrap();
}

/// What the first stored states did not have.
const NEWER: [&str; 12] = [
    "root_replacements",
    "recycle_bin",
    "network",
    "settings",
    "former_roots",
    "support",
    "iops",
    "throughput",
    "copy_of",
    "kms_key_id",
    "shared_with",
    "tiering",
];

fn aged(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !NEWER.contains(&name.as_str()));
            members.values_mut().for_each(aged);
        }
        Value::Array(members) => members.iter_mut().for_each(aged),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn a_state_from_before_these_things_were_known_loads() {
    let folder = tempfile("old");
    let path = folder.join("ec2.json");
    let world = world();
    let (instance, _) = world.instance();
    let snapshot = world.snapshot().await;
    world.sim.save(&path).unwrap();
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    aged(&mut state);
    std::fs::write(&path, state.to_string()).unwrap();

    let loaded = SimEc2::load(&path, Config::default(), Clock::at(world.sim.now())).unwrap();

    assert_eq!(loaded.instances(), world.sim.instances());
    assert_eq!(loaded.snapshots(), world.sim.snapshots());
    let ec2 = client(&loaded, "us-east-1", RetryConfig::disabled());
    ec2.create_replace_root_volume_task().instance_id(&instance).send().await.unwrap();
    let copy = ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&snapshot);
    copy.send().await.unwrap();
    let launch = ec2.run_instances().image_id("ami-0abcdef1234567890").min_count(1).max_count(1);
    launch.send().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

fn tempfile(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("sim-ec2-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
