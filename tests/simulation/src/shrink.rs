//! A shorter history of the same fault: acts are left out as long as it is still found.

use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::run::{Verdict, carry_out};

/// How long shortening may take.
const LASTS: Duration = Duration::from_secs(40);

/// The shortest plan found that still breaks the invariant `kind`, and what comes of it.
pub(crate) fn shortened(plan: &Plan, kind: &str) -> (Plan, Verdict) {
    let begun = Instant::now();
    let mut best = plan.clone();
    let mut verdict = carry_out(&best);
    let mut size = best.acts.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        let mut is_shorter = false;
        while from < best.acts.len() {
            if begun.elapsed() > LASTS {
                return (best, verdict);
            }
            let mut other = best.clone();
            other.acts.drain(from..(from + size).min(best.acts.len()));
            let found = carry_out(&other);
            if found.violations.iter().any(|one| one.kind == kind) {
                (best, verdict, is_shorter) = (other, found, true);
            } else {
                from += size;
            }
        }
        if !is_shorter || size > 1 {
            size /= 2;
        }
    }
    (best, verdict)
}
