//! Protection: what comes after the rules and keeps a snapshot although they would let it go.
//!
//! A set guards only what it contains: it may go while for each volume in it a newer good set of the same instance, in the
//! same region, has that volume too. So the newest set of a volume stays, also of one that was replaced or detached
//! since: one set a volume, however many there were.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId, VolumeId};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;

/// How the reason begins of what stays only because it is the newest available snapshot of its instance, or of a volume.
pub const NEWEST_AVAILABLE: &str = "newest available";

/// Which snapshots stand in for one another: those of one instance in one region.
type Place<'a> = (&'a InstanceId, &'a str);

fn place(snapshot: &Snapshot) -> Place<'_> {
    (&snapshot.source.instance_id, &snapshot.source.region)
}

/// How good a restore point a snapshot is among those of its place, the best last.
fn rank(snapshot: &Snapshot) -> ((bool, Timestamp), &SnapshotId) {
    (snapshot.standing(), &snapshot.id)
}

/// What of a set a newer one must have as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Content<'a> {
    /// This volume.
    Volume(&'a VolumeId),
    /// Whatever was attached there: a copy does not say of which volume it is.
    Device(&'a str),
    /// So many volumes, of which nobody says which they are: only a set with nothing left out and no fewer has them.
    Some(usize),
}

impl<'a> Content<'a> {
    /// What `member` of `snapshot` is of.
    fn of(member: &'a Member, snapshot: &Snapshot) -> Self {
        match &member.device {
            _ if !member.is_copy() => Self::Volume(&member.volume_id),
            Some(device) => Self::Device(device),
            None => Self::Some(snapshot.members.len()),
        }
    }

    /// All that `snapshot` has, each thing once. One that says of no member has something all the same.
    fn all_of(snapshot: &'a Snapshot) -> Vec<Self> {
        let mut all: Vec<_> =
            snapshot.living_members().map(|member| Self::of(member, snapshot)).collect();
        if all.is_empty() {
            all.push(Self::Some(snapshot.members.len()));
        }
        all.sort();
        all.dedup();
        all
    }

    /// In words, for who asks why a set stays.
    fn describe(self) -> String {
        match self {
            Self::Volume(volume) => format!("{NEWEST_AVAILABLE} of {volume}"),
            Self::Device(device) => format!("{NEWEST_AVAILABLE} of {device}"),
            Self::Some(_) => NEWEST_AVAILABLE.to_owned(),
        }
    }
}

/// The newest good snapshots of one instance in one region.
#[derive(Debug, Default)]
struct Guards<'a> {
    newest: Option<&'a Snapshot>,
    of_volume: BTreeMap<&'a VolumeId, &'a Snapshot>,
    of_device: BTreeMap<&'a str, &'a Snapshot>,
    /// Of sets that leave nothing out, by how many volumes they have.
    of_count: BTreeMap<usize, &'a Snapshot>,
}

impl<'a> Guards<'a> {
    fn add(&mut self, snapshot: &'a Snapshot) {
        fn keep<'a, K: Ord>(map: &mut BTreeMap<K, &'a Snapshot>, key: K, one: &'a Snapshot) {
            let kept = map.entry(key).or_insert(one);
            if rank(one) > rank(kept) {
                *kept = one;
            }
        }
        if self.newest.is_none_or(|kept| rank(snapshot) > rank(kept)) {
            self.newest = Some(snapshot);
        }
        for member in snapshot.living_members() {
            if !member.is_copy() {
                keep(&mut self.of_volume, &member.volume_id, snapshot);
            }
            if let Some(device) = &member.device {
                keep(&mut self.of_device, device, snapshot);
            }
        }
        if snapshot.leaves_nothing_out() {
            keep(&mut self.of_count, snapshot.members.len(), snapshot);
        }
    }

    /// The newest that has this.
    fn having(&self, content: Content<'_>) -> Option<&'a Snapshot> {
        match content {
            Content::Volume(volume) => self.of_volume.get(volume).copied(),
            Content::Device(device) => self.of_device.get(device).copied(),
            Content::Some(count) => {
                self.of_count.range(count..).map(|(_, one)| *one).max_by_key(|one| rank(one))
            }
        }
    }
}

/// The newest good snapshot of each volume of each instance, in each region. No rule deletes them.
#[derive(Debug, Default)]
pub struct Newest<'a>(BTreeMap<Place<'a>, Guards<'a>>);

impl<'a> Newest<'a> {
    /// The newest among those of `snapshots` that are good; of two of the same instant, the one with the later id. One
    /// that has copies counts only where there is no other.
    pub fn among(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Self {
        Self::of(snapshots.into_iter().filter(|snapshot| snapshot.is_good()))
    }

    /// The newest of these, all of which count as good.
    pub fn of(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Self {
        let mut places: BTreeMap<_, Guards<'_>> = BTreeMap::new();
        for snapshot in snapshots {
            places.entry(place(snapshot)).or_default().add(snapshot);
        }
        Self(places)
    }

    /// The newer ones that together have each volume of `snapshot`, and so let it go; or why it stays, if there is a volume
    /// that none of them has.
    pub fn guardians(&self, snapshot: &Snapshot) -> Result<Vec<&'a Snapshot>, String> {
        let mut guardians: BTreeMap<&SnapshotId, &Snapshot> = BTreeMap::new();
        self.each_guardian(snapshot, |guardian| {
            guardians.insert(&guardian.id, guardian);
        })?;
        Ok(guardians.into_values().collect())
    }

    /// Whether there are such newer ones; or why it stays.
    pub fn lets_go(&self, snapshot: &Snapshot) -> Result<(), String> {
        self.each_guardian(snapshot, |_| ())
    }

    fn each_guardian(
        &self,
        snapshot: &Snapshot,
        mut note: impl FnMut(&'a Snapshot),
    ) -> Result<(), String> {
        let guards = self.0.get(&place(snapshot));
        let own = rank(snapshot);
        let is_newer = |one: &&Snapshot| rank(one) > own && one.id != snapshot.id;
        let newest = guards.and_then(|guards| guards.newest).filter(is_newer);
        if newest.is_none() {
            return Err(NEWEST_AVAILABLE.to_owned());
        }
        for content in Content::all_of(snapshot) {
            let having = guards.and_then(|guards| guards.having(content)).filter(is_newer);
            note(having.ok_or_else(|| content.describe())?);
        }
        Ok(())
    }
}

/// Whether `original` has every volume of `double`, which was made twice for it.
pub fn has_all_of(original: &Snapshot, double: &Snapshot) -> bool {
    let mut guards = Guards::default();
    guards.add(original);
    Content::all_of(double).into_iter().all(|content| guards.having(content).is_some())
}

/// The image that uses a member of `snapshot`, if any does.
pub fn using_image<'a>(
    snapshot: &Snapshot,
    in_use: &'a BTreeMap<EbsSnapshotId, ImageId>,
) -> Option<&'a ImageId> {
    snapshot.living_members().find_map(|member| in_use.get(&member.ebs_snapshot_id))
}

#[cfg(test)]
mod tests;
