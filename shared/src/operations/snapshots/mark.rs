//! Marks in EC2 on what is condemned, and on the record why one cannot be put on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tracing::warn;

use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::snapshot::{Failure, Snapshot};
use crate::ec2::Marking;
use crate::error::{Error, chain};
use crate::regions::members_by_region;
use crate::service::Service;

/// Marks the living members of these condemned sets, and names on its record each set that EC2 refuses it for. What is
/// not marked the next sweep marks; without its mark nothing is deleted. Answers whether all are marked.
pub(crate) async fn mark_sets(service: &Service, condemned: &[Snapshot], now: Timestamp) -> Marked {
    let mut all = Marked::All;
    for (region, ids) in members_by_region(condemned) {
        let marking = match service.ec2_in(&region) {
            Ok(ec2) => ec2.mark_condemned(&ids).await,
            Err(error) => Marking { failure: Some(error), ..Marking::default() },
        };
        let of: BTreeMap<_, _> = condemned
            .iter()
            .flat_map(|set| set.living_members().map(move |one| (&one.ebs_snapshot_id, set)))
            .collect();
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
/// waits for the next sweep.
pub(crate) async fn unmark(service: &Service, rescued: &[Snapshot]) {
    for (region, members) in members_by_region(rescued) {
        let unmarking = match service.ec2_in(&region) {
            Ok(ec2) => ec2.unmark_condemned(&members).await,
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
