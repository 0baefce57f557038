//! Again and again after the same elapsed time.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use super::ParseExpressionError;

const VALUE_MAX: u32 = 999_999;

/// A period of elapsed time: an hour is an hour and a day is 24 of them, whatever clocks do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    value: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

impl Rate {
    /// How long it is from one fire to the next.
    pub fn period_seconds(&self) -> i64 {
        let unit_seconds = match self.unit {
            Unit::Minute => 60,
            Unit::Hour => 3_600,
            Unit::Day => 86_400,
        };
        i64::from(self.value) * unit_seconds
    }

    pub(super) fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let count = self.periods_since(anchor, after) + 1;
        self.fire(anchor, count.max(1))
    }

    pub(super) fn last_at_or_before(&self, anchor: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let count = self.periods_since(anchor, at);
        if count < 1 { None } else { self.fire(anchor, count) }
    }

    /// Whole periods from `anchor` to `at`, rounded down.
    fn periods_since(&self, anchor: Timestamp, at: Timestamp) -> i128 {
        (at.as_nanosecond() - anchor.as_nanosecond()).div_euclid(self.period_nanoseconds())
    }

    fn fire(&self, anchor: Timestamp, count: i128) -> Option<Timestamp> {
        let instant = anchor.as_nanosecond() + count * self.period_nanoseconds();
        Timestamp::from_nanosecond(instant).ok()
    }

    fn period_nanoseconds(&self) -> i128 {
        i128::from(self.period_seconds()) * 1_000_000_000
    }

    pub(super) fn describe(&self) -> String {
        match (self.value, self.unit) {
            (1, Unit::Minute) => "every minute".to_owned(),
            (1, Unit::Hour) => "every hour".to_owned(),
            // Not "every day", which is at the same time of day.
            (1, Unit::Day) => "every 24 hours".to_owned(),
            (_, Unit::Minute | Unit::Hour | Unit::Day) => format!("every {self}"),
        }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl FromStr for Rate {
    type Err = ParseExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split(char::is_whitespace).collect();
        let (&[value, unit], true) = (words.as_slice(), !words.contains(&"")) else {
            let allowed = "allowed are a value, one blank and a unit, such as 5 minutes";
            return Err(ParseExpressionError::new("rate", text, allowed));
        };
        let number = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok());
        let number = number.flatten().filter(|number| (1..=VALUE_MAX).contains(number));
        let number = number.ok_or_else(|| {
            let allowed = format!("allowed are whole numbers from 1 to {VALUE_MAX}");
            ParseExpressionError::new("rate's value", value, allowed)
        })?;
        let unit = match (number, unit) {
            (1, "minute") | (2.., "minutes") => Unit::Minute,
            (1, "hour") | (2.., "hours") => Unit::Hour,
            (1, "day") | (2.., "days") => Unit::Day,
            (_, _) => {
                let allowed = if number == 1 {
                    "allowed after 1 are minute, hour and day"
                } else {
                    "allowed after more than 1 are minutes, hours and days"
                };
                return Err(ParseExpressionError::new("rate's unit", unit, allowed));
            }
        };
        Ok(Self { value: number, unit })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.value == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.value, self.unit.name())
    }
}
