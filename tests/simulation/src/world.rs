//! The whole system over its stand-ins, and how time passes in it.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use local::dispatch::{Delivery, Identity, Outcome};
use local::endpoints::events::LocalBus;
use local::function::Function;
use local::http::{Caller, Gateway};
use local::options::Role;
use local::template::{BusKind, Template};
use serde_json::Value;
use shared::Service;
use shared::clock::Clock;
use shared::error::{Error, chain};
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Config, InstanceSpec, SeedVolume, SimEc2};
use tokio::runtime::Runtime;

use crate::another::Another;
use crate::crew::{Crew, Ending, Limits};
use crate::hands::Hands;
use crate::installations::{a_second_one, clock, new_bus, services, ways};
use crate::ledger::Ledger;
use crate::lies::Lie;
use crate::oracle::look;
use crate::people::{Errand, Reply};
use crate::plan::Setup;
use crate::rng::Rng;
use crate::weather::{Storm, Weather};
use crate::wire::{Behind, Shared, Wire, held};

pub(crate) const HOME: &str = "us-east-1";
pub(crate) const ABROAD: &str = "eu-west-1";
pub(crate) const TABLE: &str = "snapkeep";
/// Whose everything is.
pub(crate) const INSTALLATION: &str = "simulated";
const ACCOUNT: &str = "123456789012";
/// Shortly after an hour, so that hourly ticks lie ahead.
const BEGINNING: &str = "2026-03-02T10:00:30Z";
/// What a function keeps of its time to finish the work at hand; as in `shared::lambda`.
const RESERVE: SignedDuration = SignedDuration::from_secs(20);

/// Of a thousand ticks that find nothing to do, how many are made all the same.
const TICKS_KEPT: u64 = 30;
/// The same of those that would only tell what has changed.
const TELLING_TICKS_KEPT: u64 = 300;

/// How often tasks are polled in between: enough for a few calls.
const ROUNDS_OF_TASKS: usize = 24;

/// The template is read once: it is the same for all worlds.
pub(crate) static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::embedded().unwrap());

/// Somebody at work.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A function, called with a delivery that is to be settled.
    Function(Function, u64),
    /// A function, called once more with what it had already.
    Again(Function),
    /// A function of the other installation, called with a delivery of its.
    Another(Function, u64),
    /// A person's request.
    Person(Errand),
}

/// What comes of somebody's work.
pub(crate) enum Done {
    Outcome(Outcome),
    Reply(Reply),
}

/// The whole system.
#[derive(Debug)]
pub(crate) struct World {
    /// What tasks run on that functions begin besides themselves. No time passes there.
    pub(crate) runtime: Rc<Runtime>,
    pub(crate) hands: Hands,
    pub(crate) ec2: SimEc2,
    pub(crate) database: SimDynamoDb,
    pub(crate) bus: LocalBus,
    gateway: Gateway,
    api: axum::Router,
    services: BTreeMap<Function, Service>,
    pub(crate) another: Option<Another>,
    pub(crate) crew: Crew<Kind, Done>,
    pub(crate) ledger: Shared<Ledger>,
    pub(crate) weather: Shared<Weather>,
    /// How far the functions' clock is off.
    pub(crate) skew: Shared<SignedDuration>,
    pub(crate) rng: Rng,
    pub(crate) instances: Vec<String>,
    /// The tag that schedules go by, as each instance bears it.
    pub(crate) errands: u64,
    /// Whether messages are delivered as they should be.
    pub(crate) is_kind: bool,
    pub(crate) denied: Vec<&'static str>,
    lie: Option<Lie>,
}

impl World {
    pub(crate) fn new(setup: &Setup, runtime: Rc<Runtime>) -> Self {
        let hands = Hands::at(BEGINNING.parse().unwrap());
        let config = Config {
            region: HOME.to_owned(),
            account: ACCOUNT.to_owned(),
            seed: setup.seed,
            visibility_lag: SignedDuration::from_secs(setup.lag_seconds),
            ..Config::default()
        };
        let ec2 = SimEc2::new(config, hands.clock().clone());
        let database = SimDynamoDb::memory();
        let skew: Shared<SignedDuration> = Arc::new(Mutex::new(SignedDuration::ZERO));
        let identity = Identity { account: ACCOUNT.to_owned(), region: HOME.to_owned() };
        let bus = new_bus(&identity, &hands);
        let ledger: Shared<Ledger> = Arc::new(Mutex::new(Ledger::of(setup, &database)));
        let weather = Arc::new(Mutex::new(Weather::calm(setup.seed)));
        let wire = Wire {
            behind: Behind::Ec2(ec2.clone()),
            hands: hands.clone(),
            weather: Arc::clone(&weather),
            ledger: Arc::clone(&ledger),
            lie: setup.lie,
            is_anothers: false,
        };
        let services = services(setup, INSTALLATION, &ways(&wire, &database, &bus));
        let another =
            setup.is_shared.then(|| a_second_one(setup, &wire, new_bus(&identity, &hands), &skew));
        let api = services[&Function::Api].clone();
        let gateway =
            Gateway::new(TEMPLATE.routes.clone(), api.settings.role_claim.clone(), identity);
        let mut world = Self {
            runtime,
            api: api::router(api, clock(&hands, &skew)),
            hands,
            ec2,
            database,
            bus,
            gateway,
            services,
            another,
            crew: Crew::new(),
            ledger,
            weather,
            skew,
            rng: Rng::new(setup.seed),
            instances: Vec::new(),
            errands: 0,
            is_kind: true,
            denied: Vec::new(),
            lie: setup.lie,
        };
        let created = world.services[&Function::Api].table.create();
        _ = world.runtime.block_on(created).unwrap();
        world.furnish(setup);
        world
    }

    /// Nothing of ours runs for a while; what EC2 has under way goes on.
    pub(crate) fn stand_still(&mut self, time: SignedDuration) {
        let from = self.now();
        self.hands.set(from + time);
        held(&self.ledger).stood_still(from, self.now());
    }

    fn furnish(&mut self, setup: &Setup) {
        for (at, volumes) in setup.instances.iter().enumerate() {
            let mut spec = InstanceSpec::named(&format!("web-{at}")).tag("Backup", "daily");
            if setup.two_regions && at + 1 == setup.instances.len() {
                spec.region = Some(ABROAD.to_owned());
            }
            spec.volumes = ('a'..='z')
                .take(*volumes)
                .map(|letter| SeedVolume::new(&format!("/dev/sd{letter}"), 8))
                .collect();
            let id = self.ec2.add_instance(spec);
            let text = format!("there is {id} with {volumes} volumes");
            held(&self.ledger).note(self.hands.now(), text);
            self.instances.push(id);
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.hands.now()
    }

    pub(crate) fn note(&self, text: impl AsRef<str>) {
        held(&self.ledger).note(self.now(), text);
    }

    /// Lets time pass, doing what is due on the way, as well as the weather lets it.
    pub(crate) fn pass(&mut self, time: SignedDuration) {
        let end = self.now() + time;
        let mut pulse = self.now();
        loop {
            let now = self.now();
            if pulse <= now {
                self.deliver();
                pulse = now + self.gap();
            }
            self.work();
            if self.has_more() {
                pulse = now;
                continue;
            }
            if self.now() >= end {
                return;
            }
            let next = [self.hands.next(), self.crew.next_end(), Some(pulse), Some(end)];
            let next = next.into_iter().flatten().min().unwrap_or(end);
            self.hands.set(next.min(end));
        }
    }

    /// Whether something has become due by what was done just now, and nothing holds it up.
    fn has_more(&self) -> bool {
        let next = self.bus.dispatch().next_at();
        self.is_kind && next.is_some_and(|next| next <= self.now())
    }

    /// How long it is until somebody looks for what is due.
    fn gap(&mut self) -> SignedDuration {
        let seconds = match (self.is_kind, self.rng.below(10)) {
            (true, 0..=4) => self.rng.within(30, 90),
            (true, _) => self.rng.within(200, 500),
            (false, 0..=2) => self.rng.within(15, 70),
            (false, 3..=8) => self.rng.within(90, 500),
            (false, _) => self.rng.within(400, 1_500),
        };
        SignedDuration::from_secs(seconds)
    }

    /// Lets all who are at work go on until nobody can.
    fn work(&mut self) {
        loop {
            let (now, ledger) = (self.now(), &self.ledger);
            let turn = self.crew.turn(&mut self.rng, now, |kind, began| {
                let mut ledger = held(ledger);
                name_of(kind).clone_into(&mut ledger.actor);
                ledger.actor_since = Some(began);
            });
            let is_idle = turn.is_none();
            if let Some(Some((kind, ending))) = turn {
                self.ended(kind, ending);
            }
            self.run_tasks();
            if is_idle && !self.crew.is_anybody_ready() {
                return;
            }
        }
    }

    /// Lets the tasks go on that those at work have begun.
    fn run_tasks(&self) {
        if self.runtime.metrics().num_alive_tasks() > 0 {
            self.runtime.block_on(async {
                for _ in 0..ROUNDS_OF_TASKS {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    /// Hands on EC2's events, and calls whom something is due for.
    fn deliver(&mut self) {
        let now = self.now();
        look(&mut held(&self.ledger), &self.ec2, now);
        let events = self.ec2.take_events();
        let due = {
            let mut dispatch = self.bus.dispatch();
            for event in &events {
                dispatch.put_event(BusKind::Default, event, now);
            }
            dispatch.due(now)
        };
        for delivery in due {
            self.dispatch(&delivery);
        }
        self.deliver_to_another(&events);
    }

    fn dispatch(&mut self, delivery: &Delivery) {
        held(&self.ledger).events += 1;
        let Delivery { id, function, payload } = delivery;
        let (kind, service) = (Kind::Function(*function, *id), self.services[function].clone());
        if self.lie == Some(Lie::TrackerFails) && *function == Function::Tracker {
            let failed = Outcome::Failed("a lie".to_owned());
            return self.bus.dispatch().settle(*id, &failed, self.now());
        }
        if *function == Function::Scheduler && !self.is_tick_made(&self.database.clone()) {
            return self.bus.dispatch().settle(*id, &Outcome::Answered(Value::Null), self.now());
        }
        if self.is_lied_to(*function) {
            return self.bus.dispatch().settle(*id, &Outcome::Answered(Value::Null), self.now());
        }
        if self.is_kind {
            let limits = self.limits(*function, SignedDuration::ZERO, None);
            return self.call((kind, service), *function, payload, (SignedDuration::ZERO, limits));
        }
        if self.rng.chance(8) {
            self.note(format!("    a call of {function} is lost"));
            return self.bus.dispatch().settle(*id, &Outcome::Answered(Value::Null), self.now());
        }
        let (late, polls) = self.hazards();
        let limits = self.limits(*function, late, polls);
        self.call((kind, service.clone()), *function, payload, (late, limits));
        let more = if self.rng.chance(60) { 1 + self.rng.below(4) } else { 0 };
        for _ in 0..more {
            let (late, polls) = self.hazards();
            let limits = self.limits(*function, late, polls);
            self.call(
                (Kind::Again(*function), service.clone()),
                *function,
                payload,
                (late, limits),
            );
        }
    }

    /// Whether a tick is made. Most would find nothing to do, and ask for it ten times: nothing that they look at has become
    /// due. Others would only tell somebody something, which can wait for the next.
    pub(crate) fn is_tick_made(&mut self, database: &SimDynamoDb) -> bool {
        let now = self.now() + *held(&self.skew);
        let is_due = |sort: &str| {
            let at = sort.split('#').next().and_then(|text| text.parse::<Timestamp>().ok());
            at.is_none_or(|at| at <= now)
        };
        let first = database.first_of_each(TABLE, "due");
        if first.iter().any(|(_, sort)| is_due(sort)) {
            return true;
        }
        if !database.has_any(TABLE, "OUTBOX") {
            return self.rng.chance(TICKS_KEPT);
        }
        // In the end, when it is judged what was told, none is left out.
        self.is_kind || self.rng.chance(TELLING_TICKS_KEPT)
    }

    /// Whether the function is never called, and everybody thinks it was.
    fn is_lied_to(&self, function: Function) -> bool {
        match self.lie {
            Some(Lie::SweepsDropped) => function == Function::Sweeper,
            Some(Lie::RequestsDropped) => function == Function::Snapshotter,
            Some(Lie::DueDeletionsDropped) => function == Function::Reaper,
            Some(Lie::RestoresDropped) => function == Function::Restorer,
            _ => false,
        }
    }

    /// How much later a call is made, and after how many polls it ends in the middle.
    pub(crate) fn hazards(&mut self) -> (SignedDuration, Option<u32>) {
        let late = match self.rng.below(20) {
            0 => self.rng.within(30, 1_200),
            1..=3 => self.rng.within(1, 30),
            _ => 0,
        };
        let polls = self.rng.chance(25).then(|| {
            let most = *self.rng.pick(&[8, 30, 100]);
            u32::try_from(1 + self.rng.below(most)).unwrap_or(1)
        });
        (SignedDuration::from_secs(late), polls)
    }

    pub(crate) fn limits(
        &self,
        function: Function,
        late: SignedDuration,
        polls: Option<u32>,
    ) -> Limits {
        Limits { polls, until: self.now() + late + timeout(function) }
    }

    pub(crate) fn call(
        &mut self,
        (kind, service): (Kind, Service),
        function: Function,
        payload: &Value,
        (late, limits): (SignedDuration, Limits),
    ) {
        let until = limits.until.saturating_sub(RESERVE).unwrap_or(limits.until);
        let skew = *held(&self.skew);
        let clock = clock(&self.hands, &self.skew).until(until + skew);
        let (payload, hands) = (payload.clone(), self.hands.clone());
        let is_ours = !matches!(kind, Kind::Another(..));
        let panics = is_ours && self.lie == Some(Lie::ReaperPanics) && function == Function::Reaper;
        let work = async move {
            if late > SignedDuration::ZERO {
                hands.sleep(late).await;
            }
            let call = AssertUnwindSafe(async {
                assert!(!panics, "a lie");
                invoke(function, &service, &clock, payload).await
            });
            Done::Outcome(match call.catch_unwind().await {
                Ok(Ok(answer)) => Outcome::Answered(answer),
                Ok(Err(error)) => Outcome::Failed(chain(&error)),
                Err(_) => Outcome::Failed("it panicked".to_owned()),
            })
        };
        self.crew.begin(kind, (self.now() + late, limits), work.boxed_local());
    }

    fn ended(&mut self, kind: Kind, ending: Ending<Done>) {
        match (kind, ending) {
            (Kind::Function(function, id), ending) => {
                let outcome = outcome_of(ending);
                self.tell_failure(function, &outcome);
                self.bus.dispatch().settle(id, &outcome, self.now());
            }
            (Kind::Another(function, id), ending) => self.ended_there(function, id, ending),
            (Kind::Again(function), Ending::Done(Done::Outcome(outcome))) => {
                self.tell_failure(function, &outcome);
            }
            (Kind::Again(_), Ending::Done(Done::Reply(_)) | Ending::Killed) => {}
            (Kind::Person(errand), Ending::Done(Done::Reply(reply))) => {
                self.replied(errand, &reply);
            }
            (Kind::Person(errand), Ending::Killed | Ending::Done(Done::Outcome(_))) => {
                self.replied(errand, &Reply::none());
            }
        }
    }

    fn tell_failure(&self, function: Function, outcome: &Outcome) {
        let now = self.now();
        let mut ledger = held(&self.ledger);
        match outcome {
            Outcome::Failed(text) if text == "it panicked" => {
                ledger.violated(now, "panicked", format!("{function} panicked"));
            }
            Outcome::Failed(text) => ledger.note(now, format!("    {function} failed: {text}")),
            Outcome::Answered(_) => {}
        }
    }

    /// Has the API answer this request, after a while.
    pub(crate) fn request(&mut self, errand: Errand, late: SignedDuration) {
        let polls = (!self.is_kind && self.rng.chance(25))
            .then(|| u32::try_from(1 + self.rng.below(40)).unwrap_or(1));
        let limits = self.limits(Function::Api, late, polls);
        let (api, hands) = (self.api.clone(), self.hands.clone());
        let event = self.event(&errand);
        let work = async move {
            if late > SignedDuration::ZERO {
                hands.sleep(late).await;
            }
            let request = lambda_http::request::from_str(&event.to_string()).unwrap();
            let answer = api::handle(api, request).await;
            Done::Reply(Reply::of(answer.status().as_u16(), answer.body()))
        };
        self.crew.begin(Kind::Person(errand), (self.now() + late, limits), work.boxed_local());
    }

    /// What the API answers now, in fine weather and with nobody else at work.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: Value) -> Reply {
        self.ask_of(self.api.clone(), &Errand::plain(method, path, body))
    }

    /// The same of an API.
    pub(crate) fn ask_of(&mut self, api: axum::Router, errand: &Errand) -> Reply {
        let event = self.event(errand);
        let storm = std::mem::replace(&mut held(&self.weather).storm, Storm::Calm);
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let mut work = Box::pin(api::handle(api, request));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let answer = loop {
            if let std::task::Poll::Ready(answer) = work.as_mut().poll(&mut context) {
                break answer;
            }
            self.run_tasks();
        };
        held(&self.weather).storm = storm;
        Reply::of(answer.status().as_u16(), answer.body())
    }

    fn event(&self, errand: &Errand) -> Value {
        let Errand { method, path, body, key, .. } = errand;
        let mut request = Request::builder().method(method.as_str()).uri(path.as_str());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header("content-type", "application/json");
            Bytes::from(body.to_string())
        };
        let request = request.body(bytes).unwrap();
        let now = self.now();
        self.gateway.event(&request, Caller::Person(Role::Admin), now).unwrap().1
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

fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Function(function, _) | Kind::Again(function) => function.name(),
        Kind::Another(..) => "the other installation",
        Kind::Person(_) => "api",
    }
}

fn timeout(function: Function) -> SignedDuration {
    TEMPLATE.functions[&function].timeout
}

/// How a call ended, for whoever delivers messages.
pub(crate) fn outcome_of(ending: Ending<Done>) -> Outcome {
    match ending {
        Ending::Done(Done::Outcome(outcome)) => outcome,
        Ending::Done(Done::Reply(_)) => Outcome::Answered(Value::Null),
        Ending::Killed => Outcome::Failed("it was ended".to_owned()),
    }
}
