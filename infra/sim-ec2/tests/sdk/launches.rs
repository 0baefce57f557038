//! What an instance is launched with, and how it ends.

use aws_sdk_ec2::{
    operation::run_instances::builders::RunInstancesFluentBuilder,
    types::{
        ArchitectureValues, AttributeBooleanValue, BlockDeviceMapping, BootModeValues,
        EbsBlockDevice, EbsInstanceBlockDeviceSpecification, HttpTokensState,
        IamInstanceProfileSpecification, Instance, InstanceBlockDeviceMappingSpecification,
        InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification, InstanceType,
        VolumeType,
    },
};
use sim_ec2::{InstanceSpec, InstanceState, LaunchSettings};

use super::support::{World, filter, refusal, world};

const IMAGE: &str = "ami-0abcdef1234567890";

fn launch(world: &World, image: &str) -> RunInstancesFluentBuilder {
    let request = world.ec2.run_instances().image_id(image).min_count(1).max_count(1);
    request.instance_type(InstanceType::M5Large)
}

async fn look(world: &World, id: &str) -> Instance {
    let found = world.ec2.describe_instances().instance_ids(id).send().await.unwrap();
    found.reservations()[0].instances()[0].clone()
}

fn mapping(device: &str, snapshot: &str) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice::builder().snapshot_id(snapshot).volume_type(VolumeType::Gp3);
    let ebs = ebs.iops(4000).throughput(250).delete_on_termination(false).build();
    BlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
}

/// An image of these snapshots, as a root and a data volume, that today's types can run.
async fn registered(world: &World, root: &str, data: &str) -> String {
    let request = world.ec2.register_image().name("restored").root_device_name("/dev/xvda");
    let request = request
        .architecture(ArchitectureValues::X8664)
        .virtualization_type("hvm")
        .ena_support(true)
        .boot_mode(BootModeValues::Uefi);
    let request = request.block_device_mappings(mapping("/dev/xvda", root));
    let request = request.block_device_mappings(mapping("/dev/sdf", data));
    request.send().await.unwrap().image_id.unwrap()
}

#[tokio::test]
async fn an_instance_is_restored_from_a_registered_image() {
    let world = world();
    let (root, data) = (world.snapshot().await, world.snapshot().await);
    let image = registered(&world, &root, &data).await;

    let launched = launch(&world, &image).send().await.unwrap();
    let id = launched.instances()[0].instance_id().unwrap();

    let found = world.ec2.describe_images().image_ids(&image).send().await.unwrap();
    let found = &found.images()[0];
    assert_eq!(found.boot_mode, Some(BootModeValues::Uefi));
    assert_eq!(found.ena_support, Some(true));
    assert_eq!(found.virtualization_type().unwrap().as_str(), "hvm");
    let ebs = found.block_device_mappings()[1].ebs().unwrap();
    assert_eq!((ebs.iops, ebs.throughput), (Some(4000), Some(250)));
    let by_volume = filter("attachment.instance-id", id);
    let volumes = world.ec2.describe_volumes().filters(by_volume).send().await.unwrap();
    for volume in volumes.volumes() {
        assert_eq!((volume.iops, volume.throughput), (Some(4000), Some(250)));
        assert_eq!(volume.attachments()[0].delete_on_termination, Some(false));
    }
    let mut sources: Vec<&str> =
        volumes.volumes().iter().map(|volume| volume.snapshot_id().unwrap()).collect();
    sources.sort_unstable();
    let mut expected = [root.as_str(), data.as_str()];
    expected.sort_unstable();
    assert_eq!(sources, expected);
    let instance = look(&world, id).await;
    assert_eq!(instance.boot_mode, Some(BootModeValues::Uefi));
    assert_eq!(instance.current_instance_boot_mode().unwrap().as_str(), "uefi");
}

#[tokio::test]
async fn an_image_that_says_too_little_is_launched_on_nothing() {
    let world = world();
    let snapshot = world.snapshot().await;
    let register = |name: &str| {
        let request = world.ec2.register_image().name(name).root_device_name("/dev/xvda");
        request.block_device_mappings(mapping("/dev/xvda", &snapshot))
    };
    let of = |made: aws_sdk_ec2::operation::register_image::RegisterImageOutput| {
        launch(&world, made.image_id().unwrap())
    };
    let x86 = ArchitectureValues::X8664;

    let silent = register("silent").send().await.unwrap();
    let paravirtual = register("paravirtual").architecture(x86.clone()).send().await.unwrap();
    let hvm = register("hvm").architecture(x86).virtualization_type("hvm").send().await.unwrap();

    assert_eq!(refusal(of(silent).send().await), "InvalidParameterValue");
    assert_eq!(refusal(of(paravirtual).send().await), "InvalidParameterCombination");
    assert_eq!(refusal(of(hvm).send().await), "InvalidParameterCombination", "no ENA");
    let twice = register("twice").block_device_mappings(mapping("/dev/xvda", &snapshot));
    assert_eq!(refusal(twice.send().await), "InvalidBlockDeviceMapping");
    let odd = register("odd").boot_mode("floppy".into()).send().await;
    assert_eq!(refusal(odd), "InvalidParameterValue");
}

#[tokio::test]
async fn a_launch_has_the_network_the_profile_and_the_options_it_asks_for() {
    let world = world();
    let subnet = world.sim.add_subnet("us-east-1", "us-east-1b");
    let group = world.sim.add_security_group("us-east-1", "web");
    world.sim.add_key_pair("us-east-1", "ops");
    let profile = IamInstanceProfileSpecification::builder().name("web").build();
    let tokens = InstanceMetadataOptionsRequest::builder().http_tokens(HttpTokensState::Required);
    let request = launch(&world, IMAGE).subnet_id(&subnet).security_group_ids(&group);
    let request = request.key_name("ops").ebs_optimized(true).private_ip_address("172.31.9.9");
    let request = request.iam_instance_profile(profile).metadata_options(tokens.build());

    let launched = request.send().await.unwrap();
    let instance = look(&world, launched.instances()[0].instance_id().unwrap()).await;

    assert_eq!(instance.subnet_id(), Some(&*subnet));
    assert_eq!(instance.placement().unwrap().availability_zone(), Some("us-east-1b"));
    let groups = instance.security_groups();
    assert_eq!((groups[0].group_id(), groups[0].group_name()), (Some(&*group), Some("web")));
    let arn = instance.iam_instance_profile().unwrap().arn();
    assert_eq!(arn, Some("arn:aws:iam::123456789012:instance-profile/web"));
    assert_eq!((instance.key_name(), instance.ebs_optimized), (Some("ops"), Some(true)));
    assert_eq!(instance.private_ip_address(), Some("172.31.9.9"));
    let options = instance.metadata_options().unwrap();
    assert_eq!(options.http_tokens, Some(HttpTokensState::Required));
    let found = world.ec2.describe_instances().filters(filter("instance.group-id", &group));
    assert_eq!(found.send().await.unwrap().reservations().len(), 1);
    let taken = launch(&world, IMAGE).private_ip_address("172.31.9.9").send().await;
    assert_eq!(refusal(taken), "InvalidIPAddress.InUse");
}

#[tokio::test]
async fn a_network_that_is_gone_is_refused_by_its_code() {
    let world = world();
    let subnet = world.sim.add_subnet("us-east-1", "us-east-1b");
    let group = world.sim.add_security_group("us-east-1", "web");
    let settings = LaunchSettings {
        subnet_id: Some(subnet.clone()),
        security_groups: vec![group.clone()],
        ..LaunchSettings::default()
    };
    let spec = InstanceSpec { zone: Some("us-east-1b".to_owned()), ..InstanceSpec::named("web") };
    let seeded = world.sim.add_instance(spec.key_name("ops").settings(settings));

    let apart = launch(&world, IMAGE).subnet_id(&subnet).placement(
        aws_sdk_ec2::types::Placement::builder().availability_zone("us-east-1a").build(),
    );
    assert_eq!(refusal(apart.send().await), "InvalidParameterValue");
    let interface = InstanceNetworkInterfaceSpecification::builder().device_index(0);
    let interface = interface.subnet_id(&subnet).groups(&group).build();
    let both = launch(&world, IMAGE).network_interfaces(interface.clone()).subnet_id(&subnet);
    assert_eq!(refusal(both.send().await), "InvalidParameterCombination");
    launch(&world, IMAGE).network_interfaces(interface).send().await.unwrap();
    world.sim.remove_from_network("us-east-1", &subnet);
    world.sim.remove_from_network("us-east-1", &group);
    let no_subnet = launch(&world, IMAGE).subnet_id(&subnet).send().await;
    assert_eq!(refusal(no_subnet), "InvalidSubnetID.NotFound");
    let no_group = launch(&world, IMAGE).security_group_ids(&group).send().await;
    assert_eq!(refusal(no_group), "InvalidGroup.NotFound");
    launch(&world, IMAGE).key_name("ops").send().await.unwrap();
    world.sim.remove_from_network("us-east-1", "ops");
    let no_key = launch(&world, IMAGE).key_name("ops").send().await;
    assert_eq!(refusal(no_key), "InvalidKeyPair.NotFound");
    assert_eq!(look(&world, &seeded).await.subnet_id(), Some(&*subnet), "instances keep it");
}

#[tokio::test]
async fn volumes_of_an_encrypted_snapshot_are_encrypted_with_its_key() {
    let world = world();
    let plain = world.snapshot().await;
    let copy = world.ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&plain);
    let copy = copy.encrypted(true).kms_key_id("alias/mine").send().await.unwrap();
    let secret = copy.snapshot_id.unwrap();
    world.pass(60);
    let key = world.sim.snapshot(&secret).unwrap().kms_key_id;

    let request = launch(&world, IMAGE).block_device_mappings(mapping("/dev/sdf", &secret));
    let launched = request.send().await.unwrap();
    let create = world.ec2.create_volume().availability_zone("us-east-1a").snapshot_id(&secret);
    create.send().await.unwrap();

    assert_eq!(launched.instances().len(), 1);
    let volumes = world.sim.volumes();
    let made = volumes.iter().filter(|volume| volume.snapshot_id.as_deref() == Some(&*secret));
    let keys: Vec<_> = made.map(|each| (each.encrypted, each.kms_key_id.clone())).collect();
    assert_eq!(keys, [(true, key.clone()), (true, key)]);
}

#[tokio::test]
async fn a_launch_from_a_pending_snapshot_is_refused() {
    let world = world();
    let (_, volumes) = world.instance();
    let made = world.ec2.create_snapshot().volume_id(&volumes[1]).send().await.unwrap();
    let device = mapping("/dev/sdf", made.snapshot_id().unwrap());

    let refused = refusal(launch(&world, IMAGE).block_device_mappings(device).send().await);

    assert_eq!(refused, "IncorrectState");
    assert_eq!(world.sim.instances().len(), 1);
}

#[tokio::test]
async fn a_protected_instance_is_not_terminated() {
    let world = world();
    let (id, volumes) = world.instance();
    let modify = || world.ec2.modify_instance_attribute().instance_id(&id);
    let value = |value: bool| AttributeBooleanValue::builder().value(value).build();
    let terminate = || world.ec2.terminate_instances().instance_ids(&id).send();
    let keep = EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(false);
    let root = InstanceBlockDeviceMappingSpecification::builder().device_name("/dev/xvda");

    modify().disable_api_termination(value(true)).send().await.unwrap();
    let refused = refusal(terminate().await);
    modify().disable_api_termination(value(false)).send().await.unwrap();
    let root = root.ebs(keep.build()).build();
    modify().block_device_mappings(root).send().await.unwrap();
    terminate().await.unwrap();
    world.pass(10);

    assert_eq!(refused, "OperationNotPermitted");
    assert_eq!(world.sim.instance(&id).unwrap().state, InstanceState::Terminated);
    assert!(world.sim.volumes().iter().any(|volume| volume.id == volumes[0]));
    assert_eq!(refusal(modify().send().await), "MissingParameter");
}
