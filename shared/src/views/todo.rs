//! What waits for a person: everything that failed, is late, is in the way or needs a decision, in one list.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::domain::cursor::{Order, PageRequest};
use crate::domain::finding::{FindingState, RegionFindings};
use crate::domain::ids::ScheduleId;
use crate::domain::restore::RestoreStatus;
use crate::domain::restore::last_drill::DrillOutcome;
use crate::domain::run::{Run, RunStatus};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::statistics::Measure;
use crate::domain::sweep::Sweep;
use crate::domain::todo::{TodoAbout, TodoItem, TodoKind};
use crate::error::Error;
use crate::service::Service;
use crate::table::restores::RestoreList;
use crate::table::snapshots::Slice;
use crate::table::{SnapshotList, Table};
use crate::views::held_and_blocked::{Holds, list_blocked, list_held};
use crate::views::protection_counts::{ProtectionCounts, protection_counts};
use crate::views::review::{damaged, disabled};
use crate::views::{findings, statistics};

/// How many of one kind are looked at, and how many schedules' runs.
const LOOKED_AT_MAX: usize = 200;
/// How many of one kind are named one by one.
const NAMED_MAX: usize = 20;
/// How many lists are read at once.
const READS_MAX: usize = 8;
/// For how long something is in the way before it is worth a look.
const BLOCKED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// From how many of a hundred parts of a quota on it is near.
const QUOTA_PERCENT: u64 = 80;

/// All that waits for a person.
#[derive(Clone, Debug)]
pub struct Todo {
    /// The items: what matters most first, and then what has waited longest.
    pub items: Vec<TodoItem>,
    /// How the instances are protected; none where EC2 or the table could not say.
    pub protection: Option<ProtectionCounts>,
}

/// Everything that waits for a person at `now`. The reads grow with the number of schedules, by one Query for each of the
/// first 200, and with nothing else.
pub async fn todo(service: &Service, now: Timestamp) -> Result<Todo, Error> {
    let schedules = service.table.every_schedule().await?;
    let mut items = sweeps(service, &schedules).await?;
    items.extend(runs(service, &schedules).await?);
    items.extend(snapshots(service, now).await?);
    items.extend(restores(service).await?);
    items.extend(drills(service, &schedules).await?);
    items.extend(regions(service).await?);
    for one in disabled(service).await?.items {
        let stored = one.tally.get(Measure::Stored);
        let name = &one.schedule.settings.name;
        let detail = format!("{name} is disabled, and {stored} snapshots of it stay");
        let about = TodoAbout::Schedule(one.schedule.id.clone());
        let count = u64::try_from(stored).unwrap_or(0);
        items.push(TodoItem::new(
            TodoKind::DisabledWithSnapshots,
            (count, false),
            None,
            detail,
            about,
        ));
    }
    // What EC2 does not tell keeps nothing else back.
    let protection = protection_counts(service, now).await.ok();
    items.extend(protection.iter().flat_map(instances));
    items.sort_by(|one, other| one.order().cmp(&other.order()));
    Ok(Todo { items, protection })
}

fn newest(limit: usize) -> PageRequest {
    PageRequest { limit, ..PageRequest::default() }
}

async fn sweeps(
    service: &Service,
    schedules: &BTreeMap<ScheduleId, Schedule>,
) -> Result<Vec<TodoItem>, Error> {
    let page = service.table.list_sweeps(&newest(LOOKED_AT_MAX)).await?;
    let waiting = page.items.into_iter().filter(Sweep::needs_approval);
    let of = |sweep: Sweep| {
        let detail = match sweep.brakes.as_slice() {
            [one] => {
                let name = schedules.get(&one.schedule_id).map(|found| &found.settings.name);
                let whose = name.map_or_else(|| "one schedule".to_owned(), Clone::clone);
                format!(
                    "the brake has stopped it at {whose}: {} unexpected deletions",
                    one.unexpected
                )
            }
            _ => format!("the brake has stopped it at {} schedules", sweep.brakes_total),
        };
        let about = TodoAbout::Sweep(sweep.id.to_string());
        TodoItem::new(TodoKind::SweepNeedsApproval, (1, false), sweep.planned_at, detail, about)
    };
    Ok(waiting.take(NAMED_MAX).map(of).collect())
}

/// The last run of each schedule, if it did not go well.
async fn runs(
    service: &Service,
    schedules: &BTreeMap<ScheduleId, Schedule>,
) -> Result<Vec<TodoItem>, Error> {
    let mut items = Vec::new();
    let ids: Vec<_> = schedules.keys().take(LOOKED_AT_MAX).cloned().collect();
    for chunk in ids.chunks(READS_MAX) {
        let mut reads = JoinSet::new();
        for id in chunk {
            let (table, id) = (service.table.clone(), id.clone());
            reads.spawn(async move { last_settled(&table, &id).await });
        }
        while let Some(read) = reads.join_next().await {
            let run = read.map_err(|source| Error::internal("reading the last runs", source))??;
            let Some(run) = run else { continue };
            let name = schedules.get(&run.slot.schedule_id).map(|one| &*one.settings.name);
            items.extend(run_item(&run, name.unwrap_or_default()));
        }
    }
    Ok(items)
}

/// The newest run of a schedule that is over, among its last five.
async fn last_settled(table: &Table, id: &ScheduleId) -> Result<Option<Run>, Error> {
    let runs = table.list_runs(id, &newest(5)).await?.items;
    Ok(runs.into_iter().find(|run| !run.status.is_under_way()))
}

fn run_item(run: &Run, name: &str) -> Option<TodoItem> {
    let at = run.slot.slot;
    let counts = &run.counts;
    let (kind, detail) = match run.status {
        RunStatus::Missed => {
            (TodoKind::RunMissed, format!("the slot at {at} of {name} led to nothing"))
        }
        RunStatus::Failed | RunStatus::PartlyFailed => {
            let (failed, total) = (counts.failed, counts.total);
            let why = run.failure.as_ref().map(|failure| format!(": {}", failure.message));
            let why = why.unwrap_or_default();
            let what = match total {
                0 => format!("the run of {name} failed{why}"),
                _ => format!("{failed} of {total} targets of {name} failed{why}"),
            };
            (TodoKind::RunFailed, what)
        }
        RunStatus::Done if run.missed > 0 => {
            let missed = run.missed;
            let slots = if missed == 1 { "slot" } else { "slots" };
            (TodoKind::RunMissed, format!("{missed} {slots} of {name} before {at} led to nothing"))
        }
        RunStatus::Done | RunStatus::Dispatching | RunStatus::Running => return None,
    };
    let about = TodoAbout::Run(run.slot.schedule_id.clone(), at);
    let many = if kind == TodoKind::RunFailed { counts.failed } else { run.missed };
    let count = u64::from(many).max(1);
    Some(TodoItem::new(kind, (count, false), Some(at), detail, about))
}

async fn snapshots(service: &Service, now: Timestamp) -> Result<Vec<TodoItem>, Error> {
    let mut items = Vec::new();
    let mut tally = crate::domain::statistics::Tally::default();
    for row in statistics::regions(service).await? {
        tally.add_all(&row.tally);
    }
    for (status, kind, one, what) in [
        (Status::Error, TodoKind::SnapshotFailed, "has failed", "have failed"),
        (Status::Missing, TodoKind::SnapshotMissing, "is in EC2 no more", "are in EC2 no more"),
    ] {
        let slice = Slice { order: Order::OldestFirst, limit: 1, after: None };
        let listed = service.table.list_snapshots(&SnapshotList::InStatus(status), &slice).await?;
        let Some((_, oldest)) = listed.snapshots.into_iter().next() else { continue };
        // Missing ones are counted since counting began; of both there is at least the one that was found.
        let count = u64::try_from(tally.get(Measure::Status(status))).unwrap_or(0).max(1);
        let detail = if count == 1 {
            format!("1 snapshot {one}")
        } else {
            format!("{count} snapshots {what}")
        };
        let since = oldest.ending.gone_at.unwrap_or(oldest.course.touched_at);
        items.push(TodoItem::new(kind, (count, false), Some(since), detail, TodoAbout::Many));
    }
    let torn = damaged(service).await?;
    let since =
        torn.items.iter().filter_map(|one| one.ending.damaged.as_ref().map(|it| it.at)).min();
    items.extend(many(TodoKind::SnapshotDamaged, (torn.items.len(), torn.more), since, "are torn"));
    let request = PageRequest { order: Order::OldestFirst, ..newest(LOOKED_AT_MAX) };
    let held = list_held(service, Holds::ReviewDue, &request, now).await?;
    let review_at = |one: &Snapshot| one.keepers.hold.as_ref().and_then(|hold| hold.review_at);
    let since = held.items.iter().filter_map(review_at).min();
    let count = (held.items.len(), held.next_cursor.is_some());
    items.extend(many(TodoKind::HoldReviewDue, count, since, "have a hold that is to be reviewed"));
    let blocked = list_blocked(service, &request).await?;
    let until = now.saturating_sub(BLOCKED_FOR).unwrap_or(now);
    let sinces =
        blocked.items.iter().filter_map(|one| one.ending.blocked.as_ref().map(|it| it.since));
    let long: Vec<_> = sinces.filter(|since| *since <= until).collect();
    let count = (long.len(), blocked.next_cursor.is_some());
    let what = "should be gone, and something is in the way";
    items.extend(many(TodoKind::SnapshotBlocked, count, long.into_iter().min(), what));
    Ok(items)
}

/// An item for several snapshots; nothing if there are none.
fn many(
    kind: TodoKind,
    (count, more): (usize, bool),
    since: Option<Timestamp>,
    what: &str,
) -> Option<TodoItem> {
    let at_least = if more { "at least " } else { "" };
    let detail = format!("{at_least}{count} snapshots {what}");
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    (count > 0).then(|| TodoItem::new(kind, (count, more), since, detail, TodoAbout::Many))
}

async fn restores(service: &Service) -> Result<Vec<TodoItem>, Error> {
    let slice = Slice { order: Order::NewestFirst, limit: NAMED_MAX, after: None };
    let list = RestoreList::That(RestoreStatus::Failed);
    let (found, _) = service.table.list_restores(&list, &slice).await?;
    let of = |(_, restore): (String, crate::domain::restore::Restore)| {
        let failure = restore.course.failure.as_ref();
        let why = failure.map_or("it stopped", |failure| failure.message.as_str());
        let what = restore.snapshot_name.as_str();
        let detail = format!("the restore of {what} has stopped: {why}");
        let since = failure.map(|failure| failure.at);
        let about = TodoAbout::Restore(restore.id.to_string());
        TodoItem::new(TodoKind::RestoreFailed, (1, false), since, detail, about)
    };
    Ok(found.into_iter().map(of).collect())
}

async fn drills(
    service: &Service,
    schedules: &BTreeMap<ScheduleId, Schedule>,
) -> Result<Vec<TodoItem>, Error> {
    let with_drills = schedules.values().filter(|one| one.settings.drill_every.is_some());
    let ids: Vec<_> = with_drills.map(|one| one.id.clone()).collect();
    let last = service.table.last_drills_of_schedules(&ids).await?;
    let mut items = Vec::new();
    for (id, drill) in last.into_iter().filter(|(_, one)| one.outcome == DrillOutcome::Failed) {
        let name = schedules.get(&id).map_or("", |one| one.settings.name.as_str());
        let why = drill.failure.as_deref().unwrap_or("it did not say why");
        let detail = format!("the last drill of {name} failed: {why}");
        let about = TodoAbout::Restore(drill.restore_id.to_string());
        items.push(TodoItem::new(TodoKind::DrillFailed, (1, false), Some(drill.at), detail, about));
    }
    for schedule in schedules.values() {
        let Some(why) = &schedule.drills.put_off else { continue };
        let detail = format!("the drill of {} is put off: {why}", schedule.settings.name);
        let about = TodoAbout::Schedule(schedule.id.clone());
        items.push(TodoItem::new(
            TodoKind::DrillPutOff,
            (1, false),
            schedule.drills.due,
            detail,
            about,
        ));
    }
    Ok(items)
}

async fn regions(service: &Service) -> Result<Vec<TodoItem>, Error> {
    let quota = u64::from(service.settings.snapshot_quota);
    let mut items = Vec::new();
    for one in findings::regions(service).await? {
        if let Some(why) = &one.out_of_reach {
            let detail = format!("{} gives no answer: {why}", one.region);
            let about = TodoAbout::Region(one.region.clone());
            let since = Some(one.looked_at);
            items.push(TodoItem::new(TodoKind::RegionOutOfReach, (1, false), since, detail, about));
        }
        let there = there_in(&one);
        if quota > 0 && there.saturating_mul(100) >= quota.saturating_mul(QUOTA_PERCENT) {
            let region = &one.region;
            let detail = format!("{region} has {there} EBS snapshots, of {quota} that are allowed");
            let about = TodoAbout::Region(one.region.clone());
            items.push(TodoItem::new(TodoKind::QuotaNear, (there, false), None, detail, about));
        }
    }
    Ok(items)
}

/// How many EBS snapshots were there in a region at the last look.
fn there_in(region: &RegionFindings) -> u64 {
    let buckets = region.found.iter().flat_map(|found| &found.buckets);
    buckets.filter(|one| one.bucket.place != FindingState::Missing).map(|one| one.count).sum()
}

fn instances(counts: &ProtectionCounts) -> Vec<TodoItem> {
    let kinds = [
        (TodoKind::InstanceLate, &counts.late, "not as protected as their schedules promise"),
        (TodoKind::InstanceUnprotected, &counts.unprotected, "without a schedule that fires"),
    ];
    let of = |(kind, instances, what): (TodoKind, &Vec<_>, &str)| {
        let names: BTreeSet<String> = instances
            .iter()
            .map(|(id, name): &(crate::domain::ids::InstanceId, Option<String>)| {
                name.clone().unwrap_or_else(|| id.to_string())
            })
            .collect();
        let first: Vec<_> = names.iter().take(3).map(String::as_str).collect();
        let dots = if names.len() > first.len() { ", …" } else { "" };
        let detail =
            format!("{} instances are {what}: {}{dots}", instances.len(), first.join(", "));
        let about = match instances.as_slice() {
            [(id, _)] => TodoAbout::Instance(id.to_string()),
            _ => TodoAbout::Many,
        };
        let count = u64::try_from(instances.len()).unwrap_or(u64::MAX);
        (count > 0).then(|| TodoItem::new(kind, (count, counts.more), None, detail, about))
    };
    kinds.into_iter().filter_map(of).collect()
}
