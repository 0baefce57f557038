//! A length of calendar time, such as `14d`, with restic's way of counting months.

use std::{fmt, str::FromStr};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Serialize};

use crate::domain::schedule::zone::Zone;

const NUMBER_MAX: u32 = 99_999;

/// Years, months, days and hours: `14d`, `1y2m3d4h`. `m` is months; there are no weeks.
///
/// Years, months and days are counted on the zone's calendar, where a day that the month does
/// not have runs over into the next: 31 March less `1m` is 3 March, or 2 March in a leap year.
/// Hours are elapsed time, counted last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    years: u32,
    months: u32,
    days: u32,
    hours: u32,
}

/// A text that is not a span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a span: {ALLOWED}")]
pub struct ParseSpanError {
    value: String,
}

/// What a span may look like.
pub(super) const ALLOWED: &str = "allowed are whole numbers up to 99999, each with one of y (years), \
                                  m (months), d (days), h (hours), such as 14d or 1y2m3d4h";

impl Span {
    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// The instant a span earlier; the earliest there is if the span reaches beyond.
    pub fn before(&self, at: Timestamp, zone: &Zone) -> Timestamp {
        self.moved(at, zone, -1).unwrap_or(Timestamp::MIN)
    }

    /// The instant a span later; the latest there is if the span reaches beyond.
    pub fn after(&self, at: Timestamp, zone: &Zone) -> Timestamp {
        self.moved(at, zone, 1).unwrap_or(Timestamp::MAX)
    }

    /// How long it is on a clock on the wall where months and years are longest, in seconds.
    pub(super) fn longest_seconds(&self) -> u64 {
        let Self { years, months, days, hours } = *self;
        let [years, months, days, hours] = [years, months, days, hours].map(u64::from);
        let months = 12 * years + months;
        // 4,800 months have 146,097 days; some in a row may have a few more than on average.
        let months_days = (months * 31).min((months * 146_097).div_ceil(4_800) + 3);
        (months_days + days) * 86_400 + hours * 3_600
    }

    /// Whether part of it is elapsed time, which clock changes lengthen or shorten on the wall.
    pub(super) fn has_hours(&self) -> bool {
        self.hours > 0
    }

    /// By how much the first instant whose [`Span::before`] is not before `at` can come earlier than the
    /// [`Span::after`] of `at`: months differ in length and run over, clocks change, and zones have skipped a day.
    pub(super) fn slack(&self) -> SignedDuration {
        let Self { years, months, days, .. } = *self;
        SignedDuration::from_hours(match (years | months, days) {
            (0, 0) => 0,
            (0, _) => 48,
            (_, 0) => 5 * 24,
            (_, _) => 10 * 24,
        })
    }

    fn moved(&self, at: Timestamp, zone: &Zone, sign: i64) -> Option<Timestamp> {
        let Self { years, months, days, hours } = *self;
        let [years, months, days, hours] = [years, months, days, hours].map(i64::from);
        let mut moved = at;
        // Not for hours alone: in a repeated hour the way back from local time is ambiguous.
        if (years, months, days) != (0, 0, 0) {
            let local = zone.time_zone().to_datetime(at);
            let months = sign * (12 * years + months);
            let date = on_the_calendar(local.date(), months, sign * days)?;
            let local = DateTime::from_parts(date, local.time());
            moved = zone.time_zone().to_timestamp(local).ok()?;
        }
        moved.checked_add(SignedDuration::from_hours(sign * hours)).ok()
    }
}

/// The date some months and days away; a day that its month lacks runs over into the next.
fn on_the_calendar(date: Date, months: i64, days: i64) -> Option<Date> {
    let months = i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + months;
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    let days = i64::from(date.day()) - 1 + days;
    Date::new(year, month, 1).ok()?.checked_add(SignedDuration::from_hours(24 * days)).ok()
}

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseSpanError { value: text.chars().take(40).collect() })
    }
}

/// Numbers with units, each unit at most once.
fn parse(text: &str) -> Option<Span> {
    if text.is_empty() {
        return None;
    }
    let mut parts = [('y', None), ('m', None), ('d', None), ('h', None)];
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let number = digits.parse().ok().filter(|&number: &u32| number <= NUMBER_MAX)?;
        let mut letters = after.chars();
        let unit = letters.next()?;
        let (_, part) = parts.iter_mut().find(|(name, _)| *name == unit)?;
        if part.replace(number).is_some() {
            return None;
        }
        rest = letters.as_str();
    }
    let [years, months, days, hours] = parts.map(|(_, part)| part.unwrap_or(0));
    Some(Span { years, months, days, hours })
}

impl TryFrom<String> for Span {
    type Error = ParseSpanError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { years, months, days, hours } = *self;
        if self.is_zero() {
            return f.write_str("0d");
        }
        for (number, unit) in [(years, 'y'), (months, 'm'), (days, 'd'), (hours, 'h')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn before(span: &str, zone: &str, at: &str) -> String {
        let zone: Zone = zone.parse().unwrap();
        let at = at.parse::<DateTime>().unwrap();
        let at = zone.time_zone().to_timestamp(at).unwrap();
        let before = span.parse::<Span>().unwrap().before(at, &zone);
        before.to_zoned(zone.time_zone().clone()).strftime("%FT%T%:z").to_string()
    }

    #[test]
    fn a_day_that_the_month_lacks_runs_over_as_in_restic() {
        for (span, at, expected) in [
            ("1m", "2026-03-31T12:00", "2026-03-03T12:00:00+00:00"),
            ("1m", "2028-03-31T12:00", "2028-03-02T12:00:00+00:00"),
            ("1m", "2026-03-30T12:00", "2026-03-02T12:00:00+00:00"),
            ("1m", "2026-03-28T12:00", "2026-02-28T12:00:00+00:00"),
            ("1m", "2026-07-31T12:00", "2026-07-01T12:00:00+00:00"),
            ("1m1d", "2026-03-31T12:00", "2026-03-02T12:00:00+00:00"),
            ("1y", "2028-02-29T12:00", "2027-03-01T12:00:00+00:00"),
            ("4y", "2028-02-29T12:00", "2024-02-29T12:00:00+00:00"),
            ("1m", "2026-01-31T12:00", "2025-12-31T12:00:00+00:00"),
            ("13m", "2026-01-31T12:00", "2024-12-31T12:00:00+00:00"),
            ("1y2m3d4h", "2026-03-31T12:00", "2025-01-28T08:00:00+00:00"),
        ] {
            assert_eq!(before(span, "UTC", at), expected, "{at} less {span}");
        }
    }

    #[test]
    fn days_are_the_calendars_and_hours_are_elapsed() {
        let after_the_change = "2026-03-29T12:00";

        let day = before("1d", "Europe/Berlin", after_the_change);
        let hours = before("24h", "Europe/Berlin", after_the_change);

        assert_eq!(day, "2026-03-28T12:00:00+01:00");
        assert_eq!(hours, "2026-03-28T11:00:00+01:00");
    }

    #[test]
    fn hours_count_through_a_repeated_hour() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let second_pass: Timestamp = "2026-10-25T01:30:00Z".parse().unwrap();
        let span: Span = "1h".parse().unwrap();

        assert_eq!(span.before(second_pass, &berlin).to_string(), "2026-10-25T00:30:00Z");
        assert_eq!(Span::default().before(second_pass, &berlin), second_pass);
    }

    #[test]
    fn a_span_later_runs_over_too() {
        let at: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let span: Span = "1m".parse().unwrap();

        assert_eq!(span.after(at, &Zone::default()).to_string(), "2026-03-03T12:00:00Z");
    }

    #[test]
    fn a_span_beyond_all_time_ends_there() {
        let span: Span = "99999y".parse().unwrap();

        assert_eq!(span.before(Timestamp::UNIX_EPOCH, &Zone::default()), Timestamp::MIN);
        assert_eq!(span.after(Timestamp::UNIX_EPOCH, &Zone::default()), Timestamp::MAX);
    }

    #[test]
    fn a_span_prints_from_years_to_hours() {
        for (written, printed) in [
            ("14d", "14d"),
            ("4h3d2m1y", "1y2m3d4h"),
            ("0y7d", "7d"),
            ("012h", "12h"),
            ("0h", "0d"),
        ] {
            assert_eq!(written.parse::<Span>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_span_is_refused_with_what_is_allowed() {
        for text in
            ["", "14", "d", "-1d", "+1d", "1.5d", "1w", "1D", "1d1d", "100000d", "1d ", "٣d"]
        {
            text.parse::<Span>().expect_err(text);
        }
        assert_eq!(
            "2w".parse::<Span>().unwrap_err().to_string(),
            "\"2w\" is not a span: allowed are whole numbers up to 99999, each with one of \
             y (years), m (months), d (days), h (hours), such as 14d or 1y2m3d4h"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_as_the_same(parts: [u32; 4]) {
            let [years, months, days, hours] = parts.map(|part| part % (NUMBER_MAX + 1));
            let span = Span { years, months, days, hours };

            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", near in "[0-9ymdh\u{e9}]{0,12}") {
            for text in [text, near] {
                if let Ok(span) = text.parse::<Span>() {
                    span.before(Timestamp::UNIX_EPOCH, &Zone::default());
                }
            }
        }

        #[test]
        fn more_months_reach_further_back(
            second in 0_i64..4_000_000_000,
            [months, more]: [u16; 2],
            days in 0_u32..500,
        ) {
            let at = Timestamp::from_second(second).unwrap();
            let [few, many] = [u32::from(months), u32::from(months) + 1 + u32::from(more)]
                .map(|months| Span { months, days, ..Span::default() })
                .map(|span| span.before(at, &Zone::default()));

            prop_assert!(many < few || many == Timestamp::MIN);
        }
    }
}
