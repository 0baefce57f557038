//! Marks in EC2 on what is condemned, and on the record why one cannot be put on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tracing::warn;

use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::snapshot::{Failure, Snapshot};
use crate::ec2::{Ec2, Marking};
use crate::error::{Error, chain};
use crate::regions::members_by_region;
use crate::service::Service;

/// Marks the living members of these condemned sets, and names on its record each set that EC2 refuses it for. What is
/// not marked the next sweep marks; without its mark nothing is deleted. Answers whether all are marked.
///
/// What another installation has taken over since its record was written is its own, and is left alone.
pub(crate) async fn mark_sets(service: &Service, condemned: &[Snapshot], now: Timestamp) -> Marked {
    let mut all = Marked::All;
    let of = set_of_each(condemned);
    for (region, ids) in members_by_region(condemned) {
        let marking = match still_ours(service, &region, &ids, &of).await {
            Ok(StillOurs { ec2, ids, others }) => {
                if !others.is_empty() {
                    all = Marked::NotAll;
                }
                note_refused(service, &others, &of, now).await;
                ec2.mark_condemned(&ids).await
            }
            Err(error) => Marking { failure: Some(error), ..Marking::default() },
        };
        if !marking.refused.is_empty() || marking.failure.is_some() {
            all = Marked::NotAll;
        }
        note_refused(service, &marking.refused, &of, now).await;
        if let Some(error) = marking.failure {
            later(&region, &error);
        }
    }
    all
}

/// Which of these sets each living member is of.
pub(crate) fn set_of_each(sets: &[Snapshot]) -> BTreeMap<&EbsSnapshotId, &Snapshot> {
    sets.iter()
        .flat_map(|set| set.living_members().map(move |one| (&one.ebs_snapshot_id, set)))
        .collect()
}

/// Of members in a region those that are to be tagged or not, as EC2 shows them at this moment.
struct StillOurs<'a> {
    ec2: &'a Ec2,
    /// Those that say that they are of their sets.
    ids: Vec<EbsSnapshotId>,
    /// Those that say otherwise, with the words for it. What EC2 does not show is in neither.
    others: Vec<(EbsSnapshotId, Failure)>,
}

async fn still_ours<'a>(
    service: &'a Service,
    region: &str,
    ids: &[EbsSnapshotId],
    sets: &BTreeMap<&EbsSnapshotId, &Snapshot>,
) -> Result<StillOurs<'a>, Error> {
    let ec2 = service.ec2_in(region)?;
    let seen = ec2.ebs_snapshots(ids).await?;
    let (ours, others): (Vec<_>, Vec<_>) = seen.into_iter().partition(|one| {
        sets.get(&one.id).is_some_and(|set| one.set().as_ref() == Some(set.tagged_id()))
    });
    let failure = || Failure::new("NotOurs", "its tags no longer say that it is of this snapshot");
    Ok(StillOurs {
        ec2,
        ids: ours.into_iter().map(|one| one.id).collect(),
        others: others.into_iter().map(|one| (one.id, failure())).collect(),
    })
}

/// Whether everything bears its mark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    All,
    NotAll,
}

/// Writes onto the records of these members' sets why EC2 lets them have no mark. Who has changed one meanwhile is looked
/// at by the next sweep.
pub(crate) async fn note_refused(
    service: &Service,
    refused: &[(EbsSnapshotId, Failure)],
    sets: &BTreeMap<&EbsSnapshotId, &Snapshot>,
    now: Timestamp,
) {
    // Of several members of a set one is enough.
    let mut by_set: BTreeMap<&SnapshotId, (&Snapshot, String)> = BTreeMap::new();
    for (member, Failure { code, message }) in refused {
        if let Some(set) = sets.get(member) {
            let words = format!("{member}: {code}: {message}");
            by_set.entry(&set.id).or_insert((set, words));
        }
    }
    for (id, (set, words)) in by_set {
        let Some(noted) = set.mark_refused(words.clone(), now) else { continue };
        warn!(snapshot.id = %id, "Snapshot {id} cannot be marked as condemned: {words}");
        if let Err(error) = service.table.update_snapshot(set, &noted).await {
            warn!(snapshot.id = %id, error.chain = %chain(&error), "That {id} cannot be marked is not noted");
        }
    }
}

/// The marks of a region that were not tried to the end wait for the next sweep.
pub(crate) fn later(region: &str, error: &Error) {
    warn!(region = %region, error.chain = %chain(error), "Marks in {region} wait for the next sweep: {error}");
}

/// Takes the marks of rescued snapshots off. Without its record in `condemned` nothing is deleted, so what EC2 does not do now
/// waits for the next sweep. A mark on what another installation has taken over is that one's.
pub(crate) async fn unmark(service: &Service, rescued: &[Snapshot]) {
    let of = set_of_each(rescued);
    for (region, members) in members_by_region(rescued) {
        let unmarking = match still_ours(service, &region, &members, &of).await {
            Ok(StillOurs { ec2, ids, others: _others }) => ec2.unmark_condemned(&ids).await,
            Err(error) => Marking { failure: Some(error), ..Marking::default() },
        };
        for (id, failure) in &unmarking.refused {
            warn!("The EBS snapshot {id} keeps its mark: {}: {}", failure.code, failure.message);
        }
        if let Some(error) = &unmarking.failure {
            warn!(region = %region, error.chain = %chain(error), "Marks in {region} wait for the sweep");
        }
    }
}
