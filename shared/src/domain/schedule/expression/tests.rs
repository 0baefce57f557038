//! The expressions, example by example.

mod laws;

use std::iter;

use jiff::ToSpan as _;

use super::*;

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn expression(text: &str) -> Expression {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The next `count` fires in the zone's time, one a line.
fn fires(text: &str, zone_name: &str, after: &str, count: usize) -> String {
    let (expression, zone, start) = (expression(text), zone(zone_name), instant(after));
    let next = |&after: &Timestamp| expression.next_after(&zone, start, after);
    iter::successors(next(&start), next)
        .take(count)
        .map(|at| at.to_zoned(zone.time_zone().clone()).strftime("%a %F %R %:z\n").to_string())
        .collect()
}

fn refusal(text: &str) -> String {
    text.parse::<Expression>().expect_err(text).to_string()
}

// What fires when

#[test]
fn every_day_at_half_past_two_in_berlin() {
    insta::assert_snapshot!(
        fires("cron(30 2 * * ? *)", "Europe/Berlin", "2025-12-30T12:00:00Z", 3),
        @r"
    Wed 2025-12-31 02:30 +01:00
    Thu 2026-01-01 02:30 +01:00
    Fri 2026-01-02 02:30 +01:00
    "
    );
}

#[test]
fn a_fire_is_strictly_after() {
    let noon = instant("2026-05-05T12:00:00Z");
    let cron = expression("cron(0 12 * * ? *)");
    let next = |after| cron.next_after(&Zone::default(), noon, after).unwrap();
    let tomorrow = instant("2026-05-06T12:00:00Z");

    assert_eq!(next(noon - 1.nanosecond()), noon);
    assert_eq!(next(noon), tomorrow);
    assert_eq!(next(noon + 1.nanosecond()), tomorrow);
}

#[test]
fn the_last_fire_may_be_now() {
    let noon = instant("2026-05-05T12:00:00Z");
    let cron = expression("cron(0 12 * * ? *)");
    let last = |at| cron.last_at_or_before(&Zone::default(), noon, at).unwrap();
    let yesterday = instant("2026-05-04T12:00:00Z");

    assert_eq!(last(noon - 1.nanosecond()), yesterday);
    assert_eq!(last(noon), noon);
    assert_eq!(last(noon + 1.nanosecond()), noon);
}

#[test]
fn a_range_may_wrap_around_midnight() {
    insta::assert_snapshot!(
        fires("cron(0/30 23-1 ? * FRI *)", "UTC", "2026-01-02T00:10:00Z", 7),
        @r"
    Fri 2026-01-02 00:30 +00:00
    Fri 2026-01-02 01:00 +00:00
    Fri 2026-01-02 01:30 +00:00
    Fri 2026-01-02 23:00 +00:00
    Fri 2026-01-02 23:30 +00:00
    Fri 2026-01-09 00:00 +00:00
    Fri 2026-01-09 00:30 +00:00
    "
    );
}

#[test]
fn weekdays_and_months_may_wrap_around_too() {
    insta::assert_snapshot!(
        fires("cron(0 0 ? NOV-JAN SAT-SUN *)", "UTC", "2026-01-25T00:00:00Z", 3),
        @r"
    Sat 2026-01-31 00:00 +00:00
    Sun 2026-11-01 00:00 +00:00
    Sat 2026-11-07 00:00 +00:00
    "
    );
}

#[test]
fn the_last_day_of_the_month_knows_leap_years() {
    insta::assert_snapshot!(
        fires("cron(0 0 L 2 ? *)", "UTC", "2027-01-01T00:00:00Z", 3),
        @r"
    Sun 2027-02-28 00:00 +00:00
    Tue 2028-02-29 00:00 +00:00
    Wed 2029-02-28 00:00 +00:00
    "
    );
}

#[test]
fn l_in_day_of_week_is_saturday() {
    insta::assert_snapshot!(
        fires("cron(0 0 ? * L *)", "UTC", "2026-01-01T00:00:00Z", 2),
        @r"
    Sat 2026-01-03 00:00 +00:00
    Sat 2026-01-10 00:00 +00:00
    "
    );
}

#[test]
fn the_last_friday_of_the_month_by_number_and_by_name() {
    let expected = "\
Fri 2026-01-30 10:15 +00:00
Fri 2026-02-27 10:15 +00:00
Fri 2026-03-27 10:15 +00:00
";

    for text in ["cron(15 10 ? * 6L *)", "cron(15 10 ? * FRIL *)"] {
        assert_eq!(fires(text, "UTC", "2026-01-01T00:00:00Z", 3), expected);
    }
}

#[test]
fn the_fifth_monday_comes_only_in_months_that_have_it() {
    insta::assert_snapshot!(
        fires("cron(0 0 ? * 2#5 *)", "UTC", "2026-01-01T00:00:00Z", 3),
        @r"
    Mon 2026-03-30 00:00 +00:00
    Mon 2026-06-29 00:00 +00:00
    Mon 2026-08-31 00:00 +00:00
    "
    );
}

#[test]
fn the_weekday_nearest_to_a_day_stays_in_the_month() {
    // 1 August 2026 is a Saturday, 1 November a Sunday.
    insta::assert_snapshot!(
        fires("cron(0 0 1W 8-11 ? 2026)", "UTC", "2026-01-01T00:00:00Z", 9),
        @r"
    Mon 2026-08-03 00:00 +00:00
    Tue 2026-09-01 00:00 +00:00
    Thu 2026-10-01 00:00 +00:00
    Mon 2026-11-02 00:00 +00:00
    "
    );
    // 31 May 2026 is a Sunday, 31 October a Saturday; April, June and September have no 31st.
    insta::assert_snapshot!(
        fires("cron(0 0 31W 4-10 ? 2026)", "UTC", "2026-01-01T00:00:00Z", 9),
        @r"
    Fri 2026-05-29 00:00 +00:00
    Fri 2026-07-31 00:00 +00:00
    Mon 2026-08-31 00:00 +00:00
    Fri 2026-10-30 00:00 +00:00
    "
    );
}

#[test]
fn a_step_begins_anew_in_each_hour() {
    insta::assert_snapshot!(
        fires("cron(50/7 10-11 * * ? *)", "UTC", "2026-01-01T00:00:00Z", 5),
        @r"
    Thu 2026-01-01 10:50 +00:00
    Thu 2026-01-01 10:57 +00:00
    Thu 2026-01-01 11:50 +00:00
    Thu 2026-01-01 11:57 +00:00
    Fri 2026-01-02 10:50 +00:00
    "
    );
}

#[test]
fn the_29th_of_february_on_a_monday_is_found_decades_away() {
    // It is the fifth Monday of a February.
    insta::assert_snapshot!(
        fires("cron(0 0 ? 2 2#5 *)", "UTC", "2017-01-01T00:00:00Z", 3),
        @r"
    Mon 2044-02-29 00:00 +00:00
    Mon 2072-02-29 00:00 +00:00
    Mon 2112-02-29 00:00 +00:00
    "
    );
}

#[test]
fn the_years_end_in_2199() {
    let cron = expression("cron(59 23 31 12 ? *)");
    let (zone, anchor) = (Zone::default(), Timestamp::UNIX_EPOCH);
    let (first, last) = (instant("1970-12-31T23:59:00Z"), instant("2199-12-31T23:59:00Z"));

    assert_eq!(cron.next_after(&zone, anchor, Timestamp::MIN), Some(first));
    assert_eq!(cron.next_after(&zone, anchor, last - 1.second()), Some(last));
    assert_eq!(cron.next_after(&zone, anchor, last), None);
    assert_eq!(cron.last_at_or_before(&zone, anchor, Timestamp::MAX), Some(last));
    assert_eq!(cron.last_at_or_before(&zone, anchor, first), Some(first));
    assert_eq!(cron.last_at_or_before(&zone, anchor, first - 1.second()), None);
}

#[test]
fn what_never_fires_is_found_out() {
    let now = instant("2026-01-01T00:00:00Z");
    let never = |text, name| expression(text).is_never_firing(&zone(name), now, now);

    for text in [
        "cron(0 0 30 2 ? *)",
        "cron(0 0 31W 4 ? *)",
        "cron(0 0 * * ? 2025)",
        "at(2025-12-31T23:59:59)",
        "at(2026-01-01T00:00:00)",
    ] {
        assert!(never(text, "UTC"), "{text}");
    }
    assert!(!never("cron(0 0 29 2 ? *)", "UTC"));
    assert!(!never("rate(999999 days)", "UTC"));
    // The clock of Berlin skips this time on each last Sunday of March.
    assert!(never("cron(30 2 ? 3 1L *)", "Europe/Berlin"));
    assert!(!never("cron(30 2 ? 3 1L *)", "UTC"));
    assert!(never("at(2026-03-29T02:30:00)", "Europe/Berlin"));
}

// Clock changes

#[test]
fn a_skipped_time_does_not_fire() {
    insta::assert_snapshot!(
        fires("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
        @r"
    Sat 2026-03-28 02:30 +01:00
    Mon 2026-03-30 02:30 +02:00
    Tue 2026-03-31 02:30 +02:00
    "
    );
}

#[test]
fn the_edges_of_a_skipped_hour_fire_as_ever() {
    insta::assert_snapshot!(
        fires("cron(0,59 1-3 * * ? *)", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
        @r"
    Sun 2026-03-29 01:59 +01:00
    Sun 2026-03-29 03:00 +02:00
    Sun 2026-03-29 03:59 +02:00
    "
    );
}

#[test]
fn a_repeated_time_fires_once_and_the_first_time() {
    insta::assert_snapshot!(
        fires("cron(0/30 2 * * ? *)", "Europe/Berlin", "2026-10-24T23:00:00Z", 3),
        @r"
    Sun 2026-10-25 02:00 +02:00
    Sun 2026-10-25 02:30 +02:00
    Mon 2026-10-26 02:00 +01:00
    "
    );
}

#[test]
fn during_the_second_pass_of_an_hour_its_last_fire_was_in_the_first() {
    let (cron, berlin) = (expression("cron(0/20 * * * ? *)"), zone("Europe/Berlin"));
    let last = |at| cron.last_at_or_before(&berlin, Timestamp::UNIX_EPOCH, instant(at)).unwrap();

    // 02:40 in summer time; winter time's 02:00 begins at 01:00Z.
    let end_of_first_pass = instant("2026-10-25T00:40:00Z");
    assert_eq!(last("2026-10-25T00:59:59Z"), end_of_first_pass);
    assert_eq!(last("2026-10-25T01:00:00Z"), end_of_first_pass);
    assert_eq!(last("2026-10-25T01:10:00Z"), end_of_first_pass);
    assert_eq!(last("2026-10-25T01:59:59Z"), end_of_first_pass);
    assert_eq!(last("2026-10-25T02:00:00Z"), instant("2026-10-25T02:00:00Z"));
}

#[test]
fn a_day_that_a_zone_skipped_does_not_fire() {
    // Samoa went from 29 to 31 December 2011.
    insta::assert_snapshot!(
        fires("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29T00:00:00Z", 2),
        @r"
    Thu 2011-12-29 12:00 -10:00
    Sat 2011-12-31 12:00 +14:00
    "
    );
}

#[test]
fn at_fires_once_in_its_zone() {
    let (once, berlin) = (expression("at(2026-10-25T02:30:15)"), zone("Europe/Berlin"));
    let fire = instant("2026-10-25T00:30:15Z");

    assert_eq!(once.next_after(&berlin, fire, Timestamp::MIN), Some(fire));
    assert_eq!(once.next_after(&berlin, fire, fire), None);
    assert_eq!(once.last_at_or_before(&berlin, fire, fire), Some(fire));
    assert_eq!(once.last_at_or_before(&berlin, fire, fire - 1.nanosecond()), None);
}

#[test]
fn a_rate_counts_elapsed_time_from_its_anchor() {
    insta::assert_snapshot!(
        fires("rate(1 day)", "Europe/Berlin", "2026-03-27T12:34:56Z", 3),
        @r"
    Sat 2026-03-28 13:34 +01:00
    Sun 2026-03-29 14:34 +02:00
    Mon 2026-03-30 14:34 +02:00
    "
    );
}

#[test]
fn a_rate_first_fires_one_period_after_its_anchor() {
    let (rate, zone) = (expression("rate(5 minutes)"), Zone::default());
    let anchor = instant("2026-01-01T00:00:00.5Z");
    let first = anchor + 5.minutes();
    let next = |after| rate.next_after(&zone, anchor, after).unwrap();
    let last = |at| rate.last_at_or_before(&zone, anchor, at);

    assert_eq!(next(Timestamp::MIN), first);
    assert_eq!(next(anchor), first);
    assert_eq!(next(first - 1.nanosecond()), first);
    assert_eq!(next(first), first + 5.minutes());
    assert_eq!(last(anchor), None);
    assert_eq!(last(first - 1.nanosecond()), None);
    assert_eq!(last(first), Some(first));
    assert_eq!(last(first + 299.seconds()), Some(first));
    assert_eq!(rate.next_after(&zone, anchor, Timestamp::MAX), None);
}

// Reading and printing

#[test]
fn an_expression_prints_as_it_was_written() {
    for text in [
        "cron(15 10 ? * 6L 2019-2022)",
        "cron(0/30 20-2 ? * MON-FRI *)",
        "cron(0 8 1,15 JAN,JUL ? *)",
        "cron(05 08 3W 1/3 ? 2024/2)",
        "cron(*/7 * ? * TUE#2 *)",
        "cron(0 0 L * ? *)",
        "rate(1 minute)",
        "rate(36 hours)",
        "at(2026-03-01T02:30:00)",
    ] {
        assert_eq!(expression(text).to_string(), text);
    }
    assert_eq!(expression("cron( 0  2\t* * ?  * )").to_string(), "cron(0 2 * * ? *)");
}

#[test]
fn an_expression_is_its_text_in_json() {
    let json = "\"cron(30 2 * * ? *)\"";
    let expression: Expression = serde_json::from_str(json).unwrap();

    assert_eq!(serde_json::to_string(&expression).unwrap(), json);
    serde_json::from_str::<Expression>("\"cron(30 2 * * * *)\"").unwrap_err();
}

#[test]
fn a_refusal_names_the_field_the_value_and_what_is_allowed() {
    let cases = [
        "cron(60 2 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 2 0 * ? *)",
        "cron(0 2 * jan ? *)",
        "cron(0 2 ? * 8 *)",
        "cron(0 2 * * ? 1969)",
        "cron(0 2 * * ? 2027-2026)",
        "cron(0/0 2 * * ? *)",
        "cron(0/90 2 * * ? *)",
        "cron(*/60 2 * * ? *)",
        "cron(0 */24 * * ? *)",
        "cron(0 2 1/32 * ? *)",
        "cron(0 2 1 */13 ? *)",
        "cron(0-60/5 2 * * ? *)",
        "cron(0 2 ? * MON/2 *)",
        "cron(0 2 LW * ? *)",
        "cron(0 2 L-3 * ? *)",
        "cron(0 2 1,L * ? *)",
        "cron(0 2 ? * 1L,6L *)",
        "cron(0 2 ? * 2#6 *)",
        "cron(0 2 * * * *)",
        "cron(0 2 ? * ? *)",
        "cron(0 2 * * ?)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(0 days)",
        "rate(5)",
        "rate( 5 minutes)",
        "rate(5  minutes)",
        "rate(5 minutes )",
        "at(2026-02-30T00:00:00)",
        "every day",
    ];
    let refusals: Vec<String> = cases.into_iter().map(refusal).collect();

    insta::assert_snapshot!(refusals.join("\n"), @r#"
    minutes is "60": allowed are 0-59 with , - * /
    hours is "24": allowed are 0-23 with , - * /
    day-of-month is "0": allowed are 1-31 with , - * ? / L W
    month is "jan": names are in upper case; allowed are 1-12 or JAN-DEC with , - * /
    day-of-week is "8": allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #
    year is "1969": allowed are 1970-2199 with , - * /
    year is "2027-2026": the range ends before it begins; allowed are 1970-2199 with , - * /
    minutes is "0/0": a step is from 1 to 59; allowed are 0-59 with , - * /
    minutes is "0/90": a step is from 1 to 59; allowed are 0-59 with , - * /
    minutes is "*/60": a step is from 1 to 59; allowed are 0-59 with , - * /
    hours is "*/24": a step is from 1 to 23; allowed are 0-23 with , - * /
    day-of-month is "1/32": a step is from 1 to 31; allowed are 1-31 with , - * ? / L W
    month is "*/13": a step is from 1 to 12; allowed are 1-12 or JAN-DEC with , - * /
    minutes is "60": allowed are 0-59 with , - * /
    day-of-week is "MON/2": steps are not part of this field; allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #
    day-of-month is "LW": L stands alone, and W after one day, such as 15W; allowed are 1-31 with , - * ? / L W
    day-of-month is "L-3": L stands alone, and W after one day, such as 15W; allowed are 1-31 with , - * ? / L W
    day-of-month is "1,L": L stands alone, and W after one day, such as 15W; allowed are 1-31 with , - * ? / L W
    day-of-week is "1L,6L": L and # are not allowed in a list; allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #
    day-of-week is "2#6": after # comes a number from 1 to 5; allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #
    day-of-week is "*": exactly one of the day fields is ?, and day-of-month is not; allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #
    day-of-week is "?": exactly one of the day fields is ?; allowed are 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #
    cron is "0 2 * * ?": allowed are six fields (minutes hours day-of-month month day-of-week year), not 5
    rate's unit is "minutes": allowed after 1 are minute, hour and day
    rate's unit is "minute": allowed after more than 1 are minutes, hours and days
    rate's value is "0": allowed are whole numbers from 1 to 999999
    rate is "5": allowed are a value, one blank and a unit, such as 5 minutes
    rate is " 5 minutes": allowed are a value, one blank and a unit, such as 5 minutes
    rate is "5  minutes": allowed are a value, one blank and a unit, such as 5 minutes
    rate is "5 minutes ": allowed are a value, one blank and a unit, such as 5 minutes
    at is "2026-02-30T00:00:00": allowed is yyyy-mm-ddThh:mm:ss, a day that the calendar has, in the years 1970-2199
    expression is "every day": allowed are cron(minutes hours day-of-month month day-of-week year), rate(value unit) and at(yyyy-mm-ddThh:mm:ss)
    "#);
}

#[test]
fn near_misses_are_refused() {
    for text in [
        "",
        "cron()",
        "cron(0 2 * * ? *",
        " cron(0 2 * * ? *)",
        "CRON(0 2 * * ? *)",
        "cron(0 2 * * ? * *)",
        "cron(+5 2 * * ? *)",
        "cron(-5 2 * * ? *)",
        "cron(1,,2 2 * * ? *)",
        "cron(,1 2 * * ? *)",
        "cron(1- 2 * * ? *)",
        "cron(1-2-3 2 * * ? *)",
        "cron(*,1 2 * * ? *)",
        "cron(? 2 * * ? *)",
        "cron(1/ 2 * * ? *)",
        "cron(٣ 2 * * ? *)",
        "cron(0 2 W * ? *)",
        "cron(0 2 0W * ? *)",
        "cron(0 2 32W * ? *)",
        "cron(0 2 1W,15W * ? *)",
        "cron(0 2 1-5W * ? *)",
        "cron(0 2 l * ? *)",
        "cron(0 2 15w * ? *)",
        "cron(0 2 ?,1 * ? *)",
        "cron(0 2 ? * 0 *)",
        "cron(0 2 ? * #1 *)",
        "cron(0 2 ? * 2#0 *)",
        "cron(0 2 ? * 2# *)",
        "cron(0 2 ? * 2#1,3#1 *)",
        "cron(0 2 ? * 2#1#1 *)",
        "cron(0 2 ? * mon *)",
        "cron(0 2 ? * 8L *)",
        "cron(0 2 ? * LL *)",
        "cron(0 2 ? * MON,L *)",
        "cron(0 2 ? JANUARY 2 *)",
        "cron(0 2 * * ? 2200)",
        "rate()",
        "rate(-1 days)",
        "rate(+2 days)",
        "rate(1.5 days)",
        "rate(5minutes)",
        "rate(5 Minutes)",
        "rate(2 weeks)",
        "rate(1000000 days)",
        "at()",
        "at(2026-01-01)",
        "at(2026-01-01T00:00)",
        "at(2026-01-01 00:00:00)",
        "at(2026-01-01T00:00:60)",
        "at(2026-01-01T24:00:00)",
        "at(2026-01-01T00:00:00.5)",
        "at(2026-01-01T00:00:00Z)",
        "at(1969-12-31T00:00:00)",
        "at(2200-01-01T00:00:00)",
    ] {
        refusal(text);
    }
}

#[test]
fn an_expression_longer_than_event_bridge_takes_is_refused() {
    let of_length = |length: usize| format!("cron({} 2 * * ? *)", "0".repeat(length - 16));

    refusal(&of_length(257));
    assert!(refusal(&of_length(257)).starts_with("expression is"));
    expression(&of_length(256));
}

// In plain English

#[test]
fn descriptions_are_plain_english() {
    let cases = [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 day)",
        "at(2026-03-01T02:30:00)",
        "at(2026-03-01T02:30:05)",
        "cron(30 2 * * ? *)",
        "cron(* * * * ? *)",
        "cron(0 * ? * * *)",
        "cron(15 * * * ? *)",
        "cron(10,40,50 * * * ? *)",
        "cron(0/5 * * * ? *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(0/30 20-2 ? * MON-FRI *)",
        "cron(0 0/6 * * ? *)",
        "cron(15 1/2 * * ? *)",
        "cron(0 9-17 ? * 2-6 *)",
        "cron(0 8,12,16 ? * SAT,SUN *)",
        "cron(* 2,4,6 * * ? *)",
        "cron(5,10 0/2 * * ? *)",
        "cron(0 0 ? * FRI-MON *)",
        "cron(0 6 ? * WED *)",
        "cron(0 6 ? NOV-FEB MON,WED,FRI *)",
        "cron(10 15 ? * 6L *)",
        "cron(0 4 ? JAN,JUL 3#2 *)",
        "cron(0 4 1 * ? *)",
        "cron(0 4 1-7,15,22 1/3 ? *)",
        "cron(0 4 L * ? 2026)",
        "cron(0 4 15W 3-5 ? 2026-2030)",
        "cron(0 4 * 6 ? 2026/1)",
        "cron(0 0 29 2 ? 2028/4)",
    ];
    let description = |text| format!("{text}: {}", expression(text).describe());
    let descriptions: Vec<String> = cases.into_iter().map(description).collect();

    insta::assert_snapshot!(descriptions.join("\n"), @r"
    rate(1 minute): every minute
    rate(5 minutes): every 5 minutes
    rate(1 day): every 24 hours
    at(2026-03-01T02:30:00): once, at 02:30 on 1 March 2026
    at(2026-03-01T02:30:05): once, at 02:30:05 on 1 March 2026
    cron(30 2 * * ? *): at 02:30 every day
    cron(* * * * ? *): every minute
    cron(0 * ? * * *): every hour
    cron(15 * * * ? *): at minute 15 of every hour
    cron(10,40,50 * * * ? *): at minutes 10, 40 and 50 of every hour
    cron(0/5 * * * ? *): every 5 minutes
    cron(0/5 8-17 ? * MON-FRI *): every 5 minutes from 08:00 to 17:59, Monday to Friday
    cron(0/30 20-2 ? * MON-FRI *): every 30 minutes from 00:00 to 02:59 and from 20:00 to 23:59, Monday to Friday
    cron(0 0/6 * * ? *): at 00:00, 06:00, 12:00 and 18:00 every day
    cron(15 1/2 * * ? *): every 2 hours from 01:15 every day
    cron(0 9-17 ? * 2-6 *): every hour from 09:00 to 17:00, Monday to Friday
    cron(0 8,12,16 ? * SAT,SUN *): at 08:00, 12:00 and 16:00 on Saturdays and Sundays
    cron(* 2,4,6 * * ? *): every minute in the hours 02, 04 and 06 every day
    cron(5,10 0/2 * * ? *): at minutes 5 and 10 in the hours 00, 02, 04, 06, 08, 10, 12, 14, 16, 18, 20 and 22 every day
    cron(0 0 ? * FRI-MON *): at 00:00, Friday to Monday
    cron(0 6 ? * WED *): at 06:00 on Wednesdays
    cron(0 6 ? NOV-FEB MON,WED,FRI *): at 06:00 on Mondays, Wednesdays and Fridays in November to February
    cron(10 15 ? * 6L *): at 15:10 on the last Friday of every month
    cron(0 4 ? JAN,JUL 3#2 *): at 04:00 on the second Tuesday of January and July
    cron(0 4 1 * ? *): at 04:00 on the 1st of every month
    cron(0 4 1-7,15,22 1/3 ? *): at 04:00 on the 1st to 7th, 15th and 22nd of January, April, July and October
    cron(0 4 L * ? 2026): at 04:00 on the last day of every month in 2026
    cron(0 4 15W 3-5 ? 2026-2030): at 04:00 on the weekday nearest to the 15th of March to May from 2026 to 2030
    cron(0 4 * 6 ? 2026/1): at 04:00 every day in June from 2026 on
    cron(0 0 29 2 ? 2028/4): at 00:00 on the 29th of February, every 4 years from 2028
    ");
}
