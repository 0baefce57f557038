//! The simulation itself, and the way of a call through it.

mod before;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;

use crate::{
    actions::{self, ActionContext, make_images},
    clock::{Clock, http_date},
    config::{Config, Throttling},
    document,
    errors::Ec2Error,
    event_queue::EventFault,
    events::Sender,
    faults::{Fault, Loss, Trouble},
    iam::{Policy, Right},
    request::Params,
    shelf::Moment,
    state::{Region, World, instance::StateReason, snapshot::Fate},
    throttle::Buckets,
    xml::Xml,
};

/// A simulated EC2. Clones are the same one.
#[derive(Clone, Debug)]
pub struct SimEc2(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    clock: Clock,
    state: Mutex<State>,
}

/// What is stored, and what is not.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    buckets: Buckets,
    pub(crate) faults: Vec<Fault>,
    pub(crate) event_faults: Vec<EventFault>,
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) throttled: BTreeMap<String, u64>,
    /// The actions that no policy allows.
    pub(crate) denied: BTreeSet<String>,
    pub(crate) revision: u64,
    /// By access key.
    pub(crate) roles: BTreeMap<String, Role>,
    /// What the account's organization lets anybody do; everything if it has not said.
    pub(crate) organization: Option<Policy>,
}

/// What whoever has an access key may do, and has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) policy: Policy,
    pub(crate) used: BTreeSet<Right>,
}

/// What EC2 answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// XML.
    pub body: String,
    /// What becomes of it on the way.
    pub delivery: Delivery,
}

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives at once.
    AtOnce,
    /// It arrives after this time.
    Late(Duration),
    /// It never arrives.
    Never(Loss),
}

impl SimEc2 {
    /// A simulation with nothing in it but Amazon's public images.
    pub fn new(config: Config, clock: Clock) -> Self {
        Self::with_world(config, clock, World::default())
    }

    pub(crate) fn with_world(config: Config, clock: Clock, world: World) -> Self {
        let state = State {
            world,
            buckets: Buckets::default(),
            faults: Vec::new(),
            event_faults: Vec::new(),
            calls: BTreeMap::new(),
            throttled: BTreeMap::new(),
            denied: BTreeSet::new(),
            revision: 0,
            roles: BTreeMap::new(),
            organization: None,
        };
        Self(Arc::new(Inner { config, clock, state: Mutex::new(state) }))
    }

    /// What it was set up with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The clock it goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Answers the form in `body`, as the Region's endpoint would answer the account's owner.
    pub fn answer(&self, region: &str, body: &[u8]) -> Answer {
        self.answer_to(None, region, body)
    }

    /// The same to whoever has this access key. One of twelve digits stands for another account, which sees nothing of this
    /// one's but what is shared with it; every other is of the account that the simulation is of. Buckets and faults are
    /// those of the Region, whoever asks.
    pub fn answer_to(&self, access_key: Option<&str>, region: &str, body: &[u8]) -> Answer {
        let params = Params::parse(body);
        let mut state = self.lock();
        let (fault, after) =
            take_fault(&mut state, region, params.get("Action").unwrap_or_default());
        if self.clock().is_manual() && !matches!(fault, Some(Trouble::ReplyLost(_))) {
            self.clock().advance(after);
        }
        let now = self.clock().now();
        let request_id = state.world.mint.uuid(self.config().seed);
        let result = match &fault {
            Some(Trouble::Error(error)) => {
                count(&mut state.calls, params.get("Action").unwrap_or_default());
                Err(error.clone())
            }
            Some(Trouble::Unreached(_)) => {
                count(&mut state.calls, params.get("Action").unwrap_or_default());
                Err(Ec2Error::internal())
            }
            Some(
                Trouble::ReplyLost(_)
                | Trouble::Slow(_)
                | Trouble::MemberFails
                | Trouble::NeverRuns(_),
            )
            | None => {
                let course = Course::of(fault.as_ref());
                self.call(&mut state, (access_key, region), &params, course)
            }
        };
        drop(state);
        let (status, body) = document::written(&params, result, &request_id);
        let delivery = self.delivery(fault.as_ref(), after);
        let headers = vec![
            ("content-type", "text/xml;charset=UTF-8".to_owned()),
            ("date", http_date(now)),
            ("x-amzn-requestid", request_id),
        ];
        Answer { status, headers, body, delivery }
    }

    fn delivery(&self, fault: Option<&Trouble>, after: SignedDuration) -> Delivery {
        match fault {
            None | Some(Trouble::Error(_) | Trouble::MemberFails | Trouble::NeverRuns(_)) => {
                Delivery::AtOnce
            }
            Some(Trouble::Unreached(loss)) => Delivery::Never(*loss),
            Some(Trouble::ReplyLost(loss)) => {
                self.clock().advance(after);
                Delivery::Never(*loss)
            }
            Some(Trouble::Slow(duration)) if self.clock().is_manual() => {
                let by = SignedDuration::try_from(*duration).unwrap_or(SignedDuration::MAX);
                self.clock().advance(by);
                Delivery::AtOnce
            }
            Some(Trouble::Slow(duration)) => Delivery::Late(*duration),
        }
    }

    fn call(
        &self,
        state: &mut State,
        (access_key, region): (Option<&str>, &str),
        params: &Params,
        course: Course,
    ) -> Result<Xml, Ec2Error> {
        let account = access_key.and_then(account_of).unwrap_or(&self.config().account);
        let place = &actions::place(self.config(), account, region);
        let name = params
            .get("Action")
            .ok_or_else(|| Ec2Error::new("MissingAction", "The request must contain an action."))?;
        let action = actions::find(name).ok_or_else(|| Ec2Error::invalid_action(name))?;
        count(&mut state.calls, name);
        let now = self.clock().now();
        match self.config().throttling {
            Throttling::Off => {}
            Throttling::Default if state.buckets.take(region, name, now) => {}
            Throttling::Default => {
                count(&mut state.throttled, name);
                return Err(Ec2Error::request_limit());
            }
        }
        if state.denied.contains(name) {
            return Err(Ec2Error::unauthorized(name));
        }
        self.settle(state);
        if let Some(access_key) = access_key {
            self.authorize(state, access_key, region, params)?;
        }
        let dry_run = params.flag("DryRun")?.unwrap_or_default();
        if dry_run && name == "DeleteSnapshot" {
            return self.rehearse_deletion(&mut state.world, place, params);
        }
        if dry_run {
            return self.rehearse(state, place, action, params);
        }
        let result = self.act(&mut state.world, place, |context| {
            context.fate = course.fate;
            context.start = course.start;
            action(context, params)
        });
        if result.is_ok() && !actions::only_reads(name) {
            state.revision += 1;
        }
        result
    }

    /// Acts in a Region of an account, which is made when there is none.
    pub(crate) fn act<T>(
        &self,
        world: &mut World,
        place: &str,
        act: impl FnOnce(&mut ActionContext<'_>) -> T,
    ) -> T {
        let moment = self.moment();
        let (account, region) = actions::whose(self.config(), place);
        // Taken out for the time being, so that the others can be looked at.
        let mut stage = world.regions.remove(place).unwrap_or_else(|| {
            let mut new = Region::default();
            new.instances.lags_further(self.config().instance_lag);
            make_images::add_public(
                &mut new,
                region,
                Moment { lag: SignedDuration::ZERO, ..moment },
            );
            new
        });
        let mut context = ActionContext {
            region: &mut stage,
            others: &world.regions,
            name: region,
            account,
            config: self.config(),
            mint: &mut world.mint,
            moment,
            fate: Fate::Complete,
            start: None,
        };
        let outcome = act(&mut context);
        world.regions.insert(place.to_owned(), stage);
        outcome
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock().now(), lag: self.config().visibility_lag }
    }

    /// Lets everything happen that is due.
    fn settle(&self, state: &mut State) {
        let moment = self.moment();
        let World { regions, mint, events } = &mut state.world;
        for (name, region) in regions {
            let (account, name) = actions::whose(self.config(), name);
            for ending in region.settle(moment) {
                let sender = Sender { region: name, account, seed: self.config().seed };
                ending.send(events, sender, mint, &mut state.event_faults);
                state.revision += 1;
            }
        }
        state.event_faults.retain(|fault| !fault.is_spent());
    }

    /// What is stored, with everything done that is due.
    pub(crate) fn settled(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        self.settle(&mut state);
        state
    }

    /// What is stored, as the last call left it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of what a call begins.
struct Course {
    fate: Fate,
    start: Option<StateReason>,
}

impl Course {
    fn of(fault: Option<&Trouble>) -> Self {
        match fault {
            Some(Trouble::MemberFails) => Self { fate: Fate::Fail, start: None },
            Some(Trouble::NeverRuns(reason)) => {
                Self { fate: Fate::Complete, start: Some(reason.clone()) }
            }
            Some(
                Trouble::ReplyLost(_)
                | Trouble::Unreached(_)
                | Trouble::Error(_)
                | Trouble::Slow(_),
            )
            | None => Self { fate: Fate::Complete, start: None },
        }
    }
}

fn take_fault(state: &mut State, region: &str, action: &str) -> (Option<Trouble>, SignedDuration) {
    let struck = state.faults.iter_mut().find_map(|fault| fault.strike(region, action));
    state.faults.retain(|fault| !fault.is_spent());
    match struck {
        None => (None, SignedDuration::ZERO),
        Some((trouble, after)) => (Some(trouble), after),
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// The account that an access key of twelve digits stands for.
fn account_of(access_key: &str) -> Option<&str> {
    let is_account = access_key.len() == 12 && access_key.chars().all(|each| each.is_ascii_digit());
    is_account.then_some(access_key)
}
