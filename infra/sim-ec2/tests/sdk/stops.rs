//! What stands in the way of a stop or a start, what they cost, and what shows late.

use aws_sdk_ec2::types::{InstanceStateName, InstanceType};
use jiff::SignedDuration;
use sim_ec2::{
    Config, Fault, InstanceSpec, InstanceState, LaunchSettings, PublicAddress, Purchase, Stopping,
};

use super::support::{World, refusal, world, world_with};

fn instance(world: &World, settings: LaunchSettings) -> String {
    world.sim.add_instance(InstanceSpec::named("web").settings(settings))
}

async fn described(world: &World, id: &str) -> aws_sdk_ec2::types::Instance {
    let found = world.ec2.describe_instances().instance_ids(id).send().await.unwrap();
    found.reservations()[0].instances()[0].clone()
}

async fn stop_and_start(world: &World, id: &str) {
    world.ec2.stop_instances().instance_ids(id).send().await.unwrap();
    world.pass(10);
    world.ec2.start_instances().instance_ids(id).send().await.unwrap();
    world.pass(10);
}

#[tokio::test]
async fn a_start_that_is_accepted_may_come_to_nothing_and_the_state_reason_says_why() {
    let world = world();
    let id = instance(&world, LaunchSettings::default());
    world.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    world.pass(10);
    world.sim.fault(
        Fault::on("StartInstances").never_runs("Client.InternalError", "Client error on launch"),
    );

    world.ec2.start_instances().instance_ids(&id).send().await.unwrap();
    world.pass(10);

    let stopped = described(&world, &id).await;
    let reason = stopped.state_reason().unwrap();
    assert_eq!(stopped.state().unwrap().name(), Some(&InstanceStateName::Stopped));
    assert_eq!(reason.code(), Some("Client.InternalError"));
    assert_eq!(reason.message(), Some("Client.InternalError: Client error on launch"));
    stop_and_start(&world, &id).await;
    assert!(described(&world, &id).await.state_reason().is_none());
}

#[tokio::test]
async fn an_instance_without_its_root_volume_does_not_start() {
    let world = world();
    let id = instance(&world, LaunchSettings::default());
    world.sim.set_instance_state(&id, InstanceState::Stopped);
    let root = world.sim.instance(&id).unwrap().devices[0].volume_id.clone();
    world.ec2.detach_volume().volume_id(root).send().await.unwrap();
    world.pass(2);

    let refused = world.ec2.start_instances().instance_ids(&id).send().await;

    assert_eq!(refusal(refused), "InvalidParameterValue");
}

#[tokio::test]
async fn what_is_protected_or_a_one_time_spot_instance_is_not_stopped() {
    let world = world();
    let guarded = LaunchSettings { stopping: Stopping::Protected, ..LaunchSettings::default() };
    let spot = LaunchSettings { purchase: Purchase::SpotOnce, ..LaunchSettings::default() };
    let (guarded, spot) = (instance(&world, guarded), instance(&world, spot));

    let refused = world.ec2.stop_instances().instance_ids(&guarded).send().await;
    assert_eq!(refusal(refused), "OperationNotPermitted");
    let refused = world.ec2.stop_instances().instance_ids(&spot).send().await;
    assert_eq!(refusal(refused), "UnsupportedOperation");
    let lifecycle = described(&world, &spot).await.instance_lifecycle().cloned();
    assert_eq!(lifecycle.unwrap().as_str(), "spot");
}

#[tokio::test]
async fn an_assigned_address_changes_with_a_stop_and_an_elastic_one_stays() {
    let world = world();
    let with = |public_address| LaunchSettings { public_address, ..LaunchSettings::default() };
    for (kind, stays) in [(PublicAddress::Assigned, false), (PublicAddress::Elastic, true)] {
        let id = instance(&world, with(kind));
        let before = described(&world, &id).await;
        let owner = before.network_interfaces()[0].association().unwrap().ip_owner_id();
        assert_eq!(owner != Some("amazon"), stays);

        stop_and_start(&world, &id).await;

        let after = described(&world, &id).await;
        assert_eq!(before.public_ip_address() == after.public_ip_address(), stays, "{kind:?}");
        assert!(after.public_ip_address().is_some());
    }
}

#[tokio::test]
async fn a_type_says_what_disks_its_host_has() {
    let world = world();
    let types = [InstanceType::M5dLarge, InstanceType::M5Large];
    let call = world.ec2.describe_instance_types().set_instance_types(Some(types.to_vec()));

    let found = call.send().await.unwrap();

    let of = |name: &str| {
        let mut all = found.instance_types().iter();
        all.find(|each| each.instance_type().unwrap().as_str() == name).unwrap()
    };
    assert_eq!(of("m5d.large").instance_storage_info().unwrap().total_size_in_gb(), Some(75));
    assert_eq!(of("m5.large").instance_storage_supported(), Some(false));
}

#[tokio::test]
async fn describe_instances_may_lag_behind_describe_volumes() {
    let config = Config { instance_lag: SignedDuration::from_secs(75), ..Config::default() };
    let world = world_with(config);
    let id = instance(&world, LaunchSettings::default());
    world.sim.set_instance_state(&id, InstanceState::Stopped);
    let root = world.sim.instance(&id).unwrap().devices[0].volume_id.clone();
    world.ec2.detach_volume().volume_id(&root).send().await.unwrap();
    world.pass(10);

    let volumes = world.ec2.describe_volumes().volume_ids(&root).send().await.unwrap();
    assert!(volumes.volumes()[0].attachments().is_empty());
    let still = described(&world, &id).await;
    assert_eq!(still.block_device_mappings()[0].ebs().unwrap().volume_id(), Some(root.as_str()));
    world.pass(75);
    assert!(described(&world, &id).await.block_device_mappings().is_empty());
}
