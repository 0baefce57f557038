//! What is condemned, judged again: whether the rules of this moment, over what is really there, would keep it.
//!
//! Since they were condemned, what was to stay may have been deleted by name, or be gone. Holds and images have no part in it: they keep what is condemned as it is.

use std::collections::BTreeSet;

use super::rulings::{Ruling, rulings};
use super::{Known, RuleOutcome, World, unguarded, wanted};
use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::Ending;
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};

/// The snapshot as if nobody had condemned it; nothing if no rule has, or it was of no use before.
pub fn reopened(snapshot: &Snapshot) -> Option<Snapshot> {
    let condemnation = snapshot.ending.condemnation.as_ref()?;
    let is_asked_again = match condemnation.by {
        CondemnedBy::Rules { .. }
        | CondemnedBy::InstanceGone { .. }
        | CondemnedBy::Expiry { .. }
        | CondemnedBy::Duplicate => true,
        CondemnedBy::Person { .. } | CondemnedBy::Failed => false,
    };
    let is_open = snapshot.status == Status::Condemned && condemnation.from == Status::Available;
    (is_asked_again && is_open).then(|| Snapshot {
        status: Status::Available,
        ending: Ending { condemnation: None, blocked: None, ..snapshot.ending.clone() },
        ..snapshot.clone()
    })
}

/// The condemned that a plan of this moment would not condemn, and why: judged along with all that is available, and
/// with one another. Of one that EC2 does not show whole nothing is said.
pub fn rescues(world: &World<'_>) -> Vec<(SnapshotId, String)> {
    let condemned: Vec<_> =
        world.snapshots.iter().filter_map(reopened).filter(Snapshot::is_whole).collect();
    if condemned.is_empty() {
        return Vec::new();
    }
    let asked: BTreeSet<_> = condemned.iter().map(|one| &one.id).collect();
    let instances: BTreeSet<_> = condemned.iter().map(|one| &one.source.instance_id).collect();
    let others = world.snapshots.iter().filter(|one| instances.contains(&one.source.instance_id));
    let others = others.filter(|one| !asked.contains(&one.id)).cloned();
    let snapshots: Vec<_> = others.chain(condemned.iter().cloned()).collect();
    let world = World { snapshots: &snapshots, ..*world };
    let known = Known::of(&world);
    let judged = world.snapshots.iter().zip(rulings(&world));
    judged
        .filter(|(one, _)| asked.contains(&one.id))
        .filter_map(|(one, ruling)| {
            Some((one.id.clone(), reason_to_keep(one, ruling, &world, &known)?))
        })
        .collect()
}

/// Why a plan over `world`, in which it is reopened, would keep this snapshot; nothing if it would condemn it too. What is
/// not in `world` no rule condemns.
pub fn kept_because(snapshot: &Snapshot, world: &World<'_>) -> Option<String> {
    let place = world.snapshots.iter().rposition(|one| one.id == snapshot.id);
    let ruling = place.and_then(|place| rulings(world).into_iter().nth(place)).flatten();
    reason_to_keep(snapshot, ruling, world, &Known::of(world))
}

fn reason_to_keep(
    snapshot: &Snapshot,
    ruling: Option<Ruling>,
    world: &World<'_>,
    known: &Known<'_>,
) -> Option<String> {
    match wanted(snapshot, ruling, world, known) {
        RuleOutcome::Keep(reasons) => Some(reasons.join("; ")),
        RuleOutcome::Delete { by, .. } => unguarded(snapshot, &by, &known.newest),
    }
}

#[cfg(test)]
mod tests;
