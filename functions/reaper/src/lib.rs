//! Deletes the condemned that `SnapshotDeletionDue` events name, after a last check.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::SnapshotDeletionDue;
use shared::operations::snapshots;
use shared::queue::{Handled, each_message};
use shared::{Error, Service};

/// Answers a batch with the messages that are to be delivered again. Delivered twice, already gone is success.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("reaper"));
    each_message(service, event, async |detail: SnapshotDeletionDue| {
        let report = snapshots::reap(service, &detail, clock).await?;
        Ok(if report.is_unfinished() { Handled::Unfinished } else { Handled::Done })
    })
    .await
}
