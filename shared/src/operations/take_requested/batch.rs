//! A batch of targets: what is known of them, and what is to be done for each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::{InstanceId, SnapshotId, VolumeId};
use crate::domain::instance::{Instance, VolumeDetails};
use crate::domain::ownership::EbsSnapshot;
use crate::domain::run::GIVEN_UP_AFTER;
use crate::domain::schedule::Schedule;
use crate::domain::schedule::name_template::NameFields;
use crate::domain::snapshot::{Failure, Origin, Request, ScheduleSlot, Snapshot, Source, Status};
use crate::error::Error;
use crate::events::{RequestedTarget, SnapshotRequested};
use crate::operations::request_snapshot::source;
use crate::service::Service;

/// Everything a batch needs, read in as few calls as can be.
pub(super) struct Batch {
    slot: Option<ScheduleSlot>,
    schedule: Option<Schedule>,
    pub(super) records: BTreeMap<SnapshotId, Snapshot>,
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    /// The volumes of new targets, where their tags say which are left out.
    volumes: BTreeMap<VolumeId, VolumeDetails>,
    found: BTreeMap<SnapshotId, Vec<EbsSnapshot>>,
    region: String,
}

/// What is to be done for a target.
pub(super) enum Step<'a> {
    Nothing,
    Fail(Failure),
    Adopt(&'a Snapshot, &'a [EbsSnapshot]),
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
        let instance_ids: Vec<_> = open.iter().map(|one| one.instance_id.clone()).collect();
        let instances = if open.is_empty() {
            BTreeMap::new()
        } else {
            service.ec2.instances(&instance_ids).await?
        };
        let new = open.iter().filter(|target| !records.contains_key(&target.snapshot_id));
        let new = new.filter_map(|target| instances.get(&target.instance_id));
        let volumes = tagged_volumes(service, schedule.as_ref(), new).await?;
        let attempted: Vec<_> = open
            .iter()
            .filter_map(|target| records.get(&target.snapshot_id))
            .filter(|record| record.attempt.is_some())
            .map(|record| record.id.clone())
            .collect();
        let mut found: BTreeMap<SnapshotId, Vec<EbsSnapshot>> = BTreeMap::new();
        for member in service.ec2.members_by_tag(&attempted).await? {
            if let Some(set) = member.set() {
                found.entry(set).or_default().push(member);
            }
        }
        let region = service.ec2.region().to_owned();
        Ok(Self { slot, schedule, records, instances, volumes, found, region })
    }

    pub(super) fn next_step(&self, target: &RequestedTarget, now: Timestamp) -> Step<'_> {
        let record = self.records.get(&target.snapshot_id);
        if !is_open(record, now) {
            return Step::Nothing;
        }
        if let Some(record) = record {
            if let Some(found) = self.found.get(&record.id) {
                // EC2 may show one member of a set before another.
                let is_whole = self.has_all_volumes(target, record, found);
                let is_settled = record.is_attempt_settled(now);
                return if is_whole || is_settled {
                    Step::Adopt(record, found)
                } else {
                    Step::Nothing
                };
            }
            if now.duration_since(record.created_at) >= GIVEN_UP_AFTER {
                let last = record.failure.as_ref().map(|failure| failure.message.as_str());
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
        let Some(instance) = self.instances.get(&target.instance_id) else {
            let message = format!("EC2 has no instance {}", target.instance_id);
            return Step::Fail(Failure::new("InstanceNotFound", message));
        };
        match instance.chosen_volumes(&self.request(record, Some(instance)).exclusions) {
            Ok(_) => Step::Create(instance),
            Err(reason) => Step::Fail(Failure::new("NotEligible", reason.to_string())),
        }
    }

    /// Whether every volume that is to be taken has its EBS snapshot among `found`.
    fn has_all_volumes(
        &self,
        target: &RequestedTarget,
        record: &Snapshot,
        found: &[EbsSnapshot],
    ) -> bool {
        let instance = self.instances.get(&target.instance_id);
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
                let exclusions = &schedule.options.exclusions;
                Request {
                    exclusions: instance.map_or_else(
                        || exclusions.clone(),
                        |instance| exclusions.resolved(instance, &self.volumes),
                    ),
                    copy_tags: schedule.options.copy_tags,
                }
            }
            (None, None) => Request::default(),
        }
    }

    /// The record of a target that has none yet.
    pub(super) fn intent(&self, target: &RequestedTarget, now: Timestamp) -> Snapshot {
        let instance = self.instances.get(&target.instance_id);
        let source = instance.map_or_else(
            || Source {
                instance_id: target.instance_id.clone(),
                instance_name: None,
                instance_type: None,
                architecture: None,
                platform: None,
                region: self.region.clone(),
                zone: None,
            },
            source,
        );
        let name = match (&self.schedule, &self.slot) {
            (Some(schedule), Some(slot)) => schedule.options.name_template.fill(&NameFields {
                instance_name: instance.and_then(|instance| instance.name.as_deref()),
                instance_id: &target.instance_id,
                schedule: &schedule.name,
                slot: slot.slot,
                zone: &schedule.timezone,
            }),
            _ => target.instance_id.to_string(),
        };
        let tags = self.schedule.as_ref().map(|one| one.options.extra_tags.clone());
        let restore_until = self.schedule.as_ref().and_then(|schedule| {
            schedule.restore_window.map(|window| window.after(now, &schedule.timezone))
        });
        let id = target.snapshot_id.clone();
        Snapshot {
            name,
            tags: tags.unwrap_or_default(),
            request: self.request(None, instance),
            restore_until,
            ..Snapshot::requested(id, Origin::Schedule, source, self.slot.clone(), now)
        }
    }
}

/// What EC2 knows of the volumes of these instances, asked only if their tags matter.
async fn tagged_volumes(
    service: &Service,
    schedule: Option<&Schedule>,
    instances: impl Iterator<Item = &Instance>,
) -> Result<BTreeMap<VolumeId, VolumeDetails>, Error> {
    if schedule.is_none_or(|schedule| schedule.options.exclusions.tagged.is_empty()) {
        return Ok(BTreeMap::new());
    }
    let volumes = instances.flat_map(|instance| &instance.volumes);
    let ids: Vec<_> = volumes.map(|volume| volume.volume_id.clone()).collect();
    service.ec2.volumes(&ids).await
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
