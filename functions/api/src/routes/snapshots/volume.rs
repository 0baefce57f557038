//! The EBS snapshots of a snapshot on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{EbsSnapshotId, VolumeId};
use shared::domain::notes::{LockNote, Notes};
use shared::domain::ownership;
use shared::domain::snapshot::member::Member;
use utoipa::ToSchema;

use super::super::words::wire_words;

/// One EBS snapshot of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "JSON's true and false")]
pub(super) struct SnapshotVolume {
    /// EC2's identifier.
    #[schema(value_type = String, example = "snap-0123456789abcdef0")]
    ebs_snapshot_id: EbsSnapshotId,
    /// The volume it is of.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// Where that was attached.
    device: Option<String>,
    /// Whether the instance booted from it.
    boot: bool,
    /// Size of the volume.
    size_gib: i32,
    /// Type of the volume then: `gp3`, `io2`, …; null if it was not recorded.
    #[schema(example = "gp3")]
    volume_type: Option<String>,
    /// Provisioned operations a second then, where its type had them and they were recorded.
    iops: Option<i32>,
    /// Provisioned MiB a second then, where its type had them and they were recorded.
    throughput_mibps: Option<i32>,
    /// The key that the volume was encrypted with; null if it was not, or if that was not recorded.
    kms_key_id: Option<String>,
    /// Whether it went with its instance, where that was recorded.
    delete_on_termination: Option<bool>,
    /// Where it stands.
    state: VolumeState,
    /// How far EC2 is.
    #[schema(maximum = 100)]
    progress_percent: u8,
    /// The full size of its data as EC2 reports it; not what is billed.
    full_size_bytes: Option<i64>,
    /// Where EC2 keeps it.
    storage_tier: StorageTier,
    /// With `storage_tier` `restored`: when it goes back into the archive.
    restore_expires_at: Option<Timestamp>,
    /// Whether it has been deleted.
    deleted: bool,
    /// Its lock in EC2, if it has one that is in force; noted each hour, like the next four.
    lock: Option<VolumeLock>,
    /// The zones in which it is enabled for fast snapshot restore: until that is disabled EC2 does not delete it.
    #[schema(example = json!(["us-east-1b"]))]
    fast_restore_zones: Vec<String>,
    /// Of one that has gone missing: until when it can be taken out of EC2's Recycle Bin.
    recycled_until: Option<Timestamp>,
    /// Whether every account may make volumes of it.
    public: bool,
    /// The accounts that may make volumes of it one by one, as far as is known: each hour EC2 is asked about up to a hundred EBS
    /// snapshots of a region in turn, and about all that is shared with an account that is known already.
    #[schema(example = json!(["999988887777"]))]
    shared_with: Vec<String>,
}

/// A lock in EC2.
#[derive(Debug, Serialize, ToSchema)]
struct VolumeLock {
    /// EC2's word for it.
    #[schema(example = "governance")]
    state: String,
    /// Until when; null where EC2 does not say.
    until: Option<Timestamp>,
}

wire_words! {
    /// Where an EBS snapshot stands.
    VolumeState of ownership::EbsState {
        /// Being written.
        Pending,
        /// Usable.
        Completed,
        /// Failed.
        Error,
    }
}

wire_words! {
    /// Where EC2 keeps an EBS snapshot.
    StorageTier of ownership::StorageTier {
        /// Ready for use.
        Standard,
        /// In the archive, out of which it takes up to three days.
        Archive,
        /// Out of the archive for some days only.
        Restored,
    }
}

impl From<Member> for SnapshotVolume {
    fn from(member: Member) -> Self {
        let Member {
            ebs_snapshot_id,
            volume_id,
            device,
            boot,
            size_gib,
            state,
            progress_percent,
            full_size_bytes,
            volume,
            tier,
            restore_expires_at,
            notes,
            deleted,
        } = member;
        let Notes { lock, fast_restore_zones, recycled_until, public, shared_with } = notes;
        Self {
            ebs_snapshot_id,
            volume_id,
            device,
            boot,
            size_gib,
            iops: volume.as_ref().and_then(|volume| volume.iops),
            throughput_mibps: volume.as_ref().and_then(|volume| volume.throughput_mibps),
            kms_key_id: volume.as_ref().and_then(|volume| volume.kms_key_id.clone()),
            delete_on_termination: volume.as_ref().and_then(|one| one.delete_on_termination),
            volume_type: volume.map(|volume| volume.volume_type),
            state: state.into(),
            progress_percent,
            full_size_bytes,
            storage_tier: tier.into(),
            restore_expires_at,
            deleted,
            lock: lock.map(|LockNote { state, until }| VolumeLock { state, until }),
            fast_restore_zones: fast_restore_zones.into_iter().collect(),
            recycled_until,
            public,
            shared_with: shared_with.into_iter().collect(),
        }
    }
}
