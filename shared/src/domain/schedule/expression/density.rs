//! The most fires that a window of time can have, whenever it begins.

use super::{
    Expression,
    cron::{Cron, Days},
};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// 400 years of the calendar, and how many days they have.
const CYCLE_YEARS: u64 = 400;
const CYCLE: u64 = 146_097 * DAY;
/// How much shorter than on average some months in a row may be, fires being on fixed days of the month.
const MONTHS_SHORTER: u64 = 5 * DAY;
/// The same where weekdays move the fires within their month.
const MOVED: u64 = 12 * DAY;

/// A window of time without its beginning and with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How long it is on a clock on the wall.
    pub local_seconds: u64,
    /// How long it lasts.
    pub elapsed_seconds: u64,
}

impl Expression {
    /// How many fires such a window has at the most, wherever it lies.
    pub fn fires_at_most(&self, window: Window) -> u64 {
        match self {
            Self::Rate(rate) => {
                let period = u64::try_from(rate.period_seconds()).unwrap_or(1).max(1);
                window.elapsed_seconds.div_ceil(period)
            }
            Self::Cron(cron) => cron.fires_at_most(window.local_seconds),
            Self::At(_) => window.local_seconds.min(1),
        }
    }
}

impl Cron {
    /// The least of what its hours, days, weeks, months and years allow. What comes again after a while comes at
    /// most once in each such while that the window has, and once more in what is left.
    fn fires_at_most(&self, seconds: u64) -> u64 {
        let in_an_hour = count(&self.minutes);
        let in_a_day = in_an_hour * count(&self.hours);
        let by_hour = seconds.div_ceil(HOUR) * in_an_hour;
        let by_day = seconds.div_ceil(DAY) * in_a_day;
        let months = count(&self.months);
        let by_calendar = match &self.days {
            Days::OfWeek(weekdays) => {
                let weekdays = count(weekdays);
                let by_week = seconds.div_ceil(WEEK) * weekdays;
                let in_a_month = 4 * weekdays + weekdays.min(3);
                // Not `div_ceil`: the weekdays of a month lie elsewhere the year after.
                let years = (seconds + MOVED) * CYCLE_YEARS / CYCLE + 2;
                by_week.min(years * months * in_a_month)
            }
            Days::OfMonth(days) => by_month(seconds + MONTHS_SHORTER, months, count(days)),
            Days::LastOfMonth => by_month(seconds + MONTHS_SHORTER, months, 1),
            Days::WeekdayNearest(_) | Days::LastOfWeekday(_) | Days::NthOfWeekday { .. } => {
                by_month(seconds + MOVED, months, 1)
            }
        };
        by_hour.min(by_day).min(by_calendar.saturating_mul(in_a_day))
    }
}

/// How many days match that come on so many days of so many months of the year.
fn by_month(seconds: u64, months: u64, days: u64) -> u64 {
    let every_month = (seconds * CYCLE_YEARS * 12).div_ceil(CYCLE);
    let every_year = (seconds * CYCLE_YEARS).div_ceil(CYCLE);
    (every_month * days).min(every_year * months * days)
}

fn count<T>(values: &[T]) -> u64 {
    u64::try_from(values.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::schedule::zone::Zone;

    fn at_most(expression: &str, seconds: u64) -> u64 {
        let window = Window { local_seconds: seconds, elapsed_seconds: seconds };
        expression.parse::<Expression>().unwrap().fires_at_most(window)
    }

    #[test]
    fn what_comes_evenly_is_counted_exactly() {
        for (expression, seconds, expected) in [
            ("rate(1 hour)", 14 * DAY, 14 * 24),
            ("rate(7 hours)", DAY, 4),
            ("cron(0 * * * ? *)", 14 * DAY, 14 * 24),
            ("cron(0/15 * * * ? *)", DAY, 96),
            ("cron(30 2 * * ? *)", 14 * DAY, 14),
            ("cron(30 2 ? * FRI *)", 365 * DAY, 53),
            ("cron(0 8-17 ? * MON-FRI *)", WEEK, 50),
            ("cron(0 0 1 * ? *)", 366 * DAY, 13),
            ("cron(0 0 1 1 ? *)", 10 * 365 * DAY, 11),
            ("at(2026-03-02T10:00:00)", 10 * DAY, 1),
            ("cron(30 2 * * ? *)", 0, 0),
        ] {
            assert_eq!(at_most(expression, seconds), expected, "{expression} {seconds}");
        }
    }

    proptest! {
        #[test]
        fn no_window_has_more(
            expression in prop::sample::select(vec![
                "rate(7 hours)", "rate(11 days)", "cron(0/20 1-3 * * ? *)", "cron(5 4 ? * MON,THU *)",
                "cron(0 0 31 * ? *)", "cron(0 0 1,15 2-4 ? *)",
                "cron(0 12 1W * ? *)", "cron(0 12 15W * ? *)", "cron(0 12 L * ? *)",
                "cron(0 6 ? * 6L *)", "cron(0 6 ? 3 MON#1 *)", "cron(0 6 ? 2,7 SUN-TUE *)",
                "cron(0 0 29 2 ? *)",
            ]),
            start_hours in 0_i64..200_000,
            hours in 1_i64..20_000,
        ) {
            let (expression, zone) = (expression.parse::<Expression>().unwrap(), Zone::default());
            let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
            let anchor = start - SignedDuration::from_hours(1);
            // A window is at its fullest when its end is a fire.
            let begin = start + SignedDuration::from_hours(start_hours);
            let end = expression.next_after(&zone, anchor, begin + SignedDuration::from_hours(hours));
            let end = end.unwrap();
            let mut at = end - SignedDuration::from_hours(hours);
            let mut fires = 0;
            while let Some(next) = expression.next_after(&zone, anchor, at).filter(|at| *at <= end) {
                (fires, at) = (fires + 1, next);
            }

            let seconds = u64::try_from(hours * 3_600).unwrap();
            let window = Window { local_seconds: seconds, elapsed_seconds: seconds };
            prop_assert!(fires <= expression.fires_at_most(window), "{fires}");
        }
    }
}
