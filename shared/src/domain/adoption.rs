//! Adoption: which EBS snapshots that are there already can become ours, and which of them together are one set.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{EbsSnapshotId, InstanceId, SnapshotId};
use crate::domain::ownership::{EbsSnapshot, EbsState, Images, Owner, owner_of};
use crate::domain::tags;

/// How many EBS snapshots one request may name.
pub const REQUEST_MAX: usize = 200;
/// How many one set may have: they are recorded with it in one transaction, which has room for a hundred writes, also
/// those that tell of it.
pub const SET_MAX: usize = 90;
/// How far apart the members of one set may have begun, unless a person says that they are one.
const TOGETHER: SignedDuration = SignedDuration::from_mins(1);

/// What a person has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// These; those of one instance that began within a minute become one set.
    Each(Vec<EbsSnapshotId>),
    /// Each of these groups becomes one set.
    Groups(Vec<Vec<EbsSnapshotId>>),
}

impl Choice {
    /// All that is chosen.
    pub fn ids(&self) -> Vec<EbsSnapshotId> {
        match self {
            Self::Each(ids) => ids.clone(),
            Self::Groups(groups) => groups.iter().flatten().cloned().collect(),
        }
    }

    /// What is wrong with it in itself, if anything is.
    pub fn refusal(&self) -> Option<String> {
        let ids = self.ids();
        let distinct: BTreeSet<_> = ids.iter().collect();
        if ids.is_empty() {
            Some("must name at least one EBS snapshot".to_owned())
        } else if ids.len() > REQUEST_MAX {
            Some(format!("names {} EBS snapshots; at most {REQUEST_MAX} are possible", ids.len()))
        } else if distinct.len() < ids.len() {
            Some("must name each EBS snapshot once".to_owned())
        } else {
            None
        }
    }
}

/// An EBS snapshot that is chosen, with what is known of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As EC2 shows it.
    pub seen: EbsSnapshot,
    pub region: String,
    /// The instance it is of, as far as somebody says.
    pub instance_id: Option<InstanceId>,
}

/// From whom EBS snapshots may be adopted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptedFrom {
    /// From nobody: nobody else looks after them.
    #[default]
    Nobody,
    /// From another installation of Snapkeep as well, or one of before installations had ids.
    AnotherInstallation,
}

/// EBS snapshots that become one set.
#[derive(Clone, Debug)]
pub struct Group {
    pub instance_id: InstanceId,
    pub region: String,
    /// In the order of their beginning.
    pub members: Vec<EbsSnapshot>,
}

impl Group {
    /// When its first member began.
    pub fn taken_at(&self) -> Timestamp {
        self.members.iter().map(|one| one.started_at).min().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The set that these make, whoever adopts them and whenever.
    pub fn snapshot_id(&self) -> SnapshotId {
        let mut parts: Vec<_> = self.members.iter().map(|one| one.id.as_str()).collect();
        parts.sort_unstable();
        SnapshotId::derived(self.taken_at(), &parts)
    }
}

/// Why an EBS snapshot is not adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub ebs_snapshot_id: EbsSnapshotId,
    /// Why, in a word.
    pub reason: Reason,
    pub detail: String,
}

/// Why an EBS snapshot is not adopted, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// EC2 does not show it in any region that is looked after.
    NotFound,
    /// It is ours already.
    AlreadyOurs,
    /// It is somebody's who would delete it, or needs it.
    Owned,
    /// It is not completed.
    NotCompleted,
    /// It bears the mark of condemnation already.
    Marked,
    /// It has too many tags for ours.
    TooManyTags,
    /// It is a copy, and a schedule's rules go by when the content was taken.
    Copy,
    /// Nobody says of which instance it is.
    InstanceUnknown,
    /// Those of its group are not one set.
    NoSet,
    /// Another of its group is refused.
    GroupRefused,
}

/// Sorts the candidates into sets and what cannot be adopted. What is chosen and no candidate is among neither; a group
/// that lacks one is refused.
pub fn sort_out(
    choice: &Choice,
    from: AdoptedFrom,
    candidates: &[Candidate],
    images: &Images,
) -> (Vec<Group>, Vec<Refused>) {
    let by_id: BTreeMap<_, _> = candidates.iter().map(|one| (&one.seen.id, one)).collect();
    let mut refused = Vec::new();
    let groups = match choice {
        Choice::Each(ids) => {
            let mut good = Vec::new();
            for candidate in ids.iter().filter_map(|id| by_id.get(id)) {
                match objection(&candidate.seen, from, images).or_else(|| of_nobody(candidate)) {
                    Some(objection) => refused.push(objection),
                    None => good.push(*candidate),
                }
            }
            together(good)
        }
        Choice::Groups(groups) => {
            let mut sets = Vec::new();
            for ids in groups {
                let members: Vec<_> = ids.iter().filter_map(|id| by_id.get(id)).copied().collect();
                match one_set(ids, &members, from, images) {
                    Ok(set) => sets.extend(set),
                    Err(objections) => refused.extend(objections),
                }
            }
            sets
        }
    };
    (groups, refused)
}

/// Why this one cannot be adopted, whatever else is chosen.
pub fn objection(seen: &EbsSnapshot, from: AdoptedFrom, images: &Images) -> Option<Refused> {
    let because =
        |reason, detail: String| Some(Refused { ebs_snapshot_id: seen.id.clone(), reason, detail });
    match owner_of(seen, images) {
        Owner::Other => {}
        Owner::Ours => {
            let detail = match seen.set() {
                Some(set) => format!("it bears our tags already, as a member of {set}"),
                None => {
                    "it bears our tag already, without a set; take the tag off first".to_owned()
                }
            };
            return because(Reason::AlreadyOurs, detail);
        }
        Owner::AnotherInstallation if from == AdoptedFrom::AnotherInstallation => {}
        Owner::AnotherInstallation => {
            let whose = seen.tags.get(tags::INSTALLATION).map_or(
                "an installation of Snapkeep of before installations had ids, and of no record here".to_owned(),
                |id| format!("the installation {id} of Snapkeep"),
            );
            let detail = format!("it is of {whose}; also_from another_installation takes it over");
            return because(Reason::Owned, detail);
        }
        Owner::Image => {
            let image = images.of(&seen.id).first().cloned().or_else(|| seen.named_image());
            let image = image.map_or_else(|| "an image".to_owned(), |id| id.to_string());
            return because(Reason::Owned, format!("{image} needs it; deregister that first"));
        }
        owner @ (Owner::DataLifecycleManager
        | Owner::AwsBackup
        | Owner::Kubernetes
        | Owner::DisasterRecovery
        | Owner::ApplicationMigration) => {
            let name = owner.name();
            return because(Reason::Owned, format!("it is {name}'s, which looks after it"));
        }
    }
    if seen.is_marked_condemned() {
        let detail = format!("it bears the tag {} already; take that off first", tags::STATE);
        return because(Reason::Marked, detail);
    }
    match seen.state {
        EbsState::Completed => None,
        EbsState::Pending => because(Reason::NotCompleted, "EC2 is still writing it".to_owned()),
        EbsState::Error => because(Reason::NotCompleted, "EC2 says that it failed".to_owned()),
    }
}

/// Takes out the copies that could be adopted, and says why they are not: under a schedule a copy would count by the
/// time of copying, and push out those that were taken since its content was.
pub fn refuse_copies(
    candidates: &mut Vec<Candidate>,
    from: AdoptedFrom,
    images: &Images,
) -> Vec<Refused> {
    let is_copy = |one: &Candidate| {
        one.seen.real_volume().is_none() && objection(&one.seen, from, images).is_none()
    };
    let refused = candidates.iter().filter(|one| is_copy(one)).map(|one| Refused {
        ebs_snapshot_id: one.seen.id.clone(),
        reason: Reason::Copy,
        detail: "it is a copy, which does not say when its content was taken; adopt it without a schedule"
            .to_owned(),
    });
    let refused = refused.collect();
    candidates.retain(|one| !is_copy(one));
    refused
}

fn of_nobody(candidate: &Candidate) -> Option<Refused> {
    candidate.instance_id.is_none().then(|| Refused {
        ebs_snapshot_id: candidate.seen.id.clone(),
        reason: Reason::InstanceUnknown,
        detail: "neither its volume nor a tag nor its description says of which instance it is; give instance_id"
            .to_owned(),
    })
}

/// Those of one instance that began together, no volume twice.
fn together(mut candidates: Vec<&Candidate>) -> Vec<Group> {
    candidates.sort_by(|one, other| {
        let key = |one: &Candidate| (one.seen.started_at, one.seen.id.clone());
        key(one).cmp(&key(other))
    });
    let mut groups: Vec<Group> = Vec::new();
    for candidate in candidates {
        let Some(instance_id) = &candidate.instance_id else { continue };
        let seen = &candidate.seen;
        let fits = |group: &&mut Group| {
            group.instance_id == *instance_id
                && group.region == candidate.region
                && group.members.len() < SET_MAX
                && seen.started_at.duration_since(group.taken_at()) < TOGETHER
                && !group.members.iter().any(|one| one.volume_id == seen.volume_id)
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.members.push(seen.clone()),
            None => groups.push(Group {
                instance_id: instance_id.clone(),
                region: candidate.region.clone(),
                members: vec![seen.clone()],
            }),
        }
    }
    groups
}

/// The set that a person says these are; nothing if all are spoken for elsewhere.
fn one_set(
    ids: &[EbsSnapshotId],
    members: &[&Candidate],
    from: AdoptedFrom,
    images: &Images,
) -> Result<Option<Group>, Vec<Refused>> {
    let Some(first) = members.first() else { return Ok(None) };
    let mut objections: Vec<_> = members
        .iter()
        .filter_map(|one| objection(&one.seen, from, images).or_else(|| of_nobody(one)))
        .collect();
    let distinct = |of: fn(&Candidate) -> Option<String>| {
        members.iter().map(|one| of(one)).collect::<BTreeSet<_>>().len()
    };
    let refuse_all = |detail: &str| {
        let refused = members.iter().map(|one| Refused {
            ebs_snapshot_id: one.seen.id.clone(),
            reason: Reason::NoSet,
            detail: detail.to_owned(),
        });
        Err(refused.collect())
    };
    if members.len() < ids.len() || !objections.is_empty() {
        let named: BTreeSet<_> = objections.iter().map(|one| one.ebs_snapshot_id.clone()).collect();
        let others = members.iter().filter(|one| !named.contains(&one.seen.id));
        objections.extend(others.map(|one| Refused {
            ebs_snapshot_id: one.seen.id.clone(),
            reason: Reason::GroupRefused,
            detail: "another of its group cannot be adopted".to_owned(),
        }));
        return Err(objections);
    }
    if members.len() > SET_MAX {
        return refuse_all(&format!("a set has at most {SET_MAX} members"));
    }
    if distinct(|one| one.instance_id.as_ref().map(ToString::to_string)) > 1 {
        return refuse_all("those of the group are of different instances; give instance_id");
    }
    if distinct(|one| Some(one.region.clone())) > 1 {
        return refuse_all("those of the group are in different regions");
    }
    let volumes: Vec<_> = members.iter().filter_map(|one| one.seen.real_volume()).collect();
    if volumes.iter().collect::<BTreeSet<_>>().len() < volumes.len() {
        return refuse_all("two of the group are of one volume, at different times");
    }
    let Some(instance_id) = first.instance_id.clone() else { return Ok(None) };
    let mut seen: Vec<_> = members.iter().map(|one| one.seen.clone()).collect();
    seen.sort_by(|one, other| (one.started_at, &one.id).cmp(&(other.started_at, &other.id)));
    Ok(Some(Group { instance_id, region: first.region.clone(), members: seen }))
}

#[cfg(test)]
mod tests;
