//! Brings restores, images and copies a step further, as `JobDue` events name them.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::JobDue;
use shared::operations::copies;
use shared::operations::images;
use shared::operations::restores;
use shared::queue::{Handled, each_message};
use shared::{Error, Service};

/// Answers a batch with the messages that are to be delivered again. Delivered twice, a step is done once.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("restorer"));
    each_message(service, event, async |job: JobDue| {
        match job {
            JobDue::Restore(id) => Box::pin(restores::advance(service, &id, clock)).await?,
            JobDue::Image(id) => Box::pin(images::advance(service, &id, clock)).await?,
            JobDue::Copies(region) => {
                Box::pin(copies::advance(service, &region, clock)).await?;
            }
        }
        Ok(Handled::Done)
    })
    .await
}
