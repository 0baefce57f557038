//! Asynchronous calls: tried again after a minute and then after two, given up after that.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::exchange::{Outcome, event_time};
use crate::{function::Function, template::AsyncInvoke};

/// A call that waits or is on the way.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    pub(super) function: Function,
    pub(super) payload: Value,
    /// Which timer waits for its end.
    pub(super) timer: Option<usize>,
    /// What went wrong the last time.
    pub(super) failure: String,
    accepted_at: Timestamp,
    due_at: Timestamp,
    attempts: u32,
}

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum Settled {
    Done,
    Again(Invocation),
    GivenUp(Invocation),
}

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct Invocations(Vec<Invocation>);

impl Invocation {
    pub(super) fn new(function: Function, payload: Value, now: Timestamp) -> Self {
        Self {
            function,
            payload,
            timer: None,
            failure: String::new(),
            accepted_at: now,
            due_at: now,
            attempts: 0,
        }
    }

    pub(super) fn of_timer(self, index: usize) -> Self {
        Self { timer: Some(index), ..self }
    }

    /// Whether it is no longer tried again. The first attempt is always made.
    pub(super) fn is_too_old(&self, invoke: &AsyncInvoke, now: Timestamp) -> bool {
        self.attempts > 0 && now.duration_since(self.accepted_at) > invoke.age_max
    }

    pub(super) fn settle(
        mut self,
        invoke: &AsyncInvoke,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Settled {
        let failure = match outcome {
            Outcome::Answered(_) => return Settled::Done,
            Outcome::Failed(failure) => failure,
        };
        self.attempts += 1;
        self.failure.clone_from(failure);
        if self.attempts > invoke.retries_max {
            return Settled::GivenUp(self);
        }
        let pause = SignedDuration::from_mins(i64::from(self.attempts));
        self.due_at = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        Settled::Again(self)
    }

    /// What Lambda sends to a destination for failures.
    pub(super) fn record(&self, condition: &str, now: Timestamp) -> Value {
        json!({
            "version": "1.0",
            "timestamp": event_time(now),
            "requestContext": {
                "functionArn": format!("{}:$LATEST", self.function),
                "condition": condition,
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": self.payload,
            "responseContext": { "statusCode": 200, "functionError": "Unhandled" },
            "responsePayload": { "errorMessage": self.failure },
        })
    }
}

impl Invocations {
    pub(super) fn push(&mut self, invocation: Invocation) {
        self.0.push(invocation);
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Invocation> {
        let (due, waiting) =
            std::mem::take(&mut self.0).into_iter().partition(|each| each.due_at <= now);
        self.0 = waiting;
        due
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.0.iter().map(|each| each.due_at).min()
    }
}
