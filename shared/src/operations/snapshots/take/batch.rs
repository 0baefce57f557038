//! A batch of targets: what is known of them, and what is to be done for each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::target_facts::{TargetFacts, is_given_up};
use crate::domain::ids::{SnapshotId, VolumeId};
use crate::domain::instance::{Instance, InstanceType};
use crate::domain::ownership::EbsSnapshot;
use crate::domain::run::GIVEN_UP_AFTER;
use crate::domain::schedule::Schedule;
use crate::domain::schedule::copies::CopyTarget;
use crate::domain::schedule::name_template::NameFields;
use crate::domain::snapshot::{Failure, Origin, Request, ScheduleSlot, Snapshot, Source, Status};
use crate::error::Error;
use crate::events::{RequestedTarget, SnapshotRequested};
use crate::operations::snapshots::request::source;
use crate::service::Service;

/// Everything a batch needs, read in as few calls as can be.
pub(super) struct Batch {
    slot: Option<ScheduleSlot>,
    schedule: Option<Schedule>,
    pub(super) records: BTreeMap<SnapshotId, Snapshot>,
    pub(super) facts: TargetFacts,
    /// Whether the run that asks is over: who has no record then has been given up, or is long gone.
    is_over: bool,
    /// Our own region.
    region: String,
}

/// What is to be done for a target.
pub(super) enum Step<'a> {
    Nothing,
    /// Its region is out of reach.
    Later,
    Fail(Failure),
    Recover(&'a Snapshot, &'a [EbsSnapshot]),
    Create(&'a Instance),
}

impl Batch {
    pub(super) async fn load(
        service: &Service,
        request: &SnapshotRequested,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let slot = request
            .run
            .as_ref()
            .map(|run| ScheduleSlot { schedule_id: run.schedule_id.clone(), slot: run.slot });
        let ids: Vec<_> = request.targets.iter().map(|one| one.snapshot_id.clone()).collect();
        let records = service.table.snapshots(&ids).await?;
        let open: Vec<_> = request
            .targets
            .iter()
            .filter(|target| is_open(records.get(&target.snapshot_id), now))
            .collect();
        let schedule = match &slot {
            Some(slot) if !open.is_empty() => service.table.schedule(&slot.schedule_id).await?,
            _ => None,
        };
        let is_over = match &slot {
            Some(slot) if open.iter().any(|one| !records.contains_key(&one.snapshot_id)) => {
                is_over(service, slot, now).await?
            }
            Some(_) | None => false,
        };
        let facts = TargetFacts::load(service, &open, &records, schedule.as_ref(), now).await?;
        let region = service.settings.region.clone();
        Ok(Self { slot, schedule, records, facts, is_over, region })
    }

    pub(super) fn next_step(&self, target: &RequestedTarget, now: Timestamp) -> Step<'_> {
        let record = self.records.get(&target.snapshot_id);
        if !is_open(record, now) || (record.is_none() && self.is_over) {
            return Step::Nothing;
        }
        if self.facts.is_unknown(&target.instance_id, record) {
            let failure = record.and_then(|one| self.out_of_reach(one, now));
            return failure.map_or(Step::Later, Step::Fail);
        }
        if let Some(record) = record {
            if let Some(found) = self.facts.found.get(&record.id) {
                // EC2 may show one member of a set before another.
                let is_whole = self.has_all_volumes(target, record, found);
                let is_settled = record.is_attempt_settled(now);
                return if is_whole || is_settled {
                    Step::Recover(record, found)
                } else {
                    Step::Nothing
                };
            }
            if is_given_up(record, now) {
                let last = record.course.failure.as_ref().map(|failure| failure.message.as_str());
                let message = format!(
                    "not taken within 24 hours; the last attempt: {}",
                    last.unwrap_or("EC2 did not answer")
                );
                return Step::Fail(Failure::new("GivenUp", message));
            }
        } else if self.schedule.is_none() {
            let message = "its schedule was deleted before it could be taken";
            return Step::Fail(Failure::new("ScheduleDeleted", message));
        }
        let Some(instance) = self.facts.instances.get(&target.instance_id) else {
            let message = format!(
                "EC2 has no instance {}; if its schedule names it, take it out of the targets",
                target.instance_id
            );
            return Step::Fail(Failure::new("InstanceNotFound", message));
        };
        match instance.chosen_volumes(&self.request(record, Some(instance)).exclusions) {
            Ok(_) => Step::Create(instance),
            Err(reason) => Step::Fail(Failure::new("NotEligible", reason.to_string())),
        }
    }

    /// Why a record of a region that is out of reach is given up, if it is. While the region is looked after, what an
    /// attempt may have made there is waited for.
    fn out_of_reach(&self, record: &Snapshot, now: Timestamp) -> Option<Failure> {
        let region = &record.source.region;
        let is_left = self.facts.is_left(region);
        if !is_given_up(record, now) || (record.course.attempt.is_some() && !is_left) {
            return None;
        }
        let reason = if is_left { "is not looked after any more" } else { "is out of reach" };
        let message = format!("not taken within 24 hours; its region {region} {reason}");
        Some(Failure::new("OutOfReach", message))
    }

    /// Whether every volume that is to be taken has its EBS snapshot among `found`.
    fn has_all_volumes(
        &self,
        target: &RequestedTarget,
        record: &Snapshot,
        found: &[EbsSnapshot],
    ) -> bool {
        let instance = self.facts.instances.get(&target.instance_id);
        let chosen = instance.and_then(|one| one.chosen_volumes(&record.request.exclusions).ok());
        chosen.is_none_or(|chosen| {
            let is_found =
                |id: &VolumeId| found.iter().any(|one| one.volume_id.as_ref() == Some(id));
            chosen.iter().all(|volume| is_found(&volume.volume_id))
        })
    }

    /// What is asked for. A record names the volumes that are left out, also those that bore a tag when it was
    /// made: a repeated attempt goes by the same.
    fn request(&self, record: Option<&Snapshot>, instance: Option<&Instance>) -> Request {
        match (record, &self.schedule) {
            (Some(record), _) => record.request.clone(),
            (None, Some(schedule)) => {
                let exclusions = &schedule.settings.options.exclusions;
                Request {
                    exclusions: instance.map_or_else(
                        || exclusions.clone(),
                        |instance| exclusions.resolved(instance, &self.facts.volumes),
                    ),
                    copy_tags: schedule.settings.options.copy_tags,
                }
            }
            (None, None) => Request::default(),
        }
    }

    /// The offers of the type of a target's instance.
    pub(super) fn machine(&self, target: &RequestedTarget) -> Option<InstanceType> {
        self.facts.machines.get(&target.instance_id).cloned()
    }

    /// The record of a target that has none yet.
    pub(super) fn intent(&self, target: &RequestedTarget, now: Timestamp) -> Snapshot {
        let instance = self.facts.instances.get(&target.instance_id);
        let source = instance
            .map_or_else(|| Source::unknown(target.instance_id.clone(), &self.region), source);
        let name = match (&self.schedule, &self.slot) {
            (Some(schedule), Some(slot)) => {
                schedule.settings.options.name_template.fill(&NameFields {
                    instance_name: instance.and_then(|instance| instance.name.as_deref()),
                    instance_id: &target.instance_id,
                    schedule: &schedule.settings.name,
                    slot: slot.slot,
                    zone: &schedule.settings.timezone,
                })
            }
            _ => target.instance_id.to_string(),
        };
        let tags = self.schedule.as_ref().map(|one| one.settings.options.extra_tags.clone());
        let restore_until = self.schedule.as_ref().and_then(|schedule| {
            schedule
                .settings
                .restore_window
                .map(|window| window.after(now, &schedule.settings.timezone))
        });
        let id = target.snapshot_id.clone();
        let mut wanted = Snapshot::requested(id, Origin::Schedule, source, self.slot.clone(), now);
        wanted.name = name;
        wanted.tags = tags.unwrap_or_default();
        wanted.request = self.request(None, instance);
        wanted.ending.restore_until = restore_until;
        let copies = self.schedule.iter().flat_map(|schedule| &schedule.settings.copies);
        wanted.with_copies_wanted(copies.map(CopyTarget::order))
    }
}

/// Whether the run of a slot is over. Messages can be days old: what was put aside is sent once more, and what nobody has
/// taken up within a day its run has given up. Younger slots are not asked about.
async fn is_over(service: &Service, slot: &ScheduleSlot, now: Timestamp) -> Result<bool, Error> {
    if now.duration_since(slot.slot) < GIVEN_UP_AFTER {
        return Ok(false);
    }
    let run = service.table.run(slot).await?;
    Ok(run.is_none_or(|run| run.finished_at.is_some()))
}

/// Whether there is anything left to do for a target.
fn is_open(record: Option<&Snapshot>, now: Timestamp) -> bool {
    record.is_none_or(|record| match record.status {
        Status::Requested => true,
        Status::Creating => !record.is_attempt_uncertain(now),
        Status::Pending
        | Status::Available
        | Status::Error
        | Status::Condemned
        | Status::Deleting
        | Status::Deleted
        | Status::Missing => false,
    })
}
