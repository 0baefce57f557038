//! Adoption on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::adoption::{self, AdoptedFrom, Choice};
use shared::domain::ids::{EbsSnapshotId, InstanceId, ScheduleId, SnapshotId};
use shared::domain::snapshot::{Snapshot, Status};
use shared::operations::reconciliation::adopt;
use utoipa::ToSchema;

use super::super::wire::{Description, Name, ahead};
use super::super::words::{SnapshotStatus, wire_words};
use crate::problem::Problem;

/// EBS snapshots that are to be adopted: `ebs_snapshot_ids` or `groups`, 200 at the most.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdoptSnapshots {
    /// Each of these; those of one instance that began within a minute become one snapshot.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 200, example = json!(["snap-0123456789abcdef0"]))]
    ebs_snapshot_ids: Option<Vec<EbsSnapshotId>>,
    /// Each of these groups becomes one snapshot, whenever its members began; one that lacks a member is refused.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Vec<String>>>, max_items = 200)]
    groups: Option<Vec<Vec<EbsSnapshotId>>>,
    /// From whom they may be taken beside nobody. What another installation looks after is refused without it.
    also_from: Option<OtherOwner>,
    /// The instance they are of; unless given, what their volume is attached to, or what a tag or the description names.
    #[schema(value_type = Option<String>, example = "i-0123456789abcdef0")]
    instance_id: Option<InstanceId>,
    /// The schedule whose rules they go by from now on.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// Without a schedule: when they go by themselves; never without it.
    expires_at: Option<Timestamp>,
    /// Display name; unless given, their own, or the instance's and the time.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    name: Option<Name>,
    /// In the caller's words.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    description: Option<Description>,
}

/// From whom EBS snapshots can be taken over.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OtherOwner {
    /// From another installation of Snapkeep in the account, or from one of before installations had ids.
    AnotherInstallation,
}

impl From<OtherOwner> for AdoptedFrom {
    fn from(owner: OtherOwner) -> Self {
        match owner {
            OtherOwner::AnotherInstallation => Self::AnotherInstallation,
        }
    }
}

impl AdoptSnapshots {
    /// What the caller wants.
    pub(super) fn adoption(self, who: &str, now: Timestamp) -> Result<adopt::Adoption, Problem> {
        let Self {
            ebs_snapshot_ids,
            groups,
            also_from,
            instance_id,
            schedule_id,
            expires_at,
            name,
            description,
        } = self;
        let choice = match (ebs_snapshot_ids, groups) {
            (Some(ids), None) => Choice::Each(ids),
            (None, Some(groups)) => Choice::Groups(groups),
            (Some(_), Some(_)) | (None, None) => {
                let reason = "must be given, or groups, and not both";
                return Err(Problem::invalid("ebs_snapshot_ids", reason));
            }
        };
        expires_at.map_or(Ok(()), |at| ahead("expires_at", at, now))?;
        Ok(adopt::Adoption {
            choice,
            also_from: also_from.map_or(AdoptedFrom::Nobody, AdoptedFrom::from),
            instance_id,
            schedule_id,
            expires_at,
            name: name.map(|name| name.0),
            description: description.map(|description| description.0),
            who: who.to_owned(),
        })
    }
}

/// What became of what was chosen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Adoption {
    /// The snapshots they have become.
    adopted: Vec<AdoptedSnapshot>,
    /// What is not adopted.
    refused: Vec<RefusedAdoption>,
}

/// A snapshot made of EBS snapshots that were there already.
#[derive(Debug, Serialize, ToSchema)]
struct AdoptedSnapshot {
    /// The snapshot; `/v1/snapshots/{id}` shows all of it.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its name.
    name: String,
    /// `pending` until EC2 has our tags.
    #[schema(value_type = SnapshotStatus)]
    status: Status,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// Its EBS snapshots.
    #[schema(value_type = Vec<String>)]
    ebs_snapshot_ids: Vec<EbsSnapshotId>,
}

/// An EBS snapshot that is not adopted.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedAdoption {
    /// Which.
    #[schema(value_type = String, example = "snap-0123456789abcdef0")]
    ebs_snapshot_id: EbsSnapshotId,
    /// Why, in a word.
    reason: RefusalReason,
    /// Why, in words.
    detail: String,
}

wire_words! {
    /// Why an EBS snapshot is not adopted.
    RefusalReason of adoption::Reason {
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
}

impl Adoption {
    /// As the wire has it.
    pub(super) fn of(adopted: adopt::Adopted) -> Self {
        let adopt::Adopted { snapshots, refused } = adopted;
        Self {
            adopted: snapshots.into_iter().map(AdoptedSnapshot::of).collect(),
            refused: refused.into_iter().map(RefusedAdoption::of).collect(),
        }
    }
}

impl AdoptedSnapshot {
    fn of(snapshot: Snapshot) -> Self {
        let taken_at = snapshot.taken_at();
        Self {
            snapshot_id: snapshot.id,
            instance_id: snapshot.source.instance_id,
            name: snapshot.name,
            status: snapshot.status,
            taken_at,
            ebs_snapshot_ids: snapshot.members.into_iter().map(|one| one.ebs_snapshot_id).collect(),
        }
    }
}

impl RefusedAdoption {
    fn of(refused: adoption::Refused) -> Self {
        let adoption::Refused { ebs_snapshot_id, reason, detail } = refused;
        Self { ebs_snapshot_id, reason: reason.into(), detail }
    }
}
