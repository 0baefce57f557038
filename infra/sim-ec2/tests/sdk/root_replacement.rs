//! Root volumes that are replaced while their instance runs.

use aws_sdk_ec2::types::{ReplaceRootVolumeTask, ReplaceRootVolumeTaskState, ResourceType};
use sim_ec2::{Fault, InstanceSpec, InstanceState, RootDevice, VolumeState};

use super::support::{World, filter, refusal, tagged, world};

/// A running instance, its root volume, and a completed snapshot of that volume.
async fn with_snapshot(world: &World) -> (String, String, String) {
    let (instance, volumes) = world.instance();
    let made = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    world.pass(60);
    (instance, volumes[0].clone(), made.snapshot_id.unwrap())
}

async fn asked(world: &World, instance: &str, snapshot: &str) -> ReplaceRootVolumeTask {
    let request = world.ec2.create_replace_root_volume_task().instance_id(instance);
    let made = request.snapshot_id(snapshot).client_token("restore-1").send().await.unwrap();
    made.replace_root_volume_task.unwrap()
}

async fn look(world: &World, id: &str) -> ReplaceRootVolumeTask {
    let request = world.ec2.describe_replace_root_volume_tasks();
    let found = request.replace_root_volume_task_ids(id).send().await.unwrap();
    found.replace_root_volume_tasks()[0].clone()
}

fn root_of(world: &World, instance: &str) -> String {
    world.sim.instance(instance).unwrap().devices[0].volume_id.clone()
}

#[tokio::test]
async fn a_root_volume_is_replaced_from_a_snapshot_of_it() {
    use ReplaceRootVolumeTaskState::{InProgress, Pending, Succeeded};

    let world = world();
    let (instance, old, snapshot) = with_snapshot(&world).await;
    let task = asked(&world, &instance, &snapshot).await;
    let id = task.replace_root_volume_task_id().unwrap();
    let mut states = vec![task.task_state().unwrap().clone()];

    world.pass(2);
    states.push(look(&world, id).await.task_state.unwrap());
    let meanwhile = root_of(&world, &instance);
    world.pass(10);
    let done = look(&world, id).await;
    states.push(done.task_state().unwrap().clone());

    assert_eq!(states, [Pending, InProgress, Succeeded]);
    assert_eq!((done.snapshot_id(), done.start_time()), (Some(&*snapshot), task.start_time()));
    assert!(done.complete_time().is_some() && task.complete_time().is_none());
    let new = root_of(&world, &instance);
    assert_eq!(meanwhile, old);
    assert_ne!(new, old);
    let volumes = world.sim.volumes();
    let find = |id: &str| volumes.iter().find(|volume| volume.id == id).unwrap().clone();
    let (new, old) = (find(&new), find(&old));
    assert_eq!(new.snapshot_id, Some(snapshot));
    assert_eq!((new.size_gib, &new.volume_type, &new.zone), (8, &old.volume_type, &old.zone));
    assert_eq!(new.attachment.unwrap().device, "/dev/xvda");
    assert_eq!((old.state, old.attachment), (VolumeState::Available, None));
    assert_eq!(world.sim.instance(&instance).unwrap().state, InstanceState::Running);
    assert_eq!(volumes.len(), 4, "the data volumes are as they were");
}

#[tokio::test]
async fn a_client_token_makes_one_task() {
    let world = world();
    let (instance, _, snapshot) = with_snapshot(&world).await;

    let first = asked(&world, &instance, &snapshot).await;
    let second = asked(&world, &instance, &snapshot).await;

    assert_eq!(first.replace_root_volume_task_id, second.replace_root_volume_task_id);
    assert_eq!(world.sim.root_replacements().len(), 1);
    let other = world.ec2.create_replace_root_volume_task().instance_id(&instance);
    let other = other.client_token("restore-1").send().await;
    assert_eq!(refusal(other), "IdempotentParameterMismatch");
}

#[tokio::test]
async fn the_old_volume_goes_when_asked_for() {
    let world = world();
    let (instance, old, _) = with_snapshot(&world).await;
    let request = world.ec2.create_replace_root_volume_task().instance_id(&instance);

    let task = request.delete_replaced_root_volume(true).send().await.unwrap();
    world.pass(12);

    assert_eq!(task.replace_root_volume_task().unwrap().delete_replaced_root_volume(), Some(true));
    assert!(world.sim.volumes().iter().all(|volume| volume.id != old));
    assert_eq!(world.sim.volumes().len(), 3);
}

#[tokio::test]
async fn snapshots_of_the_replaced_volume_stay_of_the_lineage() {
    let world = world();
    let (instance, _, snapshot) = with_snapshot(&world).await;
    asked(&world, &instance, &snapshot).await;
    world.pass(12);

    let again = world.ec2.create_replace_root_volume_task().instance_id(&instance);
    again.snapshot_id(&snapshot).send().await.unwrap();
    world.pass(12);

    assert_eq!(world.sim.instance(&instance).unwrap().former_roots.len(), 2);
}

#[tokio::test]
async fn a_task_that_fails_leaves_the_old_volume() {
    use ReplaceRootVolumeTaskState::{Failed, Failing};

    let world = world();
    let (instance, old, snapshot) = with_snapshot(&world).await;
    world.sim.fault(Fault::on("CreateReplaceRootVolumeTask").member_fails());
    let task = asked(&world, &instance, &snapshot).await;
    let id = task.replace_root_volume_task_id().unwrap();

    world.pass(2);
    let failing = look(&world, id).await.task_state;
    world.pass(10);
    let failed = look(&world, id).await.task_state;

    assert_eq!((failing, failed), (Some(Failing), Some(Failed)));
    assert_eq!(root_of(&world, &instance), old);
    assert_eq!(world.sim.volumes().len(), 3, "the new volume is gone");
}

#[tokio::test]
async fn an_instance_that_stops_meanwhile_keeps_its_volume() {
    let world = world();
    let (instance, old, snapshot) = with_snapshot(&world).await;
    let task = asked(&world, &instance, &snapshot).await;
    world.pass(2);

    world.ec2.stop_instances().instance_ids(&instance).send().await.unwrap();
    world.pass(20);

    let state = look(&world, task.replace_root_volume_task_id().unwrap()).await.task_state;
    assert_eq!(state, Some(ReplaceRootVolumeTaskState::Failed));
    assert_eq!(root_of(&world, &instance), old);
    let volumes = world.sim.volumes();
    assert_eq!(volumes.len(), 3);
    let detach = world.ec2.detach_volume().volume_id(&old).send().await;
    detach.unwrap();
}

#[tokio::test]
async fn an_image_brings_its_id_and_the_larger_size() {
    let world = world();
    let (instance, _, _) = with_snapshot(&world).await;
    let request = world.ec2.create_replace_root_volume_task().instance_id(&instance);

    request.image_id("ami-0abcdef1234567890").send().await.unwrap();
    world.pass(12);

    let tasks = world.sim.root_replacements();
    assert_eq!(tasks[0].image_id.as_deref(), Some("ami-0abcdef1234567890"));
    let root = root_of(&world, &instance);
    let root = world.sim.volumes().into_iter().find(|volume| volume.id == root).unwrap();
    assert_eq!((root.size_gib, root.snapshot_id), (8, tasks[0].snapshot_id.clone()));
    let arm = world.ec2.create_replace_root_volume_task().instance_id(&instance);
    let arm = arm.image_id("ami-0fedcba9876543210").send().await;
    assert_eq!(refusal(arm), "InvalidParameterCombination");
}

#[tokio::test]
async fn tasks_are_found_by_instance_page_and_tag() {
    let world = world();
    let mut instances = Vec::new();
    for _ in 0..3 {
        let id = world.sim.add_instance(InstanceSpec::default());
        let request = world.ec2.create_replace_root_volume_task().instance_id(&id);
        let kind = ResourceType::ReplaceRootVolumeTask;
        request.tag_specifications(tagged(kind, "restore", &id)).send().await.unwrap();
        instances.push(id);
    }
    let list = || world.ec2.describe_replace_root_volume_tasks();

    let found = list().filters(filter("instance-id", &instances[1])).send().await.unwrap();
    let first = list().max_results(2).send().await.unwrap();
    let second = list().set_next_token(first.next_token.clone()).send().await.unwrap();

    let task = &found.replace_root_volume_tasks()[0];
    assert_eq!(task.tags()[0].value(), Some(&*instances[1]));
    assert_eq!(found.replace_root_volume_tasks().len(), 1);
    assert_eq!(first.replace_root_volume_tasks().len(), 2);
    assert_eq!(second.replace_root_volume_tasks().len(), 1);
    assert_eq!(refusal(list().filters(filter("state", "x")).send().await), "InvalidParameterValue");
    assert_eq!(refusal(list().max_results(51).send().await), "InvalidParameterValue");
    let unknown = list().replace_root_volume_task_ids("replacevol-0123456789abcdef0");
    assert_eq!(refusal(unknown.send().await), "InvalidReplaceRootVolumeTaskId.NotFound");
    let malformed = list().replace_root_volume_task_ids("x").send().await;
    assert_eq!(refusal(malformed), "InvalidReplaceRootVolumeTaskId.Malformed");
}

#[tokio::test]
async fn what_cannot_be_replaced_is_refused_by_its_code() {
    let world = world();
    let (instance, _, snapshot) = with_snapshot(&world).await;
    let elsewhere = world.snapshot().await;
    let stopped = world.sim.add_instance(InstanceSpec::default().state(InstanceState::Stopped));
    let disks = world.sim.add_instance(InstanceSpec {
        root: RootDevice::InstanceStore,
        volumes: vec![],
        ..InstanceSpec::default()
    });
    let ask = |instance: &str| world.ec2.create_replace_root_volume_task().instance_id(instance);

    let strange = ask(&instance).snapshot_id(&elsewhere).send().await;
    assert_eq!(refusal(strange), "InvalidParameterValue");
    let copied = world.ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&snapshot);
    let copied = copied.send().await.unwrap().snapshot_id.unwrap();
    world.pass(60);
    let copy = ask(&instance).snapshot_id(&copied).send().await;
    assert_eq!(refusal(copy), "InvalidParameterValue", "a copy is of no lineage");
    let both = ask(&instance).snapshot_id(&snapshot).image_id("ami-0abcdef1234567890").send().await;
    assert_eq!(refusal(both), "InvalidParameterCombination");
    assert_eq!(refusal(ask(&stopped).send().await), "IncorrectInstanceState");
    assert_eq!(refusal(ask(&disks).send().await), "UnsupportedOperation");
    assert_eq!(refusal(ask("i-0123456789abcdef0").send().await), "InvalidInstanceID.NotFound");
    asked(&world, &instance, &snapshot).await;
    assert_eq!(refusal(ask(&instance).send().await), "IncorrectState", "one task at a time");
}
