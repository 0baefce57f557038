//! EventBridge's `PutEvents`, straight into the dispatch.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::RuntimeComponents,
    },
    http::StatusCode as SmithyStatus,
};
use aws_smithy_types::body::SdkBody;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::clock::Clock;
use tokio::sync::Notify;

use crate::{
    dispatch::{Dispatch, NewEvent},
    template::BusKind,
};

/// How many entries one call takes.
const ENTRIES_MAX: usize = 10;

/// The dispatch, as something to publish to. Clones are the same one.
#[derive(Clone)]
pub struct LocalBus(Arc<Inner>);

struct Inner {
    name: String,
    clock: Clock,
    dispatch: Mutex<Dispatch>,
    changed: Notify,
}

#[derive(Deserialize)]
struct PutEvents {
    #[serde(rename = "Entries")]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    event_bus_name: Option<String>,
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
}

impl LocalBus {
    /// Our own bus is called `name`.
    pub fn new(name: &str, dispatch: Dispatch, clock: Clock) -> Self {
        let dispatch = Mutex::new(dispatch);
        Self(Arc::new(Inner { name: name.to_owned(), clock, dispatch, changed: Notify::new() }))
    }

    /// The dispatch. Do not wait for anything while holding it.
    pub fn dispatch(&self) -> MutexGuard<'_, Dispatch> {
        self.0.dispatch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something was published since the last time.
    pub async fn published(&self) {
        self.0.changed.notified().await;
    }

    /// Answers a call of EventBridge's JSON protocol.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, Value) {
        if target != "AWSEvents.PutEvents" {
            return refused("UnknownOperationException", &format!("{target} is not known here"));
        }
        let request: PutEvents = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return refused("SerializationException", &error.to_string()),
        };
        let count = request.entries.len();
        if !(1..=ENTRIES_MAX).contains(&count) {
            let text = format!("Entries should have 1 to {ENTRIES_MAX} members, not {count}");
            return refused("ValidationException", &text);
        }
        let answers: Vec<Value> = request.entries.into_iter().map(|each| self.put(each)).collect();
        self.0.changed.notify_one();
        let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
        (StatusCode::OK, json!({ "FailedEntryCount": failed, "Entries": answers }))
    }

    fn put(&self, entry: Entry) -> Value {
        match self.event(entry) {
            Ok(event) => {
                let now = self.0.clock.now();
                json!({ "EventId": self.dispatch().publish(event, now) })
            }
            Err((code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
        }
    }

    fn event(&self, entry: Entry) -> Result<NewEvent, (&'static str, &'static str)> {
        let Entry { event_bus_name, source, detail_type, detail, resources } = entry;
        let bus = match event_bus_name.as_deref().map(|name| name.rsplit('/').next()) {
            None | Some(Some("default")) => BusKind::Default,
            Some(Some(name)) if name == self.0.name => BusKind::Own,
            Some(_) => return Err(("ResourceNotFoundException", "There is no such bus.")),
        };
        let missing = ("InvalidArgument", "Source, DetailType and Detail are required.");
        let (source, detail_type) = source.zip(detail_type).ok_or(missing)?;
        if source.starts_with("aws.") {
            let message = "Only AWS may use a source that starts with aws.";
            return Err(("NotAuthorizedForSourceException", message));
        }
        let detail: Value = serde_json::from_str(&detail.ok_or(missing)?)
            .map_err(|_| ("MalformedDetail", "Detail is malformed."))?;
        if !detail.is_object() {
            return Err(("MalformedDetail", "Detail is malformed."));
        }
        Ok(NewEvent { bus, source, detail_type, detail, resources })
    }

    /// An HTTP client for the SDK that never leaves the process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalBus").field(&self.0.name).finish()
    }
}

impl HttpClient for LocalBus {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for LocalBus {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (status, body) = self.answer(target, request.body().bytes().unwrap_or_default());
        let status = SmithyStatus::try_from(status.as_u16())
            .unwrap_or_else(|_| SmithyStatus::from(StatusCode::INTERNAL_SERVER_ERROR));
        let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
        response.headers_mut().insert("content-type", "application/x-amz-json-1.1");
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn refused(code: &str, message: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({ "__type": code, "message": message }))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{dispatch::Identity, template::Template};

    fn bus() -> LocalBus {
        let now = Timestamp::UNIX_EPOCH;
        let identity = Identity { account: "1".to_owned(), region: "us-east-1".to_owned() };
        let dispatch = Dispatch::new(&Template::embedded().unwrap(), identity, now);
        LocalBus::new("snapkeep", dispatch, Clock::fixed(now))
    }

    fn entry(bus: &str, source: &str, detail: &str) -> Value {
        json!({
            "EventBusName": bus,
            "Source": source,
            "DetailType": "SnapshotRequested",
            "Detail": detail,
        })
    }

    fn put(bus: &LocalBus, entries: &[Value]) -> (StatusCode, Value) {
        let body = json!({ "Entries": entries }).to_string();
        bus.answer("AWSEvents.PutEvents", body.as_bytes())
    }

    #[test]
    fn what_is_published_reaches_the_queue_of_its_rule() {
        let bus = bus();

        let (status, answer) = put(&bus, &[entry("snapkeep", "snapkeep", r#"{"targets":[]}"#)]);

        assert_eq!((status, &answer["FailedEntryCount"]), (StatusCode::OK, &json!(0)));
        let dispatch = bus.dispatch();
        let messages = dispatch.messages("SnapshotterQueue");
        let body: Value = serde_json::from_str(&messages[0].body).unwrap();
        assert_eq!(body["id"], answer["Entries"][0]["EventId"]);
        assert_eq!(body["detail"], json!({"targets": []}));
    }

    #[test]
    fn what_others_are_told_is_remembered_and_goes_to_no_queue() {
        let bus = bus();
        let mut told = entry("snapkeep", "snapkeep", r#"{"summary":"x"}"#);
        told["DetailType"] = json!("snapkeep.snapshot.available");

        put(&bus, &[told, entry("snapkeep", "snapkeep", "{}")]);

        let dispatch = bus.dispatch();
        let announced: Vec<_> = dispatch.announced().collect();
        assert_eq!(announced.len(), 1);
        assert_eq!(announced[0]["detail"], json!({"summary": "x"}));
        assert_eq!(dispatch.messages("SnapshotterQueue").len(), 1);
    }

    #[test]
    fn each_wrong_entry_is_refused_by_itself() {
        let bus = bus();
        let entries = [
            entry("elsewhere", "snapkeep", "{}"),
            entry("snapkeep", "aws.ec2", "{}"),
            entry("snapkeep", "snapkeep", "[]"),
            entry("snapkeep", "snapkeep", "{}"),
        ];

        let (status, answer) = put(&bus, &entries);

        let codes: Vec<_> = answer["Entries"].as_array().unwrap().iter().collect();
        assert_eq!((status, &answer["FailedEntryCount"]), (StatusCode::OK, &json!(3)));
        assert_eq!(codes[0]["ErrorCode"], "ResourceNotFoundException");
        assert_eq!(codes[1]["ErrorCode"], "NotAuthorizedForSourceException");
        assert_eq!(codes[2]["ErrorCode"], "MalformedDetail");
        assert!(codes[3]["EventId"].is_string());
        assert_eq!(bus.dispatch().messages("SnapshotterQueue").len(), 1);
    }

    #[test]
    fn more_than_ten_entries_are_refused() {
        let (status, answer) = put(&bus(), &vec![entry("snapkeep", "snapkeep", "{}"); 11]);

        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(answer["__type"], "ValidationException");
    }
}
