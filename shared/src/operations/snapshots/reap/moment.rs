//! What is asked right before a deletion is claimed: everything that would refuse a member, and what lets the set go.
//!
//! The check of the batch lies up to minutes back. Here EC2 is asked once more, for this set alone, in the order in which
//! an answer can become old: first the rights, which hardly change, last, in one look, the set itself and what guards it.

use std::collections::{BTreeMap, BTreeSet};

use super::OneDeletion;
use super::last_check::{Guard, is_ours_and_marked};
use super::members::in_turn;
use crate::domain::ids::EbsSnapshotId;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::Course;
use crate::domain::snapshot::condemnation::{BlockedCause, CondemnedBy};
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::newest::has_all_of;
use crate::domain::sweep::plan::World;
use crate::domain::sweep::plan::again::{kept_because, reopened};
use crate::error::Error;
use crate::operations::snapshots::newest::{Judged, Stays, among_shown, guardians_among, shown};

/// What is said right before the claim.
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved once")]
pub(super) enum Moment {
    /// It may go, as long as all that lets it go is as it was read.
    Go { seen: BTreeSet<EbsSnapshotId>, lets_go: LetsGo },
    /// Something is in the way of a member.
    Blocked(BlockedCause),
    /// It would be kept now.
    Stays(Stays),
    /// EC2 shows other members than at the beginning of the batch: some were not asked for.
    Later,
}

/// What lets a set go.
#[derive(Default)]
pub(super) struct LetsGo {
    /// Newer sets that have its volumes, or what it was made twice for.
    pub(super) guardians: Vec<Snapshot>,
    /// The other restore points that its rules have counted.
    pub(super) counted: Vec<Snapshot>,
    /// The schedule whose rules were asked.
    pub(super) schedule: Option<Schedule>,
}

impl OneDeletion<'_> {
    /// Asks everything that must hold for all members, and for what stays when they are gone.
    pub(super) async fn ask(&self, snapshot: &Snapshot, guard: Guard) -> Result<Moment, Error> {
        let ids: Vec<_> =
            snapshot.living_members().map(|member| member.ebs_snapshot_id.clone()).collect();
        let was_seen = ids.iter().filter(|id| self.evidence.seen.contains_key(*id));
        let was_seen: BTreeSet<_> = was_seen.cloned().collect();
        if let Some(cause) = self.obstacle(snapshot, &was_seen).await? {
            return Ok(Moment::Blocked(cause));
        }
        let Judged { own, answer } = match guard {
            Guard::Unneeded => {
                Judged { own: self.ec2.ebs_snapshots(&ids).await?, answer: Ok(LetsGo::default()) }
            }
            Guard::Needed(needed) => self.lets_go(snapshot, *needed).await?,
        };
        let seen: BTreeSet<_> = own.iter().map(|one| one.id.clone()).collect();
        if was_seen != seen {
            return Ok(Moment::Later);
        }
        if !own.iter().all(|one| is_ours_and_marked(one, snapshot)) {
            return Ok(Moment::Blocked(BlockedCause::NotMarked { message: None }));
        }
        Ok(match answer {
            Ok(lets_go) => Moment::Go { seen, lets_go },
            Err(stays) => Moment::Stays(stays),
        })
    }

    /// The first thing that would refuse one of these members. Rights are tried out only where a refusal could tear the
    /// set: of all but the one that is deleted first, for if that is refused, nothing is gone yet.
    async fn obstacle(
        &self,
        snapshot: &Snapshot,
        seen: &BTreeSet<EbsSnapshotId>,
    ) -> Result<Option<BlockedCause>, Error> {
        for id in in_turn(snapshot, seen).skip(1) {
            self.wait_for_turn().await;
            if let Some(cause) = self.ec2.rehearse_deletion(id).await? {
                return Ok(Some(cause));
            }
        }
        if seen.is_empty() {
            return Ok(None);
        }
        let ids: Vec<_> = seen.iter().cloned().collect();
        let locked = self.ec2.locked(&ids).await?;
        if !locked.is_empty() {
            return Ok(Some(BlockedCause::Locked { message: Some(locked.join(", ")) }));
        }
        let in_use = self.ec2.images_of(&ids).await?;
        Ok(in_use.iter().find_map(|(member, images)| BlockedCause::used_by(member, images)))
    }

    /// What lets it go: good ones that EC2 shows at this moment have all its volumes, and the rules of this moment,
    /// over these, would not keep it.
    async fn lets_go(
        &self,
        snapshot: &Snapshot,
        needed: super::last_check::Needed,
    ) -> Result<Judged<LetsGo>, Error> {
        let now = self.clock.now();
        let condemned = Snapshot { status: Status::Condemned, ..snapshot.clone() };
        let reopened = reopened(&condemned);
        let original = self.original(snapshot).await?;
        let super::last_check::Needed { schedule, gone } = needed;
        let schedules: BTreeMap<_, _> =
            schedule.iter().map(|one| (one.id.clone(), one.clone())).collect();
        let gone = gone.into_iter().collect();
        let judge = |others: &[Snapshot]| {
            let Some(reopened) = &reopened else {
                return Err("the record does not say which rule is to be asked again".to_owned());
            };
            let is_other = |one: &&Snapshot| original.as_ref().is_none_or(|it| it.id != one.id);
            let mut snapshots: Vec<_> = others.iter().filter(is_other).cloned().collect();
            snapshots.extend(original.clone());
            snapshots.push(reopened.clone());
            let world = World {
                schedules: &schedules,
                snapshots: &snapshots,
                in_use: &BTreeMap::new(),
                gone: &gone,
                absent: &BTreeSet::new(),
                failed_kept: self.service.settings.failed_kept,
                now,
            };
            if let Some(reason) = kept_because(reopened, &world) {
                return Err(reason);
            }
            let guardians =
                match original.as_ref().filter(|one| one.is_whole() && has_all_of(one, snapshot)) {
                    Some(original) => vec![original.clone()],
                    None => guardians_among(snapshot, others)?,
                };
            let is_counted = |one: &&Snapshot| {
                is_by_schedule(snapshot)
                    && one.schedule_id() == snapshot.schedule_id()
                    && !guardians.iter().any(|guardian| guardian.id == one.id)
            };
            let counted: Vec<_> = others.iter().filter(is_counted).cloned().collect();
            Ok((guardians, counted))
        };
        let Judged { own, answer } = among_shown(self.service, snapshot, now, judge).await?;
        // Who condemned it by no rule of a schedule's is bound to none.
        let schedule = schedule.filter(|_| is_by_schedule(snapshot));
        let answer = answer.map(|(guardians, counted)| LetsGo { guardians, counted, schedule });
        Ok(Judged { own, answer })
    }

    /// What it was made twice for, as it stands now: an available one only if EC2 shows all of it.
    async fn original(&self, snapshot: &Snapshot) -> Result<Option<Snapshot>, Error> {
        let Some(id) = snapshot.twin() else { return Ok(None) };
        let Some(original) = self.service.table.snapshot(id).await? else { return Ok(None) };
        if original.status != Status::Available {
            return Ok(Some(original));
        }
        let now = self.clock.now();
        let region = original.source.region.clone();
        let whole = shown(self.service, &region, std::slice::from_ref(&original), now).await?;
        let not_whole =
            Snapshot { course: Course { absent_since: Some(now), ..original.course }, ..original };
        Ok(Some(whole.into_iter().next().unwrap_or(not_whole)))
    }
}

/// Whether what condemned it is a rule of its schedule.
fn is_by_schedule(snapshot: &Snapshot) -> bool {
    match snapshot.ending.condemnation.as_ref().map(|past| &past.by) {
        Some(CondemnedBy::Rules { .. } | CondemnedBy::InstanceGone { .. }) => true,
        Some(
            CondemnedBy::Expiry { .. }
            | CondemnedBy::Duplicate
            | CondemnedBy::Failed
            | CondemnedBy::Person { .. },
        )
        | None => false,
    }
}
