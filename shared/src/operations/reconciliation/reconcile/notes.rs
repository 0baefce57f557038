//! Notes on records what EC2 tells of their members in lists of their own.

mod sharing;

use jiff::Timestamp;
use tracing::warn;

use super::records::Records;
use crate::domain::notes::{NotesOfRegion, Sharing};
use crate::domain::snapshot::Snapshot;
use crate::ec2::Ec2;
use crate::error::{Error, chain};
use crate::operations::rewrite::until_written;
use crate::service::Service;

/// How many records of a region one look writes at the most; the next goes on.
const NOTED_MAX: usize = 1_000;

/// Notes it on all records of a region. Nothing waits for it: where EC2 does not tell, or a record cannot be written, what
/// was noted before stands until the next hour.
pub(super) async fn note(service: &Service, ec2: &Ec2, records: &Records, now: Timestamp) {
    let region = ec2.region();
    let told = match ec2.notes().await {
        Ok(told) => told,
        Err(error) => {
            warn!(region, error.chain = %chain(&error), "What is locked, recycled or public in {region} is noted later");
            return;
        }
    };
    let sharing = sharing::ask(ec2, records.of(region), now).await;
    let is_news = |one: &&Snapshot| one.with_notes(&told, &sharing).is_some();
    let changed = records.of_and_missing(region).filter(is_news);
    for snapshot in changed.take(NOTED_MAX) {
        if let Err(error) = note_one(service, snapshot, &told, &sharing).await {
            let id = &snapshot.id;
            warn!(snapshot.id = %id, error.chain = %chain(&error), "What EC2 tells of {id} is noted later");
        }
    }
}

async fn note_one(
    service: &Service,
    snapshot: &Snapshot,
    told: &NotesOfRegion,
    sharing: &Sharing,
) -> Result<(), Error> {
    let id = &snapshot.id;
    until_written(|| async move {
        // What was read an hour's work ago may have been written since.
        let current = service.table.snapshot(id).await?;
        let noted = current.as_ref().and_then(|one| one.with_notes(told, sharing));
        let Some((current, noted)) = current.as_ref().zip(noted) else { return Ok(Some(())) };
        let written = service.table.update_snapshot(current, &noted).await?;
        Ok(written.is_done().then_some(()))
    })
    .await?;
    Ok(())
}
