//! EBS snapshots that are there already: of which instance they are, and our tags on them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;

use super::errors::{Meaning, failed, meaning};
use super::volumes::sdk_tags;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, filter};
use crate::domain::ids::{EbsSnapshotId, InstanceId, VolumeId};
use crate::domain::snapshot::Failure;
use crate::domain::tags::Tags;
use crate::error::Error;

/// The volumes that are there, each with the instance it is attached to.
pub type Attachments = BTreeMap<VolumeId, Option<InstanceId>>;

/// What became of tagging.
#[derive(Debug)]
pub enum Tagging {
    /// All bear the tags, now or before.
    Done,
    /// EC2 did nothing, and will not while things are as they are.
    Refused(Failure),
}

impl Ec2 {
    /// Every volume of the region, 1,000 a call.
    pub async fn every_volume(&self) -> Result<Attachments, Error> {
        self.attachments_where(None).await
    }

    /// Those of these volumes that are there, up to 200 a call.
    pub async fn attachments(&self, ids: &[VolumeId]) -> Result<Attachments, Error> {
        let mut found = Attachments::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let wanted = filter("volume-id", chunk.iter().map(ToString::to_string));
            found.extend(self.attachments_where(Some(vec![wanted])).await?);
        }
        Ok(found)
    }

    async fn attachments_where(&self, wanted: Option<Vec<Filter>>) -> Result<Attachments, Error> {
        let mut found = Attachments::new();
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_volumes()
                .set_filters(wanted.clone())
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeVolumes", error))?;
            found.extend(answer.volumes().iter().filter_map(|volume| {
                let mut attachments = volume.attachments().iter();
                let instance = attachments.find_map(|one| one.instance_id()?.parse().ok());
                Some((volume.volume_id()?.parse().ok()?, instance))
            }));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Puts our tags on EBS snapshots that are there already: on all of them or on none, their own stay. IAM lets nobody
    /// but the reconciler do this, and only to what bears neither ours nor Data Lifecycle Manager's nor AWS Backup's.
    pub async fn tag_adopted(&self, ids: &[EbsSnapshotId], tags: &Tags) -> Result<Tagging, Error> {
        let answer = self
            .client
            .create_tags()
            .set_resources(Some(ids.iter().map(ToString::to_string).collect()))
            .set_tags(Some(sdk_tags(&self.installation.signed(tags))))
            .send()
            .await;
        let Err(error) = answer else { return Ok(Tagging::Done) };
        match meaning(&error) {
            Meaning::NotPermitted(failure) | Meaning::Refused(failure) => {
                Ok(Tagging::Refused(failure))
            }
            Meaning::Gone(_)
            | Meaning::InUse(_)
            | Meaning::Locked(_)
            | Meaning::NotNow(_)
            | Meaning::Unknown => Err(Error::Unavailable { service: "EC2", source: error.into() }),
        }
    }
}
