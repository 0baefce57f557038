//! Brings records in line with EC2 when EC2 says that an EBS snapshot has changed.
//!
//! Only the ids are taken from what EC2 says; how they stand is asked. A whole batch is asked for at once.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::{BatchAnswer, ebs_snapshot_ids};
use shared::operations::reject_message::reject_message;
use shared::operations::snapshots;
use shared::queue::{batch, envelope};
use shared::{Error, Service};
use tracing::warn;

/// Answers a batch with the messages that are to be delivered again: those whose snapshots are in a region out of reach,
/// or could not be written.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("tracker"));
    let batch = batch(event)?;
    let mut answer = BatchAnswer::default();
    let mut understood = Vec::new();
    for message in &batch.records {
        match envelope(message) {
            Ok(event) => understood.push((message, ebs_snapshot_ids(&event.detail))),
            Err(reason) => {
                if reject_message(service, message, &reason).await.is_err() {
                    answer.failed(message);
                }
            }
        }
    }
    let mut ids: Vec<_> = understood.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    ids.sort();
    ids.dedup();
    match snapshots::refresh_members(service, &ids, clock.now()).await {
        Ok(report) => {
            let waits = |(_, ids): &&(_, Vec<_>)| ids.iter().any(|id| report.waiting.contains(id));
            for (message, _) in understood.iter().filter(waits) {
                answer.failed(message);
            }
        }
        Err(error) => {
            let text = shared::error::chain(&error);
            warn!(error.chain = %text, "{} messages wait: {error}", understood.len());
            for (message, _) in &understood {
                answer.failed(message);
            }
        }
    }
    serde_json::to_value(answer).map_err(|source| Error::internal("writing the answer", source))
}
