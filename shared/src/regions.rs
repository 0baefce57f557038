//! The same question asked of several regions: what those answer that are within reach, and which are not.
//!
//! A region out of reach says nothing: what it does not show is neither there nor gone.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use crate::domain::ids::{EbsSnapshotId, InstanceId};
use crate::domain::instance::Instance;
use crate::domain::schedule::Targets;
use crate::domain::snapshot::Snapshot;
use crate::error::{Error, chain};
use crate::service::Service;

/// The regions that gave no answer, and why.
#[derive(Debug, Default)]
pub(crate) struct OutOfReach(BTreeMap<String, Error>);

impl OutOfReach {
    /// This region gave no answer.
    pub(crate) fn note(&mut self, region: &str, error: Error) {
        warn!(region = %region, error.chain = %chain(&error), "The region {region} is out of reach: {error}");
        self.0.entry(region.to_owned()).or_insert(error);
    }

    /// Whether this region gave none.
    pub(crate) fn has(&self, region: &str) -> bool {
        self.0.contains_key(region)
    }

    /// Whether an instance that no region shows, and that a snapshot of `region` is of, may be where nobody could look.
    /// The snapshot may be in another region than the instance: a copy is. A region that is not looked after hides only
    /// what is its own.
    pub(crate) fn hides(&self, region: &str) -> bool {
        self.has(region) || self.has_failed()
    }

    /// Whether this one is not looked after.
    pub(crate) fn is_left(&self, region: &str) -> bool {
        matches!(self.0.get(region), Some(Error::Conflict { .. }))
    }

    /// Whether one that is looked after gave none.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.values().any(|error| !matches!(error, Error::Conflict { .. }))
    }

    /// Whether all have answered.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which they are, in the order of their names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// One of the reasons: rather one that passes than one that does not.
    pub(crate) fn into_error(self) -> Option<Error> {
        let mut errors: Vec<_> = self.0.into_values().collect();
        errors.sort_by_key(|error| !error.is_retryable());
        errors.into_iter().next()
    }
}

/// The instance of this id, whichever region has it, our own asked first. While a region is out of reach, one that no
/// other shows is not believed to be missing.
pub(crate) async fn find_instance(service: &Service, id: &InstanceId) -> Result<Instance, Error> {
    let mut out_of_reach = OutOfReach::default();
    for ec2 in service.everywhere() {
        match ec2.instances(std::slice::from_ref(id)).await {
            Ok(mut found) => {
                if let Some(instance) = found.remove(id) {
                    return Ok(instance);
                }
            }
            Err(error) => out_of_reach.note(ec2.region(), error),
        }
    }
    Err(out_of_reach.into_error().unwrap_or_else(|| Error::not_found("instance", id)))
}

/// What EC2 shows of instances, in whichever region.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Those that are there, and not terminated or about to be.
    pub(crate) here: BTreeSet<InstanceId>,
    /// Those that no region shows, not even as terminated. They may be in one that gave no answer: see
    /// [`OutOfReach::hides`].
    pub(crate) nowhere: BTreeSet<InstanceId>,
    /// The regions that gave no answer.
    pub(crate) out_of_reach: OutOfReach,
}

/// Looks for these instances, given by the regions of their snapshots, in every region that is looked after.
pub(crate) async fn shown(
    service: &Service,
    ids: &BTreeMap<String, BTreeSet<InstanceId>>,
) -> Shown {
    let mut here = BTreeSet::new();
    let mut out_of_reach = OutOfReach::default();
    let mut nowhere: BTreeSet<_> = ids.values().flatten().cloned().collect();
    // The regions where they are most likely are asked first; each is asked for what is left.
    let (likely, others): (Vec<_>, Vec<_>) =
        service.everywhere().partition(|ec2| ids.contains_key(ec2.region()));
    for ec2 in likely.into_iter().chain(others) {
        if nowhere.is_empty() {
            break;
        }
        let asked: Vec<_> = nowhere.iter().cloned().collect();
        match ec2.instances(&asked).await {
            Ok(found) => {
                nowhere.retain(|id| !found.contains_key(id));
                here.extend(found.into_values().filter(|one| !one.is_gone()).map(|one| one.id));
            }
            Err(error) => out_of_reach.note(ec2.region(), error),
        }
    }
    for region in ids.keys() {
        if let Err(error) = service.ec2_in(region) {
            out_of_reach.note(region, error);
        }
    }
    Shown { here, nowhere, out_of_reach }
}

/// What a schedule is for, as far as regions could be asked.
#[derive(Debug, Default)]
pub(crate) struct FoundTargets {
    pub(crate) ids: Vec<InstanceId>,
    /// The regions that are to be asked again.
    pub(crate) unresolved: Vec<String>,
    /// Why, if none of the regions has answered.
    pub(crate) error: Option<Error>,
}

/// Asks these regions which instances a schedule is for. What is in `down` is not asked once more: a region out of
/// reach must not use up the time of a tick, schedule after schedule.
pub(crate) async fn find_targets(
    service: &Service,
    targets: &Targets,
    regions: &[String],
    down: &mut BTreeSet<String>,
) -> FoundTargets {
    let mut found = FoundTargets::default();
    let mut out_of_reach = OutOfReach::default();
    for region in regions {
        // Who is named is not asked for.
        let answer = if !targets.tags.is_empty() && down.contains(region) {
            let source = format!("the region {region} is out of reach").into();
            Err(Error::Unavailable { service: "EC2", source })
        } else {
            match service.ec2_in(region) {
                Ok(ec2) => ec2.targets(targets).await,
                Err(error) => Err(error),
            }
        };
        match answer {
            Ok(ids) => found.ids.extend(ids),
            Err(error) => {
                if error.is_retryable() {
                    down.insert(region.clone());
                }
                out_of_reach.note(region, error);
                found.unresolved.push(region.clone());
            }
        }
    }
    found.ids.sort();
    found.ids.dedup();
    if found.unresolved.len() == regions.len() {
        found.error = out_of_reach.into_error();
    }
    found
}

/// The living members of these snapshots, by the region that they are in.
pub(crate) fn members_by_region<'a>(
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
) -> BTreeMap<String, Vec<EbsSnapshotId>> {
    let mut members: BTreeMap<String, Vec<EbsSnapshotId>> = BTreeMap::new();
    for snapshot in snapshots {
        let living = snapshot.living_members().map(|member| member.ebs_snapshot_id.clone());
        members.entry(snapshot.source.region.clone()).or_default().extend(living);
    }
    members.retain(|_, ids| !ids.is_empty());
    members
}

/// The instances that these snapshots are of, by the regions where those are.
pub(crate) fn instances_by_region<'a>(
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
) -> BTreeMap<String, BTreeSet<InstanceId>> {
    let mut instances: BTreeMap<String, BTreeSet<InstanceId>> = BTreeMap::new();
    for snapshot in snapshots {
        let region = instances.entry(snapshot.instance_region().clone()).or_default();
        region.insert(snapshot.source.instance_id.clone());
    }
    instances
}
