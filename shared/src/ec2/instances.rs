//! Instances, their types and volumes.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Reservation;

use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, convert, filter};
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::{Instance, InstanceType, VolumeDetails};
use crate::domain::schedule::selector::{Part, Pattern, Selector};
use crate::domain::schedule::{TagMatch, Targets};
use crate::error::Error;

/// Which instances are wanted.
#[derive(Clone, Debug, Default)]
pub struct InstanceFilter {
    /// They bear all of these tags.
    pub tags: Vec<TagMatch>,
    /// Their tags are like this; what EC2 cannot ask of them, the caller must.
    pub like: Selector,
}

/// One page of instances.
#[derive(Clone, Debug)]
pub struct InstancePage {
    /// The instances.
    pub instances: Vec<Instance>,
    /// EC2's own position of the next page.
    pub next_token: Option<String>,
}

impl Ec2 {
    /// One page of instances; EC2 takes a `limit` of 5 to 1,000.
    pub async fn instances_page(
        &self,
        wanted: &InstanceFilter,
        limit: i32,
        token: Option<String>,
    ) -> Result<InstancePage, Error> {
        // The others are the caller's: EC2 has no filter for what is not borne, and allows 200 values in all.
        let like = &wanted.like.all_of;
        let filters: Vec<_> = wanted
            .tags
            .iter()
            .map(|tag| filter(format!("tag:{}", tag.key), [escaped(&tag.value)]))
            .chain(
                like.iter().map(|tag| filter(format!("tag:{}", tag.key), [wildcards(&tag.value)])),
            )
            .collect();
        let answer = self
            .client
            .describe_instances()
            .set_filters((!filters.is_empty()).then_some(filters))
            .max_results(limit.clamp(5, PAGE_MAX))
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| failed("DescribeInstances", error))?;
        let instances = answer
            .reservations()
            .iter()
            .flat_map(Reservation::instances)
            .filter_map(|instance| convert::instance(instance, &self.region))
            .collect();
        let next_token = answer.next_token.filter(|token| !token.is_empty());
        Ok(InstancePage { instances, next_token })
    }

    /// The instances of these ids, up to 200 a call. What EC2 does not have is left out.
    pub async fn instances(
        &self,
        ids: &[InstanceId],
    ) -> Result<BTreeMap<InstanceId, Instance>, Error> {
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let wanted = filter("instance-id", chunk.iter().map(ToString::to_string));
            let mut token = None;
            loop {
                let answer = self
                    .client
                    .describe_instances()
                    .filters(wanted.clone())
                    .max_results(PAGE_MAX)
                    .set_next_token(token)
                    .send()
                    .await
                    .map_err(|error| failed("DescribeInstances", error))?;
                let instances = answer.reservations().iter().flat_map(Reservation::instances);
                found.extend(
                    instances
                        .filter_map(|instance| convert::instance(instance, &self.region))
                        .map(|instance| (instance.id.clone(), instance)),
                );
                token = answer.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The instances that a schedule is for: those named, whether EC2 has them or not, and those that the tags
    /// select and that are not terminated, but for those left out. In the order of their ids, each once.
    pub async fn targets(&self, targets: &Targets) -> Result<Vec<InstanceId>, Error> {
        let mut ids = targets.instance_ids.clone();
        if !targets.tags.is_empty() {
            let wanted = InstanceFilter { like: targets.tags.clone(), ..InstanceFilter::default() };
            let mut token = None;
            loop {
                let page = self.instances_page(&wanted, PAGE_MAX, token).await?;
                let living =
                    page.instances.into_iter().filter(|one| !one.is_gone() && targets.include(one));
                ids.extend(living.map(|instance| instance.id));
                token = page.next_token;
                if token.is_none() {
                    break;
                }
            }
        }
        ids.retain(|id| !targets.exclude_instance_ids.contains(id));
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// What these instance types offer. A type that the region does not have is left out: asked by name instead
    /// of by filter, EC2 would refuse the whole call for it.
    pub async fn instance_types(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, InstanceType>, Error> {
        let mut found = BTreeMap::new();
        for chunk in names.chunks(100) {
            let answer = self
                .client
                .describe_instance_types()
                .filters(filter("instance-type", chunk.iter().cloned()))
                .max_results(100)
                .send()
                .await
                .map_err(|error| failed("DescribeInstanceTypes", error))?;
            found.extend(
                answer
                    .instance_types()
                    .iter()
                    .filter_map(convert::instance_type)
                    .map(|kind| (kind.name.clone(), kind)),
            );
        }
        Ok(found)
    }

    /// What EC2 knows of these volumes, up to 200 a call. What it does not have is left out.
    pub async fn volumes(
        &self,
        ids: &[VolumeId],
    ) -> Result<BTreeMap<VolumeId, VolumeDetails>, Error> {
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(FILTER_VALUES_MAX) {
            let answer = self
                .client
                .describe_volumes()
                .filters(filter("volume-id", chunk.iter().map(ToString::to_string)))
                .send()
                .await
                .map_err(|error| failed("DescribeVolumes", error))?;
            found.extend(
                answer
                    .volumes()
                    .iter()
                    .filter_map(convert::volume)
                    .map(|volume| (volume.id.clone(), volume)),
            );
        }
        Ok(found)
    }
}

/// A filter's value that says what a pattern says.
fn wildcards(pattern: &Pattern) -> String {
    let part = |part: Part| match part {
        Part::Star => "*".to_owned(),
        Part::Letter(letter) => escaped(letter.encode_utf8(&mut [0; 4])),
    };
    pattern.parts().into_iter().map(part).collect()
}

/// A filter's value that stands for itself: EC2 takes `*` and `?` for wildcards.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}
