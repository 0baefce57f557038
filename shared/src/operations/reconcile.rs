//! Holds every EBS snapshot of the account against every record, and mends what is ours.
//!
//! Others' snapshots are never touched; they are reported with whose they seem to be.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::{info, warn};

use super::adopt_members::{adopt_members, as_member, by_attempt};
use super::refresh_snapshots::refresh;
use super::relist_snapshots::relist_snapshots;
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::ownership::{EbsSnapshot, Owner, seeming_owner};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source, Status};
use crate::domain::tags;
use crate::error::{Error, chain};
use crate::service::Service;
use crate::table::Written;
use crate::table::keys::{self, Index, Presence};
use crate::table::snapshots::SnapshotList;

/// How long an EBS snapshot without a record is left alone: whoever makes it may not have recorded it yet.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// How many of others' snapshots the report names; the rest it counts.
const NAMED_MAX: usize = 1_000;

/// How many of a kind the log names.
const LOGGED_MAX: usize = 50;

/// What is in EC2 and not in the table, and the reverse.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reconciliation {
    /// EBS snapshots of the account.
    pub ebs_snapshots: usize,
    /// Records that lists show.
    pub records: usize,
    /// Records brought in line with EC2, and how they stand now.
    pub refreshed: Vec<(SnapshotId, String)>,
    /// Ours by tag, and what was done about them.
    pub repaired: Vec<(SnapshotId, Repair)>,
    /// Ours by tag, of a record that is deleted: somebody has brought them back, or the record was given up. Left
    /// alone.
    pub left: Vec<EbsSnapshotId>,
    /// Others' snapshots, by whose they seem to be.
    pub others: BTreeMap<Owner, usize>,
    /// Which those are, the first thousand.
    pub others_named: Vec<(EbsSnapshotId, Owner)>,
}

/// What was done about an EBS snapshot that bears our tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// Its set was waiting for it.
    Adopted,
    /// Its set had counted as missing and is back.
    Returned,
    /// Its set has other members: it was made twice, and has a record of its own that a sweep condemns.
    Duplicate,
    /// There was no record: there is one now, made from its tags.
    Rebuilt,
}

/// Holds everything against everything. One repair's failure does not stop the others; the next hour goes on.
pub async fn reconcile(service: &Service, now: Timestamp) -> Result<Reconciliation, Error> {
    // The records first: what is made meanwhile then has no record here, and is young.
    let list = SnapshotList { index: Index::All, partition: keys::all(Presence::Here) };
    let records = service.table.every_snapshot(&list).await?;
    if let Err(error) = relist_snapshots(service, &records).await {
        warn!(error.chain = %chain(&error), "The ledgers may lack records until the next hour");
    }
    let seen = service.ec2.every_ebs_snapshot().await?;
    let refreshed = refresh(service, &records, &seen, now).await;
    let report = Reconciliation {
        ebs_snapshots: seen.len(),
        records: records.len(),
        refreshed: refreshed.changed,
        ..Reconciliation::default()
    };
    let members: BTreeSet<_> = records
        .iter()
        .flat_map(|record| record.members.iter().map(|member| &member.ebs_snapshot_id))
        .collect();
    let mut mender = Mender { service, now, report };
    let mut strays: BTreeMap<SnapshotId, Vec<EbsSnapshot>> = BTreeMap::new();
    for snapshot in &seen {
        match snapshot.set() {
            Some(_) if members.contains(&snapshot.id) => {}
            Some(_) if now.duration_since(snapshot.started_at) < YOUNG => {}
            Some(set) => strays.entry(set).or_default().push(snapshot.clone()),
            None => mender.report.note_other(snapshot),
        }
    }
    for (set, found) in strays {
        if let Err(error) = mender.repair(&set, &found).await {
            warn!(snapshot.id = %set, error.chain = %chain(&error), "The repair of {set} waits");
        }
    }
    let report = mender.report;
    report.log();
    Ok(report)
}

impl Reconciliation {
    fn note_other(&mut self, snapshot: &EbsSnapshot) {
        let owner = seeming_owner(snapshot);
        *self.others.entry(owner).or_default() += 1;
        if self.others_named.len() < NAMED_MAX {
            self.others_named.push((snapshot.id.clone(), owner));
        }
    }

    /// What somebody who looks for it should find in the log: nobody reads what the function answers.
    fn log(&self) {
        info!(
            "{} EBS snapshots, {} records, {} repairs",
            self.ebs_snapshots,
            self.records,
            self.repaired.len()
        );
        for (owner, count) in &self.others {
            let named = self.others_named.iter().filter(|(_, whose)| whose == owner);
            let ids: Vec<_> = named.map(|(id, _)| id.as_str()).take(LOGGED_MAX).collect();
            info!(
                "{count} EBS snapshots are not ours but seem to be of {owner:?}: {}",
                ids.join(" ")
            );
        }
        if !self.left.is_empty() {
            let ids: Vec<_> =
                self.left.iter().map(EbsSnapshotId::as_str).take(LOGGED_MAX).collect();
            info!(
                "{} EBS snapshots bear our tags and are left alone: {}",
                self.left.len(),
                ids.join(" ")
            );
        }
    }

    fn leave(&mut self, found: &[EbsSnapshot]) {
        self.left.extend(found.iter().map(|one| one.id.clone()));
    }
}

struct Mender<'a> {
    service: &'a Service,
    now: Timestamp,
    report: Reconciliation,
}

impl Mender<'_> {
    /// Mends what bears the tag of `set` and is no member of a record that lists show.
    async fn repair(&mut self, set: &SnapshotId, found: &[EbsSnapshot]) -> Result<(), Error> {
        let Some(record) = self.service.table.snapshot(set).await? else {
            return self.rebuild(set, found).await;
        };
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
            original.members.iter().any(|one| stray.volume_id.as_ref() == Some(&one.volume_id))
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
        let source = Source {
            instance_id,
            instance_name: None,
            instance_type: None,
            architecture: None,
            platform: None,
            region: self.service.ec2.region().to_owned(),
            zone: None,
        };
        let origin = if slot.is_some() { Origin::Schedule } else { Origin::Manual };
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
