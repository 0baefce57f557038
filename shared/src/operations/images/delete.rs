//! A person wants an image deregistered, and perhaps the snapshot it was made from deleted.

use jiff::Timestamp;
use tracing::info;

use crate::domain::cursor::Order;
use crate::domain::hold::Deleter;
use crate::domain::ids::{ImageJobId, SnapshotId};
use crate::domain::image::{Image, SnapshotDeletion};
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::operations::images::request::make_known;
use crate::operations::snapshots::newest::guardians;
use crate::service::Service;
use crate::table::snapshots::Slice;

/// How many images of an instance are looked at for one that is on its way from the same snapshot.
const LOOKED_AT_MAX: usize = 1_000;

/// A deregistration that a person asks for.
#[derive(Clone, Debug)]
pub struct DeleteImage {
    pub id: ImageJobId,
    pub who: String,
    /// What is to become of its snapshot.
    pub snapshot: SnapshotWish,
    /// The version they expect.
    pub expected_version: Option<u64>,
}

/// What is to become of the snapshot that an image was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotWish {
    /// It stays.
    Keep,
    /// It is deleted, unless it is the newest.
    Delete,
    /// It is deleted, the newest too; the person has named it.
    DeleteNamed(SnapshotId),
}

/// Has the image deregistered, and its snapshot deleted afterwards where nothing else needs it: what does is told at
/// once, and looked for again before the deletion. Repeated, it does nothing more.
pub async fn delete(
    service: &Service,
    request: DeleteImage,
    now: Timestamp,
) -> Result<Image, Error> {
    let DeleteImage { id, who, snapshot, expected_version } = request;
    let image = service.table.image(&id).await?;
    let image = image.ok_or_else(|| Error::not_found("image", &id))?;
    if expected_version.is_some_and(|version| version != image.version) {
        return Err(Error::Stale { noun: "the image", current: image.version });
    }
    let wanted = match snapshot {
        SnapshotWish::Keep => None,
        SnapshotWish::Delete => Some(SnapshotDeletion::waiting()),
        SnapshotWish::DeleteNamed(named) if named == image.snapshot_id => {
            Some(SnapshotDeletion::waiting_named())
        }
        SnapshotWish::DeleteNamed(named) => {
            let reason = format!("is {named}, but the image was made from {}", image.snapshot_id);
            return Err(Error::invalid("snapshot_id", reason));
        }
    };
    let wanted = match wanted {
        None => None,
        Some(wanted) => Some(match needed_by(service, &image, &wanted, now).await {
            Ok(NeededBy::Other(reason)) => wanted.refused(reason),
            Ok(NeededBy::Nothing | NeededBy::ThisImage) => wanted,
            // It is looked for again before the deletion.
            Err(error) if error.is_retryable() => wanted,
            Err(error) => return Err(error),
        }),
    };
    let Some(next) = image.deregister(&who, wanted, now) else { return Ok(image) };
    if !service.table.update_image(&image, &next, now).await?.is_done() {
        return Err(Error::Stale { noun: "the image", current: image.version });
    }
    info!(image.id = %id, "Image {id} is to be deregistered");
    if next.attention_at.is_some() {
        make_known(service, &id).await;
    }
    Ok(next)
}

/// What needs the snapshot of an image that is to go.
pub(crate) enum NeededBy {
    /// Nothing.
    Nothing,
    /// Only that image, as far as EC2 shows.
    ThisImage,
    /// Something else: why the snapshot stays.
    Other(String),
}

/// What needs the snapshot of `image`: a hold, its being the newest unless it is named, another image, whoever has
/// made it.
pub(crate) async fn needed_by(
    service: &Service,
    image: &Image,
    wanted: &SnapshotDeletion,
    now: Timestamp,
) -> Result<NeededBy, Error> {
    let Some(snapshot) = service.table.snapshot(&image.snapshot_id).await? else {
        return Ok(NeededBy::Other("there is no record of the snapshot any more".to_owned()));
    };
    match snapshot.status {
        Status::Available | Status::Error | Status::Condemned => {}
        Status::Deleting | Status::Deleted => return Ok(NeededBy::Nothing),
        Status::Requested | Status::Creating | Status::Pending | Status::Missing => {
            return Ok(NeededBy::Other(format!("the snapshot is {}", snapshot.status)));
        }
    }
    if let Some(hold) =
        snapshot.keepers.hold.as_ref().filter(|hold| hold.forbids(Deleter::Rule, now))
    {
        return Ok(NeededBy::Other(format!("the snapshot is {}", hold.describe())));
    }
    if let Some(restore) = snapshot.keepers.restores.first() {
        return Ok(NeededBy::Other(format!("the restore {restore} is using the snapshot")));
    }
    if !wanted.is_named && is_newest(service, &snapshot, now).await? {
        let reason = format!(
            "it is the newest available snapshot of {}; name it as snapshot_id to delete it all the same",
            snapshot.source.instance_id
        );
        return Ok(NeededBy::Other(reason));
    }
    if let Some(other) = coming_image(service, image).await? {
        return Ok(NeededBy::Other(format!("the image {} is being registered from it", other.id)));
    }
    let members: Vec<_> =
        snapshot.living_members().map(|member| member.ebs_snapshot_id.clone()).collect();
    let ec2 = service.ec2_in(&snapshot.source.region)?;
    let using = ec2.images_using(&members).await?;
    let is_this = |id| image.ami_id.as_ref() == Some(id);
    if let Some(other) = using.iter().find(|seen| !is_this(&seen.id)) {
        return Ok(NeededBy::Other(format!("the snapshot is in use by {}", other.id)));
    }
    Ok(if using.is_empty() { NeededBy::Nothing } else { NeededBy::ThisImage })
}

/// Whether no newer ones that EC2 shows have all its volumes, so that nothing stands for it.
async fn is_newest(service: &Service, snapshot: &Snapshot, now: Timestamp) -> Result<bool, Error> {
    Ok(snapshot.is_good() && guardians(service, snapshot, now).await?.is_err())
}

/// Another image of ours that is on its way from the same snapshot.
async fn coming_image(service: &Service, image: &Image) -> Result<Option<Image>, Error> {
    let slice = Slice { order: Order::NewestFirst, limit: LOOKED_AT_MAX, after: None };
    let (images, _) = service.table.list_images(Some(&image.instance_id), &slice).await?;
    Ok(images.into_iter().map(|(_, other)| other).find(|other| {
        other.id != image.id && other.snapshot_id == image.snapshot_id && other.status.is_coming()
    }))
}
