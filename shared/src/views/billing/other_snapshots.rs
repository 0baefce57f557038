//! Other snapshots that hold blocks of a copy's volumes.

use crate::domain::cursor::PageRequest;
use crate::domain::installation::Installation;
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::Snapshot;
use crate::domain::statistics::stored_members;
use crate::domain::tags::Tags;
use crate::error::Error;
use crate::service::Service;
use crate::views;
use crate::views::snapshots::SnapshotFilter;

/// How many snapshots of an instance are looked through for what else is of a copy's volume.
const COPIES_MAX: usize = 200;

/// The copies of the same instance in the region of a copy, by their records: EC2 does not say of which volume a copy is.
/// None if they are too many.
pub(super) async fn copies_beside(
    service: &Service,
    copy: &Snapshot,
) -> Result<Option<Vec<EbsSnapshot>>, Error> {
    let filter = SnapshotFilter {
        instance_id: Some(copy.source.instance_id.clone()),
        region: Some(copy.source.region.clone()),
        ..SnapshotFilter::default()
    };
    let request = PageRequest { limit: COPIES_MAX, ..PageRequest::default() };
    let page = views::snapshots::list(service, &filter, &request).await?;
    if page.next_cursor.is_some() {
        return Ok(None);
    }
    let copies = page.items.iter().filter(|one| one.copy_of.is_some());
    let members = copies.flat_map(|one| {
        stored_members(one).map(|member| EbsSnapshot {
            state_message: None,
            id: member.ebs_snapshot_id.clone(),
            volume_id: Some(member.volume_id.clone()),
            state: member.state,
            started_at: one.taken_at(),
            completed_at: one.course.completed_at,
            progress_percent: member.progress_percent,
            volume_size_gib: member.size_gib,
            full_size_bytes: member.full_size_bytes,
            tier: member.tier,
            restore_expires_at: member.restore_expires_at,
            description: String::new(),
            tags: Tags::new(),
            installation: Installation::Ours,
        })
    });
    Ok(Some(members.collect()))
}
