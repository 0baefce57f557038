//! What the writes of a batch change in the numbers, until it is added to the rows together.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::statistics::Delta;

/// Of how many writes the changes wait for one another at the most: a count of all records takes what waits for lacking, and
/// then it is there twice until the next.
const WRITES_MAX: usize = 20;

/// What the writes of a batch change in the numbers. Clones gather in one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Together(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    changed: Delta,
    writes: usize,
}

impl Together {
    /// Adds what a write has changed, and comes back with all that has gathered if that is enough.
    pub(super) fn gather(&self, changed: Delta) -> Delta {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (dimension, tally) in changed {
            gathered.changed.entry(dimension).or_default().add_all(&tally);
        }
        gathered.writes += 1;
        if gathered.writes < WRITES_MAX { Delta::new() } else { gathered.taken() }
    }

    /// All that has gathered.
    pub(super) fn take(&self) -> Delta {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).taken()
    }
}

impl Gathered {
    /// All of it, but for what came and went.
    fn taken(&mut self) -> Delta {
        let Self { mut changed, writes: _writes } = std::mem::take(self);
        changed.retain(|_, tally| !tally.is_empty());
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::statistics::{Dimension, Measure, Tally};

    fn changed(region: &str, count: i64) -> Delta {
        let mut tally = Tally::default();
        tally.add(Measure::Stored, count);
        Delta::from([(Dimension::Region(region.to_owned()), tally)])
    }

    #[test]
    fn what_gathers_is_one_change_of_each_row_and_what_cancels_out_none() {
        let together = Together::default();
        let clone = together.clone();

        for (region, count) in
            [("eu-west-1", 1), ("eu-west-1", 2), ("us-east-1", 1), ("us-east-1", -1)]
        {
            assert!(clone.gather(changed(region, count)).is_empty());
        }

        assert_eq!(together.take(), changed("eu-west-1", 3));
        assert!(clone.take().is_empty());
    }

    #[test]
    fn what_twenty_writes_have_changed_waits_no_longer() {
        let together = Together::default();

        let given: Vec<_> = (0..41).map(|_| together.gather(changed("eu-west-1", 1))).collect();

        for (number, given) in given.into_iter().enumerate() {
            let wanted =
                if [19, 39].contains(&number) { changed("eu-west-1", 20) } else { Delta::new() };
            assert_eq!(given, wanted, "{number}");
        }
        assert_eq!(together.take(), changed("eu-west-1", 1));
    }
}
