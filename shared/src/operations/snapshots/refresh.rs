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
    pub unchanged: usize,
    /// A fault that passes; the log says which.
    pub failed: Vec<SnapshotId>,
    /// EBS snapshots that are members of none of ours.
    pub unknown: usize,
    /// Of the EBS snapshots that were asked for: those whose sets are refreshed later.
    pub waiting: BTreeSet<EbsSnapshotId>,
}

/// Brings the sets that these EBS snapshots are members of in line with EC2, whatever the event said: doubled,
/// late and unknown ones change nothing. A region out of reach, or a set that cannot be written, does not stop the others:
/// the report says what waits.
pub async fn refresh_members(
    service: &Service,
    ids: &[EbsSnapshotId],
    now: Timestamp,
) -> Result<RefreshReport, Error> {
    let sets = service.table.sets_of(ids).await?;
    let set_ids: Vec<_> = sets.values().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let snapshots: Vec<_> = service.table.snapshots(&set_ids).await?.into_values().collect();
    let mut report = refresh_by_region(service, &snapshots, now).await;
    report.unknown = ids.len() - sets.len();
    let is_waiting = |set: &SnapshotId| report.failed.contains(set);
    report.waiting =
        sets.iter().filter(|(_, set)| is_waiting(set)).map(|(id, _)| id.clone()).collect();
    Ok(report)
}

/// Brings these records in line with what EC2 shows of their members now. Those of a region out of reach wait.
pub(crate) async fn refresh_by_region(
    service: &Service,
    snapshots: &[Snapshot],
    now: Timestamp,
) -> RefreshReport {
    let mut report = RefreshReport::default();
    let mut by_region: BTreeMap<&str, Vec<Snapshot>> = BTreeMap::new();
    for snapshot in snapshots {
        by_region.entry(&snapshot.source.region).or_default().push(snapshot.clone());
    }
    for (region, snapshots) in by_region {
        match seen_in(service, region, &snapshots).await {
            Ok(seen) => report.add(refresh(service, &snapshots, &seen, now).await),
            Err(error) => {
                warn!(region = %region, error.chain = %chain(&error), "Snapshots of {region} are refreshed later");
                report.failed.extend(snapshots.into_iter().map(|snapshot| snapshot.id));
            }
        }
    }
    report
}

async fn seen_in(
    service: &Service,
    region: &str,
    snapshots: &[Snapshot],
) -> Result<Vec<EbsSnapshot>, Error> {
    let members: Vec<_> = snapshots
        .iter()
        .flat_map(Snapshot::living_members)
        .map(|member| member.ebs_snapshot_id.clone())
        .collect();
    service.ec2_in(region)?.ebs_snapshots(&members).await
}

impl RefreshReport {
    fn add(&mut self, other: Self) {
        let Self { changed, unchanged, failed, unknown, waiting } = other;
        self.changed.extend(changed);
        self.unchanged += unchanged;
        self.failed.extend(failed);
        self.unknown += unknown;
        self.waiting.extend(waiting);
    }
}

/// Brings these records in line with what EC2 has shown. One's failure does not stop the others.
pub async fn refresh(
    service: &Service,
    snapshots: &[Snapshot],
    seen: &[EbsSnapshot],
    now: Timestamp,
) -> RefreshReport {
    let by_id: BTreeMap<_, _> = seen.iter().map(|one| (&one.id, one)).collect();
    let service = &service.counting_together();
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
                report.failed.push(id.clone());
            }
        }
    }
    service.table.add_together().await;
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
pub(crate) fn stale(snapshot: &Snapshot) -> Error {
    Error::Stale { noun: "the snapshot", current: snapshot.version }
}
