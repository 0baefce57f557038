//! Protection: what comes after the rules and keeps a snapshot although they would let it go.

use std::collections::BTreeMap;

use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId};
use crate::domain::snapshot::Snapshot;

/// The newest available snapshot of each instance. No rule deletes it.
#[derive(Debug, Default)]
pub struct Newest<'a>(BTreeMap<&'a InstanceId, &'a Snapshot>);

impl<'a> Newest<'a> {
    /// The newest of each instance among `snapshots`, but for those that EC2 has failed to show; of two of the same
    /// instant, the one with the later id. One that has copies counts only where there is no other.
    pub fn among(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Self {
        let mut newest: BTreeMap<&InstanceId, &Snapshot> = BTreeMap::new();
        for snapshot in snapshots.into_iter().filter(|snapshot| snapshot.is_good()) {
            let kept = newest.entry(&snapshot.source.instance_id).or_insert(snapshot);
            if (snapshot.standing(), &snapshot.id) > (kept.standing(), &kept.id) {
                *kept = snapshot;
            }
        }
        Self(newest)
    }

    /// Whether `id` is the newest available snapshot of `instance`.
    pub fn is(&self, id: &SnapshotId, instance: &InstanceId) -> bool {
        self.0.get(instance).is_some_and(|newest| newest.id == *id)
    }

    /// The newest available snapshot of `instance`.
    pub fn of(&self, instance: &InstanceId) -> Option<&'a Snapshot> {
        self.0.get(instance).copied()
    }
}

/// The image that uses a member of `snapshot`, if any does.
pub fn using_image<'a>(
    snapshot: &Snapshot,
    in_use: &'a BTreeMap<EbsSnapshotId, ImageId>,
) -> Option<&'a ImageId> {
    snapshot.living_members().find_map(|member| in_use.get(&member.ebs_snapshot_id))
}
