//! What is condemned and would not be condemned now stays after all.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::snapshot::{Snapshot, Status};
use crate::error::chain;
use crate::operations::snapshots::mark::unmark;
use crate::operations::sweeps::region_answers::{Listed, shown_otherwise, unchanged_records};
use crate::service::Service;

/// How many one sweep rescues; the next goes on, and each is asked for once more before it is deleted.
const RESCUED_MAX: usize = 1_000;

/// Rescues these, each for its reason, and takes their marks off. Who has changed one meanwhile is judged by the next sweep.
pub(crate) async fn rescue_condemned(
    service: &Service,
    mut found: Vec<(&Snapshot, String)>,
    listed: &Listed,
    now: Timestamp,
) {
    found.truncate(RESCUED_MAX);
    let judged = found.iter().map(|(snapshot, _)| *snapshot);
    let records = match unchanged_records(service, judged).await {
        Ok(records) => records,
        // The last check asks the same before it lets a snapshot go.
        Err(error) => {
            warn!(error.chain = %chain(&error), "What is condemned is rescued later");
            return;
        }
    };
    let mut rescued = Vec::new();
    for (judged, reason) in found {
        let Some(record) = records.get(&judged.id) else { continue };
        let shown = shown_otherwise(record, listed, now);
        let snapshot = shown.as_ref().unwrap_or(record);
        if snapshot.status != Status::Condemned {
            continue;
        }
        let Ok(next) = snapshot.rescue(now) else { continue };
        let table = service.table.because(&format!("the rules keep it now: {reason}"));
        match table.update_snapshot(snapshot, &next).await {
            Ok(written) if written.is_done() => {
                info!(snapshot.id = %next.id, "Snapshot {} stays: {reason}", next.id);
                rescued.push(next);
            }
            Ok(_) => {}
            // The last check asks the same before it lets the snapshot go.
            Err(error) => {
                let id = &snapshot.id;
                warn!(snapshot.id = %id, error.chain = %chain(&error), "Snapshot {id} is rescued later");
            }
        }
    }
    unmark(service, &rescued).await;
}
