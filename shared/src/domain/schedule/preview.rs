//! The preview of a schedule: when it fires, and which of its local times a clock change skips or repeats.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset};

use crate::domain::schedule::expression::{Expression, LAST_YEAR};
use crate::domain::schedule::slots::Timing;
use crate::domain::schedule::zone::Zone;

/// When a schedule fires, and when it does not although one might think so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub fires: Vec<Fire>,
    /// The matching local times that are skipped, up to the last fire; to the end if there are no more fires.
    pub skipped: Vec<Skipped>,
    /// Of the fires' local times, those that the clock shows twice.
    pub repeated: Vec<Repeated>,
    /// In plain English, with the zone.
    pub description: String,
}

/// One fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fire {
    pub at: Timestamp,
    /// How far the zone's clock is ahead of UTC then.
    pub offset: Offset,
}

/// A matching local time at which nothing fires, since the clock never shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub local: DateTime,
    /// The clock change, in words.
    pub reason: String,
}

/// A matching local time that the clock shows twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    pub local: DateTime,
    /// The one time that it fires: the first.
    pub fires_at: Timestamp,
}

/// The next `count` fires strictly after `from`, with the skipped and repeated local times among them.
pub fn preview(timing: &Timing<'_>, from: Timestamp, count: usize) -> Preview {
    let time_zone = timing.timezone.time_zone();
    let fires: Vec<Fire> = timing
        .slots_after(from)
        .take(count)
        .map(|at| Fire { at, offset: time_zone.to_offset(at) })
        .collect();
    let until = fires.last().filter(|_| fires.len() == count).map(|last| last.at);
    let description = match fires.first() {
        Some(_) => describe(timing),
        None => format!("{}; {}", describe(timing), never(timing, from)),
    };
    Preview {
        skipped: skipped(timing, from, until.unwrap_or(Timestamp::MAX)),
        repeated: fires.iter().filter_map(|fire| repeated(timing, fire)).collect(),
        fires,
        description,
    }
}

/// When it fires, in plain English and with the zone: "at 02:30 every day, Europe/Berlin". A rate knows no zone.
pub fn describe(timing: &Timing<'_>) -> String {
    let text = timing.expression.describe();
    match timing.expression {
        Expression::Rate(_) => text,
        Expression::Cron(_) | Expression::At(_) => format!("{text}, {}", timing.timezone),
    }
}

fn never(timing: &Timing<'_>, from: Timestamp) -> String {
    match timing.end_at {
        None => format!("it never fires after {from}"),
        Some(end) => format!("it never fires after {from} up to its end at {end}"),
    }
}

/// The matching local times that clock changes skip after `from`, up to and with `until` or the schedule's end,
/// in order. What it costs depends on the number of clock changes only: up to two a year as a rule.
pub fn skipped(timing: &Timing<'_>, from: Timestamp, until: Timestamp) -> Vec<Skipped> {
    // A rate knows no local times, and need not look at every clock change there will be.
    if matches!(timing.expression, Expression::Rate(_)) {
        return Vec::new();
    }
    let from = timing.start_at.map_or(from, |start| start.max(from));
    let until = timing.end_at.map_or(until, |end| end.min(until));
    let zone = timing.timezone;
    zone.time_zone()
        .following(from)
        .map(|change| change.timestamp())
        .take_while(|&at| at <= until)
        .filter_map(|at| ClockChange::at(at, zone))
        .take_while(|change| change.before.year() <= LAST_YEAR)
        .flat_map(|change| change.skipped(timing.expression, zone))
        .collect()
}

/// What the clock shows as it is changed: until then, and from then on.
struct ClockChange {
    before: DateTime,
    after: DateTime,
}

impl ClockChange {
    fn at(at: Timestamp, zone: &Zone) -> Option<Self> {
        let just_before = Timestamp::from_nanosecond(at.as_nanosecond() - 1).ok()?;
        let before = zone.time_zone().to_offset(just_before).to_datetime(at);
        Some(Self { before, after: zone.time_zone().to_datetime(at) })
    }

    /// None if the clock goes back, or only its name changes.
    fn skipped(&self, expression: &Expression, zone: &Zone) -> Vec<Skipped> {
        let times = expression.local_times(self.before, self.after);
        times.into_iter().map(|local| Skipped { local, reason: self.in_words(zone) }).collect()
    }

    /// "the clock goes from 02:00 to 03:00 in Europe/Berlin on 2026-03-29".
    fn in_words(&self, zone: &Zone) -> String {
        let Self { before, after } = self;
        let clock = |time: &DateTime| {
            time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
        };
        let (from, to) = (clock(before), clock(after));
        let (date, later) = (before.date(), after.date());
        if date == later {
            format!("the clock goes from {from} to {to} in {zone} on {date}")
        } else {
            format!("the clock goes from {from} on {date} to {to} on {later} in {zone}")
        }
    }
}

fn repeated(timing: &Timing<'_>, fire: &Fire) -> Option<Repeated> {
    // A rate fires twice as well, if it is to.
    if matches!(timing.expression, Expression::Rate(_)) {
        return None;
    }
    let local = fire.offset.to_datetime(fire.at);
    match timing.timezone.time_zone().to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Fold { .. } => Some(Repeated { local, fires_at: fire.at }),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => None,
    }
}

#[cfg(test)]
mod tests;
