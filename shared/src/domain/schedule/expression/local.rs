//! Local times against instants, where a clock change makes it interesting.

use jiff::{Span, Timestamp, civil::DateTime, tz::AmbiguousOffset};

use crate::domain::schedule::zone::Zone;

/// The instant of a local time: none if a clock change skips it, the first if one repeats it.
///
/// A later local time always has a later instant.
pub(super) fn instant(zone: &Zone, local: DateTime) -> Option<Timestamp> {
    match zone.time_zone().to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
    }
}

/// What the clock shows at an instant.
pub(super) fn time_at(zone: &Zone, at: Timestamp) -> DateTime {
    zone.time_zone().to_datetime(at)
}

/// The latest time that the clock has shown up to an instant.
///
/// While the clock goes through a repeated hour, that is the end of the hour's first pass.
pub(super) fn latest_time_until(zone: &Zone, at: Timestamp) -> DateTime {
    let nanosecond = Span::new().nanoseconds(1);
    let change = at
        .checked_add(nanosecond)
        .ok()
        .and_then(|just_after| zone.time_zone().preceding(just_after).next())
        .and_then(|change| change.timestamp().checked_sub(nanosecond).ok());
    let now = time_at(zone, at);
    change.map_or(now, |just_before_change| now.max(time_at(zone, just_before_change)))
}
