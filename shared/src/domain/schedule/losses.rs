//! What a schedule has lost within a day that nobody expected: the memory of the brake.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::SweepId;
use crate::domain::sweep::brake::group::{Group, GroupCount};

/// Over how long losses count together.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How many losses of a group are remembered one by one; what is older is counted with the next.
const REMEMBERED_MAX: usize = 30;

/// The losses, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses(Vec<Loss>);

/// What one sweep took from a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Loss {
    sweep_id: SweepId,
    /// When it was planned.
    at: Timestamp,
    group: Group,
    unexpected: u32,
    /// How many the group had then.
    available: u32,
}

/// What a group has lost within a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaysLoss {
    /// How many.
    pub unexpected: u32,
    /// Of how many it had before the first of them went.
    pub available: u32,
}

impl Losses {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a group has lost in the day before `now`; none if nothing.
    pub fn of_day(&self, group: &Group, now: Timestamp) -> Option<DaysLoss> {
        let of_day = self.0.iter().filter(|one| one.group == *group && one.is_of_day(now));
        of_day.fold(None, |known: Option<DaysLoss>, one| {
            Some(match known {
                None => DaysLoss { unexpected: one.unexpected, available: one.available },
                Some(known) => DaysLoss {
                    unexpected: known.unexpected.saturating_add(one.unexpected),
                    available: known.available,
                },
            })
        })
    }

    /// The same, with what a sweep planned at `at` takes. Told again of the same sweep, the last word counts.
    #[must_use]
    pub fn with(&self, sweep_id: &SweepId, counts: &[GroupCount], at: Timestamp) -> Self {
        let others = self.0.iter().filter(|one| one.sweep_id != *sweep_id && one.is_of_day(at));
        let new = counts.iter().filter(|count| count.unexpected > 0).map(|count| {
            let GroupCount { group, unexpected, available } = count.clone();
            Loss { sweep_id: sweep_id.clone(), at, group, unexpected, available }
        });
        let mut losses: Vec<_> = others.cloned().chain(new).collect();
        losses.sort_by_key(|one| one.at);
        let mut remembered = Self(losses);
        for count in counts {
            remembered.shorten(&count.group);
        }
        remembered
    }

    /// Counts the oldest of a group with the one after it while there are too many.
    fn shorten(&mut self, group: &Group) {
        loop {
            let mut of_group =
                self.0.iter().enumerate().filter(|(_, one)| one.group == *group).map(|(at, _)| at);
            let (Some(first), Some(second)) = (of_group.next(), of_group.next()) else { return };
            if of_group.count() + 2 <= REMEMBERED_MAX {
                return;
            }
            let oldest = self.0.remove(first);
            if let Some(next) = self.0.get_mut(second - 1) {
                next.unexpected = next.unexpected.saturating_add(oldest.unexpected);
                next.available = oldest.available;
            }
        }
    }
}

impl Loss {
    /// Whether it lies less than a day before `now`, or after it.
    fn is_of_day(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < DAY
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + minutes.minutes()
    }

    fn sweep(number: usize) -> SweepId {
        SweepId::derived(at(0), &[&number.to_string()])
    }

    fn own(unexpected: u32, available: u32) -> [GroupCount; 1] {
        [GroupCount { group: Group::Own, unexpected, available }]
    }

    #[test]
    fn losses_of_a_day_count_together_against_what_there_was_at_its_beginning() {
        let losses = Losses::default().with(&sweep(1), &own(10, 100), at(0)).with(
            &sweep(2),
            &own(8, 90),
            at(60),
        );

        let day = |minutes| losses.of_day(&Group::Own, at(minutes));
        assert_eq!(day(61), Some(DaysLoss { unexpected: 18, available: 100 }));
        assert_eq!(day(1_439), Some(DaysLoss { unexpected: 18, available: 100 }));
        assert_eq!(day(1_440), Some(DaysLoss { unexpected: 8, available: 90 }));
        assert_eq!(day(1_500), None);
        assert_eq!(losses.of_day(&Group::Adopted, at(61)), None);
    }

    #[test]
    fn of_one_sweep_the_last_word_counts() {
        let losses = Losses::default().with(&sweep(1), &own(10, 100), at(0)).with(
            &sweep(1),
            &own(7, 100),
            at(0),
        );

        let loss = losses.of_day(&Group::Own, at(1));
        assert_eq!(loss, Some(DaysLoss { unexpected: 7, available: 100 }));
        let none = losses.with(&sweep(1), &[], at(0));
        assert!(none.is_empty() && !losses.is_empty());
        assert!(none.with(&sweep(2), &own(0, 100), at(0)).is_empty());
    }

    #[test]
    fn what_is_counted_together_stays_with_its_group_and_what_there_was_at_first() {
        let of_groups = |number: u32| {
            let own = GroupCount { group: Group::Own, unexpected: 1, available: 900 - number };
            let adopted =
                GroupCount { group: Group::Adopted, unexpected: 2, available: 800 - number };
            [own, adopted]
        };
        let sweeps = |count: usize| {
            (0..count).fold(Losses::default(), |losses, number| {
                let counts = of_groups(u32::try_from(number).unwrap());
                losses.with(&sweep(number), &counts, at(i64::try_from(number).unwrap()))
            })
        };
        assert_eq!(sweeps(REMEMBERED_MAX).0.len(), 2 * REMEMBERED_MAX);

        let count = REMEMBERED_MAX + 5;
        let losses = sweeps(count);
        let unexpected = u32::try_from(count).unwrap();

        assert_eq!(losses.0.len(), 2 * REMEMBERED_MAX);
        let day = |group| losses.of_day(&group, at(60)).unwrap();
        assert_eq!(day(Group::Own), DaysLoss { unexpected, available: 900 });
        let adopted = DaysLoss { unexpected: 2 * unexpected, available: 800 };
        assert_eq!(day(Group::Adopted), adopted);
    }

    proptest! {
        #[test]
        fn nothing_of_a_day_is_forgotten_and_the_record_stays_small(
            sweeps in prop::collection::vec((0..1_500_i64, 1..50_u32), 1..200),
        ) {
            let mut sweeps = sweeps;
            sweeps.sort_unstable();
            let last = sweeps.last().unwrap().0;

            let losses = sweeps.iter().enumerate().fold(
                Losses::default(),
                |losses, (number, (minutes, count))| {
                    losses.with(&sweep(number), &own(*count, 1_000), at(*minutes))
                },
            );

            let of_day = sweeps.iter().filter(|(minutes, _)| last - minutes < 1_440);
            let wanted: u32 = of_day.map(|(_, count)| count).sum();
            prop_assert!(losses.of_day(&Group::Own, at(last)).unwrap().unexpected >= wanted);
            prop_assert!(losses.0.len() <= REMEMBERED_MAX);
        }
    }
}
