//! The amount stored day by day, from what stands now and what came and went.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Dimension, Measure, Row, Tally, date_of, seconds_left};
use crate::domain::chain::Estimates;

const SECONDS_OF_DAY: i64 = 86_400;

/// A day in UTC, in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    /// Snapshots that came to be stored.
    pub added: i64,
    /// Snapshots that ceased to be.
    pub gone: i64,
    /// The sizes of their volumes.
    pub added_gib: i64,
    /// Those of what ceased to be.
    pub gone_gib: i64,
    /// The sizes of the volumes of what was stored as the day ended, or is now.
    pub volume_gib: i64,
    /// These sizes over the seconds of the day, or of what has passed of it.
    pub gib_seconds: i64,
    /// What the snapshots added to their chains at the day's last count; a day without a count that found something has
    /// that of the one before.
    pub estimates: Option<Estimates>,
}

/// The days from `from` to `now`, in order, of a region of which `volume_gib` is stored now, given its rows of all days
/// since then.
pub fn days(rows: &[&Row], volume_gib: i64, from: Date, now: Timestamp) -> Vec<Day> {
    let rows: BTreeMap<Date, &Row> = rows
        .iter()
        .filter_map(|row| match &row.dimension {
            Dimension::Day(date, _) => Some((*date, *row)),
            Dimension::Region(_) | Dimension::Instance(..) | Dimension::Schedule(..) => None,
        })
        .collect();
    let nothing = Tally::default();
    let mut days = Vec::new();
    let mut date = date_of(now);
    let mut standing = volume_gib;
    while date >= from {
        let row = rows.get(&date);
        let tally = row.map_or(&nothing, |row| &row.tally);
        let left = seconds_left(date, now).clamp(0, SECONDS_OF_DAY);
        let (added_gib, gone_gib) = (tally.get(Measure::AddedGib), tally.get(Measure::GoneGib));
        let begun = standing - added_gib + gone_gib;
        let whole = begun * SECONDS_OF_DAY + tally.get(Measure::GibSeconds);
        days.push(Day {
            date,
            added: tally.get(Measure::AddedStored),
            gone: tally.get(Measure::GoneStored),
            added_gib,
            gone_gib,
            volume_gib: standing,
            // What stands now would stand until the day ends.
            gib_seconds: whole - standing * left,
            estimates: row.and_then(|row| row.estimates),
        });
        standing = begun;
        let Ok(before) = date.yesterday() else { break };
        date = before;
    }
    days.reverse();
    let mut known = None;
    for day in &mut days {
        known = day.estimates.filter(|estimates| estimates.volume_gib > 0).or(known);
        day.estimates = known;
    }
    days
}
