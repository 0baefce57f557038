//! `DeleteSnapshot`, and what stands in its way.

use super::{ActionContext, Reply, describe_snapshots::find, done, fast_restores};
use crate::{
    errors::Ec2Error,
    request::Params,
    state::snapshot::{Deletion, LockState, Snapshot, SnapshotState},
};

/// `DeleteSnapshot`
pub(crate) fn delete(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    let snapshot = find(context, id)?.clone();
    check_unlocked(context, &snapshot)?;
    check_unused(context, id)?;
    check_not_fast(context, &snapshot)?;
    check_not_backups(&snapshot)?;
    delete_now_or_at_completion(context, &snapshot);
    Ok(done())
}

/// A snapshot that is pending goes when it is complete, any other at once.
pub(crate) fn delete_now_or_at_completion(context: &mut ActionContext<'_>, snapshot: &Snapshot) {
    match snapshot.state {
        SnapshotState::Pending => context.region.snapshots.note(&snapshot.id, |snapshot| {
            snapshot.deletion = Deletion::AtCompletion;
        }),
        SnapshotState::Completed | SnapshotState::Error => {
            context.region.remove_snapshot(&snapshot.id, context.moment);
        }
    }
}

/// Refuses when a lock that has not expired is on the snapshot.
pub(crate) fn check_unlocked(
    context: &ActionContext<'_>,
    snapshot: &Snapshot,
) -> Result<(), Ec2Error> {
    match snapshot.lock.as_ref().map(|lock| lock.state(context.moment.now)) {
        None | Some(LockState::Expired) => Ok(()),
        Some(LockState::Governance | LockState::Compliance | LockState::ComplianceCoolOff) => {
            Err(Ec2Error::new(
                "SnapshotLocked",
                format!("The snapshot {} is locked and can't be deleted.", snapshot.id),
            ))
        }
    }
}

/// Refuses when images, disabled or not, are made of the snapshot.
pub(crate) fn check_unused(context: &ActionContext<'_>, id: &str) -> Result<(), Ec2Error> {
    let images = context.region.images.current().filter(|image| image.uses(id));
    let images: Vec<&str> = images.map(|image| image.id.as_str()).collect();
    if images.is_empty() {
        return Ok(());
    }
    Err(Ec2Error::new(
        "InvalidSnapshot.InUse",
        format!("The snapshot {id} is currently in use by {}", images.join(", ")),
    ))
}

/// Refuses what AWS Backup has made, as recorded in <https://github.com/cloud-custodian/cloud-custodian/issues/9459>.
fn check_not_backups(snapshot: &Snapshot) -> Result<(), Ec2Error> {
    if !snapshot.tags.keys().any(|key| key.starts_with("aws:backup:")) {
        return Ok(());
    }
    Err(Ec2Error::invalid_parameter(
        "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. If you wish to delete this \
         snapshot, please do so via the Backup console.",
    ))
}

/// Refuses when the snapshot is enabled for fast restores anywhere, as recorded in
/// <https://github.com/rebuy-de/aws-nuke/issues/453>.
fn check_not_fast(context: &ActionContext<'_>, snapshot: &Snapshot) -> Result<(), Ec2Error> {
    let zones: Vec<&str> = fast_restores::zones_on(snapshot, context.moment.now).collect();
    if zones.is_empty() {
        return Ok(());
    }
    Err(Ec2Error::new(
        "InvalidSnapshot.InUse",
        format!(
            "The snapshot {} is currently enabled for fast restores in {}. Fast snapshot restores \
             must be disabled within all Availability Zones before the snapshot may be deleted.",
            snapshot.id,
            zones.join(", ")
        ),
    ))
}
