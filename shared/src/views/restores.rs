//! Restores, one or a page of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId, VolumeId};
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

/// A restore, and what is left of the volumes that it took off.
#[derive(Clone, Debug)]
pub struct OldVolumes {
    pub restore: Restore,
    /// As EC2 shows them; none where its region is not looked after.
    pub left: Vec<SeenVolume>,
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
) -> Result<Vec<OldVolumes>, Error> {
    let mut there: BTreeMap<VolumeId, SeenVolume> = BTreeMap::new();
    let regions: BTreeSet<&String> = restores.iter().map(|restore| &restore.region).collect();
    for region in regions {
        let Ok(ec2) = service.ec2_in(region) else { continue };
        let here = restores.iter().filter(|restore| restore.region == *region);
        let ids = here.flat_map(|restore| restore.before.old_volumes.iter().flatten());
        let ids: Vec<_> = ids.map(|old| old.volume_id.clone()).collect();
        let seen = ec2.seen_volumes(&ids).await?.into_iter();
        there.extend(seen.map(|volume| (volume.id.clone(), volume)));
    }
    let of = |restore: Restore| {
        let old = restore.before.old_volumes.iter().flatten();
        let left: Vec<_> = old.filter_map(|old| there.get(&old.volume_id).cloned()).collect();
        let is_unknown = service.ec2_in(&restore.region).is_err();
        (is_unknown || !left.is_empty()).then_some(OldVolumes { restore, left })
    };
    Ok(restores.into_iter().filter_map(of).collect())
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
