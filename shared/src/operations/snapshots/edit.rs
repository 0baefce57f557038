//! A person edits a snapshot's record: name, description, hold, expiry, tags.
//!
//! The EBS snapshots keep the tags they were made with: no function may tag them later, lest a stolen role make
//! others' snapshots ours.

use jiff::Timestamp;

use crate::domain::hold::{Hold, HoldKind};
use crate::domain::ids::{ScheduleId, SnapshotId};
use crate::domain::snapshot::{Course, Ending, Keepers};
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::tags::Tags;
use crate::error::Error;
use crate::operations::snapshots::refresh::stale;
use crate::service::Service;

/// What is to change; what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct SnapshotEdit {
    /// Display name.
    pub name: Option<String>,
    /// Description, or none any more.
    pub description: Option<Option<String>>,
    /// Hold, or none any more.
    pub hold: Option<Option<HoldEdit>>,
    /// Expiry, or none any more.
    pub expires_at: Option<Option<Timestamp>>,
    /// End of the restore window, or none any more.
    pub restore_until: Option<Option<Timestamp>>,
    pub tags: Option<Tags>,
    /// The schedule whose rules it is to go by; only where its own was deleted.
    pub schedule_id: Option<ScheduleId>,
}

/// A hold that is to be placed.
#[derive(Clone, Debug)]
pub struct HoldEdit {
    /// How far it goes.
    pub kind: HoldKind,
    pub reason: Option<String>,
    /// When somebody should look whether it is still wanted.
    pub review_at: Option<Timestamp>,
}

/// Who edits, and what they have read.
#[derive(Clone, Copy, Debug)]
pub struct Editor<'a> {
    pub who: &'a str,
    /// The version they expect.
    pub expected_version: Option<u64>,
}

/// Changes the record. Repeated, it answers the same.
pub async fn edit(
    service: &Service,
    id: &SnapshotId,
    edit: SnapshotEdit,
    editor: Editor<'_>,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let snapshot = expected(service, id, editor.expected_version).await?;
    let Some(edited) = after(service, &snapshot, edit, editor.who, now).await? else {
        return Ok(snapshot);
    };
    let written = service.table.update_snapshot(&snapshot, &edited).await?;
    if written.is_done() { Ok(edited) } else { Err(stale(&snapshot)) }
}

/// The record as an edit leaves it, to be written; none if that changes nothing. Refused is what may not be: an end where a
/// schedule decides, above all.
pub(crate) async fn after(
    service: &Service,
    snapshot: &Snapshot,
    edit: SnapshotEdit,
    who: &str,
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let decided = decided(service, snapshot, &edit, now).await?;
    let edited = edited(&decided, edit, who, now)?;
    if edited == *snapshot {
        return Ok(None);
    }
    let mut next = Snapshot { version: snapshot.version + 1, ..edited };
    next.course.touched_at = now;
    Ok(Some(next))
}

/// The snapshot of this id, if it has the version that the caller expects.
pub(crate) async fn expected(
    service: &Service,
    id: &SnapshotId,
    version: Option<u64>,
) -> Result<Snapshot, Error> {
    let found = service.table.snapshot(id).await?;
    let snapshot = found.ok_or_else(|| Error::not_found("snapshot", id))?;
    match version {
        Some(version) if version != snapshot.version => Err(stale(&snapshot)),
        Some(_) | None => Ok(snapshot),
    }
}

/// The snapshot with the schedule that it is given, if it is. Whether it may have another, or an end of its own, depends on
/// whether its own schedule is there.
async fn decided(
    service: &Service,
    snapshot: &Snapshot,
    edit: &SnapshotEdit,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let wants_end = matches!(edit.expires_at, Some(Some(_)));
    if let (true, Some(_)) = (wants_end, &edit.schedule_id) {
        let reason = "does not go with schedule_id: a schedule's rules decide";
        return Err(Error::invalid("expires_at", reason));
    }
    let wanted = edit.schedule_id.as_ref().filter(|id| snapshot.schedule_id() != Some(*id));
    if !wants_end && wanted.is_none() {
        return Ok(snapshot.clone());
    }
    if let Some(own) = snapshot.schedule_id()
        && service.table.schedule(own).await?.is_some()
    {
        return Err(Error::conflict(format!(
            "how long it is kept is up to the rules of {own}; to keep it longer, place a hold"
        )));
    }
    let Some(wanted) = wanted else { return Ok(snapshot.clone()) };
    must_be_there(service, wanted).await?;
    snapshot.given_to(wanted, now).map_err(Error::conflict)
}

/// Refuses a schedule that there is not: what is given to it would be kept for good.
pub(crate) async fn must_be_there(service: &Service, id: &ScheduleId) -> Result<(), Error> {
    match service.table.schedule(id).await? {
        Some(_) => Ok(()),
        None => Err(Error::invalid("schedule_id", format!("there is no schedule {id}"))),
    }
}

/// The record with an edit made to it, or why it cannot be made.
fn edited(
    snapshot: &Snapshot,
    edit: SnapshotEdit,
    who: &str,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let SnapshotEdit {
        name,
        description,
        hold,
        expires_at,
        restore_until,
        tags,
        schedule_id: _decided_before,
    } = edit;
    if hold.is_some() || expires_at.is_some() {
        may_be_kept(snapshot)?;
    }
    let hold = match hold {
        None => snapshot.keepers.hold.clone(),
        Some(None) => None,
        Some(Some(wanted)) => Some(placed(snapshot.keepers.hold.as_ref(), wanted, who, now)?),
    };
    let may_go_on = hold != snapshot.keepers.hold && snapshot.status == Status::Condemned;
    let delete_after = snapshot.ending.condemnation.as_ref().map(|one| one.delete_after.max(now));
    Ok(Snapshot {
        name: name.unwrap_or_else(|| snapshot.name.clone()),
        description: description.unwrap_or_else(|| snapshot.description.clone()),
        tags: tags.unwrap_or_else(|| snapshot.tags.clone()),
        course: Course {
            // Blocked by a hold that is no more, it would else wait for that hold's end.
            attention_at: if may_go_on { delete_after } else { snapshot.course.attention_at },
            ..snapshot.course.clone()
        },
        ending: Ending {
            blocked: snapshot.ending.blocked.clone().filter(|_| !may_go_on),
            expires_at: expires_at.unwrap_or(snapshot.ending.expires_at),
            restore_until: restore_until.unwrap_or(snapshot.ending.restore_until),
            ..snapshot.ending.clone()
        },
        keepers: Keepers { hold, ..snapshot.keepers.clone() },
        ..snapshot.clone()
    })
}

/// The hold as it is now; the very same again keeps who placed it first and when.
fn placed(old: Option<&Hold>, wanted: HoldEdit, who: &str, now: Timestamp) -> Result<Hold, Error> {
    let HoldEdit { kind, reason, review_at } = wanted;
    if let HoldKind::Until(until) = kind
        && until <= now
    {
        return Err(Error::invalid("hold.until", format!("{until} is past; it must lie ahead")));
    }
    let is_same =
        |old: &&Hold| old.kind == kind && old.reason == reason && old.review_at == review_at;
    if let Some(old) = old.filter(is_same) {
        return Ok(old.clone());
    }
    if let Some(at) = review_at.filter(|at| *at <= now) {
        return Err(Error::invalid("hold.review_at", format!("{at} is past; it must lie ahead")));
    }
    Ok(Hold { kind, by: who.to_owned(), at: now, reason, review_at })
}

fn may_be_kept(snapshot: &Snapshot) -> Result<(), Error> {
    match snapshot.status {
        Status::Deleting | Status::Deleted | Status::Missing => Err(Error::conflict(format!(
            "the snapshot is {}; it is too late to keep it",
            snapshot.status
        ))),
        Status::Requested
        | Status::Creating
        | Status::Pending
        | Status::Available
        | Status::Error
        | Status::Condemned => Ok(()),
    }
}
