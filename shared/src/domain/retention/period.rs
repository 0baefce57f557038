//! The periods of which a rule keeps the newest snapshot.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, date},
};

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

    /// The key of the period that an instant is in, but for `Each`, of which it is always the same.
    pub(super) fn key_at(self, at: Timestamp, zone: &Zone) -> i64 {
        self.key(&Moment::new(at, zone), 0)
    }

    /// When the period that `at` is in ends, or a clock change within its hour: never later than the next one
    /// begins. For `Each`, it is `at` itself; none if time ends before.
    pub(super) fn end(self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let time_zone = zone.time_zone();
        let local = time_zone.to_datetime(at);
        let today = local.date();
        let first_of_month = Date::new(local.year(), local.month(), 1).ok()?;
        let next_begins = match self {
            Self::Each => return Some(at),
            Self::Hour => {
                let hour = DateTime::from_parts(
                    today,
                    local.time().with().minute(0).second(0).subsec_nanosecond(0).build().ok()?,
                );
                let end =
                    at.checked_add(SignedDuration::from_hours(1) - local.duration_since(hour));
                let change = time_zone.following(at).next().map(|change| change.timestamp());
                return change.into_iter().chain(end.ok()).min();
            }
            Self::Day => today.tomorrow().ok()?,
            Self::Week => {
                let days = 7 - i64::from(today.weekday().to_monday_zero_offset());
                today.checked_add(SignedDuration::from_hours(24 * days)).ok()?
            }
            Self::Month => first_of_month.last_of_month().tomorrow().ok()?,
            Self::Year => first_of_month.last_of_year().tomorrow().ok()?,
        };
        // Where a clock change skips midnight, this is the change; where one repeats it, the first time.
        time_zone.to_timestamp(next_begins.at(0, 0, 0, 0)).ok()
    }
}
