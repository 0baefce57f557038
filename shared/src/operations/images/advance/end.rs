//! The end of an image: deregistered, and then its snapshot deleted if somebody wants that.

use jiff::{SignedDuration, Timestamp};
use tracing::info;

use crate::clock::Clock;
use crate::domain::image::{Image, SnapshotDeletion, SnapshotOutcome};
use crate::domain::snapshot::ABSENCE_UNCERTAIN;
use crate::ec2::{Deregistered, Ec2};
use crate::error::Error;
use crate::operations::images::delete::{NeededBy, needed_by};
use crate::operations::images::note_uses::{ImageChange, note_image};
use crate::operations::snapshots;
use crate::operations::snapshots::delete::DeleteRequest;
use crate::service::Service;

/// How long it is waited for EC2 not to show an image any more that it has deregistered.
const SHOWN_AT_MOST: SignedDuration = SignedDuration::from_mins(15);

/// What is known of the AMI that is to go.
enum FoundAmi {
    /// There is one: its image with it.
    Ami(Box<Image>),
    /// None was made.
    None,
    /// One may have been made that EC2 does not show yet.
    NotSure,
}

/// Deregisters it, the AMI of an attempt without an answer too. Already gone is success.
pub(super) async fn deregister(
    service: &Service,
    image: &Image,
    clock: &Clock,
) -> Result<(), Error> {
    let now = clock.now();
    let ec2 = service.ec2_in(&image.region)?;
    let image = match with_ami(service, ec2, image, now).await? {
        FoundAmi::Ami(image) => image,
        FoundAmi::None => return gone(service, image, clock).await,
        FoundAmi::NotSure => {
            let until = image.certain_at();
            let next = image.deregistration_put_off(None, until, now).map_err(Error::conflict)?;
            _ = service.table.update_image(image, &next, now).await?;
            return Ok(());
        }
    };
    let Some(ami_id) = &image.ami_id else { return Ok(()) };
    let answer = ec2.deregister(ami_id).await;
    let now = clock.now();
    let next = match answer {
        // EC2 may not know yet what it has just made.
        Deregistered::Before if is_new(&image, now) => {
            image.deregistration_put_off(None, None, now)
        }
        Deregistered::Now | Deregistered::Before => return gone(service, &image, clock).await,
        Deregistered::NotNow(failure) => image.deregistration_put_off(Some(failure), None, now),
        Deregistered::Refused(failure) => image.deregistration_refused(failure, now),
        Deregistered::Unknown(source) => {
            return Err(Error::Unavailable { service: "EC2", source });
        }
    };
    _ = service.table.update_image(&image, &next.map_err(Error::conflict)?, now).await?;
    Ok(())
}

/// The image with its AMI, which is looked for by its tag if nobody heard the answer to the attempt. It is recorded
/// before it goes: whoever takes over looks for nothing that is not shown any more.
async fn with_ami(
    service: &Service,
    ec2: &Ec2,
    image: &Image,
    now: Timestamp,
) -> Result<FoundAmi, Error> {
    if image.ami_id.is_some() {
        return Ok(FoundAmi::Ami(Box::new(image.clone())));
    }
    if image.attempt.is_none() {
        return Ok(FoundAmi::None);
    }
    let Some(seen) = ec2.image_tagged(&image.id).await? else {
        return Ok(if image.is_attempt_uncertain(now) {
            FoundAmi::NotSure
        } else {
            FoundAmi::None
        });
    };
    let next = image.registered(seen.id, now).map_err(Error::conflict)?;
    if service.table.update_image(image, &next, now).await?.is_done() {
        Ok(FoundAmi::Ami(Box::new(next)))
    } else {
        Err(Error::Stale { noun: "the image", current: image.version })
    }
}

fn is_new(image: &Image, now: Timestamp) -> bool {
    image.registered_at.is_some_and(|at| now.duration_since(at) < ABSENCE_UNCERTAIN)
}

async fn gone(service: &Service, image: &Image, clock: &Clock) -> Result<(), Error> {
    let now = clock.now();
    let next = image.deregistered(now).map_err(Error::conflict)?;
    if !service.table.update_image(image, &next, now).await?.is_done() {
        // Somebody wants more of it, and has made that known.
        return Ok(());
    }
    info!(image.id = %next.id, "Image {} is deregistered", next.id);
    if let Some(ami_id) = &next.ami_id {
        note_image(service, &next.snapshot_id, ImageChange::Gone(ami_id), now).await;
    }
    look_after_snapshot(service, &next, clock.now()).await
}

/// Deletes the snapshot of an image that is gone, the way a person deletes one by name, if nothing else needs it.
pub(super) async fn look_after_snapshot(
    service: &Service,
    image: &Image,
    now: Timestamp,
) -> Result<(), Error> {
    let (Some(wanted), Some(deregistration)) =
        (image.waiting_deletion(), image.deregistration.as_ref())
    else {
        return Ok(());
    };
    let may_be_shown =
        image.gone_at.is_some_and(|gone_at| now.duration_since(gone_at) < SHOWN_AT_MOST);
    let to = match needed_by(service, image, wanted, now).await? {
        NeededBy::ThisImage if may_be_shown => wanted.clone(),
        NeededBy::Nothing | NeededBy::ThisImage => {
            let request = DeleteRequest {
                id: image.snapshot_id.clone(),
                who: deregistration.by.clone(),
                grace: SignedDuration::ZERO,
                expected_version: None,
            };
            match snapshots::delete(service, request, now).await {
                Ok(_) => SnapshotDeletion {
                    outcome: SnapshotOutcome::Condemned,
                    reason: None,
                    is_named: wanted.is_named,
                },
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => wanted.refused(error.to_string()),
            }
        }
        NeededBy::Other(reason) => wanted.refused(reason),
    };
    let next = image.snapshot_settled(to, now).map_err(Error::conflict)?;
    _ = service.table.update_image(image, &next, now).await?;
    Ok(())
}
