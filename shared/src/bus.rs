//! Our event bus: events published in as few calls as can be.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::retry::RetryPartition;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use tracing::warn;

use crate::error::{BoxError, Error, chain};
use crate::events::{OwnEvent, SOURCE};
use crate::trace::{TRACEPARENT, TraceParent};

/// How many entries one `PutEvents` takes
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>).
const ENTRIES_MAX: usize = 10;

/// The event bus.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
    /// What events belong to that make others work.
    trace: Option<TraceParent>,
}

impl Bus {
    /// The bus of this name.
    pub fn new(config: &aws_config::SdkConfig, name: impl Into<String>) -> Self {
        let config = aws_sdk_eventbridge::config::Builder::from(config)
            // Of its own: by default clients of a process share how often they may still retry.
            .retry_partition(RetryPartition::custom("bus").build())
            .build();
        Self { client: Client::from_conf(config), name: name.into(), trace: None }
    }

    /// The same bus, for what belongs to this trace.
    #[must_use]
    pub fn traced(&self, trace: Option<TraceParent>) -> Self {
        Self { trace, ..self.clone() }
    }

    /// Publishes `events`, ten a call. An error says that at least one may not have been taken: publish all
    /// again, for whoever receives them does nothing twice.
    pub async fn publish(&self, events: &[OwnEvent]) -> Result<(), Error> {
        for batch in events.chunks(ENTRIES_MAX) {
            let entries = batch.iter().map(|event| self.entry(event)).collect::<Result<_, _>>()?;
            let answer = self
                .client
                .put_events()
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|source| unavailable(source.into_service_error()))?;
            if answer.failed_entry_count() > 0 {
                let codes: Vec<_> =
                    answer.entries().iter().filter_map(|entry| entry.error_code()).collect();
                return Err(unavailable(format!("entries were refused: {}", codes.join(", "))));
            }
        }
        Ok(())
    }

    /// Publishes what tells of records that are written already. A failure is logged only: the tick or the reconciler finds
    /// the records and makes them known again.
    pub async fn publish_or_leave(&self, events: &[OwnEvent]) {
        let Err(error) = self.publish(events).await else { return };
        for event in events {
            let (kind, detail) = (event.detail_type(), event.detail().unwrap_or_default());
            warn!(event.kind = kind, event.detail = detail, error.chain = %chain(&error), "{kind} waits for the tick");
        }
    }

    /// The detail, with what it belongs to. What other systems are told has a form of its own, and is told by the tick.
    fn detail(&self, event: &OwnEvent) -> serde_json::Result<String> {
        let detail = event.detail()?;
        let Some(trace) = self.trace.as_ref().filter(|_| !matches!(event, OwnEvent::Domain(_)))
        else {
            return Ok(detail);
        };
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&detail)?;
        fields.insert(TRACEPARENT.to_owned(), trace.as_str().into());
        serde_json::to_string(&fields)
    }

    fn entry(&self, event: &OwnEvent) -> Result<PutEventsRequestEntry, Error> {
        let detail =
            self.detail(event).map_err(|source| Error::internal("writing an event", source))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(event.detail_type())
            .detail(detail)
            .build())
    }
}

fn unavailable(source: impl Into<BoxError>) -> Error {
    Error::Unavailable { service: "EventBridge", source: source.into() }
}
