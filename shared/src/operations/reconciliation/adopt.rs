//! A person takes EBS snapshots over that are there already: sets are recorded, then made known to who tags them.
//!
//! What is decided here is decided once more by whoever sets the tags: the caller's function may not.

mod origins;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::info;

use self::origins::Origins;
use crate::domain::adoption::{
    AdoptedFrom, Candidate, Choice, Group, Reason, Refused, refuse_copies, sort_out,
};
use crate::domain::ids::{EbsSnapshotId, InstanceId, ScheduleId, SnapshotId};
use crate::domain::ownership::{EbsSnapshot, Images};
use crate::domain::snapshot::{Origin, Snapshot, Status};
use crate::domain::tags;
use crate::error::Error;
use crate::events::{AdoptionRequested, OwnEvent, PER_EVENT_MAX};
use crate::service::Service;

/// How many refusals an error tells.
const TOLD_MAX: usize = 10;

/// EBS snapshots that are to become ours.
#[derive(Clone, Debug)]
pub struct Adoption {
    pub choice: Choice,
    /// From whom else than nobody.
    pub also_from: AdoptedFrom,
    /// Of which instance; by their volumes, tags and descriptions if none is given.
    pub instance_id: Option<InstanceId>,
    /// Under which schedule's rules.
    pub schedule_id: Option<ScheduleId>,
    /// When they go by themselves, if no schedule decides.
    pub expires_at: Option<Timestamp>,
    /// Display name; their own, or the instance's and the time, if none.
    pub name: Option<String>,
    /// In the caller's words.
    pub description: Option<String>,
    pub who: String,
}

/// What became of what was chosen.
#[derive(Clone, Debug, Default)]
pub struct Adopted {
    /// The sets, now or by the same request before.
    pub snapshots: Vec<Snapshot>,
    /// What is not adopted, and why.
    pub refused: Vec<Refused>,
}

/// Records the sets and makes them known. Asked again for the same, it answers the same. A schedule that is not there is
/// [`Error::NotFound`]; if nothing can be adopted, that is [`Error::Conflict`] with the reasons.
pub async fn adopt(
    service: &Service,
    adoption: &Adoption,
    now: Timestamp,
) -> Result<Adopted, Error> {
    check(service, adoption).await?;
    let mut adopted = Adopted::default();
    let mut wanted: BTreeSet<_> = adoption.choice.ids().into_iter().collect();
    let taken = service.table.sets_of(&adoption.choice.ids()).await?;
    adopted.note_taken(service, adoption, &taken).await?;
    wanted.retain(|id| !taken.contains_key(id));
    let (mut candidates, images) = candidates(service, adoption, &mut wanted).await?;
    if adoption.schedule_id.is_some() {
        adopted.refused.extend(refuse_copies(&mut candidates, adoption.also_from, &images));
    }
    adopted.refused.extend(wanted.into_iter().map(|ebs_snapshot_id| {
        let detail = "EC2 does not show it in any region that is looked after".to_owned();
        Refused { ebs_snapshot_id, reason: Reason::NotFound, detail }
    }));
    let (groups, refused) = sort_out(&adoption.choice, adoption.also_from, &candidates, &images);
    adopted.refused.extend(refused);
    let mut by_region: BTreeMap<String, Vec<Group>> = BTreeMap::new();
    for group in groups {
        by_region.entry(group.region.clone()).or_default().push(group);
    }
    let mut fresh = Vec::new();
    for (region, groups) in by_region {
        let origins = Origins::read(service.ec2_in(&region)?, &groups).await?;
        for group in groups {
            let snapshot = origins.snapshot(&group, adoption, now);
            fresh.extend(adopted.record(service, adoption, &group, snapshot).await?);
        }
    }
    make_known(service, &fresh).await;
    adopted.refused.sort_by(|one, other| one.ebs_snapshot_id.cmp(&other.ebs_snapshot_id));
    if adopted.snapshots.is_empty() { Err(all_refused(&adopted.refused)) } else { Ok(adopted) }
}

async fn check(service: &Service, adoption: &Adoption) -> Result<(), Error> {
    if let Some(refusal) = adoption.choice.refusal() {
        let field = match adoption.choice {
            Choice::Each(_) => "ebs_snapshot_ids",
            Choice::Groups(_) => "groups",
        };
        return Err(Error::invalid(field, refusal));
    }
    let Some(schedule_id) = &adoption.schedule_id else { return Ok(()) };
    if adoption.expires_at.is_some() {
        let reason = "is for snapshots without a schedule; the rules of schedule_id decide";
        return Err(Error::invalid("expires_at", reason));
    }
    let schedule = service.table.schedule(schedule_id).await?;
    schedule.map(drop).ok_or_else(|| Error::not_found("schedule", schedule_id))
}

/// Those of `wanted` that EC2 shows, which are taken out of it, and the images that may need them. A region that is out
/// of reach is an error if any is not found elsewhere.
async fn candidates(
    service: &Service,
    adoption: &Adoption,
    wanted: &mut BTreeSet<EbsSnapshotId>,
) -> Result<(Vec<Candidate>, Images), Error> {
    let mut candidates = Vec::new();
    let mut images = Images::default();
    let mut failure = None;
    for ec2 in service.everywhere() {
        let left: Vec<_> = wanted.iter().cloned().collect();
        let seen: Vec<EbsSnapshot> = match ec2.ebs_snapshots(&left).await {
            Ok(seen) => seen,
            Err(error) => {
                failure = Some(error);
                continue;
            }
        };
        let known = ec2.images_about(&seen).await?;
        images.using.extend(known.using);
        images.known.extend(known.known);
        let volumes: Vec<_> = seen.iter().filter_map(|one| one.real_volume().cloned()).collect();
        let attachments = ec2.attachments(&volumes).await?;
        for one in seen {
            wanted.remove(&one.id);
            let attached = one.real_volume().and_then(|id| attachments.get(id)?.clone());
            let instance_id = adoption.instance_id.clone().or(attached);
            candidates.push(Candidate {
                region: ec2.region().to_owned(),
                instance_id: instance_id.or_else(|| one.named_instance()),
                seen: one,
            });
        }
    }
    match failure {
        Some(error) if !wanted.is_empty() => Err(error),
        Some(_) | None => Ok((candidates, images)),
    }
}

async fn make_known(service: &Service, ids: &[SnapshotId]) {
    let events: Vec<_> = ids
        .chunks(PER_EVENT_MAX)
        .map(|ids| OwnEvent::AdoptionRequested(AdoptionRequested { snapshot_ids: ids.to_vec() }))
        .collect();
    // What is not made known, the reconciler finds within the hour.
    service.bus.publish_or_leave(&events).await;
}

fn all_refused(refused: &[Refused]) -> Error {
    let told = refused.iter().take(TOLD_MAX);
    let mut reasons: Vec<_> =
        told.map(|one| format!("{}: {}", one.ebs_snapshot_id, one.detail)).collect();
    if refused.len() > TOLD_MAX {
        reasons.push(format!("and {} more", refused.len() - TOLD_MAX));
    }
    Error::conflict(format!("none of them can be adopted; {}", reasons.join("; ")))
}

impl Adopted {
    /// Records one set, and answers its id if it was not recorded before.
    async fn record(
        &mut self,
        service: &Service,
        adoption: &Adoption,
        group: &Group,
        snapshot: Snapshot,
    ) -> Result<Option<SnapshotId>, Error> {
        let crowded = without_room(group, &snapshot);
        if !crowded.is_empty() {
            self.refused.extend(crowded);
            return Ok(None);
        }
        if service.table.update_members(None, &snapshot).await?.is_done() {
            let (id, who) = (snapshot.id.clone(), &adoption.who);
            info!(snapshot.id = %id, by = %who, "Snapshot {id} is to be adopted");
            self.snapshots.push(snapshot);
            return Ok(Some(id));
        }
        // Somebody has taken one of them meanwhile, perhaps the same request delivered twice.
        let members: Vec<_> = group.members.iter().map(|one| one.id.clone()).collect();
        let taken = service.table.sets_of(&members).await?;
        self.note_taken(service, adoption, &taken).await?;
        let left = members.into_iter().filter(|id| !taken.contains_key(id));
        self.refused.extend(left.map(|ebs_snapshot_id| Refused {
            ebs_snapshot_id,
            reason: Reason::GroupRefused,
            detail: "another of its group was taken meanwhile; ask again".to_owned(),
        }));
        Ok(None)
    }

    /// Notes the EBS snapshots that have a set already: adopted by the same request, or not to be adopted.
    async fn note_taken(
        &mut self,
        service: &Service,
        adoption: &Adoption,
        taken: &BTreeMap<EbsSnapshotId, SnapshotId>,
    ) -> Result<(), Error> {
        let sets: Vec<_> = taken.values().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let records = service.table.snapshots(&sets).await?;
        let chosen: BTreeSet<_> = adoption.choice.ids().into_iter().collect();
        let is_same = |record: &Snapshot| {
            record.origin == Origin::Adopted
                && !record.status.is_gone()
                && record.schedule_id() == adoption.schedule_id.as_ref()
                && record.ending.expires_at == adoption.expires_at
                && record.members.iter().all(|one| chosen.contains(&one.ebs_snapshot_id))
        };
        for (id, set) in taken {
            let detail = match records.get(set) {
                Some(record) if is_same(record) => continue,
                Some(record) if record.status == Status::Deleted => {
                    format!("it was a member of {set}, whose record was removed; it is left alone")
                }
                Some(_) | None => format!("it is a member of {set}"),
            };
            let reason = Reason::AlreadyOurs;
            self.refused.push(Refused { ebs_snapshot_id: id.clone(), reason, detail });
        }
        self.snapshots.extend(records.into_values().filter(is_same));
        Ok(())
    }
}

/// Those of a group that have no room for our tags; then none of the group is adopted.
fn without_room(group: &Group, snapshot: &Snapshot) -> Vec<Refused> {
    let added = snapshot.adoption_tags();
    let crowded = |one: &EbsSnapshot| tags::no_room(&one.tags, &added);
    if !group.members.iter().any(|one| crowded(one).is_some()) {
        return Vec::new();
    }
    let refused = group.members.iter().map(|one| {
        let (reason, detail) = match crowded(one) {
            Some(detail) => (Reason::TooManyTags, detail),
            None => (Reason::GroupRefused, "another of its group has too many tags".to_owned()),
        };
        Refused { ebs_snapshot_id: one.id.clone(), reason, detail }
    });
    refused.collect()
}
