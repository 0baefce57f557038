//! Images, as far as they keep EBS snapshots from being deleted.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Image;

use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, filter};
use crate::domain::ids::{EbsSnapshotId, ImageId};
use crate::error::Error;

impl Ec2 {
    /// Which EBS snapshots our account's images use. Disabled images pin theirs too, and EC2 leaves them out
    /// unless asked.
    pub async fn snapshots_in_use(&self) -> Result<BTreeMap<EbsSnapshotId, ImageId>, Error> {
        let mut used = BTreeMap::new();
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_images()
                .owners("self")
                .include_disabled(true)
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeImages", error))?;
            note(&mut used, answer.images());
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(used);
            }
        }
    }

    /// Which of these EBS snapshots our account's images use.
    pub async fn images_of(
        &self,
        ids: &[EbsSnapshotId],
    ) -> Result<BTreeMap<EbsSnapshotId, ImageId>, Error> {
        let mut used = BTreeMap::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let wanted =
                filter("block-device-mapping.snapshot-id", chunk.iter().map(ToString::to_string));
            let answer = self
                .client
                .describe_images()
                .owners("self")
                .include_disabled(true)
                .filters(wanted)
                .send()
                .await
                .map_err(|error| failed("DescribeImages", error))?;
            note(&mut used, answer.images());
        }
        Ok(used)
    }
}

/// Of several images that use one, the one of the lowest id: the same whichever EC2 names first.
fn note(used: &mut BTreeMap<EbsSnapshotId, ImageId>, images: &[Image]) {
    for (snapshot, image) in images.iter().flat_map(snapshots_of) {
        let noted = used.entry(snapshot).or_insert_with(|| image.clone());
        if image < *noted {
            *noted = image;
        }
    }
}

fn snapshots_of(image: &Image) -> Vec<(EbsSnapshotId, ImageId)> {
    let Some(id) = image.image_id().and_then(|id| id.parse::<ImageId>().ok()) else {
        return Vec::new();
    };
    image
        .block_device_mappings()
        .iter()
        .filter_map(|mapping| mapping.ebs()?.snapshot_id()?.parse().ok())
        .map(|snapshot| (snapshot, id.clone()))
        .collect()
}
