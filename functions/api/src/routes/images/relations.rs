//! Images and the snapshots that they use, on the wire.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::ids::{EbsSnapshotId, ImageId, ImageJobId, SnapshotId};
use shared::domain::image::seen::SeenImage;
use shared::views::image_relations::{Relation, Relations, UsingImage};
use utoipa::ToSchema;

use crate::problem::Problem;

/// How many snapshots one request may name.
const SNAPSHOTS_MAX: usize = 100;

/// The snapshots whose images are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedRelations {
    /// The snapshots.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100,
        example = json!(["snp_0195500c-6d00-7000-8000-000000000000"]))]
    snapshot_ids: Vec<SnapshotId>,
}

impl WantedRelations {
    /// The snapshots, each once.
    pub(super) fn ids(self) -> Result<BTreeSet<SnapshotId>, Problem> {
        let count = self.snapshot_ids.len();
        if (1..=SNAPSHOTS_MAX).contains(&count) {
            Ok(self.snapshot_ids.into_iter().collect())
        } else {
            let reason = format!("must name 1 to {SNAPSHOTS_MAX} snapshots, not {count}");
            Err(Problem::invalid("snapshot_ids", reason))
        }
    }
}

/// The images of each of several snapshots.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImageRelations {
    /// The snapshots there are, in the order of their ids.
    items: Vec<SnapshotImages>,
    /// Those there are not.
    #[schema(value_type = Vec<String>)]
    unknown_snapshot_ids: Vec<SnapshotId>,
}

/// A snapshot and the images that use it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SnapshotImages {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// The images, in the order of their ids; null while EC2 in its region is out of reach.
    images: Option<Vec<RelatedImage>>,
}

/// An image of the account that uses EBS snapshots of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct RelatedImage {
    /// EC2's identifier.
    #[schema(value_type = String, example = "ami-0123456789abcdef0")]
    ami_id: ImageId,
    /// Its name.
    name: String,
    /// Whether it was registered here.
    ours: bool,
    /// Our identifier of it, if it was.
    #[schema(value_type = Option<String>, example = "img_0195500c-6d00-7000-8000-000000000000")]
    image_id: Option<ImageJobId>,
    /// EC2's state of it: `available`, `pending`, `disabled`.
    #[schema(example = "available")]
    ec2_state: String,
    /// When it was made.
    created_at: Option<Timestamp>,
    /// The EBS snapshots of the snapshot that it uses.
    #[schema(value_type = Vec<String>, example = json!(["snap-0123456789abcdef0"]))]
    ebs_snapshot_ids: Vec<EbsSnapshotId>,
}

impl SnapshotImages {
    /// The images of a snapshot.
    pub(super) fn of(snapshot_id: SnapshotId, images: Option<Vec<UsingImage>>) -> Self {
        let images = images.map(|images| images.into_iter().map(RelatedImage::from).collect());
        Self { snapshot_id, images }
    }
}

impl From<Relations> for ImageRelations {
    fn from(relations: Relations) -> Self {
        let Relations { found, unknown } = relations;
        let item = |Relation { snapshot_id, images }| SnapshotImages::of(snapshot_id, images);
        Self { items: found.into_iter().map(item).collect(), unknown_snapshot_ids: unknown }
    }
}

impl From<UsingImage> for RelatedImage {
    fn from(using: UsingImage) -> Self {
        let UsingImage { seen, ours, ebs_snapshot_ids } = using;
        let SeenImage {
            id,
            name,
            state: _state,
            ec2_state,
            reason: _reason,
            created_at,
            ebs_snapshot_ids: _all,
            tags: _tags,
        } = seen;
        Self {
            ami_id: id,
            name,
            ours: ours.is_some(),
            image_id: ours,
            ec2_state,
            created_at,
            ebs_snapshot_ids,
        }
    }
}
