//! Instances: launched, found, stopped, started, terminated.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{InstanceStateName, InstanceType, ResourceType};
use sim_ec2::{InstanceSpec, InstanceState};

use super::support::{World, filter, refusal, tagged, world};

fn launch(world: &World, count: i32) -> RunInstancesFluentBuilder {
    world
        .ec2
        .run_instances()
        .image_id("ami-0abcdef1234567890")
        .instance_type(InstanceType::M5Large)
        .min_count(count)
        .max_count(count)
        .client_token("launch-1")
        .tag_specifications(tagged(ResourceType::Instance, "Name", "worker"))
        .tag_specifications(tagged(ResourceType::Volume, "of", "worker"))
}

async fn launched(world: &World, count: i32) -> Vec<String> {
    let launch = launch(world, count).send().await.unwrap();
    launch.instances().iter().map(|each| each.instance_id().unwrap().to_owned()).collect()
}

async fn state(world: &World, id: &str) -> InstanceStateName {
    let found = world.ec2.describe_instances().instance_ids(id).send().await.unwrap();
    found.reservations()[0].instances()[0].state().unwrap().name().unwrap().clone()
}

#[tokio::test]
async fn an_instance_lives_through_its_states() {
    use InstanceStateName::{Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};

    let world = world();
    let id = launched(&world, 1).await.remove(0);
    let mut states = vec![state(&world, &id).await];

    world.pass(10);
    states.push(state(&world, &id).await);
    world.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    states.push(state(&world, &id).await);
    world.pass(10);
    states.push(state(&world, &id).await);
    world.ec2.start_instances().instance_ids(&id).send().await.unwrap();
    states.push(state(&world, &id).await);
    world.pass(10);
    world.ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    states.push(state(&world, &id).await);
    world.pass(10);
    states.push(state(&world, &id).await);

    assert_eq!(states, [Pending, Running, Stopping, Stopped, Pending, ShuttingDown, Terminated]);
    world.pass(3600);
    let gone = world.ec2.describe_instances().instance_ids(&id).send().await;
    assert_eq!(refusal(gone), "InvalidInstanceID.NotFound");
}

#[tokio::test]
async fn a_client_token_launches_once() {
    let world = world();

    let first = launched(&world, 2).await;
    let second = launched(&world, 2).await;

    assert_eq!(first, second);
    assert_eq!(world.sim.instances().len(), 2);
    let other = world
        .ec2
        .run_instances()
        .image_id("ami-0abcdef1234567890")
        .min_count(1)
        .max_count(1)
        .client_token("launch-1")
        .send()
        .await;
    assert_eq!(refusal(other), "IdempotentParameterMismatch");
}

// As recorded in boto/boto3#4406.
#[tokio::test]
async fn the_token_of_an_instance_that_is_terminated_launches_no_other() {
    let world = world();
    let first = launched(&world, 2).await;
    world.ec2.terminate_instances().instance_ids(&first[0]).send().await.unwrap();
    world.pass(10);

    let again = launch(&world, 2).send().await;

    assert_eq!(refusal(again), "IdempotentInstanceTerminated");
}

#[tokio::test]
async fn volumes_go_with_their_instance_only_when_they_are_meant_to() {
    let world = world();
    let (id, volumes) = world.instance();

    world.ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    world.pass(10);

    let left: Vec<String> = world.sim.volumes().into_iter().map(|volume| volume.id).collect();
    assert!(!left.contains(&volumes[0]), "the root volume is deleted");
    assert_eq!(left.len(), 2);
    assert!(world.sim.volumes().iter().all(|volume| volume.attachment.is_none()));
}

#[tokio::test]
async fn instances_are_found_by_filters() {
    let world = world();
    let (web, volumes) = world.instance();
    let spec = InstanceSpec::named("db").state(InstanceState::Stopped).instance_type("r6i.large");
    world.sim.add_instance(spec.tag("team", "data"));

    for (name, value) in [
        ("instance-id", web.as_str()),
        ("tag:Name", "w?b"),
        ("instance-state-name", "running"),
        ("instance-type", "t3.*"),
        ("block-device-mapping.volume-id", volumes[1].as_str()),
    ] {
        let found =
            world.ec2.describe_instances().filters(filter(name, value)).send().await.unwrap();
        let ids: Vec<&str> = found
            .reservations()
            .iter()
            .flat_map(aws_sdk_ec2::types::Reservation::instances)
            .map(|each| each.instance_id().unwrap())
            .collect();
        assert_eq!(ids, [web.as_str()], "{name}={value}");
    }
}

#[tokio::test]
async fn instances_come_in_pages() {
    let world = world();
    for _ in 0..12 {
        world.sim.add_instance(InstanceSpec::default());
    }
    let mut pages = world.ec2.describe_instances().into_paginator().page_size(5).send();
    let mut sizes = Vec::new();

    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.reservations().iter().map(|each| each.instances().len()).sum::<usize>());
    }

    assert_eq!(sizes, [5, 5, 2]);
}

#[tokio::test]
async fn a_described_instance_has_its_devices() {
    let world = world();
    let (id, volumes) = world.instance();

    let found = world.ec2.describe_instances().instance_ids(&id).send().await.unwrap();

    let instance = &found.reservations()[0].instances()[0];
    let devices: Vec<(&str, &str)> = instance
        .block_device_mappings()
        .iter()
        .map(|each| (each.device_name().unwrap(), each.ebs().unwrap().volume_id().unwrap()))
        .collect();
    assert_eq!(devices[0], ("/dev/xvda", volumes[0].as_str()));
    assert_eq!(devices.len(), 3);
    assert_eq!(instance.root_device_name(), Some("/dev/xvda"));
    assert_eq!(instance.root_device_type().unwrap().as_str(), "ebs");
    assert_eq!(instance.placement().unwrap().availability_zone(), Some("us-east-1a"));
    assert!(instance.vpc_id().unwrap().starts_with("vpc-0"));
}

#[tokio::test]
async fn instance_types_have_processors_memory_and_graphics() {
    let world = world();

    let found = world.ec2.describe_instance_types().instance_types(InstanceType::G4dn12xlarge);
    let found = found.send().await.unwrap();

    let found = &found.instance_types()[0];
    assert_eq!(found.v_cpu_info().unwrap().default_v_cpus(), Some(48));
    assert_eq!(found.memory_info().unwrap().size_in_mib(), Some(196_608));
    let gpu = &found.gpu_info().unwrap().gpus()[0];
    assert_eq!((gpu.name(), gpu.count()), (Some("T4"), Some(4)));
    let unknown = world.ec2.describe_instance_types().instance_types("x9.huge".into()).send().await;
    assert_eq!(refusal(unknown), "InvalidInstanceType");
}

#[tokio::test]
async fn what_cannot_be_launched_or_stopped_is_refused_by_its_code() {
    let world = world();
    let launch = |image: &str| world.ec2.run_instances().image_id(image).min_count(1).max_count(1);
    let image = "ami-0abcdef1234567890";
    let gone = world.sim.add_instance(InstanceSpec::default().state(InstanceState::Terminated));
    let disks = world.sim.add_instance(InstanceSpec {
        root: sim_ec2::RootDevice::InstanceStore,
        volumes: vec![],
        ..InstanceSpec::default()
    });

    let unknown = launch("ami-0123456789abcdef0").send().await;
    assert_eq!(refusal(unknown), "InvalidAMIID.NotFound");
    let odd = launch(image).instance_type("x9.huge".into()).send().await;
    assert_eq!(refusal(odd), "InvalidParameterValue");
    let arm = launch(image).instance_type(InstanceType::M7gLarge).send().await;
    assert_eq!(refusal(arm), "InvalidParameterValue");
    let stop = |id: &str| world.ec2.stop_instances().instance_ids(id).send();
    assert_eq!(refusal(stop(&gone).await), "IncorrectInstanceState");
    assert_eq!(refusal(stop(&disks).await), "UnsupportedOperation");
    assert_eq!(refusal(stop("i-0123456789abcdef0").await), "InvalidInstanceID.NotFound");
}

#[tokio::test]
async fn regions_and_zones_are_listed() {
    let world = world();

    let regions = world.ec2.describe_regions().send().await.unwrap();
    let zones = world.ec2.describe_availability_zones().send().await.unwrap();

    assert!(regions.regions().iter().any(|each| each.region_name() == Some("eu-central-1")));
    let first = &zones.availability_zones()[0];
    assert_eq!((first.zone_name(), first.zone_id()), (Some("us-east-1a"), Some("use1-az6")));
    assert_eq!(zones.availability_zones().len(), 6);
}
