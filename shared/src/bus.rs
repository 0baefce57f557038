//! Our event bus: events published in as few calls as can be.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use tracing::warn;

use crate::error::{BoxError, Error, chain};
use crate::events::{OwnEvent, SOURCE};

/// How many entries one `PutEvents` takes
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>).
const ENTRIES_MAX: usize = 10;

/// The event bus.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// The bus of this name.
    pub fn new(config: &aws_config::SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into() }
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

    fn entry(&self, event: &OwnEvent) -> Result<PutEventsRequestEntry, Error> {
        let detail =
            event.detail().map_err(|source| Error::internal("writing an event", source))?;
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
