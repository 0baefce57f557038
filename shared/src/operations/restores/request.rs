//! A person, or a schedule that is to be drilled, asks for a restore: what can be checked is checked, the intent is recorded, then made known.

use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
use crate::domain::instance::Instance;
use crate::domain::restore::mode::RestoreMode;
use crate::domain::restore::plan::{Plan, SnapshotFirst, plan, steps};
use crate::domain::restore::refusal::Refusal;
use crate::domain::restore::room::{in_the_way, refuse_shared};
use crate::domain::restore::step::Step;
use crate::domain::restore::wanted::{Attach, WantedMode, WantedRestore};
use crate::domain::restore::{Before, Course, Made};
use crate::domain::restore::{Restore, RestoreStatus};
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::events::{JobDue, OwnEvent};
use crate::operations::rewrite::until_written;
use crate::service::Service;
use crate::table::restores::Restoring;

/// A restore that is wanted.
#[derive(Clone, Debug)]
pub struct NewRestore {
    /// Chosen by the caller, so that asking twice makes one.
    pub id: RestoreId,
    pub snapshot_id: SnapshotId,
    /// What the caller takes the snapshot for: its name or identifier.
    pub confirm: String,
    pub who: String,
    pub wanted: WantedRestore,
    /// The instance that new volumes are attached to.
    pub attach_to: Option<InstanceId>,
    /// Whether a snapshot of the instance is taken first; if nothing is said, wherever volumes are replaced.
    pub snapshot_first: Option<SnapshotFirst>,
    /// For how many days the old volumes are to be kept.
    pub keep_old_days: u32,
    /// The due time of the schedule's drill that it is; none if a person asks for it.
    pub drill_due: Option<Timestamp>,
}

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
        let instance = subject(service, new, &snapshot).await?;
        let plan = plan(&snapshot, &new.wanted, instance.as_ref()).map_err(refused)?;
        of_one_instance(service, &plan, instance.as_ref()).await?;
        let restore = intent(&snapshot, new, plan, now)?;
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

/// The instance that is changed, or attached to, as EC2 shows it.
async fn subject(
    service: &Service,
    new: &NewRestore,
    snapshot: &Snapshot,
) -> Result<Option<Instance>, Error> {
    let ec2 = service.ec2_in(&snapshot.source.region)?;
    let id = match (&new.wanted.mode, &new.attach_to) {
        (WantedMode::NewVolumes { attach: Attach::Yes }, Some(id)) => id,
        (WantedMode::ReplaceVolumes { .. } | WantedMode::ReplaceRoot, _) => {
            &snapshot.source.instance_id
        }
        _ => return Ok(None),
    };
    Ok(ec2.instances(std::slice::from_ref(id)).await?.remove(id))
}

/// Refuses to replace volumes that, with Multi-Attach, another instance uses too.
async fn of_one_instance(
    service: &Service,
    plan: &Plan,
    instance: Option<&Instance>,
) -> Result<(), Error> {
    let (RestoreMode::ReplaceVolumes { .. }, Some(instance)) = (&plan.mode, instance) else {
        return Ok(());
    };
    let old = in_the_way(&plan.volumes, instance).into_iter().map(|volume| volume.volume_id);
    let ec2 = service.ec2_in(&instance.region)?;
    let seen = ec2.seen_volumes(&old.collect::<Vec<_>>()).await?;
    refuse_shared(&plan.volumes, instance, &seen).map_err(refused)
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Field(field, reason) => Error::invalid(field, reason),
        Refusal::State(reason) => Error::conflict(reason),
    }
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
    plan: Plan,
    now: Timestamp,
) -> Result<Restore, Error> {
    let Plan { mode, zone, volumes } = plan;
    let is_in_place =
        matches!(mode, RestoreMode::ReplaceVolumes { .. } | RestoreMode::ReplaceRoot { .. });
    let by_default = if is_in_place { SnapshotFirst::Yes } else { SnapshotFirst::No };
    let first = new.snapshot_first.unwrap_or(by_default);
    if first == SnapshotFirst::Yes && !is_in_place {
        let reason = "is for replace_volumes and replace_root only: nothing is replaced by this";
        return Err(Error::invalid("snapshot_first", reason));
    }
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
        course: Course {
            cancelled_by: None,
            asked_at: None,
            failure: None,
            trouble: None,
            lease: None,
            attention_at: Some(now),
            finished_at: None,
        },
        made: Made {
            volumes,
            is_in_use: false,
            creating_at: None,
            attempt: 0,
            task_id: None,
            image_id: None,
            new_instance_id: None,
        },
        before: Before {
            old_volumes: None,
            old_volumes_expire_at: None,
            keep_old_days: new.keep_old_days,
            snapshot_first: None,
            was_running: None,
        },
    };
    Ok(match first {
        SnapshotFirst::Yes => restore.with_snapshot_first(),
        SnapshotFirst::No => restore,
    })
}
