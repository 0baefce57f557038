//! Images, as far as they keep EBS snapshots from being deleted.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Image};

use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, filter};
use crate::domain::ids::{EbsSnapshotId, ImageId};
use crate::domain::ownership::{EbsSnapshot, Images};
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

impl Ec2 {
    /// All of our account's images, disabled ones too, as far as they tell whose an EBS snapshot is.
    pub async fn every_image(&self) -> Result<Images, Error> {
        let mut images = Images::default();
        self.images_where(None, &mut images).await?;
        Ok(images)
    }

    /// Our account's images that use one of these EBS snapshots, or that one of them says it was made for.
    pub async fn images_about(&self, seen: &[EbsSnapshot]) -> Result<Images, Error> {
        let mut images = Images::default();
        let ids: Vec<_> = seen.iter().map(|one| one.id.to_string()).collect();
        let named: BTreeSet<_> = seen.iter().filter_map(EbsSnapshot::named_image).collect();
        let named: Vec<_> = named.iter().map(ToString::to_string).collect();
        for (name, values) in [("block-device-mapping.snapshot-id", ids), ("image-id", named)] {
            for chunk in values.chunks(FILTER_VALUES_MAX) {
                self.images_where(Some(filter(name, chunk.iter().cloned())), &mut images).await?;
            }
        }
        Ok(images)
    }

    async fn images_where(&self, wanted: Option<Filter>, into: &mut Images) -> Result<(), Error> {
        let wanted = wanted.map(|wanted| vec![wanted]);
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_images()
                .owners("self")
                .include_disabled(true)
                .set_filters(wanted.clone())
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeImages", error))?;
            let ids = answer.images().iter().filter_map(|image| image.image_id()?.parse().ok());
            into.known.extend(ids);
            for (snapshot, image) in answer.images().iter().flat_map(snapshots_of) {
                let using = into.using.entry(snapshot).or_default();
                using.push(image);
                using.sort();
                using.dedup();
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
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
