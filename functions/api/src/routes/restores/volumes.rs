//! The volumes of a restore, and its outlook, on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{EbsSnapshotId, VolumeId};
use shared::domain::restore::{mode, outlook};
use utoipa::ToSchema;

/// A volume that is made.
#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "two facts that have nothing to do with each other"
)]
pub(super) struct RestoredVolume {
    /// What it is made from.
    #[schema(value_type = String, example = "snap-0123456789abcdef0")]
    ebs_snapshot_id: EbsSnapshotId,
    /// The volume, once EC2 has made it.
    #[schema(value_type = Option<String>, example = "vol-0123456789abcdef0")]
    volume_id: Option<VolumeId>,
    /// Where the snapshot's volume was attached.
    device: Option<String>,
    /// Where it is to be attached.
    attach_as: Option<String>,
    /// Whether the instance booted from it.
    boot: bool,
    /// Size.
    size_gib: i32,
    /// Type.
    volume_type: String,
    /// Provisioned operations a second.
    iops: Option<i32>,
    /// Provisioned MiB a second.
    throughput_mibps: Option<i32>,
    /// At which rate in MiB a second EC2 is paid to fetch its blocks; null: as fast as it comes.
    volume_initialization_rate: Option<i32>,
    /// Whether it can be at several instances at once (Multi-Attach), as the snapshot's or the present volume.
    multi_attach: bool,
}

/// A volume that had to make room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OldVolume {
    /// EC2's identifier.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// Where it was attached.
    device: String,
    /// When EC2 was asked to take it off; null before.
    detached_at: Option<Timestamp>,
}

/// What a restore will do and cost, told before anything is changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outlook {
    /// The volumes of the instance that stay with the content of now.
    stays: Vec<StayingVolume>,
    /// What of the instance the snapshot does not have: `the boot volume`, or volumes by their ids.
    left_out: Vec<String>,
    /// How long the parts of it take, in words.
    takes: Vec<String>,
    /// What a stop costs, in words.
    costs: Vec<String>,
    /// What does not come back as it was, in words.
    differs: Vec<String>,
}

/// A volume that stays as it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StayingVolume {
    /// EC2's identifier.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// Where it is attached.
    device: String,
}

impl From<outlook::Outlook> for Outlook {
    fn from(outlook: outlook::Outlook) -> Self {
        let outlook::Outlook { stays, left_out, takes, costs, differs } = outlook;
        let stays = stays.into_iter().map(|volume| {
            let outlook::StayingVolume { volume_id, device } = volume;
            StayingVolume { volume_id, device }
        });
        Self { stays: stays.collect(), left_out, takes, costs, differs }
    }
}

impl From<mode::PlannedVolume> for RestoredVolume {
    fn from(volume: mode::PlannedVolume) -> Self {
        let mode::PlannedVolume {
            ebs_snapshot_id,
            device,
            attach_as,
            boot,
            size_gib,
            volume_type,
            iops,
            throughput_mibps,
            initialization_rate_mibps,
            delete_on_termination: _delete_on_termination,
            volume_id,
            attempt: _attempt,
            attached_at: _attached_at,
            multi_attach,
            tags: _tags,
        } = volume;
        Self {
            ebs_snapshot_id,
            volume_id,
            device,
            attach_as,
            boot,
            size_gib,
            volume_type,
            iops,
            throughput_mibps,
            volume_initialization_rate: initialization_rate_mibps,
            multi_attach,
        }
    }
}

impl From<mode::OldVolume> for OldVolume {
    fn from(volume: mode::OldVolume) -> Self {
        let mode::OldVolume { volume_id, device, detached_at, delete_on_termination: _goes } =
            volume;
        Self { volume_id, device, detached_at }
    }
}
