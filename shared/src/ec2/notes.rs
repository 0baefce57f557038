//! What EC2 tells of EBS snapshots in lists of their own: a handful of calls for a whole region.

use aws_sdk_ec2::types::{LockState, LockedSnapshotsInfo};

use super::errors::failed;
use super::{Ec2, PAGE_MAX, convert, filter};
use crate::domain::ids::EbsSnapshotId;
use crate::domain::notes::{LockNote, NotesOfRegion};
use crate::error::Error;

/// The states of fast snapshot restore in which EC2 does not delete the snapshot.
const FAST_RESTORE_ON: [&str; 3] = ["enabling", "optimizing", "enabled"];

impl Ec2 {
    /// What EC2 tells of the account's EBS snapshots here in lists of their own, of those of which it tells anything.
    pub async fn notes(&self) -> Result<NotesOfRegion, Error> {
        let mut notes = NotesOfRegion::new();
        self.note_locks(&mut notes).await?;
        self.note_fast_restores(&mut notes).await?;
        self.note_recycled(&mut notes).await?;
        self.note_public(&mut notes).await?;
        Ok(notes)
    }

    async fn note_locks(&self, notes: &mut NotesOfRegion) -> Result<(), Error> {
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_locked_snapshots()
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeLockedSnapshots", error))?;
            for (id, lock) in answer.snapshots().iter().filter_map(lock) {
                notes.entry(id).or_default().lock = Some(lock);
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn note_fast_restores(&self, notes: &mut NotesOfRegion) -> Result<(), Error> {
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_fast_snapshot_restores()
                .filters(filter("state", FAST_RESTORE_ON.map(str::to_owned)))
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeFastSnapshotRestores", error))?;
            for one in answer.fast_snapshot_restores() {
                let id: Option<EbsSnapshotId> = one.snapshot_id().and_then(|id| id.parse().ok());
                if let Some((id, zone)) = id.zip(one.availability_zone()) {
                    notes.entry(id).or_default().fast_restore_zones.insert(zone.to_owned());
                }
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn note_recycled(&self, notes: &mut NotesOfRegion) -> Result<(), Error> {
        let mut token = None;
        loop {
            let answer = self
                .client
                .list_snapshots_in_recycle_bin()
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("ListSnapshotsInRecycleBin", error))?;
            for one in answer.snapshots() {
                let id: Option<EbsSnapshotId> = one.snapshot_id().and_then(|id| id.parse().ok());
                let end = one.recycle_bin_exit_time().and_then(convert::timestamp);
                if let Some((id, end)) = id.zip(end) {
                    notes.entry(id).or_default().recycled_until = Some(end);
                }
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn note_public(&self, notes: &mut NotesOfRegion) -> Result<(), Error> {
        for id in self.restorable_by("all").await? {
            notes.entry(id).or_default().public = true;
        }
        Ok(())
    }
}

/// A lock that is in force, and whose it is.
fn lock(info: &LockedSnapshotsInfo) -> Option<(EbsSnapshotId, LockNote)> {
    let id = info.snapshot_id()?.parse().ok()?;
    let state = info.lock_state().filter(|state| **state != LockState::Expired)?;
    let until = info.lock_expires_on().and_then(convert::timestamp);
    Some((id, LockNote { state: state.as_str().to_owned(), until }))
}
