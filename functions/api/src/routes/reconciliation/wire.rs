//! Findings on the wire.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::cursor::Page;
use shared::domain::finding as domain;
use shared::domain::finding::FindingState;
use shared::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId, VolumeId};
use shared::domain::ownership::{self, EbsState};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::super::words::words;
use crate::cursor::written;

/// The schema of whose an EBS snapshot is.
#[derive(Debug)]
pub(super) struct OwnerWord;

impl PartialSchema for OwnerWord {
    fn schema() -> RefOr<Schema> {
        let owners = ownership::Owner::ALL.iter().map(|owner| owner.as_str());
        words("Whose an EBS snapshot is or seems to be.", owners)
    }
}

impl ToSchema for OwnerWord {
    fn name() -> Cow<'static, str> {
        "EbsSnapshotOwner".into()
    }
}

/// A look that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReconciliationAsked {
    /// When it was.
    requested_at: Timestamp,
}

impl ReconciliationAsked {
    /// Asked for at this instant.
    pub(super) fn at(requested_at: Timestamp) -> Self {
        Self { requested_at }
    }
}

/// What is in EC2, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reconciliation {
    /// Every region that is looked after, with its sums.
    regions: Vec<KnownRegion>,
    /// A page of EBS snapshots. There may be fewer than `limit`, even none, although more follow.
    items: Vec<FoundSnapshot>,
    /// Where the next page begins; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What is known of a region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Region)]
struct KnownRegion {
    /// The region.
    #[schema(example = "us-east-1")]
    region: String,
    /// When EC2 was like that; null before the first look.
    as_of: Option<Timestamp>,
    /// When somebody last looked, with or without success.
    looked_at: Option<Timestamp>,
    /// Why the last look did not succeed, if so: then `as_of` is older, and records of the region were left alone.
    out_of_reach: Option<String>,
    /// The sums by owner; those that have none are left out.
    owners: Vec<OwnerSums>,
    /// What records of ours have and EC2 has not.
    missing: Sums,
}

/// How many EBS snapshots there are, and of how large volumes.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
struct Sums {
    /// How many.
    count: u64,
    /// The sum of their volumes' sizes.
    size_gib: i64,
}

/// How much an owner has.
#[derive(Debug, Serialize, ToSchema)]
struct OwnerSums {
    /// Whose they are or seem to be.
    #[schema(value_type = OwnerWord)]
    owner: ownership::Owner,
    /// All of them that are there.
    all: Sums,
    /// Of these, those whose volume is gone.
    orphaned: Sums,
}

/// An EBS snapshot that is in EC2, or should be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundEbsSnapshot)]
struct FoundSnapshot {
    /// EC2's identifier.
    #[schema(value_type = String, example = "snap-0123456789abcdef0")]
    ebs_snapshot_id: EbsSnapshotId,
    /// The region.
    #[schema(example = "us-east-1")]
    region: String,
    /// Whose it is or seems to be: by our tags, the tags that others leave, and the images that use it.
    #[schema(value_type = OwnerWord)]
    owner: ownership::Owner,
    /// What it is in EC2, and whether its volume is there.
    presence: Presence,
    /// The snapshot of ours that it is a member of.
    #[schema(value_type = Option<String>, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: Option<SnapshotId>,
    /// The images that use it, disabled ones too, ten at the most.
    #[schema(value_type = Vec<String>)]
    ami_ids: Vec<ImageId>,
    /// The volume it was taken of; null for a copy, of which EC2 does not tell.
    #[schema(value_type = Option<String>, example = "vol-0123456789abcdef0")]
    volume_id: Option<VolumeId>,
    /// The instance it is of, as far as the record, the volume, a tag or the description says.
    #[schema(value_type = Option<String>, example = "i-0123456789abcdef0")]
    instance_id: Option<InstanceId>,
    /// `pending`, `completed` or `error`; of a missing one as it was.
    state: State,
    /// When EC2 began it.
    taken_at: Option<Timestamp>,
    /// With presence `missing`: since when.
    missing_since: Option<Timestamp>,
    /// Size of the volume.
    size_gib: i32,
    /// The full size of its data as EC2 reports it, not what is billed.
    full_size_bytes: Option<i64>,
    /// Its name, or the beginning of it.
    name: Option<String>,
    /// The beginning of its description, if it is not ours.
    description: Option<String>,
}

/// Whether an EBS snapshot is there, and its volume.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Presence {
    /// It is there, and so is its volume, as far as EC2 says of which it is.
    Here,
    /// It is there, and its volume is gone.
    Orphaned,
    /// A record of ours has it, and EC2 has not.
    Missing,
}

/// Where an EBS snapshot stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EbsSnapshotState)]
enum State {
    /// Being written.
    Pending,
    /// Usable.
    Completed,
    /// Failed.
    Error,
}

impl Reconciliation {
    /// What is known of these regions, that nothing is of those, and a page.
    pub(super) fn of(
        known: Vec<domain::RegionFindings>,
        unseen: Vec<String>,
        page: Page<(String, domain::Finding)>,
    ) -> Self {
        let Page { items, next_cursor } = page;
        let mut regions: Vec<_> = known.into_iter().map(KnownRegion::of).collect();
        regions.extend(unseen.into_iter().map(KnownRegion::unseen));
        regions.sort_by(|one, other| one.region.cmp(&other.region));
        Self {
            regions,
            items: items.into_iter().map(|(region, one)| FoundSnapshot::of(region, one)).collect(),
            next_cursor: next_cursor.as_ref().map(written),
        }
    }
}

impl Sums {
    fn add(&mut self, bucket: &domain::BucketPages) {
        self.count += bucket.count;
        self.size_gib += bucket.size_gib;
    }
}

impl KnownRegion {
    fn unseen(region: String) -> Self {
        Self {
            region,
            as_of: None,
            looked_at: None,
            out_of_reach: None,
            owners: Vec::new(),
            missing: Sums::default(),
        }
    }

    fn of(known: domain::RegionFindings) -> Self {
        let domain::RegionFindings { region, version: _version, found, looked_at, out_of_reach } =
            known;
        let as_of = found.as_ref().map(|found| found.as_of);
        let buckets = found.map(|found| found.buckets).unwrap_or_default();
        let mut missing = Sums::default();
        let mut owners: Vec<OwnerSums> = Vec::new();
        for bucket in &buckets {
            let domain::Bucket { owner, place } = bucket.bucket;
            if place == FindingState::Missing {
                missing.add(bucket);
                continue;
            }
            if owners.last().is_none_or(|last| last.owner != owner) {
                let (all, orphaned) = (Sums::default(), Sums::default());
                owners.push(OwnerSums { owner, all, orphaned });
            }
            let Some(sums) = owners.last_mut() else { continue };
            sums.all.add(bucket);
            match place {
                FindingState::Orphaned => sums.orphaned.add(bucket),
                FindingState::Here | FindingState::Missing => {}
            }
        }
        Self { region, as_of, looked_at: Some(looked_at), out_of_reach, owners, missing }
    }
}

impl FoundSnapshot {
    fn of(region: String, finding: domain::Finding) -> Self {
        let domain::Finding {
            ebs_snapshot_id,
            owner,
            place,
            snapshot_id,
            image_ids,
            volume_id,
            instance_id,
            state,
            started_at,
            missing_since,
            size_gib,
            full_size_bytes,
            name,
            description,
        } = finding;
        Self {
            ebs_snapshot_id,
            region,
            owner,
            presence: place.into(),
            snapshot_id,
            ami_ids: image_ids,
            volume_id,
            instance_id,
            state: state.into(),
            taken_at: started_at,
            missing_since,
            size_gib,
            full_size_bytes,
            name,
            description,
        }
    }
}

impl From<FindingState> for Presence {
    fn from(place: FindingState) -> Self {
        match place {
            FindingState::Here => Self::Here,
            FindingState::Orphaned => Self::Orphaned,
            FindingState::Missing => Self::Missing,
        }
    }
}

impl From<EbsState> for State {
    fn from(state: EbsState) -> Self {
        match state {
            EbsState::Pending => Self::Pending,
            EbsState::Completed => Self::Completed,
            EbsState::Error => Self::Error,
        }
    }
}
