//! Deletes the condemned whose grace is over, after a last check.
//!
//! The check is made at that moment, on what the table and EC2 say then, and holds against everybody who writes
//! meanwhile: the deletion is claimed under the version that was checked, and under that of the newer available
//! snapshot which lets this one go.

mod last_check;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::{info, warn};

use self::last_check::{Check, Evidence, last_check, recalled};
use crate::clock::Clock;
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::snapshot::{MISSING_AFTER, Snapshot, Status};
use crate::ec2::{Deletion, Ec2};
use crate::error::{BoxError, Error, chain};
use crate::events::SnapshotDeletionDue;
use crate::service::Service;

/// How long after a condemnation its mark may not have arrived everywhere, IAM included.
const MARK_UNCERTAIN: SignedDuration = SignedDuration::from_mins(10);

/// What became of each snapshot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReapReport {
    /// The snapshots in their order.
    pub outcomes: Vec<(SnapshotId, Reaped)>,
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaped {
    /// Gone.
    Deleted,
    /// Nothing was to be done.
    AlreadySo,
    /// Something is in the way; the record says what.
    Blocked,
    /// What had condemned it no longer stands.
    Rescued,
    /// Later: EC2 has enough to do, the time is over, or a fault passes.
    Later,
}

impl ReapReport {
    /// Whether the event must be delivered again.
    pub fn is_unfinished(&self) -> bool {
        self.outcomes.iter().any(|(_, reaped)| *reaped == Reaped::Later)
    }
}

/// Deletes what is due and still to be deleted. One snapshot's trouble does not stop the others.
pub async fn reap(
    service: &Service,
    due: &SnapshotDeletionDue,
    clock: &Clock,
) -> Result<ReapReport, Error> {
    let evidence = Evidence::load(service, &due.snapshot_ids, clock.now()).await?;
    let mut report = ReapReport::default();
    for id in &due.snapshot_ids {
        let reaped = match evidence.snapshots.get(id) {
            None => Reaped::AlreadySo,
            Some(_) if clock.is_over() => Reaped::Later,
            Some(snapshot)
                if evidence.is_lacking(snapshot)
                    && service.ec2_in(&snapshot.source.region).is_ok() =>
            {
                Reaped::Later
            }
            Some(snapshot) => match reap_one(service, snapshot, &evidence, clock).await {
                Ok(reaped) => reaped,
                Err(error) => {
                    warn!(snapshot.id = %id, error.chain = %chain(&error), "Snapshot {id} is deleted later");
                    Reaped::Later
                }
            },
        };
        report.outcomes.push((id.clone(), reaped));
    }
    Ok(report)
}

/// Whether the mark was put on so shortly ago that somebody may not see it yet.
fn is_fresh(snapshot: &Snapshot, now: Timestamp) -> bool {
    let condemnation = snapshot.condemnation.as_ref();
    condemnation.is_some_and(|one| now.duration_since(one.at) < MARK_UNCERTAIN)
}

async fn reap_one(
    service: &Service,
    snapshot: &Snapshot,
    evidence: &Evidence,
    clock: &Clock,
) -> Result<Reaped, Error> {
    let now = clock.now();
    let ec2 = match service.ec2_in(&snapshot.source.region) {
        Ok(ec2) => ec2,
        Err(error) => {
            let cause = BlockedCause::Refused { message: error.to_string() };
            return block(service, snapshot, cause, now).await;
        }
    };
    let recalled = recalled(snapshot, evidence, now);
    let snapshot = recalled.as_ref().unwrap_or(snapshot);
    let guardian = match last_check(service, snapshot, evidence, now).await? {
        Check::Delete(guardian) => guardian,
        Check::Blocked(BlockedCause::NotMarked) if is_fresh(snapshot, now) => {
            return Ok(Reaped::Later);
        }
        Check::Blocked(cause) => return block(service, snapshot, cause, now).await,
        // EC2 may have deleted a member a moment ago and not show it yet.
        Check::Rescue(_) if snapshot.status == Status::Deleting => return Ok(Reaped::Later),
        Check::Rescue(reason) => return rescue(service, snapshot, reason, now).await,
    };
    if let Some(waits) = not_shown(snapshot, evidence, now) {
        _ = service.table.update_snapshot(snapshot, &waits).await?;
        return Ok(Reaped::Later);
    }
    let deleting = snapshot.begin_deletion(now).map_err(Error::conflict)?;
    let written = match guardian {
        Some(guardian) => {
            service.table.update_snapshot_guarded(snapshot, &deleting, &guardian).await?
        }
        None => service.table.update_snapshot(snapshot, &deleting).await?,
    };
    if !written.is_done() {
        return Ok(Reaped::Later);
    }
    delete_members((service, ec2), &deleting, evidence, clock).await
}

/// The snapshot with the note that EC2 does not show all of its members, as long as that is not believed: a
/// member that is only not shown would stay, and nobody would look after it.
fn not_shown(snapshot: &Snapshot, evidence: &Evidence, now: Timestamp) -> Option<Snapshot> {
    let is_shown = |id: &EbsSnapshotId| evidence.seen.contains_key(id);
    if snapshot.living_members().all(|member| is_shown(&member.ebs_snapshot_id)) {
        return None;
    }
    let since = snapshot.absent_since;
    let is_believed = since.is_some_and(|since| now.duration_since(since) >= MISSING_AFTER);
    (!is_believed).then(|| snapshot.noticed_absent(now))
}

/// Why members of a claimed snapshot are still there.
enum Stopped {
    /// Something is in the way.
    Blocked(BlockedCause),
    /// EC2 has proven that it did nothing, and may do it later.
    NotNow(String),
    /// EC2 may have done it.
    Unknown(BoxError),
}

/// Deletes the members of a claimed snapshot, paced, and records what became of each.
async fn delete_members(
    (service, ec2): (&Service, &Ec2),
    deleting: &Snapshot,
    evidence: &Evidence,
    clock: &Clock,
) -> Result<Reaped, Error> {
    let mut gone = Vec::new();
    let mut stopped = None;
    for member in deleting.living_members() {
        let id = &member.ebs_snapshot_id;
        if !evidence.seen.contains_key(id) {
            // EC2 has not shown it at two looks ten minutes apart: it is gone already.
            gone.push(id.clone());
            continue;
        }
        let answer = ec2.delete_ebs_snapshot(id).await;
        clock.pause(service.settings.delete_pace).await;
        match answer {
            Deletion::Gone => gone.push(id.clone()),
            Deletion::Blocked(BlockedCause::NotPermitted { message })
                if is_fresh(deleting, clock.now()) =>
            {
                // IAM does not see the mark yet.
                stopped = Some(Stopped::NotNow(message));
                break;
            }
            Deletion::Blocked(cause) => stopped = Some(Stopped::Blocked(cause)),
            Deletion::NotNow(failure) => {
                stopped = Some(Stopped::NotNow(failure.message));
                break;
            }
            Deletion::Unknown(source) => {
                stopped = Some(Stopped::Unknown(source));
                break;
            }
        }
    }
    let now = clock.now();
    // Where nothing has happened it can still be rescued, and is checked anew next time.
    let is_untouched = gone.is_empty() && is_whole(deleting);
    let recorded = match &stopped {
        Some(Stopped::Blocked(cause)) if is_untouched => {
            let back = Snapshot { status: Status::Condemned, ..deleting.clone() };
            return block(service, &back, cause.clone(), now).await;
        }
        Some(Stopped::NotNow(_)) if is_untouched => deleting.deletion_put_off(now),
        Some(_) | None => deleting.members_deleted(&gone, now),
    };
    let recorded = recorded.map_err(Error::conflict)?;
    if !service.table.update_snapshot(deleting, &recorded).await?.is_done() {
        return Ok(Reaped::Later);
    }
    match stopped {
        Some(Stopped::Blocked(cause)) => block(service, &recorded, cause, now).await,
        Some(Stopped::NotNow(message)) => {
            Err(Error::Unavailable { service: "EC2", source: message.into() })
        }
        Some(Stopped::Unknown(source)) => Err(Error::Unavailable { service: "EC2", source }),
        None => {
            info!(snapshot.id = %deleting.id, "Snapshot {} is deleted", deleting.id);
            Ok(Reaped::Deleted)
        }
    }
}

fn is_whole(snapshot: &Snapshot) -> bool {
    snapshot.members.iter().all(|member| !member.deleted)
}

async fn block(
    service: &Service,
    snapshot: &Snapshot,
    cause: BlockedCause,
    now: Timestamp,
) -> Result<Reaped, Error> {
    warn!(snapshot.id = %snapshot.id, "Snapshot {} is not deleted: {}", snapshot.id, cause.describe());
    let blocked = snapshot.block(cause, now).map_err(Error::conflict)?;
    let written = service.table.update_snapshot(snapshot, &blocked).await?;
    Ok(if written.is_done() { Reaped::Blocked } else { Reaped::Later })
}

/// The mark in EC2 stays until the next sweep takes it off; without its record nothing is deleted by it.
async fn rescue(
    service: &Service,
    snapshot: &Snapshot,
    reason: &str,
    now: Timestamp,
) -> Result<Reaped, Error> {
    info!(snapshot.id = %snapshot.id, "Snapshot {} stays: {reason}", snapshot.id);
    let rescued = snapshot.rescue(now).map_err(Error::conflict)?;
    let table = service.table.because(reason);
    let written = table.update_snapshot(snapshot, &rescued).await?;
    Ok(if written.is_done() { Reaped::Rescued } else { Reaped::Later })
}
