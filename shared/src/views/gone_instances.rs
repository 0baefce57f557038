//! Instances that are gone: EC2 does not show them, or shows them terminated, at two looks ten minutes apart.
//!
//! EC2 is eventually consistent, and one absence is not believed. The first look is a small record, which a sweep
//! that is carried out writes and, when the instance shows again, removes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::instance::gone::{has_rule, is_believed};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::Error;
use crate::regions::{Shown, instances_by_region, shown};
use crate::service::Service;

/// How many first looks one sweep records; the next goes on.
const NOTED_MAX: usize = 1_000;

/// What EC2 shows of the instances that a rule for gone ones is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct AbsentInstances {
    /// Not there, by this look.
    absent: BTreeSet<InstanceId>,
    /// That no region shows while one that may have them was out of reach: nothing is known of them.
    unseen: BTreeSet<InstanceId>,
    /// Since when instances were not there, by earlier looks.
    first: BTreeMap<InstanceId, Timestamp>,
}

/// Asks EC2 about the instances of schedules that have, or had at their last sweep, a rule for gone ones.
pub(crate) async fn look(
    service: &Service,
    schedules: &BTreeMap<ScheduleId, Schedule>,
    snapshots: &[Snapshot],
) -> Result<AbsentInstances, Error> {
    let wanted = snapshots.iter().filter(|snapshot| {
        let schedule = snapshot.schedule_id().and_then(|id| schedules.get(id));
        // What is condemned is judged again, by whether its instance is gone now.
        matches!(snapshot.status, Status::Available | Status::Condemned)
            && schedule.is_some_and(has_rule)
    });
    let by_region = instances_by_region(wanted);
    let Shown { here, nowhere, out_of_reach } = shown(service, &by_region).await;
    let (mut absent, mut unseen) = (BTreeSet::new(), BTreeSet::new());
    for (region, ids) in by_region {
        let is_hidden = out_of_reach.hides(&region);
        for id in ids.into_iter().filter(|id| !here.contains(id)) {
            let looks = if is_hidden && nowhere.contains(&id) { &mut unseen } else { &mut absent };
            looks.insert(id);
        }
    }
    // An instance of snapshots in two regions, of which one is not looked after, is not known to be gone.
    absent.retain(|id| !unseen.contains(id));
    Ok(AbsentInstances { absent, unseen, first: service.table.first_looks().await? })
}

impl AbsentInstances {
    /// The instances that are certainly gone at `now`.
    pub(crate) fn gone(&self, now: Timestamp) -> BTreeSet<InstanceId> {
        let first = |id: &InstanceId| self.first.get(id);
        let is_gone = |id: &&InstanceId| first(id).is_some_and(|since| is_believed(*since, now));
        self.absent.iter().filter(is_gone).cloned().collect()
    }

    /// The instances that are not there by this look, and not believed to be gone at `now`; and those of which nothing is
    /// known now.
    pub(crate) fn in_doubt(&self, now: Timestamp) -> BTreeSet<InstanceId> {
        let gone = self.gone(now);
        self.absent.difference(&gone).chain(&self.unseen).cloned().collect()
    }

    /// Whether an earlier look at an instance is recorded, or may not have been, of too many.
    pub(crate) fn has_earlier(&self, id: &InstanceId) -> bool {
        self.first.contains_key(id) || self.absent.len() > NOTED_MAX
    }

    /// Earlier looks at instances that show again, or that nobody asks about any more, each with its instant.
    pub(crate) fn outdated(&self) -> impl Iterator<Item = (&InstanceId, Timestamp)> {
        let stands = |id: &InstanceId| self.absent.contains(id) || self.unseen.contains(id);
        self.first.iter().filter(move |(id, _)| !stands(id)).map(|(id, since)| (id, *since))
    }

    /// The instances that are not there for the first time, at most [`NOTED_MAX`].
    pub(crate) fn first_seen_absent(&self) -> impl Iterator<Item = &InstanceId> {
        self.absent.iter().filter(|id| !self.first.contains_key(*id)).take(NOTED_MAX)
    }
}
