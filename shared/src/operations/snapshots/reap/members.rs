//! The members of a claimed snapshot are deleted, one after the other.

use std::collections::BTreeSet;

use tracing::info;

use super::{OneDeletion, Reaped, block, is_fresh};
use crate::domain::ids::EbsSnapshotId;
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::snapshot::{Snapshot, Status};
use crate::ec2::Deletion;
use crate::error::{BoxError, Error};

/// Why members of a claimed snapshot are still there.
enum Stopped {
    /// Something is in the way.
    Blocked(BlockedCause),
    /// EC2 has proven that it did nothing, and may do it later.
    NotNow(String),
    /// EC2 may have done it.
    Unknown(BoxError),
}

/// Deletes the members of a claimed snapshot, paced, and records what became of each. The first that is not deleted stops
/// it: if none is gone by then the set is whole and goes back to where it was; else it is torn, or gone on with where EC2
/// only had no time.
pub(super) async fn delete_members(
    deletion: OneDeletion<'_>,
    deleting: &Snapshot,
    seen: &BTreeSet<EbsSnapshotId>,
) -> Result<Reaped, Error> {
    let (service, clock) = (deletion.service, deletion.clock);
    let (gone, stopped) = delete_in_turn(deletion, deleting, seen).await;
    let now = clock.now();
    let is_untouched = gone.is_empty() && deleting.members.iter().all(|member| !member.deleted);
    let recorded = match &stopped {
        Some(Stopped::Blocked(cause)) if is_untouched => {
            let back = Snapshot { status: Status::Condemned, ..deleting.clone() };
            return block(service, &back, cause.clone(), now).await;
        }
        Some(Stopped::NotNow(_)) if is_untouched => deleting.deletion_put_off(now),
        Some(_) | None => deleting.members_deleted(&gone, now),
    };
    let recorded = recorded.map_err(Error::conflict)?;
    if let Some(Stopped::Blocked(cause)) = stopped {
        return deletion.tear(deleting, &recorded, cause).await;
    }
    if !service.table.update_snapshot(deleting, &recorded).await?.is_done() {
        return Ok(Reaped::Later);
    }
    match stopped {
        Some(Stopped::NotNow(message)) => {
            Err(Error::Unavailable { service: "EC2", source: message.into() })
        }
        Some(Stopped::Unknown(source)) => Err(Error::Unavailable { service: "EC2", source }),
        Some(Stopped::Blocked(_)) | None => {
            info!(snapshot.id = %deleting.id, "Snapshot {} is deleted", deleting.id);
            Ok(Reaped::Deleted)
        }
    }
}

/// The members that EC2 shows, in the order in which they are deleted.
pub(super) fn in_turn<'a>(
    snapshot: &'a Snapshot,
    seen: &'a BTreeSet<EbsSnapshotId>,
) -> impl Iterator<Item = &'a EbsSnapshotId> {
    let ids = snapshot.living_members().map(|member| &member.ebs_snapshot_id);
    ids.filter(|id| seen.contains(*id))
}

/// Which members are gone, and what stopped the deletion of the others, if anything has. Those that EC2 does not show have
/// not been shown at two looks ten minutes apart: they are gone already.
async fn delete_in_turn(
    deletion: OneDeletion<'_>,
    deleting: &Snapshot,
    seen: &BTreeSet<EbsSnapshotId>,
) -> (Vec<EbsSnapshotId>, Option<Stopped>) {
    let ids = deleting.living_members().map(|member| &member.ebs_snapshot_id);
    let mut gone: Vec<_> = ids.filter(|id| !seen.contains(*id)).cloned().collect();
    for id in in_turn(deleting, seen) {
        deletion.wait_for_turn().await;
        let answer = deletion.ec2.delete_ebs_snapshot(id).await;
        let stopped = match answer {
            Deletion::Gone => {
                gone.push(id.clone());
                continue;
            }
            Deletion::Blocked(BlockedCause::NotPermitted { message })
                if is_fresh(deleting, deletion.clock.now()) =>
            {
                // IAM does not see the mark yet.
                Stopped::NotNow(message)
            }
            Deletion::Blocked(cause) => Stopped::Blocked(cause),
            Deletion::NotNow(failure) => Stopped::NotNow(failure.message),
            Deletion::Unknown(source) => Stopped::Unknown(source),
        };
        return (gone, Some(stopped));
    }
    (gone, None)
}
