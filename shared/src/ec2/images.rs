//! Images, as far as they keep EBS snapshots from being deleted, and tell whose one is.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Image};

use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, filter};
use crate::domain::ids::{EbsSnapshotId, ImageId};
use crate::domain::ownership::{EbsSnapshot, Images};
use crate::error::Error;

impl Ec2 {
    /// Which images use each EBS snapshot that any of our account's images uses.
    pub async fn image_uses(&self) -> Result<BTreeMap<EbsSnapshotId, BTreeSet<ImageId>>, Error> {
        let mut uses: BTreeMap<_, BTreeSet<ImageId>> = BTreeMap::new();
        self.each_own_image(None, |image| {
            for (snapshot, image) in snapshots_of(image) {
                uses.entry(snapshot).or_default().insert(image);
            }
        })
        .await?;
        Ok(uses)
    }

    /// Which of these EBS snapshots our account's images use, and all images that do.
    pub async fn images_of(
        &self,
        ids: &[EbsSnapshotId],
    ) -> Result<BTreeMap<EbsSnapshotId, BTreeSet<ImageId>>, Error> {
        let mut used: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let wanted =
                filter("block-device-mapping.snapshot-id", chunk.iter().map(ToString::to_string));
            self.each_own_image(Some(wanted), |image| {
                for (snapshot, image) in snapshots_of(image) {
                    used.entry(snapshot).or_default().insert(image);
                }
            })
            .await?;
        }
        Ok(used)
    }

    /// All of our account's images, as far as they tell whose an EBS snapshot is.
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
        self.each_own_image(wanted, |image| {
            into.known.extend(image.image_id().and_then(|id| id.parse().ok()));
            for (snapshot, image) in snapshots_of(image) {
                let using = into.using.entry(snapshot).or_default();
                using.push(image);
                using.sort();
                using.dedup();
            }
        })
        .await
    }

    /// Looks at each of our account's images that fit. Disabled ones pin their EBS snapshots too, and EC2 leaves them
    /// out unless asked.
    pub(super) async fn each_own_image(
        &self,
        wanted: Option<Filter>,
        mut look: impl FnMut(&Image),
    ) -> Result<(), Error> {
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
            answer.images().iter().for_each(&mut look);
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
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
