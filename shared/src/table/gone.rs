//! The first looks at which instances were gone. One look is not believed; the record is there for the second.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::client::{Condition, Range, Table, Written};
use super::keys::{self, Key};
use super::record::Record;
use crate::domain::cursor::Order;
use crate::domain::ids::InstanceId;
use crate::error::Error;

#[derive(Serialize, Deserialize)]
struct FirstLook {
    instance_id: InstanceId,
    since: Timestamp,
}

impl Table {
    /// Since when each instance has been found gone.
    pub async fn first_looks(&self) -> Result<BTreeMap<InstanceId, Timestamp>, Error> {
        let mut all = BTreeMap::new();
        let mut after = None;
        loop {
            let range = Range {
                order: Order::OldestFirst,
                limit: 1_000,
                after,
                ..Range::of(None, keys::GONE)
            };
            let found = self.query::<FirstLook>(&range).await?;
            after = found.items.last().map(|look| look.instance_id.to_string());
            all.extend(found.items.into_iter().map(|look| (look.instance_id, look.since)));
            if !found.more || after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Since when each of these instances has been found gone.
    pub async fn first_looks_of(
        &self,
        ids: &BTreeSet<InstanceId>,
    ) -> Result<BTreeMap<InstanceId, Timestamp>, Error> {
        let keys: Vec<_> = ids.iter().map(keys::gone).collect();
        let found: BTreeMap<Key, FirstLook> = self.get_all(&keys).await?;
        Ok(found.into_values().map(|look| (look.instance_id, look.since)).collect())
    }

    /// An instance was found gone at `since`, unless an earlier look is recorded.
    pub async fn note_first_look(
        &self,
        id: &InstanceId,
        since: Timestamp,
    ) -> Result<Written, Error> {
        let body = FirstLook { instance_id: id.clone(), since };
        let record = Record {
            key: keys::gone(id),
            version: version(since),
            indexes: Vec::new(),
            body: &body,
            expires_at: None,
        };
        self.put(record, Condition::Absent).await
    }

    /// The instance shows again, or nobody asks about it any more: the look at `since` counts no longer.
    pub async fn forget_first_look(
        &self,
        id: &InstanceId,
        since: Timestamp,
    ) -> Result<Written, Error> {
        self.remove(keys::gone(id), version(since)).await
    }
}

fn version(since: Timestamp) -> u64 {
    u64::try_from(since.as_millisecond()).unwrap_or(0)
}
