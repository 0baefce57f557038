//! What EC2 is asked for to copy one EBS snapshot.

use crate::domain::ids::EbsSnapshotId;
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::labels::{CopiedFrom, Identity, for_creation};
use crate::domain::tags::Tags;
use crate::ec2::NewCopy;

/// The copy of one EBS snapshot that is a part of `copy`; none if that is no copy.
pub(crate) fn new_copy<'a>(copy: &'a Snapshot, source: &'a EbsSnapshotId) -> Option<NewCopy<'a>> {
    let original = copy.copy_of.as_ref()?;
    let identity = Identity {
        snapshot_id: &copy.id,
        instance_id: &copy.source.instance_id,
        slot: copy.slot.as_ref(),
        name: &copy.name,
        copied_from: Some(CopiedFrom {
            snapshot_id: &original.snapshot_id,
            region: &original.region,
            ebs_snapshot_id: source,
        }),
    };
    let none = Tags::new();
    let copied = if copy.request.copy_tags { &copy.source.tags } else { &none };
    let description = format!("Snapkeep: {}, copied from {}", copy.name, original.region);
    Some(NewCopy {
        source_region: &original.region,
        source,
        kms_key: original.kms_key.as_deref(),
        description,
        tags: for_creation(&identity, &copy.tags, copied),
    })
}
