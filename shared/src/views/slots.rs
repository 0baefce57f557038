//! The calendar of promised slots: of each instance and day how many were due, and what became of them.

pub mod days;

use std::collections::{BTreeMap, VecDeque};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::domain::cursor::PageRequest;
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::instance::Instance;
use crate::domain::run::Run;
use crate::domain::run::promise::KeptPromise;
use crate::domain::schedule::Schedule;
use crate::domain::schedule::slots::Timing;
use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::regions::find_instance;
use crate::service::Service;
use crate::table::comb::CombBounds;
use crate::table::{Presence, Table};
use crate::views::instance_coverage::checked_region;
use crate::views::instances::{InstanceQuery, list_instances};
use crate::views::slots::days::{CalendarDays, DayCounts};

/// How many runs of a page's schedules are looked at together: two schedules of every five minutes have fewer in a month.
pub const RUNS_MAX: usize = 20_000;
/// How many schedules are read side by side, and how many instances.
const READS_MAX: usize = 8;
/// How long after its slot a snapshot may be asked for, staggered or caught up.
const ASKED_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// How far ahead slots are counted.
const COMING_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// A slot that was promised to an instance.
#[derive(Clone, Debug)]
pub struct PromisedSlot {
    pub at: Timestamp,
    pub schedule_id: ScheduleId,
    pub schedule_name: String,
    pub promise: KeptPromise,
    /// Its snapshot, if there is or was one.
    pub snapshot_id: Option<SnapshotId>,
}

/// The calendar of an instance.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub instance_id: InstanceId,
    pub instance_name: Option<String>,
    /// Where it is, where that is known.
    pub region: Option<String>,
    /// The days that had slots, in order, in numbers.
    pub days: BTreeMap<Date, DayCounts>,
    /// The slots, in order, where each was asked for.
    pub slots: Vec<PromisedSlot>,
    /// How many slots its schedules promise it for the 24 hours to come.
    pub coming: usize,
}

/// A page of calendars.
#[derive(Clone, Debug)]
pub struct Calendars {
    pub items: Vec<Calendar>,
    pub next_cursor: Option<crate::domain::cursor::Cursor>,
    pub out_of_reach: Vec<String>,
}

/// Whether each slot is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Days,
    Slots,
}

/// The calendars of one page of the instances that `query` wants: a page of EC2's, the runs of the schedules that are for
/// them, and two Queries for each instance. They have days in numbers, and no slots.
pub async fn calendars(
    service: &Service,
    query: &InstanceQuery,
    days: &CalendarDays,
    request: &PageRequest,
    now: Timestamp,
) -> Result<Calendars, Error> {
    checked_region(service, query)?;
    let list = list_instances(service, query, request).await?;
    let instances: Vec<_> = list.page.items.iter().map(Known::of).collect();
    let items = of_instances(service, instances, (days, Detail::Days), now).await?;
    Ok(Calendars { items, next_cursor: list.page.next_cursor, out_of_reach: list.out_of_reach })
}

/// The calendar of one instance. Of one that EC2 shows no more, by the schedules of its snapshots.
pub async fn calendar(
    service: &Service,
    id: &InstanceId,
    days: &CalendarDays,
    now: Timestamp,
) -> Result<Calendar, Error> {
    let known = match find_instance(service, id).await {
        Ok(instance) => Known::of(&instance),
        Err(Error::NotFound { .. }) => {
            Known { id: id.clone(), name: None, region: None, instance: None }
        }
        Err(error) => return Err(error),
    };
    let found = of_instances(service, vec![known], (days, Detail::Slots), now).await?.pop();
    found.ok_or_else(|| Error::not_found("instance", id))
}

/// What is known of an instance.
struct Known {
    id: InstanceId,
    name: Option<String>,
    region: Option<String>,
    /// As EC2 shows it.
    instance: Option<Instance>,
}

impl Known {
    fn of(instance: &Instance) -> Self {
        Self {
            id: instance.id.clone(),
            name: instance.name.clone(),
            region: Some(instance.region.clone()),
            instance: Some(instance.clone()),
        }
    }

    /// Whether a schedule is for it: by what EC2 shows, or else by what it took.
    fn has(&self, schedule: &Schedule, records: &Records) -> bool {
        match &self.instance {
            Some(instance) => schedule.settings.targets.include(instance),
            None => records.values().any(|one| one.schedule_id() == Some(&schedule.id)),
        }
    }
}

type Records = BTreeMap<SnapshotId, Snapshot>;

async fn of_instances(
    service: &Service,
    instances: Vec<Known>,
    (days, detail): (&CalendarDays, Detail),
    now: Timestamp,
) -> Result<Vec<Calendar>, Error> {
    let bounds = days.bounds()?;
    let schedules = service.table.every_schedule().await?;
    let ids: Vec<_> = instances.iter().map(|one| one.id.clone()).collect();
    let mut records = records(&service.table, &ids, bounds).await?;
    let mut drafts: Vec<_> = instances
        .into_iter()
        .map(|known| Draft {
            records: records.remove(&known.id).unwrap_or_default(),
            days: BTreeMap::new(),
            slots: Vec::new(),
            known,
        })
        .collect();
    let wanted = schedules.values().filter(|schedule| drafts.iter().any(|one| one.is_of(schedule)));
    let mut wanted: VecDeque<_> = wanted.map(|schedule| schedule.id.clone()).collect();
    let mut reads = JoinSet::new();
    let mut room = RUNS_MAX;
    loop {
        while reads.len() < READS_MAX
            && let Some(id) = wanted.pop_front()
        {
            let table = service.table.clone();
            reads.spawn(async move { (table.runs_between(&id, bounds, RUNS_MAX).await, id) });
        }
        let Some(read) = reads.join_next().await else { break };
        let (runs, id) = read.map_err(|source| Error::internal("reading runs", source))?;
        let runs = runs?.filter(|runs| runs.len() <= room).ok_or_else(|| {
            Error::conflict(format!(
                "there are more than {RUNS_MAX} runs in that time; ask for fewer days, or for one instance"
            ))
        })?;
        room -= runs.len();
        if let Some(schedule) = schedules.get(&id) {
            Reading { schedule, days, detail }.note(&runs, &mut drafts);
        }
    }
    let coming = coming(&schedules, now);
    Ok(drafts.into_iter().map(|one| one.finished(&coming)).collect())
}

/// The calendar of an instance being made.
struct Draft {
    known: Known,
    /// What was asked for of it in the time.
    records: Records,
    days: BTreeMap<Date, DayCounts>,
    slots: Vec<PromisedSlot>,
}

impl Draft {
    /// Whether a schedule may have promised it anything: what it took for the instance it promised, whomever it is for now.
    fn is_of(&self, schedule: &Schedule) -> bool {
        self.known.has(schedule, &self.records)
            || self.records.values().any(|one| one.schedule_id() == Some(&schedule.id))
    }

    fn finished(self, coming: &[(&Schedule, usize)]) -> Calendar {
        let Self { known, records: _records, days, mut slots } = self;
        slots.sort_by(|one, other| (one.at, &one.schedule_id).cmp(&(other.at, &other.schedule_id)));
        let Known { id, name, region, instance } = known;
        let is_for = |schedule: &Schedule| {
            instance.as_ref().is_some_and(|it| schedule.settings.targets.include(it))
        };
        let coming = coming.iter().filter(|(one, _)| is_for(one)).map(|(_, count)| count).sum();
        Calendar { instance_id: id, instance_name: name, region, days, slots, coming }
    }
}

/// The runs of a schedule being read into calendars.
#[derive(Clone, Copy)]
struct Reading<'a> {
    schedule: &'a Schedule,
    days: &'a CalendarDays,
    detail: Detail,
}

impl Reading<'_> {
    /// Notes what these runs have promised to whom.
    fn note(self, runs: &[Run], drafts: &mut [Draft]) {
        let Self { schedule, days, detail } = self;
        let concerned: Vec<_> = drafts.iter_mut().filter(|one| one.is_of(schedule)).collect();
        // What led to nothing was promised to those that it is for now.
        let mut concerned: Vec<_> =
            concerned.into_iter().map(|one| (one.known.has(schedule, &one.records), one)).collect();
        let by_id: BTreeMap<_, _> = concerned
            .iter()
            .enumerate()
            .map(|(index, (_, one))| (one.known.id.clone(), index))
            .collect();
        for run in runs {
            let mut places = vec![None; concerned.len()];
            for (place, id) in run.targets.iter().enumerate() {
                if let Some(found) = by_id.get(id).and_then(|index| places.get_mut(*index)) {
                    *found = Some(place);
                }
            }
            let date = days.day_of(run.slot.slot);
            for ((is_for_it, draft), place) in concerned.iter_mut().zip(places) {
                if place.is_none() && !*is_for_it {
                    continue;
                }
                let id = place.map(|_| run.slot.snapshot_id(&draft.known.id));
                let record = id.as_ref().and_then(|id| draft.records.get(id));
                let Some(promise) = run.promise(place, record) else { continue };
                draft.days.entry(date).or_default().add(promise.outcome);
                if detail == Detail::Slots {
                    let snapshot_id = record.map(|one| one.id.clone());
                    draft.slots.push(PromisedSlot {
                        at: run.slot.slot,
                        schedule_id: schedule.id.clone(),
                        schedule_name: schedule.settings.name.clone(),
                        promise,
                        snapshot_id,
                    });
                }
            }
        }
    }
}

/// How many slots each schedule has within the 24 hours to come.
fn coming(schedules: &BTreeMap<ScheduleId, Schedule>, now: Timestamp) -> Vec<(&Schedule, usize)> {
    let until = now.saturating_add(COMING_WITHIN).unwrap_or(now);
    let enabled = schedules.values().filter(|schedule| schedule.settings.enabled);
    let count = |schedule| {
        Timing::of(schedule).slots_after(now).take_while(|slot: &Timestamp| *slot <= until).count()
    };
    enabled.map(|schedule| (schedule, count(schedule))).collect()
}

/// What was asked for of each instance in a time, gone or not: two Queries an instance, a few at once.
async fn records(
    table: &Table,
    instances: &[InstanceId],
    (from, to): (Timestamp, Timestamp),
) -> Result<BTreeMap<InstanceId, Records>, Error> {
    let to = to.saturating_add(ASKED_WITHIN).unwrap_or(to);
    let bounds = CombBounds { from: Some(from), to: Some(to) };
    let mut all = BTreeMap::new();
    for chunk in instances.chunks(READS_MAX) {
        let mut reads = JoinSet::new();
        for instance in chunk.iter().cloned() {
            let table = table.clone();
            reads.spawn(async move {
                let mut found =
                    table.comb(&instance, Presence::Here, bounds).await?.into_snapshots();
                found.extend(table.comb(&instance, Presence::Gone, bounds).await?.into_snapshots());
                let found = found.into_iter().map(|one| (one.id.clone(), one)).collect();
                Ok::<_, Error>((instance, found))
            });
        }
        while let Some(read) = reads.join_next().await {
            let read = read.map_err(|source| Error::internal("reading combs", source))?;
            let (instance, found): (_, Records) = read?;
            all.insert(instance, found);
        }
    }
    Ok(all)
}
