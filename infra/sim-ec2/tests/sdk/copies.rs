//! Copies of snapshots, between Regions.

use aws_sdk_ec2::{
    Client,
    config::retry::RetryConfig,
    types::{ResourceType, SnapshotState},
};
use serde_json::json;
use sim_ec2::{Fault, InstanceSpec, SeedVolume};

use super::support::{World, client, default_retries, refusal, tagged, world};

async fn copied(ec2: &Client, snapshot: &str) -> String {
    let request = ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(snapshot);
    request.send().await.unwrap().snapshot_id.unwrap()
}

fn there(world: &World) -> Client {
    client(&world.sim, "eu-west-1", RetryConfig::disabled())
}

#[tokio::test]
async fn a_copy_is_pending_then_complete_in_its_own_region() {
    let world = world();
    let source = world.snapshot().await;
    let ec2 = there(&world);
    let request = ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&source);
    let request = request.destination_region("eu-west-1").description("kept far away");
    let tags = tagged(ResourceType::Snapshot, "of", &source);
    let made = request.tag_specifications(tags).send().await.unwrap();
    let id = made.snapshot_id().unwrap();
    let look = || async {
        let found = ec2.describe_snapshots().snapshot_ids(id).send().await.unwrap();
        found.snapshots()[0].clone()
    };

    let pending = look().await;
    world.pass(60);
    let complete = look().await;

    assert_eq!(made.tags()[0].value(), Some(&*source));
    assert_eq!(pending.state, Some(SnapshotState::Pending));
    assert_eq!(complete.state, Some(SnapshotState::Completed));
    assert_eq!(complete.volume_id(), Some("vol-ffffffff"));
    assert_eq!((complete.volume_size, complete.encrypted), (Some(8), Some(false)));
    assert_eq!(complete.description(), Some("kept far away"));
    let original = world.sim.snapshot(&source).unwrap();
    let full_size = complete.full_snapshot_size_in_bytes.unwrap();
    assert_eq!(u64::try_from(full_size).unwrap(), original.full_size_bytes);
    let here = world.ec2.describe_snapshots().snapshot_ids(id).send().await;
    assert_eq!(refusal(here), "InvalidSnapshot.NotFound");
    let volume = ec2.create_volume().availability_zone("eu-west-1a").snapshot_id(id).send().await;
    assert_eq!(volume.unwrap().size, Some(8));
}

#[tokio::test]
async fn the_end_of_a_copy_is_told_where_the_copy_is() {
    let world = world();
    let source = world.snapshot().await;
    let ec2 = there(&world);
    world.sim.take_events();
    let started_at = world.sim.now();

    let id = copied(&ec2, &source).await;
    world.pass(60);
    let events = world.sim.take_events();

    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["detail-type"], "EBS Snapshot Notification");
    assert_eq!(events[0]["region"], "eu-west-1");
    let ended_at = world.sim.snapshot(&id).unwrap().completes_at;
    let time = |time: jiff::Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let detail = json!({
        "event": "copySnapshot",
        "result": "succeeded",
        "cause": "",
        "request-id": "",
        "snapshot_id": format!("arn:aws:ec2::eu-west-1:snapshot/{id}"),
        "source": format!("arn:aws:ec2::us-east-1:snapshot/{source}"),
        "startTime": time(started_at),
        "endTime": time(ended_at),
        "incremental": "false",
        "transferType": "standard",
    });
    assert_eq!(events[0]["detail"], detail);
    copied(&ec2, &source).await;
    world.pass(60);
    assert_eq!(world.sim.take_events()[0]["detail"]["incremental"], "true");
}

#[tokio::test]
async fn a_copy_that_fails_says_why() {
    let world = world();
    let source = world.snapshot().await;
    let ec2 = there(&world);
    world.sim.take_events();
    world.sim.fault(Fault::on("CopySnapshot").member_fails());

    let id = copied(&ec2, &source).await;
    world.pass(60);
    let event = world.sim.take_events().remove(0);

    let found = ec2.describe_snapshots().snapshot_ids(&id).send().await.unwrap();
    assert_eq!(found.snapshots()[0].state, Some(SnapshotState::Error));
    assert_eq!(found.snapshots()[0].state_message(), Some("Source snapshot ID is not valid"));
    assert_eq!(event["detail"]["event"], "copySnapshot");
    assert_eq!(event["detail"]["result"], "failed");
    assert_eq!(event["detail"]["cause"], "Source snapshot ID is not valid");
}

#[tokio::test]
async fn no_token_keeps_a_second_copy_from_being_made() {
    let world = world();
    let source = world.snapshot().await;
    let retrying = client(&world.sim, "eu-west-1", default_retries());
    world.sim.fault(Fault::on("CopySnapshot").reply_lost());

    copied(&retrying, &source).await;

    assert_eq!(world.sim.calls()["CopySnapshot"], 2);
    let copies = world.sim.snapshots().into_iter().filter(|each| each.copy_of.is_some());
    assert_eq!(copies.count(), 2, "one that nobody knows of");
}

#[tokio::test]
async fn twenty_copies_to_one_region_are_under_way_at_most() {
    let world = world();
    let source = world.snapshot().await;
    let (ec2, other) = (there(&world), client(&world.sim, "us-west-2", RetryConfig::disabled()));
    let copy = |ec2: &Client| {
        ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&source).send()
    };
    for _ in 0..20 {
        copy(&ec2).await.unwrap();
    }

    let error = copy(&ec2).await.unwrap_err().into_service_error();

    assert_eq!(error.meta().code(), Some("ResourceLimitExceeded"));
    let message =
        "Too many snapshot copies in progress. The limit is 20 for this destination region.";
    assert_eq!(error.meta().message(), Some(message));
    copy(&other).await.unwrap();
    world.pass(60);
    copy(&ec2).await.unwrap();
}

#[tokio::test]
async fn a_copy_is_encrypted_when_its_source_is_or_when_asked_for() {
    let world = world();
    let plain = world.snapshot().await;
    let spec = InstanceSpec { volumes: vec![], ..InstanceSpec::default() };
    let spec = spec.volume(SeedVolume::new("/dev/xvda", 8).encrypted());
    let instance = world.sim.instance(&world.sim.add_instance(spec)).unwrap();
    let secret = world.ec2.create_snapshot().volume_id(&instance.devices[0].volume_id);
    let secret = secret.send().await.unwrap().snapshot_id.unwrap();
    world.pass(60);
    let ec2 = there(&world);
    let copy =
        |source: &str| ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(source);

    let asked = copy(&plain).encrypted(true).kms_key_id("alias/backup").send().await.unwrap();
    let kept = copy(&secret).send().await.unwrap();

    let key = |id: Option<String>| world.sim.snapshot(&id.unwrap()).unwrap().kms_key_id.unwrap();
    let (asked, kept) = (key(asked.snapshot_id), key(kept.snapshot_id));
    assert!(asked.starts_with("arn:aws:kms:eu-west-1:123456789012:key/"), "{asked}");
    assert!(kept.starts_with("arn:aws:kms:eu-west-1:123456789012:key/"), "{kept}");
    assert_ne!(asked, kept, "EBS's own key is another");
    let keyed = copy(&plain).kms_key_id("alias/backup").send().await;
    assert_eq!(refusal(keyed), "InvalidParameterDependency");
}

#[tokio::test]
async fn what_cannot_be_copied_is_refused_by_its_code() {
    let world = world();
    let (_, volumes) = world.instance();
    let pending = world.ec2.create_snapshot().volume_id(&volumes[0]).send().await.unwrap();
    let pending = pending.snapshot_id.unwrap();
    let ec2 = there(&world);
    let copy =
        |source: &str| ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(source);

    assert_eq!(refusal(copy(&pending).send().await), "IncorrectState");
    let unknown = copy("snap-0123456789abcdef0").send().await;
    assert_eq!(refusal(unknown), "InvalidSnapshot.NotFound");
    assert_eq!(refusal(copy("snap-x").send().await), "InvalidSnapshotID.Malformed");
    let nowhere = ec2.copy_snapshot().source_region("us-west-2").source_snapshot_id(&pending);
    assert_eq!(refusal(nowhere.send().await), "InvalidSnapshot.NotFound");
    let astray = copy(&pending).destination_region("us-west-2").send().await;
    assert_eq!(refusal(astray), "InvalidParameterValue");
    assert_eq!(refusal(ec2.copy_snapshot().send().await), "MissingParameter");
}

#[tokio::test]
async fn an_encrypted_snapshot_of_another_region_is_copied_by_a_signed_request_only() {
    let world = world();
    let spec = InstanceSpec { volumes: vec![], ..InstanceSpec::default() };
    let spec = spec.volume(SeedVolume::new("/dev/xvda", 8).encrypted());
    let instance = world.sim.instance(&world.sim.add_instance(spec)).unwrap();
    let secret = world.ec2.create_snapshot().volume_id(&instance.devices[0].volume_id);
    let source = secret.send().await.unwrap().snapshot_id.unwrap();
    world.pass(60);
    let ec2 = there(&world);
    let copy = async |url: Option<&str>| {
        let request = ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(&source);
        let request = request.set_presigned_url(url.map(str::to_owned));
        request.send().await.unwrap().snapshot_id.unwrap()
    };
    let plain = copy(None).await;
    let signed = copy(Some("https://ec2.us-east-1.amazonaws.com/?X-Amz-Signature=00")).await;

    world.pass(60);

    let state = |id: &str| world.sim.snapshot(id).unwrap().state;
    assert_eq!(state(&plain), sim_ec2::SnapshotState::Error);
    assert_eq!(state(&signed), sim_ec2::SnapshotState::Completed);
}
