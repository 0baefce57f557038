//! Objects by id, together with the shape they had a moment ago.
//!
//! Changing calls see and change the present; Describe sees what was true a lag ago.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::later;

/// When something happens, and how long Describe does not see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) lag: SignedDuration,
}

impl Moment {
    /// The same lag at another time.
    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { now, lag: self.lag }
    }
}

/// Objects of one kind in one Region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shelf<T> {
    entries: BTreeMap<String, Entry<T>>,
    /// What was removed and may be forgotten from then on.
    fading: BTreeMap<Timestamp, Vec<String>>,
    /// How much longer than a moment says Describe shows them as they were.
    #[serde(skip)]
    further: SignedDuration,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry<T> {
    current: Option<T>,
    former: Vec<Former<T>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Former<T> {
    /// Describe shows it before this time.
    until: Timestamp,
    value: Option<T>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        let further = SignedDuration::ZERO;
        Self { entries: BTreeMap::new(), fading: BTreeMap::new(), further }
    }
}

impl<T: Clone> Shelf<T> {
    /// From now on Describe shows changes by so much later than other Describes do.
    pub(crate) fn lags_further(&mut self, further: SignedDuration) {
        self.further = further;
    }

    /// A moment as it is here.
    fn here(&self, moment: Moment) -> Moment {
        Moment { lag: moment.lag.saturating_add(self.further), ..moment }
    }

    /// The object as it is now.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.entries.get(id)?.current.as_ref()
    }

    /// All objects as they are now.
    pub(crate) fn current(&self) -> impl Iterator<Item = &T> {
        self.entries.values().filter_map(|entry| entry.current.as_ref())
    }

    /// Puts an object there that Describe does not show before the lag is over.
    pub(crate) fn insert(&mut self, id: &str, value: T, moment: Moment) {
        let entry = self
            .entries
            .entry(id.to_owned())
            .or_insert_with(|| Entry { current: None, former: Vec::new() });
        entry.remember(moment);
        entry.current = Some(value);
    }

    /// Changes the object, when there is one; Describe shows it as it was for the lag.
    pub(crate) fn change(&mut self, id: &str, moment: Moment, change: impl FnOnce(&mut T)) {
        let moment = self.here(moment);
        let Some(entry) = self.entries.get_mut(id) else { return };
        if entry.current.is_none() {
            return;
        }
        entry.remember(moment);
        if let Some(value) = entry.current.as_mut() {
            change(value);
        }
    }

    /// Changes what Describe does not show, so that there is no former shape to keep.
    pub(crate) fn note(&mut self, id: &str, change: impl FnOnce(&mut T)) {
        if let Some(value) = self.entries.get_mut(id).and_then(|entry| entry.current.as_mut()) {
            change(value);
        }
    }

    /// Takes the object away; Describe shows it for the lag.
    pub(crate) fn remove(&mut self, id: &str, moment: Moment) -> Option<T> {
        let moment = self.here(moment);
        let entry = self.entries.get_mut(id)?;
        entry.remember(moment);
        let removed = entry.current.take();
        if entry.former.is_empty() {
            self.entries.remove(id);
        } else {
            let faded = later(moment.now, moment.lag);
            self.fading.entry(faded).or_default().push(id.to_owned());
        }
        removed
    }

    /// Takes the object away at once, from Describe as well.
    pub(crate) fn forget(&mut self, id: &str) -> Option<T> {
        self.entries.remove(id)?.current
    }

    /// Drops removed objects that Describe no longer shows.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        while let Some(first) = self.fading.first_entry()
            && *first.key() <= now
        {
            for id in first.remove() {
                if self.entries.get(&id).is_some_and(|entry| entry.current.is_none()) {
                    self.entries.remove(&id);
                }
            }
        }
    }

    /// The object as Describe shows it.
    pub(crate) fn seen(&self, id: &str, now: Timestamp) -> Option<&T> {
        self.entries.get(id)?.seen(now)
    }

    /// All objects as Describe shows them, by id, those after `after` only.
    pub(crate) fn seen_after<'a>(
        &'a self,
        after: Option<&str>,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a str, &'a T)> {
        let start = match after {
            Some(id) => std::ops::Bound::Excluded(id.to_owned()),
            None => std::ops::Bound::Unbounded,
        };
        self.entries
            .range((start, std::ops::Bound::Unbounded))
            .filter_map(move |(id, entry)| Some((id.as_str(), entry.seen(now)?)))
    }
}

impl<T: Clone> Entry<T> {
    fn remember(&mut self, moment: Moment) {
        self.former.retain(|former| former.until > moment.now);
        if moment.lag > SignedDuration::ZERO {
            let until = later(moment.now, moment.lag);
            self.former.push(Former { until, value: self.current.clone() });
        }
    }

    fn seen(&self, now: Timestamp) -> Option<&T> {
        // The oldest that is still shown: each later one is of a later change.
        match self.former.iter().find(|former| former.until > now) {
            Some(former) => former.value.as_ref(),
            None => self.current.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(second, 0).unwrap()
    }

    fn moment(second: i64) -> Moment {
        Moment { now: at(second), lag: SignedDuration::from_secs(10) }
    }

    #[test]
    fn a_new_object_is_seen_after_the_lag_and_got_at_once() {
        let mut shelf = Shelf::default();

        shelf.insert("a", 1, moment(0));

        assert_eq!(shelf.get("a"), Some(&1));
        assert_eq!(shelf.seen("a", at(9)), None);
        assert_eq!(shelf.seen("a", at(10)), Some(&1));
    }

    #[test]
    fn two_changes_are_seen_one_after_the_other() {
        let mut shelf = Shelf::default();
        shelf.insert("a", 1, moment(0));

        shelf.change("a", moment(20), |value| *value = 2);
        shelf.change("a", moment(25), |value| *value = 3);

        let seen: Vec<_> = [29, 30, 34, 35].map(|s| shelf.seen("a", at(s)).copied()).into();
        assert_eq!(seen, [Some(1), Some(2), Some(2), Some(3)]);
    }

    #[test]
    fn a_removed_object_is_seen_for_the_lag_and_then_swept() {
        let mut shelf = Shelf::default();
        shelf.insert("a", 1, moment(0));

        shelf.remove("a", moment(20));

        assert_eq!(shelf.get("a"), None);
        assert_eq!(shelf.seen("a", at(29)), Some(&1));
        assert_eq!(shelf.seen("a", at(30)), None);
        shelf.sweep(at(30));
        assert!(shelf.entries.is_empty());
    }

    #[test]
    fn without_a_lag_nothing_is_kept() {
        let now = Moment { now: at(0), lag: SignedDuration::ZERO };
        let mut shelf = Shelf::default();

        shelf.insert("a", 1, now);
        shelf.change("a", now, |value| *value = 2);
        assert_eq!(shelf.seen("a", at(0)), Some(&2));
        shelf.remove("a", now);

        assert!(shelf.entries.is_empty());
    }
}
