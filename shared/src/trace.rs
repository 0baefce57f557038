//! What a piece of work belongs to, through requests, events and logs: a W3C trace context
//! (<https://www.w3.org/TR/trace-context/>).

use std::fmt;
use std::str::FromStr;

/// A `traceparent`, as it is written: `00-…-…-01`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

/// The header, and the field of our events' `detail`.
pub const TRACEPARENT: &str = "traceparent";

impl TraceParent {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that begins with a call of Lambda's, whose id is a UUID and so has the digits of a trace's. None if it has
    /// not.
    pub fn begun(request_id: &str) -> Option<Self> {
        let digits = request_id.replace('-', "").to_ascii_lowercase();
        let parent = digits.get(..16)?;
        format!("00-{digits}-{parent}-01").parse().ok()
    }

    /// The one that an event brings: EventBridge's own, or the first of a batch from a queue.
    pub fn of_event(event: &serde_json::Value) -> Option<Self> {
        let body = event.pointer("/Records/0/body").and_then(serde_json::Value::as_str);
        let inner: Option<serde_json::Value> =
            body.and_then(|body| serde_json::from_str(body).ok());
        let event = inner.as_ref().unwrap_or(event);
        event.get("detail")?.get(TRACEPARENT)?.as_str()?.parse().ok()
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// It is no `traceparent` of the version that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("should be 00-, 32 digits, 16 digits and 2, all hexadecimal")]
pub struct NoTraceParent;

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let parts: Vec<&str> = text.split('-').collect();
        let [version, trace, parent, flags] = parts.as_slice() else { return Err(NoTraceParent) };
        let is_hex = |part: &str, length: usize| {
            part.len() == length
                && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
        let is_good = *version == "00"
            && is_hex(trace, 32)
            && is_hex(parent, 16)
            && is_hex(flags, 2)
            && !is_zero(trace)
            && !is_zero(parent);
        if is_good { Ok(Self(text.to_owned())) } else { Err(NoTraceParent) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_the_standard_shows_is_read_and_what_it_forbids_is_not() {
        assert_eq!(GOOD.parse::<TraceParent>().unwrap().as_str(), GOOD);
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(NoTraceParent), "{text:?}");
        }
    }

    #[test]
    fn a_call_begins_one_by_its_own_id() {
        let begun = TraceParent::begun("8476a536-e9f4-11e8-9739-2dfe598c3fcd").unwrap();

        assert_eq!(begun.as_str(), "00-8476a536e9f411e897392dfe598c3fcd-8476a536e9f411e8-01");
        assert_eq!(TraceParent::begun("local-1-2"), None);
        assert_eq!(TraceParent::begun("ünicödeünicödeünicöde"), None);
    }

    #[test]
    fn an_event_brings_it_plain_or_through_a_queue() {
        let event = json!({ "detail-type": "SweepRequested", "detail": { "traceparent": GOOD } });
        let queued = json!({ "Records": [{ "messageId": "1", "body": event.to_string() }] });

        assert_eq!(TraceParent::of_event(&event).unwrap().as_str(), GOOD);
        assert_eq!(TraceParent::of_event(&queued).unwrap().as_str(), GOOD);
        assert_eq!(TraceParent::of_event(&json!({ "detail": { "traceparent": 3 } })), None);
        assert_eq!(TraceParent::of_event(&json!({ "Records": [{ "body": "no JSON" }] })), None);
    }
}
