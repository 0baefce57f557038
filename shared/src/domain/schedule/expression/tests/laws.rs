//! The expressions against a second reading of the rules, which looks at every minute.

use std::{collections::BTreeSet, iter};

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime, date},
};
use proptest::prelude::*;

use super::{Expression, Zone, expression, instant, zone};

/// What one field of numbers matches, read off its text.
fn field_matches(text: &str, value: i16, min: i16, max: i16) -> bool {
    text.split(',').any(|item| {
        if item == "*" {
            return true;
        }
        if let Some((first, step)) = item.split_once('/') {
            let step_of = |distance: i16| distance % step.parse::<i16>().unwrap() == 0;
            if let Some((first, last)) = first.split_once('-') {
                let (first, last): (i16, i16) = (first.parse().unwrap(), last.parse().unwrap());
                let round = max - min + 1;
                let distance = (value - first).rem_euclid(round);
                return distance <= (last - first).rem_euclid(round) && step_of(distance);
            }
            let first = if first == "*" { min } else { first.parse().unwrap() };
            return (first..=max).contains(&value) && step_of(value - first);
        }
        match item.split_once('-').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())) {
            Some((first, last)) if first <= last => (first..=last).contains(&value),
            Some((first, last)) => value >= first || value <= last,
            None => item.parse::<i16>().unwrap() == value,
        }
    })
}

fn day_matches(day_of_month: &str, day_of_week: &str, date: Date) -> bool {
    let (day, weekday) = (date.day(), date.weekday().to_sunday_one_offset());
    if day_of_month == "L" {
        return date.tomorrow().unwrap().month() != date.month();
    }
    if let Some(wanted) = day_of_month.strip_suffix('W') {
        let wanted: i8 = wanted.parse().unwrap();
        let nearest = (1..=date.days_in_month())
            .filter(|&day| {
                let weekday = date.with().day(day).build().unwrap().weekday();
                (1..=5).contains(&weekday.to_monday_one_offset())
            })
            .min_by_key(|day| (day - wanted).abs());
        return wanted <= date.days_in_month() && nearest == Some(day);
    }
    if day_of_month != "?" {
        return field_matches(day_of_month, day.into(), 1, 31);
    }
    if day_of_week == "L" {
        return weekday == 7;
    }
    if let Some(wanted) = day_of_week.strip_suffix('L') {
        let next_week = date.checked_add(1.week()).unwrap();
        return wanted.parse::<i8>().unwrap() == weekday && next_week.month() != date.month();
    }
    if let Some((wanted, nth)) = day_of_week.split_once('#') {
        let before = (1..=day).filter(|other| (day - other) % 7 == 0).count();
        return wanted.parse::<i8>().unwrap() == weekday && nth.parse::<usize>().unwrap() == before;
    }
    field_matches(day_of_week, weekday.into(), 1, 7)
}

fn time_matches(fields: &[String; 6], time: DateTime) -> bool {
    let [minutes, hours, day_of_month, month, day_of_week, year] = fields;
    field_matches(minutes, time.minute().into(), 0, 59)
        && field_matches(hours, time.hour().into(), 0, 23)
        && field_matches(month, time.month().into(), 1, 12)
        && field_matches(year, time.year(), 1970, 2199)
        && day_matches(day_of_month, day_of_week, time.date())
}

/// The fires of `start..end`, minute by minute; a time that the clock shows again is passed over.
fn fires_minute_by_minute(
    fields: &[String; 6],
    zone: &Zone,
    start: Timestamp,
    end: Timestamp,
) -> Vec<Timestamp> {
    let mut shown = BTreeSet::new();
    let mut fires = Vec::new();
    let mut at = start - 4.hours();
    while at < end {
        let time = zone.time_zone().to_datetime(at);
        if shown.insert(time) && at >= start && time_matches(fields, time) {
            fires.push(at);
        }
        at += SignedDuration::from_mins(1);
    }
    fires
}

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
];

fn numbers(min: i16, max: i16) -> BoxedStrategy<String> {
    let item = prop_oneof![
        3 => (min..=max).prop_map(|value| value.to_string()),
        2 => (min..=max, min..=max).prop_map(|(first, last)| format!("{first}-{last}")),
        2 => (min..=max, 1..=(max - min)).prop_map(|(first, step)| format!("{first}/{step}")),
        1 => (1..=(max - min)).prop_map(|step| format!("*/{step}")),
        1 => (min..=max, min..=max, 1..=(max - min))
            .prop_map(|(first, last, step)| format!("{first}-{last}/{step}")),
    ];
    prop_oneof![
        3 => Just("*".to_owned()),
        2 => prop::collection::vec(item, 1..4).prop_map(|items| items.join(",")),
    ]
    .boxed()
}

fn day_fields() -> BoxedStrategy<(String, String)> {
    let weekdays = prop_oneof![
        1 => Just("*".to_owned()),
        2 => (1_i8..=7).prop_map(|day| day.to_string()),
        2 => (1..=7, 1..=7).prop_map(|(first, last)| format!("{first}-{last}")),
        1 => (1..=7).prop_map(|day| format!("{day}L")),
        1 => (1..=7, 1..=5).prop_map(|(day, nth)| format!("{day}#{nth}")),
        1 => Just("L".to_owned()),
    ];
    prop_oneof![
        3 => numbers(1, 31).prop_map(|days| (days, "?".to_owned())),
        1 => (1..=31).prop_map(|day| (format!("{day}W"), "?".to_owned())),
        1 => Just(("L".to_owned(), "?".to_owned())),
        3 => weekdays.prop_map(|days| ("?".to_owned(), days)),
    ]
    .boxed()
}

fn cron_fields() -> BoxedStrategy<[String; 6]> {
    let months = prop_oneof![3 => Just("*".to_owned()), 1 => numbers(1, 12)];
    let years = prop_oneof![
        5 => Just("*".to_owned()),
        1 => (1970_i16..2199, 0_i16..40)
            .prop_map(|(first, more)| format!("{first}-{}", (first + more).min(2199))),
        1 => (1970..2199, 1..9).prop_map(|(first, step)| format!("{first}/{step}")),
    ];
    (numbers(0, 59), numbers(0, 23), day_fields(), months, years)
        .prop_map(|(minutes, hours, (day_of_month, day_of_week), months, years)| {
            [minutes, hours, day_of_month, months, day_of_week, years]
        })
        .boxed()
}

/// A zone, and a clock change of it if there is one after some instant.
fn moments() -> BoxedStrategy<(Zone, Timestamp)> {
    let range = instant("1973-01-01T00:00:00Z").as_second() / 60
        ..instant("2060-01-01T00:00:00Z").as_second() / 60;
    (prop::sample::select(&ZONES[..]), range)
        .prop_map(|(name, minute)| {
            let (zone, from) = (zone(name), Timestamp::from_second(minute * 60).unwrap());
            let change = zone.time_zone().following(from).next().map(|change| change.timestamp());
            (zone, change.unwrap_or(from))
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn fires_around_clock_changes_are_those_found_minute_by_minute(
        fields in cron_fields(),
        (zone, change) in moments(),
        hours_before in 0_i64..30,
    ) {
        let cron = expression(&format!("cron({})", fields.join(" ")));
        let start = change - hours_before.hours();
        let end = start + 32.hours();
        let expected = fires_minute_by_minute(&fields, &zone, start, end);

        let next = |after: &Timestamp| cron.next_after(&zone, change, *after);
        let just_before = start - 1.nanosecond();
        let found: Vec<_> =
            iter::successors(next(&just_before), next).take_while(|at| *at < end).collect();
        prop_assert_eq!(&found, &expected);

        for minute in (0..32 * 60).step_by(97) {
            let at = start + SignedDuration::from_mins(minute);
            let last = cron.last_at_or_before(&zone, change, at).filter(|&last| last >= start);
            prop_assert_eq!(last, expected.iter().copied().rfind(|&fire| fire <= at));
        }
    }

    #[test]
    fn days_are_those_found_day_by_day(
        (day_of_month, day_of_week) in day_fields(),
        months in numbers(1, 12),
        year in 1970_i16..2190,
    ) {
        let fields = [
            "0".to_owned(), "12".to_owned(), day_of_month, months, day_of_week, "*".to_owned(),
        ];
        let cron = expression(&format!("cron({})", fields.join(" ")));
        let end = date(year + 5, 1, 1).at(0, 0, 0, 0);
        let noons = date(year, 1, 1).at(12, 0, 0, 0).series(1.day()).take_while(|noon| *noon < end);
        let expected: Vec<_> = noons.filter(|noon| time_matches(&fields, *noon)).collect();

        let utc = Zone::default();
        let instant_of = |time: DateTime| utc.time_zone().to_timestamp(time).unwrap();
        let start = instant_of(date(year, 1, 1).at(0, 0, 0, 0));
        let forward: Vec<_> = iter::successors(cron.next_after(&utc, start, start), |after| {
            cron.next_after(&utc, start, *after)
        })
        .map(|at| utc.time_zone().to_datetime(at))
        .take_while(|time| *time < end)
        .collect();
        let mut backward: Vec<_> =
            iter::successors(cron.last_at_or_before(&utc, start, instant_of(end)), |at| {
                cron.last_at_or_before(&utc, start, *at - 1.nanosecond())
            })
            .take_while(|at| *at > start)
            .map(|at| utc.time_zone().to_datetime(at))
            .collect();
        backward.reverse();

        prop_assert_eq!(&forward, &expected);
        prop_assert_eq!(&backward, &expected);
    }

    #[test]
    fn what_is_printed_reads_as_the_same(fields in cron_fields(), value in 2_u32..999_999) {
        for text in [format!("cron({})", fields.join(" ")), format!("rate({value} hours)")] {
            let read = expression(&text);

            prop_assert_eq!(&read, &expression(&read.to_string()));
            prop_assert!(!read.describe().is_empty());
        }
    }

    #[test]
    fn a_rate_fires_at_whole_periods_only(
        value in 2_u32..5_000,
        anchor in -1_000_000_000_000_i64..1_000_000_000_000,
        later in -1_000_000_000_i64..1_000_000_000,
    ) {
        let rate = expression(&format!("rate({value} minutes)"));
        let anchor = Timestamp::from_millisecond(anchor).unwrap();
        let at = anchor + SignedDuration::from_millis(later);
        let period = SignedDuration::from_mins(value.into());
        let next = rate.next_after(&Zone::default(), anchor, at).unwrap();

        prop_assert!(next > at);
        prop_assert!(next - period <= at || next == anchor + period);
        prop_assert_eq!(next.duration_since(anchor).as_millis() % period.as_millis(), 0);
        prop_assert_eq!(
            rate.last_at_or_before(&Zone::default(), anchor, at),
            Some(next - period).filter(|last| *last > anchor)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}", fields in "[-0-9A-Z*?/LW#, \u{e9}]{0,40}") {
        for text in [
            text.clone(),
            fields.clone(),
            format!("cron({fields})"),
            format!("cron(0 0 {fields} * ? *)"),
            format!("cron(0 0 ? * {fields} *)"),
            format!("rate({fields})"),
            format!("rate({text})"),
            format!("at({text})"),
        ] {
            if let Ok(read) = text.parse::<Expression>() {
                let now = instant("2026-01-01T00:00:00Z");
                read.next_after(&Zone::default(), now, now);
                read.last_at_or_before(&Zone::default(), now, now);
                read.describe();
            }
        }
    }
}

// From a public report: `11-23/2` is every other hour of a range, as Quartz and EventBridge read it.
#[test]
fn a_step_goes_through_a_range_to_its_end() {
    for (range, listed) in [
        ("cron(0 11-23/2 * * ? *)", "cron(0 11,13,15,17,19,21,23 * * ? *)"),
        ("cron(0-30/10 2 * * ? *)", "cron(0,10,20,30 2 * * ? *)"),
        ("cron(0 20-2/2 * * ? *)", "cron(0 20,22,0,2 * * ? *)"),
        ("cron(0 2 1-15/7 * ? *)", "cron(0 2 1,8,15 * ? *)"),
        ("cron(0 2 1 JAN-JUN/2 ? *)", "cron(0 2 1 1,3,5 ? *)"),
        ("cron(0 2 1 * ? 2026-2030/2)", "cron(0 2 1 * ? 2026,2028,2030)"),
    ] {
        let fires = |text: &str| {
            let mut at = "2026-01-01T00:00:00Z".parse().unwrap();
            let mut fires = Vec::new();
            while let Some(next) =
                expression(text).next_after(&zone("UTC"), at, at).filter(|_| fires.len() < 30)
            {
                fires.push(next);
                at = next;
            }
            fires
        };
        assert_eq!(fires(range), fires(listed), "{range}");
    }
}
