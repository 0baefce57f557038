//! What is condemned, judged again: whether the rules of this moment, over what is really there, would keep it.
//!
//! Since they were condemned, what was to stay may have been deleted by name, or be gone. Holds and images have no part in it: they keep what is condemned as it is.

use std::collections::BTreeSet;

use super::rulings::{Rulings, rulings};
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
    Judge::of(&world)
        .reasons_to_keep(&asked)
        .into_iter()
        .map(|(snapshot, reason)| (snapshot.id.clone(), reason))
        .collect()
}

/// Why a plan over `world`, in which it is reopened, would keep this snapshot; nothing if it would condemn it too.
pub fn kept_because(snapshot: &Snapshot, world: &World<'_>) -> Option<String> {
    let asked = BTreeSet::from([&snapshot.id]);
    Judge::of(world).reasons_to_keep(&asked).pop().map(|(_, reason)| reason)
}

struct Judge<'a> {
    world: &'a World<'a>,
    rulings: Rulings,
    known: Known<'a>,
}

impl<'a> Judge<'a> {
    fn of(world: &'a World<'a>) -> Self {
        Self { world, rulings: rulings(world), known: Known::of(world) }
    }

    /// Those of these that a plan would keep, and why.
    fn reasons_to_keep(self, asked: &BTreeSet<&SnapshotId>) -> Vec<(&'a Snapshot, String)> {
        let Self { world, rulings, known } = self;
        let judged = world.snapshots.iter().zip(rulings);
        judged
            .filter(|(snapshot, _)| asked.contains(&snapshot.id))
            .filter_map(|(snapshot, ruling)| {
                let reason = match wanted(snapshot, ruling, world, &known) {
                    RuleOutcome::Keep(reasons) => reasons.join("; "),
                    RuleOutcome::Delete { by, .. } => unguarded(snapshot, &by, &known.newest)?,
                };
                Some((snapshot, reason))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
