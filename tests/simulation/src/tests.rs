//! A few seeds, so that the tests of the workspace play some of them; and that a seed is a history.

use crate::lies::Lie;
use crate::plan::Plan;
use crate::run::{carry_out, run};

/// How many seeds the tests play: a run of many is for the command.
const SEEDS: u64 = 6;

#[test]
fn a_seed_is_a_history() {
    for seed in [2, 4] {
        let (first, second) = (run(seed), run(seed));

        assert_eq!(first.history, second.history, "seed {seed}");
        assert_eq!(first.calls, second.calls, "seed {seed}");
    }
}

#[test]
fn nothing_is_found() {
    for seed in 1..=SEEDS {
        let verdict = carry_out(&Plan::of(seed));

        assert_eq!(verdict.violations, [], "cargo run -p simulation -- --seed {seed}");
    }
}

#[test]
fn what_would_break_a_promise_is_noticed() {
    for lie in [Lie::HoldsForgotten, Lie::RulesShrunk, Lie::DrillsForgotten, Lie::NewestDeleted] {
        let verdict = carry_out(&Plan::of(1).lying(lie));

        let kinds: Vec<_> = verdict.violations.iter().map(|one| one.kind).collect();
        assert!(kinds.iter().any(|kind| lie.noticed_by().contains(kind)), "{lie:?}: {kinds:?}");
    }
}
