//! The plan of a sweep: what there is, judged, and stored. It is also the dry run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::domain::ids::{EbsSnapshotId, ScheduleId, SweepId};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::WantedDeletion;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::{Brake, ClockDoubt, brakes, clock_doubt};
use crate::domain::sweep::plan::{PlanEntry, Verdict, World, plan, plan_hash};
use crate::domain::sweep::{PlanCounts, Sweep, SweepMode, SweepStatus};
use crate::ec2::Ec2;
use crate::error::{Error, chain};
use crate::operations::images::note_uses::{ImageUses, note_images};
use crate::operations::sweeps::gone_instances::remember;
use crate::regions::OutOfReach;
use crate::service::Service;
use crate::table::keys::{self, Index, Presence};
use crate::table::snapshots::SnapshotList;
use crate::table::sweeps::PLAN_PAGE_ENTRIES;
use crate::views::gone_instances::{AbsentInstances, look};

/// How many changes of what blocks a snapshot one sweep writes; the next goes on.
const BLOCKED_NOTED_MAX: usize = 1_000;

/// How long before a plan an edit must lie for the plan to have seen it for certain.
pub(crate) const EDIT_SETTLED: SignedDuration = SignedDuration::from_mins(1);

/// Everything that decisions depend on, as it was at one moment.
pub(crate) struct SweepFacts {
    schedules: BTreeMap<ScheduleId, Schedule>,
    snapshots: Vec<Snapshot>,
    uses: ImageUses,
    looks: AbsentInstances,
    last_sweep_at: Option<Timestamp>,
    /// The regions that have answered.
    within_reach: BTreeSet<String>,
    out_of_reach: Vec<String>,
    /// Why the clock is not trusted.
    pub(crate) doubt: Option<ClockDoubt>,
}

impl SweepFacts {
    /// What the table and EC2 say; `now` is held against EC2's clock.
    pub(crate) async fn read(service: &Service, now: Timestamp) -> Result<Self, Error> {
        let last_sweep_at = service.table.last_sweep_at().await?;
        let RegionAnswers { uses, within_reach, out_of_reach, doubt } =
            look_around(service, last_sweep_at, now).await?;
        let schedules = service.table.every_schedule().await?;
        let list = SnapshotList { index: Index::All, partition: keys::all(Presence::Here) };
        let snapshots = service.table.every_snapshot(&list).await?;
        let looks = look(service, &schedules, &snapshots).await?;
        Ok(Self {
            schedules,
            snapshots,
            uses,
            looks,
            last_sweep_at,
            within_reach,
            out_of_reach,
            doubt,
        })
    }

    /// The plan it makes at `now`. What is in a region out of reach stays.
    pub(crate) fn plan(&self, service: &Service, now: Timestamp) -> Vec<PlanEntry> {
        let unseen: BTreeMap<_, _> =
            self.unseen().map(|one| (&one.id, &one.source.region)).collect();
        // Of several images that use one, the one of the lowest id.
        let in_use =
            self.uses.iter().filter_map(|(id, images)| Some((id.clone(), images.first()?.clone())));
        let mut entries = plan(&World {
            schedules: &self.schedules,
            snapshots: &self.snapshots,
            in_use: &in_use.collect(),
            gone: &self.looks.gone(now),
            absent: &self.looks.in_doubt(now),
            failed_kept: service.settings.failed_kept,
            now,
        });
        for entry in entries.iter_mut().filter(|entry| entry.verdict != Verdict::Keep) {
            if let Some(region) = unseen.get(&entry.snapshot_id) {
                entry.verdict = Verdict::Keep;
                entry.reasons = vec![format!("its region {region} is out of reach; left alone")];
            }
        }
        entries
    }

    /// The snapshots of regions that have not answered.
    fn unseen(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().filter(|one| !self.within_reach.contains(&one.source.region))
    }

    /// The snapshots of regions that have answered.
    fn seen(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().filter(|one| self.within_reach.contains(&one.source.region))
    }

    /// Writes down which instances were not there at this look, for the next.
    pub(crate) async fn remember(&self, service: &Service, now: Timestamp) -> Result<(), Error> {
        remember(service, &self.looks, now).await
    }

    /// The schedules with an edited rule for gone instances, of which one may be gone since before the edit and is
    /// not believed to be. One that was still there at a sweep since the edit is not in question. And those with
    /// snapshots that were not judged, because their region is out of reach.
    fn unsettled(&self, now: Timestamp) -> Vec<ScheduleId> {
        let in_doubt = self.looks.in_doubt(now);
        let edited: BTreeMap<_, _> = self
            .schedules
            .iter()
            .filter(|(_, one)| one.settings.when_gone != one.enforced.when_gone)
            .map(|(id, one)| (id, self.has_seen(one)))
            .collect();
        let doubtful: BTreeSet<_> = self
            .snapshots
            .iter()
            .filter(|one| in_doubt.contains(&one.source.instance_id))
            .filter_map(|one| Some((one.schedule_id()?, &one.source.instance_id)))
            .filter(|(id, instance)| {
                let has_seen = edited.get(id);
                has_seen.is_some_and(|seen| !seen || self.looks.has_earlier(instance))
            })
            .map(|(id, _)| id)
            .collect();
        let unjudged = self.unseen().filter_map(Snapshot::schedule_id);
        doubtful.into_iter().chain(unjudged).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether a sweep has looked at the instances of a schedule since its last edit.
    fn has_seen(&self, schedule: &Schedule) -> bool {
        let since_edit = self.last_sweep_at.map(|last| last.duration_since(schedule.updated_at));
        since_edit.is_some_and(|since| since >= EDIT_SETTLED)
    }
}

/// What EC2 says that a plan depends on.
struct RegionAnswers {
    uses: ImageUses,
    within_reach: BTreeSet<String>,
    out_of_reach: Vec<String>,
    doubt: Option<ClockDoubt>,
}

/// Asks every region which snapshots its images use, and what its clock says. It fails only if none answers. Where one
/// that answers doubts our clock, the clock is doubted.
async fn look_around(
    service: &Service,
    last_sweep_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<RegionAnswers, Error> {
    let mut uses = ImageUses::new();
    let mut within_reach = BTreeSet::new();
    let mut out_of_reach = OutOfReach::default();
    let mut doubt: Option<ClockDoubt> = None;
    for ec2 in service.everywhere() {
        match ec2.image_uses().await {
            Ok(answer) => {
                // At once: what EC2's clock says now is to be held against `now`, before reading takes its time.
                let doubted = clock_doubt(last_sweep_at, ec2.date(), now);
                let is_graver = matches!(doubted, Some(ClockDoubt::Wrong(_)));
                doubt = if is_graver { doubted } else { doubt.or(doubted) };
                uses.extend(answer);
                within_reach.insert(ec2.region().to_owned());
            }
            Err(error) => out_of_reach.note(ec2.region(), error),
        }
    }
    let names = out_of_reach.names();
    match out_of_reach.into_error() {
        Some(error) if within_reach.is_empty() => Err(error),
        Some(_) | None => Ok(RegionAnswers { uses, within_reach, out_of_reach: names, doubt }),
    }
}

/// The sweep as it is planned: every snapshot judged at `now`, the brake set, the plan stored.
///
/// One that only plans only reads. One that is to be carried out, by a clock that is trusted, also writes what it
/// has found out: which instances were not there, which snapshots images block or use, and marks where EC2's do
/// not agree with the records.
pub async fn plan_sweep(service: &Service, sweep: &Sweep, now: Timestamp) -> Result<Sweep, Error> {
    let present = SweepFacts::read(service, now).await?;
    let is_trusted = sweep.mode == SweepMode::Execute && present.doubt.is_none();
    if is_trusted {
        present.remember(service, now).await?;
    }
    let entries = present.plan(service, now);
    let planned = PlanCounts::of(&entries);
    let hash = plan_hash(&entries);
    let brakes = brakes(&entries, &present.snapshots, service.settings.brake);
    if is_trusted {
        tidy_marks(service, &present).await?;
        note_blocked(service, &present, &entries, &brakes, now).await?;
        note_images(service, present.seen(), &present.uses, now).await?;
    }
    let stored = stored_entries(sweep, entries);
    let pages = store(service, (&sweep.id, &hash), &stored, now).await?;
    info!(
        sweep.id = %sweep.id,
        "Sweep {}: {} of {} snapshots are to go", sweep.id, planned.delete, planned.snapshots
    );
    let (status, refusal) = match (sweep.mode, &present.doubt) {
        (SweepMode::PlanOnly, _) => (SweepStatus::Planned, None),
        (SweepMode::Execute, None) => (SweepStatus::Executing, None),
        (SweepMode::Execute, Some(ClockDoubt::Wrong(reason))) => {
            (SweepStatus::Refused, Some(reason.clone()))
        }
        (SweepMode::Execute, Some(ClockDoubt::LongPause(reason))) => {
            (SweepStatus::NeedsApproval, Some(reason.clone()))
        }
    };
    if let Some(reason) = &refusal {
        warn!(sweep.id = %sweep.id, "Sweep {} deletes nothing: {reason}", sweep.id);
    }
    let ended = status != SweepStatus::Executing;
    Ok(Sweep {
        version: sweep.version + 1,
        status,
        planned_at: Some(now),
        plan_hash: Some(hash),
        plan_pages: pages,
        planned,
        brakes,
        unsettled: present.unsettled(now),
        regions_out_of_reach: present.out_of_reach.clone(),
        refusal,
        finished_at: ended.then_some(now),
        ..sweep.clone()
    })
}

/// What a person asks for is stored whole. Of an hourly sweep only what is not kept: it runs 730 times a month,
/// and the rest can be asked for at any time.
fn stored_entries(sweep: &Sweep, entries: Vec<PlanEntry>) -> Vec<PlanEntry> {
    if sweep.requested_by.is_some() {
        return entries;
    }
    entries.into_iter().filter(|entry| entry.verdict != Verdict::Keep).collect()
}

async fn store(
    service: &Service,
    plan: (&SweepId, &str),
    entries: &[PlanEntry],
    now: Timestamp,
) -> Result<u32, Error> {
    let mut pages = 0;
    for page in entries.chunks(PLAN_PAGE_ENTRIES) {
        pages += 1;
        // Under the same hash there can only be the same, and what has become of it since.
        _ = service.table.insert_plan_page(plan, pages, page, now).await?;
    }
    Ok(pages)
}

/// Writes onto what a rule wants gone and an image keeps that it is so, and takes it off where it is no longer.
/// Who has changed a record meanwhile is looked at by the next sweep.
async fn note_blocked(
    service: &Service,
    present: &SweepFacts,
    entries: &[PlanEntry],
    brakes: &[Brake],
    now: Timestamp,
) -> Result<(), Error> {
    // Of a region that has not answered nobody knows what images use there: what was noted stands.
    let seen = present.snapshots.iter();
    let seen = seen.filter(|one| present.within_reach.contains(&one.source.region));
    let by_id: BTreeMap<_, _> = seen.map(|one| (&one.id, one)).collect();
    let changes = entries.iter().filter_map(|entry| {
        let snapshot = *by_id.get(&entry.snapshot_id)?;
        let wanted = match &entry.verdict {
            // Nobody has released these rules yet; what others said stands.
            Verdict::Blocked { .. } if is_braked(entry, brakes) => return None,
            Verdict::Blocked { image_id, by: Some(by) } => {
                let reason = entry.reasons.first().cloned().unwrap_or_default();
                Some((image_id.clone(), WantedDeletion { by: by.clone(), reason }))
            }
            Verdict::Blocked { by: None, .. } | Verdict::Keep | Verdict::Delete { .. } => None,
        };
        Some((snapshot, snapshot.noted_in_use(wanted, now)?))
    });
    for (snapshot, noted) in changes.take(BLOCKED_NOTED_MAX) {
        _ = service.table.update_snapshot(snapshot, &noted).await?;
    }
    Ok(())
}

fn is_braked(entry: &PlanEntry, brakes: &[Brake]) -> bool {
    brakes.iter().any(|brake| entry.schedule_id.as_ref() == Some(&brake.schedule_id))
}

/// Puts the mark on condemned members that lack it, and takes it off others: whoever condemned or rescued them
/// broke off in between. A region that is out of reach by now waits for the next sweep: without its mark nothing is
/// deleted.
async fn tidy_marks(service: &Service, present: &SweepFacts) -> Result<(), Error> {
    for region in &present.within_reach {
        let snapshots = present.snapshots.iter().filter(|one| one.source.region == *region);
        let tidied = tidy_marks_in(service, service.ec2_in(region)?, snapshots).await;
        match tidied {
            Err(error) if present.within_reach.len() > 1 => {
                warn!(region = %region, error.chain = %chain(&error), "Marks in {region} wait: {error}");
            }
            tidied => tidied?,
        }
    }
    Ok(())
}

async fn tidy_marks_in(
    service: &Service,
    ec2: &Ec2,
    snapshots: impl Iterator<Item = &Snapshot>,
) -> Result<(), Error> {
    let mut condemned: BTreeMap<&EbsSnapshotId, &Snapshot> = BTreeMap::new();
    let mut others: BTreeMap<&EbsSnapshotId, &Snapshot> = BTreeMap::new();
    for snapshot in snapshots {
        let is_condemned = matches!(snapshot.status, Status::Condemned | Status::Deleting);
        let members = if is_condemned { &mut condemned } else { &mut others };
        members.extend(snapshot.living_members().map(|one| (&one.ebs_snapshot_id, snapshot)));
    }
    let seen = ec2.every_ebs_snapshot().await?;
    let ours = seen.iter().filter(|one| one.set().is_some());
    let (marked, unmarked): (Vec<_>, Vec<_>) = ours.partition(|one| one.is_marked_condemned());
    let lacking: Vec<_> = unmarked
        .into_iter()
        .filter(|one| condemned.contains_key(&one.id))
        .map(|one| one.id.clone())
        .collect();
    ec2.mark_condemned(&lacking).await?;

    let stray: BTreeMap<_, _> = marked
        .into_iter()
        .filter_map(|one| Some((one.id.clone(), others.get(&one.id)?.id.clone())))
        .collect();
    // Condemned since it was read: then the mark is right.
    let sets: Vec<_> = stray.values().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let current = service.table.snapshots(&sets).await?;
    let still: Vec<_> = stray
        .into_iter()
        .filter(|(_, set)| {
            current
                .get(set)
                .is_some_and(|one| !matches!(one.status, Status::Condemned | Status::Deleting))
        })
        .map(|(id, _)| id)
        .collect();
    ec2.unmark_condemned(&still).await
}
