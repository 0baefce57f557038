//! What lies between the functions: rules, queues, retries, the clock's ticks; as EventBridge, SQS and
//! Lambda treat them, without any time or I/O of its own.
//!
//! [`Dispatch::put_event`] takes an event, [`Dispatch::due`] says which functions are to be called now and
//! counts them as in flight, [`Dispatch::settle`] takes the outcome of one call, [`Dispatch::next_at`] says
//! when to ask again. Who drives it brings the time.
//!
//! # Rules
//!
//! - A message in flight is not seen by anybody until its call is settled. If it failed, it comes back when
//!   its visibility timeout, counted from its receipt, is over; never before.
//! - A message that was received as often as its queue allows goes to the dead letters.
//! - A schedule has one call at a time, retries included. What piles up meanwhile is one tick, the latest.

mod exchange;
mod invocation;
pub mod pattern;
mod queue;
#[cfg(test)]
mod tests;
mod timer;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;
use shared::domain::schedule::expression::Expression;

use self::{
    invocation::{Invocation, Invocations, Settled},
    queue::{Mapping, Queue},
    timer::Timer,
};
use crate::{
    function::Function,
    template::{AsyncInvoke, BusKind, BusRule, Target, Template},
};

pub use self::{
    exchange::{Delivery, Identity, NewEvent, Outcome},
    queue::Message,
};

/// How the detail type of what other systems are told begins.
const ANNOUNCEMENT: &str = "snapkeep.";
/// How many of those are remembered.
const ANNOUNCED_MAX: usize = 5_000;

/// Everything between the functions.
#[derive(Debug)]
pub struct Dispatch {
    identity: Identity,
    minted: u64,
    rules: Vec<BusRule>,
    queues: BTreeMap<String, Queue>,
    mappings: Vec<Mapping>,
    invokes: BTreeMap<Function, AsyncInvoke>,
    invocations: Invocations,
    timers: Vec<Timer>,
    in_flight: BTreeMap<u64, InFlight>,
    announced: VecDeque<Value>,
}

#[derive(Debug)]
enum InFlight {
    Batch { mapping: usize, messages: Vec<Message> },
    Invocation(Invocation),
}

impl Dispatch {
    /// The wiring of `template`. Its schedules first fire at their next due time after `now`.
    pub fn new(template: &Template, identity: Identity, now: Timestamp) -> Self {
        let queues = template.queues.iter();
        let functions = template.functions.iter();
        Self {
            identity,
            minted: 0,
            rules: template.rules.clone(),
            queues: queues.map(|(name, each)| (name.clone(), Queue::new(each.clone()))).collect(),
            mappings: template.mappings.iter().cloned().map(Mapping::new).collect(),
            invokes: functions.map(|(name, each)| (*name, each.invoke.clone())).collect(),
            invocations: Invocations::default(),
            timers: template.schedules.iter().map(|rule| Timer::new(rule, now)).collect(),
            in_flight: BTreeMap::new(),
            announced: VecDeque::new(),
        }
    }

    /// Publishes an event; comes back with its id.
    pub fn publish(&mut self, event: NewEvent, now: Timestamp) -> String {
        let id = self.mint(now);
        let bus = event.bus;
        let envelope = event.envelope(&id, now, &self.identity);
        self.put_event(bus, &envelope, now);
        self.remember(envelope);
        id
    }

    /// What other systems have been told, the oldest first: the latest few thousand.
    pub fn announced(&self) -> impl Iterator<Item = &Value> {
        self.announced.iter()
    }

    fn remember(&mut self, envelope: Value) {
        let detail_type = envelope.get("detail-type").and_then(Value::as_str).unwrap_or_default();
        if detail_type.starts_with(ANNOUNCEMENT) {
            self.announced.push_back(envelope);
        }
        if self.announced.len() > ANNOUNCED_MAX {
            self.announced.pop_front();
        }
    }

    /// Hands a whole event to the rules of a bus; comes back with how many targets it went to.
    pub fn put_event(&mut self, bus: BusKind, envelope: &Value, now: Timestamp) -> usize {
        let matching = self.rules.iter().filter(|rule| rule.bus == bus);
        let targets: Vec<Target> = matching
            .filter(|rule| rule.pattern.matches(envelope))
            .flat_map(|rule| rule.targets.clone())
            .collect();
        for target in &targets {
            match target {
                Target::Queue(name) => self.send(name, envelope.to_string(), now),
                Target::Function(function) => {
                    let invocation = Invocation::new(*function, envelope.clone(), now);
                    self.invocations.push(invocation);
                }
            }
        }
        targets.len()
    }

    /// Puts a message into a queue of the template.
    pub fn send(&mut self, queue: &str, body: String, now: Timestamp) {
        let id = self.mint(now);
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.send(Message::new(id, body, now));
        }
    }

    /// The calls that are to be made now. Each counts as in flight until it is settled.
    pub fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.fire_timers(now);
        let mut deliveries = Vec::new();
        for invocation in self.invocations.take_due(now) {
            if invocation.is_too_old(&self.invoke(invocation.function), now) {
                self.give_up(&invocation, "EventAgeExceeded", now);
                continue;
            }
            let (function, payload) = (invocation.function, invocation.payload.clone());
            deliveries.push(self.fly(function, payload, InFlight::Invocation(invocation)));
        }
        self.bury(now);
        for index in 0..self.mappings.len() {
            while let Some(messages) = self.receive(index, now) {
                let Some(mapping) = self.mappings.get(index) else { break };
                let function = mapping.settings.function;
                let payload = mapping.payload(&messages, &self.identity);
                let batch = InFlight::Batch { mapping: index, messages };
                deliveries.push(self.fly(function, payload, batch));
            }
        }
        deliveries
    }

    /// Takes the outcome of a call. One that is not in flight is ignored.
    pub fn settle(&mut self, delivery: u64, outcome: &Outcome, now: Timestamp) {
        match self.in_flight.remove(&delivery) {
            Some(InFlight::Batch { mapping, messages }) => {
                self.settle_batch(mapping, messages, outcome, now);
            }
            Some(InFlight::Invocation(invocation)) => {
                self.settle_invocation(invocation, outcome, now);
            }
            None => {}
        }
    }

    /// When [`Dispatch::due`] will have something if nothing else happens, at the earliest.
    pub fn next_at(&self) -> Option<Timestamp> {
        let timers = self.timers.iter().filter_map(Timer::next_at);
        let mappings = self.mappings.iter().filter(|mapping| mapping.has_room());
        let queues = mappings
            .filter_map(|mapping| self.queues.get(&mapping.settings.queue)?.ready_at(mapping));
        timers.chain(self.invocations.next_at()).chain(queues).min()
    }

    /// Lets a function's schedules fire at `now`, besides their due times.
    pub fn fire(&mut self, function: Function, now: Timestamp) {
        for timer in self.timers.iter_mut().filter(|timer| timer.function == function) {
            timer.fire_at(now);
        }
    }

    /// Lets a function's schedules go by another expression from `now` on.
    pub fn reschedule(&mut self, function: Function, expression: &Expression, now: Timestamp) {
        for timer in self.timers.iter_mut().filter(|timer| timer.function == function) {
            timer.follow(expression.clone(), now);
        }
    }

    /// The messages that wait in a queue, the oldest first; those in flight are not among them.
    pub fn messages(&self, queue: &str) -> Vec<&Message> {
        self.queues.get(queue).map(|queue| queue.messages().collect()).unwrap_or_default()
    }

    /// The queues that hold what was given up, with how many messages.
    pub fn dead_letters(&self) -> BTreeMap<&str, usize> {
        let redrives = self.queues.values().filter_map(Queue::dead_letters);
        let failures = self.invokes.values().filter_map(|invoke| invoke.on_failure.as_deref());
        let waiting =
            |name: &str| self.queues.get(name).map_or(0, |queue| queue.messages().count());
        redrives.chain(failures).map(|name| (name, waiting(name))).collect()
    }

    /// How many calls are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn fire_timers(&mut self, now: Timestamp) {
        for index in 0..self.timers.len() {
            let Some(slot) = self.timers.get_mut(index).and_then(|timer| timer.take_due(now))
            else {
                continue;
            };
            let id = self.mint(now);
            if let Some(timer) = self.timers.get(index) {
                let payload = timer.event(&id, slot, &self.identity);
                let invocation = Invocation::new(timer.function, payload, now).of_timer(index);
                self.invocations.push(invocation);
            }
        }
    }

    fn fly(&mut self, function: Function, payload: Value, what: InFlight) -> Delivery {
        self.minted += 1;
        self.in_flight.insert(self.minted, what);
        Delivery { id: self.minted, function, payload }
    }

    fn receive(&mut self, index: usize, now: Timestamp) -> Option<Vec<Message>> {
        let mapping = self.mappings.get_mut(index)?;
        if !mapping.has_room() {
            return None;
        }
        let messages = self.queues.get_mut(&mapping.settings.queue)?.receive(mapping, now)?;
        mapping.in_flight += 1;
        Some(messages)
    }

    /// Moves to the dead letters what was received too often, and forgets what is too old.
    fn bury(&mut self, now: Timestamp) {
        let mut dead = Vec::new();
        for (name, queue) in &mut self.queues {
            queue.forget_old(now);
            dead.extend(queue.take_dead(now).map(|(to, message)| (name.clone(), to, message)));
        }
        for (from, to, message) in dead {
            tracing::error!("A message of {from} was given up; it is in {to}: {}", message.body);
            if let Some(queue) = self.queues.get_mut(&to) {
                queue.send(message);
            }
        }
    }

    fn settle_batch(
        &mut self,
        index: usize,
        messages: Vec<Message>,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let Some(mapping) = self.mappings.get_mut(index) else { return };
        mapping.in_flight -= 1;
        let failed = mapping.failed(messages, outcome);
        if let Some(queue) = self.queues.get_mut(&mapping.settings.queue) {
            for message in failed {
                queue.give_back(message, now);
            }
        }
    }

    fn settle_invocation(&mut self, invocation: Invocation, outcome: &Outcome, now: Timestamp) {
        let (timer, function) = (invocation.timer, invocation.function);
        let settled = invocation.settle(&self.invoke(function), outcome, now);
        match settled {
            Settled::Again(invocation) => return self.invocations.push(invocation),
            Settled::GivenUp(invocation) => self.give_up(&invocation, "RetriesExhausted", now),
            Settled::Done => {}
        }
        if let Some(timer) = timer.and_then(|index| self.timers.get_mut(index)) {
            timer.finish();
        }
    }

    fn give_up(&mut self, invocation: &Invocation, condition: &str, now: Timestamp) {
        if let Some(timer) = invocation.timer.and_then(|index| self.timers.get_mut(index)) {
            timer.finish();
        }
        let Invocation { function, failure, .. } = invocation;
        let Some(queue) = self.invoke(*function).on_failure else {
            tracing::error!("A call of {function} was given up: {failure}");
            return;
        };
        tracing::error!("A call of {function} was given up; it is in {queue}: {failure}");
        self.send(&queue, invocation.record(condition, now).to_string(), now);
    }

    fn invoke(&self, function: Function) -> AsyncInvoke {
        self.invokes.get(&function).cloned().unwrap_or_default()
    }

    /// A new id, shaped as a UUID: never the same twice as long as time does not run backwards.
    fn mint(&mut self, now: Timestamp) -> String {
        self.minted += 1;
        let time = now.as_millisecond().unsigned_abs();
        let (high, low) = (time >> 16, time & 0xffff);
        format!("{high:08x}-{low:04x}-4000-8000-{:012x}", self.minted)
    }
}
