//! The whole system without ports: functions, what lies between them, and the HTTP API.
//!
//! Tests drive it with a clock of their own: [`World::step`] does everything that is due and what follows
//! from it, until nothing is left to do at that time.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
};

use aws_config::SdkConfig;
use axum::Router;
use bytes::Bytes;
use console::Console;
use futures::{
    FutureExt as _,
    future::{LocalBoxFuture, join_all},
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::{
    Service,
    clock::Clock,
    error::{Error, chain},
    service::Connections,
    settings::Settings,
    trace::TraceParent,
};
use sim_ec2::{SimEc2, iam::Right};

use crate::{
    StartError, connections,
    dispatch::{Delivery, Dispatch, Identity, Outcome},
    endpoints::events::LocalBus,
    function::Function,
    http::{Caller, Gateway},
    rights::{self, ByFunction, Rights},
    template::{BusKind, EnvironmentValue, FunctionSettings, Place, Template},
};

/// The name of our bus here.
pub const BUS: &str = "snapkeep";
/// The name of the table, unless the real DynamoDB is used.
pub const TABLE: &str = "snapkeep";
/// What a function keeps of its time to finish the work at hand; as in `shared::lambda`.
const RESERVE: SignedDuration = SignedDuration::from_secs(20);

/// What a world is made of beside the template.
#[derive(Debug)]
pub struct Parts {
    /// Whose account it is.
    pub identity: Identity,
    /// The table's name.
    pub table: String,
    /// How EC2 is reached.
    pub ec2: SdkConfig,
    /// How DynamoDB is reached.
    pub dynamodb: SdkConfig,
    /// The simulation whose events go to the default bus, if it is one.
    pub simulation: Option<SimEc2>,
    /// The time.
    pub clock: Clock,
    /// How many times faster than real time the clock goes.
    pub speed: u32,
    /// Variables that stand before those of the template.
    pub environment: BTreeMap<String, String>,
    /// What callers of the API must bring, if anything.
    pub token: Option<String>,
    /// The simulation that holds each function to the rights of its role in the template, if one does.
    pub rights: Option<SimEc2>,
}

/// The whole system.
#[derive(Debug)]
pub struct World {
    bus: LocalBus,
    services: BTreeMap<Function, Service>,
    owner: Service,
    timeouts: BTreeMap<Function, SignedDuration>,
    api: Router,
    page: Console,
    gateway: Gateway,
    simulation: Option<SimEc2>,
    rights: Option<SimEc2>,
    roles: ByFunction,
    clock: Clock,
    speed: u32,
}

impl World {
    /// The system that `template` describes, made of `parts`.
    pub fn new(template: &Template, parts: Parts) -> Result<Self, StartError> {
        let Parts { identity, table, ec2, dynamodb, simulation, .. } = parts;
        let Parts { clock, speed, environment, token, rights, .. } = parts;
        let dispatch = Dispatch::new(template, identity.clone(), clock.now());
        let bus = LocalBus::new(BUS, dispatch, clock.clone());
        let eventbridge =
            connections::through(connections::local(&identity.region), bus.http_client());
        let connections = Connections { ec2, dynamodb, eventbridge };
        let mut services = BTreeMap::new();
        let mut roles = ByFunction::new();
        for (function, settings) in &template.functions {
            let lookup = |name: &str| {
                environment.get(name).cloned().or_else(|| match name {
                    "AWS_REGION" => Some(identity.region.clone()),
                    name => variable(settings, name, &table, &identity.region),
                })
            };
            let settings = Settings::from_lookup(lookup)
                .map_err(|source| StartError::Settings { function: *function, source })?;
            let Some(simulation) = &rights else {
                services.insert(*function, Service::new(settings, &connections));
                continue;
            };
            let instance_roles = lookup("SNAPKEEP_INSTANCE_ROLES").unwrap_or_default();
            let place = Place {
                region: &identity.region,
                account: &identity.account,
                table: &table,
                bus: BUS,
                installation: settings.installation.as_str(),
                regions: &settings.regions,
                instance_roles: &instance_roles,
            };
            let policy = template.policy(*function, &place)?;
            let key = access_key(*function, &settings);
            simulation.permit(&key, policy.clone());
            let role = Rights::new(policy, place.table_arn(), place.bus_arn());
            let held = Connections {
                ec2: rights::signing(connections.ec2.clone(), &key),
                dynamodb: role.over(connections.dynamodb.clone()),
                eventbridge: role.over(connections.eventbridge.clone()),
            };
            services.insert(*function, Service::new(settings, &held));
            roles.insert(*function, role);
        }
        let Some(api) = services.get(&Function::Api) else {
            return Err(StartError::Options("the template has no api function".to_owned()));
        };
        let owner = Service::new(api.settings.clone(), &connections);
        let role_claim = api.settings.role_claim.clone();
        let gateway =
            Gateway::new(template.routes.clone(), role_claim, identity.clone()).with_token(token);
        let api = api::router(api.clone(), clock.clone());
        let page = page_settings(template, &environment, &table, &identity.region);
        let timeouts =
            template.functions.iter().map(|(name, settings)| (*name, settings.timeout)).collect();
        Ok(Self {
            bus,
            services,
            owner,
            timeouts,
            api,
            page: Console::new(page),
            gateway,
            simulation,
            rights,
            roles,
            clock,
            speed,
        })
    }

    /// The bus, and the dispatch behind it.
    pub fn bus(&self) -> &LocalBus {
        &self.bus
    }

    /// What a function works with.
    pub fn service(&self, function: Function) -> Option<&Service> {
        self.services.get(&function)
    }

    /// What the account's owner works with, whom no role holds back: to make the table, and to look.
    pub fn owner(&self) -> &Service {
        &self.owner
    }

    /// The rights of a function's role that it has made use of, where it is held to them.
    pub fn rights_used(&self, function: Function) -> BTreeSet<Right> {
        let (Some(role), Some(service)) = (self.roles.get(&function), self.service(function))
        else {
            return BTreeSet::new();
        };
        let key = access_key(function, &service.settings);
        let of_ec2 = self.rights.as_ref().map(|ec2| ec2.rights_used(&key));
        role.used().into_iter().chain(of_ec2.into_iter().flatten()).collect()
    }

    /// The rights that the template gives a function of what is simulated here.
    pub fn rights_given(&self, function: Function) -> BTreeSet<Right> {
        self.roles.get(&function).map(Rights::given).unwrap_or_default()
    }

    /// How long a call of a function may take, in real time.
    pub fn timeout(&self, function: Function) -> SignedDuration {
        self.timeouts.get(&function).copied().unwrap_or(SignedDuration::MAX)
    }

    /// Puts the simulation's events on the default bus; comes back with how many there were.
    pub fn pull_events(&self, now: Timestamp) -> usize {
        let events = self.simulation.as_ref().map(SimEc2::take_events).unwrap_or_default();
        let mut dispatch = self.bus.dispatch();
        for event in &events {
            dispatch.put_event(BusKind::Default, event, now);
        }
        events.len()
    }

    /// Does what is due at `now`, and whatever follows from it, until nothing is due any more; comes back
    /// with how many calls that took. Calls that are due together run at the same time.
    pub async fn step(&self, now: Timestamp) -> usize {
        let mut calls = 0;
        loop {
            self.pull_events(now);
            let due = self.bus.dispatch().due(now);
            if due.is_empty() {
                return calls;
            }
            calls += due.len();
            let outcomes = join_all(due.iter().map(|delivery| self.call(delivery))).await;
            let mut dispatch = self.bus.dispatch();
            for (delivery, outcome) in due.iter().zip(outcomes) {
                dispatch.settle(delivery.id, &outcome, now);
            }
        }
    }

    /// Calls a function as Lambda would. A panic is a failure, as it is there.
    pub fn call(&self, delivery: &Delivery) -> LocalBoxFuture<'static, Outcome> {
        let Delivery { function, payload, .. } = delivery.clone();
        let service = self.services.get(&function).cloned();
        let clock = self.clock_of(function);
        let call = async move {
            let service = service.ok_or_else(|| Error::not_found("function", function))?;
            let service = service.traced(TraceParent::of_event(&payload));
            invoke(function, &service, &clock, payload).await
        };
        let outcome = async move {
            let failure = match AssertUnwindSafe(call).catch_unwind().await {
                Ok(Ok(answer)) => return Outcome::Answered(answer),
                Ok(Err(error)) => chain(&error),
                Err(_) => "it panicked".to_owned(),
            };
            tracing::warn!("A call of {function} failed: {failure}");
            Outcome::Failed(failure)
        };
        outcome.boxed_local()
    }

    /// The clock with the deadline that Lambda would give. Time that passes faster gives no less of it.
    fn clock_of(&self, function: Function) -> Clock {
        let speed = i32::try_from(self.speed).unwrap_or(i32::MAX);
        let room =
            self.timeout(function).checked_sub(RESERVE).and_then(|time| time.checked_mul(speed));
        let deadline = room.and_then(|room| self.clock.now().checked_add(room).ok());
        self.clock.clone().until(deadline.unwrap_or(Timestamp::MAX))
    }

    /// Answers a request as API Gateway and the function behind the route would.
    pub async fn request(&self, request: Request<Bytes>, caller: Caller) -> Response<Bytes> {
        let (function, event) = match self.gateway.event(&request, caller, self.clock.now()) {
            Ok(found) => found,
            Err(refusal) => return refusal.response(),
        };
        match lambda_http::request::from_str(&event.to_string()) {
            Ok(request) => {
                let answer = if function == Function::Console {
                    self.page.handle(&request)
                } else {
                    Box::pin(api::handle(self.api.clone(), request)).await
                };
                let mut answer = answer.map(|body| Bytes::copy_from_slice(body.as_ref()));
                self.tell_time(answer.headers_mut());
                answer
            }
            Err(error) => {
                tracing::error!("An event for the api cannot be read: {error}");
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        }
    }
}

/// What a function signs with, of this installation.
fn access_key(function: Function, settings: &Settings) -> String {
    format!("{}.{function}", settings.installation)
}

impl World {
    /// What a page here cannot know from its own clock: the simulated time, and how fast it passes.
    fn tell_time(&self, headers: &mut HeaderMap) {
        let now = HeaderValue::from_str(&self.clock.now().to_string());
        headers.extend(now.map(|now| (HeaderName::from_static("x-snapkeep-now"), now)));
        headers.insert("x-snapkeep-speed", HeaderValue::from(self.speed));
    }
}

async fn invoke(
    function: Function,
    service: &Service,
    clock: &Clock,
    event: Value,
) -> Result<Value, Error> {
    match function {
        Function::Scheduler => Box::pin(scheduler::handle(service, clock, event)).await,
        Function::Snapshotter => Box::pin(snapshotter::handle(service, clock, event)).await,
        Function::Tracker => Box::pin(tracker::handle(service, clock, event)).await,
        Function::Sweeper => Box::pin(sweeper::handle(service, clock, event)).await,
        Function::Reaper => Box::pin(reaper::handle(service, clock, event)).await,
        Function::Reconciler => Box::pin(reconciler::handle(service, clock, event)).await,
        Function::Restorer => Box::pin(restorer::handle(service, clock, event)).await,
        Function::Api | Function::Console => {
            Err(Error::invalid("function", "it answers HTTP requests only"))
        }
    }
}

/// What the page is told: what was given, and else what the template says of its function.
fn page_settings(
    template: &Template,
    given: &BTreeMap<String, String>,
    table: &str,
    region: &str,
) -> console::Settings {
    console::Settings::from_lookup(|name| {
        let of_template = |settings| variable(settings, name, table, region);
        given.get(name).cloned().or_else(|| match name {
            "SNAPKEEP_PAGE_KIND" => Some("local".to_owned()),
            _ => template.functions.get(&Function::Console).and_then(of_template),
        })
    })
}

fn variable(settings: &FunctionSettings, name: &str, table: &str, region: &str) -> Option<String> {
    Some(match settings.environment.get(name)? {
        EnvironmentValue::Literal(text) => text.clone(),
        EnvironmentValue::Table => table.to_owned(),
        EnvironmentValue::Bus => BUS.to_owned(),
        // No stack is called so, and no two tables of an account and region have one name.
        EnvironmentValue::Installation => format!("local.{table}.{region}"),
    })
}
