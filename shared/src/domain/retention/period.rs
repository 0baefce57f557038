//! The periods of which a rule keeps the newest snapshot.

use jiff::{
    civil::{DateTime, date},
    tz::Offset,
};

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

/// When a snapshot was taken, as rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// How many snapshots are newer.
    pub(super) newer: i64,
    pub(super) local: DateTime,
    pub(super) offset: Offset,
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

    /// The period that a moment is in, as a number that is greater for a later period.
    ///
    /// An hour that a clock change repeats is two; a week belongs to its ISO year.
    pub(super) fn key(self, moment: &Moment) -> i64 {
        let local = moment.local;
        let (year, month, day) = (i64::from(local.year()), local.month(), local.day());
        match self {
            Self::Each => -moment.newer,
            Self::Hour => {
                let hours = local.date().duration_since(date(1970, 1, 1)).as_hours();
                let began = (hours + i64::from(local.hour())) * 3_600;
                began - i64::from(moment.offset.seconds())
            }
            Self::Day => year * 10_000 + i64::from(month) * 100 + i64::from(day),
            Self::Week => {
                let week = local.date().iso_week_date();
                i64::from(week.year()) * 100 + i64::from(week.week())
            }
            Self::Month => year * 100 + i64::from(month),
            Self::Year => year,
        }
    }
}
