//! Images and the snapshots that they use, and the instances launched from an image, as EC2 shows it now.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use crate::domain::ids::{EbsSnapshotId, ImageJobId, InstanceId, SnapshotId};
use crate::domain::image::Image;
use crate::domain::image::seen::SeenImage;
use crate::domain::snapshot::Snapshot;
use crate::error::{Error, chain};
use crate::service::Service;

/// An image of the account's that uses members of a snapshot.
#[derive(Clone, Debug)]
pub struct UsingImage {
    /// The image as EC2 shows it.
    pub seen: SeenImage,
    /// Our record of it, if it is ours.
    pub ours: Option<ImageJobId>,
    /// The members that it uses.
    pub ebs_snapshot_ids: Vec<EbsSnapshotId>,
}

/// A snapshot and the images that use it.
#[derive(Clone, Debug)]
pub struct Relation {
    pub snapshot_id: SnapshotId,
    /// The images, in the order of their ids; none if EC2 in its region is out of reach.
    pub images: Option<Vec<UsingImage>>,
}

/// What there is of the snapshots that were asked about.
#[derive(Clone, Debug)]
pub struct Relations {
    /// Those there are, in the order of their ids.
    pub found: Vec<Relation>,
    /// Those there is no record of.
    pub unknown: Vec<SnapshotId>,
}

/// The images that use a snapshot: ours and others', disabled ones too.
pub async fn images_of_snapshot(
    service: &Service,
    id: &SnapshotId,
) -> Result<Vec<UsingImage>, Error> {
    let snapshot = service.table.snapshot(id).await?;
    let snapshot = snapshot.ok_or_else(|| Error::not_found("snapshot", id))?;
    let seen = seen_in(service, &snapshot.source.region, &[&snapshot]).await?;
    let ours = ours(service, &seen).await?;
    Ok(using(&snapshot, &seen, &ours))
}

/// The images that use each of these snapshots. A region that is out of reach keeps back only its own; if all are,
/// it fails.
pub async fn images_of_snapshots(
    service: &Service,
    ids: &BTreeSet<SnapshotId>,
) -> Result<Relations, Error> {
    let wanted: Vec<_> = ids.iter().cloned().collect();
    let snapshots = service.table.snapshots(&wanted).await?;
    let mut by_region: BTreeMap<&str, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots.values() {
        by_region.entry(&snapshot.source.region).or_default().push(snapshot);
    }
    let mut seen: BTreeMap<&str, Vec<SeenImage>> = BTreeMap::new();
    let mut failure = None;
    for (region, snapshots) in &by_region {
        match seen_in(service, region, snapshots).await {
            Ok(images) => {
                seen.insert(region, images);
            }
            Err(error) => {
                warn!(error.chain = %chain(&error), "The images in {region} are not known");
                failure = Some(error);
            }
        }
    }
    if let Some(error) = failure.filter(|_| seen.is_empty()) {
        return Err(error);
    }
    let ours = ours(service, seen.values().flatten()).await?;
    let relation = |snapshot: &Snapshot| Relation {
        snapshot_id: snapshot.id.clone(),
        images: seen.get(snapshot.source.region.as_str()).map(|seen| using(snapshot, seen, &ours)),
    };
    Ok(Relations {
        found: snapshots.values().map(relation).collect(),
        unknown: wanted.into_iter().filter(|id| !snapshots.contains_key(id)).collect(),
    })
}

/// The instances that were launched from an image and are there, as far as a page of EC2 has them; none if EC2 is out of
/// reach, or there is no AMI.
pub async fn instances_from(service: &Service, image: &Image) -> Option<Vec<InstanceId>> {
    let ami_id = image.ami_id.as_ref()?;
    let asked = match service.ec2_in(&image.region) {
        Ok(ec2) => ec2.instances_from(ami_id).await,
        Err(error) => Err(error),
    };
    asked
        .inspect_err(|error| {
            warn!(image.id = %image.id, error.chain = %chain(error), "The instances of {ami_id} are not known");
        })
        .ok()
}

async fn seen_in(
    service: &Service,
    region: &str,
    snapshots: &[&Snapshot],
) -> Result<Vec<SeenImage>, Error> {
    let members: Vec<_> = snapshots
        .iter()
        .flat_map(|snapshot| snapshot.living_members())
        .map(|member| member.ebs_snapshot_id.clone())
        .collect();
    service.ec2_in(region)?.images_using(&members).await
}

/// Our records of these images: what only says in its tags that it is ours is not.
async fn ours(
    service: &Service,
    seen: impl IntoIterator<Item = &SeenImage>,
) -> Result<BTreeMap<ImageJobId, Image>, Error> {
    let ids: BTreeSet<_> = seen.into_iter().filter_map(SeenImage::named_job).collect();
    service.table.images(&ids).await
}

fn using(
    snapshot: &Snapshot,
    seen: &[SeenImage],
    ours: &BTreeMap<ImageJobId, Image>,
) -> Vec<UsingImage> {
    let is_of_it = |image: &SeenImage, id: &ImageJobId| {
        let record = ours.get(id);
        record.is_some_and(|record| record.ami_id.as_ref().is_none_or(|ami| *ami == image.id))
    };
    let uses = seen.iter().map(|image| UsingImage {
        ebs_snapshot_ids: image
            .ebs_snapshot_ids
            .iter()
            .filter(|id| snapshot.has_member(id))
            .cloned()
            .collect(),
        ours: image.named_job().filter(|id| is_of_it(image, id)),
        seen: image.clone(),
    });
    uses.filter(|one| !one.ebs_snapshot_ids.is_empty()).collect()
}
