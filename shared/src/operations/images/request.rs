//! A person asks for an image of a snapshot: the intent is recorded, then made known.

use jiff::Timestamp;
use tracing::info;

use crate::domain::ids::{ImageJobId, SnapshotId};
use crate::domain::image::Image;
use crate::domain::image::recipe::{Given, Recipe, Unregistrable};
use crate::domain::image::transitions::WantedImage;
use crate::error::Error;
use crate::events::{JobDue, OwnEvent};
use crate::service::Service;

/// Records that the image is wanted and makes it known. Asked again under the same id, it answers what there is.
///
/// A snapshot of which no image can be registered is [`Error::Conflict`], with the field by which what is missing can
/// be given; one whose restore window is over is [`Error::Gone`]. A name that another image of the account has is
/// [`Error::Conflict`] too. Whether EC2 takes its letters the caller has checked.
pub async fn request(
    service: &Service,
    snapshot_id: &SnapshotId,
    wanted: WantedImage,
    given: &Given,
    now: Timestamp,
) -> Result<Image, Error> {
    if let Some(existing) = service.table.image(&wanted.id).await? {
        return Ok(existing);
    }
    let snapshot = service.table.snapshot(snapshot_id).await?;
    let snapshot = snapshot.ok_or_else(|| Error::not_found("snapshot", snapshot_id))?;
    let recipe = Recipe::of(&snapshot, given, now).map_err(|reason| refused(&reason))?;
    let ec2 = service.ec2_in(&snapshot.source.region)?;
    if let Some(name) = &wanted.name
        && let Some(other) = ec2.image_named(name).await?
    {
        return Err(Error::conflict(format!(
            "the name {name} is taken by {}; names of images are unique in an account and region",
            other.id
        )));
    }
    let image = Image::requested(wanted, &snapshot, recipe, now);
    if !service.table.insert_image(&image, now).await?.is_done() {
        let existing = service.table.image(&image.id).await?;
        return existing.ok_or_else(|| Error::not_found("image", &image.id));
    }
    info!(image.id = %image.id, "Image {} of {} is requested", image.id, image.snapshot_id);
    make_known(service, &image.id).await;
    Ok(image)
}

/// Has the image brought a step further now; if that cannot be made known, the tick does it later.
pub(crate) async fn make_known(service: &Service, id: &ImageJobId) {
    let event = OwnEvent::JobDue(JobDue::Image(id.clone()));
    service.bus.publish_or_leave(&[event]).await;
}

fn refused(reason: &Unregistrable) -> Error {
    let text = reason.to_string();
    match reason {
        Unregistrable::WindowOver(_) => Error::gone(text),
        Unregistrable::NotAvailable(_)
        | Unregistrable::NotShown
        | Unregistrable::Archived
        | Unregistrable::Changed(_)
        | Unregistrable::Licensed(_)
        | Unregistrable::NotHvm(_)
        | Unregistrable::NoBootVolume(_)
        | Unregistrable::NotRecorded { .. }
        | Unregistrable::Contradicts { .. }
        | Unregistrable::TwiceAt(_)
        | Unregistrable::UnknownVolume(_)
        | Unregistrable::CannotBoot(_) => Error::conflict(text),
        Unregistrable::NoDevice { field, reason } => Error::invalid(*field, reason.as_str()),
    }
}
