//! The calendar of promised slots: of each instance and day how many were due, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::task::JoinSet;

use crate::domain::cursor::{Order, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::instance::Instance;
use crate::domain::run::Run;
use crate::domain::run::promise::{KeptPromise, SlotOutcome};
use crate::domain::schedule::Schedule;
use crate::domain::schedule::slots::Timing;
use crate::domain::schedule::zone::Zone;
use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::regions::find_instance;
use crate::service::Service;
use crate::table::comb::CombBounds;
use crate::table::{Presence, Table};
use crate::views::instance_coverage::checked_region;
use crate::views::instances::{InstanceQuery, list_instances};
use crate::views::runs::{RunFilter, list as list_runs};

/// How many days one calendar has at the most.
pub const DAYS_MAX: i64 = 31;
/// How many runs are looked at for one.
const RUNS_MAX: usize = 5_000;
/// How many are read at once, and how many instances.
const RUNS_PAGE: usize = 200;
const READS_MAX: usize = 8;
/// How long after its slot a snapshot may be asked for, staggered or caught up.
const ASKED_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// How far ahead slots are counted.
const COMING_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Which days are wanted, in which zone.
#[derive(Clone, Debug)]
pub struct CalendarDays {
    pub from: Date,
    /// The last day, which is in it.
    pub to: Date,
    pub zone: Zone,
}

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
    /// The slots, in order.
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

impl CalendarDays {
    /// The days, checked: at most 31, and in order.
    pub fn checked(from: Date, to: Date, zone: Zone) -> Result<Self, Error> {
        let last = from.checked_add((DAYS_MAX - 1).days()).unwrap_or(Date::MAX);
        if to < from || to > last {
            let allowed = format!("must lie 0 to {} days after from", DAYS_MAX - 1);
            return Err(Error::invalid("to", allowed));
        }
        Ok(Self { from, to, zone })
    }

    /// The instants that they begin and end at.
    fn bounds(&self) -> Result<(Timestamp, Timestamp), Error> {
        let start = |date: Date| {
            let zoned = date.to_zoned(self.zone.time_zone().clone());
            zoned
                .map(|zoned| zoned.timestamp())
                .map_err(|_| Error::invalid("from", "is no day there"))
        };
        let after = self.to.tomorrow().map_err(|_| Error::invalid("to", "is the end of time"))?;
        Ok((start(self.from)?, start(after)?))
    }

    /// The day of an instant.
    pub fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.time_zone().clone()).date()
    }
}

/// The calendars of one page of the instances that `query` wants: a page of EC2's, the runs of the schedules that are for
/// them, and two Queries for each instance.
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
    let items = of_instances(service, instances, days, now).await?;
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
    let found = of_instances(service, vec![known], days, now).await?.pop();
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
    days: &CalendarDays,
    now: Timestamp,
) -> Result<Vec<Calendar>, Error> {
    let (from, to) = days.bounds()?;
    let schedules = service.table.every_schedule().await?;
    let ids: Vec<_> = instances.iter().map(|one| one.id.clone()).collect();
    let records = records(&service.table, &ids, (from, to)).await?;
    let nothing = Records::new();
    let of = |known: &Known| records.get(&known.id).unwrap_or(&nothing);
    // What a schedule took for an instance it promised, whomever it is for now.
    let is_of = |known: &Known, schedule: &Schedule| {
        known.has(schedule, of(known))
            || of(known).values().any(|one| one.schedule_id() == Some(&schedule.id))
    };
    let wanted: Vec<_> = schedules
        .values()
        .filter(|schedule| instances.iter().any(|known| is_of(known, schedule)))
        .collect();
    let mut slots: BTreeMap<InstanceId, Vec<PromisedSlot>> = BTreeMap::new();
    let mut room = RUNS_MAX;
    for schedule in wanted {
        let concerned: Vec<_> = instances.iter().filter(|known| is_of(known, schedule)).collect();
        for run in runs(service, &schedule.id, (from, to), &mut room).await? {
            let places = places(&run, &concerned);
            for known in &concerned {
                let snapshot_id = run.slot.snapshot_id(&known.id);
                let record = of(known).get(&snapshot_id);
                let place = places.get(&known.id).copied();
                // What led to nothing was promised to those that it is for now.
                let Some(promise) = run.promise(place, record) else { continue };
                if place.is_none() && !known.has(schedule, of(known)) {
                    continue;
                }
                slots.entry(known.id.clone()).or_default().push(PromisedSlot {
                    at: run.slot.slot,
                    schedule_id: schedule.id.clone(),
                    schedule_name: schedule.settings.name.clone(),
                    promise,
                    snapshot_id: record.map(|_| snapshot_id),
                });
            }
        }
    }
    let coming = coming(&schedules, now);
    let calendar = |known: Known| {
        let mut slots = slots.remove(&known.id).unwrap_or_default();
        slots.sort_by(|one, other| (one.at, &one.schedule_id).cmp(&(other.at, &other.schedule_id)));
        let Known { id, name, region, instance } = known;
        let is_for = |schedule: &Schedule| {
            instance.as_ref().is_some_and(|it| schedule.settings.targets.include(it))
        };
        let coming = coming.iter().filter(|(one, _)| is_for(one)).map(|(_, count)| count).sum();
        Calendar { instance_id: id, instance_name: name, region, slots, coming }
    };
    Ok(instances.into_iter().map(calendar).collect())
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

/// Where each of these instances stands among a run's targets.
fn places(run: &Run, wanted: &[&Known]) -> BTreeMap<InstanceId, usize> {
    let wanted: BTreeSet<_> = wanted.iter().map(|known| &known.id).collect();
    let targets = run.targets.iter().enumerate().filter(|(_, id)| wanted.contains(id));
    targets.map(|(place, id)| (id.clone(), place)).collect()
}

/// The runs of a schedule in a time, as long as there is room.
async fn runs(
    service: &Service,
    id: &ScheduleId,
    (from, to): (Timestamp, Timestamp),
    room: &mut usize,
) -> Result<Vec<Run>, Error> {
    let filter = RunFilter { from: Some(from), to: Some(to), ..RunFilter::default() };
    let mut request = PageRequest { limit: RUNS_PAGE, cursor: None, order: Order::NewestFirst };
    let mut all = Vec::new();
    loop {
        let page = list_runs(service, id, &filter, &request).await?;
        if page.items.len() > *room {
            return Err(Error::conflict(format!(
                "there are more than {RUNS_MAX} runs in that time; ask for fewer days, or for one instance"
            )));
        }
        *room -= page.items.len();
        all.extend(page.items);
        if page.next_cursor.is_none() {
            return Ok(all);
        }
        request.cursor = page.next_cursor;
    }
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

/// How many slots of a day it went how with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    pub due: usize,
    pub met: usize,
    pub late: usize,
    pub missed: usize,
    pub failed: usize,
    pub put_off: usize,
    pub open: usize,
}

impl Calendar {
    /// The days that had slots, in order.
    pub fn days(&self, days: &CalendarDays) -> BTreeMap<Date, DayCounts> {
        let mut all: BTreeMap<Date, DayCounts> = BTreeMap::new();
        for slot in &self.slots {
            let counts = all.entry(days.day_of(slot.at)).or_default();
            counts.due += 1;
            match slot.promise.outcome {
                SlotOutcome::Met => counts.met += 1,
                SlotOutcome::Late => counts.late += 1,
                SlotOutcome::Missed => counts.missed += 1,
                SlotOutcome::Failed => counts.failed += 1,
                SlotOutcome::PutOff => counts.put_off += 1,
                SlotOutcome::Open => counts.open += 1,
            }
        }
        all
    }
}
