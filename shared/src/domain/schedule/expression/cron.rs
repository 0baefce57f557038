//! Every local time that matches six fields.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};

use super::{
    ParseExpressionError,
    field::{self, Field},
    local,
};
use crate::domain::schedule::zone::Zone;

/// The local times that match minutes, hours, a day field, months and years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// As written, with single spaces.
    text: String,
    // Each in order and without doubles.
    pub(super) minutes: Vec<i8>,
    pub(super) hours: Vec<i8>,
    pub(super) days: Days,
    pub(super) months: Vec<i8>,
    pub(super) years: Vec<i16>,
}

/// What the one of the two day fields that is not `?` says. Of weekdays, 1 is Sunday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Days {
    OfMonth(Vec<i8>),
    LastOfMonth,
    /// Monday to Friday, as near as the month allows; no day in a month without that day.
    WeekdayNearest(i8),
    OfWeek(Vec<i8>),
    LastOfWeekday(i8),
    NthOfWeekday {
        weekday: i8,
        nth: i8,
    },
}

impl Cron {
    pub(super) fn next_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        self.local_times(local::time_at(zone, after), DateTime::MAX)
            .filter_map(|time| local::instant(zone, time))
            .find(|&instant| instant > after)
    }

    pub(super) fn last_at_or_before(&self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        self.local_times(DateTime::MIN, local::latest_time_until(zone, at))
            .rev()
            .filter_map(|time| local::instant(zone, time))
            .find(|&instant| instant <= at)
    }

    /// The local times from `first` to `last` that match, in order; found lazily, from either
    /// end. What lies outside is left out as early as its year, month, day or hour shows it.
    pub(super) fn local_times(
        &self,
        first: DateTime,
        last: DateTime,
    ) -> impl DoubleEndedIterator<Item = DateTime> {
        let years = first.year()..=last.year();
        let months = (first.year(), first.month())..=(last.year(), last.month());
        let dates = first.date()..=last.date();
        let hours = (first.date(), first.hour())..=(last.date(), last.hour());
        self.years
            .iter()
            .filter(move |year| years.contains(year))
            .flat_map(|&year| self.months.iter().map(move |&month| (year, month)))
            .filter(move |month| months.contains(month))
            .flat_map(|(year, month)| self.days.of(year, month))
            .filter(move |date| dates.contains(date))
            .flat_map(|date| self.hours.iter().map(move |&hour| (date, hour)))
            .filter(move |hour| hours.contains(hour))
            .flat_map(|(date, hour)| {
                self.minutes.iter().map(move |&minute| date.at(hour, minute, 0, 0))
            })
            .filter(move |time| (first..=last).contains(time))
    }
}

impl Days {
    /// The days of one month, in order.
    fn of(&self, year: i16, month: i8) -> Vec<Date> {
        let Ok(first) = Date::new(year, month, 1) else { return Vec::new() };
        let last = first.days_in_month();
        let weekday_of = |day: i8| (first.weekday().to_sunday_zero_offset() + day - 1) % 7 + 1;
        let first_of = |weekday: i8| (weekday - weekday_of(1)).rem_euclid(7) + 1;
        let days = match self {
            Self::OfMonth(days) => days.clone(),
            Self::LastOfMonth => vec![last],
            Self::WeekdayNearest(day) if *day > last => Vec::new(),
            Self::WeekdayNearest(day) => vec![nearest_weekday(*day, weekday_of(*day), last)],
            Self::OfWeek(weekdays) => {
                (1..=last).filter(|&day| weekdays.contains(&weekday_of(day))).collect()
            }
            Self::LastOfWeekday(weekday) => {
                let first = first_of(*weekday);
                vec![first + (last - first) / 7 * 7]
            }
            Self::NthOfWeekday { weekday, nth } => vec![first_of(*weekday) + (nth - 1) * 7],
        };
        // A month may lack the 31st, or a fifth Monday.
        days.into_iter().filter_map(|day| Date::new(year, month, day).ok()).collect()
    }
}

fn nearest_weekday(day: i8, weekday: i8, last: i8) -> i8 {
    match weekday {
        1 if day == last => day - 2,
        1 => day + 1,
        7 if day == 1 => 3,
        7 => day - 1,
        _ => day,
    }
}

impl FromStr for Cron {
    type Err = ParseExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else {
            let allowed = format!(
                "allowed are six fields (minutes hours day-of-month month day-of-week year), not {}",
                fields.len()
            );
            return Err(ParseExpressionError::new("cron", text, allowed));
        };
        Ok(Self {
            text: fields.join(" "),
            minutes: Field::Minutes.small_values(minutes)?,
            hours: Field::Hours.small_values(hours)?,
            days: days(day_of_month, day_of_week)?,
            months: Field::Month.small_values(month)?,
            years: Field::Year.values(year)?,
        })
    }
}

fn days(day_of_month: &str, day_of_week: &str) -> Result<Days, ParseExpressionError> {
    match (day_of_month, day_of_week) {
        ("?", "?") => Err(Field::DayOfWeek.refuse("?", "exactly one of the day fields is ?")),
        ("?", day_of_week) => days_of_week(day_of_week),
        (day_of_month, "?") => days_of_month(day_of_month),
        (_, day_of_week) => {
            let because = "exactly one of the day fields is ?, and day-of-month is not";
            Err(Field::DayOfWeek.refuse(day_of_week, because))
        }
    }
}

fn days_of_month(text: &str) -> Result<Days, ParseExpressionError> {
    let field = Field::DayOfMonth;
    if text == "L" {
        return Ok(Days::LastOfMonth);
    }
    if let Some(day) = text.strip_suffix('W')
        && field::number(day).is_some()
    {
        return Ok(Days::WeekdayNearest(small(field, day)?));
    }
    if text.contains(['L', 'W']) {
        return Err(field.refuse(text, "L stands alone, and W after one day, such as 15W"));
    }
    Ok(Days::OfMonth(field.small_values(text)?))
}

fn days_of_week(text: &str) -> Result<Days, ParseExpressionError> {
    let field = Field::DayOfWeek;
    if text == "L" {
        return Ok(Days::OfWeek(vec![7]));
    }
    if text.contains(',') && (text.contains('#') || text.split(',').any(|day| day.ends_with('L'))) {
        return Err(field.refuse(text, "L and # are not allowed in a list"));
    }
    if let Some(weekday) = text.strip_suffix('L') {
        return Ok(Days::LastOfWeekday(small(field, weekday)?));
    }
    if let Some((weekday, nth)) = text.split_once('#') {
        let because = "after # comes a number from 1 to 5";
        let nth = field::number(nth)
            .and_then(|nth| i8::try_from(nth).ok())
            .filter(|nth| (1..=5).contains(nth))
            .ok_or_else(|| field.refuse(text, because))?;
        return Ok(Days::NthOfWeekday { weekday: small(field, weekday)?, nth });
    }
    Ok(Days::OfWeek(field.small_values(text)?))
}

fn small(field: Field, text: &str) -> Result<i8, ParseExpressionError> {
    let value = field.value(text)?;
    i8::try_from(value).map_err(|_| field.refuse(text, ""))
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
