//! The rate of a schedule: its next fires, as many as tell.

use jiff::{SignedDuration, Timestamp};

use super::DAY_SECONDS;
use crate::domain::schedule::slots;
use crate::domain::schedule::{Schedule, Settings};

/// How many fires are looked at: those of a week at one a minute.
const LOOKED_AT_MAX: usize = 10_081;
/// How far ahead.
const DAYS_MAX: i64 = 366;
/// Within how many days from the first fire on the busiest hour is looked for.
const BUSIEST_WITHIN_DAYS: i64 = 7;

/// The next fires of a schedule.
pub(super) struct Fires {
    /// When, in seconds since 1970.
    at: Vec<i64>,
    /// Whether there are no others.
    ends: bool,
}

impl Fires {
    /// Those after `now`, as if the schedule were enabled: of a year, or of a week if they are many, but two at
    /// least if there are two.
    pub(super) fn of(schedule: &Schedule, now: Timestamp) -> Self {
        let settings = Settings { enabled: true, ..schedule.settings.clone() };
        let schedule = Schedule { settings, ..schedule.clone() };
        let mut at: Vec<i64> = Vec::new();
        let mut after = now;
        while let Some(next) = slots::next_due(&schedule, after) {
            let first = at.first().copied().unwrap_or(next.as_second());
            let is_far = next.as_second() - first >= DAYS_MAX * 86_400;
            if at.len() >= LOOKED_AT_MAX || (is_far && at.len() >= 2) {
                return Self { at, ends: false };
            }
            at.push(next.as_second());
            after = next;
        }
        Self { at, ends: true }
    }

    /// How many there are in all, if they end within what was looked at.
    pub(super) fn total(&self) -> Option<u64> {
        self.ends.then(|| count(self.at.len()))
    }

    /// How many there are on an average day, to three places.
    pub(super) fn per_day(&self) -> f64 {
        let thousandths = (self.thousandths_in(DAY_SECONDS, 10) + 5) / 10;
        f64::from(u32::try_from(thousandths).unwrap_or(u32::MAX)) / 1_000.0
    }

    /// A thousand times how many there are in so many seconds on average, `times` over.
    pub(super) fn thousandths_in(&self, seconds: u64, times: u64) -> u64 {
        let (Some(first), Some(last)) = (self.at.first(), self.at.last()) else { return 0 };
        let lasts = u64::try_from(last - first).unwrap_or(0);
        // Between one fire and the next lies one period; what ends has its last day to itself.
        let (fires, lasts) = if self.ends {
            (count(self.at.len()), lasts + DAY_SECONDS)
        } else {
            (count(self.at.len().saturating_sub(1)), lasts.max(1))
        };
        let product = u128::from(fires) * u128::from(seconds) * u128::from(times) * 1_000;
        u64::try_from(product / u128::from(lasts)).unwrap_or(u64::MAX)
    }

    /// How many seconds lie between one fire and the next at the least.
    pub(super) fn shortest_interval(&self) -> Option<u64> {
        let intervals = self.at.iter().zip(self.at.iter().skip(1)).map(|(one, next)| next - one);
        intervals.min().and_then(|seconds| u64::try_from(seconds).ok())
    }

    /// How many of `targets` are taken in the busiest hour of the first seven days, each fire's staggered evenly
    /// over so many minutes.
    pub(super) fn in_busiest_hour(&self, spread_minutes: u32, targets: u64) -> u64 {
        let Some(first) = self.at.first() else { return 0 };
        let hour = SignedDuration::from_hours(1).as_secs();
        let spread = i64::from(spread_minutes) * 60;
        let end = first + BUSIEST_WITHIN_DAYS * 86_400;
        let within = self.at.get(..self.at.partition_point(|at| *at < end)).unwrap_or_default();
        let sums = Sums::of(within);
        // The sum over all hours is at its highest where a fire's targets begin with the hour or end with it.
        let begins = within.iter().flat_map(|at| [*at, at + spread - hour]);
        let busiest = begins
            .map(|begin| {
                sums.seconds_until(begin + hour, spread) - sums.seconds_until(begin, spread)
            })
            .max()
            .unwrap_or(0);
        let taken = u128::from(targets) * u128::try_from(busiest).unwrap_or(0);
        let lasts = u128::try_from(spread.max(1)).unwrap_or(1);
        u64::try_from(taken.div_ceil(lasts)).unwrap_or(u64::MAX)
    }
}

/// Fires with the sums of their instants, so that a sum over neighbours is one subtraction.
struct Sums<'a> {
    at: &'a [i64],
    sums: Vec<i128>,
}

impl<'a> Sums<'a> {
    fn of(at: &'a [i64]) -> Self {
        let mut sum = 0;
        let mut sums = vec![0];
        for at in at {
            sum += i128::from(*at);
            sums.push(sum);
        }
        Self { at, sums }
    }

    /// For how many seconds, summed over all fires, targets have been taken before `end`; each fire's are taken
    /// for `spread` seconds, or for one if they are not spread.
    fn seconds_until(&self, end: i64, spread: i64) -> i128 {
        let spread = spread.max(1);
        let begun = self.at.partition_point(|at| *at < end);
        let done = self.at.partition_point(|at| at.saturating_add(spread) <= end);
        let sum = |until: usize| self.sums.get(until).copied().unwrap_or(0);
        let under_way = signed(begun.saturating_sub(done));
        signed(done) * i128::from(spread) + under_way * i128::from(end) - (sum(begun) - sum(done))
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn signed(length: usize) -> i128 {
    i128::try_from(length).unwrap_or(i128::MAX)
}
