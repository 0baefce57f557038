//! Protection: what comes after the rules and keeps a snapshot although they would let it go.

use std::collections::BTreeMap;

use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId};
use crate::domain::snapshot::Snapshot;

/// The newest available snapshot of each instance, and its newest copy in each other region. No rule deletes them.
#[derive(Debug, Default)]
pub struct Newest<'a>(BTreeMap<(&'a InstanceId, &'a str), &'a Snapshot>);

/// Which snapshots stand in for one another: those of one instance in one region.
fn place(snapshot: &Snapshot) -> (&InstanceId, &str) {
    (&snapshot.source.instance_id, &snapshot.source.region)
}

impl<'a> Newest<'a> {
    /// The newest of each instance in each region among `snapshots`, but for those that EC2 has failed to show; of two of the same
    /// instant, the one with the later id. One that has copies counts only where there is no other.
    pub fn among(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Self {
        let mut newest: BTreeMap<_, &Snapshot> = BTreeMap::new();
        for snapshot in snapshots.into_iter().filter(|snapshot| snapshot.is_good()) {
            let kept = newest.entry(place(snapshot)).or_insert(snapshot);
            if (snapshot.standing(), &snapshot.id) > (kept.standing(), &kept.id) {
                *kept = snapshot;
            }
        }
        Self(newest)
    }

    /// Whether `snapshot` is the newest available one of its instance where it is.
    pub fn is(&self, snapshot: &Snapshot) -> bool {
        self.among_like(snapshot).is_some_and(|newest| newest.id == snapshot.id)
    }

    /// The newest available one of the instance of `snapshot` where that is.
    pub fn among_like(&self, snapshot: &Snapshot) -> Option<&'a Snapshot> {
        self.0.get(&place(snapshot)).copied()
    }
}

/// The image that uses a member of `snapshot`, if any does.
pub fn using_image<'a>(
    snapshot: &Snapshot,
    in_use: &'a BTreeMap<EbsSnapshotId, ImageId>,
) -> Option<&'a ImageId> {
    snapshot.living_members().find_map(|member| in_use.get(&member.ebs_snapshot_id))
}
