//! Ours of before installations had ids get our id.
//!
//! Whose they are their record says: this installation has made, copied or adopted them. A record that was made again
//! from tags says nothing of the kind, for the tags may be those of another installation.

use std::collections::BTreeMap;

use tracing::{info, warn};

use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::installation::Installation;
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::Snapshot;
use crate::domain::tags::{Tags, has_room_for_installation};
use crate::ec2::{Ec2, Tagging};
use crate::error::Error;

/// How many are signed with one call.
const TOGETHER: usize = 200;
/// How many are signed in one look; the next goes on.
const SIGNED_MAX: usize = 10_000;

/// The set that an EBS snapshot says it is of, if it names no installation and has room for ours.
pub(super) fn unsigned(seen: &EbsSnapshot) -> Option<(EbsSnapshotId, SnapshotId)> {
    let lacks = seen.installation == Installation::Unnamed && has_room_for_installation(&seen.tags);
    Some((seen.id.clone(), seen.set().filter(|_| lacks)?))
}

/// Signs those of `unsigned` that this installation has made, and answers how many. What EC2 refuses stays as it is, and
/// ours by its record.
pub(super) async fn sign(
    ec2: &Ec2,
    here: &[Snapshot],
    unsigned: &BTreeMap<EbsSnapshotId, SnapshotId>,
) -> Result<usize, Error> {
    if unsigned.is_empty() {
        return Ok(0);
    }
    let made = here.iter().filter(|one| one.is_made_by_us());
    let members = made.flat_map(|one| one.living_members().map(move |member| (one, member)));
    let ours = members.filter(|(one, member)| {
        unsigned.get(&member.ebs_snapshot_id).is_some_and(|set| set == one.tagged_id())
    });
    let ours: Vec<_> = ours.map(|(_, member)| member.ebs_snapshot_id.clone()).collect();
    let mut signed = 0;
    for together in ours.chunks(TOGETHER).take(SIGNED_MAX / TOGETHER) {
        match ec2.tag_adopted(together, &Tags::new()).await? {
            Tagging::Done => signed += together.len(),
            Tagging::Refused(_) => signed += sign_each(ec2, together).await?,
        }
    }
    info!("{signed} EBS snapshots of before installations had ids name ours now");
    Ok(signed)
}

/// EC2 tags all or none: one that takes no tag is not to keep the others from theirs.
async fn sign_each(ec2: &Ec2, ids: &[EbsSnapshotId]) -> Result<usize, Error> {
    let mut signed = 0;
    for id in ids {
        match ec2.tag_adopted(std::slice::from_ref(id), &Tags::new()).await? {
            Tagging::Done => signed += 1,
            Tagging::Refused(failure) => {
                warn!("{id} does not get our id: {}: {}", failure.code, failure.message);
            }
        }
    }
    Ok(signed)
}
