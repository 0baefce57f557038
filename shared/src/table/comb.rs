//! The comb of an instance: all its snapshots, with just what the rules read of each, from one index.
//!
//! A write of a snapshot puts a short form of it beside the record, and the index `comb` holds that: a Query of a megabyte
//! has some two thousand of them. What an earlier version wrote has none, and is read whole.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::Value;

use super::client::{Range, Table};
use super::keys::{self, COMB, Index, Key};
use super::lists::{Presence, SnapshotList};
use super::record::{Item, key_of, text};
use crate::domain::cursor::Order;
use crate::domain::ids::InstanceId;
use crate::domain::snapshot::Snapshot;
use crate::error::Error;

/// How many positions one Query asks for; its megabyte ends it sooner.
const QUERY_MAX: usize = 10_000;
/// What no rule reads of a snapshot, of what it is of, and of its members.
const LEFT_OUT: [&str; 6] =
    ["description", "attempt", "failure", "attention_at", "images", "adopted_from"];
const LEFT_OUT_OF_SOURCE: [&str; 7] =
    ["instance_type", "architecture", "platform", "zone", "tags", "launch", "machine"];
const LEFT_OUT_OF_MEMBERS: [&str; 4] =
    ["device", "volume", "full_size_bytes", "restore_expires_at"];

/// The snapshots of an instance as the rules read them. They are not the records: what the rules do not read is left out, so
/// they are good for looking only.
#[derive(Clone, Debug, Default)]
pub struct Comb(Vec<Snapshot>);

impl Comb {
    /// The snapshots, in the order of their records.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.0
    }

    /// The same, to be put together with others.
    pub fn into_snapshots(self) -> Vec<Snapshot> {
        self.0
    }
}

/// Which part of a comb is wanted, by when the records were made.
#[derive(Clone, Copy, Debug, Default)]
pub struct CombBounds {
    /// At this instant or later.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

impl Table {
    /// The comb of an instance: one Query for each megabyte, whatever its snapshots are like.
    pub async fn comb(
        &self,
        instance: &InstanceId,
        presence: Presence,
        bounds: CombBounds,
    ) -> Result<Comb, Error> {
        let (_, partition) = keys::list(&SnapshotList::Of(instance.clone(), presence));
        let end = bounds.to.map(keys::instant);
        let mut range = Range {
            order: Order::OldestFirst,
            limit: QUERY_MAX,
            after: bounds.from.map(keys::instant),
            ..Range::of(Some(Index::Comb), partition)
        };
        let mut read: BTreeMap<String, Option<Snapshot>> = BTreeMap::new();
        let mut unread: BTreeMap<Key, String> = BTreeMap::new();
        loop {
            let found = self.query_items(&range).await?;
            let mut is_past = false;
            let mut last = None;
            for item in found.items {
                let Some(position) = text(&item, Index::Comb.sort()) else { continue };
                is_past = end.as_ref().is_some_and(|end| position >= *end);
                if is_past {
                    break;
                }
                let snapshot = written(&item);
                if snapshot.is_none()
                    && let Some(key) = key_of(&item)
                {
                    unread.insert(key, position.clone());
                }
                last = Some(position.clone());
                read.insert(position, snapshot);
            }
            if is_past || !found.more || last.is_none() {
                break;
            }
            range.after = last;
        }
        let keys: Vec<_> = unread.keys().cloned().collect();
        let whole: BTreeMap<Key, Snapshot> = self.get_all(&keys).await?;
        for (key, snapshot) in whole {
            if let Some(position) = unread.remove(&key) {
                read.insert(position, Some(snapshot));
            }
        }
        Ok(Comb(read.into_values().flatten().collect()))
    }
}

/// The short form of a snapshot, as its item bears it.
pub(super) fn short_form(snapshot: &Snapshot) -> Result<String, Error> {
    let failed = |source| Error::internal("writing a snapshot's short form", source);
    let mut form = serde_json::to_value(snapshot).map_err(failed)?;
    leave_out(&mut form, &LEFT_OUT);
    if let Some(tags) = form.get_mut("tags") {
        *tags = Value::Object(serde_json::Map::new());
    }
    if let Some(source) = form.get_mut("source") {
        leave_out(source, &LEFT_OUT_OF_SOURCE);
    }
    let members = form.get_mut("members").and_then(Value::as_array_mut);
    members.into_iter().flatten().for_each(|member| leave_out(member, &LEFT_OUT_OF_MEMBERS));
    serde_json::to_string(&form).map_err(failed)
}

/// Takes these fields out, and what is null: what is absent reads as that.
fn leave_out(form: &mut Value, names: &[&str]) {
    if let Some(fields) = form.as_object_mut() {
        fields.retain(|name, value| !value.is_null() && !names.contains(&name.as_str()));
    }
}

/// The snapshot as its short form has it, if the item bears one that can be read.
fn written(item: &Item) -> Option<Snapshot> {
    let form = item.get(COMB).map(AttributeValue::as_s)?.ok()?;
    serde_json::from_str(form).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Snapshot {
        serde_json::from_str(include_str!("stored_forms/snapshot.json")).unwrap()
    }

    #[test]
    fn the_short_form_reads_as_the_same_snapshot_to_the_rules() {
        let snapshot = stored();

        let read: Snapshot = serde_json::from_str(&short_form(&snapshot).unwrap()).unwrap();

        assert_eq!(read.id, snapshot.id);
        assert_eq!(read.version, snapshot.version);
        assert_eq!(read.taken_at(), snapshot.taken_at());
        assert_eq!(read.schedule_id(), snapshot.schedule_id());
        assert_eq!(read.is_good(), snapshot.is_good());
        assert_eq!(read.copied_to(), snapshot.copied_to());
        assert_eq!(short_form(&read).unwrap(), short_form(&snapshot).unwrap());
    }

    #[test]
    fn the_short_form_is_short() {
        let snapshot = stored();
        let whole = serde_json::to_string(&snapshot).unwrap().len();

        let short = short_form(&snapshot).unwrap().len();

        assert!(short * 3 < whole * 2, "{short} of {whole} bytes");
    }

    #[test]
    fn what_is_no_short_form_is_read_whole() {
        let bad = AttributeValue::S("{}".to_owned());

        assert!(written(&Item::new()).is_none());
        assert!(written(&Item::from([(COMB.to_owned(), bad)])).is_none());
    }
}
