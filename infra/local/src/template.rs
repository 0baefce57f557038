//! The contents of `infra/template.yaml`, as far as they matter on one machine.
//!
//! The template is compiled in, so that it and the local run cannot drift apart. What would change how the
//! system behaves and cannot be interpreted is refused by name; what does not matter here (roles, logs,
//! alarms, sign-in …) is an explicit list in `resources`.

mod context;
mod function;
mod node;
mod policies;
mod resources;
mod rule;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, str::FromStr};

use jiff::SignedDuration;
use shared::domain::schedule::expression::Expression;
use yaml_serde::Value;

use crate::{dispatch::pattern::Pattern, function::Function};

pub use self::{node::TemplateError, policies::Place};

const EMBEDDED: &str = include_str!("../../template.yaml");

/// The system's wiring.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// What the HTTP API answers.
    pub routes: Vec<Route>,
    /// The functions and what they are given.
    pub functions: BTreeMap<Function, FunctionSettings>,
    /// What runs by the clock.
    pub schedules: Vec<ScheduleRule>,
    /// What runs because of an event.
    pub rules: Vec<BusRule>,
    /// The queues by their logical ids, dead letters among them.
    pub queues: BTreeMap<String, QueueSettings>,
    /// Which function takes from which queue, and how.
    pub mappings: Vec<QueueMapping>,
    /// The properties of each function's role, as they are written.
    roles: BTreeMap<Function, Value>,
}

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// For example `GET`; none for any method.
    pub method: Option<String>,
    /// For example `/v1/{proxy+}`.
    pub path: String,
    /// Whether the authorizer stands before it.
    pub access: Access,
    /// What answers it.
    pub function: Function,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever has a token.
    Authorized,
}

/// What a function is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// Its environment variables.
    pub environment: BTreeMap<String, EnvironmentValue>,
    /// How long it may run.
    pub timeout: SignedDuration,
    /// How it is called by rules.
    pub invoke: AsyncInvoke,
    /// Its role, by its logical id.
    role: Option<String>,
}

/// The value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// This text.
    Literal(String),
    /// The table's name.
    Table,
    /// The bus's name.
    Bus,
    /// The id of the installation, which the stack's name and region make.
    Installation,
}

/// What becomes of an asynchronous call that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsyncInvoke {
    /// How often it is tried again.
    pub retries_max: u32,
    /// How old it may be when it is tried again.
    pub age_max: SignedDuration,
    /// The queue that keeps what was given up.
    pub on_failure: Option<String>,
}

impl Default for AsyncInvoke {
    /// As Lambda does when nothing is said.
    fn default() -> Self {
        Self { retries_max: 2, age_max: SignedDuration::from_hours(6), on_failure: None }
    }
}

/// A rule that fires by the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRule {
    /// Its logical id.
    pub name: String,
    /// When.
    pub expression: Expression,
    /// What it calls.
    pub function: Function,
}

/// A rule that fires for events of a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct BusRule {
    /// Its logical id.
    pub name: String,
    /// Which bus.
    pub bus: BusKind,
    /// Which events.
    pub pattern: Pattern,
    /// Where they go.
    pub targets: Vec<Target>,
}

/// One of the two buses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusKind {
    /// The account's, where EC2 reports.
    Default,
    /// Ours.
    Own,
}

/// Where a rule sends events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a queue, by its logical id.
    Queue(String),
    /// To a function, as an asynchronous call.
    Function(Function),
}

/// How a queue treats its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long nobody else sees a message that was received.
    pub visibility: SignedDuration,
    /// How long a message is kept.
    pub retention: SignedDuration,
    /// What becomes of messages that fail again and again.
    pub redrive: Option<Redrive>,
}

/// When a message goes to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The queue of dead letters.
    pub queue: String,
    /// After being received so often.
    pub receives_max: u32,
}

/// How a function takes messages from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMapping {
    /// From where.
    pub queue: String,
    /// Who.
    pub function: Function,
    /// At most so many at once.
    pub batch_size: usize,
    /// How long a batch may wait to fill up.
    pub window: SignedDuration,
    /// At most so many calls at the same time.
    pub concurrency: Option<usize>,
    /// Whether the function says which messages failed.
    pub failures: Failures,
}

/// What of a batch is delivered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failures {
    /// All of it, when the call fails.
    Whole,
    /// The messages that the function names, or all when the call fails.
    Reported,
}

impl Template {
    /// The template that this program was built with.
    pub fn embedded() -> Result<Self, TemplateError> {
        EMBEDDED.parse()
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        resources::read(text)
    }
}
