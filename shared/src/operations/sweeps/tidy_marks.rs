//! Marks in EC2 that do not agree with the records, put right.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::warn;

use crate::domain::ids::EbsSnapshotId;
use crate::domain::sighting::{Mark, Sighting};
use crate::domain::snapshot::{Snapshot, Status};
use crate::ec2::Ec2;
use crate::error::Error;
use crate::operations::snapshots::mark::{later, note_refused, set_of_each};
use crate::operations::sweeps::region_answers::{Listed, unchanged_records};
use crate::service::Service;

/// Puts the mark on condemned members that lack it, and takes it off others: whoever condemned or rescued them
/// broke off in between. Nothing that goes wrong with marks fails the sweep: without its mark nothing is deleted.
pub(crate) async fn tidy_marks(
    service: &Service,
    snapshots: &[Snapshot],
    listed: &Listed,
    now: Timestamp,
) {
    for (region, seen) in listed {
        let snapshots = snapshots.iter().filter(|one| one.source.region == *region);
        let tidied = match service.ec2_in(region) {
            Ok(ec2) => tidy_marks_in(service, ec2, snapshots, seen, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = tidied {
            later(region, &error);
        }
    }
}

async fn tidy_marks_in(
    service: &Service,
    ec2: &Ec2,
    snapshots: impl Iterator<Item = &Snapshot>,
    seen: &BTreeMap<EbsSnapshotId, Sighting>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut condemned: BTreeMap<&EbsSnapshotId, &Snapshot> = BTreeMap::new();
    let mut others: BTreeMap<&EbsSnapshotId, &Snapshot> = BTreeMap::new();
    for snapshot in snapshots {
        let is_condemned = matches!(snapshot.status, Status::Condemned | Status::Deleting);
        let members = if is_condemned { &mut condemned } else { &mut others };
        members.extend(snapshot.living_members().map(|one| (&one.ebs_snapshot_id, snapshot)));
    }
    let bearing =
        |mark: Mark| seen.iter().filter(move |(_, one)| one.mark == mark).map(|(id, _)| id);
    let lacking = bearing(Mark::None).filter_map(|id| condemned.get_key_value(id));
    // Those that EC2 has refused it for come last: they keep no other waiting.
    let (refused, usual): (Vec<_>, Vec<_>) =
        lacking.partition(|(_, set)| set.ending.blocked.is_some());
    let lacking: Vec<_> = usual.into_iter().chain(refused).map(|(id, _)| (*id).clone()).collect();
    let marking = ec2.mark_condemned(&lacking).await;
    let refused = marking.refused.iter().filter_map(|(member, _)| condemned.get(member).copied());
    let noted = match unchanged_records(service, refused).await {
        Ok(records) => {
            let records: Vec<_> = records.into_values().collect();
            note_refused(service, &marking.refused, &set_of_each(&records), now).await;
            None
        }
        // The marks themselves go on.
        Err(error) => Some(error),
    };

    let stray: BTreeMap<_, _> = bearing(Mark::Condemned)
        .filter_map(|id| Some((id.clone(), others.get(id)?.id.clone())))
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
    let unmarking = ec2.unmark_condemned(&still).await;
    for (id, failure) in &unmarking.refused {
        warn!("The EBS snapshot {id} keeps its mark: {}: {}", failure.code, failure.message);
    }
    marking.failure.or(unmarking.failure).or(noted).map_or(Ok(()), Err)
}
