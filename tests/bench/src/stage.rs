//! The whole system over its stand-ins, on a time that passes only when nobody can go on.
//!
//! Unlike on a clock that each pause moves on, two who pause at once do so at once: how long something takes is what it
//! would take with EC2's limits and these delays of each call.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bytes::Bytes;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use local::connections;
use local::dispatch::{Identity, Outcome};
use local::function::Function;
use local::http::Caller;
use local::options::Role;
use local::template::Template;
use local::world::{Parts, TABLE, World};
use serde_json::Value;
use shared::Service;
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Config, SimEc2, Throttling};

use crate::hands::Hands;
use crate::meter::Meter;
use crate::slow::{Counts, Slow};

/// Shortly after an hour, so that hourly ticks lie ahead.
const BEGINNING: &str = "2026-03-02T10:00:30Z";
/// How often somebody looks for what EC2 reports, if nothing else is due.
const PULSE: SignedDuration = SignedDuration::from_secs(5);
/// How often tasks are let go on that functions begin beside themselves.
const ROUNDS_OF_TASKS: usize = 24;
/// The region of it all.
pub(crate) const REGION: &str = "us-east-1";

pub(crate) static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::embedded().unwrap());

/// How long each call takes, one way and back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delays {
    pub(crate) ec2: SignedDuration,
    pub(crate) dynamodb: SignedDuration,
}

impl Delays {
    /// None at all.
    pub(crate) const NONE: Self =
        Self { ec2: SignedDuration::ZERO, dynamodb: SignedDuration::ZERO };
}

/// What of a function was at work: how often it was called, and for how long.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Worked {
    pub(crate) calls: u64,
    pub(crate) time: SignedDuration,
}

/// The whole system.
pub(crate) struct Stage {
    pub(crate) hands: Hands,
    pub(crate) ec2: SimEc2,
    pub(crate) database: SimDynamoDb,
    pub(crate) meter: Meter,
    pub(crate) world: World,
    pub(crate) dynamodb_calls: Counts,
    at_work: RefCell<AtWork>,
    worked: RefCell<BTreeMap<Function, Worked>>,
    failures: RefCell<u64>,
    events_of_ec2: RefCell<u64>,
}

/// What came of a call: whose, since when, of which delivery.
type Done = (Function, Timestamp, u64, Outcome);

/// The calls under way.
type AtWork = FuturesUnordered<LocalBoxFuture<'static, Done>>;

/// How a stage is set.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) delays: Delays,
    pub(crate) throttling: Throttling,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) metering: Metering,
}

/// Whether DynamoDB's units are counted, which takes two more reads for each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metering {
    Off,
    On,
}

impl Stage {
    /// A stage with an empty table.
    pub(crate) async fn set(setting: Setting) -> Self {
        let Setting { delays, throttling, environment, metering } = setting;
        let hands = Hands::at(BEGINNING.parse().unwrap());
        let config = Config { throttling, ..Config::default() };
        let identity = Identity { account: config.account.clone(), region: REGION.to_owned() };
        let ec2 = SimEc2::new(config, hands.clock().clone());
        let database = SimDynamoDb::memory();
        let meter = Meter::before(&database);
        let behind = match metering {
            Metering::Off => database.http_client(),
            Metering::On => meter.http_client(),
        };
        let counts = Counts::default();
        let slow = |behind, delay, counts: &Counts| {
            let slow = Slow { behind, hands: hands.clone(), delay, counts: Arc::clone(counts) };
            connections::through(base(&hands), SharedHttpClient::new(slow))
        };
        let parts = Parts {
            identity,
            table: TABLE.to_owned(),
            ec2: slow(ec2.http_client(), delays.ec2, &Counts::default()),
            dynamodb: slow(behind, delays.dynamodb, &counts),
            simulation: Some(ec2.clone()),
            clock: clock(&hands),
            speed: 1,
            environment,
            token: None,
            rights: None,
        };
        let world = World::new(&TEMPLATE, parts).unwrap();
        let stage = Self {
            hands,
            ec2,
            database,
            meter,
            world,
            dynamodb_calls: counts,
            at_work: RefCell::default(),
            worked: RefCell::default(),
            failures: RefCell::default(),
            events_of_ec2: RefCell::default(),
        };
        stage.drive(stage.world.owner().table.create()).await.unwrap();
        stage
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.hands.now()
    }

    /// What the owner works with.
    pub(crate) fn owner(&self) -> &Service {
        self.world.owner()
    }

    /// Begins to count from nothing.
    pub(crate) fn forget_counts(&self) {
        self.ec2.reset_calls();
        self.dynamodb_calls.lock().unwrap().clear();
        self.worked.borrow_mut().clear();
        *self.events_of_ec2.borrow_mut() = 0;
        drop(self.meter.take());
    }

    /// What each function has worked since.
    pub(crate) fn worked(&self) -> BTreeMap<Function, Worked> {
        self.worked.borrow().clone()
    }

    /// How many calls of functions have failed.
    pub(crate) fn failures(&self) -> u64 {
        *self.failures.borrow()
    }

    /// How many events EC2 has sent since.
    pub(crate) fn events_of_ec2(&self) -> u64 {
        *self.events_of_ec2.borrow()
    }

    /// Lets time pass until `end`, doing what is due on the way.
    pub(crate) async fn pass_to(&self, end: Timestamp) {
        self.pass_until(end, || false).await;
    }

    /// Lets time pass until `is_over`, asked once a simulated minute, or until `end`. Comes back with whether it was over.
    pub(crate) async fn pass_until(&self, end: Timestamp, is_over: impl Fn() -> bool) -> bool {
        let mut at_work = self.at_work.take();
        let mut asked = self.now();
        let is_over = loop {
            self.begin_due(&mut at_work);
            self.until_idle(&mut at_work).await;
            if self.now() >= end {
                break false;
            }
            if self.now().duration_since(asked) >= SignedDuration::from_mins(1) {
                asked = self.now();
                if is_over() {
                    break true;
                }
            }
            self.move_on(end);
        };
        // Those who are still at work go on the next time.
        *self.at_work.borrow_mut() = at_work;
        is_over
    }

    /// A request of an admin's: the status and the body of the answer. Nothing else is done meanwhile.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path);
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header("content-type", "application/json");
            Bytes::from(body.to_string())
        };
        let request = request.body(bytes).unwrap();
        let response = self.drive(self.world.request(request, Caller::Person(Role::Admin))).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    /// Lets this be done, and as much time pass as it takes.
    pub(crate) async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        loop {
            let waker = Waker::from(Arc::clone(&flag));
            flag.0.store(false, Ordering::Relaxed);
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            if !self.is_woken(&flag).await {
                self.move_on(Timestamp::MAX);
            }
        }
    }

    /// Calls whom something is due for.
    fn begin_due(&self, at_work: &mut AtWork) {
        let now = self.now();
        *self.events_of_ec2.borrow_mut() += self.world.pull_events(now) as u64;
        let due = self.world.bus().dispatch().due(now);
        for delivery in due {
            let (function, id) = (delivery.function, delivery.id);
            let call = self.world.call(&delivery);
            at_work.push(Box::pin(async move { (function, now, id, call.await) }));
        }
    }

    /// Lets all who are at work go on until nobody can.
    async fn until_idle(&self, at_work: &mut AtWork) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        loop {
            flag.0.store(false, Ordering::Relaxed);
            match at_work.poll_next_unpin(&mut Context::from_waker(&waker)) {
                Poll::Ready(Some((function, began, id, outcome))) => {
                    self.note(function, began, &outcome);
                    self.world.bus().dispatch().settle(id, &outcome, self.now());
                    self.begin_due(at_work);
                    continue;
                }
                Poll::Ready(None) => return,
                Poll::Pending => {}
            }
            if !self.is_woken(&flag).await {
                return;
            }
        }
    }

    /// Whether somebody is woken, by us or by tasks that go on.
    async fn is_woken(&self, flag: &Flag) -> bool {
        let rounds = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let rounds = if rounds > 0 { ROUNDS_OF_TASKS } else { 2 };
        for _ in 0..rounds {
            if flag.0.load(Ordering::Relaxed) {
                return true;
            }
            tokio::task::yield_now().await;
        }
        flag.0.load(Ordering::Relaxed)
    }

    /// Moves the time on to the next at which somebody can go on.
    fn move_on(&self, end: Timestamp) {
        let due = self.world.bus().dispatch().next_at().filter(|at| *at > self.now());
        let next = [self.hands.next(), due, Some(self.now() + PULSE), Some(end)];
        self.hands.set(next.into_iter().flatten().min().unwrap());
    }

    fn note(&self, function: Function, began: Timestamp, outcome: &Outcome) {
        let mut worked = self.worked.borrow_mut();
        let worked = worked.entry(function).or_default();
        worked.calls += 1;
        worked.time += self.now().duration_since(began);
        if let Outcome::Failed(_) = outcome {
            *self.failures.borrow_mut() += 1;
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The functions' clock; their pauses take time.
fn clock(hands: &Hands) -> shared::clock::Clock {
    let (reader, sleeper) = (hands.clone(), hands.clone());
    shared::clock::Clock::new(move || reader.now(), move |time| sleeper.sleep(time))
}

/// Clients that go by these hands.
fn base(hands: &Hands) -> SdkConfig {
    connections::local(REGION)
        .into_builder()
        .retry_config(aws_config::retry::RetryConfig::standard())
        .sleep_impl(hands.clone())
        .time_source(hands.clone())
        .build()
}
