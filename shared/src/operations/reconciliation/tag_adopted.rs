//! The second half of an adoption: the members of a recorded set get our tags in EC2.
//!
//! Only the reconciler may do this. It looks anew at whose each member is, and lets no tag of another owner be joined by
//! ours; IAM holds it to the same.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::adoption::{Reason, Refused, objection};
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::{Failure, Snapshot};
use crate::domain::tags;
use crate::ec2::{Ec2, Tagging};
use crate::error::Error;
use crate::service::Service;

/// Puts our tags on the members of those of these sets that are being adopted, and answers which are adopted now.
///
/// Repeated, it does nothing more; died in between, whoever repeats it goes on. What cannot be tagged says so in its
/// record and is tried again each hour. An error says that at least one was not tried to the end, after trying all.
pub async fn tag_adopted(
    service: &Service,
    ids: &[SnapshotId],
    now: Timestamp,
) -> Result<Vec<SnapshotId>, Error> {
    let records = service.table.snapshots(ids).await?;
    let mut adopted = Vec::new();
    let mut failure = None;
    for record in records.values().filter(|one| one.is_being_adopted()) {
        match tag_one(service, record, now).await {
            Ok(true) => adopted.push(record.id.clone()),
            Ok(false) => {}
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(adopted), Err)
}

/// Whether it is adopted now.
async fn tag_one(service: &Service, record: &Snapshot, now: Timestamp) -> Result<bool, Error> {
    let ec2 = service.ec2_in(&record.source.region)?;
    let ids: Vec<_> = record.members.iter().map(|one| one.ebs_snapshot_id.clone()).collect();
    let seen = ec2.ebs_snapshots(&ids).await?;
    if seen.len() < ids.len() {
        // What is gone the hourly look finds out.
        return Ok(false);
    }
    let tagged = match tag_members(ec2, record, &seen).await? {
        Ok(()) => record.adopted(now),
        Err(failure) => {
            let (id, Failure { code, message }) = (&record.id, &failure);
            warn!(snapshot.id = %id, "Snapshot {id} cannot be adopted: {code}: {message}");
            record.adoption_refused(failure, now)
        }
    };
    let Some(new) = tagged else { return Ok(false) };
    // Who has written it meanwhile has done the same, or given it up.
    let is_written = service.table.update_snapshot(record, &new).await?.is_done();
    let is_adopted = is_written && !new.is_being_adopted();
    if is_adopted {
        info!(snapshot.id = %new.id, "Snapshot {} is adopted", new.id);
    }
    Ok(is_adopted)
}

/// Tags what is not tagged yet, unless somebody needs it.
async fn tag_members(
    ec2: &Ec2,
    record: &Snapshot,
    seen: &[EbsSnapshot],
) -> Result<Result<(), Failure>, Error> {
    let is_tagged = |one: &&EbsSnapshot| one.set().as_ref() == Some(record.tagged_id());
    let lacking: Vec<EbsSnapshot> = seen.iter().filter(|one| !is_tagged(one)).cloned().collect();
    if lacking.is_empty() {
        return Ok(Ok(()));
    }
    let images = ec2.images_about(&lacking).await?;
    let wanted = record.adoption_tags();
    let no_room = |one: &EbsSnapshot| {
        let detail = tags::no_room(&one.tags, &wanted)?;
        Some(Refused { ebs_snapshot_id: one.id.clone(), reason: Reason::TooManyTags, detail })
    };
    let from = record.adopted_from;
    let refused =
        lacking.iter().find_map(|one| objection(one, from, &images).or_else(|| no_room(one)));
    if let Some(Refused { ebs_snapshot_id, detail, .. }) = refused {
        return Ok(Err(Failure::new("NotAdopted", format!("{ebs_snapshot_id}: {detail}"))));
    }
    let ids: Vec<EbsSnapshotId> = lacking.into_iter().map(|one| one.id).collect();
    Ok(match ec2.tag_adopted(&ids, &wanted).await? {
        Tagging::Done => Ok(()),
        Tagging::Refused(failure) => Err(failure),
    })
}
