//! Events on their way, and what goes wrong on it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{clock::later, ids::chance};

/// Events that have not been taken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EventQueue {
    waiting: Vec<Waiting>,
    count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    due: Timestamp,
    number: u64,
    order: Order,
    envelope: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Order {
    AsDue,
    AfterTheNext,
}

impl EventQueue {
    /// Adds an event that is due at `due`, with the first of `faults` that takes it.
    pub(crate) fn send(
        &mut self,
        due: Timestamp,
        envelope: Value,
        seed: u64,
        faults: &mut [EventFault],
    ) {
        self.count += 1;
        let number = self.count;
        let mut event = Waiting { due, number, order: Order::AsDue, envelope };
        let mishap = faults.iter_mut().find_map(|fault| fault.strike(seed, number));
        match mishap {
            None => {}
            Some(Mishap::Lost) => return,
            Some(Mishap::Doubled) => self.waiting.push(event.clone()),
            Some(Mishap::Late(by)) => event.due = later(event.due, by),
            Some(Mishap::Reordered) => event.order = Order::AfterTheNext,
        }
        self.waiting.push(event);
    }

    /// The events due at `now`, oldest first. A reordered one comes after the next that follows
    /// it, in this drain or a later one.
    pub(crate) fn take(&mut self, now: Timestamp) -> Vec<Value> {
        self.waiting.sort_by_key(|event| (event.due, event.number));
        let due = self.waiting.partition_point(|event| event.due <= now);
        let mut taken = Vec::with_capacity(due);
        let mut held: Vec<Waiting> = Vec::new();
        for event in self.waiting.drain(..due) {
            match event.order {
                Order::AfterTheNext => held.push(event),
                Order::AsDue => {
                    taken.push(event.envelope);
                    taken.extend(held.drain(..).map(|event| event.envelope));
                }
            }
        }
        self.waiting.append(&mut held);
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[derive(Clone, Copy, Debug)]
enum Mishap {
    Lost,
    Doubled,
    Late(SignedDuration),
    Reordered,
}

/// What goes wrong with events: the next ones, a number of them, or some by chance.
#[derive(Clone, Debug)]
pub struct EventFault {
    mishap: Mishap,
    times: u64,
    per_mille: u64,
}

impl EventFault {
    fn new(mishap: Mishap) -> Self {
        Self { mishap, times: 1, per_mille: 1000 }
    }

    /// The next event never arrives.
    pub fn lost() -> Self {
        Self::new(Mishap::Lost)
    }

    /// The next event arrives twice.
    pub fn doubled() -> Self {
        Self::new(Mishap::Doubled)
    }

    /// The next event arrives later by `by`.
    pub fn late(by: SignedDuration) -> Self {
        Self::new(Mishap::Late(by))
    }

    /// The next event arrives after the one that follows it.
    pub fn reordered() -> Self {
        Self::new(Mishap::Reordered)
    }

    /// It befalls `times` events.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// It befalls `per_mille` of a thousand events for ever, chosen by the seed.
    #[must_use]
    pub fn per_mille(self, per_mille: u64) -> Self {
        Self { times: u64::MAX, per_mille, ..self }
    }

    fn strike(&mut self, seed: u64, number: u64) -> Option<Mishap> {
        let draw = chance(seed, &["event", &number.to_string()]) % 1000;
        if self.times == 0 || draw >= self.per_mille {
            return None;
        }
        self.times = self.times.saturating_sub(1);
        Some(self.mishap)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.times == 0
    }
}
