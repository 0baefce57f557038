//! The time zone of a schedule: an IANA name and the clock changes behind it.

use std::{fmt, str::FromStr};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// `EventBridge` allows no longer name.
const NAME_LENGTH_MAX: usize = 50;

/// An IANA time zone that this program knows the clock changes of; UTC unless said otherwise.
///
/// Two zones are equal if they have the same name, whatever their clocks do. A name is printed
/// as IANA spells it, in whatever case it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    time_zone: TimeZone,
}

/// A text that is not the name of a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "time zone is {name:?}: allowed are IANA names such as Europe/Berlin or UTC, \
     at most {NAME_LENGTH_MAX} characters long"
)]
pub struct ParseZoneError {
    name: String,
}

impl Zone {
    /// The zone's name, such as `Europe/Berlin`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's offsets and clock changes.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), time_zone: TimeZone::UTC }
    }
}

impl FromStr for Zone {
    type Err = ParseZoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseZoneError { name: text.chars().take(NAME_LENGTH_MAX).collect() };
        if text.len() > NAME_LENGTH_MAX {
            return Err(refused());
        }
        let time_zone = TimeZone::get(text).map_err(|_| refused())?;
        // `Etc/Unknown` is a placeholder that behaves as UTC: nobody means it.
        if time_zone.is_unknown() {
            return Err(refused());
        }
        let name = time_zone.iana_name().ok_or_else(refused)?.to_owned();
        Ok(Self { name, time_zone })
    }
}

impl TryFrom<String> for Zone {
    type Error = ParseZoneError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_prints_as_iana_spells_it() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu"] {
            assert_eq!(name.parse::<Zone>().unwrap().to_string(), name);
        }
        assert_eq!("europe/berlin".parse::<Zone>().unwrap().name(), "Europe/Berlin");
    }

    #[test]
    fn utc_is_the_default() {
        assert_eq!(Zone::default(), "UTC".parse().unwrap());
    }

    #[test]
    fn what_is_no_zone_is_refused_with_what_is_allowed() {
        let long = "Europe/".repeat(20);
        for text in ["", "Mars/Olympus", "+02:00", "CEST", "Etc/Unknown", " UTC", "\0", &long] {
            text.parse::<Zone>().unwrap_err();
        }
        assert_eq!(
            "Mars/Olympus".parse::<Zone>().unwrap_err().to_string(),
            "time zone is \"Mars/Olympus\": allowed are IANA names such as Europe/Berlin or UTC, \
             at most 50 characters long"
        );
    }

    #[test]
    fn a_zone_is_its_name_in_json() {
        let zone: Zone = serde_json::from_str("\"Asia/Kolkata\"").unwrap();

        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Kolkata\"");
        serde_json::from_str::<Zone>("\"Asia/Nowhere\"").unwrap_err();
    }
}
