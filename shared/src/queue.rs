//! The frame of the functions behind queues: a batch taken apart, each message by itself.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::warn;

use crate::error::{Error, chain};
use crate::events::{BatchAnswer, Envelope, QueueBatch, QueueMessage};
use crate::operations::reject_message::reject_message;
use crate::service::Service;

/// Whether a message has been dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It has.
    Done,
    /// It is to be delivered again.
    Unfinished,
}

/// The batch that Lambda hands over.
pub fn batch(event: Value) -> Result<QueueBatch, Error> {
    serde_json::from_value(event).map_err(|source| Error::invalid("event", source))
}

/// The event in a message, or why it is none.
pub fn envelope(message: &QueueMessage) -> Result<Envelope, String> {
    serde_json::from_str(&message.body).map_err(|error| format!("the body is no event: {error}"))
}

/// Has `handle` deal with the `detail` of each message. One that cannot be understood is put aside with the
/// reason; one that fails is delivered again; neither stops the others.
pub async fn each_message<Detail: DeserializeOwned>(
    service: &Service,
    event: Value,
    handle: impl AsyncFn(Detail) -> Result<Handled, Error>,
) -> Result<Value, Error> {
    let mut answer = BatchAnswer::default();
    for message in &batch(event)?.records {
        let handled = match detail(message) {
            Ok(detail) => handle(detail).await,
            Err(reason) => reject_message(service, message, &reason).await.map(|()| Handled::Done),
        };
        match handled {
            Ok(Handled::Done) => {}
            Ok(Handled::Unfinished) => answer.failed(message),
            Err(error) => {
                let text = chain(&error);
                warn!(error.chain = %text, "Message {} waits: {error}", message.message_id);
                answer.failed(message);
            }
        }
    }
    serde_json::to_value(answer).map_err(|source| Error::internal("writing the answer", source))
}

fn detail<Detail: DeserializeOwned>(message: &QueueMessage) -> Result<Detail, String> {
    serde_json::from_value(envelope(message)?.detail)
        .map_err(|error| format!("the detail is not as it should be: {error}"))
}
