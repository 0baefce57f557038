//! The Recycle Bin: its rules, and the snapshots in it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Tags, snapshot::Snapshot};
use crate::clock::later;

/// The tag that everything in the bin bears.
const IN_BIN: &str = "aws:recycle-bin:resource-in-bin";

/// One Region's bin.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RecycleBin {
    pub(crate) rules: Vec<RetentionRule>,
    pub(crate) snapshots: BTreeMap<String, Recycled>,
}

/// Which deleted snapshots are kept in the bin, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRule {
    tags: Vec<(String, String)>,
    excluded: Vec<(String, String)>,
    days: u32,
}

impl RetentionRule {
    /// All snapshots of the Region.
    pub fn all(days: u32) -> Self {
        Self { tags: Vec::new(), excluded: Vec::new(), days }
    }

    /// Those with this tag; with [`RetentionRule::or_tagged`] those with either.
    pub fn tagged(key: &str, value: &str, days: u32) -> Self {
        Self::all(days).or_tagged(key, value)
    }

    /// And those with this tag.
    #[must_use]
    pub fn or_tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// But none with this tag.
    #[must_use]
    pub fn excluding(mut self, key: &str, value: &str) -> Self {
        self.excluded.push((key.to_owned(), value.to_owned()));
        self
    }

    fn keeps(&self, tags: &Tags) -> bool {
        let bears = |(key, value): &(String, String)| tags.get(key) == Some(value);
        (self.tags.is_empty() || self.tags.iter().any(bears)) && !self.excluded.iter().any(bears)
    }
}

/// A deleted snapshot in the bin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recycled {
    /// As it was when it was deleted, with the tag that everything in the bin bears.
    pub snapshot: Snapshot,
    /// When it was deleted.
    pub entered_at: Timestamp,
    /// When it goes for good.
    pub exits_at: Timestamp,
}

impl RecycleBin {
    /// Takes the snapshot when a rule keeps it, for the longest time that one does; comes back
    /// with when it goes for good.
    pub(crate) fn keep(&mut self, mut snapshot: Snapshot, now: Timestamp) -> Option<Timestamp> {
        let matching = self.rules.iter().filter(|rule| rule.keeps(&snapshot.tags));
        let days = matching.map(|rule| rule.days).max()?;
        let exits_at = later(now, SignedDuration::from_hours(24 * i64::from(days)));
        snapshot.tags.insert(IN_BIN.to_owned(), "true".to_owned());
        let recycled = Recycled { snapshot, entered_at: now, exits_at };
        self.snapshots.insert(recycled.snapshot.id.clone(), recycled);
        Some(exits_at)
    }

    /// Takes the snapshot out again, as it was.
    pub(crate) fn give_back(&mut self, id: &str) -> Option<Snapshot> {
        let mut snapshot = self.snapshots.remove(id)?.snapshot;
        snapshot.tags.remove(IN_BIN);
        Some(snapshot)
    }

    /// Drops the snapshot when its time is over.
    pub(crate) fn expire(&mut self, id: &str, now: Timestamp) {
        if self.snapshots.get(id).is_some_and(|recycled| recycled.exits_at <= now) {
            self.snapshots.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(key: &str, value: &str) -> Tags {
        Tags::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_rule_keeps_what_bears_one_of_its_tags() {
        let rule = RetentionRule::tagged("a", "1", 7).or_tagged("b", "2");

        assert!(rule.keeps(&tags("a", "1")) && rule.keeps(&tags("b", "2")));
        assert!(!rule.keeps(&tags("a", "2")) && !rule.keeps(&Tags::new()));
    }

    #[test]
    fn a_rule_for_all_leaves_out_what_it_excludes() {
        let rule = RetentionRule::all(7).excluding("a", "1");

        assert!(rule.keeps(&Tags::new()) && rule.keeps(&tags("a", "2")));
        assert!(!rule.keeps(&tags("a", "1")));
    }
}
