//! What an installation consists of: the services of its functions, over a wire, with a table and a bus of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use jiff::SignedDuration;
use local::connections;
use local::dispatch::{Dispatch, Identity};
use local::endpoints::events::LocalBus;
use local::function::Function;
use local::template::{EnvironmentValue, FunctionSettings};
use shared::Service;
use shared::clock::Clock;
use shared::service::Connections;
use shared::settings::Settings;
use sim_dynamodb::SimDynamoDb;

use crate::another::{self, Another};
use crate::hands::Hands;
use crate::lies::Lie;
use crate::plan::Setup;
use crate::wire::{Behind, Shared, Wire, held};
use crate::world::{ABROAD, HOME, INSTALLATION, TABLE, TEMPLATE};

const BUS: &str = "snapkeep";

/// The functions' clock; their pauses take time.
pub(crate) fn clock(hands: &Hands, skew: &Shared<SignedDuration>) -> Clock {
    let (reader, sleeper, skew) = (hands.clone(), hands.clone(), Arc::clone(skew));
    Clock::new(move || reader.now() + *held(&skew), move |time| sleeper.sleep(time))
}

/// A bus of its own, with nothing on it.
pub(crate) fn new_bus(identity: &Identity, hands: &Hands) -> LocalBus {
    let dispatch = Dispatch::new(&TEMPLATE, identity.clone(), hands.now());
    LocalBus::new(BUS, dispatch, clock(hands, &Arc::default()))
}

/// Clients that go by these hands, and wait no random time.
fn base(hands: &Hands) -> SdkConfig {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::ZERO);
    connections::local(HOME)
        .into_builder()
        .retry_config(retries)
        .sleep_impl(hands.clone())
        .time_source(hands.clone())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// The ways over this wire: to the same EC2, and to this table and bus.
pub(crate) fn ways(wire: &Wire, database: &SimDynamoDb, bus: &LocalBus) -> Connections {
    let base = base(&wire.hands);
    let to = |behind| {
        let wire = Wire { behind, ..wire.clone() };
        connections::through(base.clone(), wire.client())
    };
    Connections {
        ec2: to(wire.behind.clone()),
        dynamodb: to(Behind::DynamoDb(database.clone())),
        eventbridge: to(Behind::Bus(bus.clone())),
    }
}

/// The services of all functions of an installation.
pub(crate) fn services(
    setup: &Setup,
    installation: &str,
    ways: &Connections,
) -> BTreeMap<Function, Service> {
    TEMPLATE
        .functions
        .iter()
        .map(|(function, given)| {
            (*function, Service::new(settings(given, setup, installation), ways))
        })
        .collect()
}

/// Another installation, over the same wire.
pub(crate) fn a_second_one(
    setup: &Setup,
    wire: &Wire,
    bus: LocalBus,
    skew: &Shared<SignedDuration>,
) -> Another {
    let database = SimDynamoDb::memory();
    let wire = Wire { is_anothers: true, ..wire.clone() };
    let is_mistaken = setup.lie == Some(Lie::OneInstallation);
    let installation = if is_mistaken { INSTALLATION } else { another::INSTALLATION };
    let services = services(setup, installation, &ways(&wire, &database, &bus));
    let api = api::router(services[&Function::Api].clone(), clock(&wire.hands, skew));
    Another { database, bus, services, api }
}

fn settings(given: &FunctionSettings, setup: &Setup, installation: &str) -> Settings {
    let regions = if setup.two_regions { ABROAD } else { "" };
    Settings::from_lookup(|name| match name {
        "AWS_REGION" => Some(HOME.to_owned()),
        "SNAPKEEP_REGIONS" => Some(regions.to_owned()),
        "SNAPKEEP_BRAKE_DELETIONS" if setup.lie == Some(Lie::BrakeOff) => {
            Some("1000000".to_owned())
        }
        "SNAPKEEP_BRAKE_DELETIONS" => Some(setup.brake_deletions.to_string()),
        name => Some(match given.environment.get(name)? {
            EnvironmentValue::Literal(text) => text.clone(),
            EnvironmentValue::Table => TABLE.to_owned(),
            EnvironmentValue::Bus => BUS.to_owned(),
            EnvironmentValue::Installation => installation.to_owned(),
        }),
    })
    .unwrap()
}
