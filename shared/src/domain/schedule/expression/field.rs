//! The fields of `cron(…)`: what each may hold, and how its numbers are read.

use std::ops::RangeInclusive;

use super::ParseExpressionError;

/// The years that `EventBridge` knows.
pub(super) const YEARS: RangeInclusive<i16> = 1970..=2199;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One of the six fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Minutes,
    Hours,
    DayOfMonth,
    Month,
    DayOfWeek,
    Year,
}

impl Field {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::Year => "year",
        }
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Minutes => "allowed are 0-59 with , - * /",
            Self::Hours => "allowed are 0-23 with , - * /",
            Self::DayOfMonth => "allowed are 1-31 with , - * ? / L W",
            Self::Month => "allowed are 1-12 or JAN-DEC with , - * /",
            Self::DayOfWeek => "allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #",
            Self::Year => "allowed are 1970-2199 with , - * /",
        }
    }

    fn range(self) -> RangeInclusive<i16> {
        match self {
            Self::Minutes => 0..=59,
            Self::Hours => 0..=23,
            Self::DayOfMonth => 1..=31,
            Self::Month => 1..=12,
            Self::DayOfWeek => 1..=7,
            Self::Year => YEARS,
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            Self::Minutes | Self::Hours | Self::DayOfMonth | Self::Year => &[],
        }
    }

    /// The error for `value` in this field; `because` may be empty.
    pub(super) fn refuse(self, value: &str, because: &str) -> ParseExpressionError {
        let separator = if because.is_empty() { "" } else { "; " };
        let allowed = format!("{because}{separator}{}", self.allowed());
        ParseExpressionError::new(self.name(), value, allowed)
    }

    /// Every value that a list of values, ranges and steps means, in order and each once.
    pub(super) fn values(self, text: &str) -> Result<Vec<i16>, ParseExpressionError> {
        if text == "*" {
            return Ok(self.range().collect());
        }
        let mut values = Vec::new();
        for item in text.split(',') {
            values.extend(self.item(item)?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    /// As `values`, for the fields whose values are small.
    pub(super) fn small_values(self, text: &str) -> Result<Vec<i8>, ParseExpressionError> {
        let values = self.values(text)?;
        Ok(values.into_iter().filter_map(|value| i8::try_from(value).ok()).collect())
    }

    fn item(self, item: &str) -> Result<Vec<i16>, ParseExpressionError> {
        if let Some((first, step)) = item.split_once('/') {
            return self.steps(item, first, step);
        }
        match item.split_once('-') {
            Some((first, last)) => self.between(item, first, last),
            None => Ok(vec![self.value(item)?]),
        }
    }

    /// From the one to the other; a range that ends before it begins goes on at the field's least value.
    fn between(
        self,
        item: &str,
        first: &str,
        last: &str,
    ) -> Result<Vec<i16>, ParseExpressionError> {
        let (first, last) = (self.value(first)?, self.value(last)?);
        if first <= last {
            return Ok((first..=last).collect());
        }
        if self == Self::Year {
            return Err(self.refuse(item, "the range ends before it begins"));
        }
        let range = self.range();
        Ok((first..=*range.end()).chain(*range.start()..=last).collect())
    }

    fn steps(self, item: &str, first: &str, step: &str) -> Result<Vec<i16>, ParseExpressionError> {
        if self == Self::DayOfWeek {
            return Err(self.refuse(item, "steps are not part of this field"));
        }
        let range = self.range();
        let values: Vec<i16> = match first.split_once('-') {
            // 11-23/2: within a range, to its end.
            Some((first, last)) => self.between(item, first, last)?,
            None if first == "*" => range.clone().collect(),
            None => (self.value(first)?..=*range.end()).collect(),
        };
        let most = self.step_max();
        let step = number(step).filter(|step| (1..=most).contains(step));
        let step = step.ok_or_else(|| self.refuse(item, &format!("a step is from 1 to {most}")))?;
        Ok(values.into_iter().step_by(step).collect())
    }

    /// The largest step, as Quartz has them, whose dialect this is: `*/60` minutes are refused.
    fn step_max(self) -> usize {
        match self {
            Self::Minutes | Self::Hours | Self::DayOfMonth | Self::Month | Self::DayOfWeek => {
                usize::try_from(*self.range().end()).unwrap_or_default()
            }
            Self::Year => self.range().count(),
        }
    }

    /// One number or name.
    pub(super) fn value(self, text: &str) -> Result<i16, ParseExpressionError> {
        let upper = text.to_ascii_uppercase();
        let named = (1..).zip(self.names()).find(|(_, name)| **name == upper);
        if let Some((value, name)) = named {
            return if *name == text {
                Ok(value)
            } else {
                Err(self.refuse(text, "names are in upper case"))
            };
        }
        number(text)
            .and_then(|value| i16::try_from(value).ok())
            .filter(|value| self.range().contains(value))
            .ok_or_else(|| self.refuse(text, ""))
    }
}

/// A number of digits only: `+5` and the digits of other scripts are not meant.
pub(super) fn number(text: &str) -> Option<usize> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
