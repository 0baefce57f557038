//! The latest snapshots of many instances: which one is the newest to restore from, and which EC2 is still writing.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use crate::domain::cursor::Order;
use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::instance::coverage::LastTaken;
use crate::domain::instance::pending::PENDING_IN_REGION;
use crate::domain::ownership::EbsState;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::service::Service;
use crate::table::Table;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};

/// How many of an instance's newest records are looked at, in rounds: the first is nearly always enough.
const ROUNDS: [usize; 3] = [1, 2, 5];
/// Where none of those is available, or the newest was adopted, how many more are looked at.
const DEEPER_MAX: usize = 100;
/// For how many instances of one page.
const DEEPER_INSTANCES_MAX: usize = 20;
/// Fewer pending snapshots than this are not looked at: an instance has hardly ever more than twenty volumes.
const A_FEW: usize = 5;
/// How many lists are read at once.
const READS_MAX: usize = 16;

/// The latest there is of an instance.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    /// The newest snapshot that can be restored, if there is one among those looked at.
    pub newest: Option<Snapshot>,
    /// Those that EC2 is still writing.
    pub pending: Vec<Snapshot>,
    /// Whether there is any record at all.
    pub is_known: bool,
}

impl Latest {
    /// The last available snapshot, in short.
    pub fn taken(&self) -> LastTaken {
        match (&self.newest, self.is_known) {
            (Some(newest), _) => LastTaken::At(newest.taken_at()),
            (None, true) => LastTaken::NoneAvailable,
            (None, false) => LastTaken::Never,
        }
    }

    fn look_at(&mut self, snapshot: Snapshot) {
        self.is_known = true;
        if snapshot.copy_of.is_some() {
            return;
        }
        if snapshot.status == Status::Pending {
            self.pending.push(snapshot);
        } else if snapshot.is_good()
            && self.newest.as_ref().is_none_or(|newest| is_newer(&snapshot, newest))
        {
            self.newest = Some(snapshot);
        }
    }

    /// Whether records that were made before those looked at cannot be of a newer content. What was adopted is older than
    /// its record, by nobody knows how much.
    fn is_settled(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.taken_at() >= newest.created_at)
    }
}

/// Whether the one is of a newer content than the other: what counts is when it was taken, not when its record was made.
fn is_newer(one: &Snapshot, other: &Snapshot) -> bool {
    (one.standing(), &one.id) > (other.standing(), &other.id)
}

/// The latest of each of these instances, by the newest records of each: one Query of keys an instance, sixteen at a
/// time, and one `BatchGetItem` for each hundred records. Eight records of an instance are looked at, and a hundred more
/// of up to twenty instances that have none available among those, or only what was adopted: that is older than its record.
pub(crate) async fn latest_of(
    service: &Service,
    instances: &[InstanceId],
) -> Result<BTreeMap<InstanceId, Latest>, Error> {
    let depth = ROUNDS.iter().sum();
    let mut ids = read(&service.table, instances, depth).await?;
    let mut latest: BTreeMap<InstanceId, Latest> =
        instances.iter().map(|id| (id.clone(), Latest::default())).collect();
    for round in ROUNDS {
        look(service, &mut latest, &mut ids, round).await?;
    }
    let deeper: Vec<_> = latest
        .iter()
        .filter(|(_, one)| !one.is_settled() && one.is_known)
        .map(|(id, _)| id.clone())
        .take(DEEPER_INSTANCES_MAX)
        .collect();
    if !deeper.is_empty() {
        let mut ids = read(&service.table, &deeper, depth + DEEPER_MAX).await?;
        for listed in ids.values_mut() {
            listed.drain(..depth.min(listed.len()));
        }
        look(service, &mut latest, &mut ids, DEEPER_MAX).await?;
    }
    Ok(latest)
}

/// How many EBS snapshots are pending in each region, as our records tell, of the latest hundred snapshots that are: one
/// Query of keys, and one `BatchGetItem` if they are more than a few.
pub(crate) async fn pending_by_region(service: &Service) -> Result<BTreeMap<String, usize>, Error> {
    let list = SnapshotList::InStatus(Status::Pending);
    let slice = Slice { order: Order::NewestFirst, limit: PENDING_IN_REGION, after: None };
    let (ids, _) = service.table.snapshot_ids(&list, &slice).await?;
    let mut counts = BTreeMap::new();
    if ids.len() >= A_FEW {
        for snapshot in service.table.snapshots(&ids).await?.into_values() {
            let pending = snapshot.members.iter().filter(|one| one.state == EbsState::Pending);
            *counts.entry(snapshot.source.region).or_default() += pending.count();
        }
    }
    Ok(counts)
}

/// Looks at the next so many of those instances of which the newest may not be found yet.
async fn look(
    service: &Service,
    latest: &mut BTreeMap<InstanceId, Latest>,
    ids: &mut BTreeMap<InstanceId, Vec<SnapshotId>>,
    count: usize,
) -> Result<(), Error> {
    let mut wanted: Vec<(InstanceId, SnapshotId)> = Vec::new();
    for (instance, listed) in ids.iter_mut() {
        if latest.get(instance).is_some_and(|one| !one.is_settled()) {
            let next = listed.drain(..count.min(listed.len()));
            wanted.extend(next.map(|id| (instance.clone(), id)));
        }
    }
    let keys: Vec<_> = wanted.iter().map(|(_, id)| id.clone()).collect();
    let mut found = service.table.snapshots(&keys).await?;
    for (instance, id) in wanted {
        if let (Some(snapshot), Some(one)) = (found.remove(&id), latest.get_mut(&instance)) {
            one.look_at(snapshot);
        }
    }
    Ok(())
}

/// The ids of the newest so many snapshots of each instance, newest first.
async fn read(
    table: &Table,
    instances: &[InstanceId],
    limit: usize,
) -> Result<BTreeMap<InstanceId, Vec<SnapshotId>>, Error> {
    let mut all = BTreeMap::new();
    for chunk in instances.chunks(READS_MAX) {
        let mut reads = JoinSet::new();
        for instance in chunk.iter().cloned() {
            let table = table.clone();
            reads.spawn(async move { (newest_ids(&table, &instance, limit).await, instance) });
        }
        while let Some(read) = reads.join_next().await {
            let (ids, instance) =
                read.map_err(|source| Error::internal("reading the newest snapshots", source))?;
            all.insert(instance, ids?);
        }
    }
    Ok(all)
}

async fn newest_ids(
    table: &Table,
    instance: &InstanceId,
    limit: usize,
) -> Result<Vec<SnapshotId>, Error> {
    let list = SnapshotList::Of(instance.clone(), Presence::Here);
    let slice = Slice { order: Order::NewestFirst, limit, after: None };
    Ok(table.snapshot_ids(&list, &slice).await?.0)
}
