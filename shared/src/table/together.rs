//! What the writes of a batch change in the numbers, until it is added to the rows together.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::statistics::Delta;

/// What the writes of a batch change in the numbers. Clones gather in one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Together(Arc<Mutex<Delta>>);

impl Together {
    /// Adds what a write has changed.
    pub(super) fn gather(&self, changed: Delta) {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (dimension, tally) in changed {
            gathered.entry(dimension).or_default().add_all(&tally);
        }
    }

    /// All that has gathered, but for what came and went.
    pub(super) fn take(&self) -> Delta {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.retain(|_, tally| !tally.is_empty());
        std::mem::take(&mut *gathered)
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

        together.gather(changed("eu-west-1", 1));
        clone.gather(changed("eu-west-1", 2));
        together.gather(changed("us-east-1", 1));
        together.gather(changed("us-east-1", -1));

        assert_eq!(together.take(), changed("eu-west-1", 3));
        assert!(clone.take().is_empty());
    }
}
