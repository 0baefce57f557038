//! The days of a calendar, and how their slots went in numbers.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::run::promise::SlotOutcome;
use crate::domain::schedule::zone::Zone;
use crate::error::Error;

/// How many days one calendar has at the most.
pub const DAYS_MAX: i64 = 31;

/// Which days are wanted, in which zone.
#[derive(Clone, Debug)]
pub struct CalendarDays {
    pub from: Date,
    /// The last day, which is in it.
    pub to: Date,
    pub zone: Zone,
}

impl CalendarDays {
    /// The days, checked: at most 31, and in order.
    pub fn checked(from: Date, to: Date, zone: Zone) -> Result<Self, Error> {
        let last = from.checked_add((DAYS_MAX - 1).days()).unwrap_or(Date::MAX);
        if to < from || to > last {
            let allowed = format!("must lie 0 to {} days after from", DAYS_MAX - 1);
            return Err(Error::invalid("to", allowed));
        }
        Ok(Self { from, to, zone })
    }

    /// The instants that they begin and end at.
    pub(super) fn bounds(&self) -> Result<(Timestamp, Timestamp), Error> {
        let start = |date: Date| {
            let zoned = date.to_zoned(self.zone.time_zone().clone());
            zoned
                .map(|zoned| zoned.timestamp())
                .map_err(|_| Error::invalid("from", "is no day there"))
        };
        let after = self.to.tomorrow().map_err(|_| Error::invalid("to", "is the end of time"))?;
        Ok((start(self.from)?, start(after)?))
    }

    /// The day of an instant.
    pub fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.time_zone().clone()).date()
    }
}

/// How many slots of a day it went how with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    pub due: usize,
    pub met: usize,
    pub late: usize,
    pub missed: usize,
    pub failed: usize,
    pub put_off: usize,
    pub open: usize,
}

impl DayCounts {
    pub(super) fn add(&mut self, outcome: SlotOutcome) {
        self.due += 1;
        match outcome {
            SlotOutcome::Met => self.met += 1,
            SlotOutcome::Late => self.late += 1,
            SlotOutcome::Missed => self.missed += 1,
            SlotOutcome::Failed => self.failed += 1,
            SlotOutcome::PutOff => self.put_off += 1,
            SlotOutcome::Open => self.open += 1,
        }
    }
}
