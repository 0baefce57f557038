//! The rules, example by example.

mod laws;

use jiff::{ToSpan as _, civil::DateTime};
use serde_json::json;

use super::period::Period;
use super::*;

const NOW: &str = "2030-01-01T00:00:00Z";

fn rules(json: &serde_json::Value) -> Rules {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn refusal(json: &serde_json::Value) -> String {
    serde_json::from_value::<Rules>(json.clone()).expect_err(&json.to_string()).to_string()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// Instants, or local times of the zone, as they are given.
fn instants(taken_at: &[&str], zone: &Zone) -> Vec<Timestamp> {
    let instant = |text: &&str| {
        text.parse().unwrap_or_else(|_| {
            let local: DateTime = text.parse().unwrap();
            zone.time_zone().to_timestamp(local).unwrap()
        })
    };
    taken_at.iter().map(instant).collect()
}

/// Each instant with its reasons, one a line, at a moment after all of them.
fn plan_in(zone_name: &str, json: &serde_json::Value, taken_at: &[&str]) -> String {
    let zone = zone(zone_name);
    let verdicts = rules(json).plan(&instants(taken_at, &zone), &zone, NOW.parse().unwrap());
    let lines = taken_at.iter().zip(verdicts).map(|(at, Verdict { keep, reasons })| {
        assert_eq!(keep, !reasons.is_empty());
        format!("{at}: {}\n", if keep { reasons.join(", ") } else { "deleted".to_owned() })
    });
    lines.collect()
}

fn plan(json: &serde_json::Value, taken_at: &[&str]) -> String {
    plan_in("UTC", json, taken_at)
}

fn kept(rules: &Rules, taken_at: &[Timestamp], zone: &Zone, now: Timestamp) -> Vec<bool> {
    rules.plan(taken_at, zone, now).iter().map(|verdict| verdict.keep).collect()
}

fn survivors(taken_at: &[Timestamp], kept: &[bool]) -> Vec<Timestamp> {
    taken_at.iter().zip(kept).filter(|(_, kept)| **kept).map(|(at, _)| *at).collect()
}

// The counting rules

#[test]
fn a_period_ends_where_the_next_one_begins_or_a_clock_changes_within_the_hour() {
    let zone = zone("Europe/Berlin");
    let ends = |period: Period, at: &str| {
        let end = period.end(at.parse().unwrap(), &zone).unwrap();
        zone.time_zone().to_datetime(end).to_string()
    };
    // A Tuesday, at 10:20 there.
    let at = "2026-03-03T09:20:00Z";
    for (period, end) in [
        (Period::Each, "2026-03-03T10:20:00"),
        (Period::Hour, "2026-03-03T11:00:00"),
        (Period::Day, "2026-03-04T00:00:00"),
        (Period::Week, "2026-03-09T00:00:00"),
        (Period::Month, "2026-04-01T00:00:00"),
        (Period::Year, "2027-01-01T00:00:00"),
    ] {
        assert_eq!(ends(period, at), end, "{period:?}");
    }
    // The hour from 2 is there twice in that night: at its first end the clock goes back.
    assert_eq!(ends(Period::Hour, "2026-10-25T00:30:00Z"), "2026-10-25T02:00:00");
}

#[test]
fn only_a_greatest_age_changes_verdicts_while_nothing_is_taken() {
    assert!(rules(&json!({ "max_age": "3d" })).look_at_age());
    assert!(!rules(&json!({ "keep_last": 3, "keep_within": "3d" })).look_at_age());
}

#[test]
fn the_last_n_stay() {
    let taken_at = ["2026-01-01T00:00", "2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00"];

    insta::assert_snapshot!(plan(&json!({"keep_last": 3}), &taken_at), @r"
    2026-01-01T00:00: deleted
    2026-01-02T00:00: last 3 of 3
    2026-01-03T00:00: last 2 of 3
    2026-01-04T00:00: last 1 of 3
    ");
}

#[test]
fn the_newest_of_each_of_the_last_days_stays() {
    insta::assert_snapshot!(plan(&json!({"keep_daily": 2}), &[
        "2026-03-02T23:59:59",
        "2026-03-02T00:00",
        "2026-03-03T00:00",
        "2026-03-03T12:00",
        "2026-03-01T12:00",
    ]), @r"
    2026-03-02T23:59:59: daily 2 of 2
    2026-03-02T00:00: deleted
    2026-03-03T00:00: deleted
    2026-03-03T12:00: daily 1 of 2
    2026-03-01T12:00: deleted
    ");
}

#[test]
fn only_periods_that_have_a_snapshot_count() {
    insta::assert_snapshot!(plan(&json!({"keep_monthly": 3}), &[
        "2020-01-05T00:00", "2023-07-05T00:00", "2025-12-05T00:00", "2026-01-05T00:00",
    ]), @r"
    2020-01-05T00:00: deleted
    2023-07-05T00:00: monthly 3 of 3
    2025-12-05T00:00: monthly 2 of 3
    2026-01-05T00:00: monthly 1 of 3
    ");
}

#[test]
fn every_rule_counts_what_another_kept_too() {
    insta::assert_snapshot!(plan(&json!({"keep_last": 1, "keep_daily": 2, "keep_yearly": -1}), &[
        "2025-12-30T00:00", "2025-12-31T00:00", "2026-01-01T00:00",
    ]), @r"
    2025-12-30T00:00: oldest yearly
    2025-12-31T00:00: daily 2 of 2, yearly (all)
    2026-01-01T00:00: last 1 of 1, daily 1 of 2, yearly (all)
    ");
}

#[test]
fn the_oldest_stays_while_a_rule_has_room() {
    let taken_at = ["2026-01-01T01:00", "2026-01-01T02:00", "2026-01-02T01:00"];

    insta::assert_snapshot!(plan(&json!({"keep_daily": 3}), &taken_at), @r"
    2026-01-01T01:00: oldest daily
    2026-01-01T02:00: daily 2 of 3
    2026-01-02T01:00: daily 1 of 3
    ");
    insta::assert_snapshot!(plan(&json!({"keep_daily": 2}), &taken_at), @r"
    2026-01-01T01:00: deleted
    2026-01-01T02:00: daily 2 of 2
    2026-01-02T01:00: daily 1 of 2
    ");
}

#[test]
fn the_53rd_iso_week_goes_on_in_the_new_year() {
    // Week 53 of 2026 is from 28 December to 3 January; 29 December 2025 is in week 1 of 2026.
    insta::assert_snapshot!(plan(&json!({"keep_weekly": 4}), &[
        "2025-12-28T12:00",
        "2025-12-29T12:00",
        "2026-01-04T12:00",
        "2026-12-27T12:00",
        "2026-12-28T12:00",
        "2027-01-03T12:00",
        "2027-01-04T12:00",
    ]), @r"
    2025-12-28T12:00: deleted
    2025-12-29T12:00: deleted
    2026-01-04T12:00: weekly 4 of 4
    2026-12-27T12:00: weekly 3 of 4
    2026-12-28T12:00: deleted
    2027-01-03T12:00: weekly 2 of 4
    2027-01-04T12:00: weekly 1 of 4
    ");
}

#[test]
fn the_same_week_of_another_year_is_another_week() {
    insta::assert_snapshot!(plan(&json!({"keep_weekly": 2}), &[
        "2024-06-12T00:00", "2025-06-11T00:00", "2026-06-10T00:00",
    ]), @r"
    2024-06-12T00:00: deleted
    2025-06-11T00:00: weekly 2 of 2
    2026-06-10T00:00: weekly 1 of 2
    ");
}

#[test]
fn leap_day_is_a_day_and_in_february() {
    insta::assert_snapshot!(plan(&json!({"keep_daily": 2, "keep_monthly": 2}), &[
        "2028-02-28T12:00", "2028-02-29T12:00", "2028-03-01T12:00",
    ]), @r"
    2028-02-28T12:00: deleted
    2028-02-29T12:00: daily 2 of 2, monthly 2 of 2
    2028-03-01T12:00: daily 1 of 2, monthly 1 of 2
    ");
}

#[test]
fn days_are_those_of_the_zone() {
    let taken_at = ["2026-06-01T15:00Z", "2026-06-01T14:59Z", "2026-06-01T03:00Z"];

    insta::assert_snapshot!(plan_in("Asia/Tokyo", &json!({"keep_daily": 2}), &taken_at), @r"
    2026-06-01T15:00Z: daily 1 of 2
    2026-06-01T14:59Z: daily 2 of 2
    2026-06-01T03:00Z: deleted
    ");
    insta::assert_snapshot!(plan(&json!({"keep_daily": 2}), &taken_at), @r"
    2026-06-01T15:00Z: daily 1 of 2
    2026-06-01T14:59Z: deleted
    2026-06-01T03:00Z: oldest daily
    ");
}

#[test]
fn the_hour_that_a_clock_change_repeats_is_two() {
    insta::assert_snapshot!(plan_in("Europe/Berlin", &json!({"keep_hourly": 4}), &[
        "2026-10-24T23:30Z",
        "2026-10-25T00:00Z",
        "2026-10-25T00:30Z",
        "2026-10-25T01:00Z",
        "2026-10-25T01:30Z",
        "2026-10-25T02:00Z",
    ]), @r"
    2026-10-24T23:30Z: hourly 4 of 4
    2026-10-25T00:00Z: deleted
    2026-10-25T00:30Z: hourly 3 of 4
    2026-10-25T01:00Z: deleted
    2026-10-25T01:30Z: hourly 2 of 4
    2026-10-25T02:00Z: hourly 1 of 4
    ");
}

#[test]
fn a_day_that_a_clock_change_brings_back_is_still_one() {
    // Until 2011 Newfoundland's clocks went back at 00:01, to 23:01 of the day before.
    insta::assert_snapshot!(plan_in("America/St_Johns", &json!({"keep_daily": 3}), &[
        "2010-11-06T02:00:00Z",
        "2010-11-07T02:29:00Z",
        "2010-11-07T02:30:30Z",
        "2010-11-07T02:45:00Z",
        "2010-11-07T03:35:00Z",
    ]), @r"
    2010-11-06T02:00:00Z: daily 3 of 3
    2010-11-07T02:29:00Z: deleted
    2010-11-07T02:30:30Z: deleted
    2010-11-07T02:45:00Z: daily 2 of 3
    2010-11-07T03:35:00Z: daily 1 of 3
    ");
}

#[test]
fn of_equal_instants_the_first_given_counts_as_newer() {
    insta::assert_snapshot!(plan(&json!({"keep_last": 2}), &[
        "2026-01-01T00:00", "2026-01-01T00:00", "2026-01-01T00:00",
    ]), @r"
    2026-01-01T00:00: last 1 of 2
    2026-01-01T00:00: last 2 of 2
    2026-01-01T00:00: deleted
    ");
}

// The rules with a span

#[test]
fn within_looks_back_from_the_newest_and_not_from_now() {
    insta::assert_snapshot!(plan(&json!({"keep_within": "14d"}), &[
        "2026-01-01T00:00:00", "2026-01-01T00:00:01", "2026-01-15T00:00:00",
    ]), @r"
    2026-01-01T00:00:00: deleted
    2026-01-01T00:00:01: within 14d
    2026-01-15T00:00:00: within 14d
    ");
}

#[test]
fn months_run_over_at_the_end_of_february() {
    insta::assert_snapshot!(plan(&json!({"keep_within": "1m"}), &[
        "2026-02-28T12:00", "2026-03-03T12:00", "2026-03-03T12:01", "2026-03-31T12:00",
    ]), @r"
    2026-02-28T12:00: deleted
    2026-03-03T12:00: deleted
    2026-03-03T12:01: within 1m
    2026-03-31T12:00: within 1m
    ");
}

#[test]
fn the_newest_of_each_day_within_a_span_stays() {
    insta::assert_snapshot!(plan(&json!({"keep_within_daily": "2d"}), &[
        "2026-01-03T12:00",
        "2026-01-03T11:00",
        "2026-01-02T12:00",
        "2026-01-01T13:00",
        "2026-01-01T12:30",
        "2026-01-01T12:00",
    ]), @r"
    2026-01-03T12:00: within 2d daily
    2026-01-03T11:00: deleted
    2026-01-02T12:00: within 2d daily
    2026-01-01T13:00: within 2d daily
    2026-01-01T12:30: deleted
    2026-01-01T12:00: deleted
    ");
}

#[test]
fn the_oldest_stays_if_it_is_within_the_span() {
    insta::assert_snapshot!(plan(&json!({"keep_within_weekly": "1m", "keep_within_yearly": "1d"}), &[
        "2026-06-15T12:00", "2026-06-10T12:00", "2026-06-09T12:00", "2026-06-08T12:00",
    ]), @r"
    2026-06-15T12:00: within 1m weekly, within 1d yearly
    2026-06-10T12:00: within 1m weekly
    2026-06-09T12:00: deleted
    2026-06-08T12:00: oldest within 1m weekly
    ");
}

#[test]
fn max_age_keeps_what_is_younger_than_it_now() {
    let rules = rules(&json!({"max_age": "30d"}));
    let now: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
    let limit: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();

    let verdicts = rules.plan(&[limit + 1.nanosecond(), limit], &Zone::default(), now);

    let younger = Verdict { keep: true, reasons: vec!["younger than 30d".to_owned()] };
    assert_eq!(verdicts, [younger, Verdict { keep: false, reasons: Vec::new() }]);
}

#[test]
fn what_is_in_the_future_is_within_every_span_and_moves_none() {
    let rules = rules(&json!({"keep_within": "1d"}));
    let zone = Zone::default();
    let taken_at = instants(&["2026-01-01T00:00", "2026-01-02T00:00", "2027-01-01T00:00"], &zone);
    let kept = |now: Timestamp| -> Vec<bool> {
        rules.plan(&taken_at, &zone, now).iter().map(|verdict| verdict.keep).collect()
    };

    assert_eq!(kept("2026-01-01T12:00:00Z".parse().unwrap()), [true, true, true]);
    assert_eq!(kept("2026-01-02T00:00:00Z".parse().unwrap()), [false, true, true]);
    assert_eq!(kept("2025-01-01T00:00:00Z".parse().unwrap()), [true, true, true]);
    assert_eq!(kept("2027-01-01T00:00:00Z".parse().unwrap()), [false, false, true]);
}

#[test]
fn with_one_in_the_future_a_second_plan_may_delete_more() {
    let rules = rules(&json!({"keep_within_daily": "1m"}));
    let zone = Zone::default();
    let now: Timestamp = "2026-04-01T12:00:00Z".parse().unwrap();
    let taken_at = instants(
        &["2026-03-02T12:00", "2026-03-31T12:00", "2026-04-01T10:00", "2026-04-01T23:00"],
        &zone,
    );

    // It looks back from 1 April to 1 March, and then from 31 March to 3 March.
    let first = kept(&rules, &taken_at, &zone, now);
    let second = kept(&rules, &survivors(&taken_at, &first), &zone, now);

    assert_eq!(first, [true, true, false, true]);
    assert_eq!(second, [false, true, true]);
}

#[test]
fn the_newest_is_within_a_span_that_ends_on_a_skipped_day() {
    // Samoa had no 30 December 2011: a day before the 31st is the 31st.
    insta::assert_snapshot!(plan_in("Pacific/Apia", &json!({"keep_within": "1d"}), &[
        "2011-12-31T10:00", "2011-12-29T10:00",
    ]), @r"
    2011-12-31T10:00: within 1d
    2011-12-29T10:00: deleted
    ");
}

#[test]
fn nothing_to_plan_is_an_empty_plan() {
    assert_eq!(plan(&json!({"keep_last": 1, "keep_within": "1d"}), &[]), "");
}

// Reading and printing

#[test]
fn rules_print_as_they_were_given_without_those_that_are_off() {
    let given = json!({
        "keep_last": 3, "keep_hourly": 1, "keep_daily": 7, "keep_weekly": 0, "keep_monthly": -1,
        "keep_yearly": null, "keep_within": "2d1m", "keep_within_hourly": "36h",
        "keep_within_daily": "7d", "keep_within_weekly": "1m", "keep_within_monthly": "1y",
        "keep_within_yearly": "0d", "max_age": "30d",
    });
    let expected = json!({
        "keep_last": 3, "keep_hourly": 1, "keep_daily": 7, "keep_monthly": -1,
        "keep_within": "1m2d", "keep_within_hourly": "36h", "keep_within_daily": "7d",
        "keep_within_weekly": "1m", "keep_within_monthly": "1y", "max_age": "30d",
    });

    let read = rules(&given);

    assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    assert_eq!(rules(&expected), read);
    insta::assert_snapshot!(
        read.describe().replace("; ", ";\n"),
        @r"
    keep the last 3;
    newest of the last hour;
    newest of each of the last 7 days;
    newest of every month;
    everything within 1m2d of the newest;
    newest of each hour within 36h of the newest;
    newest of each day within 7d of the newest;
    newest of each week within 1m of the newest;
    newest of each month within 1y of the newest;
    everything younger than 30d
    "
    );
}

#[test]
fn rules_that_keep_nothing_are_refused_with_what_to_give() {
    for empty in [json!({}), json!({"keep_last": 0, "keep_within": "0d"}), json!({"max_age": "0h"})]
    {
        insta::allow_duplicates! {
            insta::assert_snapshot!(refusal(&empty), @"these rules would keep nothing: give at least one count that is not 0 (keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly) or one span that is not 0 (keep_within, keep_within_hourly, keep_within_daily, keep_within_weekly, keep_within_monthly, keep_within_yearly, max_age), or no rules at all (null) to keep everything");
        }
    }
}

#[test]
fn a_refusal_names_the_rule_the_value_and_what_is_allowed() {
    assert_eq!(
        refusal(&json!({"keep_daily": -2})),
        "keep_daily is -2: allowed are -1 (all) and 0 (off) to 4294967295"
    );
    assert_eq!(
        refusal(&json!({"keep_within_daily": "2w"})),
        "keep_within_daily is \"2w\": allowed are whole numbers up to 99999, each with one of \
         y (years), m (months), d (days), h (hours), such as 14d or 1y2m3d4h"
    );
    for other in [json!({"keep_dayly": 7}), json!({"keep_daily": "7"}), json!({"keep_daily": 1.5})]
    {
        refusal(&other);
    }
    let raw = RawRules { keep_weekly: Some(i64::MIN), ..RawRules::default() };
    assert_eq!(Rules::try_from(raw).unwrap_err().field(), Some("keep_weekly"));
}

#[test]
fn the_way_that_is_not_walked_ends_where_a_rule_without_periods_does() {
    let zone = zone("UTC");
    let now: Timestamp = "2026-03-10T00:00:00Z".parse().unwrap();
    // Five days, the newest of which is a day ago.
    let moments: Vec<_> = (1..=5).rev().map(|days| now - (24 * days).hours()).collect();
    let moments: Vec<_> = moments.into_iter().map(|at| Moment::new(at, &zone)).collect();
    let deleted = |json| {
        let kept = rules(&json).kept(&moments, &zone, now);
        kept.iter().filter(|kept| !**kept).count()
    };

    assert_eq!(deleted(json!({"keep_last": 5})), 0);
    assert_eq!(deleted(json!({"keep_last": 4})), 1);
    assert_eq!(deleted(json!({"keep_last": -1})), 0);
    assert_eq!(deleted(json!({"keep_within": "97h"})), 0);
    assert_eq!(deleted(json!({"keep_within": "96h"})), 1);
    assert_eq!(deleted(json!({"max_age": "121h"})), 0);
    assert_eq!(deleted(json!({"max_age": "120h"})), 1);
    assert!(rules(&json!({"keep_last": 1})).kept(&[], &zone, now).is_empty());
}
