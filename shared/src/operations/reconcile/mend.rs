//! Mending: EBS snapshots that bear our tags and are members of no record that lists show.

use jiff::Timestamp;

use super::super::adopt_members::{adopt_members, as_member, by_attempt};
use super::{Reconciliation, Repair};
use crate::domain::ids::SnapshotId;
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source, Status};
use crate::domain::tags::{self};
use crate::error::Error;
use crate::service::Service;
use crate::table::Written;

/// Mends records of one region, and reports what it did.
pub(super) struct Mender<'a> {
    pub(super) service: &'a Service,
    /// The region of what it is given.
    pub(super) region: &'a str,
    pub(super) now: Timestamp,
    pub(super) report: &'a mut Reconciliation,
}

impl Mender<'_> {
    /// Mends what bears the tag of `set` and is no member of a record that lists show.
    pub(super) async fn repair(
        &mut self,
        set: &SnapshotId,
        found: &[EbsSnapshot],
    ) -> Result<(), Error> {
        let Some(record) = self.service.table.snapshot(set).await? else {
            return self.rebuild(set, found).await;
        };
        if record.source.region != self.region {
            // Members are where their set is: what is elsewhere is a copy that somebody has made with our tags.
            self.report.leave(found);
            return Ok(());
        }
        // The record may be gone from lists, or have been written since they were read.
        let strays: Vec<_> =
            found.iter().filter(|one| !record.has_member(&one.id)).cloned().collect();
        match record.status {
            Status::Requested | Status::Creating if record.is_attempt_uncertain(self.now) => Ok(()),
            Status::Requested | Status::Creating => {
                let written = adopt_members(self.service, &record, found, None, self.now).await?;
                self.note(written, set, Repair::Adopted);
                Ok(())
            }
            Status::Missing if strays.is_empty() => self.take_back(&record, found).await,
            Status::Deleted | Status::Missing => {
                self.report.leave(found);
                Ok(())
            }
            Status::Pending
            | Status::Available
            | Status::Error
            | Status::Condemned
            | Status::Deleting => self.record_duplicates(&record, &strays).await,
        }
    }

    fn note(&mut self, written: Written, set: &SnapshotId, repair: Repair) {
        if written.is_done() {
            self.report.repaired.push((set.clone(), repair));
        }
    }

    /// A set that had counted as missing is whole again: restored from the Recycle Bin, say.
    async fn take_back(&mut self, record: &Snapshot, found: &[EbsSnapshot]) -> Result<(), Error> {
        let Some(returned) = record.returned(found, self.now) else { return Ok(()) };
        let written = self.service.table.update_snapshot(record, &returned).await?;
        self.note(written, &record.id, Repair::Returned);
        Ok(())
    }

    /// The second set of a lost reply gets a record of its own, which a sweep condemns while the first is good.
    async fn record_duplicates(
        &mut self,
        original: &Snapshot,
        strays: &[EbsSnapshot],
    ) -> Result<(), Error> {
        // Only a second snapshot of a volume that the set has already is a duplicate.
        let has_volume = |stray: &EbsSnapshot| {
            original.members.iter().any(|one| stray.real_volume() == Some(&one.volume_id))
        };
        let (twice, others): (Vec<_>, Vec<_>) = strays.iter().cloned().partition(has_volume);
        self.report.leave(&others);
        for set in by_attempt(&twice) {
            let parts: Vec<_> = set.iter().map(|one| one.id.as_str()).collect();
            let Some(first) = set.first() else { continue };
            let id = SnapshotId::derived(first.started_at, &parts);
            let slot = original.slot.clone();
            let record = Snapshot {
                name: original.name.clone(),
                duplicate_of: Some(original.id.clone()),
                ..Snapshot::requested(id, original.origin, original.source.clone(), slot, self.now)
            };
            self.insert(record, &set, Repair::Duplicate).await?;
        }
        Ok(())
    }

    /// A set without a record gets one from its tags: the table was lost, or restored from before.
    async fn rebuild(&mut self, set: &SnapshotId, found: &[EbsSnapshot]) -> Result<(), Error> {
        let Some(first) = found.iter().min_by_key(|one| one.started_at) else { return Ok(()) };
        let tag = |key: &str| first.tags.get(key).map(String::as_str);
        let Some(instance_id) = tag(tags::INSTANCE).and_then(|text| text.parse().ok()) else {
            self.report.leave(found);
            return Ok(());
        };
        let slot = tag(tags::SCHEDULE)
            .and_then(|text| text.parse().ok())
            .zip(tag(tags::SLOT).and_then(|text| text.parse().ok()))
            .map(|(schedule_id, slot)| ScheduleSlot { schedule_id, slot });
        let source = Source::unknown(instance_id, self.region);
        let origin = match tag(tags::ORIGIN).and_then(|text| text.parse().ok()) {
            Some(origin) => origin,
            None if slot.is_some() => Origin::Schedule,
            None => Origin::Manual,
        };
        let record = Snapshot {
            name: tag("Name").unwrap_or_default().to_owned(),
            ..Snapshot::requested(set.clone(), origin, source, slot, self.now)
        };
        let together = by_attempt(found).into_iter().next().unwrap_or_default();
        self.insert(record, &together, Repair::Rebuilt).await
    }

    /// Puts a new record whose members EC2 shows.
    async fn insert(
        &mut self,
        record: Snapshot,
        set: &[EbsSnapshot],
        repair: Repair,
    ) -> Result<(), Error> {
        let members: Vec<Member> = set.iter().filter_map(|one| as_member(one, None)).collect();
        let pending = record.created(members, self.now).map_err(Error::conflict)?;
        let observed = pending.observed(set, self.now).unwrap_or(pending);
        let created_at = observed.started_at.unwrap_or(self.now);
        let recorded = Snapshot { version: 1, created_at, ..observed };
        let written = self.service.table.update_members(None, &recorded).await?;
        self.note(written, &recorded.id, repair);
        Ok(())
    }
}
