//! The note on what a rule wants gone and an image keeps.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::condemnation::WantedDeletion;
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::plan::{PlanEntry, Verdict};
use crate::error::Error;
use crate::operations::sweeps::region_answers::unchanged_records;
use crate::service::Service;

/// How many changes of what blocks a snapshot one sweep writes; the next goes on.
const BLOCKED_NOTED_MAX: usize = 1_000;

/// Writes onto what a rule wants gone and an image keeps that it is so, and takes it off where it is no longer.
/// Who has changed a record meanwhile is looked at by the next sweep.
/// `seen` are the snapshots of regions that have answered: of another nobody knows what images use there, and what was noted
/// stands.
pub(crate) async fn note_blocked(
    service: &Service,
    seen: &BTreeMap<&SnapshotId, &Snapshot>,
    (entries, tallies): (&[PlanEntry], &Tallies),
    now: Timestamp,
) -> Result<(), Error> {
    let changes = entries.iter().filter_map(|entry| {
        let snapshot = *seen.get(&entry.snapshot_id)?;
        let wanted = match &entry.verdict {
            // Nobody has released these rules yet; what others said stands.
            Verdict::Blocked { .. } if tallies.is_stopped(entry.schedule_id.as_ref()) => {
                return None;
            }
            Verdict::Blocked { image_id, by: Some(by) } => {
                let reason = entry.reasons.first().cloned().unwrap_or_default();
                Some((image_id.clone(), WantedDeletion { by: by.clone(), reason }))
            }
            Verdict::Blocked { by: None, .. } | Verdict::Keep | Verdict::Delete { .. } => None,
        };
        snapshot.noted_in_use(wanted.clone(), now)?;
        Some((snapshot, wanted))
    });
    let changes: Vec<_> = changes.take(BLOCKED_NOTED_MAX).collect();
    let records = unchanged_records(service, changes.iter().map(|(snapshot, _)| *snapshot)).await?;
    for (judged, wanted) in changes {
        let record = records.get(&judged.id);
        let noted = record.and_then(|one| Some((one, one.noted_in_use(wanted, now)?)));
        if let Some((record, noted)) = noted {
            _ = service.table.update_snapshot(record, &noted).await?;
        }
    }
    Ok(())
}
