//! Takes the snapshots that an event asks for: claim, act, record; recover what a dead run left.
//!
//! `CreateSnapshots` has no client token. So the intent is recorded under a key that everybody who repeats the
//! work arrives at, the tag is set in the call itself, the call is never repeated by the SDK, and an attempt
//! without an answer is looked for by its tag: absence is believed only five minutes after it.

mod batch;
mod held_apart;
mod target_facts;
mod turn;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use self::batch::{Batch, Step};
use self::held_apart::{held_apart_by, put_off_for};
use self::turn::{Creator, TurnOutcome, Waiting};
use crate::clock::Clock;
use crate::domain::ids::{SnapshotId, VolumeId};
use crate::domain::instance::{Instance, VolumeDetails};
use crate::domain::notes::Notes;
use crate::domain::ownership::StorageTier;
use crate::domain::snapshot::labels::{Identity, for_creation};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Failure, Snapshot};
use crate::domain::tags::Tags;
use crate::ec2::{CreateSet, CreatedMember, CreationError};
use crate::error::{Error, chain};
use crate::events::{RequestedTarget, SnapshotRequested};
use crate::metrics::Metric;
use crate::operations::snapshots;
use crate::operations::snapshots::recover::Origin;
use crate::service::Service;

/// What became of each target.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TakeReport {
    /// The targets in their order.
    pub outcomes: Vec<(SnapshotId, TakeOutcome)>,
}

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeOutcome {
    /// EC2 is writing it.
    Created,
    /// It was found in EC2.
    Recovered,
    /// Nothing was left to do, or somebody else is doing it.
    AlreadySo,
    /// It cannot be made; the record says why.
    Failed,
    /// EC2 did not answer; the tick has it looked for.
    Unknown,
    /// Later: EC2 has enough to do, or it is another's turn at the instance. The record says when the tick asks
    /// again.
    PutOff,
    /// Later, when the event is delivered again: the time is over, or a fault passes.
    Later,
}

impl TakeReport {
    /// Whether the event must be delivered again.
    pub fn is_unfinished(&self) -> bool {
        self.outcomes.iter().any(|(_, taken)| *taken == TakeOutcome::Later)
    }
}

/// Takes what `request` asks for, paced so that EC2 need not throttle us. What must wait for its turn at an
/// instance is done after all others.
pub async fn take(
    service: &Service,
    request: &SnapshotRequested,
    clock: &Clock,
) -> Result<TakeReport, Error> {
    let batch = Batch::load(service, request, clock.now()).await?;
    let service = &service.counting_together();
    let report = take_each(service, &batch, &request.targets, clock).await;
    service.table.add_together().await;
    Ok(report)
}

async fn take_each(
    service: &Service,
    batch: &Batch,
    targets: &[RequestedTarget],
    clock: &Clock,
) -> TakeReport {
    let mut report = TakeReport::default();
    let creator = Creator::new(service, batch, clock);
    let mut waiting = Vec::new();
    for target in targets {
        let now = clock.now();
        let taken = match batch.next_step(target, now) {
            Step::Nothing => TakeOutcome::AlreadySo,
            Step::Later => TakeOutcome::Later,
            Step::Fail(failure) => record_failure(service, batch, target, failure, now).await,
            Step::Recover(snapshot, found) => {
                let facts = &batch.facts;
                let instance = facts.instances.get(&target.instance_id);
                let origin = instance.map(|instance| Origin { instance, volumes: &facts.volumes });
                match snapshots::recover_members(service, snapshot, found, origin, now).await {
                    Ok(written) if written.is_done() => TakeOutcome::Recovered,
                    Ok(_) => TakeOutcome::AlreadySo,
                    Err(error) => later(target, &error),
                }
            }
            Step::Create(_) if clock.is_over() => TakeOutcome::Later,
            Step::Create(instance) => match creator.attempt(target, instance).await {
                TurnOutcome::Made(taken) => taken,
                TurnOutcome::NotYet(free_at) => {
                    let index = report.outcomes.len();
                    waiting.push((index, Waiting { target, instance, free_at }));
                    TakeOutcome::PutOff
                }
            },
        };
        report.outcomes.push((target.snapshot_id.clone(), taken));
    }
    for (index, one) in waiting {
        let taken = creator.attempt_in_turn(one).await;
        if let Some((_, outcome)) = report.outcomes.get_mut(index) {
            *outcome = taken;
        }
    }
    report
}

async fn record_failure(
    service: &Service,
    batch: &Batch,
    target: &RequestedTarget,
    failure: Failure,
    now: Timestamp,
) -> TakeOutcome {
    warn!(snapshot.id = %target.snapshot_id, "Snapshot {} fails: {}", target.snapshot_id, failure.message);
    let written = match batch.records.get(&target.snapshot_id) {
        Some(record) => match record.fail(failure, now) {
            Ok(failed) => service.table.update_snapshot(record, &failed).await,
            Err(_) => return TakeOutcome::AlreadySo,
        },
        None => match batch.intent(target, now).fail(failure, now) {
            Ok(failed) => service.table.insert_snapshot(&failed).await,
            Err(_) => return TakeOutcome::AlreadySo,
        },
    };
    match written {
        Ok(written) if written.is_done() => TakeOutcome::Failed,
        Ok(_) => TakeOutcome::AlreadySo,
        Err(error) => later(target, &error),
    }
}

/// Claims, creates, records.
async fn create(
    service: &Service,
    batch: &Batch,
    target: &RequestedTarget,
    instance: &Instance,
    clock: &Clock,
) -> TakeOutcome {
    let ec2 = match service.ec2_in(&instance.region) {
        Ok(ec2) => ec2,
        Err(error) => return later(target, &error),
    };
    match held_apart_by(service, &instance.id).await {
        Ok(None) => {}
        Ok(Some(restore)) => {
            return put_off_for(service, batch, target, &restore, clock.now()).await;
        }
        Err(error) => return later(target, &error),
    }
    let claimed = match claim(service, batch, target, clock.now()).await {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return TakeOutcome::AlreadySo,
        Err(error) => return later(target, &error),
    };
    let answer = ec2.create_set(creation(&claimed, instance)).await;
    let now = clock.now();
    let (next, taken) = match answer {
        Ok(created) if !created.is_empty() => {
            let members =
                created.iter().map(|one| new_member(one, instance, &batch.facts.volumes)).collect();
            let started_at = created.iter().filter_map(|member| member.started_at).min();
            let next = claimed.created(members, now);
            (next.map(|next| Snapshot { started_at, ..next }), TakeOutcome::Created)
        }
        Ok(_) => return TakeOutcome::Unknown,
        Err(CreationError::NotNow(failure)) => (claimed.put_off(failure, now), TakeOutcome::PutOff),
        Err(CreationError::Refused(failure) | CreationError::NotPermitted(failure)) => {
            (claimed.fail(failure, now), TakeOutcome::Failed)
        }
        Err(CreationError::Unknown(source)) => {
            let text = chain(source.as_ref());
            warn!(snapshot.id = %claimed.id, error.chain = %text, "EC2 did not answer for {}", claimed.id);
            return TakeOutcome::Unknown;
        }
    };
    let Ok(next) = next else { return TakeOutcome::AlreadySo };
    info!(snapshot.id = %next.id, "Snapshot {} is {}", next.id, next.status);
    match service.table.update_members(Some(&claimed), &next).await {
        Ok(written) if written.is_done() => {
            if let (TakeOutcome::Created, Some(slot)) = (taken, &next.slot) {
                let late = now.duration_since(slot.slot);
                service.metrics.measure(Metric::LatenessSeconds, late);
            }
            taken
        }
        Ok(_) => TakeOutcome::AlreadySo,
        Err(error) => later(target, &error),
    }
}

/// The record, claimed for an attempt; none if somebody else has it.
async fn claim(
    service: &Service,
    batch: &Batch,
    target: &RequestedTarget,
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let old = batch.records.get(&target.snapshot_id);
    let mut intent = old.cloned().unwrap_or_else(|| batch.intent(target, now));
    intent.source.machine = intent.source.machine.or_else(|| batch.machine(target));
    let Ok(claimed) = intent.begin_attempt(now) else { return Ok(None) };
    let written = match old {
        Some(old) => service.table.update_snapshot(old, &claimed).await?,
        None => service.table.insert_snapshot(&claimed).await?,
    };
    Ok(written.is_done().then_some(claimed))
}

fn creation<'a>(snapshot: &Snapshot, instance: &'a Instance) -> CreateSet<'a> {
    let identity = Identity {
        snapshot_id: &snapshot.id,
        instance_id: &snapshot.source.instance_id,
        slot: snapshot.slot.as_ref(),
        name: &snapshot.name,
        copied_from: None,
    };
    let copied = if snapshot.request.copy_tags { instance.tags.clone() } else { Tags::new() };
    let boots_from =
        |id: &VolumeId| instance.volumes.iter().any(|one| one.boot && one.volume_id == *id);
    let exclusions = &snapshot.request.exclusions;
    CreateSet {
        instance_id: &instance.id,
        // EC2 leaves the boot volume out by this flag only, not by its id.
        exclude_boot_volume: exclusions.boot_volume || exclusions.volumes.iter().any(boots_from),
        exclude_volumes: exclusions
            .volumes
            .iter()
            .filter(|id| instance.volumes.iter().any(|one| !one.boot && one.volume_id == **id))
            .cloned()
            .collect(),
        description: format!("Snapkeep: {}", snapshot.name),
        tags: for_creation(&identity, &snapshot.tags, &copied),
    }
}

fn new_member(
    created: &CreatedMember,
    instance: &Instance,
    volumes: &BTreeMap<VolumeId, VolumeDetails>,
) -> Member {
    let attached = instance.volumes.iter().find(|one| one.volume_id == created.volume_id);
    Member {
        ebs_snapshot_id: created.id.clone(),
        volume_id: created.volume_id.clone(),
        device: attached.map(|volume| volume.device.clone()),
        boot: attached.is_some_and(|volume| volume.boot),
        size_gib: created.size_gib,
        state: created.state,
        progress_percent: 0,
        full_size_bytes: None,
        volume: volumes.get(&created.volume_id).map(|details| details.settings(attached)),
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    }
}

fn later(target: &RequestedTarget, error: &Error) -> TakeOutcome {
    warn!(snapshot.id = %target.snapshot_id, error.chain = %chain(error), "Snapshot {} waits", target.snapshot_id);
    TakeOutcome::Later
}
