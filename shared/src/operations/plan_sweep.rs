//! The plan of a sweep: what there is, judged, and stored. It is also the dry run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::ids::{EbsSnapshotId, SweepId};
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::{ClockDoubt, brakes, clock_doubt};
use crate::domain::sweep::plan::{PlanEntry, Verdict, World, plan, plan_hash};
use crate::domain::sweep::{Mode, PlanCounts, Sweep, SweepStatus};
use crate::error::Error;
use crate::service::Service;
use crate::table::keys::{self, Index, Presence};
use crate::table::snapshots::SnapshotList;
use crate::table::sweeps::PLAN_PAGE_ENTRIES;

/// The sweep as it is planned: every snapshot judged at `now`, the brake set, the plan stored.
///
/// It only reads, but for taking marks off and putting marks on where EC2's do not agree with the records.
pub async fn plan_sweep(service: &Service, sweep: &Sweep, now: Timestamp) -> Result<Sweep, Error> {
    let last_sweep_at = service.table.last_sweep_at().await?;
    let in_use = service.ec2.snapshots_in_use().await?;
    // At once: what EC2's clock says now is to be held against `now`, before reading takes its time.
    let doubt = clock_doubt(last_sweep_at, service.ec2.date(), now);
    let schedules = service.table.every_schedule().await?;
    let list = SnapshotList { index: Index::All, partition: keys::all(Presence::Here) };
    let snapshots = service.table.every_snapshot(&list).await?;
    let world = World {
        schedules: &schedules,
        snapshots: &snapshots,
        in_use: &in_use,
        failed_kept: service.settings.failed_kept,
        now,
    };
    let entries = plan(&world);
    let planned = PlanCounts::of(&entries);
    let hash = plan_hash(&entries);
    let brakes = brakes(&entries, &snapshots, service.settings.brake);
    let stored = stored_entries(sweep, entries);
    let pages = store(service, (&sweep.id, &hash), &stored, now).await?;
    if sweep.mode == Mode::Execute && doubt.is_none() {
        tidy_marks(service, &snapshots).await?;
    }
    info!(
        sweep.id = %sweep.id,
        "Sweep {}: {} of {} snapshots are to go", sweep.id, planned.delete, planned.snapshots
    );
    let (status, refusal) = match (sweep.mode, doubt) {
        (Mode::PlanOnly, _) => (SweepStatus::Planned, None),
        (Mode::Execute, None) => (SweepStatus::Executing, None),
        (Mode::Execute, Some(ClockDoubt::Wrong(reason))) => (SweepStatus::Refused, Some(reason)),
        (Mode::Execute, Some(ClockDoubt::LongPause(reason))) => {
            (SweepStatus::NeedsApproval, Some(reason))
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
        service.table.store_plan_page(plan, pages, page, now).await?;
    }
    Ok(pages)
}

/// Puts the mark on condemned members that lack it, and takes it off others: whoever condemned or rescued them
/// broke off in between.
async fn tidy_marks(service: &Service, snapshots: &[Snapshot]) -> Result<(), Error> {
    let mut condemned: BTreeMap<&EbsSnapshotId, &Snapshot> = BTreeMap::new();
    let mut others: BTreeMap<&EbsSnapshotId, &Snapshot> = BTreeMap::new();
    for snapshot in snapshots {
        let is_condemned = matches!(snapshot.status, Status::Condemned | Status::Deleting);
        let members = if is_condemned { &mut condemned } else { &mut others };
        members.extend(snapshot.living_members().map(|one| (&one.ebs_snapshot_id, snapshot)));
    }
    let seen = service.ec2.every_ebs_snapshot().await?;
    let ours = seen.iter().filter(|one| one.set().is_some());
    let (marked, unmarked): (Vec<_>, Vec<_>) = ours.partition(|one| one.is_marked_condemned());
    let lacking: Vec<_> = unmarked
        .into_iter()
        .filter(|one| condemned.contains_key(&one.id))
        .map(|one| one.id.clone())
        .collect();
    service.ec2.mark_condemned(&lacking).await?;

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
    service.ec2.unmark_condemned(&still).await
}
