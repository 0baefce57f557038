//! The fates of snapshots: why each is kept, and when it will go. Worked out when somebody asks.
//!
//! Never fails: what cannot be read makes a fate unknown, and it says so.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tracing::warn;

use crate::domain::fate::{Fate, FateFacts, fates_of, stands_alone};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::instance::gone::is_believed;
use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
use crate::service::Service;
use crate::table::Presence;
use crate::table::comb::{Comb, CombBounds};

/// How many instances are read at once.
const READS_MAX: usize = 8;

const SCHEDULE_UNREADABLE: &str = "its schedule cannot be read at this moment";
const INSTANCE_UNREADABLE: &str =
    "the other snapshots of its instance cannot be read at this moment";

/// The snapshot with its fate.
pub async fn with_fate(service: &Service, snapshot: Snapshot, now: Timestamp) -> (Snapshot, Fate) {
    let mut found = work_out(service, slice::from_ref(&snapshot), now).await;
    let fate = found.remove(&snapshot.id);
    (snapshot, fate.unwrap_or_else(|| Fate::unknown(INSTANCE_UNREADABLE)))
}

/// The snapshots of a page, each with its fate. Of each instance, and only of those whose snapshots depend on each
/// other, the comb is read: one Query for each megabyte of it.
pub async fn with_fates(
    service: &Service,
    snapshots: Vec<Snapshot>,
    now: Timestamp,
) -> Vec<(Snapshot, Fate)> {
    let mut found = work_out(service, &snapshots, now).await;
    snapshots
        .into_iter()
        .map(|snapshot| {
            let fate = found.remove(&snapshot.id);
            (snapshot, fate.unwrap_or_else(|| Fate::unknown(INSTANCE_UNREADABLE)))
        })
        .collect()
}

/// The fates of all snapshots of one instance that lists show, or of some that are gone.
pub(crate) async fn fates_in(
    service: &Service,
    snapshots: &[Snapshot],
    now: Timestamp,
) -> BTreeMap<SnapshotId, Fate> {
    let input = FateInput::read(service, snapshots, now).await;
    let mut fates = fates_of(&input.facts(snapshots), |_| true);
    if input.is_unreadable {
        for snapshot in snapshots.iter().filter(|one| FateInput::decides(one)) {
            fates.insert(snapshot.id.clone(), Fate::unknown(SCHEDULE_UNREADABLE));
        }
    }
    fates
}

/// The fates of these, but for those whose instances cannot be read.
async fn work_out(
    service: &Service,
    snapshots: &[Snapshot],
    now: Timestamp,
) -> BTreeMap<SnapshotId, Fate> {
    let input = FateInput::read(service, snapshots, now).await;
    let mut found = BTreeMap::new();
    let mut by_instance: BTreeMap<&InstanceId, Vec<&Snapshot>> = BTreeMap::new();
    let mut instances = Vec::new();
    for snapshot in snapshots {
        if input.is_unreadable && FateInput::decides(snapshot) {
            found.insert(snapshot.id.clone(), Fate::unknown(SCHEDULE_UNREADABLE));
            continue;
        }
        let schedule = snapshot.schedule_id().and_then(|id| input.schedules.get(id));
        if stands_alone(snapshot, schedule) {
            found.insert(snapshot.id.clone(), input.fate_alone(snapshot));
            continue;
        }
        let instance = &snapshot.source.instance_id;
        let wanted = by_instance.entry(instance).or_default();
        if wanted.is_empty() {
            instances.push(instance.clone());
        }
        wanted.push(snapshot);
    }
    for (instance, comb) in combs_of(service, instances).await {
        let Some(wanted) = by_instance.get(&instance) else { continue };
        // What is not found is unknown.
        let Some(comb) = comb else { continue };
        let group = joined(wanted, comb);
        let ids: BTreeSet<_> = wanted.iter().map(|one| &one.id).collect();
        found.extend(fates_of(&input.facts(&group), |id| ids.contains(id)));
    }
    found
}

/// What the fates of a page have in common.
struct FateInput<'a> {
    service: &'a Service,
    /// The schedules that decide over the page's snapshots.
    schedules: BTreeMap<ScheduleId, Schedule>,
    /// The instances that are certainly gone, as the sweeps have found.
    gone: BTreeSet<InstanceId>,
    /// Whether schedules or instances could not be read.
    is_unreadable: bool,
    now: Timestamp,
}

impl<'a> FateInput<'a> {
    async fn read(service: &'a Service, snapshots: &[Snapshot], now: Timestamp) -> Self {
        let (schedules, gone) = (BTreeMap::new(), BTreeSet::new());
        let mut input = Self { service, schedules, gone, is_unreadable: false, now };
        if let Err(error) = input.fill(snapshots).await {
            warn!(error.chain = %chain(&error), "Fates are unknown: no schedules");
            input.is_unreadable = true;
        }
        input
    }

    async fn fill(&mut self, snapshots: &[Snapshot]) -> Result<(), Error> {
        let ids: BTreeSet<_> = snapshots
            .iter()
            .filter(|snapshot| Self::decides(snapshot))
            .filter_map(|snapshot| snapshot.schedule_id().cloned())
            .collect();
        self.schedules = self.service.table.schedules(&ids).await?;
        let has_rule = |id| {
            let schedule: Option<&Schedule> = self.schedules.get(id);
            schedule.is_some_and(|one| one.settings.when_gone != WhenGone::Apply)
        };
        let asked = snapshots.iter().filter(|one| one.schedule_id().is_some_and(has_rule));
        let asked: BTreeSet<_> = asked.map(|one| one.source.instance_id.clone()).collect();
        if !asked.is_empty() {
            let looks = self.service.table.first_looks_of(&asked).await?;
            let gone = looks.into_iter().filter(|(_, since)| is_believed(*since, self.now));
            self.gone = gone.map(|(id, _)| id).collect();
        }
        Ok(())
    }

    /// Whether its schedule has a say.
    fn decides(snapshot: &Snapshot) -> bool {
        snapshot.schedule_id().is_some()
            && matches!(snapshot.status, Status::Available | Status::Error)
    }

    fn facts<'b>(&'b self, snapshots: &'b [Snapshot]) -> FateFacts<'b> {
        FateFacts {
            schedules: &self.schedules,
            snapshots,
            gone: &self.gone,
            grace: self.service.settings.grace,
            failed_kept: self.service.settings.failed_kept,
            now: self.now,
        }
    }

    /// The fate of a snapshot that has nothing to do with the others of its instance.
    fn fate_alone(&self, snapshot: &Snapshot) -> Fate {
        let alone = slice::from_ref(snapshot);
        let fate = fates_of(&self.facts(alone), |_| true).remove(&snapshot.id);
        fate.unwrap_or_else(|| Fate::unknown(INSTANCE_UNREADABLE))
    }
}

/// The combs of these instances, a few instances at once; none for one that cannot be read.
pub(crate) async fn combs_of(
    service: &Service,
    instances: Vec<InstanceId>,
) -> BTreeMap<InstanceId, Option<Comb>> {
    let mut combs = BTreeMap::new();
    for chunk in instances.chunks(READS_MAX) {
        let mut reads = JoinSet::new();
        for instance in chunk.iter().cloned() {
            let table = service.table.clone();
            reads.spawn(async move {
                let read = table.comb(&instance, Presence::Here, CombBounds::default()).await;
                (read, instance)
            });
        }
        while let Some(read) = reads.join_next().await {
            let Ok((read, instance)) = read else { continue };
            let comb = read
                .inspect_err(|error| {
                    warn!(instance.id = %instance, error.chain = %chain(error), "Fates are unknown");
                })
                .ok();
            combs.insert(instance, comb);
        }
    }
    combs
}

/// The snapshots of an instance in the order of their records; those wanted as they are shown, also where the list
/// does not have them yet.
fn joined(wanted: &[&Snapshot], comb: Comb) -> Vec<Snapshot> {
    let shown: BTreeSet<_> = wanted.iter().map(|snapshot| &snapshot.id).collect();
    let others = comb.into_snapshots().into_iter();
    let mut all: Vec<_> = others.filter(|other| !shown.contains(&other.id)).collect();
    all.extend(wanted.iter().copied().cloned());
    all.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    all
}
