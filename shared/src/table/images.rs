//! Images in the table.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::client::{Condition, Range, Table, Written};
use super::keys::{self, DueKind, Index, Key};
use super::record::Record;
use crate::domain::audit::entries_of_image;
use crate::domain::cursor::Order;
use crate::domain::ids::{ImageJobId, InstanceId};
use crate::domain::image::{Image, ImageStatus};
use crate::error::Error;

/// How long the record of an image that is gone is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A part of a list of images.
#[derive(Clone, Debug)]
pub struct ImageSlice {
    /// Of this instance; of all without it.
    pub instance_id: Option<InstanceId>,
    pub order: Order,
    /// At most so many.
    pub limit: usize,
    /// After this position.
    pub after: Option<String>,
}

impl Table {
    /// The image of this id, as it is at this moment.
    pub async fn image(&self, id: &ImageJobId) -> Result<Option<Image>, Error> {
        self.get(keys::images::image(id)).await
    }

    /// The images of these ids, as they are at this moment. What is not there is left out.
    pub async fn images(
        &self,
        ids: impl IntoIterator<Item = &ImageJobId>,
    ) -> Result<BTreeMap<ImageJobId, Image>, Error> {
        let mut wanted: Vec<_> = ids.into_iter().map(keys::images::image).collect();
        wanted.sort();
        wanted.dedup();
        let found: BTreeMap<Key, Image> = self.get_all(&wanted).await?;
        Ok(found.into_values().map(|image| (image.id.clone(), image)).collect())
    }

    /// Puts an image of which there is no record yet.
    pub async fn insert_image(&self, image: &Image, now: Timestamp) -> Result<Written, Error> {
        let entries = entries_of_image(None, image, now);
        self.put_with_entries(record(image, now), Condition::Absent, &entries).await
    }

    /// Puts `new`, if the record still is as `old` was read.
    pub async fn update_image(
        &self,
        old: &Image,
        new: &Image,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let entries = entries_of_image(Some(old), new, now);
        let condition = Condition::Version(old.version);
        self.put_with_entries(record(new, now), condition, &entries).await
    }

    /// A part of a list with the positions of its images, and whether there may be more behind.
    pub async fn list_images(
        &self,
        slice: &ImageSlice,
    ) -> Result<(Vec<(String, Image)>, bool), Error> {
        let (index, partition) = match &slice.instance_id {
            Some(id) => (Some(Index::Instance), keys::images::of_instance(id)),
            None => (None, keys::images::IMAGES.to_owned()),
        };
        let range = Range {
            order: slice.order,
            limit: slice.limit,
            after: slice.after.clone(),
            ..Range::of(index, partition)
        };
        if index.is_none() {
            let found = self.query::<Image>(&range).await?;
            let items = found.items.into_iter().map(|image| (image.id.to_string(), image));
            return Ok((items.collect(), found.more));
        }
        let found = self.query_positions(&range).await?;
        let keys: Vec<_> = found.items.iter().map(|position| position.key.clone()).collect();
        let mut images: BTreeMap<Key, Image> = self.get_all(&keys).await?;
        let items = found
            .items
            .into_iter()
            .filter_map(|position| Some((position.sort, images.remove(&position.key)?)));
        Ok((items.collect(), found.more))
    }

    /// The ids of at most `limit` images that the tick is to look at by `now`, the longest due first.
    pub async fn due_images(&self, now: Timestamp, limit: usize) -> Result<Vec<ImageJobId>, Error> {
        let positions = self.due_positions(DueKind::Image, now, limit).await?;
        Ok(positions.iter().filter_map(|position| position.key.sk.parse().ok()).collect())
    }
}

fn record(image: &Image, now: Timestamp) -> Record<'_, Image> {
    let is_over = match image.status {
        ImageStatus::Deregistered | ImageStatus::Missing => true,
        // What EC2 has of a failed one is there until somebody deregisters it.
        ImageStatus::Failed => image.ami_id.is_none(),
        ImageStatus::Requested
        | ImageStatus::Registering
        | ImageStatus::Available
        | ImageStatus::Deregistering => false,
    };
    let kept_until = now.as_second().saturating_add(KEPT.as_secs());
    Record {
        key: keys::images::image(&image.id),
        version: image.version,
        indexes: keys::images::of_image(image),
        body: image,
        expires_at: is_over.then_some(kept_until),
    }
}
