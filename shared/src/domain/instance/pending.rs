//! Snapshots that EC2 is still writing, and how many of a volume it writes at a time.

use std::collections::BTreeMap;

use crate::domain::ids::VolumeId;
use crate::domain::instance::{AttachedVolume, Ineligible, VolumeDetails};
use crate::domain::ownership::EbsState;
use crate::domain::snapshot::Snapshot;

/// How many snapshots of a volume EC2 writes at a time
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html>).
pub const PENDING_MAX: usize = 5;
/// The volumes of which it writes one at a time.
pub const SLOW_TYPES: [&str; 2] = ["st1", "sc1"];

/// From how many pending EBS snapshots in a region on EC2 may put others off, as long as the quota `Pending snapshots per
/// account` is not raised.
pub const PENDING_IN_REGION: usize = 100;

/// What so many pending EBS snapshots in its region mean for an instance, in words.
pub fn region_caveat(pending: usize) -> Option<String> {
    (pending >= PENDING_IN_REGION).then(|| {
        format!(
            "{PENDING_IN_REGION} or more EBS snapshots are pending in the region: EC2 may put this one off, unless \
             its quota of pending snapshots has been raised"
        )
    })
}

/// Whether another snapshot of these volumes can be begun beside those that are `pending`, or which volume stands in
/// the way. A volume that is not `known` is taken for one of the usual types.
pub fn room_for<'a>(
    volumes: impl IntoIterator<Item = &'a AttachedVolume>,
    pending: &[Snapshot],
    known: &BTreeMap<VolumeId, VolumeDetails>,
) -> Result<(), Ineligible> {
    let mut counts: BTreeMap<&VolumeId, usize> = BTreeMap::new();
    for member in pending.iter().flat_map(|snapshot| &snapshot.members) {
        if member.state == EbsState::Pending {
            *counts.entry(&member.volume_id).or_default() += 1;
        }
    }
    for AttachedVolume { volume_id, .. } in volumes {
        let count = counts.get(volume_id).copied().unwrap_or(0);
        let is_slow =
            known.get(volume_id).is_some_and(|one| SLOW_TYPES.contains(&one.volume_type.as_str()));
        if count >= if is_slow { 1 } else { PENDING_MAX } {
            return Err(Ineligible::Pending { volume_id: volume_id.clone(), count });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::ids::SnapshotId;
    use crate::domain::instance::launch::LaunchSettings;
    use crate::domain::notes::Notes;
    use crate::domain::ownership::StorageTier;
    use crate::domain::snapshot::member::Member;
    use crate::domain::snapshot::{Origin, Source};
    use crate::domain::tags::Tags;

    const VOLUME: &str = "vol-0123456789abcdef0";

    fn snapshot(number: usize, state: EbsState) -> Snapshot {
        let source = Source {
            instance_id: "i-0123456789abcdef0".parse().unwrap(),
            instance_name: None,
            instance_type: None,
            architecture: None,
            platform: None,
            region: "us-east-1".to_owned(),
            zone: None,
            tags: Tags::new(),
            launch: LaunchSettings::default(),
            machine: None,
        };
        let at = Timestamp::UNIX_EPOCH;
        let id = SnapshotId::derived(at, &[&number.to_string()]);
        let member = Member {
            ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
            volume_id: VOLUME.parse().unwrap(),
            device: None,
            boot: false,
            size_gib: 8,
            state,
            progress_percent: 0,
            full_size_bytes: None,
            volume: None,
            tier: StorageTier::Standard,
            restore_expires_at: None,
            notes: Notes::default(),
            deleted: false,
        };
        Snapshot {
            members: vec![member],
            ..Snapshot::requested(id, Origin::Manual, source, None, at)
        }
    }

    fn refusal(states: &[EbsState], volume_type: &str) -> Option<usize> {
        let attached = AttachedVolume {
            volume_id: VOLUME.parse().unwrap(),
            device: "/dev/sdf".to_owned(),
            boot: false,
            delete_on_termination: None,
            attached_at: None,
        };
        let details = VolumeDetails {
            id: attached.volume_id.clone(),
            size_gib: 8,
            volume_type: volume_type.to_owned(),
            encrypted: false,
            kms_key_id: None,
            iops: None,
            throughput_mibps: None,
            multi_attach: false,
            tags: Tags::new(),
        };
        let pending: Vec<_> = states.iter().enumerate().map(|(n, one)| snapshot(n, *one)).collect();
        let known = [(details.id.clone(), details)].into();
        match room_for([&attached], &pending, &known) {
            Err(Ineligible::Pending { count, .. }) => Some(count),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }

    #[test]
    fn of_most_volumes_five_are_written_at_a_time() {
        assert_eq!(refusal(&[EbsState::Pending; 4], "gp3"), None);
        assert_eq!(refusal(&[EbsState::Pending; 5], "gp3"), Some(5));
    }

    #[test]
    fn of_the_slow_ones_one_is() {
        for volume_type in SLOW_TYPES {
            assert_eq!(refusal(&[], volume_type), None);
            assert_eq!(refusal(&[EbsState::Pending], volume_type), Some(1));
        }
    }

    #[test]
    fn a_hundred_in_a_region_are_a_caveat() {
        assert_eq!(region_caveat(99), None);
        assert!(region_caveat(100).unwrap().contains("may put this one off"));
    }

    #[test]
    fn what_is_written_does_not_count() {
        assert_eq!(refusal(&[EbsState::Completed, EbsState::Error], "sc1"), None);
    }
}
