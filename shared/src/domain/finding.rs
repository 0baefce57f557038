//! Findings: every EBS snapshot of EC2 with its owner, and each that should be there and is not.
//!
//! The findings of a region are stored in pages, a bucket of them for each owner and place, in the order of their ids.

mod reading;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId, VolumeId, digest};
use crate::domain::ownership::{EbsSnapshot, EbsState, Owner};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;
use crate::domain::words::words;

pub use self::reading::{FindingFilter, FindingsPosition, PageReference, pages_after};

/// How many findings a stored page has: some 60 KB as a rule, and never the 400 that an item may have.
pub const PAGE_FINDINGS: usize = 200;
/// How many characters of a name or a description are kept.
const TEXT_MAX: usize = 100;
/// How many of the images that use one are kept.
const IMAGES_MAX: usize = 10;

/// One EBS snapshot, there or missing. Stored by the thousand, hence the short names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// EC2's identifier.
    #[serde(rename = "e")]
    pub ebs_snapshot_id: EbsSnapshotId,
    /// Whose it is or seems to be.
    #[serde(rename = "o")]
    pub owner: Owner,
    /// Whether it is there, and its volume.
    #[serde(rename = "p")]
    pub place: FindingState,
    /// Which of our snapshots it belongs to.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<SnapshotId>,
    /// The images that use it, ten at the most.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub image_ids: Vec<ImageId>,
    /// The volume it was taken of; none for a copy.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<VolumeId>,
    /// The instance it is of, as far as the record, the volume, a tag or the description says.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    /// Where it stands in EC2, or stood.
    #[serde(rename = "t")]
    pub state: EbsState,
    /// When EC2 began it.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Since when EC2 has not shown it.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
    /// Size of the volume in GiB.
    #[serde(rename = "g")]
    pub size_gib: i32,
    /// The full size of its data in bytes as EC2 reports it, not what is billed.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub full_size_bytes: Option<i64>,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its description, if it is not ours.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

words! {
    /// Whether an EBS snapshot is there, and its volume.
    FindingState {
        /// It is there, and its volume, or nobody knows of which volume it is.
        Here => "here",
        /// It is there, and its volume is gone.
        Orphaned => "orphaned",
        /// A record of ours has it, and EC2 has not.
        Missing => "missing",
    }
}

/// Findings of one owner at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bucket {
    pub owner: Owner,
    /// Whether they are there.
    pub place: FindingState,
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.owner, self.place)
    }
}

impl FromStr for Bucket {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (owner, place) = text.split_once('#').ok_or(())?;
        let owner = owner.parse().map_err(drop)?;
        let place = place.parse().map_err(drop)?;
        Ok(Self { owner, place })
    }
}

/// What is known of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionFindings {
    pub region: String,
    /// Counts the writes.
    pub version: u64,
    /// What was found: none before the first look that succeeded.
    pub found: Option<FoundPages>,
    /// When somebody last looked, with or without success.
    pub looked_at: Timestamp,
    /// Why the last look did not succeed: then what was found is older.
    pub out_of_reach: Option<String>,
}

/// What a look at a region has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPages {
    /// The run whose pages these are: a digest of what they say.
    pub run: String,
    /// When the pages were written.
    pub written_at: Timestamp,
    /// When EC2 was like that, the last time somebody looked.
    pub as_of: Timestamp,
    /// The buckets, in their order, each once; empty ones are left out.
    pub buckets: Vec<BucketPages>,
}

/// How much a bucket has, and where its pages begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketPages {
    pub bucket: Bucket,
    pub count: u64,
    /// The sum of their volumes' sizes in GiB.
    pub size_gib: i64,
    /// The first finding of each page.
    pub begins: Vec<EbsSnapshotId>,
}

/// Findings as they are stored: buckets of pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// The pages of each bucket, none of them empty.
    pub pages: BTreeMap<Bucket, Vec<Vec<Finding>>>,
}

impl Finding {
    /// What is found of an EBS snapshot that is there.
    pub fn here(seen: &EbsSnapshot, owner: Owner, volume: VolumeStanding) -> Self {
        let short = |text: &str| {
            let text: String = text.chars().take(TEXT_MAX).collect();
            Some(text).filter(|text| !text.is_empty())
        };
        let (place, attached) = match volume {
            VolumeStanding::Here(instance) => (FindingState::Here, instance),
            VolumeStanding::Gone => (FindingState::Orphaned, None),
            VolumeStanding::Unknown => (FindingState::Here, None),
        };
        Self {
            ebs_snapshot_id: seen.id.clone(),
            owner,
            place,
            snapshot_id: seen.set(),
            image_ids: Vec::new(),
            volume_id: seen.real_volume().cloned(),
            instance_id: attached.or_else(|| seen.named_instance()),
            state: seen.state,
            started_at: Some(seen.started_at),
            missing_since: None,
            size_gib: seen.volume_size_gib,
            full_size_bytes: seen.full_size_bytes,
            name: short(seen.tags.get("Name").map_or("", String::as_str)),
            description: short(&seen.description).filter(|_| owner != Owner::Ours),
        }
    }

    /// What is found of a member that EC2 has not shown since then.
    pub fn missing(snapshot: &Snapshot, member: &Member, since: Timestamp) -> Self {
        Self {
            ebs_snapshot_id: member.ebs_snapshot_id.clone(),
            owner: Owner::Ours,
            place: FindingState::Missing,
            snapshot_id: Some(snapshot.id.clone()),
            image_ids: Vec::new(),
            volume_id: Some(member.volume_id.clone()),
            instance_id: Some(snapshot.source.instance_id.clone()),
            state: member.state,
            started_at: Some(snapshot.taken_at()),
            missing_since: Some(since),
            size_gib: member.size_gib,
            full_size_bytes: member.full_size_bytes,
            name: Some(snapshot.name.chars().take(TEXT_MAX).collect()),
            description: None,
        }
    }

    /// With the images that use it.
    #[must_use]
    pub fn used_by(self, images: &[ImageId]) -> Self {
        Self { image_ids: images.iter().take(IMAGES_MAX).cloned().collect(), ..self }
    }

    /// Where it belongs.
    pub fn bucket(&self) -> Bucket {
        Bucket { owner: self.owner, place: self.place }
    }
}

/// What is known of the volume of an EBS snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeStanding {
    /// It is there, attached to this instance.
    Here(Option<InstanceId>),
    /// It is gone.
    Gone,
    /// A copy does not say of which it is, and one that was begun a moment ago may be of a new one.
    Unknown,
}

impl Pages {
    /// These findings in their order.
    pub fn of(findings: Vec<Finding>) -> Self {
        let mut buckets: BTreeMap<Bucket, Vec<Finding>> = BTreeMap::new();
        for finding in findings {
            buckets.entry(finding.bucket()).or_default().push(finding);
        }
        let paged = |mut all: Vec<Finding>| -> Vec<Vec<Finding>> {
            all.sort_by(|one, other| one.ebs_snapshot_id.cmp(&other.ebs_snapshot_id));
            let mut left = all.into_iter();
            // Each collected anew: what is split off an array leaves it the room of all that followed.
            let page = || Some(left.by_ref().take(PAGE_FINDINGS).collect::<Vec<_>>());
            std::iter::from_fn(page).take_while(|page| !page.is_empty()).collect()
        };
        Self { pages: buckets.into_iter().map(|(bucket, all)| (bucket, paged(all))).collect() }
    }

    /// A fingerprint of what they say.
    pub fn digest(&self) -> String {
        let pages = self.pages.values().flatten();
        let parts: Vec<_> = pages.map(|page| digest(&[&format!("{page:?}")])).collect();
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        digest(&parts)
    }

    /// What they amount to.
    pub fn summary(&self) -> Vec<BucketPages> {
        let summed = |(bucket, pages): (&Bucket, &Vec<Vec<Finding>>)| BucketPages {
            bucket: *bucket,
            count: pages.iter().map(|page| page.len() as u64).sum(),
            size_gib: pages.iter().flatten().map(|one| i64::from(one.size_gib)).sum(),
            begins: pages
                .iter()
                .filter_map(|page| Some(page.first()?.ebs_snapshot_id.clone()))
                .collect(),
        };
        self.pages.iter().map(summed).collect()
    }
}

#[cfg(test)]
mod tests;
