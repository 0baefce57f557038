//! Simulations: what exists when, against a plain reading of slots and verdicts.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::schedule::expression::Expression;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rules(json: &str) -> Rules {
    serde_json::from_str(json).unwrap()
}

struct Case {
    expression: Expression,
    zone: Zone,
    rules: Option<Rules>,
    from: Timestamp,
    days: u16,
}

impl Case {
    fn new(expression: &str, zone: &str, json: &str) -> Self {
        Self {
            expression: expression.parse().unwrap(),
            zone: zone.parse().unwrap(),
            rules: (!json.is_empty()).then(|| rules(json)),
            from: at("2026-03-27T00:00:00Z"),
            days: 5,
        }
    }

    fn scenario(&self) -> Scenario<'_> {
        let timing = Timing {
            expression: &self.expression,
            timezone: &self.zone,
            anchor: self.from,
            start_at: None,
            end_at: None,
        };
        Scenario { timing, rules: self.rules.as_ref(), from: self.from, days: self.days }
    }

    fn days(&self) -> Vec<Day> {
        Simulation::new(self.scenario()).unwrap().collect()
    }

    /// A line for each day: date, fires, the days of what exists, and what is missed.
    fn text(&self) -> String {
        let mut text = String::new();
        for Day { date, fires, survivors, missed } in self.days() {
            let local = |at: &Timestamp| self.zone.time_zone().to_datetime(*at);
            let survivors: Vec<_> =
                survivors.iter().map(|at| local(at).strftime("%d/%H").to_string()).collect();
            write!(text, "{date} {fires}: {}", survivors.join(" ")).unwrap();
            let missed: Vec<_> = missed.iter().map(|time| time.time().to_string()).collect();
            writeln!(
                text,
                "{}{}",
                if missed.is_empty() { "" } else { " missed " },
                missed.join(" ")
            )
            .unwrap();
        }
        text
    }
}

#[test]
fn each_day_has_what_the_rules_have_left_of_it() {
    let case = Case::new("cron(0 2,14 * * ? *)", "Europe/Berlin", r#"{"keep_daily": 2}"#);

    insta::assert_snapshot!(case.text(), @r"
    2026-03-27 2: 27/02 27/14
    2026-03-28 2: 27/14 28/14
    2026-03-29 1: 28/14 29/14 missed 02:00:00
    2026-03-30 2: 29/14 30/14
    2026-03-31 2: 30/14 31/14
    ");
}

#[test]
fn without_rules_everything_stays() {
    let days = Case::new("rate(6 hours)", "UTC", "").days();

    // The sixth hour after the last midnight is another day's, and so is midnight itself.
    let counts: Vec<_> = days.iter().map(|day| day.survivors.len()).collect();
    assert_eq!(counts, [3, 7, 11, 15, 19]);
    assert_eq!(days.iter().map(|day| day.fires).sum::<u32>(), 19);
}

#[test]
fn what_is_due_with_a_sweep_comes_after_it() {
    let case = Case::new("rate(1 hour)", "UTC", r#"{"keep_last": 1}"#);

    let days = case.days();

    // 23:00 is there beside the 22:00 that the sweep of 23:00 still took for the newest.
    assert_eq!(days[0].survivors, [at("2026-03-27T22:00:00Z"), at("2026-03-27T23:00:00Z")]);
}

#[test]
fn the_newest_stays_though_no_rule_keeps_it() {
    let case = Case::new("at(2026-03-28T12:00:00)", "UTC", r#"{"max_age": "1d"}"#);

    let days = case.days();

    assert_eq!(days[4].survivors, [at("2026-03-28T12:00:00Z")]);
}

#[test]
fn a_day_that_a_zone_skips_is_there_and_has_missed_its_times() {
    let mut case = Case::new("cron(0 12 * * ? *)", "Pacific/Apia", "");
    case.from = at("2011-12-29T11:00:00Z");
    case.days = 3;

    insta::assert_snapshot!(case.text(), @r"
    2011-12-29 1: 29/12
    2011-12-30 0: 29/12 missed 12:00:00
    2011-12-31 1: 29/12 31/12
    ");
}

#[test]
fn a_day_whose_midnight_is_skipped_begins_with_the_change() {
    let zone: Zone = "America/Toronto".parse().unwrap();

    let begun = beginning("1919-03-31".parse().unwrap(), &zone).unwrap();

    assert_eq!(zone.time_zone().to_datetime(begun).to_string(), "1919-03-31T00:30:00");
    assert_eq!(begun, at("1919-03-31T04:30:00Z"));
}

#[test]
fn more_fires_than_can_be_simulated_are_refused_in_words() {
    let mut case = Case::new("cron(* * * * ? *)", "UTC", "");
    case.days = 69;
    assert!(Simulation::new(case.scenario()).is_ok());
    case.days = 70;

    let refusal = Simulation::new(case.scenario()).unwrap_err().to_string();

    assert!(refusal.contains("more than 100000 times in 70 days"), "{refusal}");
}

#[test]
fn eight_hundred_days_of_an_hourly_schedule_can_be_simulated() {
    let gfs = r#"{"keep_hourly": 24, "keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12, "keep_yearly": 3}"#;
    let mut case = Case::new("cron(0 * * * ? *)", "Europe/Berlin", gfs);
    case.days = 800;

    let days = case.days();

    assert_eq!(days.len(), 800);
    assert!(days[799].survivors.len() > 40);
}

#[test]
fn more_snapshots_than_can_be_judged_every_hour_are_refused_in_words() {
    for rules in [r#"{"keep_hourly": 20000}"#, r#"{"keep_hourly": -1}"#, r#"{"max_age": "2y"}"#] {
        let mut case = Case::new("rate(10 minutes)", "UTC", rules);
        case.days = 690;

        let refusal = Simulation::new(case.scenario()).unwrap_err().to_string();

        assert!(refusal.contains("simulate fewer days"), "{refusal}");
        case.days = 60;
        assert!(Simulation::new(case.scenario()).is_ok(), "{rules}");
    }
}

/// The same by the plain way: every sweep is a whole plan, every slot looked for anew.
fn plainly(scenario: &Scenario<'_>) -> Vec<Vec<Timestamp>> {
    let zone = scenario.timing.timezone;
    let local = |at: Timestamp| zone.time_zone().to_datetime(at).date();
    let mut date = local(scenario.from);
    let mut days = Vec::new();
    let mut history: Vec<Timestamp> = Vec::new();
    let mut now = scenario.from;
    loop {
        // Minute by minute: the expressions here fire on whole minutes, as sweeps do.
        now += SignedDuration::from_mins(1);
        while date < local(now) {
            days.push(history.clone());
            date = date.tomorrow().unwrap();
            if days.len() == usize::from(scenario.days) {
                return days;
            }
        }
        if let Some(rules) = scenario.rules.filter(|_| now.as_second() % 3_600 == 0) {
            let newest = history.last().copied();
            let verdicts = rules.plan(&history, zone, now);
            let mut verdicts = verdicts.iter();
            history.retain(|at| verdicts.next().unwrap().keep || Some(*at) == newest);
        }
        if scenario.timing.next_after(now - SignedDuration::from_nanos(1)) == Some(now) {
            history.push(now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_survives_is_what_plans_and_slots_leave(
        expression in prop::sample::select(vec![
            "cron(0 * * * ? *)", "cron(0/30 2-9 * * ? *)", "rate(95 minutes)", "cron(30 1 * * ? *)",
        ]),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        json in prop::sample::select(vec![
            r#"{"keep_last": 3}"#,
            r#"{"keep_hourly": 5, "keep_daily": 2, "keep_weekly": 1}"#,
            r#"{"keep_within": "30h", "keep_daily": 4}"#,
            r#"{"max_age": "9h"}"#,
            r#"{"keep_within_daily": "3d", "max_age": "20h"}"#,
        ]),
        start in prop::sample::select(vec!["2026-03-27T21:10:00Z", "2026-10-23T00:00:00Z"]),
    ) {
        let mut case = Case::new(expression, zone, json);
        case.from = at(start);
        case.days = 4;

        let days: Vec<_> = case.days().into_iter().map(|day| day.survivors).collect();

        prop_assert_eq!(days, plainly(&case.scenario()));
    }
}
