//! Mending: EBS snapshots that bear our tags and are members of no record that lists show.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Reconciliation, Repair};
use crate::domain::ids::SnapshotId;
use crate::domain::ownership::EbsSnapshot;
use crate::domain::snapshot::copying::CopyOf;
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source, Status};
use crate::domain::tags::{self};
use crate::error::Error;
use crate::operations::snapshots;
use crate::operations::snapshots::recover::{as_member, by_attempt};
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
            // What names no installation may be another's of before there were ids: a person adopts it.
            let own = self.left_but_own(found);
            return self.rebuild(set, &own).await;
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
            // Whoever makes the copy looks for what got no answer.
            Status::Requested | Status::Creating if record.copy_of.is_some() => Ok(()),
            Status::Requested | Status::Creating if record.is_attempt_uncertain(self.now) => Ok(()),
            Status::Requested | Status::Creating => self.recover(&record, found).await,
            // It shows after all: else nobody would look after it.
            Status::Error if record.is_given_up_unmade() => {
                let own = self.left_but_own(found);
                self.recover(&record, &own).await
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

    /// What a set waits for, or had waited for until it was given up.
    async fn recover(&mut self, record: &Snapshot, found: &[EbsSnapshot]) -> Result<(), Error> {
        let written =
            snapshots::recover_members(self.service, record, found, None, self.now).await?;
        self.note(written, &record.id, Repair::Recovered);
        Ok(())
    }

    /// Those that name our installation. The others are left alone.
    fn left_but_own(&mut self, found: &[EbsSnapshot]) -> Vec<EbsSnapshot> {
        let (own, others): (Vec<_>, Vec<_>) =
            found.iter().cloned().partition(|one| one.own_set().is_some());
        self.report.leave(&others);
        own
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
        // Only a second snapshot of a volume that the set has already is a duplicate, or a second copy of what it has one
        // of.
        let is_second = |stray: &EbsSnapshot| match &original.copy_of {
            None => original.members.iter().any(|one| stray.real_volume() == Some(&one.volume_id)),
            // Once all copies are done none is asked for: somebody has copied our copy, tags and all.
            Some(_) if original.course.completed_at.is_some_and(|at| stray.started_at > at) => {
                false
            }
            Some(copy) => stray.copied_from().is_some_and(|(_, source)| {
                // A copy that has failed is not made any further: what began without our hearing of it goes as well.
                copy.has_made(&source) || original.status == Status::Error && copy.is_of(&source)
            }),
        };
        let (twice, others): (Vec<_>, Vec<_>) = strays.iter().cloned().partition(is_second);
        self.report.leave(&others);
        let twice = self.left_but_own(&twice);
        for set in by_attempt(&twice) {
            let parts: Vec<_> = set.iter().map(|one| one.id.as_str()).collect();
            let Some(first) = set.first() else { continue };
            let id = SnapshotId::derived(first.started_at, &parts);
            let slot = original.slot.clone();
            let record = Snapshot {
                name: original.name.clone(),
                duplicate_of: Some(original.id.clone()),
                copy_of: original.copy_of.as_ref().map(CopyOf::of_duplicate),
                started_at: original.started_at.filter(|_| original.copy_of.is_some()),
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
        // A copy has the content of its slot, and its own rules.
        let copy_of =
            tag(tags::COPY_OF).and_then(|text| text.parse().ok()).zip(first.copied_from());
        let copy_of = copy_of.map(|(id, (region, _))| CopyOf::known_by_tags(id, region));
        if origin == Origin::Copy && copy_of.is_none() {
            // Of what, and how old, nobody can say.
            self.report.leave(found);
            return Ok(());
        }
        let taken_at = slot.as_ref().map(|slot| slot.slot).filter(|_| copy_of.is_some());
        let record = Snapshot {
            name: tag("Name").unwrap_or_default().to_owned(),
            started_at: taken_at,
            copy_of,
            ..Snapshot::requested(set.clone(), origin, source, slot, self.now)
        };
        let together = if record.copy_of.is_some() {
            first_of_each(found)
        } else {
            by_attempt(found).into_iter().next().unwrap_or_default()
        };
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

/// The first copy of each EBS snapshot: unlike a set they are not begun together.
fn first_of_each(found: &[EbsSnapshot]) -> Vec<EbsSnapshot> {
    let mut firsts: BTreeMap<_, &EbsSnapshot> = BTreeMap::new();
    for one in found {
        let Some((_, source)) = one.copied_from() else { continue };
        let first = firsts.entry(source).or_insert(one);
        if (one.started_at, &one.id) < (first.started_at, &first.id) {
            *first = one;
        }
    }
    firsts.into_values().cloned().collect()
}
