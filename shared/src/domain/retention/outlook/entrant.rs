//! The rank of each snapshot now, under each kind of period.

use std::{cmp::Reverse, collections::BTreeMap};

use super::Candidate;
use crate::domain::{
    retention::{Rules, period::Period},
    schedule::zone::Zone,
};

/// A candidate among the others.
#[derive(Debug)]
pub(super) struct RankedCandidate {
    /// Where it was in the input.
    pub(super) position: usize,
    pub(super) candidate: Candidate,
    pub(super) place: PeriodPlace,
    /// For the kinds of period that there are rules of.
    pub(super) standings: BTreeMap<Period, PeriodRank>,
}

/// Whether the next fire can be in a candidate's own period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeriodPlace {
    Newest,
    Older,
}

/// How a candidate stands now under the rules of one kind of period.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeriodRank {
    /// How many periods the newer ones are in, its own included if one of them is.
    pub(super) newer_periods: usize,
    /// Whether a newer one is in its own period.
    pub(super) is_surpassed: bool,
}

/// The candidates, newest first.
pub(super) fn newest_first(
    rules: &Rules,
    candidates: &[Candidate],
    zone: &Zone,
) -> Vec<RankedCandidate> {
    let mut newest_first: Vec<_> = candidates.iter().copied().enumerate().collect();
    newest_first.sort_by_key(|(_, candidate)| Reverse(candidate.taken_at));
    let periods = rules.counts.keys().chain(rules.within.keys());
    let mut walks: BTreeMap<Period, Walk> =
        periods.map(|&period| (period, Walk::default())).collect();
    let places = std::iter::once(PeriodPlace::Newest).chain(std::iter::repeat(PeriodPlace::Older));
    newest_first
        .into_iter()
        .zip(places)
        .map(|((position, candidate), place)| {
            let standing = |(&period, walk): (&Period, &mut Walk)| {
                (period, walk.pass(period, period.key_at(candidate.taken_at, zone)))
            };
            let standings = walks.iter_mut().map(standing).collect();
            RankedCandidate { position, candidate, place, standings }
        })
        .collect()
}

/// What a rule without limit has kept on its way from the newest to the oldest.
#[derive(Default)]
struct Walk {
    kept: usize,
    last_key: Option<i64>,
}

impl Walk {
    fn pass(&mut self, period: Period, key: i64) -> PeriodRank {
        let is_surpassed =
            period != Period::Each && self.last_key.is_some_and(|last_key| key >= last_key);
        let standing = PeriodRank { newer_periods: self.kept, is_surpassed };
        if !is_surpassed {
            (self.kept, self.last_key) = (self.kept + 1, Some(key));
        }
        standing
    }
}
