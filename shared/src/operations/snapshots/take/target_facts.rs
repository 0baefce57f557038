//! The facts of EC2 about the targets of a batch, region by region.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::warn;

use crate::domain::ids::{InstanceId, SnapshotId, VolumeId};
use crate::domain::instance::{Instance, InstanceType, VolumeDetails};
use crate::domain::ownership::EbsSnapshot;
use crate::domain::run::GIVEN_UP_AFTER;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::Snapshot;
use crate::ec2::Ec2;
use crate::error::{Error, chain};
use crate::events::RequestedTarget;
use crate::regions::OutOfReach;
use crate::service::Service;

/// What EC2 says of a batch, as far as its regions are within reach.
#[derive(Debug, Default)]
pub(super) struct TargetFacts {
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    /// The volumes of the instances.
    pub(super) volumes: BTreeMap<VolumeId, VolumeDetails>,
    /// What the types of the instances offer, as far as EC2 says.
    pub(super) machines: BTreeMap<InstanceId, InstanceType>,
    /// What bears the tags of sets whose creation got no answer.
    pub(super) found: BTreeMap<SnapshotId, Vec<EbsSnapshot>>,
    out_of_reach: OutOfReach,
}

impl TargetFacts {
    /// Asks each region: of a target with a record the record's, of others one after the other, our own first. It
    /// fails only if every region that was asked does, and no record is so old that it ends without an answer.
    pub(super) async fn load(
        service: &Service,
        open: &[&RequestedTarget],
        records: &BTreeMap<SnapshotId, Snapshot>,
        schedule: Option<&Schedule>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut facts = Self::default();
        let recorded: Vec<_> =
            open.iter().filter_map(|target| records.get(&target.snapshot_id)).collect();
        let mut has_answer = open.is_empty() || recorded.iter().any(|one| is_given_up(one, now));
        for ec2 in service.everywhere() {
            let is_here = |target: &&&RequestedTarget| match records.get(&target.snapshot_id) {
                Some(record) => record.source.region == ec2.region(),
                None => !facts.instances.contains_key(&target.instance_id),
            };
            let wanted: Vec<_> = open.iter().filter(is_here).copied().collect();
            if wanted.is_empty() {
                continue;
            }
            match facts.ask(ec2, &wanted, records, schedule).await {
                Ok(()) => has_answer = true,
                Err(error) => facts.out_of_reach.note(ec2.region(), error),
            }
        }
        for Snapshot { source, .. } in recorded {
            if let Err(error) = service.ec2_in(&source.region) {
                facts.out_of_reach.note(&source.region, error);
            }
        }
        // A region that is not looked after will not answer later either.
        if has_answer || !facts.out_of_reach.has_failed() { Ok(facts) } else { facts.failed() }
    }

    fn failed(self) -> Result<Self, Error> {
        match self.out_of_reach.into_error() {
            Some(error) => Err(error),
            None => Ok(Self::default()),
        }
    }

    async fn ask(
        &mut self,
        ec2: &Ec2,
        wanted: &[&RequestedTarget],
        records: &BTreeMap<SnapshotId, Snapshot>,
        schedule: Option<&Schedule>,
    ) -> Result<(), Error> {
        let ids: Vec<_> = wanted.iter().map(|target| target.instance_id.clone()).collect();
        let instances = ec2.instances(&ids).await?;
        let volumes = volumes_of(ec2, schedule, instances.values()).await?;
        let attempted: Vec<_> = wanted
            .iter()
            .filter_map(|target| records.get(&target.snapshot_id))
            .filter(|record| record.course.attempt.is_some())
            .map(|record| record.id.clone())
            .collect();
        let members = ec2.members_by_tag(&attempted).await?;
        self.machines.extend(machines_of(ec2, &instances).await);
        self.instances.extend(instances);
        self.volumes.extend(volumes);
        for member in members {
            if let Some(set) = member.set() {
                self.found.entry(set).or_default().push(member);
            }
        }
        Ok(())
    }

    /// Whether nothing will ever be said of what is in this region: it is not looked after.
    pub(super) fn is_left(&self, region: &str) -> bool {
        self.out_of_reach.is_left(region)
    }

    /// Whether nothing can be said of a target: its region is out of reach, or where its region is not known, a region
    /// that may have it.
    pub(super) fn is_unknown(&self, instance: &InstanceId, record: Option<&Snapshot>) -> bool {
        match record {
            Some(record) => self.out_of_reach.has(&record.source.region),
            None => !self.instances.contains_key(instance) && self.out_of_reach.has_failed(),
        }
    }
}

/// Whether a record is so old that it is given up.
pub(super) fn is_given_up(record: &Snapshot, now: Timestamp) -> bool {
    now.duration_since(record.created_at) >= GIVEN_UP_AFTER
}

/// What EC2 knows of the volumes of these instances. It is recorded for restores; only where tags say which volumes are
/// left out nothing can be taken without it.
async fn volumes_of(
    ec2: &Ec2,
    schedule: Option<&Schedule>,
    instances: impl Iterator<Item = &Instance>,
) -> Result<BTreeMap<VolumeId, VolumeDetails>, Error> {
    let volumes = instances.flat_map(|instance| &instance.volumes);
    let ids: Vec<_> = volumes.map(|volume| volume.volume_id.clone()).collect();
    match ec2.volumes(&ids).await {
        Err(error)
            if schedule
                .is_none_or(|schedule| schedule.settings.options.exclusions.tagged.is_empty()) =>
        {
            let text = chain(&error);
            warn!(error.chain = %text, "How the volumes were made is not recorded");
            Ok(BTreeMap::new())
        }
        answer => answer,
    }
}

/// Returns what the types of these instances offer now, to be recorded. Nothing fails without it.
async fn machines_of(
    ec2: &Ec2,
    instances: &BTreeMap<InstanceId, Instance>,
) -> BTreeMap<InstanceId, InstanceType> {
    let names: BTreeSet<_> = instances.values().map(|one| one.instance_type.clone()).collect();
    let names: Vec<_> = names.into_iter().collect();
    match ec2.instance_types(&names).await {
        Ok(kinds) => {
            let known = instances
                .values()
                .filter_map(|one| Some((one.id.clone(), kinds.get(&one.instance_type)?.clone())));
            known.collect()
        }
        Err(error) => {
            warn!(error.chain = %chain(&error), "What the machines were is not recorded");
            BTreeMap::new()
        }
    }
}
