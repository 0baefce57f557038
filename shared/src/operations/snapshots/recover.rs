//! EBS snapshots that bear the tag of a set whose creation got no answer: they are the set.

use jiff::Timestamp;
use tracing::info;

use std::collections::BTreeMap;

use crate::domain::ids::VolumeId;
use crate::domain::instance::{Instance, VolumeDetails};
use crate::domain::notes::Notes;
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{ABSENCE_UNCERTAIN, Snapshot};
use crate::error::Error;
use crate::service::Service;
use crate::table::Written;

/// The instance that a set is of, with its volumes, where EC2 has it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub instance: &'a Instance,
    pub volumes: &'a BTreeMap<VolumeId, VolumeDetails>,
}

/// Makes the earliest set among `found` the members of `snapshot`. A second set, of a second attempt, stays
/// outside; the reconciler finds it and has it condemned.
///
/// Done if it was recorded, changed if somebody else did something with the record meanwhile.
pub async fn recover_members(
    service: &Service,
    snapshot: &Snapshot,
    found: &[EbsSnapshot],
    origin: Option<Origin<'_>>,
    now: Timestamp,
) -> Result<Written, Error> {
    let Some(set) = by_attempt(found).into_iter().next() else { return Ok(Written::Changed) };
    let Some(first) = set.iter().map(|member| member.started_at).min() else {
        return Ok(Written::Changed);
    };
    let members = set.iter().filter_map(|member| as_member(member, origin)).collect();
    let created = snapshot.created(members, now).map_err(Error::conflict)?;
    let created = Snapshot { started_at: Some(first), ..created };
    // What EC2 shows already counts, without another write.
    let recorded = match created.observed(&set, now) {
        Some(observed) => Snapshot { version: created.version, ..observed },
        None => created,
    };
    info!(snapshot.id = %snapshot.id, "Snapshot {} is found in EC2 and taken up", snapshot.id);
    service.table.update_members(Some(snapshot), &recorded).await
}

/// The sets that one attempt after the other has made, earliest first. Two attempts lie at least five minutes
/// apart, and the members of one set begin together.
pub(crate) fn by_attempt(found: &[EbsSnapshot]) -> Vec<Vec<EbsSnapshot>> {
    let mut found = found.to_vec();
    found.sort_by(|one, other| (one.started_at, &one.id).cmp(&(other.started_at, &other.id)));
    let mut sets: Vec<Vec<EbsSnapshot>> = Vec::new();
    for member in found {
        let begun = sets.last().and_then(|set| set.first()).map(|first| first.started_at);
        match (sets.last_mut(), begun) {
            (Some(set), Some(begun))
                if member.started_at.duration_since(begun) < ABSENCE_UNCERTAIN =>
            {
                set.push(member);
            }
            _ => sets.push(vec![member]),
        }
    }
    sets
}

/// An EBS snapshot as a member; none if EC2 does not say of which volume it is.
pub(crate) fn as_member(found: &EbsSnapshot, origin: Option<Origin<'_>>) -> Option<Member> {
    let volume_id = found.volume_id.clone()?;
    let attached = origin
        .and_then(|origin| origin.instance.volumes.iter().find(|one| one.volume_id == volume_id));
    let details = origin.and_then(|origin| origin.volumes.get(&volume_id));
    Some(Member {
        ebs_snapshot_id: found.id.clone(),
        volume_id,
        device: attached.map(|volume| volume.device.clone()),
        boot: attached.is_some_and(|volume| volume.boot),
        size_gib: found.volume_size_gib,
        state: found.state,
        progress_percent: found.progress_percent,
        full_size_bytes: found.full_size_bytes,
        volume: details.map(|details| details.settings(attached)),
        tier: found.tier,
        restore_expires_at: found.restore_expires_at,
        notes: Notes::default(),
        deleted: false,
    })
}
