//! A person deletes a snapshot by name: it is condemned, marked, and goes at once unless a grace is asked for.

use jiff::{SignedDuration, Timestamp};
use tracing::info;

use crate::domain::hold::Deleter;
use crate::domain::ids::{EbsSnapshotId, ImageId, SnapshotId};
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::events::{OwnEvent, SnapshotDeletionDue};
use crate::operations::copies::cancel::cancellable;
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

/// Condemns the snapshot and makes known that it is due. Asked again, what was put off or blocked is tried at once, and
/// the shorter grace holds; else that does nothing more. A hold `until`, an image that uses a member, or a copy that has
/// begun is [`Error::Conflict`]; copies that have not begun are cancelled.
pub async fn delete(
    service: &Service,
    request: DeleteRequest,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let DeleteRequest { id, who, grace, expected_version } = request;
    let snapshot = expected(service, &id, expected_version).await?;
    let delete_after =
        now.checked_add(grace).map_err(|_| Error::invalid("grace", "is too long"))?;
    if is_on_its_way(&snapshot) {
        return hurry(service, snapshot, delete_after, now).await;
    }
    let ec2 = service.ec2_in(&snapshot.source.region)?;
    let members: Vec<_> =
        snapshot.living_members().map(|member| member.ebs_snapshot_id.clone()).collect();
    if let Some((member, images)) = ec2.images_of(&members).await?.into_iter().next() {
        return Err(in_use_refusal(&member, &images));
    }
    let copies = cancellable(service, &snapshot, now).await?;
    let by = CondemnedBy::Person { who: who.clone() };
    let condemned = copies.free.condemn(by, "deleted by name", delete_after, now);
    let condemned = condemned.map_err(Error::conflict)?;
    copies.carry_out(service, &who, now).await?;
    if !service.table.update_snapshot(&snapshot, &condemned).await?.is_done() {
        return Err(stale(&snapshot));
    }
    info!(snapshot.id = %id, "Snapshot {id} is condemned by a person");
    if mark_sets(service, std::slice::from_ref(&condemned), now).await == Marked::NotAll {
        // The sweep tries again, and then the tick makes it known. The record says by now what EC2 has against it.
        let noted = service.table.snapshot(&id).await?;
        return Ok(noted.unwrap_or(condemned));
    }
    make_due(service, std::slice::from_ref(&condemned), now).await;
    Ok(condemned)
}

/// A person asks again for a deletion that is on its way: nothing waits for a timer any more.
async fn hurry(
    service: &Service,
    snapshot: Snapshot,
    delete_after: Timestamp,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let Some(hurried) = snapshot.hurried(delete_after, now) else { return Ok(snapshot) };
    if !service.table.update_snapshot(&snapshot, &hurried).await?.is_done() {
        return Err(stale(&snapshot));
    }
    // What could not be marked may be by now.
    _ = mark_sets(service, std::slice::from_ref(&hurried), now).await;
    make_due(service, std::slice::from_ref(&hurried), now).await;
    Ok(hurried)
}

/// Makes known which of these are due for deletion. What fails here the tick makes known again.
pub(crate) async fn make_due(service: &Service, condemned: &[Snapshot], now: Timestamp) {
    let is_due = |one: &&Snapshot| {
        one.ending.condemnation.as_ref().is_some_and(|past| past.delete_after <= now)
    };
    let snapshot_ids: Vec<_> = condemned.iter().filter(is_due).map(|one| one.id.clone()).collect();
    if !snapshot_ids.is_empty() {
        let detail = SnapshotDeletionDue { snapshot_ids };
        service.bus.publish_or_leave(&[OwnEvent::SnapshotDeletionDue(detail)]).await;
    }
}

/// Why what an image uses cannot be deleted.
pub(crate) fn in_use_refusal<'a>(
    member: &EbsSnapshotId,
    images: impl IntoIterator<Item = &'a ImageId>,
) -> Error {
    let images: Vec<_> = images.into_iter().map(ToString::to_string).collect();
    let them = if images.len() == 1 { "that image" } else { "those images" };
    let images = images.join(", ");
    Error::conflict(format!("{member} is in use by {images}; deregister {them} first"))
}

/// Whether a person has already deleted it, so that asking again changes nothing. What is left of a torn set waits for
/// being asked for again.
pub(crate) fn is_on_its_way(snapshot: &Snapshot) -> bool {
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
    let copies = cancellable(service, &snapshot, now).await?;
    let removed = copies.free.record_removed(now).map_err(Error::conflict)?;
    copies.carry_out(service, &who, now).await?;
    if !service.table.update_snapshot(&snapshot, &removed).await?.is_done() {
        return Err(stale(&snapshot));
    }
    info!(snapshot.id = %id, by = %who, "The record of snapshot {id} is removed; EC2 was not asked");
    Ok(removed)
}
