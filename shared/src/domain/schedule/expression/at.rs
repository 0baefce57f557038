//! One local time, once.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::DateTime};

use super::{ParseExpressionError, field::YEARS, local};
use crate::domain::schedule::zone::Zone;

/// One local time; in a zone whose clock skips it, it never comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At(DateTime);

impl At {
    pub(super) fn instant(&self, zone: &Zone) -> Option<Timestamp> {
        local::instant(zone, self.0)
    }

    pub(super) fn local_time(&self) -> DateTime {
        self.0
    }

    pub(super) fn describe(&self) -> String {
        let pattern = if self.0.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        format!("once, at {} on {}", self.0.strftime(pattern), self.0.strftime("%-d %B %Y"))
    }
}

impl FromStr for At {
    type Err = ParseExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = "allowed is yyyy-mm-ddThh:mm:ss, a day that the calendar has, \
                       in the years 1970-2199";
        let refused = || ParseExpressionError::new("at", text, allowed);
        let time: DateTime = text.parse().map_err(|_| refused())?;
        // What prints otherwise was written otherwise: without seconds, or 23:59:60.
        let is_as_written = time.to_string() == text && time.subsec_nanosecond() == 0;
        if !is_as_written || !YEARS.contains(&time.year()) {
            return Err(refused());
        }
        Ok(Self(time))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
