//! The comb of an instance: all its snapshots, with just what the rules read of each, from one index.
//!
//! A write of a snapshot puts a short form of it beside the record, and the index `comb` holds that: a Query of a megabyte
//! has some two thousand of them. What is on its way has none, since each step would write it anew, and what an earlier
//! version wrote has none, or another: those are read whole.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use super::client::{IndexEntry, Range, Table};
use super::keys::{self, COMB, Index, Key};
use super::lists::{Presence, SnapshotList};
use super::record::{Item, key_of, text};
use super::resolved::Resolved;
use crate::domain::cursor::Order;
use crate::domain::ids::InstanceId;
use crate::domain::snapshot::{Extent, Request, Snapshot, Status};
use crate::domain::statistics::{Dimension, DimensionKind};
use crate::error::Error;

/// How many positions one Query asks for; its megabyte ends it sooner.
const QUERY_MAX: usize = 10_000;
/// How many combs are read at once where all are.
const READS_MAX: usize = 8;
/// What a short form begins with. One of another version is not read: it may lack what the rules read by now.
const FORM: char = '2';
/// What no rule reads of a snapshot, of what it is of, and of its members.
const LEFT_OUT: [&str; 5] = ["description", "attempt", "failure", "attention_at", "adopted_from"];
const LEFT_OUT_OF_SOURCE: [&str; 7] =
    ["instance_type", "architecture", "platform", "zone", "tags", "launch", "machine"];
const LEFT_OUT_OF_MEMBERS: [&str; 4] =
    ["volume", "full_size_bytes", "restore_expires_at", "progress_percent"];

/// The snapshots of an instance as the rules read them. They are not the records: what the rules do not read is left out, so
/// they are good for judging only, and the table takes no write of them.
#[derive(Clone, Debug, Default)]
pub struct Comb {
    snapshots: Vec<Snapshot>,
    unreadable: Vec<String>,
}

impl Comb {
    /// The snapshots, in the order of their records. What cannot be read is left out.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// The same, to be put together with others.
    pub fn into_snapshots(self) -> Vec<Snapshot> {
        self.snapshots
    }

    /// The same, and the ids of those that cannot be read.
    pub fn into_parts(self) -> (Vec<Snapshot>, Vec<String>) {
        (self.snapshots, self.unreadable)
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
        let mut unread: Vec<IndexEntry> = Vec::new();
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
                    unread.push(IndexEntry { key, sort: position.clone() });
                }
                last = Some(position.clone());
                read.insert(position, snapshot);
            }
            if is_past || !found.more || last.is_none() {
                break;
            }
            range.after = last;
        }
        let Resolved { snapshots, unreadable } = self.resolve_each(unread).await?;
        read.extend(snapshots.into_iter().map(|(position, snapshot)| (position, Some(snapshot))));
        Ok(Comb { snapshots: read.into_values().flatten().collect(), unreadable })
    }

    /// All snapshots that lists show, oldest first: the combs of all instances that are known to have any. What is in none of
    /// them is read whole.
    pub async fn every_comb(&self) -> Result<Comb, Error> {
        let (_, all) = keys::list(&SnapshotList::All(Presence::Here));
        let listed = self.every_position(Index::All, all).await?;
        let mut by_key = self.combs_by_key().await?;
        let lacking: Vec<_> =
            listed.iter().filter(|one| !by_key.contains_key(&one.key)).cloned().collect();
        let Resolved { snapshots, unreadable } = self.resolve_each(lacking).await?;
        let found = snapshots.into_iter().map(|(_, one)| (keys::snapshot(&one.id), one));
        by_key.extend(found);
        let in_order = listed.iter().filter_map(|one| by_key.remove(&one.key));
        Ok(Comb { snapshots: in_order.collect(), unreadable })
    }

    /// Where everything in a partition of an index is, in its order.
    async fn every_position(
        &self,
        index: Index,
        partition: String,
    ) -> Result<Vec<IndexEntry>, Error> {
        let mut range = Range {
            order: Order::OldestFirst,
            limit: QUERY_MAX,
            ..Range::of(Some(index), partition)
        };
        let mut all = Vec::new();
        loop {
            let found = self.query_positions(&range).await?;
            range.after = found.items.last().map(|one| one.sort.clone());
            all.extend(found.items);
            if !found.more || range.after.is_none() {
                return Ok(all);
            }
        }
    }

    /// The combs of all instances that have numbers, a few at once. One that has none yet is not among them.
    async fn combs_by_key(&self) -> Result<BTreeMap<Key, Snapshot>, Error> {
        let rows = self.every_row(DimensionKind::Instance).await?;
        let instances: BTreeSet<_> = rows
            .into_iter()
            .filter_map(|row| match row.dimension {
                Dimension::Instance(id, _) => Some(id),
                Dimension::Region(_) | Dimension::Schedule(..) | Dimension::Day(..) => None,
            })
            .collect();
        let mut instances = instances.into_iter();
        let mut reads = JoinSet::new();
        let mut by_key = BTreeMap::new();
        loop {
            while reads.len() < READS_MAX
                && let Some(instance) = instances.next()
            {
                let table = self.clone();
                reads.spawn(async move {
                    table.comb(&instance, Presence::Here, CombBounds::default()).await
                });
            }
            let Some(read) = reads.join_next().await else { return Ok(by_key) };
            let comb = read.map_err(|source| Error::internal("reading combs", source))??;
            let by_id = comb.snapshots.into_iter().map(|one| (keys::snapshot(&one.id), one));
            by_key.extend(by_id);
        }
    }
}

/// The short form of a snapshot, as its item bears it in the attribute [`COMB`]; none of what is on its way.
pub fn short_form(snapshot: &Snapshot) -> Result<Option<String>, Error> {
    if is_on_its_way(snapshot.status) {
        return Ok(None);
    }
    let failed = |source| Error::internal("writing a snapshot's short form", source);
    let mut form = serde_json::to_value(snapshot).map_err(failed)?;
    leave_out(&mut form, &LEFT_OUT);
    if let Some(fields) = form.as_object_mut() {
        fields.remove("tags");
        if snapshot.request == Request::default() {
            fields.remove("request");
        }
    }
    if let Some(source) = form.get_mut("source") {
        leave_out(source, &LEFT_OUT_OF_SOURCE);
    }
    let members = form.get_mut("members").and_then(Value::as_array_mut);
    members.into_iter().flatten().for_each(|member| leave_out(member, &LEFT_OUT_OF_MEMBERS));
    Ok(Some(format!("{FORM}{form}")))
}

/// Whether a snapshot stands where none stays for long.
fn is_on_its_way(status: Status) -> bool {
    match status {
        Status::Requested
        | Status::Creating
        | Status::Pending
        | Status::Condemned
        | Status::Deleting => true,
        Status::Available | Status::Error | Status::Deleted | Status::Missing => false,
    }
}

/// Takes these fields out, and what says nothing: what is absent reads as that.
fn leave_out(form: &mut Value, names: &[&str]) {
    if let Some(fields) = form.as_object_mut() {
        fields.retain(|name, value| !says_nothing(value) && !names.contains(&name.as_str()));
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The snapshot as its short form has it, if the item bears one that can be read.
fn written(item: &Item) -> Option<Snapshot> {
    let form = item.get(COMB).map(AttributeValue::as_s)?.ok()?;
    let read: Snapshot = serde_json::from_str(form.strip_prefix(FORM)?).ok()?;
    Some(Snapshot { extent: Extent::Short, ..read })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Snapshot {
        let read = serde_json::from_str(include_str!("stored_forms/snapshot.json")).unwrap();
        Snapshot { status: Status::Available, ..read }
    }

    fn short_form(snapshot: &Snapshot) -> String {
        super::short_form(snapshot).unwrap().unwrap()
    }

    fn bearing(form: &str) -> Item {
        Item::from([(COMB.to_owned(), AttributeValue::S(form.to_owned()))])
    }

    #[test]
    fn the_short_form_reads_as_the_same_snapshot_to_the_rules() {
        let snapshot = stored();

        let read = written(&bearing(&short_form(&snapshot))).unwrap();

        assert_eq!(read.extent, Extent::Short);
        assert_eq!(read.id, snapshot.id);
        assert_eq!(read.version, snapshot.version);
        assert_eq!(read.taken_at(), snapshot.taken_at());
        assert_eq!(read.schedule_id(), snapshot.schedule_id());
        assert_eq!(read.is_good(), snapshot.is_good());
        assert_eq!(read.copied_to(), snapshot.copied_to());
        assert_eq!(read.keepers, snapshot.keepers);
        assert_eq!(read.ending, snapshot.ending);
        let devices = |one: &Snapshot| -> Vec<_> {
            one.members.iter().map(|member| member.device.clone()).collect()
        };
        assert_eq!(devices(&read), devices(&snapshot));
        assert_eq!(short_form(&read), short_form(&snapshot));
    }

    #[test]
    fn what_is_on_its_way_has_no_short_form() {
        for status in Status::ALL {
            let snapshot = Snapshot { status: *status, ..stored() };

            let has_one = super::short_form(&snapshot).unwrap().is_some();

            let stays = ["available", "error", "deleted", "missing"].contains(&status.as_str());
            assert_eq!(has_one, stays, "{status}");
        }
    }

    #[test]
    fn what_says_nothing_reads_as_it_was() {
        let mut snapshot = Snapshot { copy_of: None, request: Request::default(), ..stored() };
        for member in &mut snapshot.members {
            member.boot = false;
        }
        snapshot.keepers.restores.clear();

        let form = short_form(&snapshot);
        let read = written(&bearing(&form)).unwrap();

        assert!(!form.contains("request") && !form.contains("boot") && !form.contains("[]"));
        assert_eq!((&read.request, &read.keepers), (&snapshot.request, &snapshot.keepers));
        assert!(read.members.iter().all(|member| !member.boot));
    }

    #[test]
    fn the_short_form_is_short() {
        let snapshot = stored();
        let whole = serde_json::to_string(&snapshot).unwrap().len();

        let short = short_form(&snapshot).len();

        assert!(short * 4 < whole * 3, "{short} of {whole} bytes");
    }

    #[test]
    fn what_is_no_short_form_of_this_version_is_read_whole() {
        let form = short_form(&stored());

        assert!(written(&Item::new()).is_none());
        assert!(written(&bearing("2{}")).is_none());
        assert!(written(&bearing(&form)).is_some());
        // As the first version wrote it, and as one to come may.
        assert!(written(&bearing(&form[1..])).is_none());
        assert!(written(&bearing(&format!("3{}", &form[1..]))).is_none());
    }
}
