//! Restores, one or a page of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{ImageId, InstanceId, RestoreId, SnapshotId, VolumeId};
use crate::domain::image::seen::SeenState;
use crate::domain::restore::seen::SeenVolume;
use crate::domain::restore::{Restore, RestoreStatus};
use crate::error::Error;
use crate::service::Service;
use crate::table::restores::RestoreList;
use crate::views::paging::collect;

/// Which restores are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreFilter {
    /// Of snapshots of this instance.
    pub instance_id: Option<InstanceId>,
    pub snapshot_id: Option<SnapshotId>,
    pub status: Option<RestoreStatus>,
    /// Those whose old volumes a person may delete by now.
    pub old_volumes_due: Option<Timestamp>,
}

/// A restore, and volumes that it has made or taken off.
#[derive(Clone, Debug)]
pub struct WithVolumes {
    pub restore: Restore,
    /// As EC2 shows them; none where its region is not looked after.
    pub volumes: Vec<SeenVolume>,
}

/// The restore, as it is at this moment.
pub async fn show(service: &Service, id: &RestoreId) -> Result<Restore, Error> {
    service.table.restore(id).await?.ok_or_else(|| Error::not_found("restore", id))
}

/// One page of restores. It may be short although more follow, where few of many are wanted.
pub async fn list(
    service: &Service,
    filter: &RestoreFilter,
    request: &PageRequest,
) -> Result<Page<Restore>, Error> {
    let list = &filter.list();
    let read = |slice| async move { service.table.list_restores(list, &slice).await };
    let mut page = collect(request, read, |restore| filter.wants(restore)).await?;
    if filter.old_volumes_due.is_some() {
        let left = with_old_volumes(service, page.items).await?;
        page.items = left.into_iter().map(|one| one.restore).collect();
    }
    Ok(page)
}

/// Those of these restores of whose old volumes EC2 still shows one. Where a region is not looked after, nobody knows.
pub(crate) async fn with_old_volumes(
    service: &Service,
    restores: Vec<Restore>,
) -> Result<Vec<WithVolumes>, Error> {
    let old = |restore: &Restore| {
        let old = restore.before.old_volumes.iter().flatten();
        old.map(|old| old.volume_id.clone()).collect()
    };
    let mut found = with_volumes(service, restores, old).await?;
    found.retain(|one| !one.volumes.is_empty() || service.ec2_in(&one.restore.region).is_err());
    Ok(found)
}

/// These restores with the volumes that they have made or taken off.
pub(crate) async fn with_all_volumes(
    service: &Service,
    restores: Vec<Restore>,
) -> Result<Vec<WithVolumes>, Error> {
    let all = |restore: &Restore| {
        let made = restore.made.volumes.iter().filter_map(|one| one.volume_id.clone());
        let old = restore.taken_off().into_iter().map(|old| old.volume_id.clone());
        made.chain(old).collect()
    };
    with_volumes(service, restores, all).await
}

/// These restores with those of the volumes `of` them that EC2 shows.
async fn with_volumes(
    service: &Service,
    restores: Vec<Restore>,
    of: impl Fn(&Restore) -> Vec<VolumeId>,
) -> Result<Vec<WithVolumes>, Error> {
    let mut there: BTreeMap<VolumeId, SeenVolume> = BTreeMap::new();
    let regions: BTreeSet<&String> = restores.iter().map(|restore| &restore.region).collect();
    for region in regions {
        let Ok(ec2) = service.ec2_in(region) else { continue };
        let here = restores.iter().filter(|restore| restore.region == *region);
        let ids: Vec<_> = here.flat_map(&of).collect();
        let seen = ec2.seen_volumes(&ids).await?.into_iter();
        there.extend(seen.map(|volume| (volume.id.clone(), volume)));
    }
    let with = |restore: Restore| {
        let volumes = of(&restore).iter().filter_map(|id| there.get(id).cloned()).collect();
        WithVolumes { restore, volumes }
    };
    Ok(restores.into_iter().map(with).collect())
}

/// Those of these restores whose image EC2 still shows. Where a region is not looked after, nobody knows.
pub(crate) async fn with_kept_image(
    service: &Service,
    mut restores: Vec<Restore>,
) -> Result<Vec<Restore>, Error> {
    let mut there: BTreeSet<ImageId> = BTreeSet::new();
    let regions: BTreeSet<&String> = restores.iter().map(|restore| &restore.region).collect();
    for region in regions {
        let Ok(ec2) = service.ec2_in(region) else { continue };
        let here = restores.iter().filter(|restore| restore.region == *region);
        let ids: Vec<_> = here.filter_map(Restore::kept_image).cloned().collect();
        let seen = ec2.images(&ids).await?.into_iter();
        there.extend(seen.filter(|image| image.state == SeenState::There).map(|image| image.id));
    }
    restores.retain(|restore| {
        restore.kept_image().is_some_and(|image| there.contains(image))
            || service.ec2_in(&restore.region).is_err()
    });
    Ok(restores)
}

impl RestoreFilter {
    /// The narrowest list that has everything wanted.
    fn list(&self) -> RestoreList {
        let of_snapshot = self.snapshot_id.clone().map(RestoreList::OfSnapshot);
        of_snapshot
            .or_else(|| self.instance_id.clone().map(RestoreList::OfInstance))
            .or_else(|| self.status.map(RestoreList::That))
            .unwrap_or(RestoreList::All)
    }

    fn wants(&self, restore: &Restore) -> bool {
        self.instance_id.as_ref().is_none_or(|id| restore.instance_id == *id)
            && self.snapshot_id.as_ref().is_none_or(|id| restore.snapshot_id == *id)
            && self.status.is_none_or(|status| restore.status == status)
            && self.old_volumes_due.is_none_or(|now| restore.has_old_volumes_due(now))
    }
}
