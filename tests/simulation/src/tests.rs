//! A few seeds, so that the tests of the workspace play some of them; and that a seed is a history.

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
