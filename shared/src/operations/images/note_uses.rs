//! Notes on a snapshot's record which images use it, so that no list has to ask EC2.
//!
//! Ours are noted when they are registered and deregistered; the hourly sweep notes what others have done.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::warn;

use crate::domain::ids::{EbsSnapshotId, ImageId, SnapshotId};
use crate::domain::snapshot::Snapshot;
use crate::error::{Error, chain};
use crate::operations::rewrite::until_written;
use crate::service::Service;

/// How many snapshots one sweep writes at the most; the next goes on.
const NOTED_MAX: usize = 1_000;

/// Which images use each EBS snapshot that any uses.
pub(crate) type ImageUses = BTreeMap<EbsSnapshotId, BTreeSet<ImageId>>;

/// What became of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ImageChange<'a> {
    /// It is there.
    Made(&'a ImageId),
    /// It is gone.
    Gone(&'a ImageId),
}

/// Notes a change of ours. What cannot be written is noted by the next sweep.
pub(crate) async fn note_image(
    service: &Service,
    id: &SnapshotId,
    change: ImageChange<'_>,
    now: Timestamp,
) {
    let ids = |snapshot: &Snapshot| {
        let mut ids: BTreeSet<_> = snapshot.image_ids().iter().cloned().collect();
        match change {
            ImageChange::Made(ami_id) => ids.insert(ami_id.clone()),
            ImageChange::Gone(ami_id) => ids.remove(ami_id),
        };
        ids
    };
    let noted = match service.table.snapshot(id).await {
        Ok(Some(snapshot)) => note(service, (id, Some(snapshot)), ids, now).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = noted {
        warn!(snapshot.id = %id, error.chain = %chain(&error), "The images of {id} are noted by the next sweep");
    }
}

/// Notes on these snapshots the images that use them. What was noted within five minutes is left: EC2 may not have shown
/// it yet.
pub(crate) async fn note_images<'a>(
    service: &Service,
    snapshots: impl Iterator<Item = &'a Snapshot>,
    uses: &ImageUses,
    now: Timestamp,
) -> Result<(), Error> {
    let changed = snapshots
        .filter(|one| !one.has_fresh_images(now))
        .filter(|one| one.with_images(using(one, uses), now).is_some());
    for snapshot in changed.take(NOTED_MAX) {
        note(service, (&snapshot.id, None), |one| using(one, uses), now).await?;
    }
    Ok(())
}

fn using(snapshot: &Snapshot, uses: &ImageUses) -> BTreeSet<ImageId> {
    snapshot
        .living_members()
        .filter_map(|member| uses.get(&member.ebs_snapshot_id))
        .flatten()
        .cloned()
        .collect()
}

/// Writes the images onto the snapshot. It is read, unless it was a moment ago, and read anew when somebody else has
/// written it; what is written over and over is left to the next sweep.
async fn note(
    service: &Service,
    (id, mut first): (&SnapshotId, Option<Snapshot>),
    ids: impl Fn(&Snapshot) -> BTreeSet<ImageId>,
    now: Timestamp,
) -> Result<(), Error> {
    let ids = &ids;
    until_written(|| {
        let first = first.take();
        async move {
            let current = match first {
                Some(first) => Some(first),
                None => service.table.snapshot(id).await?,
            };
            let noted = current.as_ref().and_then(|one| one.with_images(ids(one), now));
            let Some((current, noted)) = current.as_ref().zip(noted) else { return Ok(Some(())) };
            let written = service.table.update_snapshot(current, &noted).await?;
            Ok(written.is_done().then_some(()))
        }
    })
    .await?;
    Ok(())
}
