//! The keys of the audit, of timelines and of the outbox.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Index, IndexKeys, Key, instant};
use crate::domain::audit::{AuditItem, Timeline};
use crate::domain::ids::EventId;

/// Where the events are that wait to be published.
pub const OUTBOX: &str = "OUTBOX";

/// Where the entries of a day are, in UTC.
pub fn day(day: Date) -> String {
    format!("AUDIT#{day}")
}

/// Where an entry sorts, within its day and on its timeline. What becomes of one record at one instant stays in order.
pub fn position(at: Timestamp, version: u64, id: &EventId) -> String {
    format!("{}#{version:08}#{id}", instant(at))
}

/// A bound below all that is at `at` or later, and above all that is earlier.
pub fn before(at: Timestamp) -> String {
    instant(at)
}

/// The instant of a position or a bound; none if it is neither.
pub fn instant_of(position: &str) -> Option<Timestamp> {
    position.split('#').next()?.parse().ok()
}

/// The day that an instant is on, in UTC.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// An entry of the audit.
pub fn audit(item: &AuditItem) -> Key {
    Key::new(day(day_of(item.at)), position(item.at, item.version, &item.id))
}

/// An event that waits to be published.
pub fn outbox(at: Timestamp, version: u64, id: &EventId) -> Key {
    Key::new(OUTBOX, position(at, version, id))
}

/// A timeline's partition of [`Index::Schedule`]; of what was written before also of [`Index::Instance`].
pub fn timeline(timeline: &Timeline) -> String {
    match timeline {
        Timeline::Instance(id) => format!("HISTORY#{id}"),
        Timeline::Schedule(id) => format!("HISTORY#{id}"),
    }
}

/// The partition of [`Index::All`] in which the entries of a request are: the same list as on a timeline, of people's requests
/// alone.
pub fn request(id: &str) -> String {
    format!("REQUEST#{id}")
}

/// The index keys of an entry.
pub(in crate::table) fn of_entry(on: Option<&Timeline>, item: &AuditItem) -> IndexKeys {
    let on = on.map(|on| (Index::Schedule.partition(), timeline(on)));
    let by = item.actor.request_id().map(|id| (Index::All.partition(), request(id)));
    let mut keys: IndexKeys = on.into_iter().chain(by).collect();
    if !keys.is_empty() {
        keys.push((Index::Schedule.sort(), position(item.at, item.version, &item.id)));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_lies_below_all_of_its_instant_and_above_all_before() {
        let at: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let earlier: Timestamp = "2026-02-28T23:59:59.999Z".parse().unwrap();
        let id = EventId::derived(at, &["x"]);

        assert!(before(at) < position(at, 1, &id));
        assert!(before(at) > position(earlier, 1, &id));
        assert!(position(at, 9, &id) < position(at, 10, &id));
        assert_eq!(instant_of(&position(at, 1, &id)), Some(at));
        assert_eq!(instant_of(&before(at)), Some(at));
        assert_eq!(instant_of("x"), None);
        assert_eq!(day(day_of(earlier)), "AUDIT#2026-02-28");
    }
}
