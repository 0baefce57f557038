//! Brings restores, images and copies a step further, as `JobDue` events name them.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::JobDue;
use shared::operations::copies::advance::advance_copies;
use shared::operations::images::advance::advance_image;
use shared::operations::restores::advance::advance_restore;
use shared::queue::{Handled, each_message};
use shared::{Error, Service};

/// Answers a batch with the messages that are to be delivered again. Delivered twice, a step is done once.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("restorer"));
    each_message(service, event, async |job: JobDue| {
        match job {
            JobDue::Restore(id) => Box::pin(advance_restore(service, &id, clock)).await?,
            JobDue::Image(id) => Box::pin(advance_image(service, &id, clock)).await?,
            JobDue::Copies(region) => {
                Box::pin(advance_copies(service, &region, clock)).await?;
            }
        }
        Ok(Handled::Done)
    })
    .await
}
