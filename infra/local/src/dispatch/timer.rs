//! A schedule of the template: one call at a time, and of what piles up the latest only.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::schedule::{expression::Expression, zone::Zone};

use super::exchange::{Identity, event_time};
use crate::{function::Function, template::ScheduleRule};

/// What a rate counts from: so that a minute's tick is at the full minute, an hour's at the full hour.
const ANCHOR: Timestamp = Timestamp::UNIX_EPOCH;

#[derive(Debug)]
pub(super) struct Timer {
    name: String,
    pub(super) function: Function,
    expression: Expression,
    next: Option<Timestamp>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// Its call is on the way, or waits to be tried again.
    Busy,
}

impl Timer {
    pub(super) fn new(rule: &ScheduleRule, now: Timestamp) -> Self {
        let ScheduleRule { name, expression, function } = rule.clone();
        let next = expression.next_after(&Zone::default(), ANCHOR, now);
        Self { name, function, expression, next, state: State::Idle }
    }

    /// The due time that it is to be called for now: the latest, when there are several.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Timestamp> {
        let next = self.next.filter(|next| self.state == State::Idle && *next <= now)?;
        let zone = Zone::default();
        let latest = self.expression.last_at_or_before(&zone, ANCHOR, now);
        self.next = self.expression.next_after(&zone, ANCHOR, now);
        self.state = State::Busy;
        Some(latest.map_or(next, |latest| latest.max(next)))
    }

    /// Its call is over.
    pub(super) fn finish(&mut self) {
        self.state = State::Idle;
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.next.filter(|_| self.state == State::Idle)
    }

    pub(super) fn fire_at(&mut self, now: Timestamp) {
        self.next = Some(self.next.map_or(now, |next| next.min(now)));
    }

    pub(super) fn follow(&mut self, expression: Expression, now: Timestamp) {
        self.next = expression.next_after(&Zone::default(), ANCHOR, now);
        self.expression = expression;
    }

    /// What EventBridge sends for this due time.
    pub(super) fn event(&self, id: &str, slot: Timestamp, identity: &Identity) -> Value {
        let Identity { account, region } = identity;
        json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": event_time(slot),
            "region": region,
            "resources": [format!("arn:aws:events:{region}:{account}:rule/{}", self.name)],
            "detail": {},
        })
    }
}
