//! The answers of EC2 that a plan depends on, region by region.

use crate::domain::snapshot::Status;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::sighting::Sighting;
use crate::domain::snapshot::Snapshot;
use crate::domain::sweep::brake::{ClockDoubt, clock_doubt};
use crate::ec2::Ec2;
use crate::error::Error;
use crate::operations::images::note_uses::ImageUses;
use crate::regions::OutOfReach;
use crate::service::Service;

/// Every EBS snapshot that EC2 shows, by region.
pub(crate) type Listed = BTreeMap<String, BTreeMap<EbsSnapshotId, Sighting>>;

/// The snapshots as EC2 shows them, as far as their regions have answered, and which of them their records say otherwise of.
///
/// A record alone is no evidence: of what it says is available a member may have been deleted, or archived, behind our
/// back, and no event says so.
pub(crate) fn as_shown(
    read: Vec<Snapshot>,
    listed: &Listed,
    now: Timestamp,
) -> (Vec<Snapshot>, BTreeSet<SnapshotId>) {
    let mut differing = BTreeSet::new();
    let judged = read.into_iter().map(|record| match shown_otherwise(&record, listed, now) {
        Some(shown) => {
            differing.insert(record.id);
            shown
        }
        None => record,
    });
    (judged.collect(), differing)
}

/// A record as EC2 shows it, if that is otherwise.
pub(crate) fn shown_otherwise(
    record: &Snapshot,
    listed: &Listed,
    now: Timestamp,
) -> Option<Snapshot> {
    let is_judged = matches!(record.status, Status::Available | Status::Condemned);
    let seen = listed.get(&record.source.region).filter(|_| is_judged)?;
    let shown = record.as_shown(|id| seen.get(id).copied(), now);
    shown.stands_otherwise_than(record).then_some(shown)
}

/// The records of what was judged, read whole at this moment, for a plan has what the rules read only. One that has changed
/// since it was judged is left out; the next sweep judges it.
pub(crate) async fn unchanged_records(
    service: &Service,
    judged: impl IntoIterator<Item = &Snapshot>,
) -> Result<BTreeMap<SnapshotId, Snapshot>, Error> {
    let versions: BTreeMap<_, _> =
        judged.into_iter().map(|one| (one.id.clone(), one.version)).collect();
    let ids: Vec<_> = versions.keys().cloned().collect();
    let mut records = service.table.snapshots(&ids).await?;
    records.retain(|id, record| versions.get(id) == Some(&record.version));
    Ok(records)
}

/// What EC2 says that a plan depends on.
pub(crate) struct RegionAnswers {
    pub(crate) uses: ImageUses,
    pub(crate) listed: Listed,
    pub(crate) within_reach: BTreeSet<String>,
    pub(crate) out_of_reach: Vec<String>,
    pub(crate) doubt: Option<ClockDoubt>,
}

/// Asks every region which snapshots its images use, which EBS snapshots it has, and what its clock says. It fails only
/// if none answers. Where one that answers doubts our clock, the clock is doubted.
pub(crate) async fn look_around(
    service: &Service,
    last_sweep_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<RegionAnswers, Error> {
    let mut uses = ImageUses::new();
    let mut listed = Listed::new();
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
                match every_sighting(ec2).await {
                    Ok(all) => {
                        uses.extend(answer);
                        listed.insert(ec2.region().to_owned(), all);
                        within_reach.insert(ec2.region().to_owned());
                    }
                    Err(error) => out_of_reach.note(ec2.region(), error),
                }
            }
            Err(error) => out_of_reach.note(ec2.region(), error),
        }
    }
    let names = out_of_reach.names();
    match out_of_reach.into_error() {
        Some(error) if within_reach.is_empty() => Err(error),
        Some(_) | None => {
            Ok(RegionAnswers { uses, listed, within_reach, out_of_reach: names, doubt })
        }
    }
}

/// Every EBS snapshot of a region, a page at a time: of each is kept what a sweep has use for.
async fn every_sighting(ec2: &Ec2) -> Result<BTreeMap<EbsSnapshotId, Sighting>, Error> {
    let (mut all, mut token) = (BTreeMap::new(), None);
    loop {
        let (page, next) = ec2.ebs_snapshots_page(token).await?;
        all.extend(page.into_iter().map(|one| {
            let sighting = Sighting::from(&one);
            (one.id, sighting)
        }));
        token = next;
        if token.is_none() {
            return Ok(all);
        }
    }
}
