//! The instances of adopted sets, as far as they are known, and the records of the sets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Adoption;
use crate::domain::adoption::Group;
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::{Instance, VolumeDetails};
use crate::domain::snapshot::{ScheduleSlot, Snapshot, Source};
use crate::domain::tags::{self, CALLER_TAGS_MAX, Tags};
use crate::ec2::Ec2;
use crate::error::Error;
use crate::operations::snapshots::recover::{Origin, as_member};
use crate::operations::snapshots::request::source;

/// How long a name may be: it is shown as a tag's value is.
const NAME_MAX: usize = 256;

/// The instances of sets in one region, as far as EC2 still has them.
pub(super) struct Origins {
    region: String,
    instances: BTreeMap<InstanceId, Instance>,
    volumes: BTreeMap<VolumeId, VolumeDetails>,
}

impl Origins {
    pub(super) async fn read(ec2: &Ec2, groups: &[Group]) -> Result<Self, Error> {
        let ids: BTreeSet<_> = groups.iter().map(|group| group.instance_id.clone()).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let members = groups.iter().flat_map(|group| &group.members);
        let volumes: BTreeSet<_> = members.filter_map(|one| one.real_volume().cloned()).collect();
        let volumes: Vec<_> = volumes.into_iter().collect();
        Ok(Self {
            region: ec2.region().to_owned(),
            instances: ec2.instances(&ids).await?,
            volumes: ec2.volumes(&volumes).await?,
        })
    }

    /// The set as it is recorded at `now`.
    pub(super) fn snapshot(&self, group: &Group, adoption: &Adoption, now: Timestamp) -> Snapshot {
        let instance = self.instances.get(&group.instance_id);
        let origin = instance.map(|instance| Origin { instance, volumes: &self.volumes });
        let taken_at = group.taken_at();
        let members = group.members.iter().filter_map(|one| as_member(one, origin)).collect();
        let slot = adoption.schedule_id.clone();
        let slot = slot.map(|schedule_id| ScheduleSlot { schedule_id, slot: taken_at });
        let source = instance.map_or_else(|| self.gone(&group.instance_id), source);
        let id = group.snapshot_id();
        let name = adoption.name.clone().unwrap_or_else(|| name(group, &source));
        let mut next = Snapshot::adopting(id, source, slot, (members, taken_at), now);
        next.name = name;
        next.description.clone_from(&adoption.description);
        next.tags = common_tags(group);
        next.adopted_from = adoption.also_from;
        next.ending.expires_at = adoption.expires_at;
        next
    }

    /// All that is known of an instance that EC2 has no more.
    fn gone(&self, id: &InstanceId) -> Source {
        Source::unknown(id.clone(), &self.region)
    }
}

/// The name that all its members have, or that of the instance and the time.
fn name(group: &Group, source: &Source) -> String {
    let mut names = group.members.iter().map(|one| one.tags.get("Name").map_or("", String::as_str));
    let first = names.next().unwrap_or_default();
    if !first.is_empty() && names.all(|name| name == first) {
        return first.to_owned();
    }
    let instance = source.instance_name.as_deref().unwrap_or(source.instance_id.as_str());
    let name = format!("{instance} {}", group.taken_at().strftime("%Y-%m-%d %H:%M"));
    name.chars().take(NAME_MAX).collect()
}

/// The tags that all its members bear, as many as a record may have.
fn common_tags(group: &Group) -> Tags {
    let Some((first, others)) = group.members.split_first() else { return Tags::new() };
    let is_common = |(key, value): &(&String, &String)| {
        tags::is_free(key)
            && key.as_str() != "Name"
            && others.iter().all(|one| one.tags.get(*key) == Some(*value))
    };
    let common = first.tags.iter().filter(is_common).take(CALLER_TAGS_MAX);
    common.map(|(key, value)| (key.clone(), value.clone())).collect()
}
