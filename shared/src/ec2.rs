//! The few things we ask of EC2, in our words.
//!
//! Creations go through a client that never retries: `CreateSnapshots` has no client token, and a second try
//! after a lost reply makes a second set. Everything else may be repeated and is, by the SDK.

mod adoption;
pub mod calls;
mod convert;
mod copies;
mod count;
mod date;
pub mod errors;
mod images;
mod instances;
pub mod launches;
mod marks;
mod notes;
mod registration;
mod sharing;
mod snapshots;
mod surroundings;
mod types;
pub mod volumes;

pub use adoption::{Attachments, Tagging};
pub use copies::NewCopy;
pub use instances::{FoundInstances, InstanceFilter, InstancePage};
pub use marks::Marking;
pub use registration::{Deregistered, RegistrationError};
pub use snapshots::{CreateSet, CreatedMember, CreationError, Deletion};

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Region;
use aws_sdk_ec2::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::types::Filter;
use jiff::Timestamp;

use crate::domain::installation::InstallationId;
use crate::ec2::count::CallCount;
use crate::ec2::date::DateHeader;
use crate::ec2::types::KnownTypes;
use crate::metrics::Metrics;

/// How many values one filter takes
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html>).
const FILTER_VALUES_MAX: usize = 200;
/// The largest page of `DescribeSnapshots`, `DescribeInstances`, `DescribeImages` and, as far as it has any use,
/// `DescribeVolumes`.
const PAGE_MAX: i32 = 1_000;
/// How many resources one `CreateTags` takes.
const TAGGED_MAX: usize = 1_000;

/// How long a call that may be repeated lasts at the most, once and with its repetitions: a region that takes calls and
/// does not answer them must not use up the time of what is to be done in the others.
const ATTEMPT_LASTS: Duration = Duration::from_secs(10);
const CALL_LASTS: Duration = Duration::from_secs(20);
/// How long a creation may last, which is never repeated: an answer that never comes must not hold the worker until Lambda
/// ends it. What became of it is looked for, as after any lost answer.
const CREATION_LASTS: Duration = Duration::from_mins(1);

/// EC2 in one region.
#[derive(Clone, Debug)]
pub struct Ec2 {
    /// Retries by itself.
    client: Client,
    /// Never retries.
    creator: Client,
    /// What signs the requests that one region makes of another.
    credentials: Option<SharedCredentialsProvider>,
    region: String,
    /// Ours: what is made bears it, and what bears another's is not ours.
    installation: InstallationId,
    date: DateHeader,
    types: KnownTypes,
}

impl Ec2 {
    /// EC2 in `region`, for this installation; its calls are counted.
    pub fn new(
        config: &aws_config::SdkConfig,
        region: impl Into<String>,
        installation: InstallationId,
        metrics: &Metrics,
    ) -> Self {
        let date = DateHeader::default();
        let region: String = region.into();
        let common = aws_sdk_ec2::config::Builder::from(config)
            .region(Region::new(region.clone()))
            // Of its own: by default clients of a process share how often they may still retry.
            .retry_partition(RetryPartition::custom("ec2").build())
            .interceptor(date.clone())
            .interceptor(CallCount(metrics.clone()));
        let patient = TimeoutConfig::builder().operation_timeout(CREATION_LASTS).build();
        let creator =
            common.clone().retry_config(RetryConfig::disabled()).timeout_config(patient).build();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_LASTS)
            .operation_timeout(CALL_LASTS)
            .build();
        Self {
            client: Client::from_conf(common.timeout_config(timeouts).build()),
            creator: Client::from_conf(creator),
            credentials: config.credentials_provider(),
            region,
            installation,
            date,
            types: KnownTypes::default(),
        }
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What EC2's own clock said in its latest answer.
    pub fn date(&self) -> Option<Timestamp> {
        self.date.latest()
    }
}

fn filter(name: impl Into<String>, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}
