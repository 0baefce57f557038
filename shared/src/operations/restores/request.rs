//! A person, or a schedule that is to be drilled, asks for a restore: what can be checked is checked, the intent is recorded, then made known.

use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
use crate::domain::restore::outlook::{Outlook, Sight};
use crate::domain::restore::plan::{Plan, SnapshotFirst, steps};
use crate::domain::restore::step::Step;
use crate::domain::restore::wanted::WantedRestore;
use crate::domain::restore::{Before, Course, Made};
use crate::domain::restore::{Restore, RestoreStatus};
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::events::{JobDue, OwnEvent};
pub use crate::operations::restores::consider::NewRestore;
use crate::operations::restores::consider::{Considered, consider};
use crate::operations::rewrite::until_written;
use crate::service::Service;
use crate::table::restores::Restoring;

/// Records that the restore is wanted and makes it known. Asked again under the same id, it answers what there is.
///
/// A snapshot that is past its restore window is [`Error::Gone`]; one that is not available, an instance that is gone or
/// that another restore has to itself, [`Error::Conflict`].
pub async fn request(service: &Service, new: NewRestore, now: Timestamp) -> Result<Restore, Error> {
    if let Some(existing) = service.table.restore(&new.id).await? {
        return Ok(existing);
    }
    let new = &new;
    let requested = until_written(|| async move {
        let snapshot = restorable(service, new, now).await?;
        let considered = consider(service, new, &snapshot).await?;
        let restore = intent(&snapshot, new, considered, now)?;
        let lock = free(service, &restore).await?;
        let noted = snapshot.restore_begun(&restore.id).map_err(Error::conflict)?;
        let both = (&snapshot, &noted);
        if service.table.insert_restore(&restore, both, lock.as_ref()).await?.is_done() {
            let id = &restore.id;
            info!(restore.id = %id, snapshot.id = %snapshot.id, "Restore {id} of {} is requested", snapshot.id);
            make_known(service, id).await;
            return Ok(Some(restore));
        }
        service.table.restore(&new.id).await
    });
    if let Some(restore) = requested.await? {
        return Ok(restore);
    }
    Err(Error::conflict(
        "the snapshot, or what is restored of its instance, changes all the time; try again",
    ))
}

/// The restore as [`request`] would record it now, or the same refusal. Nothing is written.
pub async fn preview(
    service: &Service,
    new: &NewRestore,
    now: Timestamp,
) -> Result<Restore, Error> {
    let snapshot = restorable(service, new, now).await?;
    let considered = consider(service, new, &snapshot).await?;
    let restore = intent(&snapshot, new, considered, now)?;
    free(service, &restore).await?;
    snapshot.restore_begun(&restore.id).map_err(Error::conflict)?;
    Ok(restore)
}

/// Tells the restorer that a restore has something to do; if that fails, the tick does.
pub(crate) async fn make_known(service: &Service, id: &RestoreId) {
    let event = OwnEvent::JobDue(JobDue::Restore(id.clone()));
    service.bus.publish_or_leave(&[event]).await;
}

async fn restorable(
    service: &Service,
    new: &NewRestore,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    let id = &new.snapshot_id;
    let snapshot =
        service.table.snapshot(id).await?.ok_or_else(|| Error::not_found("snapshot", id))?;
    if new.confirm != snapshot.name && new.confirm != id.as_str() {
        let reason =
            format!("must be the name of the snapshot that is to be restored, or its id, {id}");
        return Err(Error::invalid("confirm", reason));
    }
    if let Some(end) = snapshot.ending.restore_until.filter(|end| now >= *end) {
        let reason =
            format!("the snapshot could be restored until {end}; its restore window is over");
        return Err(Error::Gone { reason });
    }
    if snapshot.status != Status::Available {
        let status = snapshot.status;
        return Err(Error::conflict(format!(
            "the snapshot is {status}; only what is available can be restored"
        )));
    }
    if let Some(since) = snapshot.course.absent_since {
        return Err(Error::conflict(format!(
            "EC2 has not shown all of the snapshot since {since}; try again later"
        )));
    }
    if snapshot.is_archived() {
        return Err(Error::conflict(
            "a member of the snapshot is in EC2's archive; have it restored from there first, which takes up to three days",
        ));
    }
    Ok(snapshot)
}

/// The record by which the instance is taken, which nobody else has.
async fn free(service: &Service, restore: &Restore) -> Result<Option<Restoring>, Error> {
    let Some(target) = restore.mode.target() else { return Ok(None) };
    let lock = service.table.restoring(target).await?;
    match &lock.restore_id {
        Some(other) => Err(Error::conflict(format!(
            "{target} is held by the restore {other}, which is not over; wait for its end, or retry or cancel it \
             if it has failed"
        ))),
        None => Ok(Some(lock)),
    }
}

fn intent(
    snapshot: &Snapshot,
    new: &NewRestore,
    considered: Considered,
    now: Timestamp,
) -> Result<Restore, Error> {
    let Considered { plan, instance, old_volumes, instance_store_gb } = considered;
    let Plan { mode, zone, volumes } = plan;
    let is_in_place = mode.is_in_place();
    let by_default = if is_in_place { SnapshotFirst::Yes } else { SnapshotFirst::No };
    let first = new.snapshot_first.unwrap_or(by_default);
    if first == SnapshotFirst::Yes && !is_in_place {
        let reason = "is for replace_volumes and replace_root only: nothing is replaced by this";
        return Err(Error::invalid("snapshot_first", reason));
    }
    let outlook = Outlook::of(Sight {
        snapshot,
        mode: &mode,
        volumes: &volumes,
        instance: instance.as_ref(),
        instance_store_gb,
        first,
    });
    let restore = Restore {
        id: new.id.clone(),
        version: 1,
        snapshot_id: snapshot.id.clone(),
        snapshot_name: snapshot.name.clone(),
        schedule_id: snapshot.schedule_id().cloned(),
        instance_id: snapshot.source.instance_id.clone(),
        instance_name: snapshot.source.instance_name.clone(),
        region: snapshot.source.region.clone(),
        zone,
        steps: steps(&mode, first).into_iter().map(Step::new).collect(),
        mode,
        requested_by: new.who.clone(),
        drill_due: new.drill_due,
        created_at: now,
        status: RestoreStatus::Requested,
        undo: Vec::new(),
        notes: Vec::new(),
        outlook,
        course: Course { attention_at: Some(now), ..Course::default() },
        made: Made { volumes, ..Made::default() },
        before: Before {
            old_volumes: is_in_place.then_some(old_volumes),
            keep_old_days: new.keep_old_days,
            ..Before::default()
        },
    };
    Ok(match first {
        SnapshotFirst::Yes => restore.with_snapshot_first(),
        SnapshotFirst::No => restore,
    })
}
