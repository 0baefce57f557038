//! The way through stored findings: which pages have what is wanted, and where a reader goes on.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Bucket, Finding, FindingState, RegionFindings};
use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId, VolumeId};
use crate::domain::ownership::Owner;

/// Which findings are wanted; what is not given is not asked for.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    pub owner: Option<Owner>,
    pub region: Option<String>,
    /// Whose volume is gone, or not.
    pub orphaned: Option<bool>,
    /// Which EC2 does not show, or does.
    pub missing: Option<bool>,
    pub volume_id: Option<VolumeId>,
    /// With this text in an identifier, the name or the description.
    pub text: Option<String>,
}

impl FindingFilter {
    fn wants_bucket(&self, bucket: Bucket) -> bool {
        self.owner.is_none_or(|owner| owner == bucket.owner)
            && self.orphaned.is_none_or(|wanted| wanted == (bucket.place == FindingState::Orphaned))
            && self.missing.is_none_or(|wanted| wanted == (bucket.place == FindingState::Missing))
    }

    /// Whether a finding of a bucket that is wanted is.
    pub fn wants(&self, finding: &Finding) -> bool {
        let texts = || {
            let ids = [
                Some(finding.ebs_snapshot_id.as_str()),
                finding.volume_id.as_ref().map(VolumeId::as_str),
                finding.instance_id.as_ref().map(InstanceId::as_str),
                finding.snapshot_id.as_ref().map(SnapshotId::as_str),
                finding.name.as_deref(),
                finding.description.as_deref(),
            ];
            let images = finding.image_ids.iter().map(ImageId::as_str);
            ids.into_iter().flatten().chain(images)
        };
        let text = self.text.as_ref().map(|text| text.to_lowercase());
        self.volume_id.as_ref().is_none_or(|id| finding.volume_id.as_ref() == Some(id))
            && text.is_none_or(|text| texts().any(|one| one.to_lowercase().contains(&text)))
    }
}

/// A place in the list of all findings: right after this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingsPosition {
    pub region: String,
    pub bucket: Bucket,
    /// After this one.
    pub after: EbsSnapshotId,
}

impl fmt::Display for FindingsPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.region, self.bucket, self.after)
    }
}

impl FromStr for FindingsPosition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refusal = "is no cursor of this list; take the next_cursor of the page before";
        let parts: Vec<_> = text.split('/').collect();
        let [region, bucket, after] = parts.as_slice() else { return Err(refusal) };
        Ok(Self {
            region: (*region).to_owned(),
            bucket: bucket.parse().map_err(|()| refusal)?,
            after: after.parse().map_err(|_| refusal)?,
        })
    }
}

/// A stored page of findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageReference {
    pub region: String,
    pub run: String,
    pub bucket: Bucket,
    /// From 1 on.
    pub number: usize,
    /// Its first finding.
    pub begins: EbsSnapshotId,
}

/// The stored pages that have what is wanted after a position, in their order: regions by name, owners, places.
///
/// A position stays good when a new run has replaced the one that it was taken from.
pub fn pages_after(
    regions: &[RegionFindings],
    wanted: &FindingFilter,
    position: Option<&FindingsPosition>,
) -> Vec<PageReference> {
    let mut regions: Vec<_> = regions
        .iter()
        .filter(|one| wanted.region.as_ref().is_none_or(|region| *region == one.region))
        .collect();
    regions.sort_by(|one, other| one.region.cmp(&other.region));
    let mut pages = Vec::new();
    for (region, found) in regions.iter().filter_map(|one| Some((&one.region, one.found.as_ref()?)))
    {
        for bucket in found.buckets.iter().filter(|one| wanted.wants_bucket(one.bucket)) {
            let place = position.map(|at| (region, bucket.bucket).cmp(&(&at.region, at.bucket)));
            let first = match (place, position) {
                (Some(Ordering::Less), _) => continue,
                (Some(Ordering::Equal), Some(at)) => {
                    bucket.begins.partition_point(|begin| *begin <= at.after).max(1)
                }
                (Some(_) | None, _) => 1,
            };
            let numbered = (1..).zip(&bucket.begins).skip(first - 1);
            pages.extend(numbered.map(|(number, begins)| PageReference {
                region: region.clone(),
                run: found.run.clone(),
                bucket: bucket.bucket,
                number,
                begins: begins.clone(),
            }));
        }
    }
    pages
}
