//! Copies of snapshots on the wire.

use serde::Serialize;
use shared::domain::ids::SnapshotId;
use shared::domain::snapshot::Snapshot;
use shared::domain::snapshot::copying::{self, CopyStage};
use utoipa::ToSchema;

use super::super::words::wire_words;

/// A copy of a snapshot in another region.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SnapshotCopy {
    /// Where.
    #[schema(example = "eu-west-1")]
    region: String,
    /// The copy; null while it is `wanted`.
    #[schema(value_type = Option<String>, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: Option<SnapshotId>,
    /// How far it is. Until it is over the snapshot stays, for seven days at the most.
    stage: Stage,
}

wire_words! {
    /// How far a copy is.
    Stage of CopyStage {
        /// To be made once the snapshot is available.
        Wanted,
        /// Being made.
        UnderWay,
        /// Made, failed, or not possible: its own record says.
        Over,
    }
}

/// What a snapshot is a copy of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CopyOf {
    /// The original.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Where that is.
    #[schema(example = "us-east-1")]
    region: String,
}

impl SnapshotCopy {
    /// The copies of a snapshot.
    pub(super) fn all_of(snapshot: &Snapshot) -> Vec<Self> {
        let copies = snapshot.keepers.copies.iter().map(|order| Self {
            region: order.region.clone(),
            snapshot_id: (order.stage != CopyStage::Wanted)
                .then(|| snapshot.copy_id(&order.region)),
            stage: order.stage.into(),
        });
        copies.collect()
    }
}

impl From<copying::CopyOf> for CopyOf {
    fn from(original: copying::CopyOf) -> Self {
        let copying::CopyOf {
            snapshot_id,
            region,
            kms_key: _kms_key,
            parts: _parts,
            is_awaited: _is_awaited,
            refused_at: _refused_at,
        } = original;
        Self { snapshot_id, region }
    }
}
