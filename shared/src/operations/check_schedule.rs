//! What a schedule comes to beside what EC2 allows: its present targets looked at, and nothing written.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::warn;

use crate::domain::capacity::{Limits, Means, Present, limits};
use crate::domain::ids::VolumeId;
use crate::domain::instance::{Exclusions, Instance, VolumeDetails};
use crate::domain::schedule::Schedule;
use crate::error::{Error, chain};
use crate::service::Service;

/// How many pages of a thousand instances are looked through for targets.
const PAGES_MAX: usize = 10;
/// How many targets are looked at one by one; the rest is taken to be like them.
const INSTANCES_MAX: usize = 500;
/// How many of their volumes.
const VOLUMES_MAX: usize = 2_000;
/// How long EC2 is looked at: the request that it is for has 29 seconds, and more to do.
const LOOK_LASTS: Duration = Duration::from_secs(8);
/// The volumes of which EC2 takes one snapshot at a time
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html>).
const SLOW_TYPES: [&str; 2] = ["st1", "sc1"];

/// What `schedule` comes to for the targets it has at present, with warnings in words. It never fails: if EC2
/// cannot be asked, or not within eight seconds, that is one of the warnings. It takes up to 23 Describe calls,
/// three for a small schedule.
pub async fn check_schedule(service: &Service, schedule: &Schedule, now: Timestamp) -> Limits {
    let settings = &service.settings;
    let means = Means {
        create_pace: settings.create_pace,
        delete_pace: settings.delete_pace,
        condemn_max: settings.condemn_max,
        quota: settings.snapshot_quota,
    };
    let looked = timeout(LOOK_LASTS, look(service, schedule)).await.unwrap_or_else(|_| {
        let source = format!("it took longer than {} seconds", LOOK_LASTS.as_secs()).into();
        Err(Error::Unavailable { service: "EC2", source })
    });
    match looked {
        Ok((present, remarks)) => {
            let mut limits = limits(schedule, Some(&present), &means, now);
            limits.warnings.extend(remarks);
            limits
        }
        Err(error) => {
            let text = chain(&error);
            warn!(schedule.id = %schedule.id, error.chain = %text, "A schedule is not checked: {error}");
            let warning = format!("it is not checked against EC2's limits: {error}");
            let unchecked = limits(schedule, None, &means, now);
            Limits { warnings: vec![warning], ..unchecked }
        }
    }
}

/// The present targets, and what about them is worth a warning.
async fn look(service: &Service, schedule: &Schedule) -> Result<(Present, Vec<String>), Error> {
    let found = service.ec2.targets_within(&schedule.targets, PAGES_MAX).await?;
    let mut remarks = Vec::new();
    if found.is_cut {
        remarks.push(format!(
            "only the first {PAGES_MAX} pages of EC2's instances were looked through for targets; \
             there may be more"
        ));
    }
    let closer: Vec<_> = found.ids.iter().take(INSTANCES_MAX).cloned().collect();
    let instances = service.ec2.instances(&closer).await?;
    let mut sample = Sample::default();
    for id in &closer {
        let volumes = instances.get(id).map_or(0, |instance| instance.volumes.len());
        if sample.attached + volumes > VOLUMES_MAX && sample.targets > 0 {
            break;
        }
        sample.targets += 1;
        match instances.get(id) {
            Some(instance) => sample.add(instance),
            None => sample.refuse(format!("EC2 has no instance {id}")),
        }
    }
    sample.look_closer(service, &schedule.options.exclusions).await?;
    remarks.extend(sample.remarks(found.ids.len()));
    Ok((sample.extrapolated(found.ids.len()), remarks))
}

/// Targets that are looked at one by one.
#[derive(Default)]
struct Sample<'a> {
    targets: usize,
    instances: Vec<&'a Instance>,
    attached: usize,
    volumes: usize,
    slow_volumes: usize,
    refused: usize,
    /// Why the first of them is refused.
    refusal: Option<String>,
}

impl<'a> Sample<'a> {
    fn add(&mut self, instance: &'a Instance) {
        self.attached += instance.volumes.len();
        self.instances.push(instance);
    }

    fn refuse(&mut self, why: String) {
        self.refused += 1;
        self.refusal.get_or_insert(why);
    }

    /// Counts the volumes that are taken.
    async fn look_closer(
        &mut self,
        service: &Service,
        exclusions: &Exclusions,
    ) -> Result<(), Error> {
        let ids: Vec<VolumeId> = self
            .instances
            .iter()
            .flat_map(|instance| &instance.volumes)
            .map(|volume| volume.volume_id.clone())
            .collect();
        let known: BTreeMap<VolumeId, VolumeDetails> = service.ec2.volumes(&ids).await?;
        let is_slow = |id: &VolumeId| {
            known.get(id).is_some_and(|one| SLOW_TYPES.contains(&one.volume_type.as_str()))
        };
        for instance in std::mem::take(&mut self.instances) {
            match instance.chosen_volumes(&exclusions.resolved(instance, &known)) {
                Ok(chosen) => {
                    self.volumes += chosen.len();
                    self.slow_volumes +=
                        chosen.iter().filter(|volume| is_slow(&volume.volume_id)).count();
                }
                Err(why) => self.refuse(format!("{}: {why}", instance.id)),
            }
        }
        Ok(())
    }

    fn remarks(&self, targets: usize) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(refusal) = &self.refusal {
            remarks.push(format!(
                "of {} of its targets no snapshot can be taken at present ({refusal})",
                self.refused
            ));
        }
        if self.targets < targets {
            remarks.push(format!(
                "{} of its {targets} targets were looked at; the others are taken to have as many volumes",
                self.targets
            ));
        }
        remarks
    }

    /// As much of `targets` as of those looked at, rounded up.
    fn extrapolated(&self, targets: usize) -> Present {
        let [looked_at, targets, volumes, slow_volumes] =
            [self.targets, targets, self.volumes, self.slow_volumes]
                .map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        let of_all = |count: u64| count.saturating_mul(targets).div_ceil(looked_at.max(1));
        Present { instances: targets, volumes: of_all(volumes), slow_volumes: of_all(slow_volumes) }
    }
}
