//! A person deletes a snapshot by name: it is condemned, marked, and goes at once unless a grace is asked for.

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::domain::hold::Deleter;
use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
use crate::events::{OwnEvent, SnapshotDeletionDue};
use crate::operations::snapshots::edit::expected;
use crate::operations::snapshots::mark::{Marked, mark_sets};
use crate::operations::snapshots::refresh::stale;
use crate::service::Service;

/// A deletion that a person asks for.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    pub id: SnapshotId,
    pub who: String,
    /// How long it can be rescued.
    pub grace: SignedDuration,
    /// The version they expect.
    pub expected_version: Option<u64>,
}

/// Condemns the snapshot and makes known that it is due. Repeated, it does nothing more. A hold `until`, or an
/// image that uses a member, is [`Error::Conflict`].
pub async fn delete(
    service: &Service,
    request: DeleteRequest,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let DeleteRequest { id, who, grace, expected_version } = request;
    let snapshot = expected(service, &id, expected_version).await?;
    if is_on_its_way(&snapshot) {
        return Ok(snapshot);
    }
    let ec2 = service.ec2_in(&snapshot.source.region)?;
    let members: Vec<_> =
        snapshot.living_members().map(|member| member.ebs_snapshot_id.clone()).collect();
    if let Some((member, image)) = ec2.images_of(&members).await?.into_iter().next() {
        return Err(Error::conflict(format!(
            "{member} is in use by {image}; deregister that image first"
        )));
    }
    let delete_after =
        now.checked_add(grace).map_err(|_| Error::invalid("grace", "is too long"))?;
    let condemned = snapshot
        .condemn(CondemnedBy::Person { who }, "deleted by name", delete_after, now)
        .map_err(Error::conflict)?;
    if !service.table.update_snapshot(&snapshot, &condemned).await?.is_done() {
        return Err(stale(&snapshot));
    }
    info!(snapshot.id = %id, "Snapshot {id} is condemned by a person");
    if mark_sets(service, std::slice::from_ref(&condemned), now).await == Marked::NotAll {
        // The sweep tries again, and then the tick makes it known. The record says by now what EC2 has against it.
        let noted = service.table.snapshot(&id).await?;
        return Ok(noted.unwrap_or(condemned));
    }
    if let Err(error) = make_due(service, &condemned, now).await {
        // The record stands: the tick makes it known again.
        warn!(snapshot.id = %id, error.chain = %chain(&error), "The deletion of {id} waits for the tick");
    }
    Ok(condemned)
}

async fn make_due(service: &Service, condemned: &Snapshot, now: Timestamp) -> Result<(), Error> {
    let is_due = condemned.ending.condemnation.as_ref().is_some_and(|one| one.delete_after <= now);
    if is_due {
        let detail = SnapshotDeletionDue { snapshot_ids: vec![condemned.id.clone()] };
        service.bus.publish_or_leave(&[OwnEvent::SnapshotDeletionDue(detail)]).await;
    }
    Ok(())
}

/// Whether a person has already deleted it, so that asking again changes nothing. What is left of a torn set waits for
/// being asked for again.
fn is_on_its_way(snapshot: &Snapshot) -> bool {
    let by_person = || {
        let past = snapshot.ending.condemnation.as_ref();
        past.is_some_and(|past| past.by.deleter() == Deleter::Person)
    };
    match snapshot.status {
        Status::Deleting => !snapshot.is_given_up_torn(),
        Status::Deleted => true,
        Status::Condemned => by_person(),
        Status::Requested
        | Status::Creating
        | Status::Pending
        | Status::Available
        | Status::Error
        | Status::Missing => false,
    }
}

/// Removes the record only: what EC2 still has stays there, and is no longer looked after.
pub async fn remove_record(
    service: &Service,
    request: DeleteRequest,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let DeleteRequest { id, who, expected_version, .. } = request;
    let snapshot = expected(service, &id, expected_version).await?;
    if snapshot.status == Status::Deleted {
        return Ok(snapshot);
    }
    if let Some(hold) =
        snapshot.keepers.hold.as_ref().filter(|hold| hold.forbids(Deleter::Person, now))
    {
        return Err(Error::conflict(format!(
            "the snapshot is {}; remove the hold first",
            hold.describe()
        )));
    }
    let removed = snapshot.record_removed(now).map_err(Error::conflict)?;
    if !service.table.update_snapshot(&snapshot, &removed).await?.is_done() {
        return Err(stale(&snapshot));
    }
    info!(snapshot.id = %id, by = %who, "The record of snapshot {id} is removed; EC2 was not asked");
    Ok(removed)
}
