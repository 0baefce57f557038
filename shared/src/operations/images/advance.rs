//! Brings an image a step further: claim, act, record; adopt what a dead run left.
//!
//! `RegisterImage` has no client token. So an attempt is recorded before the call, the call bears our tag and is never
//! repeated by the SDK, and an attempt without an answer is looked for by its tag: absence is believed only five
//! minutes after it. Should it be tried again too early all the same, EC2 refuses a second image of the same name.

mod end;

use jiff::Timestamp;
use tracing::{info, warn};

use self::end::{deregister, look_after_snapshot};
use crate::clock::Clock;
use crate::domain::ids::{ImageId, ImageJobId};
use crate::domain::image::seen::SeenImage;
use crate::domain::image::{Image, ImageStatus};
use crate::domain::run::GIVEN_UP_AFTER;
use crate::domain::snapshot::Failure;
use crate::ec2::RegistrationError;
use crate::error::{Error, chain};
use crate::operations::images::note_uses::{ImageChange, note_image};
use crate::service::Service;

/// Does what is next of an image. Done twice, or at once by two, it does nothing twice. What passes by itself is no
/// error: the record says when the tick has it go on.
pub async fn advance(service: &Service, id: &ImageJobId, clock: &Clock) -> Result<(), Error> {
    let Some(image) = service.table.image(id).await? else {
        warn!(image.id = %id, "There is no image {id}");
        return Ok(());
    };
    let done = match (image.status, &image.ami_id) {
        (ImageStatus::Requested | ImageStatus::Registering, None) => {
            Box::pin(register(service, &image, clock)).await
        }
        (ImageStatus::Requested | ImageStatus::Registering | ImageStatus::Available, _) => {
            look(service, &image, clock.now()).await
        }
        (ImageStatus::Deregistering, _) => deregister(service, &image, clock).await,
        (ImageStatus::Deregistered, _) => look_after_snapshot(service, &image, clock.now()).await,
        (ImageStatus::Failed | ImageStatus::Missing, _) => Ok(()),
    };
    match done {
        // Out of reach, written by another at the same moment, or in a region that is not looked after at present.
        Err(error) if error.is_retryable() || matches!(error, Error::Conflict { .. }) => {
            warn!(image.id = %id, error.chain = %chain(&error), "Image {id} waits for the tick");
            Ok(())
        }
        done => done,
    }
}

async fn register(service: &Service, image: &Image, clock: &Clock) -> Result<(), Error> {
    let now = clock.now();
    let ec2 = service.ec2_in(&image.region)?;
    if image.attempt.is_some() {
        if let Some(seen) = ec2.image_tagged(&image.id).await? {
            return found(service, image, &seen, now).await;
        }
        if image.is_attempt_uncertain(now) && image.status == ImageStatus::Registering {
            return Ok(());
        }
    }
    if let Some(failure) = obstacle(service, image, now).await? {
        return fail(service, image, failure, now).await;
    }
    let Ok(claimed) = image.begin_attempt(now) else { return Ok(()) };
    if !service.table.update_image(image, &claimed, now).await?.is_done() {
        return Ok(());
    }
    let answer = ec2.register_image(&claimed).await;
    let now = clock.now();
    match answer {
        Ok(ami_id) => registered(service, &claimed, ami_id, now).await,
        Err(RegistrationError::NotNow(failure)) => {
            let next = claimed.put_off(failure, now).map_err(Error::conflict)?;
            _ = service.table.update_image(&claimed, &next, now).await?;
            Ok(())
        }
        Err(RegistrationError::NameTaken(failure)) => match ec2.image_named(&image.name).await? {
            Some(seen) if seen.named_job().as_ref() == Some(&image.id) => {
                found(service, &claimed, &seen, now).await
            }
            Some(_) => fail(service, &claimed, failure, now).await,
            // EC2 does not show yet whose name it is.
            None => Ok(()),
        },
        Err(RegistrationError::Refused(failure)) => fail(service, &claimed, failure, now).await,
        Err(RegistrationError::Unknown(source)) => {
            let text = chain(source.as_ref());
            warn!(image.id = %image.id, error.chain = %text, "EC2 did not answer for {}", image.id);
            Ok(())
        }
    }
}

/// Why the image cannot be registered any more. The snapshot is looked at as it is at this moment: since the image was
/// asked for it may have been condemned, or its window may be over.
async fn obstacle(
    service: &Service,
    image: &Image,
    now: Timestamp,
) -> Result<Option<Failure>, Error> {
    if now.duration_since(image.created_at) >= GIVEN_UP_AFTER {
        let last = image.failure.as_ref().map(|failure| failure.message.as_str());
        let last = last.unwrap_or("EC2 did not answer");
        let message = format!("not registered within 24 hours; the last attempt: {last}");
        return Ok(Some(Failure::new("GivenUp", message)));
    }
    let Some(snapshot) = service.table.snapshot(&image.snapshot_id).await? else {
        let message = format!("there is no snapshot {} any more", image.snapshot_id);
        return Ok(Some(Failure::new("SnapshotNotFound", message)));
    };
    let refusal = image.recipe.still_fits(&snapshot, now).err();
    Ok(refusal.map(|refusal| Failure::new("SnapshotNotUsable", refusal.to_string())))
}

async fn fail(
    service: &Service,
    image: &Image,
    failure: Failure,
    now: Timestamp,
) -> Result<(), Error> {
    warn!(image.id = %image.id, "Image {} fails: {}", image.id, failure.message);
    let Ok(failed) = image.fail(failure) else { return Ok(()) };
    _ = service.table.update_image(image, &failed, now).await?;
    Ok(())
}

/// Records the answer, and looks whether the image is usable already: mostly it is.
async fn registered(
    service: &Service,
    claimed: &Image,
    ami_id: ImageId,
    now: Timestamp,
) -> Result<(), Error> {
    let next = claimed.registered(ami_id.clone(), now).map_err(Error::conflict)?;
    // Not as it was claimed: somebody wants it deregistered, and whoever does that finds it by its tag.
    if service.table.update_image(claimed, &next, now).await?.is_done() {
        info!(image.id = %next.id, "Image {} is registered as {ami_id}", next.id);
        note_image(service, &next.snapshot_id, ImageChange::Made(&ami_id), now).await;
        look(service, &next, now).await?;
    }
    Ok(())
}

/// An earlier attempt has made it, although nobody heard of it.
async fn found(
    service: &Service,
    image: &Image,
    seen: &SeenImage,
    now: Timestamp,
) -> Result<(), Error> {
    info!(image.id = %image.id, "Image {} is found in EC2 as {}", image.id, seen.id);
    let Ok(next) = image.registered(seen.id.clone(), now) else { return Ok(()) };
    let next = next.observed(Some(seen), now).unwrap_or(next);
    let next = Image { version: image.version + 1, ..next };
    if service.table.update_image(image, &next, now).await?.is_done() {
        note_image(service, &next.snapshot_id, ImageChange::Made(&seen.id), now).await;
    }
    Ok(())
}

/// Records how EC2 says that it stands.
async fn look(service: &Service, image: &Image, now: Timestamp) -> Result<(), Error> {
    let Some(ami_id) = &image.ami_id else { return Ok(()) };
    let seen = service.ec2_in(&image.region)?.image(ami_id).await?;
    let Ok(next) = image.observed(seen.as_ref(), now) else { return Ok(()) };
    if !service.table.update_image(image, &next, now).await?.is_done() {
        // Somebody knows better.
        return Ok(());
    }
    if next.status != image.status {
        info!(image.id = %next.id, "Image {} is {}", next.id, next.status);
    }
    if next.status == ImageStatus::Missing {
        note_image(service, &next.snapshot_id, ImageChange::Gone(ami_id), now).await;
    }
    Ok(())
}
