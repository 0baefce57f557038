//! Instances that a schedule names and that are gone: said once, not at every slot.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::cursor::Order;
use crate::domain::ids::InstanceId;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::regions::shown;
use crate::service::Service;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};

/// The codes with which a snapshot of an instance fails that is not there.
const NOT_THERE: [&str; 2] = ["InstanceNotFound", "NotEligible"];

/// Which of the instances that `schedule` names are gone, as every region shows, and have a failed snapshot of this
/// schedule as their latest that says so. A failed one is deleted after a day or so, and then it is said again.
pub(super) async fn told_gone(
    service: &Service,
    schedule: &Schedule,
) -> Result<BTreeSet<InstanceId>, Error> {
    let named: BTreeSet<_> = schedule.settings.targets.instance_ids.iter().cloned().collect();
    if named.is_empty() {
        return Ok(named);
    }
    let region = service.settings.region.clone();
    let looked_for = shown(service, &BTreeMap::from([(region, named.clone())])).await;
    if !looked_for.out_of_reach.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut told = BTreeSet::new();
    for id in named.difference(&looked_for.here) {
        let list = SnapshotList::Of(id.clone(), Presence::Here);
        let slice = Slice { order: Order::NewestFirst, limit: 1, after: None };
        let listed = service.table.list_snapshots(&list, &slice).await?;
        if listed.snapshots.first().is_some_and(|(_, latest)| says_so(latest, schedule)) {
            told.insert(id.clone());
        }
    }
    Ok(told)
}

fn says_so(latest: &Snapshot, schedule: &Schedule) -> bool {
    let failure = latest.course.failure.as_ref();
    latest.status == Status::Error
        && latest.schedule_id() == Some(&schedule.id)
        && failure.is_some_and(|failure| NOT_THERE.contains(&failure.code.as_str()))
}
