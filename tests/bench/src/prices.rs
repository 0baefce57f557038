//! List prices of us-east-1, on demand, without the free tier, as they were in November 2026.
//!
//! <https://aws.amazon.com/lambda/pricing/>, <https://aws.amazon.com/dynamodb/pricing/on-demand/>,
//! <https://aws.amazon.com/eventbridge/pricing/>, <https://aws.amazon.com/sqs/pricing/>,
//! <https://aws.amazon.com/cloudwatch/pricing/>.

use local::function::Function;

/// The days of a month: 730 hours.
const MONTH_DAYS: f64 = 730.0 / 24.0;

const MILLION: f64 = 1e6;
const GIB: f64 = 1_073_741_824.0;
/// Of Lambda on arm64, a GB-second and a million calls.
const GIB_SECOND: f64 = 0.000_013_333_4;
const INVOCATIONS: f64 = 0.20;
/// Of DynamoDB, a million units, and a GiB with its backup of every second.
const WRITE_UNITS: f64 = 0.625;
const READ_UNITS: f64 = 0.125;
const STORED: f64 = 0.25 + 0.20;
/// Of EventBridge, a million events of one's own.
const EVENTS: f64 = 1.0;
/// Of SQS, a million requests.
const REQUESTS: f64 = 0.40;
/// Of CloudWatch Logs, a GiB taken in, and kept for a month.
const LOGGED: f64 = 0.50 + 0.03;

/// How many queues functions wait at, and how often each is asked a month while nothing is in it.
const QUEUES: f64 = 4.0;
const IDLE_POLLS: f64 = 650_000.0;
/// How many requests a message takes: it is put there, and received and deleted along with others.
const PER_MESSAGE: f64 = 1.2;
/// How long what is gone is kept with its audit, by default.
const AUDIT_DAYS: f64 = 400.0;

/// The memory of a function, as the template gives it.
pub(crate) fn mebibytes(function: Function) -> u32 {
    match function {
        Function::Api | Function::Sweeper | Function::Reconciler => 512,
        Function::Console
        | Function::Scheduler
        | Function::Snapshotter
        | Function::Tracker
        | Function::Reaper
        | Function::Restorer => 256,
    }
}

/// What a time takes, or a further instance in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amounts {
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
    pub(crate) invocations: f64,
    pub(crate) gib_seconds: f64,
    pub(crate) events: f64,
    pub(crate) messages: f64,
    pub(crate) log_bytes: f64,
    /// What is kept for as long as the audit.
    pub(crate) kept_bytes: f64,
}

impl Amounts {
    /// Both together, the other so many times.
    pub(crate) fn and(self, other: Self, times: f64) -> Self {
        let both = |of: fn(&Self) -> f64| of(&self) + times * of(&other);
        Self {
            write_units: both(|one| one.write_units),
            read_units: both(|one| one.read_units),
            invocations: both(|one| one.invocations),
            gib_seconds: both(|one| one.gib_seconds),
            events: both(|one| one.events),
            messages: both(|one| one.messages),
            log_bytes: both(|one| one.log_bytes),
            kept_bytes: both(|one| one.kept_bytes),
        }
    }
}

/// What a month costs, in dollars.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Month {
    lambda: f64,
    writes: f64,
    reads: f64,
    events: f64,
    queues: f64,
    logs: f64,
    /// Once the audit is as old as it gets.
    stored: f64,
}

impl Month {
    /// Of each of its days with these amounts.
    pub(crate) fn of(day: Amounts) -> Self {
        let Amounts {
            write_units,
            read_units,
            invocations,
            gib_seconds,
            events,
            messages,
            log_bytes,
            kept_bytes: _kept_bytes,
        } = Amounts::default().and(day, MONTH_DAYS);
        let requests = QUEUES * IDLE_POLLS + PER_MESSAGE * messages;
        Self {
            lambda: gib_seconds * GIB_SECOND + invocations / MILLION * INVOCATIONS,
            writes: write_units / MILLION * WRITE_UNITS,
            reads: read_units / MILLION * READ_UNITS,
            events: events / MILLION * EVENTS,
            queues: requests / MILLION * REQUESTS,
            logs: log_bytes / GIB * LOGGED,
            stored: day.kept_bytes * AUDIT_DAYS / GIB * STORED,
        }
    }

    fn together(&self) -> f64 {
        let Self { lambda, writes, reads, events, queues, logs, stored } = self;
        lambda + writes + reads + events + queues + logs + stored
    }
}

/// A row for each thing that costs.
pub(crate) fn rows(months: &[Month]) -> Vec<Vec<String>> {
    let row = |name: &str, of: fn(&Month) -> f64| {
        let mut cells = vec![name.to_owned()];
        cells.extend(months.iter().map(|month| format!("${:.2}", of(month))));
        cells
    };
    vec![
        row("Lambda", |month| month.lambda),
        row("DynamoDB: writing", |month| month.writes),
        row("DynamoDB: reading", |month| month.reads),
        row("DynamoDB: what is kept, after 400 days", |month| month.stored),
        row("EventBridge", |month| month.events),
        row("SQS", |month| month.queues),
        row("logs", |month| month.logs),
        row("**together**", Month::together),
    ]
}
