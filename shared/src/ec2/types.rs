//! Instance types: asked once, since what a type offers never changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::errors::failed;
use super::{Ec2, convert, filter};
use crate::domain::instance::InstanceType;
use crate::error::Error;

/// How many types are asked for in one call; it is the largest page, too.
const ASKED_MAX: usize = 100;

/// The types that this process has asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownTypes(Arc<Mutex<BTreeMap<String, InstanceType>>>);

impl KnownTypes {
    /// Those of `names` that are known.
    fn of(&self, names: &[String]) -> BTreeMap<String, InstanceType> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().filter_map(|name| Some((name.clone(), known.get(name)?.clone()))).collect()
    }

    fn learn(&self, types: &BTreeMap<String, InstanceType>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(types.iter().map(|(name, kind)| (name.clone(), kind.clone())));
    }
}

impl Ec2 {
    /// What these instance types offer. A type that the region does not have is left out: asked by name instead
    /// of by filter, EC2 would refuse the whole call for it. What this process has asked for once is not asked
    /// for again.
    pub async fn instance_types(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, InstanceType>, Error> {
        let mut found = self.types.of(names);
        let mut unknown: Vec<_> =
            names.iter().filter(|name| !found.contains_key(*name)).cloned().collect();
        unknown.sort();
        unknown.dedup();
        for chunk in unknown.chunks(ASKED_MAX) {
            let answer = self
                .client
                .describe_instance_types()
                .filters(filter("instance-type", chunk.iter().cloned()))
                .max_results(100)
                .send()
                .await
                .map_err(|error| failed("DescribeInstanceTypes", error))?;
            let kinds = answer.instance_types().iter().filter_map(convert::instance_type);
            let kinds = kinds.map(|kind| (kind.name.clone(), kind)).collect();
            self.types.learn(&kinds);
            found.extend(kinds);
        }
        Ok(found)
    }
}
