//! Brings records in line with what EC2 shows of their members.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::Snapshot;
use crate::error::{Error, chain};
use crate::service::Service;

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RefreshReport {
    /// Changed, and how they stand now.
    pub changed: Vec<(SnapshotId, String)>,
    /// As they were.
    pub unchanged: usize,
    /// A fault that passes; the log says which.
    pub failed: usize,
    /// EBS snapshots that are members of none of ours.
    pub unknown: usize,
}

/// Brings the sets that these EBS snapshots are members of in line with EC2, whatever the event said: doubled,
/// late and unknown ones change nothing. It fails if one of the sets could not be written, after trying all.
pub async fn refresh_members(
    service: &Service,
    ids: &[EbsSnapshotId],
    now: Timestamp,
) -> Result<RefreshReport, Error> {
    let sets = service.table.sets_of(ids).await?;
    let set_ids: Vec<_> = sets.values().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let snapshots: Vec<_> = service.table.snapshots(&set_ids).await?.into_values().collect();
    let members: Vec<_> = snapshots
        .iter()
        .flat_map(Snapshot::living_members)
        .map(|member| member.ebs_snapshot_id.clone())
        .collect();
    let seen = service.ec2.ebs_snapshots(&members).await?;
    let mut report = refresh(service, &snapshots, &seen, now).await;
    report.unknown = ids.len() - sets.len();
    if report.failed > 0 {
        let source = format!("{} snapshots could not be refreshed", report.failed).into();
        return Err(Error::Unavailable { service: "DynamoDB", source });
    }
    Ok(report)
}

/// Brings these records in line with what EC2 has shown. One's failure does not stop the others.
pub async fn refresh(
    service: &Service,
    snapshots: &[Snapshot],
    seen: &[EbsSnapshot],
    now: Timestamp,
) -> RefreshReport {
    let by_id: BTreeMap<_, _> = seen.iter().map(|one| (&one.id, one)).collect();
    let mut report = RefreshReport::default();
    for snapshot in snapshots {
        let members: Vec<EbsSnapshot> = snapshot
            .members
            .iter()
            .filter_map(|member| by_id.get(&member.ebs_snapshot_id).copied().cloned())
            .collect();
        match refresh_one(service, snapshot, &members, now).await {
            Ok(Some(changed)) => report.changed.push((changed.id, changed.status.to_string())),
            Ok(None) => report.unchanged += 1,
            Err(error) => {
                let id = &snapshot.id;
                warn!(snapshot.id = %id, error.chain = %chain(&error), "Snapshot {id} is refreshed later");
                report.failed += 1;
            }
        }
    }
    report
}

async fn refresh_one(
    service: &Service,
    snapshot: &Snapshot,
    seen: &[EbsSnapshot],
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let Some(changed) = snapshot.observed(seen, now) else { return Ok(None) };
    if service.table.update_snapshot(snapshot, &changed).await?.is_done() {
        if changed.status != snapshot.status {
            info!(snapshot.id = %changed.id, "Snapshot {} is {}", changed.id, changed.status);
        }
        return Ok(Some(changed));
    }
    // Somebody has written it meanwhile: once more on what it is now.
    let Some(current) = service.table.snapshot(&snapshot.id).await? else { return Ok(None) };
    let Some(changed) = current.observed(seen, now) else { return Ok(None) };
    let written = service.table.update_snapshot(&current, &changed).await?;
    if written.is_done() { Ok(Some(changed)) } else { Err(stale(&current)) }
}

/// Two writers at once, twice: the next delivery does better.
pub(super) fn stale(snapshot: &Snapshot) -> Error {
    Error::Stale { noun: "the snapshot", current: snapshot.version }
}
