//! The staggering of a run's targets: evenly over a window, and always in the same order.

use jiff::SignedDuration;

use crate::domain::ids::{InstanceId, ScheduleId, digest};

/// The instances in the order in which a run of this schedule asks for them, each once. It is the same at every
/// slot, whatever order they come in, and has nothing to do with when they were launched.
pub fn ordered(schedule: &ScheduleId, mut targets: Vec<InstanceId>) -> Vec<InstanceId> {
    targets.sort_by_cached_key(|target| digest(&[schedule.as_str(), target.as_str()]));
    targets.dedup();
    targets
}

/// How long after the slot the target at `position` of `total` is asked for, in whole seconds; less than the
/// window of `minutes`.
pub fn delay(minutes: u32, position: usize, total: usize) -> SignedDuration {
    let window = u64::from(minutes) * 60;
    let position = u64::try_from(position).unwrap_or(u64::MAX);
    let total = u64::try_from(total).unwrap_or(u64::MAX).max(1);
    let seconds = window.saturating_mul(position) / total;
    SignedDuration::from_secs(i64::try_from(seconds.min(window)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::schedule::{SPREAD_MINUTES_MAX, TARGETS_MAX};

    fn schedule(name: &str) -> ScheduleId {
        ScheduleId::derived(Timestamp::UNIX_EPOCH, &[name])
    }

    fn instances(numbers: &[u32]) -> Vec<InstanceId> {
        numbers.iter().map(|number| format!("i-{number:08x}").parse().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn every_target_lies_within_the_window(
            minutes in 0..=SPREAD_MINUTES_MAX,
            (position, total) in (1..=TARGETS_MAX).prop_flat_map(|total| (0..total, Just(total))),
        ) {
            let delay = delay(minutes, position, total);

            prop_assert!(delay >= SignedDuration::ZERO);
            prop_assert!(minutes == 0 || delay < SignedDuration::from_mins(i64::from(minutes)));
        }

        #[test]
        fn targets_are_spread_evenly_to_within_a_minute(
            minutes in 1..=SPREAD_MINUTES_MAX,
            total in 1..500_usize,
        ) {
            let delays: Vec<_> = (0..total).map(|position| delay(minutes, position, total)).collect();
            let even = f64::from(minutes) * 60.0 / f64::from(u32::try_from(total).unwrap());

            prop_assert_eq!(delays[0], SignedDuration::ZERO);
            for pair in delays.windows(2) {
                let gap = (pair[1] - pair[0]).as_secs_f64();
                prop_assert!((gap - even).abs() <= 1.0, "{} instead of {}", gap, even);
            }
            // Every minute has its share, but for one target at its edges.
            for minute in 0..i64::from(minutes) {
                let begins = SignedDuration::from_mins(minute);
                let ends = SignedDuration::from_mins(minute + 1);
                let share = delays.iter().filter(|delay| (begins..ends).contains(*delay)).count();
                let share = f64::from(u32::try_from(share).unwrap());
                prop_assert!((share - 60.0 / even).abs() <= 1.0 + 1.0 / even, "{}", share);
            }
        }

        #[test]
        fn the_order_of_the_input_is_irrelevant(
            numbers in prop::collection::btree_set(any::<u32>(), 0..50),
            seed in any::<u64>(),
        ) {
            let sorted = instances(&numbers.iter().copied().collect::<Vec<_>>());
            let mut shuffled: Vec<_> = sorted.clone();
            shuffled.sort_by_cached_key(|id| digest(&[&seed.to_string(), id.as_str()]));
            shuffled.extend(sorted.first().cloned());

            let ordered = ordered(&schedule("a"), sorted.clone());

            prop_assert_eq!(&ordered, &super::ordered(&schedule("a"), shuffled));
            prop_assert_eq!(ordered.len(), sorted.len());
        }
    }

    #[test]
    fn schedules_differ_in_their_order() {
        let targets = instances(&(0..20).collect::<Vec<_>>());

        assert_ne!(ordered(&schedule("a"), targets.clone()), ordered(&schedule("b"), targets));
    }

    #[test]
    fn without_a_window_all_are_due_at_the_slot() {
        assert!((0..9).all(|position| delay(0, position, 9) == SignedDuration::ZERO));
        assert_eq!(delay(60, 1, 4), SignedDuration::from_mins(15));
    }
}
