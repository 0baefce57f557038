//! Restores, one or a page of them.

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
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
    collect(request, read, |restore| filter.wants(restore)).await
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
    }
}
