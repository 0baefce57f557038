//! A schedule beside the limits of EC2: its present targets are counted, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::warn;

use crate::domain::capacity::{Limits, Means, PresentTargets, limits};
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::pending::SLOW_TYPES;
use crate::domain::instance::{Exclusions, Instance, VolumeDetails};
use crate::domain::schedule::{Schedule, Targets};
use crate::ec2::Ec2;
use crate::error::{Error, chain};
use crate::regions::OutOfReach;
use crate::service::Service;

/// How many pages of a thousand instances are looked through for targets.
const PAGES_MAX: usize = 10;
/// How many targets are looked at one by one; the rest is taken to be like them.
const INSTANCES_MAX: usize = 500;
/// How many of their volumes.
const VOLUMES_MAX: usize = 2_000;
/// How long EC2 is looked at: the request that it is for has 29 seconds, and more to do.
const LOOK_LASTS: Duration = Duration::from_secs(8);

/// What `schedule` comes to for the targets it has at present, with warnings in words. It never fails: if EC2
/// cannot be asked, or not within eight seconds, that is one of the warnings. It takes up to 23 Describe calls,
/// three for a small schedule, in each region.
pub async fn check_schedule(service: &Service, schedule: &Schedule, now: Timestamp) -> Limits {
    let settings = &service.settings;
    let means = Means {
        create_pace: settings.create_pace,
        delete_pace: settings.delete_pace,
        condemn_max: settings.condemn_max,
        quota: settings.snapshot_quota,
    };
    match look_everywhere(service, schedule).await {
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

/// The present targets in all regions, and what about them is worth a warning. It fails only if no region answers.
async fn look_everywhere(
    service: &Service,
    schedule: &Schedule,
) -> Result<(PresentTargets, Vec<String>), Error> {
    let regions: Vec<&Ec2> = service.everywhere().collect();
    let lasts = LOOK_LASTS / u32::try_from(regions.len()).unwrap_or(u32::MAX).max(1);
    let several = regions.len() > 1;
    let mut out_of_reach = OutOfReach::default();
    let mut named = schedule.settings.targets.instance_ids.clone();
    let (mut total, mut remarks) = (PresentTargets::default(), Vec::new());
    let mut answers = 0;
    // Our own last: those of the named that no region shows are counted there.
    for ec2 in regions.iter().rev() {
        // Of the named that no region shows one out of reach may be the one that has them.
        let is_last = ec2.region() == service.settings.region && out_of_reach.is_empty();
        let place = if is_last { RegionKind::Own } else { RegionKind::Elsewhere };
        let look = look(ec2, schedule, &mut named, place);
        let looked = timeout(lasts, look).await.unwrap_or_else(|_| {
            let source = format!("it took longer than {} seconds", lasts.as_secs()).into();
            Err(Error::Unavailable { service: "EC2", source })
        });
        match looked {
            Ok((present, of_region)) => {
                answers += 1;
                let place = if several { format!("in {}: ", ec2.region()) } else { String::new() };
                remarks.extend(of_region.into_iter().map(|remark| format!("{place}{remark}")));
                if several && present.volumes > total.fullest.as_ref().map_or(0, |(_, most)| *most)
                {
                    total.fullest = Some((ec2.region().to_owned(), present.volumes));
                }
                total = total.and(&present);
            }
            Err(error) => {
                let (region, text) = (ec2.region(), &error);
                remarks.push(format!("its instances in {region} are not counted: {text}"));
                out_of_reach.note(region, error);
            }
        }
    }
    match out_of_reach.into_error() {
        Some(error) if answers == 0 => Err(error),
        Some(_) | None => Ok((total, remarks)),
    }
}

/// Which region is looked at.
#[derive(Clone, Copy)]
enum RegionKind {
    /// The own, all others having answered.
    Own,
    Elsewhere,
}

/// The present targets in a region, and what about them is worth a warning. Of the instances that are named, those that
/// the region shows are taken out of `named`; in our own, all that are left.
async fn look(
    ec2: &Ec2,
    schedule: &Schedule,
    named: &mut Vec<InstanceId>,
    place: RegionKind,
) -> Result<(PresentTargets, Vec<String>), Error> {
    let of_tags = Targets { instance_ids: Vec::new(), ..schedule.settings.targets.clone() };
    let found = ec2.targets_within(&of_tags, PAGES_MAX).await?;
    let mut remarks = Vec::new();
    if found.is_cut {
        remarks.push(format!(
            "only the first {PAGES_MAX} pages of EC2's instances were looked through for targets; \
             there may be more"
        ));
    }
    let is_wanted =
        |id: &&InstanceId| !schedule.settings.targets.exclude_instance_ids.contains(*id);
    let mut ids: BTreeSet<_> = named.iter().filter(is_wanted).chain(&found.ids).cloned().collect();
    let closer: Vec<_> = ids.iter().take(INSTANCES_MAX).cloned().collect();
    let instances = ec2.instances(&closer).await?;
    match place {
        RegionKind::Own => named.clear(),
        RegionKind::Elsewhere => {
            // What is beyond those that are looked at is taken to be in our own region.
            ids.retain(|id| instances.contains_key(id) || found.ids.contains(id));
            named.retain(|id| !instances.contains_key(id));
        }
    }
    let mut sample = Sample::default();
    for id in closer.iter().filter(|id| ids.contains(*id)) {
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
    sample.look_closer(ec2, &schedule.settings.options.exclusions).await?;
    remarks.extend(sample.remarks(ids.len()));
    Ok((sample.extrapolated(ids.len()), remarks))
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
    async fn look_closer(&mut self, ec2: &Ec2, exclusions: &Exclusions) -> Result<(), Error> {
        let ids: Vec<VolumeId> = self
            .instances
            .iter()
            .flat_map(|instance| &instance.volumes)
            .map(|volume| volume.volume_id.clone())
            .collect();
        let known: BTreeMap<VolumeId, VolumeDetails> = ec2.volumes(&ids).await?;
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
    fn extrapolated(&self, targets: usize) -> PresentTargets {
        let [looked_at, targets, volumes, slow_volumes] =
            [self.targets, targets, self.volumes, self.slow_volumes]
                .map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        let of_all = |count: u64| count.saturating_mul(targets).div_ceil(looked_at.max(1));
        PresentTargets {
            instances: targets,
            volumes: of_all(volumes),
            slow_volumes: of_all(slow_volumes),
            fullest: None,
        }
    }
}
