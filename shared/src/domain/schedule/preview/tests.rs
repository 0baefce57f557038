//! Previews, example by example, and against a clock that is read minute by minute.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, ToSpan as _};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A schedule made at `from`, as a preview of an expression alone has it.
struct Case {
    expression: Expression,
    zone: Zone,
    from: Timestamp,
    bounds: (Option<Timestamp>, Option<Timestamp>),
}

impl Case {
    fn new(expression: &str, zone: &str, from: &str) -> Self {
        Self {
            expression: expression.parse().unwrap(),
            zone: zone.parse().unwrap(),
            from: at(from),
            bounds: (None, None),
        }
    }

    fn within(self, start_at: Option<&str>, end_at: Option<&str>) -> Self {
        Self { bounds: (start_at.map(at), end_at.map(at)), ..self }
    }

    fn preview(&self, count: usize) -> Preview {
        let (start_at, end_at) = self.bounds;
        let timing = Timing {
            expression: &self.expression,
            timezone: &self.zone,
            anchor: start_at.unwrap_or(self.from),
            start_at,
            end_at,
        };
        preview(&timing, self.from, count)
    }

    fn text(&self, count: usize) -> String {
        let Preview { fires, skipped, repeated, description } = self.preview(count);
        let mut text = format!("{description}\n");
        for Fire { at, offset } in fires {
            writeln!(text, "{at} {}", at.display_with_offset(offset)).unwrap();
        }
        for Skipped { local, reason } in skipped {
            writeln!(text, "skipped {local}: {reason}").unwrap();
        }
        for Repeated { local, fires_at } in repeated {
            writeln!(text, "repeated {local}: fires at {fires_at}").unwrap();
        }
        text
    }
}

#[test]
fn a_night_that_has_no_half_past_two_is_skipped_and_said_so() {
    let case = Case::new("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T00:00:00Z");

    insta::assert_snapshot!(case.text(2), @r"
    at 02:30 every day, Europe/Berlin
    2026-03-28T01:30:00Z 2026-03-28T02:30:00+01:00
    2026-03-30T00:30:00Z 2026-03-30T02:30:00+02:00
    skipped 2026-03-29T02:30:00: the clock goes from 02:00 to 03:00 in Europe/Berlin on 2026-03-29
    ");
}

#[test]
fn a_time_that_comes_twice_fires_the_first_time() {
    let case = Case::new("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z");

    insta::assert_snapshot!(case.text(2), @r"
    at 02:30 every day, Europe/Berlin
    2026-10-25T00:30:00Z 2026-10-25T02:30:00+02:00
    2026-10-26T01:30:00Z 2026-10-26T02:30:00+01:00
    repeated 2026-10-25T02:30:00: fires at 2026-10-25T00:30:00Z
    ");
}

#[test]
fn half_an_hour_and_a_whole_day_can_be_skipped() {
    let half = Case::new("cron(0/20 2 * * ? *)", "Australia/Lord_Howe", "2026-10-03T12:00:00Z");
    let day = Case::new("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29T00:00:00Z");

    insta::assert_snapshot!(half.text(1), @r"
    at 02:00, 02:20 and 02:40 every day, Australia/Lord_Howe
    2026-10-03T15:40:00Z 2026-10-04T02:40:00+11:00
    skipped 2026-10-04T02:00:00: the clock goes from 02:00 to 02:30 in Australia/Lord_Howe on 2026-10-04
    skipped 2026-10-04T02:20:00: the clock goes from 02:00 to 02:30 in Australia/Lord_Howe on 2026-10-04
    ");
    insta::assert_snapshot!(day.text(2), @r"
    at 12:00 every day, Pacific/Apia
    2011-12-29T22:00:00Z 2011-12-29T12:00:00-10:00
    2011-12-30T22:00:00Z 2011-12-31T12:00:00+14:00
    skipped 2011-12-30T12:00:00: the clock goes from 00:00 on 2011-12-30 to 00:00 on 2011-12-31 in Pacific/Apia
    ");
}

#[test]
fn a_rate_has_no_zone_and_skips_and_repeats_nothing() {
    let case = Case::new("rate(30 minutes)", "Europe/Berlin", "2026-10-24T23:30:00Z");

    let preview = case.preview(6);

    assert_eq!(preview.description, "every 30 minutes");
    assert_eq!(preview.fires[0].at, at("2026-10-25T00:00:00Z"));
    assert!(preview.skipped.is_empty() && preview.repeated.is_empty());
}

#[test]
fn what_is_once_and_skipped_never_fires() {
    let case = Case::new("at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-03-01T00:00:00Z");

    insta::assert_snapshot!(case.text(10), @r"
    once, at 02:30 on 29 March 2026, Europe/Berlin; it never fires after 2026-03-01T00:00:00Z
    skipped 2026-03-29T02:30:00: the clock goes from 02:00 to 03:00 in Europe/Berlin on 2026-03-29
    ");
}

#[test]
fn thirty_february_never_fires() {
    let case = Case::new("cron(0 0 30 2 ? *)", "Europe/Berlin", "2026-03-01T00:00:00Z");

    let preview = case.preview(10);

    assert!(preview.fires.is_empty() && preview.skipped.is_empty());
    assert!(preview.description.contains("it never fires after 2026-03-01T00:00:00Z"));
}

#[test]
fn start_and_end_belong_to_the_schedule() {
    let (start, end) = ("2026-03-01T12:00:00Z", "2026-03-03T12:00:00Z");
    let case = Case::new("cron(0 12 * * ? *)", "UTC", "2026-01-01T00:00:00Z");
    let rate = Case::new("rate(12 hours)", "UTC", "2026-03-01T06:00:00Z");

    let fires = |case: Case| case.preview(9).fires.iter().map(|one| one.at).collect::<Vec<_>>();

    let noon = |day: i64| at(start) + SignedDuration::from_hours(24 * day);
    assert_eq!(fires(case.within(Some(start), Some(end))), [noon(0), noon(1), noon(2)]);
    let half = |count: i64| at(start) + SignedDuration::from_hours(12 * count);
    assert_eq!(fires(rate.within(Some(start), Some(end))), [1, 2, 3, 4].map(half));
}

#[test]
fn what_is_skipped_outside_start_and_end_is_not_told() {
    let case = || Case::new("cron(30 2 * * ? *)", "Europe/Berlin", "2026-01-01T00:00:00Z");
    let change = "2026-03-29T01:00:00Z";

    let before_start = case().within(Some(change), None).preview(3);
    let after_end = case().within(None, Some("2026-03-29T00:59:59Z")).preview(500);
    let at_end = case().within(None, Some(change)).preview(500);

    assert!(before_start.skipped.is_empty());
    assert!(after_end.skipped.is_empty());
    assert_eq!(at_end.skipped.len(), 1);
}

#[test]
fn sparse_and_dense_expressions_are_both_cheap() {
    // The fifth Monday of February is the 29th of a leap year: four times until 2199.
    let sparse = Case::new("cron(30 2 ? 2 2#5 *)", "Africa/Casablanca", "2026-03-01T00:00:00Z");
    let dense = Case::new("cron(* * * * ? *)", "Pacific/Apia", "2011-12-30T08:00:00Z");

    assert!((1..20).contains(&sparse.preview(500).fires.len()));
    let dense = dense.preview(500);
    assert_eq!((dense.fires.len(), dense.skipped.len()), (500, 24 * 60));
}

/// Minutes in steps, in a range of hours, every day.
#[derive(Clone, Copy, Debug)]
struct Daily {
    step: i8,
    hours: (i8, i8),
}

impl Daily {
    fn expression(self) -> String {
        let Self { step, hours: (first, last) } = self;
        format!("cron(0/{step} {first}-{last} * * ? *)")
    }

    fn matches(self, time: DateTime) -> bool {
        let Self { step, hours: (first, last) } = self;
        time.minute() % step == 0 && (first..=last).contains(&time.hour())
    }
}

fn expressions() -> BoxedStrategy<Daily> {
    let steps = prop::sample::select(vec![1_i8, 7, 15, 20, 30, 59]);
    (steps, 0_i8..24, 0_i8..24)
        .prop_map(|(step, one, other)| Daily { step, hours: (one.min(other), one.max(other)) })
        .boxed()
}

/// A zone and a clock change of it, if it has any after some instant.
fn changes() -> BoxedStrategy<(Zone, Timestamp)> {
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Casablanca",
        "America/Sao_Paulo",
        "UTC",
    ];
    let begin = at("2005-01-01T00:00:00Z");
    let change =
        (prop::sample::select(zones.to_vec()), 0_i64..12_000).prop_map(move |(name, day)| {
            let zone: Zone = name.parse().unwrap();
            let from = begin + SignedDuration::from_hours(24 * day);
            let next = zone.time_zone().following(from).next().map(|change| change.timestamp());
            (zone, next.unwrap_or(from))
        });
    let skipped_day = ("Pacific/Apia".parse().unwrap(), at("2011-12-30T10:00:00Z"));
    prop_oneof![9 => change, 1 => Just(skipped_day)].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_fires_is_skipped_and_repeated_is_what_a_clock_shows_minute_by_minute(
        daily in expressions(),
        (zone, change) in changes(),
        minutes_before in 0_i64..1_800,
        count in 1_usize..500,
    ) {
        let minute = SignedDuration::from_mins(1);
        let from = change - SignedDuration::from_mins(minutes_before);
        let end = from + 40.hours();
        let mut case = Case::new(&daily.expression(), zone.name(), &from.to_string());
        case.bounds.1 = Some(end);
        // Every local time with the first instant at which it is shown, and how often it is.
        let mut shown: BTreeMap<DateTime, (Timestamp, u32)> = BTreeMap::new();
        let mut now = from - 30.hours();
        while now <= end + 30.hours() {
            shown.entry(zone.time_zone().to_datetime(now)).or_insert((now, 0)).1 += 1;
            now += minute;
        }
        let mut fires: Vec<_> = shown
            .iter()
            .filter(|(time, (first, _))| daily.matches(**time) && *first > from && *first <= end)
            .map(|(time, (first, times))| (*first, *time, *times))
            .collect();
        fires.sort_unstable();
        fires.truncate(count);
        let until = fires.last().filter(|_| fires.len() == count).map_or(end, |last| last.0);
        let local = |at: Timestamp| zone.time_zone().to_datetime(at);
        let mut skipped = Vec::new();
        let mut time = local(from);
        while time < local(until) {
            time = time.checked_add(minute).unwrap();
            if daily.matches(time) && !shown.contains_key(&time) {
                skipped.push(time);
            }
        }

        let found = case.preview(count);

        let found_fires: Vec<_> = found.fires.iter().map(|fire| fire.at).collect();
        let found_skipped: Vec<_> = found.skipped.iter().map(|one| one.local).collect();
        let found_repeated: Vec<_> =
            found.repeated.iter().map(|one| (one.fires_at, one.local, 2)).collect();
        prop_assert_eq!(found_fires, fires.iter().map(|fire| fire.0).collect::<Vec<_>>());
        prop_assert_eq!(found_skipped, skipped);
        fires.retain(|(_, _, times)| *times > 1);
        prop_assert_eq!(found_repeated, fires);
    }
}
