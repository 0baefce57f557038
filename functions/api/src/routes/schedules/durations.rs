//! Lengths of time as bodies give them, within what is allowed.

use serde::Deserialize;
use shared::domain::retention::Span;
use shared::domain::schedule as domain;
use shared::domain::schedule::drills;

use super::super::wire::GRACE_MINUTES_MAX;

/// A number of minutes, up to a year.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Minutes(pub(super) u32);

impl TryFrom<i64> for Minutes {
    type Error = String;

    fn try_from(minutes: i64) -> Result<Self, Self::Error> {
        let minutes = u32::try_from(minutes).ok().filter(|minutes| *minutes <= GRACE_MINUTES_MAX);
        let refusal = || format!("must be a number of minutes from 0 to {GRACE_MINUTES_MAX}");
        minutes.map(Self).ok_or_else(refusal)
    }
}

/// A number of minutes over which targets are staggered.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Spread(pub(super) u32);

impl TryFrom<i64> for Spread {
    type Error = String;

    fn try_from(minutes: i64) -> Result<Self, Self::Error> {
        let most = domain::SPREAD_MINUTES_MAX;
        let minutes = u32::try_from(minutes).ok().filter(|minutes| (1..=most).contains(minutes));
        let refusal = || format!("must be a number of minutes from 1 to {most}, or null for none");
        minutes.map(Self).ok_or_else(refusal)
    }
}

/// A span of time that is not none at all.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Span")]
pub(super) struct Window(pub(super) Span);

impl TryFrom<Span> for Window {
    type Error = &'static str;

    fn try_from(span: Span) -> Result<Self, Self::Error> {
        if span.is_zero() {
            Err("must be longer than none, or null for ever")
        } else {
            Ok(Self(span))
        }
    }
}

/// How far apart drills lie.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Span")]
pub(super) struct DrillEvery(pub(super) Span);

impl TryFrom<Span> for DrillEvery {
    type Error = String;

    fn try_from(every: Span) -> Result<Self, Self::Error> {
        if drills::is_allowed(every) {
            Ok(Self(every))
        } else {
            Err(format!("must be from {}, or null for no drills", drills::EVERY_ALLOWED))
        }
    }
}
