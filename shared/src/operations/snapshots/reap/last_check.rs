//! The last check before a deletion: everything that must hold at that moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::warn;

use crate::domain::hold::Deleter;
use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId};
use crate::domain::ownership::EbsSnapshot;
use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::Course;
use crate::domain::snapshot::condemnation::{BlockedCause, CondemnedBy};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{MISSING_AFTER, Snapshot, Status};
use crate::domain::sweep::brake::{ClockDoubt, clock_doubt};
use crate::domain::sweep::still_stands::is_current;
use crate::error::{Error, chain};
use crate::regions::instances_by_region;
use crate::regions::{OutOfReach, Shown, members_by_region, shown};
use crate::service::Service;

/// What the last check goes by, read in as few calls as can be.
pub(super) struct Evidence {
    /// Those that are due.
    pub(super) snapshots: BTreeMap<SnapshotId, Snapshot>,
    pub(super) seen: BTreeMap<EbsSnapshotId, EbsSnapshot>,
    in_use: BTreeMap<EbsSnapshotId, BTreeSet<ImageId>>,
    /// The regions of which nothing is known now, or whose clock is not ours.
    trouble: BTreeSet<String>,
    /// The regions that are out of reach, of those that were asked for instances.
    unseen: OutOfReach,
    /// Those whose instance's being there or gone matters.
    by_presence: BTreeSet<SnapshotId>,
    /// Of the instances of which it matters whether they are gone: those that are there.
    here: BTreeSet<InstanceId>,
    /// And those that no region shows, not even as terminated.
    nowhere: BTreeSet<InstanceId>,
}

impl Evidence {
    pub(super) async fn load(
        service: &Service,
        ids: &[SnapshotId],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut snapshots = service.table.snapshots(ids).await?;
        snapshots.retain(|_, snapshot| is_due(snapshot, now));
        let schedule_ids: BTreeSet<_> =
            snapshots.values().filter_map(|one| one.schedule_id().cloned()).collect();
        let schedules = service.table.schedules(&schedule_ids).await?;
        let asked = snapshots.values().filter(|one| {
            let schedule = one.schedule_id().and_then(|id| schedules.get(id));
            is_for_gone(one) || is_for_present(one, schedule)
        });
        let asked: Vec<_> = asked.collect();
        let by_presence = asked.iter().map(|one| one.id.clone()).collect();
        let instances = instances_by_region(asked);
        let (mut seen, mut in_use, mut trouble) =
            (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for (region, members) in members_by_region(snapshots.values()) {
            match RegionAnswer::of(service, &region, &members, now).await {
                Ok(RegionAnswer { doubt: Some(doubt), .. }) => {
                    warn!(region = %region, "Nothing is deleted in {region}: {doubt}");
                    trouble.insert(region);
                }
                Ok(sight) => {
                    seen.extend(sight.seen.into_iter().map(|one| (one.id.clone(), one)));
                    in_use.extend(sight.in_use);
                }
                // A region that is not looked after is the snapshot's own trouble, which its record is to say.
                Err(Error::Conflict { .. }) => {}
                Err(error) => {
                    warn!(region = %region, error.chain = %chain(&error), "Deletions in {region} wait: {error}");
                    trouble.insert(region);
                }
            }
        }
        let Shown { here, nowhere, out_of_reach: unseen } = shown(service, &instances).await;
        Ok(Self { snapshots, seen, in_use, trouble, unseen, by_presence, here, nowhere })
    }

    /// Whether what must be known of a snapshot is not known now.
    pub(super) fn is_lacking(&self, snapshot: &Snapshot) -> bool {
        let region = &snapshot.source.region;
        self.trouble.contains(region)
            || (self.by_presence.contains(&snapshot.id)
                && self.nowhere.contains(&snapshot.source.instance_id)
                && self.unseen.hides(snapshot.instance_region()))
    }
}

/// What one region says.
struct RegionAnswer {
    seen: Vec<EbsSnapshot>,
    in_use: BTreeMap<EbsSnapshotId, BTreeSet<ImageId>>,
    doubt: Option<ClockDoubt>,
}

impl RegionAnswer {
    async fn of(
        service: &Service,
        region: &str,
        members: &[EbsSnapshotId],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let ec2 = service.ec2_in(region)?;
        let seen = ec2.ebs_snapshots(members).await?;
        let in_use = ec2.images_of(members).await?;
        Ok(Self { seen, in_use, doubt: clock_doubt(None, ec2.date(), now) })
    }
}

/// Whether its instance's being gone is what condemned it.
fn is_for_gone(snapshot: &Snapshot) -> bool {
    let by = snapshot.ending.condemnation.as_ref().map(|past| &past.by);
    matches!(by, Some(CondemnedBy::InstanceGone { .. }))
}

/// Whether rules condemned it that are for instances that are there: its schedule has another for those that are gone.
fn is_for_present(snapshot: &Snapshot, schedule: Option<&Schedule>) -> bool {
    let by = snapshot.ending.condemnation.as_ref().map(|past| &past.by);
    matches!(by, Some(CondemnedBy::Rules { .. }))
        && schedule.is_some_and(|one| one.settings.when_gone != WhenGone::Apply)
}

/// Whether a deletion that broke off has certainly deleted a member, or EC2 does not show one: then the set is no longer
/// whole, and nothing is left to check.
pub(super) fn is_broken(snapshot: &Snapshot, evidence: &Evidence) -> bool {
    let is_shown = |member: &Member| evidence.seen.contains_key(&member.ebs_snapshot_id);
    snapshot.status == Status::Deleting && !snapshot.members.iter().all(is_shown)
}

/// The snapshot as condemned, if a deletion of it broke off so long ago that EC2 would not show a member that it deleted,
/// and EC2 shows all of them.
pub(super) fn recalled(
    snapshot: &Snapshot,
    evidence: &Evidence,
    now: Timestamp,
) -> Option<Snapshot> {
    let is_settled = now.duration_since(snapshot.course.touched_at) >= MISSING_AFTER;
    let is_whole = snapshot.status == Status::Deleting && !is_broken(snapshot, evidence);
    (is_whole && is_settled).then(|| Snapshot {
        status: Status::Condemned,
        course: Course { absent_since: None, ..snapshot.course.clone() },
        ..snapshot.clone()
    })
}

fn is_due(snapshot: &Snapshot, now: Timestamp) -> bool {
    match snapshot.status {
        // What is left of a torn set waits for a person.
        Status::Deleting => !snapshot.is_given_up_torn(),
        Status::Condemned => {
            snapshot.ending.condemnation.as_ref().is_some_and(|one| one.delete_after <= now)
        }
        Status::Requested
        | Status::Creating
        | Status::Pending
        | Status::Available
        | Status::Error
        | Status::Deleted
        | Status::Missing => false,
    }
}

/// What the last check says.
pub(super) enum Check {
    /// Delete it, if this guard lets it go.
    Delete(Guard),
    /// Something is in the way.
    Blocked(BlockedCause),
    /// What had condemned it no longer stands.
    Rescue(&'static str),
}

/// What is to be asked of those that stay.
pub(super) enum Guard {
    /// A person named it, or it never was good, or is broken off: nothing has to stand for it.
    Unneeded,
    /// A rule wants it gone: that rule, and what EC2 shows beside it, are to let it go.
    Needed(Box<Needed>),
}

/// What the rules that are asked again depend on.
pub(super) struct Needed {
    /// Its schedule, as it is now.
    pub(super) schedule: Option<Schedule>,
    /// Its instance, if that is gone.
    pub(super) gone: Option<InstanceId>,
}

/// Whether an EBS snapshot says that it is a member of this set, and condemned.
pub(super) fn is_ours_and_marked(member: &EbsSnapshot, snapshot: &Snapshot) -> bool {
    member.set().as_ref() == Some(snapshot.tagged_id()) && member.is_marked_condemned()
}

/// Everything that must hold for a deletion, as the batch has found it.
pub(super) async fn last_check(
    service: &Service,
    snapshot: &Snapshot,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<Check, Error> {
    let Some(condemnation) = &snapshot.ending.condemnation else {
        return Ok(Check::Blocked(BlockedCause::Refused {
            message: "the record does not say who condemned it".to_owned(),
        }));
    };
    let deleter = condemnation.by.deleter();
    if snapshot.is_held(deleter, now) {
        return Ok(Check::Blocked(BlockedCause::Held));
    }
    if let Some(restore) = snapshot.keepers.restores.first() {
        return Ok(Check::Blocked(BlockedCause::InRestore { restore_id: restore.clone() }));
    }
    let in_use = |member: &Member| {
        let images = evidence.in_use.get(&member.ebs_snapshot_id)?;
        BlockedCause::used_by(&member.ebs_snapshot_id, images)
    };
    if let Some(cause) = snapshot.living_members().find_map(in_use) {
        return Ok(Check::Blocked(cause));
    }
    let seen = |id| evidence.seen.get(id);
    let mut shown = snapshot.living_members().filter_map(|member| seen(&member.ebs_snapshot_id));
    if !shown.all(|member| is_ours_and_marked(member, snapshot)) {
        return Ok(Check::Blocked(BlockedCause::NotMarked { message: None }));
    }
    if is_broken(snapshot, evidence) {
        // Checked and claimed by an earlier delivery that broke off.
        return Ok(Check::Delete(Guard::Unneeded));
    }
    // Now, not when the batch began: somebody may have edited the rules since.
    let schedule = match snapshot.schedule_id() {
        Some(id) => service.table.schedule(id).await?,
        None => None,
    };
    if !is_current(&condemnation.by, snapshot, schedule.as_ref()) {
        return Ok(Check::Rescue("what had condemned it has changed"));
    }
    let is_here = evidence.here.contains(&snapshot.source.instance_id);
    if is_for_gone(snapshot) && is_here {
        return Ok(Check::Rescue("its instance is there again"));
    }
    if is_for_present(snapshot, schedule.as_ref()) && !is_here {
        return Ok(Check::Rescue("its instance is gone, and its schedule has a rule for that"));
    }
    if deleter == Deleter::Person || condemnation.from == Status::Error {
        return Ok(Check::Delete(Guard::Unneeded));
    }
    let gone = is_for_gone(snapshot).then(|| snapshot.source.instance_id.clone());
    Ok(Check::Delete(Guard::Needed(Box::new(Needed { schedule, gone }))))
}
