//! Instances, their types and volumes.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Reservation};

use super::errors::failed;
use super::{Ec2, FILTER_VALUES_MAX, PAGE_MAX, convert, filter};
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::instance::{Instance, VolumeDetails};
use crate::domain::schedule::selector::Selector;
use crate::domain::schedule::{TagMatch, Targets};
use crate::domain::tags::pattern::{Part, Pattern};
use crate::error::Error;

/// How many filters one call takes, and how long a filter's texts may be
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>).
const FILTERS_MAX: usize = 50;
const FILTER_LENGTH_MAX: usize = 255;

/// Which instances are wanted.
#[derive(Clone, Debug, Default)]
pub struct InstanceFilter {
    /// They bear all of these tags.
    pub tags: Vec<TagMatch>,
    /// Their tags are like this, if it asks anything.
    pub like: Selector,
    /// They are among these, if there are any; 200 at the most.
    pub ids: Vec<InstanceId>,
}

/// One page of instances.
#[derive(Clone, Debug)]
pub struct InstancePage {
    pub instances: Vec<Instance>,
    /// EC2's own position of the next page.
    pub next_token: Option<String>,
}

/// What a schedule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundInstances {
    /// The instances, in the order of their ids, each once.
    pub ids: Vec<InstanceId>,
    /// Whether EC2 has more that nobody looked at.
    pub is_cut: bool,
}

impl Ec2 {
    /// One page of instances; EC2 takes a `limit` of 5 to 1,000.
    pub async fn instances_page(
        &self,
        wanted: &InstanceFilter,
        limit: i32,
        token: Option<String>,
    ) -> Result<InstancePage, Error> {
        let filters = wanted.filters();
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
            .filter(|instance| wanted.wants(instance))
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
        Ok(self.targets_within(targets, usize::MAX).await?.ids)
    }

    /// The same as far as so many pages of a thousand instances have them.
    pub async fn targets_within(
        &self,
        targets: &Targets,
        pages: usize,
    ) -> Result<FoundInstances, Error> {
        let mut ids = targets.instance_ids.clone();
        let mut is_cut = false;
        if !targets.tags.is_empty() {
            let wanted = InstanceFilter { like: targets.tags.clone(), ..InstanceFilter::default() };
            let mut token = None;
            for looked_at in 1.. {
                let page = self.instances_page(&wanted, PAGE_MAX, token).await?;
                let living =
                    page.instances.into_iter().filter(|one| !one.is_gone() && targets.include(one));
                ids.extend(living.map(|instance| instance.id));
                token = page.next_token;
                is_cut = token.is_some() && looked_at >= pages;
                if token.is_none() || is_cut {
                    break;
                }
            }
        }
        ids.retain(|id| !targets.exclude_instance_ids.contains(id));
        ids.sort();
        ids.dedup();
        Ok(FoundInstances { ids, is_cut })
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

impl InstanceFilter {
    /// What EC2 is asked: as much as it can be asked in one call, each tag once. It has no filter for what is not
    /// borne, nor for one tag or another.
    fn filters(&self) -> Vec<Filter> {
        let exactly = self.tags.iter().map(|tag| (&tag.key, vec![escaped(&tag.value)]));
        let all_of = self.like.all_of.iter().map(|tag| (&tag.key, vec![wildcards(&tag.value)]));
        let any_of = match self.like.any_of.as_slice() {
            [first, others @ ..] if others.iter().all(|tag| tag.key == first.key) => {
                let values = self.like.any_of.iter().map(|tag| wildcards(&tag.value)).collect();
                Some((&first.key, values))
            }
            _ => None,
        };
        let can_be_asked = |name: &str, values: &[String]| {
            let is_short = |text: &str| (1..=FILTER_LENGTH_MAX).contains(&text.chars().count());
            is_short(name) && values.iter().all(|value| is_short(value))
        };
        let room = FILTERS_MAX - usize::from(!self.ids.is_empty());
        // The values of all filters together: where ids take most of them, a tag is looked for in the answer.
        let mut left = FILTER_VALUES_MAX.saturating_sub(self.ids.len());
        let mut filters = BTreeMap::new();
        for (key, values) in exactly.chain(all_of).chain(any_of) {
            let name = format!("tag:{key}");
            let fits = filters.len() < room && values.len() <= left;
            if fits && can_be_asked(&name, &values) && !filters.contains_key(&name) {
                left -= values.len();
                filters.insert(name, values);
            }
        }
        let ids = self.ids.iter().map(ToString::to_string).take(FILTER_VALUES_MAX);
        let ids = (!self.ids.is_empty()).then(|| filter("instance-id", ids));
        let tags = filters.into_iter().map(|(name, values)| filter(name, values));
        tags.chain(ids).collect()
    }

    /// Whether an instance is as asked, whatever EC2 was asked.
    fn wants(&self, instance: &Instance) -> bool {
        let is_borne = |tag: &TagMatch| instance.tags.get(&tag.key) == Some(&tag.value);
        self.tags.iter().all(is_borne)
            && (self.like.is_empty() || self.like.selects(&instance.tags))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `name = value | value`, one a line.
    fn asked(like: &str) -> String {
        let like = serde_json::from_str(like).unwrap();
        let filters = InstanceFilter { like, ..InstanceFilter::default() }.filters();
        let lines = filters.iter().map(|filter| {
            format!("{} = {}", filter.name().unwrap_or_default(), filter.values().join(" | "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn many(count: usize) -> String {
        let tags = (0..count).map(|n| format!(r#"{{"key": "k{n:03}", "value": "v"}}"#));
        tags.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn ec2_is_asked_for_what_must_be_borne() {
        let like = r#"{
            "all_of": [{"key": "Env", "value": "prod*"}, {"key": "Name", "value": "\\*what?"}],
            "any_of": [{"key": "Tier", "value": "1"}, {"key": "Tier", "value": "2*"}],
            "none_of": [{"key": "Backup", "value": "no"}]
        }"#;

        assert_eq!(asked(like), "tag:Env = prod*\ntag:Name = \\*what\\?\ntag:Tier = 1 | 2*");
    }

    #[test]
    fn ec2_is_not_asked_for_one_tag_or_another() {
        let like =
            r#"{"any_of": [{"key": "Tier", "value": "1"}, {"key": "Env", "value": "prod"}]}"#;

        assert_eq!(asked(like), "");
    }

    #[test]
    fn a_tag_that_must_be_like_two_things_is_asked_for_once() {
        let like = r#"{"all_of": [{"key": "a", "value": "x*"}, {"key": "a", "value": "*y"}]}"#;

        assert_eq!(asked(like), "tag:a = x*");
    }

    // github.com/gjbae1212/gossm/issues/47: a call has 200 values, in whatever filters.
    #[test]
    fn beside_two_hundred_ids_ec2_is_asked_for_no_tag() {
        let like: Selector =
            serde_json::from_str(r#"{"all_of": [{"key": "a", "value": "x"}]}"#).unwrap();
        let id = |number| format!("i-{number:017x}").parse().unwrap();
        let asked = |count: u32| {
            let ids = (0..count).map(id).collect();
            let filters = InstanceFilter { like: like.clone(), ids, ..InstanceFilter::default() };
            filters.filters().iter().map(|filter| filter.values().len()).sum::<usize>()
        };

        assert_eq!((asked(199), asked(200)), (200, 200));
    }

    #[test]
    fn ids_are_one_filter_among_fifty() {
        let like = serde_json::from_str(&format!(r#"{{"all_of": [{}]}}"#, many(60))).unwrap();
        let ids = vec!["i-0123456789abcdef0".parse().unwrap()];

        let filters = InstanceFilter { like, ids, ..InstanceFilter::default() }.filters();

        assert_eq!(filters.len(), 50);
        assert_eq!(filters.last().and_then(Filter::name), Some("instance-id"));
    }

    #[test]
    fn ec2_is_asked_no_more_than_it_takes() {
        let long = "?".repeat(200);

        assert_eq!(asked(&format!(r#"{{"all_of": [{}]}}"#, many(51))).lines().count(), 50);
        assert_eq!(asked(&format!(r#"{{"all_of": [{{"key": "a", "value": "{long}"}}]}}"#)), "");
        assert_eq!(asked(r#"{"all_of": [{"key": "a", "value": ""}]}"#), "");
    }
}
