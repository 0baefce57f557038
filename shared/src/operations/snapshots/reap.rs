//! Deletes the condemned whose grace is over, after a last check.
//!
//! The check is made at that moment, on what the table and EC2 say then, and holds against everybody who writes
//! meanwhile: the deletion is claimed under the version that was checked, and under those of the newer available
//! snapshots which let this one go. Whatever would refuse one member is asked before any is deleted: a set goes whole,
//! or stays whole.

mod last_check;
mod members;
mod moment;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::{info, warn};

use self::last_check::{Check, Evidence, is_broken, last_check, recalled};
use self::members::delete_members;
use self::moment::{LetsGo, Moment};
use crate::clock::{Clock, Pace};
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::snapshot::Course;
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::snapshot::{MISSING_AFTER, Snapshot, Status};
use crate::ec2::Ec2;
use crate::error::{Error, chain};
use crate::events::SnapshotDeletionDue;
use crate::service::Service;
use crate::table::snapshots::{Bound, GUARDIANS_MAX};

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
    let service = &service.counting_together();
    let mut report = ReapReport::default();
    let pace = Pace::new(service.settings.delete_pace);
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
            Some(snapshot) => match reap_one(service, snapshot, &evidence, (clock, &pace)).await {
                Ok(reaped) => reaped,
                Err(error) => {
                    warn!(snapshot.id = %id, error.chain = %chain(&error), "Snapshot {id} is deleted later");
                    Reaped::Later
                }
            },
        };
        report.outcomes.push((id.clone(), reaped));
    }
    service.table.add_together().await;
    Ok(report)
}

/// Whether the mark was put on so shortly ago that somebody may not see it yet.
fn is_fresh(snapshot: &Snapshot, now: Timestamp) -> bool {
    let condemnation = snapshot.ending.condemnation.as_ref();
    condemnation.is_some_and(|one| now.duration_since(one.at) < MARK_UNCERTAIN)
}

/// What everything about one deletion needs.
#[derive(Clone, Copy)]
struct OneDeletion<'a> {
    service: &'a Service,
    ec2: &'a Ec2,
    evidence: &'a Evidence,
    clock: &'a Clock,
    /// Of `DeleteSnapshot`, tried out or not.
    pace: &'a Pace,
}

async fn reap_one(
    service: &Service,
    snapshot: &Snapshot,
    evidence: &Evidence,
    (clock, pace): (&Clock, &Pace),
) -> Result<Reaped, Error> {
    let now = clock.now();
    let ec2 = match service.ec2_in(&snapshot.source.region) {
        Ok(ec2) => ec2,
        Err(error) => {
            let cause = BlockedCause::Refused { message: error.to_string() };
            return block(service, snapshot, cause, now).await;
        }
    };
    let deletion = OneDeletion { service, ec2, evidence, clock, pace };
    let recalled = recalled(snapshot, evidence, now);
    let snapshot = &seen_again(recalled.as_ref().unwrap_or(snapshot), evidence);
    let guard = match last_check(service, snapshot, evidence, now).await? {
        Check::Delete(guard) => guard,
        Check::Blocked(cause) => return deletion.refuse(snapshot, cause).await,
        Check::Rescue(reason) => return deletion.rescue(snapshot, reason).await,
    };
    if let Some(waits) = not_shown(snapshot, evidence, now) {
        _ = service.table.update_snapshot(snapshot, &waits).await?;
        return Ok(Reaped::Later);
    }
    let (seen, lets_go) = match deletion.ask(snapshot, guard).await? {
        Moment::Go { seen, lets_go } => (seen, lets_go),
        Moment::Blocked(cause) => return deletion.refuse(snapshot, cause).await,
        Moment::Stays(reason) => return deletion.rescue(snapshot, &reason).await,
        Moment::Later => return Ok(Reaped::Later),
    };
    let Some(deleting) = claim(service, snapshot, &lets_go, clock.now()).await? else {
        return Ok(Reaped::Later);
    };
    delete_members(deletion, &deleting, &seen).await
}

/// Claims the deletion, if all that lets the snapshot go is as it was read. The schedule and the guardians are bound by
/// the write itself. The others that the rules have counted can be hundreds; they are read once more behind the
/// claim, before EC2 is asked for anything: if one has changed, the snapshot goes back to where it was and is judged again.
async fn claim(
    service: &Service,
    snapshot: &Snapshot,
    lets_go: &LetsGo,
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let LetsGo { guardians, counted, schedule } = lets_go;
    let deleting = snapshot.begin_deletion(now).map_err(Error::conflict)?;
    let bound = Bound { guardians, schedule: schedule.as_ref() };
    let written = if guardians.is_empty() && schedule.is_none() {
        service.table.update_snapshot(snapshot, &deleting).await?
    } else {
        service.table.update_snapshot_guarded(snapshot, &deleting, bound).await?
    };
    if !written.is_done() {
        return Ok(None);
    }
    let unbound: Vec<_> = guardians.iter().skip(GUARDIANS_MAX).chain(counted).collect();
    if !are_unchanged(service, &unbound).await? {
        let id = &snapshot.id;
        info!(snapshot.id = %id, "Snapshot {id} is judged again: what the rules had counted has changed");
        if snapshot.status == Status::Condemned {
            let back = deleting.deletion_put_off(now).map_err(Error::conflict)?;
            _ = service.table.update_snapshot(&deleting, &back).await?;
        }
        return Ok(None);
    }
    Ok(Some(deleting))
}

/// Whether these records are as they were read.
async fn are_unchanged(service: &Service, read: &[&Snapshot]) -> Result<bool, Error> {
    let ids: Vec<_> = read.iter().map(|one| one.id.clone()).collect();
    let current = service.table.snapshots(&ids).await?;
    let is_same =
        |one: &&Snapshot| current.get(&one.id).is_some_and(|found| found.version == one.version);
    Ok(read.iter().all(is_same))
}

/// The snapshot, an earlier look at which EC2 did not show a member taken back if it shows all now: two looks that lie far
/// apart do not make one absence.
fn seen_again(snapshot: &Snapshot, evidence: &Evidence) -> Snapshot {
    let is_shown = |id: &EbsSnapshotId| evidence.seen.contains_key(id);
    let all = snapshot.living_members().all(|member| is_shown(&member.ebs_snapshot_id));
    let absent_since = snapshot.course.absent_since.filter(|_| !all);
    Snapshot { course: Course { absent_since, ..snapshot.course.clone() }, ..snapshot.clone() }
}

/// The snapshot with the note that EC2 does not show all of its members, as long as that is not believed: a
/// member that is only not shown would stay, and nobody would look after it.
fn not_shown(snapshot: &Snapshot, evidence: &Evidence, now: Timestamp) -> Option<Snapshot> {
    let is_shown = |id: &EbsSnapshotId| evidence.seen.contains_key(id);
    if snapshot.living_members().all(|member| is_shown(&member.ebs_snapshot_id)) {
        return None;
    }
    let since = snapshot.course.absent_since;
    let is_believed = since.is_some_and(|since| now.duration_since(since) >= MISSING_AFTER);
    (!is_believed).then(|| snapshot.noticed_absent(now))
}

impl OneDeletion<'_> {
    /// Ends when `DeleteSnapshot` may be called, which is then called.
    async fn wait_for_turn(&self) {
        self.pace.wait(self.clock).await;
        self.pace.begin(self.clock.now());
    }

    /// Something is in the way. What was torn already says so; anything else stays as it is and is tried again.
    async fn refuse(&self, snapshot: &Snapshot, cause: BlockedCause) -> Result<Reaped, Error> {
        let now = self.clock.now();
        let is_mark_missing = matches!(cause, BlockedCause::NotMarked { .. });
        let is_right_missing = matches!(cause, BlockedCause::NotPermitted { .. });
        if (is_mark_missing || is_right_missing) && is_fresh(snapshot, now) {
            // Somebody does not see the mark yet.
            return Ok(Reaped::Later);
        }
        // Without its mark it waits for the next sweep only.
        if is_broken(snapshot, self.evidence) && !is_mark_missing {
            return self.tear(snapshot, snapshot, cause).await;
        }
        block(self.service, snapshot, cause, now).await
    }

    /// Writes down that the set is torn, over its record as it was read; `left` is what is left of it.
    async fn tear(
        &self,
        read: &Snapshot,
        left: &Snapshot,
        cause: BlockedCause,
    ) -> Result<Reaped, Error> {
        let (id, words) = (&read.id, cause.describe());
        warn!(snapshot.id = %id, "Snapshot {id} is torn: members of it are gone, and of the others: {words}");
        let torn = left.torn(cause, self.clock.now()).map_err(Error::conflict)?;
        let written = self.service.table.update_snapshot(read, &torn).await?;
        Ok(if written.is_done() { Reaped::Blocked } else { Reaped::Later })
    }

    /// What had condemned it no longer stands. The mark in EC2 stays until the next sweep takes it off; without its record
    /// nothing is deleted by it.
    async fn rescue(&self, snapshot: &Snapshot, reason: &str) -> Result<Reaped, Error> {
        if snapshot.status == Status::Deleting {
            // EC2 may have deleted a member a moment ago and not show it yet.
            return Ok(Reaped::Later);
        }
        info!(snapshot.id = %snapshot.id, "Snapshot {} stays: {reason}", snapshot.id);
        let rescued = snapshot.rescue(self.clock.now()).map_err(Error::conflict)?;
        let table = self.service.table.because(reason);
        let written = table.update_snapshot(snapshot, &rescued).await?;
        Ok(if written.is_done() { Reaped::Rescued } else { Reaped::Later })
    }
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
