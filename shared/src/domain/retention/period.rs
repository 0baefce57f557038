//! The periods of which a rule keeps the newest snapshot.

use jiff::{Timestamp, civil::date};

use crate::domain::schedule::zone::Zone;

/// A kind of period. For `Each`, every snapshot is a period of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Period {
    Each,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// When a snapshot was taken, and which hour, day, week, month and year of a zone that is: all that rules
/// look at. Each is a number that is greater for a later period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    at: Timestamp,
    hour: i64,
    day: i64,
    week: i64,
    month: i64,
    year: i64,
}

impl Moment {
    /// An hour that a clock change repeats is two; a week belongs to its ISO year.
    pub fn new(at: Timestamp, zone: &Zone) -> Self {
        let offset = zone.time_zone().to_offset(at);
        let local = offset.to_datetime(at);
        let hours = local.date().duration_since(date(1970, 1, 1)).as_hours();
        let hour_began = (hours + i64::from(local.hour())) * 3_600;
        let week = local.date().iso_week_date();
        let year = i64::from(local.year());
        let month = year * 100 + i64::from(local.month());
        Self {
            at,
            hour: hour_began - i64::from(offset.seconds()),
            day: month * 100 + i64::from(local.day()),
            week: i64::from(week.year()) * 100 + i64::from(week.week()),
            month,
            year,
        }
    }

    /// The instant itself.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl Period {
    /// As reasons say it.
    pub(super) fn adjective(self) -> &'static str {
        match self {
            Self::Each => "last",
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Year => "yearly",
        }
    }

    /// As descriptions say it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Each => "snapshot",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The period of a moment that so many others are newer than, as a number that is greater for a later one.
    pub(super) fn key(self, moment: &Moment, newer: u32) -> i64 {
        match self {
            Self::Each => -i64::from(newer),
            Self::Hour => moment.hour,
            Self::Day => moment.day,
            Self::Week => moment.week,
            Self::Month => moment.month,
            Self::Year => moment.year,
        }
    }
}
