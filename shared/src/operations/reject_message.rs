//! A message that cannot be understood is put aside with the reason, at once; the rest of its batch goes on.

use tracing::error;

use crate::error::Error;
use crate::events::{MessageRejected, OwnEvent, QueueMessage};
use crate::service::Service;

/// How much of a message is put aside.
const BODY_LENGTH_MAX: usize = 100_000;

/// Publishes the message with the reason; a rule on the bus takes it to a queue that people look at.
pub async fn reject_message(
    service: &Service,
    message: &QueueMessage,
    reason: &str,
) -> Result<(), Error> {
    error!(message.id = %message.message_id, "Message {} is put aside: {reason}", message.message_id);
    let detail = MessageRejected {
        reason: reason.to_owned(),
        message_id: message.message_id.clone(),
        body: message.body.chars().take(BODY_LENGTH_MAX).collect(),
    };
    service.bus.publish(&[OwnEvent::MessageRejected(detail)]).await
}
