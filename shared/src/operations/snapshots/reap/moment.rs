//! What is asked right before a deletion is claimed: everything that would refuse a member, and what lets the set go.
//!
//! The check of the batch lies up to minutes back. Here EC2 is asked once more, for this set alone, in the order in which
//! an answer can become old: first the rights, which hardly change, last what guards it.

use std::collections::{BTreeMap, BTreeSet};

use super::OneDeletion;
use super::last_check::{Guard, is_ours_and_marked};
use crate::domain::ids::EbsSnapshotId;
use crate::domain::snapshot::Course;
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::newest::has_all_of;
use crate::domain::sweep::plan::World;
use crate::domain::sweep::plan::again::{kept_because, reopened};
use crate::error::Error;
use crate::operations::snapshots::newest::{Stays, among_shown, guardians_among, shown};

/// What is said right before the claim.
pub(super) enum Moment {
    /// It may go, as long as the guardians are as they were read.
    Go { seen: BTreeSet<EbsSnapshotId>, guardians: Vec<Snapshot> },
    /// Something is in the way of a member.
    Blocked(BlockedCause),
    /// It would be kept now.
    Stays(Stays),
    /// EC2 shows less than at the beginning of the batch.
    Later,
}

impl OneDeletion<'_> {
    /// Asks everything that must hold for all members, and for what stays when they are gone.
    pub(super) async fn ask(&self, snapshot: &Snapshot, guard: Guard) -> Result<Moment, Error> {
        let ids: Vec<_> =
            snapshot.living_members().map(|member| member.ebs_snapshot_id.clone()).collect();
        let found = self.ec2.ebs_snapshots(&ids).await?;
        let seen: BTreeSet<_> = found.iter().map(|one| one.id.clone()).collect();
        if ids.iter().any(|id| self.evidence.seen.contains_key(id) && !seen.contains(id)) {
            return Ok(Moment::Later);
        }
        if !found.iter().all(|one| is_ours_and_marked(one, snapshot)) {
            return Ok(Moment::Blocked(BlockedCause::NotMarked { message: None }));
        }
        if let Some(cause) = self.obstacle(&seen).await? {
            return Ok(Moment::Blocked(cause));
        }
        let guardians = match guard {
            Guard::Unneeded => Vec::new(),
            Guard::Needed(needed) => match self.guardians(snapshot, *needed).await? {
                Ok(guardians) => guardians,
                Err(stays) => return Ok(Moment::Stays(stays)),
            },
        };
        Ok(Moment::Go { seen, guardians })
    }

    /// The first thing that would refuse one of these members. Rights are tried out only where a refusal could tear the
    /// set: of a single member nothing is left over.
    async fn obstacle(
        &self,
        seen: &BTreeSet<EbsSnapshotId>,
    ) -> Result<Option<BlockedCause>, Error> {
        if seen.len() > 1 {
            for id in seen {
                let refusal = self.ec2.rehearse_deletion(id).await;
                self.clock.pause(self.service.settings.delete_pace).await;
                if let Some(cause) = refusal? {
                    return Ok(Some(cause));
                }
            }
        }
        if seen.is_empty() {
            return Ok(None);
        }
        let ids: Vec<_> = seen.iter().cloned().collect();
        if !self.ec2.locked(&ids).await?.is_empty() {
            return Ok(Some(BlockedCause::Locked));
        }
        let in_use = self.ec2.images_of(&ids).await?.into_values().next();
        Ok(in_use.map(|image| BlockedCause::InUse { image_id: Some(image) }))
    }

    /// Those that let it go: good ones that EC2 shows at this moment have all its volumes, and the rules of this moment,
    /// over these, would not keep it.
    async fn guardians(
        &self,
        snapshot: &Snapshot,
        needed: super::last_check::Needed,
    ) -> Result<Result<Vec<Snapshot>, Stays>, Error> {
        let now = self.clock.now();
        let condemned = Snapshot { status: Status::Condemned, ..snapshot.clone() };
        let Some(reopened) = reopened(&condemned) else {
            return Ok(Err("the record does not say which rule is to be asked again".to_owned()));
        };
        let original = self.original(snapshot).await?;
        let schedules: BTreeMap<_, _> =
            needed.schedule.into_iter().map(|one| (one.id.clone(), one)).collect();
        let gone = needed.gone.into_iter().collect();
        let judge = |others: &[Snapshot]| {
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
            if let Some(reason) = kept_because(&reopened, &world) {
                return Err(reason);
            }
            match original.as_ref().filter(|one| one.is_whole() && has_all_of(one, snapshot)) {
                Some(original) => Ok(vec![original.clone()]),
                None => guardians_among(snapshot, others),
            }
        };
        among_shown(self.service, snapshot, now, judge).await
    }

    /// What it was made twice for, as it stands now: an available one only if EC2 shows all of it.
    async fn original(&self, snapshot: &Snapshot) -> Result<Option<Snapshot>, Error> {
        let Some(id) = &snapshot.duplicate_of else { return Ok(None) };
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
