//! The plan of a sweep: what there is, judged, and stored. It is also the dry run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::domain::ids::{ScheduleId, SnapshotId};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::brake::{ClockDoubt, brakes};
use crate::domain::sweep::plan::again::rescues;
use crate::domain::sweep::plan::{PlanEntry, Verdict, World, plan, plan_hash};
use crate::domain::sweep::{NAMED_MAX, PlanCounts, Sweep, SweepMode, SweepStatus};
use crate::error::Error;
use crate::operations::images::note_uses::{ImageUses, note_images};
use crate::operations::sweeps::gone_instances::remember;
use crate::operations::sweeps::note_blocked::note_blocked;
use crate::operations::sweeps::region_answers::{Listed, RegionAnswers, as_shown, look_around};
use crate::operations::sweeps::rescue::rescue_condemned;
use crate::operations::sweeps::tidy_marks::tidy_marks;
use crate::service::Service;
use crate::table::sweeps::PLAN_PAGE_ENTRIES;
use crate::views::gone_instances::{AbsentInstances, look};

/// How long before a plan an edit must lie for the plan to have seen it for certain.
pub(crate) const EDIT_SETTLED: SignedDuration = SignedDuration::from_mins(1);

/// Everything that decisions depend on, as it was at one moment.
pub(crate) struct SweepFacts {
    schedules: BTreeMap<ScheduleId, Schedule>,
    /// As EC2 shows them, where their regions have answered: what decisions go by. Of each there is what the rules read, so
    /// none is written: whoever writes reads its record first.
    snapshots: Vec<Snapshot>,
    /// Those of which EC2 shows otherwise than their records say.
    shown_otherwise: BTreeSet<SnapshotId>,
    /// Every EBS snapshot, by region.
    listed: Listed,
    uses: ImageUses,
    looks: AbsentInstances,
    last_sweep_at: Option<Timestamp>,
    /// The regions that have answered.
    within_reach: BTreeSet<String>,
    out_of_reach: Vec<String>,
    /// The schedules that cannot be read: their snapshots are kept like those of schedules that are gone.
    unreadable: Vec<String>,
    /// And the snapshots that cannot be read: they stay, and let nothing else go.
    unreadable_snapshots: Vec<String>,
    /// Why the clock is not trusted.
    pub(crate) doubt: Option<ClockDoubt>,
}

impl SweepFacts {
    /// What the table and EC2 say; `now` is held against EC2's clock.
    pub(crate) async fn read(service: &Service, now: Timestamp) -> Result<Self, Error> {
        let last_sweep_at = service.table.last_sweep_at().await?;
        let RegionAnswers { uses, listed, within_reach, out_of_reach, doubt } =
            look_around(service, last_sweep_at, now).await?;
        let (schedules, unreadable) = service.table.schedules_and_unreadable().await?;
        let (read, unreadable_snapshots) = service.table.every_comb().await?.into_parts();
        let (snapshots, shown_otherwise) = as_shown(read, &listed, now);
        let looks = look(service, &schedules, &snapshots).await?;
        Ok(Self {
            schedules,
            snapshots,
            shown_otherwise,
            listed,
            uses,
            looks,
            last_sweep_at,
            within_reach,
            out_of_reach,
            unreadable,
            unreadable_snapshots,
            doubt,
        })
    }

    /// The plan it makes at `now`. What is in a region out of reach stays.
    pub(crate) fn plan(&self, service: &Service, now: Timestamp) -> Vec<PlanEntry> {
        let unseen: BTreeMap<_, _> =
            self.unseen().map(|one| (&one.id, &one.source.region)).collect();
        let mut entries = self.judged(service, now, plan);
        for entry in &mut entries {
            let Some(region) = unseen.get(&entry.snapshot_id) else { continue };
            // Its schedule is not settled: all of it counts once the region is seen.
            entry.shielded_from = None;
            if entry.verdict != Verdict::Keep {
                entry.verdict = Verdict::Keep;
                entry.reasons = vec![format!("its region {region} is out of reach; left alone")];
            }
        }
        entries
    }

    /// The condemned that a plan of this moment would not condemn, each with why it stays. Those of regions that have not
    /// answered are not judged.
    pub(crate) fn rescues(&self, service: &Service, now: Timestamp) -> Vec<(&Snapshot, String)> {
        let seen: BTreeMap<_, _> = self.seen().map(|one| (&one.id, one)).collect();
        let found = self.judged(service, now, rescues).into_iter();
        found.filter_map(|(id, reason)| Some((*seen.get(&id)?, reason))).collect()
    }

    fn judged<T>(&self, service: &Service, now: Timestamp, ask: impl FnOnce(&World<'_>) -> T) -> T {
        // Of several images that use one, the one of the lowest id.
        let in_use =
            self.uses.iter().filter_map(|(id, images)| Some((id.clone(), images.first()?.clone())));
        ask(&World {
            schedules: &self.schedules,
            snapshots: &self.snapshots,
            in_use: &in_use.collect(),
            gone: &self.looks.gone(now),
            absent: &self.looks.in_doubt(now),
            failed_kept: service.settings.failed_kept,
            now,
        })
    }

    /// The snapshots of regions that have answered, but for those that EC2 shows otherwise than their records say: these
    /// are brought in line by who looks at them, and not here.
    fn in_line(&self) -> impl Iterator<Item = &Snapshot> {
        self.seen().filter(|one| !self.shown_otherwise.contains(&one.id))
    }

    /// The snapshots of regions that have not answered.
    fn unseen(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().filter(|one| !self.within_reach.contains(&one.source.region))
    }

    /// The available snapshots of which EC2 does not show all, by this look: they show again, or are missing soon.
    fn absent(&self) -> impl Iterator<Item = &Snapshot> {
        let is_absent =
            |one: &&Snapshot| one.status == Status::Available && one.course.absent_since.is_some();
        self.seen().filter(is_absent)
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
    /// snapshots that were not judged, because their region is out of reach, or EC2 does not show all of them.
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
        let unjudged = self.unseen().chain(self.absent()).filter_map(Snapshot::schedule_id);
        doubtful.into_iter().chain(unjudged).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What these entries take from each schedule, which of them are stopped, and which not settled.
    fn tallies(&self, service: &Service, entries: &[PlanEntry], now: Timestamp) -> Tallies {
        let tallies = Tallies::of(entries, &self.snapshots);
        let brakes = brakes(&tallies, &self.schedules, service.settings.brake, now);
        tallies.with(&brakes, &self.unsettled(now))
    }

    /// Whether a sweep has looked at the instances of a schedule since its last edit.
    fn has_seen(&self, schedule: &Schedule) -> bool {
        let since_edit = self.last_sweep_at.map(|last| last.duration_since(schedule.updated_at));
        since_edit.is_some_and(|since| since >= EDIT_SETTLED)
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
    let tallies = present.tallies(service, &entries, now);
    if is_trusted {
        rescue_condemned(service, present.rescues(service, now), &present.listed, now).await;
        tidy_marks(service, &present.snapshots, &present.listed, now).await;
        let in_line = present.in_line().map(|one| (&one.id, one)).collect();
        note_blocked(service, &in_line, (&entries, &tallies), now).await?;
        note_images(service, present.in_line(), &present.uses, now).await?;
    }
    let stored = stored_entries(sweep, entries);
    let pages = store(service, (sweep, &hash), &stored, now).await?;
    let tally_hash = tallies.hash();
    let tally_pages = service.table.store_tallies((sweep, &tally_hash), &tallies, now).await?;
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
        tally_hash: Some(tally_hash),
        tally_pages,
        planned,
        regions_out_of_reach: present.out_of_reach.clone(),
        unreadable_schedules: present.unreadable.iter().take(NAMED_MAX).cloned().collect(),
        unreadable_snapshots: present
            .unreadable_snapshots
            .iter()
            .take(NAMED_MAX)
            .cloned()
            .collect(),
        refusal,
        claimed_at: sweep.claimed_at.filter(|_| !ended),
        finished_at: ended.then_some(now),
        ..sweep.clone()
    }
    .naming(&tallies))
}

/// What a person asks for is stored whole. Of an hourly sweep only what is not kept, or by protection alone: it runs 730 times a month,
/// and the rest can be asked for at any time.
fn stored_entries(sweep: &Sweep, entries: Vec<PlanEntry>) -> Vec<PlanEntry> {
    if sweep.requested_by.is_some() {
        return entries;
    }
    let is_plain =
        |entry: &PlanEntry| entry.verdict == Verdict::Keep && entry.shielded_from.is_none();
    entries.into_iter().filter(|entry| !is_plain(entry)).collect()
}

async fn store(
    service: &Service,
    plan: (&Sweep, &str),
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
