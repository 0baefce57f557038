//! The messages that go into the dispatch and come out of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{function::Function, template::BusKind};

/// Whose events these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
}

/// A call of a function that is to be made now.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What [`Dispatch::settle`](super::Dispatch::settle) wants.
    pub id: u64,
    /// Who is called.
    pub function: Function,
    /// With what: exactly what Lambda gets.
    pub payload: Value,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function answered this.
    Answered(Value),
    /// The function failed, ran out of time or died; the text says how.
    Failed(String),
}

/// What somebody wants to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// On which bus.
    pub bus: BusKind,
    /// The source.
    pub source: String,
    /// The detail type.
    pub detail_type: String,
    /// The detail.
    pub detail: Value,
    /// The resources.
    pub resources: Vec<String>,
}

impl NewEvent {
    /// What the rules see and the targets get.
    pub(super) fn envelope(self, id: &str, now: Timestamp, identity: &Identity) -> Value {
        let Self { source, detail_type, detail, resources, .. } = self;
        json!({
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": source,
            "account": identity.account,
            "time": event_time(now),
            "region": identity.region,
            "resources": resources,
            "detail": detail,
        })
    }
}

/// As EventBridge writes it: without fractions.
pub(super) fn event_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
