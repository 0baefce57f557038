//! EBS snapshots: made, found, marked and deleted.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::delete_snapshot::DeleteSnapshotError;
use aws_sdk_ec2::types::{
    Filter, InstanceSpecification, LockState, LockedSnapshotsInfo, ResourceType, SnapshotInfo,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::Timestamp;

use super::errors::{Meaning, failed, image_in, meaning};
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, convert, filter};
use crate::domain::ascii;
use crate::domain::ids::{EbsSnapshotId, InstanceId, SnapshotId, VolumeId};
use crate::domain::ownership::{EbsSnapshot, EbsState};
use crate::domain::snapshot::Failure;
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::tags::{self, Tags};
use crate::error::{BoxError, Error};

/// The code by which a dry run says that nothing is in the way.
const WOULD_HAVE_SUCCEEDED: &str = "DryRunOperation";
/// How many pages of snapshots of a few volumes are looked at.
const CHAIN_PAGES_MAX: usize = 5;

/// A set that is to be made.
#[derive(Clone, Debug)]
pub struct CreateSet<'a> {
    pub instance_id: &'a InstanceId,
    /// Whether the volume it boots from is left out.
    pub exclude_boot_volume: bool,
    /// Which other volumes are.
    pub exclude_volumes: Vec<VolumeId>,
    /// What EC2's description is to say.
    pub description: String,
    /// The tags, in the call itself.
    pub tags: Tags,
}

/// What EC2 answers for one member of a new set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedMember {
    pub id: EbsSnapshotId,
    /// The volume it is of.
    pub volume_id: VolumeId,
    /// Size of the volume in GiB.
    pub size_gib: i32,
    pub state: EbsState,
    /// When EC2 began it.
    pub started_at: Option<Timestamp>,
}

/// Why a set was not made, or may have been.
#[derive(Debug)]
pub enum CreationError {
    /// EC2 did nothing, and may do it later.
    NotNow(Failure),
    /// EC2 did nothing, since our role may not; a right that is missing may be given.
    NotPermitted(Failure),
    /// EC2 did nothing, and will not.
    Refused(Failure),
    /// EC2 may have made it: look for the tag.
    Unknown(BoxError),
}

/// What became of a deletion.
#[derive(Debug)]
pub enum Deletion {
    /// It is gone, now or before.
    Gone,
    /// Something is in the way.
    Blocked(BlockedCause),
    /// EC2 did nothing, for now.
    NotNow(Failure),
    /// It may be gone: try again.
    Unknown(BoxError),
}

impl Ec2 {
    /// Makes a crash-consistent set of the volumes of an instance, in one call that is never repeated.
    pub async fn create_set(
        &self,
        set: CreateSet<'_>,
    ) -> Result<Vec<CreatedMember>, CreationError> {
        let CreateSet { instance_id, exclude_boot_volume, exclude_volumes, description, tags } =
            set;
        let excluded: Vec<_> = exclude_volumes.iter().map(ToString::to_string).collect();
        let specification = InstanceSpecification::builder()
            .instance_id(instance_id.as_str())
            .exclude_boot_volume(exclude_boot_volume)
            .set_exclude_data_volume_ids((!excluded.is_empty()).then_some(excluded))
            .build();
        let answer = self
            .creator
            .create_snapshots()
            .instance_specification(specification)
            .description(ascii::description(&description))
            .tag_specifications(self.specification(ResourceType::Snapshot, &tags))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.snapshots().iter().filter_map(created).collect()),
            Err(error) => Err(match meaning(&error) {
                Meaning::NotNow(failure) => CreationError::NotNow(failure),
                Meaning::Refused(failure)
                | Meaning::NotPermitted(failure)
                | Meaning::Gone(failure) => CreationError::Refused(failure),
                Meaning::InUse(_) | Meaning::Locked(_) | Meaning::Unknown => {
                    CreationError::Unknown(error.into())
                }
            }),
        }
    }

    /// The EBS snapshots that bear the tag of these sets, up to 200 sets a call.
    pub async fn members_by_tag(&self, sets: &[SnapshotId]) -> Result<Vec<EbsSnapshot>, Error> {
        let name = format!("tag:{}", tags::ID);
        let mut found = Vec::new();
        for chunk in sets.chunks(FILTER_VALUES_MAX) {
            let values: Vec<_> = chunk.iter().map(ToString::to_string).collect();
            found.extend(self.described(Some((&name, values))).await?);
        }
        Ok(found)
    }

    /// These EBS snapshots, up to 200 a call. What EC2 does not show is left out: asked by id instead of by
    /// filter, it would refuse the whole call for one that is gone.
    pub async fn ebs_snapshots(&self, ids: &[EbsSnapshotId]) -> Result<Vec<EbsSnapshot>, Error> {
        let mut found = Vec::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let values: Vec<_> = chunk.iter().map(ToString::to_string).collect();
            found.extend(self.described(Some(("snapshot-id", values))).await?);
        }
        Ok(found)
    }

    /// Every EBS snapshot of the account in the region, 1,000 a call.
    pub async fn every_ebs_snapshot(&self) -> Result<Vec<EbsSnapshot>, Error> {
        self.described(None).await
    }

    /// One page of a thousand of every EBS snapshot of the account in the region, and EC2's own position of the next.
    pub async fn ebs_snapshots_page(
        &self,
        token: Option<String>,
    ) -> Result<(Vec<EbsSnapshot>, Option<String>), Error> {
        self.described_page(None, token).await
    }

    /// The EBS snapshots of these volumes, at most 200, in the region, whoever of the account made them; none if there
    /// are more than 5,000. A copy is not among those of the volume that its original was taken of.
    pub async fn snapshots_of_volumes(
        &self,
        volumes: &[VolumeId],
    ) -> Result<Option<Vec<EbsSnapshot>>, Error> {
        let values = volumes.iter().take(FILTER_VALUES_MAX).map(ToString::to_string);
        let wanted = vec![filter("volume-id", values)];
        let mut found = Vec::new();
        let mut token = None;
        for _ in 0..CHAIN_PAGES_MAX {
            let (page, next) = self.described_page(Some(wanted.clone()), token).await?;
            found.extend(page);
            token = next;
            if token.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn described(
        &self,
        wanted: Option<(&str, Vec<String>)>,
    ) -> Result<Vec<EbsSnapshot>, Error> {
        let wanted = wanted.map(|(name, values)| vec![filter(name, values)]);
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let (page, next) = self.described_page(wanted.clone(), token).await?;
            found.extend(page);
            token = next;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn described_page(
        &self,
        wanted: Option<Vec<Filter>>,
        token: Option<String>,
    ) -> Result<(Vec<EbsSnapshot>, Option<String>), Error> {
        let answer = self
            .client
            .describe_snapshots()
            .owner_ids("self")
            .set_filters(wanted)
            .max_results(PAGE_MAX)
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| failed("DescribeSnapshots", error))?;
        let seen = |one| convert::ebs_snapshot(one, &self.installation);
        let found = answer.snapshots().iter().filter_map(seen).collect();
        Ok((found, answer.next_token.filter(|token| !token.is_empty())))
    }

    /// Deletes one EBS snapshot. Already gone is success.
    pub async fn delete_ebs_snapshot(&self, id: &EbsSnapshotId) -> Deletion {
        match self.creator.delete_snapshot().snapshot_id(id.as_str()).send().await {
            Ok(_) => Deletion::Gone,
            Err(error) => deletion(error),
        }
    }

    /// What refuses the deletion of an EBS snapshot, as far as a dry run tells: above all whether our role may. EC2 does
    /// nothing, and need not look at locks and images.
    pub async fn rehearse_deletion(
        &self,
        id: &EbsSnapshotId,
    ) -> Result<Option<BlockedCause>, Error> {
        let call = self.client.delete_snapshot().snapshot_id(id.as_str()).dry_run(true);
        let Err(error) = call.send().await else { return Ok(None) };
        if error.code() == Some(WOULD_HAVE_SUCCEEDED) {
            return Ok(None);
        }
        match deletion(error) {
            Deletion::Gone => Ok(None),
            Deletion::Blocked(cause) => Ok(Some(cause)),
            Deletion::NotNow(failure) => {
                Err(Error::Unavailable { service: "EC2", source: words(&failure).into() })
            }
            Deletion::Unknown(source) => Err(Error::Unavailable { service: "EC2", source }),
        }
    }

    /// Which of these EBS snapshots are locked, and so cannot be deleted, each in words with how and until when. All must
    /// be there.
    pub async fn locked(&self, ids: &[EbsSnapshotId]) -> Result<Vec<String>, Error> {
        let mut locked = Vec::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let answer = self
                .client
                .describe_locked_snapshots()
                .set_snapshot_ids(Some(chunk.iter().map(ToString::to_string).collect()))
                .send()
                .await
                .map_err(|error| failed("DescribeLockedSnapshots", error))?;
            let in_force = answer
                .snapshots()
                .iter()
                .filter(|one| one.lock_state() != Some(&LockState::Expired));
            locked.extend(in_force.map(lock_in_words));
        }
        locked.sort();
        Ok(locked)
    }
}

fn lock_in_words(info: &LockedSnapshotsInfo) -> String {
    let id = info.snapshot_id().unwrap_or_default();
    let state = info.lock_state().map_or("locked", LockState::as_str);
    match info.lock_expires_on().and_then(convert::timestamp) {
        Some(end) => format!("{id} is locked ({state}) until {end}"),
        None => format!("{id} is locked ({state})"),
    }
}

/// What an error of `DeleteSnapshot` means.
fn deletion(error: SdkError<DeleteSnapshotError, HttpResponse>) -> Deletion {
    match meaning(&error) {
        Meaning::Gone(_) => Deletion::Gone,
        Meaning::InUse(failure) => Deletion::Blocked(BlockedCause::InUse {
            image_id: image_in(&failure.message),
            message: Some(words(&failure)),
        }),
        Meaning::Locked(failure) => {
            Deletion::Blocked(BlockedCause::Locked { message: Some(words(&failure)) })
        }
        Meaning::NotPermitted(failure) => {
            Deletion::Blocked(BlockedCause::NotPermitted { message: words(&failure) })
        }
        Meaning::Refused(failure) => {
            Deletion::Blocked(BlockedCause::Refused { message: words(&failure) })
        }
        Meaning::NotNow(failure) => Deletion::NotNow(failure),
        Meaning::Unknown => Deletion::Unknown(error.into()),
    }
}

fn words(failure: &Failure) -> String {
    format!("{}: {}", failure.code, failure.message)
}

fn created(info: &SnapshotInfo) -> Option<CreatedMember> {
    Some(CreatedMember {
        id: info.snapshot_id()?.parse().ok()?,
        volume_id: info.volume_id()?.parse().ok()?,
        size_gib: info.volume_size().unwrap_or_default(),
        state: info.state().map_or(EbsState::Pending, convert::ebs_state),
        started_at: info.start_time().and_then(convert::timestamp),
    })
}
