//! A simulation at a fixed time, and an SDK client for it.

use std::{fmt, time::Duration};

use aws_credential_types::Credentials;
use aws_sdk_ec2::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{Filter, InstanceSpecification, ResourceType, Tag, TagSpecification},
};
use jiff::{SignedDuration, Timestamp};
use sim_ec2::{Clock, Config, InstanceSpec, SeedVolume, SimEc2};

/// A simulation and a client that does not retry.
pub(crate) struct World {
    pub(crate) sim: SimEc2,
    pub(crate) ec2: Client,
}

pub(crate) fn world() -> World {
    world_with(Config::default())
}

pub(crate) fn world_with(config: Config) -> World {
    let start: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
    let sim = SimEc2::new(config, Clock::at(start));
    let ec2 = client(&sim, "us-east-1", RetryConfig::disabled());
    World { sim, ec2 }
}

/// As the SDK is without anything said, but for the time between attempts.
pub(crate) fn default_retries() -> RetryConfig {
    RetryConfig::standard()
        .with_initial_backoff(Duration::from_micros(1))
        .with_max_backoff(Duration::from_micros(1))
}

pub(crate) fn client(sim: &SimEc2, region: &str, retries: RetryConfig) -> Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::from_keys("AKIDEXAMPLE", "secret", None))
        .http_client(sim.http_client())
        .retry_config(retries)
        .build();
    Client::from_conf(config)
}

impl World {
    pub(crate) fn pass(&self, seconds: i64) {
        self.sim.clock().advance(SignedDuration::from_secs(seconds));
    }

    /// An instance with a root volume and two data volumes: its id and the volumes'.
    pub(crate) fn instance(&self) -> (String, Vec<String>) {
        let spec = InstanceSpec::named("web")
            .volume(SeedVolume::new("/dev/sdf", 20).tag("purpose", "logs"))
            .volume(SeedVolume::new("/dev/sdg", 30).tag("aws:made-by", "stack"));
        let id = self.sim.add_instance(spec);
        let instance = self.sim.instance(&id).unwrap();
        let volumes = instance.devices.iter().map(|device| device.volume_id.clone()).collect();
        (id, volumes)
    }

    /// A completed snapshot of a new instance's root volume of 8 GiB.
    pub(crate) async fn snapshot(&self) -> String {
        let instance = self.sim.instance(&self.sim.add_instance(InstanceSpec::default())).unwrap();
        let volume = &instance.devices[0].volume_id;
        let made = self.ec2.create_snapshot().volume_id(volume).send().await.unwrap();
        self.pass(60);
        made.snapshot_id.unwrap()
    }
}

pub(crate) fn of_instance(id: &str) -> InstanceSpecification {
    InstanceSpecification::builder().instance_id(id).build()
}

pub(crate) fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

pub(crate) fn tagged(kind: ResourceType, key: &str, value: &str) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).tags(tag(key, value)).build()
}

pub(crate) fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

/// The status and the code EC2 refused with.
pub(crate) fn refusal<T, E, R>(result: Result<T, SdkError<E, R>>) -> String
where
    T: fmt::Debug,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug,
{
    match result {
        Ok(done) => format!("done: {done:?}"),
        Err(error) => match error.as_service_error() {
            Some(refused) => refused.code().unwrap_or("no code").to_owned(),
            None => format!("not answered: {error}"),
        },
    }
}
