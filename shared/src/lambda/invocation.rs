//! The one wide line that ends each call: what, how many, how long, and the numbers that CloudWatch takes from it.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::service::Service;
use crate::trace::TraceParent;

/// Whether this process has handled a call before.
static IS_WARM: AtomicBool = AtomicBool::new(false);
/// How deep the numbers of a report are looked for.
const DEPTH_MAX: usize = 3;

/// A call of a function, as its line tells of it.
#[derive(Clone, Debug)]
pub struct Invocation {
    function: String,
    request_id: String,
    trace: Option<TraceParent>,
    what: String,
    is_first: bool,
    began: Timestamp,
    ends: Option<Timestamp>,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub enum Ending<'a> {
    /// With this report.
    Answered(&'a Value),
    /// With an error.
    Failed(&'a Error),
}

impl Invocation {
    /// A call that begins now; `what` says what came, in a few words.
    pub fn begin(
        context: &Context,
        what: String,
        trace: Option<TraceParent>,
        now: Timestamp,
    ) -> Self {
        Self {
            function: context.env_config.function_name.clone(),
            request_id: context.request_id.clone(),
            trace: trace.or_else(|| TraceParent::begun(&context.request_id)),
            what,
            is_first: !IS_WARM.swap(true, Ordering::Relaxed),
            began: now,
            ends: i64::try_from(context.deadline)
                .ok()
                .and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        }
    }

    /// What it belongs to.
    pub fn trace(&self) -> Option<&TraceParent> {
        self.trace.as_ref()
    }

    /// Writes its line to where Lambda reads the log.
    pub fn end(&self, service: &Service, ending: Ending<'_>, now: Timestamp) {
        let line = self.line(service, ending, now);
        // Nowhere is left to say it if this fails.
        drop(writeln!(std::io::stdout(), "{line}"));
    }

    fn line(&self, service: &Service, ending: Ending<'_>, now: Timestamp) -> Value {
        let (function, what) = (&self.function, &self.what);
        let milliseconds = now.duration_since(self.began).as_millis();
        let (level, outcome) = match ending {
            Ending::Answered(_) => ("INFO", "done"),
            Ending::Failed(_) => ("ERROR", "failed"),
        };
        let mut line = Map::new();
        let mut set = |name: &str, value: Value| line.insert(name.to_owned(), value);
        set("level", json!(level));
        set("message", json!(format!("{function}: {what} {outcome} in {milliseconds} ms")));
        set("function", json!(function));
        set("request_id", json!(self.request_id));
        set("event", json!(what));
        set("outcome", json!(outcome));
        set("cold_start", json!(self.is_first));
        set("duration_ms", json!(milliseconds));
        set("region", json!(service.settings.region));
        set("regions", json!(service.settings.regions.len()));
        if let Some(ends) = self.ends {
            set("remaining_ms", json!(ends.duration_since(now).as_millis()));
        }
        if let Some(trace) = &self.trace {
            set("traceparent", json!(trace.as_str()));
        }
        match ending {
            Ending::Answered(report) => set("report", numbers(report, DEPTH_MAX)),
            Ending::Failed(error) => set("error.kind", json!(error.kind())),
        };
        for (name, value) in service.metrics.take().fields(&service.settings.installation, now) {
            set(name, value);
        }
        Value::Object(line)
    }
}

/// What came, in a few words: the kind of an event, or how many messages.
pub(super) fn kind_of(event: &Value) -> String {
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        return format!("{} messages", records.len());
    }
    let kind = event.get("detail-type").and_then(Value::as_str).unwrap_or("an event");
    kind.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

/// The numbers of a report, and how long its lists are: never a text, which could be a person's.
fn numbers(report: &Value, depth: usize) -> Value {
    match report {
        Value::Number(_) | Value::Bool(_) => report.clone(),
        Value::Array(items) => json!(items.len()),
        Value::Object(fields) if depth > 0 => fields
            .iter()
            .map(|(name, value)| (name.clone(), numbers(value, depth - 1)))
            .filter(|(_, value)| !value.is_null())
            .collect(),
        Value::Object(fields) => json!(fields.len()),
        Value::Null | Value::String(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_its_numbers_and_no_text() {
        let report = json!({
            "now": "2026-03-02T10:00:30Z",
            "requested_by": "ada@example.org",
            "runs": 2,
            "nudged": { "creations": 1, "who": "ada" },
            "outcomes": [["snp_1", "created"], ["snp_2", "failed"]],
            "complete": true,
        });

        let numbers = numbers(&report, DEPTH_MAX);

        let expected =
            json!({ "runs": 2, "nudged": { "creations": 1 }, "outcomes": 2, "complete": true });
        assert_eq!(numbers, expected);
    }

    #[test]
    fn a_call_is_called_by_what_came() {
        assert_eq!(kind_of(&json!({ "detail-type": "Scheduled Event" })), "Scheduled Event");
        assert_eq!(kind_of(&json!({ "Records": [{}, {}] })), "2 messages");
        assert_eq!(kind_of(&json!({ "detail-type": "a\nb" })), "ab");
        assert_eq!(kind_of(&json!(3)), "an event");
    }

    #[test]
    fn a_line_says_how_it_went_and_what_it_belongs_to() {
        let context = Context::default();
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let call = Invocation {
            ends: Some(at(10_000)),
            ..Invocation::begin(&context, "2 messages".to_owned(), Some(trace), at(1_000))
        };
        let service = service();
        service.metrics.count(crate::metrics::Metric::SnapshotsDeleted);

        let line =
            call.line(&service, Ending::Answered(&json!({ "batchItemFailures": [] })), at(1_250));

        assert_eq!(line["duration_ms"], 250);
        assert_eq!(line["remaining_ms"], 8_750);
        assert_eq!(line["outcome"], "done");
        assert_eq!(line["report"]["batchItemFailures"], 0);
        assert_eq!(line["SnapshotsDeleted"], 1.0);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Snapkeep");
        assert!(line["traceparent"].as_str().unwrap().starts_with("00-4bf9"));
        let error = Error::conflict("not now");
        let line = call.line(&service, Ending::Failed(&error), at(1_250));
        assert_eq!((&line["level"], &line["error.kind"]), (&json!("ERROR"), &json!(error.kind())));
        assert!(line.get("_aws").is_none(), "counted twice: {line}");
    }

    fn service() -> Service {
        let given = [("AWS_REGION", "us-east-1"), ("SNAPKEEP_TABLE", "t"), ("SNAPKEEP_BUS", "b")];
        let settings = crate::settings::Settings::from_lookup(|name| {
            given.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .build();
        Service::new(settings.unwrap(), &crate::service::Connections::same(config))
    }
}
