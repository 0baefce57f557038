//! The fates of snapshots: why each is kept, and when it will go. Worked out when somebody asks.
//!
//! Never fails: what cannot be read, or would cost too much to read, makes a fate unknown, and it says so.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tracing::warn;

use crate::domain::cursor::Order;
use crate::domain::fate::{Fate, FateFacts, fates, stands_alone};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::instance::gone::is_believed;
use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
use crate::service::Service;
use crate::table::Table;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};

/// How many records of one instance are looked at.
const INSTANCE_RECORDS_MAX: usize = 1_000;
/// How many records are looked at for one page, whatever is on it.
const PAGE_RECORDS_MAX: usize = 5_000;
/// How many instances are read at once.
const READS_MAX: usize = 8;

const SCHEDULE_UNREADABLE: &str = "its schedule cannot be read at this moment";
const INSTANCE_UNREADABLE: &str =
    "the other snapshots of its instance cannot be read at this moment";
const INSTANCE_TOO_LARGE: &str =
    "its instance has too many snapshots to foresee what becomes of this one";
const PAGE_TOO_LARGE: &str = "too many snapshots to foresee in a list; the snapshot itself says";

/// The snapshot with its fate.
pub async fn with_fate(service: &Service, snapshot: Snapshot, now: Timestamp) -> (Snapshot, Fate) {
    let mut found = work_out(service, slice::from_ref(&snapshot), now).await;
    let fate = found.remove(&snapshot.id);
    (snapshot, fate.unwrap_or_else(|| Fate::unknown(INSTANCE_UNREADABLE)))
}

/// The snapshots of a page, each with its fate. Of each instance, and only of those whose snapshots depend on each
/// other, one list is read, of at most 1,000 records, and for the whole page at most 5,000, first come first served.
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
            (snapshot, fate.unwrap_or_else(|| Fate::unknown(PAGE_TOO_LARGE)))
        })
        .collect()
}

/// The fates of these, but for those for whose instances there was no room left.
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
    for (instance, group) in read_groups(service, instances).await {
        let Some(wanted) = by_instance.get(&instance) else { continue };
        match group {
            Group::Whole(others) => {
                let group = joined(wanted, others);
                let mut fates = fates(&input.facts(&group));
                found.extend(wanted.iter().filter_map(|snapshot| fates.remove_entry(&snapshot.id)));
            }
            Group::Unknown(because) => {
                let unknown = |one: &&Snapshot| (one.id.clone(), Fate::unknown(because));
                found.extend(wanted.iter().map(unknown));
            }
        }
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
        let fate = fates(&self.facts(slice::from_ref(snapshot))).remove(&snapshot.id);
        fate.unwrap_or_else(|| Fate::unknown(INSTANCE_UNREADABLE))
    }
}

/// The snapshots of an instance.
enum Group {
    Whole(Vec<Snapshot>),
    /// It cannot be told, and why.
    Unknown(&'static str),
}

/// The snapshots of these instances, a few instances at once, as long as there is room.
async fn read_groups(service: &Service, instances: Vec<InstanceId>) -> BTreeMap<InstanceId, Group> {
    let mut groups = BTreeMap::new();
    let mut room = PAGE_RECORDS_MAX;
    let mut waiting = instances.into_iter();
    while room > 0 {
        let limit = room.min(INSTANCE_RECORDS_MAX);
        // Together they cannot read more than there is room for.
        let at_once = (room / limit).min(READS_MAX);
        let mut reads = JoinSet::new();
        for instance in waiting.by_ref().take(at_once) {
            let table = service.table.clone();
            reads.spawn(async move { (read_group(&table, &instance, limit).await, instance) });
        }
        if reads.is_empty() {
            break;
        }
        while let Some(read) = reads.join_next().await {
            let Ok((read, instance)) = read else { continue };
            let group = match read {
                Ok(Read { snapshots, is_whole: true }) => {
                    room = room.saturating_sub(snapshots.len());
                    Group::Whole(snapshots)
                }
                Ok(Read { is_whole: false, .. }) => {
                    room = room.saturating_sub(limit);
                    let is_list = limit < INSTANCE_RECORDS_MAX;
                    Group::Unknown(if is_list { PAGE_TOO_LARGE } else { INSTANCE_TOO_LARGE })
                }
                Err(error) => {
                    warn!(instance.id = %instance, error.chain = %chain(&error), "Fates are unknown");
                    Group::Unknown(INSTANCE_UNREADABLE)
                }
            };
            groups.insert(instance, group);
        }
    }
    groups
}

struct Read {
    snapshots: Vec<Snapshot>,
    is_whole: bool,
}

async fn read_group(table: &Table, instance: &InstanceId, limit: usize) -> Result<Read, Error> {
    let list = SnapshotList::Of(instance.clone(), Presence::Here);
    let slice = Slice { order: Order::NewestFirst, limit, after: None };
    let listed = table.list_snapshots(&list, &slice).await?;
    let snapshots = listed.snapshots.into_iter().map(|(_, snapshot)| snapshot).collect();
    Ok(Read { snapshots, is_whole: !listed.more })
}

/// The snapshots of an instance in the order of their records; those wanted as they are shown, also where the list
/// does not have them yet.
fn joined(wanted: &[&Snapshot], others: Vec<Snapshot>) -> Vec<Snapshot> {
    let shown: BTreeSet<_> = wanted.iter().map(|snapshot| &snapshot.id).collect();
    let mut all: Vec<_> = others.into_iter().filter(|other| !shown.contains(&other.id)).collect();
    all.extend(wanted.iter().copied().cloned());
    all.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    all
}
