//! Copies of a snapshot in other regions: which are wanted, and how one is made, EBS snapshot by EBS snapshot.
//!
//! A copy is a snapshot of its own: it has its own record, state and retention, and can be restored where it lies. It is
//! as old as its original, whose content it has. `CopySnapshot` has no client token, so what is about to be asked of EC2
//! is recorded first (`claimed_at`), and what got no answer is looked for by its tags.

mod over;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::member::Member;
use super::transitions::Refusal;
use super::{ABSENCE_UNCERTAIN, Failure, Origin, Snapshot, Source, Status};
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::instance::launch::{LaunchSettings, VolumeSettings};
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsState, StorageTier};
use crate::domain::snapshot::Course;
use crate::domain::words::words;

/// How long an original waits for its copies at the most: what is not begun by then is given up, and nothing keeps the
/// original from going any more.
pub const COPY_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A copy that is to be made of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOrder {
    /// Where it is to be.
    pub region: String,
    /// The key that it is encrypted with there.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// How far it is.
    pub stage: CopyStage,
}

words! {
    /// How far a copy is, as its original knows.
    CopyStage {
        /// To be made once the snapshot is available.
        Wanted => "wanted",
        /// It has a record of its own.
        UnderWay => "under_way",
        /// Made, failed, or not possible: its own record says.
        Over => "over",
    }
}

/// What a snapshot is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOf {
    pub snapshot_id: SnapshotId,
    /// Where that one is.
    pub region: String,
    /// The key that it is encrypted with.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// What is to be copied, each of the original's members.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Whether the original still waits for it.
    #[serde(default)]
    pub is_awaited: bool,
    /// When EC2 last did not permit it; it waits behind all others that were asked for until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
}

impl CopyOf {
    /// Whether it has a copy of this EBS snapshot.
    pub fn has_made(&self, source: &EbsSnapshotId) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| part.copy.is_some() && part.source.ebs_snapshot_id == *source)
    }

    /// Whether this EBS snapshot is among what was to be copied.
    pub fn is_of(&self, source: &EbsSnapshotId) -> bool {
        self.parts.iter().any(|part| part.source.ebs_snapshot_id == *source)
    }

    /// The same of what was copied twice: nobody waits for it.
    #[must_use]
    pub fn of_duplicate(&self) -> Self {
        Self { parts: Vec::new(), is_awaited: false, ..self.clone() }
    }

    /// What is known of a copy without a record: nobody waits for it.
    pub fn known_by_tags(snapshot_id: SnapshotId, region: impl Into<String>) -> Self {
        let (kms_key, parts) = (None, Vec::new());
        Self {
            snapshot_id,
            region: region.into(),
            kms_key,
            parts,
            is_awaited: false,
            refused_at: None,
        }
    }
}

/// One EBS snapshot that is to be copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub source: Member,
    /// When EC2 was about to be asked, and has not answered yet.
    #[serde(default)]
    pub claimed_at: Option<Timestamp>,
    /// What EC2 has made of it.
    #[serde(default)]
    pub copy: Option<EbsSnapshotId>,
}

/// What became of a part that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartAnswer {
    /// EC2 makes this copy of it.
    Begun(EbsSnapshotId),
    /// EC2 did nothing, and may do it later; or it has made nothing, as is believed by now.
    NotNow(Failure),
    /// EC2 did nothing, since our role may not. A right that is missing is given later, and the copy has a week.
    NotPermitted(Failure),
    /// EC2 did nothing, and will not.
    Refused(Failure),
}

impl Part {
    /// Whether it is to be begun.
    pub fn is_waiting(&self) -> bool {
        self.copy.is_none() && self.claimed_at.is_none()
    }

    /// Whether EC2 was asked and did not answer, so long ago that it shows what it has made.
    pub fn is_unanswered(&self, now: Timestamp) -> bool {
        self.copy.is_none()
            && self.claimed_at.is_some_and(|at| now.duration_since(at) >= ABSENCE_UNCERTAIN)
    }

    fn member(&self, id: EbsSnapshotId) -> Member {
        // The key belongs to the original's region.
        let volume = self.source.volume.as_ref();
        let volume = volume.map(|one| VolumeSettings { kms_key_id: None, ..one.clone() });
        Member {
            ebs_snapshot_id: id,
            state: EbsState::Pending,
            progress_percent: 0,
            full_size_bytes: None,
            volume,
            tier: StorageTier::Standard,
            restore_expires_at: None,
            notes: Notes::default(),
            deleted: false,
            ..self.source.clone()
        }
    }
}

impl Snapshot {
    /// The region that it was copied to; none if it is no copy.
    pub fn copied_to(&self) -> Option<&String> {
        self.copy_of.as_ref().map(|_| &self.source.region)
    }

    /// Where its instance is, or was: a copy lies in another region.
    pub fn instance_region(&self) -> &String {
        self.copy_of.as_ref().map_or(&self.source.region, |original| &original.region)
    }

    /// The same with these copies wanted, but for one in its own region.
    #[must_use]
    pub fn with_copies_wanted(mut self, orders: impl IntoIterator<Item = CopyOrder>) -> Self {
        let others = orders.into_iter().filter(|order| order.region != self.source.region);
        self.keepers.copies = others.collect();
        self
    }

    /// The one copy of it in a region, however often it is asked for.
    pub fn copy_id(&self, region: &str) -> SnapshotId {
        SnapshotId::derived(self.taken_at(), &["copy", self.id.as_str(), region])
    }

    /// Whether copies of it are to be asked for.
    pub fn has_copies_to_order(&self) -> bool {
        self.is_good() && self.keepers.copies.iter().any(|order| order.stage == CopyStage::Wanted)
    }

    /// The copy that `order` asks for, made at `now`: nothing is asked of EC2 yet.
    #[must_use]
    pub fn copy_ordered(&self, order: &CopyOrder, now: Timestamp) -> Self {
        let launch = LaunchSettings {
            subnet_id: None,
            security_group_ids: Vec::new(),
            key_name: None,
            ..self.source.launch.clone()
        };
        let source =
            Source { region: order.region.clone(), zone: None, launch, ..self.source.clone() };
        let parts = self.members.iter().cloned();
        let parts = parts.map(|source| Part { source, claimed_at: None, copy: None }).collect();
        let id = self.copy_id(&order.region);
        let mut next = Self::requested(id, Origin::Copy, source, self.slot.clone(), now);
        next.name.clone_from(&self.name);
        next.description.clone_from(&self.description);
        next.tags = self.tags.clone();
        next.request = self.request.clone();
        next.started_at = Some(self.taken_at());
        next.copy_of = Some(CopyOf {
            snapshot_id: self.id.clone(),
            region: self.source.region.clone(),
            kms_key: order.kms_key.clone(),
            parts,
            is_awaited: true,
            refused_at: None,
        });
        next.ending.restore_until = self.ending.restore_until;
        next
    }

    /// The same, the copies in these regions having come so far. Nothing becomes of it by that.
    #[must_use]
    pub fn copies_at(&self, stages: &[(String, CopyStage)]) -> Self {
        let mut next = Self { version: self.version + 1, ..self.clone() };
        for order in &mut next.keepers.copies {
            if let Some((_, stage)) = stages.iter().find(|(region, _)| *region == order.region) {
                order.stage = *stage;
            }
        }
        next
    }

    /// What is to be copied, of a copy; of what was taken nothing.
    pub fn parts(&self) -> &[Part] {
        self.copy_of.as_ref().map_or(&[], |original| &original.parts)
    }

    /// Whether it is a copy that its original waits for.
    pub fn is_awaited_copy(&self) -> bool {
        self.copy_of.as_ref().is_some_and(|original| original.is_awaited)
    }

    /// Why it must stay for its copies' sake at `now`, in words; nothing if none is under way. What is deleted while it is
    /// copied makes the copy fail.
    pub fn awaited_copy(&self, now: Timestamp) -> Option<String> {
        let since = self.course.completed_at.filter(|_| self.status == Status::Available)?;
        let order = self.keepers.copies.iter().find(|order| order.stage != CopyStage::Over)?;
        (now.duration_since(since) < COPY_WITHIN)
            .then(|| format!("its copy in {} is under way; wait for its end", order.region))
    }

    /// Since when a copy waits in the queue for its turn.
    pub fn queued_at(&self) -> Timestamp {
        let refused_at = self.copy_of.as_ref().and_then(|original| original.refused_at);
        refused_at.map_or(self.created_at, |at| at.max(self.created_at))
    }

    /// Whether it is a copy that EC2 is to be asked for, or has not answered for.
    pub fn is_being_copied(&self) -> bool {
        self.copy_of.is_some() && matches!(self.status, Status::Requested | Status::Creating)
    }

    /// EC2 is about to be asked for these parts.
    pub fn parts_claimed(
        &self,
        sources: &[EbsSnapshotId],
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        self.must_be(&[Status::Requested, Status::Creating], "copied")?;
        let mut next = self.next(Status::Creating, now);
        let parts = next.copy_of.iter_mut().flat_map(|original| &mut original.parts);
        for part in parts.filter(|part| sources.contains(&part.source.ebs_snapshot_id)) {
            if !part.is_waiting() {
                return Err("it is asked for already".to_owned());
            }
            part.claimed_at = Some(now);
        }
        Ok(next)
    }

    /// What became of parts that were claimed. It is `pending` once all have begun, and failed if one was refused; what
    /// has begun by then goes with it.
    pub fn parts_answered(
        &self,
        answers: &BTreeMap<EbsSnapshotId, PartAnswer>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        self.must_be(&[Status::Requested, Status::Creating], "copied")?;
        let mut next = self.next(Status::Creating, now);
        let mut refused = None;
        let mut begun = Vec::new();
        let Some(original) = &mut next.copy_of else { return Err("it is no copy".to_owned()) };
        for part in original.parts.iter_mut().filter(|part| part.copy.is_none()) {
            match answers.get(&part.source.ebs_snapshot_id) {
                None => {}
                Some(PartAnswer::Begun(id)) => {
                    begun.push(part.member(id.clone()));
                    (part.claimed_at, part.copy) = (None, Some(id.clone()));
                }
                Some(PartAnswer::NotPermitted(failure)) => {
                    part.claimed_at = None;
                    next.course.failure = Some(failure.clone());
                    original.refused_at = Some(now);
                }
                Some(PartAnswer::NotNow(failure)) => {
                    part.claimed_at = None;
                    next.course.failure = Some(failure.clone());
                }
                Some(PartAnswer::Refused(failure)) => {
                    part.claimed_at = None;
                    refused = Some(failure.clone());
                }
            }
        }
        let all_begun = original.parts.iter().all(|part| part.copy.is_some());
        next.members.extend(begun);
        if let Some(failure) = refused {
            return Ok(Self {
                status: Status::Error,
                course: Course { failure: Some(failure), ..next.course },
                ..next
            });
        }
        if all_begun {
            return Ok(Self {
                status: Status::Pending,
                course: Course { failure: None, ..next.course },
                ..next
            });
        }
        if next.members.is_empty() && next.parts().iter().all(Part::is_waiting) {
            next.status = Status::Requested;
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
