//! Takes the snapshots that `SnapshotRequested` events ask for.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::SnapshotRequested;
use shared::operations::snapshots;
use shared::queue::{Handled, each_message};
use shared::{Error, Service};

/// Answers a batch with the messages that are to be delivered again. Delivered twice, nothing is made twice.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("snapshotter"));
    each_message(service, event, async |detail: SnapshotRequested| {
        let report = snapshots::take(service, &detail, clock).await?;
        Ok(if report.is_unfinished() { Handled::Unfinished } else { Handled::Done })
    })
    .await
}
