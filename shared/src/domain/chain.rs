//! A chain: the EBS snapshots of one volume in one region, by start time; what each adds, and what its deletion frees.
//!
//! EBS stores of each snapshot the blocks that have changed since the one before, and when one is deleted, removes only
//! what no other snapshot needs (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html>). Which
//! blocks those are EC2 does not tell; it tells how many each snapshot has in full. A block that one snapshot has and its
//! neighbour has not is one that has changed in between, so what the full sizes differ by bounds the change from below.

use jiff::Timestamp;

/// How much of a volume is written anew within a day, of a hundred, unless the caller says.
pub const DAILY_CHANGE_PERCENT_DEFAULT: f64 = 3.0;

/// The percentages that sums are kept for; between them is interpolated.
const GRID: [f64; ESTIMATES] = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const ESTIMATES: usize = 9;

const BYTES_OF_GIB: f64 = 1_073_741_824.0;
const BYTES_OF_MIB: i64 = 1_048_576;
const MIB_OF_GIB: f64 = 1_024.0;
const SECONDS_OF_DAY: f64 = 86_400.0;

/// One EBS snapshot in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The instant whose content it has.
    pub taken_at: Timestamp,
    /// The size of the volume.
    pub volume_gib: i64,
    /// The size of all blocks it has, as EC2 reports it, once EC2 does.
    pub full_bytes: Option<i64>,
}

/// What a snapshot adds to its chain, in GiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Increment {
    pub estimate_gib: f64,
    /// It cannot be less.
    pub at_least_gib: f64,
    /// It cannot be more.
    pub at_most_gib: f64,
    /// What the estimate is.
    pub basis: Basis,
}

/// What an estimate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The first of a chain is stored in full.
    FirstOfChain,
    /// So much of it as changes in the time since the one before.
    DailyChange,
    /// What the full size has grown by since the one before, which is more.
    MeasuredGrowth,
    /// The archive stores all of it.
    Archived,
}

/// What the deletion of a snapshot frees, in GiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Freed {
    /// It cannot be less.
    pub at_least_gib: f64,
    /// It cannot be more.
    pub at_most_gib: f64,
    /// Who else may need its blocks.
    pub neighbours: Neighbours,
}

/// Which snapshots of the same volume there are beside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Neighbours {
    /// None.
    None,
    /// None that it shares a block with: it is in the archive.
    Apart,
    /// Older ones.
    Before,
    /// Newer ones.
    After,
    /// Both.
    Both,
    /// Nobody knows.
    Unknown,
}

impl Link {
    /// All that it has: as EC2 reports it, or else the volume, which it cannot exceed.
    fn full_gib(&self) -> f64 {
        let volume = gib(self.volume_gib);
        self.full_bytes.map_or(volume, |bytes| bytes_to_gib(bytes).min(volume))
    }

    /// How much more it has than `other` in full; nothing where EC2 does not tell both.
    fn exceeds(&self, other: &Self) -> f64 {
        match (self.full_bytes, other.full_bytes) {
            (Some(_), Some(_)) => (self.full_gib() - other.full_gib()).max(0.0),
            (_, _) => 0.0,
        }
    }

    /// What it adds to a chain after `previous`, if so much of a volume changes within a day.
    pub fn increment(&self, previous: Option<&Self>, daily_change_percent: f64) -> Increment {
        let full = self.full_gib();
        let Some(previous) = previous else {
            let at_least_gib = if self.full_bytes.is_some() { full } else { 0.0 };
            let basis = Basis::FirstOfChain;
            return Increment { estimate_gib: full, at_least_gib, at_most_gib: full, basis };
        };
        let growth = self.exceeds(previous);
        let days = self.taken_at.duration_since(previous.taken_at).as_secs_f64() / SECONDS_OF_DAY;
        let changed = (days.max(0.0) * daily_change_percent / 100.0).min(1.0) * full;
        Increment {
            estimate_gib: changed.max(growth),
            at_least_gib: growth,
            at_most_gib: full,
            basis: if growth > changed { Basis::MeasuredGrowth } else { Basis::DailyChange },
        }
    }

    /// What its deletion frees while these neighbours stay.
    ///
    /// Blocks that an older snapshot has as well stay for that, those that a newer one has for that. The only one of its
    /// volume frees all it has. At an end of the chain it has at least what it exceeds its one neighbour by for itself
    /// alone; between two neighbours it may have nothing.
    pub fn freed(&self, previous: Option<&Self>, next: Option<&Self>) -> Freed {
        let full = self.full_gib();
        let known = if self.full_bytes.is_some() { full } else { 0.0 };
        let (at_least_gib, neighbours) = match (previous, next) {
            (None, None) => (known, Neighbours::None),
            (Some(one), None) => (self.exceeds(one), Neighbours::Before),
            (None, Some(one)) => (self.exceeds(one), Neighbours::After),
            (Some(_), Some(_)) => (0.0, Neighbours::Both),
        };
        Freed { at_least_gib, at_most_gib: full, neighbours }
    }

    /// What it holds in the archive, and what its deletion frees there: what is archived is made a full snapshot, and shares
    /// no block with others (<https://docs.aws.amazon.com/ebs/latest/userguide/archiving-guidelines.html>).
    pub fn archived(&self) -> (Increment, Freed) {
        let full = self.full_gib();
        let at_least_gib = if self.full_bytes.is_some() { full } else { 0.0 };
        let (basis, neighbours) = (Basis::Archived, Neighbours::Apart);
        (
            Increment { estimate_gib: full, at_least_gib, at_most_gib: full, basis },
            Freed { at_least_gib, at_most_gib: full, neighbours },
        )
    }

    /// What its deletion frees where its chain is not known.
    pub fn freed_somehow(&self) -> Freed {
        let (at_most_gib, neighbours) = (self.full_gib(), Neighbours::Unknown);
        Freed { at_least_gib: 0.0, at_most_gib, neighbours }
    }
}

/// Estimates for any percentage, which can be added up: exact where a percentage is one of 0, 1, 2, 3, 5, 10, 20, 50
/// and 100, and interpolated between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimates {
    /// The sizes of the volumes of all.
    pub volume_gib: i64,
    /// What all have in full as EC2 reports it, where it does; otherwise nothing.
    pub full_mib: i64,
    /// The estimates at each percentage of the grid.
    pub mib: [i64; ESTIMATES],
    /// What the archive holds of them, which is not in those.
    pub archived_mib: i64,
}

impl Estimates {
    /// Those of one link after `previous`.
    pub fn of(link: &Link, previous: Option<&Link>) -> Self {
        Self {
            volume_gib: link.volume_gib,
            full_mib: full_mib(link.full_bytes),
            mib: GRID.map(|percent| rounded_mib(link.increment(previous, percent).estimate_gib)),
            archived_mib: 0,
        }
    }

    /// Those of one link that the archive holds.
    pub fn of_archived(link: &Link) -> Self {
        Self {
            volume_gib: link.volume_gib,
            full_mib: full_mib(link.full_bytes),
            mib: [0; ESTIMATES],
            archived_mib: rounded_mib(link.full_gib()),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let mut mib = self.mib;
        for (one, more) in mib.iter_mut().zip(other.mib) {
            *one += more;
        }
        Self {
            volume_gib: self.volume_gib + other.volume_gib,
            full_mib: self.full_mib + other.full_mib,
            mib,
            archived_mib: self.archived_mib + other.archived_mib,
        }
    }

    /// What the archive holds, in GiB.
    pub fn archived_gib(&self) -> f64 {
        mib_to_gib(self.archived_mib)
    }

    /// The estimate in GiB of the standard tier, if so much of a volume changes within a day.
    pub fn gib_at(&self, daily_change_percent: f64) -> f64 {
        let mut points = GRID.into_iter().zip(self.mib.map(mib_to_gib));
        let mut low = points.next().unwrap_or_default();
        for high in points {
            if daily_change_percent <= high.0 {
                let part = (daily_change_percent - low.0) / (high.0 - low.0);
                return (high.1 - low.1).mul_add(part, low.1);
            }
            low = high;
        }
        low.1
    }
}

/// So many bytes in GiB.
pub fn bytes_to_gib(bytes: i64) -> f64 {
    whole(bytes) / BYTES_OF_GIB
}

/// So many MiB in GiB.
pub fn mib_to_gib(mib: i64) -> f64 {
    whole(mib) / MIB_OF_GIB
}

/// A full size in whole MiB; nothing where EC2 has not told it.
pub fn full_mib(bytes: Option<i64>) -> i64 {
    bytes.map_or(0, |bytes| (bytes + BYTES_OF_MIB / 2) / BYTES_OF_MIB)
}

/// A count of GiB as a number that can be multiplied.
pub fn gib(count: i64) -> f64 {
    whole(count)
}

#[expect(clippy::cast_precision_loss, reason = "sizes lie far below 2^52")]
fn whole(count: i64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "sizes lie far below 2^63")]
fn rounded_mib(gib: f64) -> i64 {
    (gib * MIB_OF_GIB).round() as i64
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn link(hours: i64, volume_gib: i64, full_gib: Option<i64>) -> Link {
        let taken_at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        Link { taken_at, volume_gib, full_bytes: full_gib.map(|gib| gib * 1_073_741_824) }
    }

    fn is_near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-3
    }

    #[test]
    fn the_first_of_a_chain_is_stored_in_full() {
        let measured = link(0, 100, Some(40)).increment(None, 3.0);
        let unmeasured = link(0, 100, None).increment(None, 3.0);

        assert!(is_near(measured.estimate_gib, 40.0) && is_near(measured.at_least_gib, 40.0));
        assert!(is_near(unmeasured.estimate_gib, 100.0) && is_near(unmeasured.at_least_gib, 0.0));
        assert_eq!(measured.basis, Basis::FirstOfChain);
    }

    #[test]
    fn a_later_one_adds_what_changes_and_at_least_what_it_has_grown_by() {
        let first = link(0, 100, Some(40));
        let same = link(24, 100, Some(40)).increment(Some(&first), 5.0);
        let grown = link(24, 100, Some(50)).increment(Some(&first), 5.0);
        let shrunk = link(24, 100, Some(20)).increment(Some(&first), 5.0);

        assert!(is_near(same.estimate_gib, 2.0) && is_near(same.at_least_gib, 0.0));
        assert!(is_near(grown.estimate_gib, 10.0) && is_near(grown.at_least_gib, 10.0));
        assert!(is_near(shrunk.estimate_gib, 1.0));
        assert_eq!((same.basis, grown.basis), (Basis::DailyChange, Basis::MeasuredGrowth));
    }

    #[test]
    fn what_is_archived_is_stored_in_full_and_frees_all_of_it() {
        let (increment, freed) = link(24, 100, Some(40)).archived();
        let sum = Estimates::of_archived(&link(24, 100, Some(40)))
            .plus(Estimates::of(&link(0, 100, Some(30)), None));

        assert!(is_near(increment.estimate_gib, 40.0) && is_near(freed.at_least_gib, 40.0));
        assert_eq!((increment.basis, freed.neighbours), (Basis::Archived, Neighbours::Apart));
        assert!(is_near(sum.gib_at(3.0), 30.0) && is_near(sum.archived_gib(), 40.0));
    }

    #[test]
    fn between_two_neighbours_a_deletion_may_free_nothing() {
        let (old, mid, new) =
            (link(0, 100, Some(30)), link(1, 100, Some(50)), link(2, 100, Some(45)));

        assert!(is_near(mid.freed(Some(&old), Some(&new)).at_least_gib, 0.0));
        assert!(is_near(mid.freed(Some(&old), None).at_least_gib, 20.0));
        assert!(is_near(mid.freed(None, Some(&new)).at_least_gib, 5.0));
        assert!(is_near(mid.freed(None, None).at_least_gib, 50.0));
        assert!(is_near(mid.freed_somehow().at_least_gib, 0.0));
    }

    /// A volume of 512 blocks of 1 GiB; a chain is how often each block was written by each snapshot, 0 for never.
    type Blocks = Vec<u32>;

    fn count(blocks: impl Iterator<Item = bool>) -> f64 {
        gib(i64::try_from(blocks.filter(|is| *is).count()).unwrap())
    }

    fn measured(hour: i64, blocks: &Blocks) -> Link {
        let full = blocks.iter().filter(|written| **written > 0).count();
        link(hour, i64::try_from(blocks.len()).unwrap(), Some(i64::try_from(full).unwrap()))
    }

    prop_compose! {
        /// A chain of three states of a volume: each block goes through non-decreasing counts of writes.
        fn three_states()(steps in prop::collection::vec((0_u32..3, 0_u32..2, 0_u32..2), 1..64)) -> [Blocks; 3] {
            let state = |count: usize| steps.iter().map(|(a, b, c)| match count {
                0 => *a,
                1 => a + b,
                _ => a + b + c,
            }).collect();
            [state(0), state(1), state(2)]
        }
    }

    proptest! {
        #[test]
        fn what_is_really_added_and_freed_lies_within_the_bounds([old, mid, new] in three_states()) {
            let (before, one, after) = (measured(0, &old), measured(1, &mid), measured(2, &new));
            let changed = |from: &Blocks, to: &Blocks| {
                count(from.iter().zip(to).map(|(from, to)| *to > 0 && from != to))
            };
            // What of `mid` neither of the others has.
            let alone = |with_old: bool, with_new: bool| {
                let blocks = old.iter().zip(&mid).zip(&new);
                count(blocks.map(|((old, mid), new)| {
                    *mid > 0 && !(with_old && old == mid) && !(with_new && new == mid)
                }))
            };
            let added = one.increment(Some(&before), 3.0);

            let real = changed(&old, &mid);
            prop_assert!(added.at_least_gib <= real + 1e-9 && real <= added.at_most_gib + 1e-9);
            for (with_old, with_new) in [(false, false), (true, false), (false, true), (true, true)] {
                let freed = one.freed(with_old.then_some(&before), with_new.then_some(&after));
                let real = alone(with_old, with_new);
                prop_assert!(freed.at_least_gib <= real + 1e-9, "{with_old} {with_new}");
                prop_assert!(real <= freed.at_most_gib + 1e-9);
            }
        }

        #[test]
        fn an_estimate_lies_within_its_bounds(
            hours in 0_i64..10_000, volume in 1_i64..1_000, full in prop::option::of(0_i64..1_000),
            before in prop::option::of(0_i64..1_000), percent in 0.0_f64..=100.0,
        ) {
            let full = full.map(|full| full.min(volume));
            let previous = link(0, volume, before.map(|full| full.min(volume)));
            for previous in [None, Some(&previous)] {
                let Increment { estimate_gib, at_least_gib, at_most_gib, .. } =
                    link(hours, volume, full).increment(previous, percent);

                prop_assert!(at_least_gib <= estimate_gib && estimate_gib <= at_most_gib);
            }
        }

        #[test]
        fn sums_of_estimates_are_those_of_the_sum_and_rise_with_the_percentage(
            gaps in prop::collection::vec(1_i64..2_000, 1..20), percent in 0.0_f64..=100.0,
        ) {
            let mut hour = 0;
            let links: Vec<_> = gaps.iter().map(|gap| { hour += gap; link(hour, 100, Some(60)) }).collect();
            let mut sum = Estimates::default();
            let mut exact = 0.0;
            let mut previous = None;
            for link in &links {
                sum = sum.plus(Estimates::of(link, previous));
                exact += link.increment(previous, 3.0).estimate_gib;
                previous = Some(link);
            }

            prop_assert!((sum.gib_at(3.0) - exact).abs() < 0.1);
            prop_assert!(sum.gib_at(percent) <= sum.gib_at(100.0) + 1e-9);
            prop_assert!(sum.gib_at(percent) >= sum.gib_at(0.0) - 1e-9);
        }
    }
}
