//! The records of the table, held against the EBS snapshots of a region.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::warn;

use super::YOUNG;
use crate::domain::cursor::Order;
use crate::domain::finding::{Finding, VolumeStanding};
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::installation::Installation;
use crate::domain::ownership::{EbsSnapshot, Images, Owner, owner_of};
use crate::domain::snapshot::{MISSING_AFTER, Snapshot, Status};
use crate::ec2::Attachments;
use crate::error::{Error, chain};
use crate::operations::reconciliation::reindex::relist_snapshots;
use crate::service::Service;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};

/// How many missing snapshots are among what was found, the newest.
const MISSING_SHOWN_MAX: usize = 1_000;

/// What the table says, of all regions.
pub(super) struct Records {
    /// What lists show, by region.
    here: BTreeMap<String, Vec<Snapshot>>,
    /// What has gone missing, the newest.
    missing: Vec<Snapshot>,
    /// Which set each member is of, of what lists show.
    set_of: BTreeMap<EbsSnapshotId, SnapshotId>,
}

impl Records {
    pub(super) async fn read(service: &Service) -> Result<Self, Error> {
        let list = SnapshotList::All(Presence::Here);
        let all = service.table.every_snapshot(&list).await?;
        if let Err(error) = relist_snapshots(service, &all).await {
            warn!(error.chain = %chain(&error), "The ledgers may lack records until the next hour");
        }
        let list = SnapshotList::InStatus(Status::Missing);
        let slice = Slice { order: Order::NewestFirst, limit: MISSING_SHOWN_MAX, after: None };
        let missing = service.table.list_snapshots(&list, &slice).await?.snapshots;
        let missing = missing.into_iter().map(|(_, one)| one);
        let missing = missing.filter(|one| one.status == Status::Missing).collect();
        let mut records = Self { here: BTreeMap::new(), missing, set_of: BTreeMap::new() };
        for record in all {
            let members = record.members.iter().map(|one| one.ebs_snapshot_id.clone());
            records.set_of.extend(members.map(|member| (member, record.id.clone())));
            records.here.entry(record.source.region.clone()).or_default().push(record);
        }
        Ok(records)
    }

    /// The number of records that lists show.
    pub(super) fn count(&self) -> usize {
        self.here.values().map(Vec::len).sum()
    }

    /// All that lists show.
    pub(super) fn all(&self) -> impl Iterator<Item = &Snapshot> + Clone {
        self.here.values().flatten()
    }

    /// Those of a region that lists show.
    pub(super) fn of(&self, region: &str) -> &[Snapshot] {
        self.here.get(region).map_or(&[], Vec::as_slice)
    }

    /// Those of a region that lists show, and the newest that have gone missing.
    pub(super) fn of_and_missing(&self, region: &str) -> impl Iterator<Item = &Snapshot> {
        let missing = self.missing.iter().filter(move |one| one.source.region == region);
        self.of(region).iter().chain(missing)
    }

    /// EBS snapshots that bear our tags and belong to no record that lists show, by the set that their tags name.
    pub(super) fn strays(
        &self,
        seen: &[EbsSnapshot],
        now: Timestamp,
    ) -> BTreeMap<SnapshotId, Vec<EbsSnapshot>> {
        let mut strays: BTreeMap<SnapshotId, Vec<EbsSnapshot>> = BTreeMap::new();
        for snapshot in seen {
            let is_young = now.duration_since(snapshot.started_at) < YOUNG;
            if is_young || self.set_of.contains_key(&snapshot.id) {
                continue;
            }
            if let Some(set) = snapshot.set() {
                strays.entry(set).or_default().push(snapshot.clone());
            }
        }
        strays
    }

    /// Returns the finding about an EBS snapshot.
    pub(super) fn finding(
        &self,
        seen: &EbsSnapshot,
        (images, volumes): &(Images, Attachments),
        now: Timestamp,
    ) -> Finding {
        let set = self.set_of.get(&seen.id);
        // One that is being adopted is ours before it bears our tags.
        let is_theirs = seen.installation == Installation::Another;
        let owner = if set.is_some() && !is_theirs { Owner::Ours } else { owner_of(seen, images) };
        let volume = match seen.real_volume().map(|id| volumes.get(id)) {
            Some(Some(instance)) => VolumeStanding::Here(instance.clone()),
            // The volumes were listed before: one that was made since is not gone.
            Some(None) if now.duration_since(seen.started_at) >= YOUNG => VolumeStanding::Gone,
            Some(None) | None => VolumeStanding::Unknown,
        };
        let found = Finding::here(seen, owner, volume).used_by(images.of(&seen.id));
        Finding { snapshot_id: set.cloned().or(found.snapshot_id), ..found }
    }

    /// Returns the members of a region's records that EC2 does not show.
    pub(super) fn missing(
        &self,
        region: &str,
        shown: &BTreeSet<EbsSnapshotId>,
        now: Timestamp,
    ) -> Vec<Finding> {
        let here = self.of(region).iter().filter(|one| may_be_missing(one, now));
        let gone = self.missing.iter().filter(|one| one.source.region == region);
        let of_record = |record: &Snapshot| -> Vec<Finding> {
            let since = record.course.absent_since.or(record.ending.gone_at).unwrap_or(now);
            let members = record.living_members();
            let members = members.filter(|one| !shown.contains(&one.ebs_snapshot_id));
            members.map(|member| Finding::missing(record, member, since)).collect()
        };
        here.chain(gone).flat_map(of_record).collect()
    }
}

/// Whether EC2 should show all members of a record that lists show.
fn may_be_missing(record: &Snapshot, now: Timestamp) -> bool {
    match record.status {
        // EC2 shows what is new a little later.
        Status::Pending | Status::Available | Status::Error => {
            now.duration_since(record.course.touched_at) >= MISSING_AFTER
                || record.course.absent_since.is_some()
        }
        // What is on its way out may be gone, and what is not made yet is not there.
        Status::Requested
        | Status::Creating
        | Status::Condemned
        | Status::Deleting
        | Status::Deleted
        | Status::Missing => false,
    }
}
