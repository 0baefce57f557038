//! The most snapshots of an instance that rules can keep, told from the rules alone.

use std::collections::BTreeMap;

use super::{
    period::Period,
    rules::{Count, Rules},
    span::Span,
};
use crate::domain::schedule::expression::{Expression, Window};
use crate::domain::schedule::zone::Zone;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// By how much a clock change moves a clock at the most.
const CLOCK_CHANGE: u64 = 3 * HOUR;

/// How many snapshots of one instance stay in the long run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAtMost {
    /// How many at the most, leaving aside the rules that keep without end.
    pub bounded: u64,
    /// For each rule that keeps without end, how many seconds lie between two that it keeps, at the least; 0 for
    /// one that keeps all.
    pub endless_every_seconds: Vec<u64>,
}

/// What a window reaches back from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Back {
    FromNewest,
    FromNow,
}

impl Rules {
    /// What they keep of snapshots that are taken at the fires of `expression`, at any time.
    ///
    /// What several rules keep counts once as far as that is certain: of the rules of one kind of period only the widest
    /// adds any, what is alone in its period is as good as one of the newest, and the newest of a longer period is the
    /// newest of its shorter one too, as far as a rule for that reaches back. It may still be less.
    pub fn kept_at_most(&self, expression: &Expression, zone: &Zone) -> KeptAtMost {
        let is_alone_in = |period: Period| {
            let seconds = shortest_seconds(period);
            let window = Window { local_seconds: seconds, elapsed_seconds: seconds };
            expression.fires_at_most(window) <= 1
        };
        let periods = [Period::Year, Period::Month, Period::Week, Period::Day, Period::Hour];
        let gap = periods.into_iter().find(|period| is_alone_in(*period)).map(shortest_seconds);
        // How many of the newest are kept at the most, and how many for certain.
        let (mut newest, mut certain) = (0, 0);
        let mut reaches: BTreeMap<Period, Reach> = BTreeMap::new();
        let mut endless_every_seconds = Vec::new();
        let mut add = |period: Period, kept: u64, back_seconds: u64| {
            if period == Period::Each || is_alone_in(period) {
                newest = newest.max(kept);
            } else {
                let reach = reaches.entry(period).or_default();
                reach.kept = reach.kept.max(kept);
                reach.back_seconds = reach.back_seconds.max(back_seconds);
            }
        };
        for (&period, &count) in &self.counts {
            match count {
                Count::All => endless_every_seconds.push(shortest_seconds(period)),
                Count::UpTo(count) => {
                    let count = u64::from(count.get());
                    if period == Period::Each || is_alone_in(period) {
                        certain = count.max(certain);
                    }
                    add(period, count, (count - 1).saturating_mul(shortest_seconds(period)));
                }
            }
        }
        for (&period, span) in &self.within {
            let window = window(span, zone, Back::FromNewest);
            let fires = expression.fires_at_most(window);
            let kept = match period {
                Period::Each => fires,
                Period::Hour | Period::Day | Period::Week | Period::Month | Period::Year => {
                    let length = window.local_seconds.max(window.elapsed_seconds);
                    // A window begins and ends within a period, and the oldest snapshot may stay as well.
                    fires.min(length.div_ceil(shortest_seconds(period)) + 2)
                }
            };
            // How far back a span reaches at the least is not asked.
            add(period, kept, 0);
        }
        if let Some(span) = &self.max_age {
            let fires = expression.fires_at_most(window(span, zone, Back::FromNow));
            add(Period::Each, fires, 0);
        }
        let mut bounded = newest;
        let mut back_seconds = gap.unwrap_or(0).saturating_mul(u64::saturating_sub(certain, 1));
        for (period, reach) in reaches {
            let both = (back_seconds / longest_seconds(period)).max(u64::from(bounded > 0));
            bounded = bounded.saturating_add(reach.kept.saturating_sub(both));
            back_seconds = back_seconds.max(reach.back_seconds);
        }
        KeptAtMost { bounded, endless_every_seconds }
    }
}

/// What the rules of one kind of period keep.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    /// How many at the most.
    kept: u64,
    /// How far back from the newest snapshot they keep the newest of each period, at the least.
    back_seconds: u64,
}

fn window(span: &Span, zone: &Zone, from: Back) -> Window {
    let longest = span.longest_seconds();
    if zone.time_zone().to_fixed_offset().is_ok() {
        return Window { local_seconds: longest, elapsed_seconds: longest };
    }
    // From one fire to the time of day of another the wall has whole days, whatever the clocks did between.
    let is_whole_days = from == Back::FromNewest && !span.has_hours();
    Window {
        local_seconds: if is_whole_days { longest } else { longest + CLOCK_CHANGE },
        elapsed_seconds: longest + CLOCK_CHANGE,
    }
}

/// How long a period lasts at the least; 0 where each snapshot is one.
fn shortest_seconds(period: Period) -> u64 {
    match period {
        Period::Each => 0,
        Period::Hour => HOUR,
        // A clock may skip some of it.
        Period::Day => DAY - CLOCK_CHANGE,
        Period::Week => 7 * DAY - CLOCK_CHANGE,
        Period::Month => 28 * DAY - CLOCK_CHANGE,
        Period::Year => 365 * DAY - CLOCK_CHANGE,
    }
}

/// How long a period that is not `Each` lasts at the most.
fn longest_seconds(period: Period) -> u64 {
    match period {
        Period::Each | Period::Hour => HOUR + CLOCK_CHANGE,
        Period::Day => DAY + CLOCK_CHANGE,
        Period::Week => 7 * DAY + CLOCK_CHANGE,
        Period::Month => 31 * DAY + CLOCK_CHANGE,
        Period::Year => 366 * DAY + CLOCK_CHANGE,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn kept(rules: &serde_json::Value, expression: &str) -> KeptAtMost {
        let rules: Rules = serde_json::from_value(rules.clone()).unwrap();
        rules.kept_at_most(&expression.parse().unwrap(), &Zone::default())
    }

    #[test]
    fn the_bound_is_what_a_person_would_reckon() {
        let hourly = "cron(0 * * * ? *)";
        let daily = "cron(30 2 * * ? *)";
        for (rules, expression, expected) in [
            (json!({"keep_last": 7}), daily, 7),
            (json!({"keep_daily": 7, "keep_weekly": 4, "keep_monthly": 12}), daily, 21),
            (
                json!({"keep_hourly": 24, "keep_daily": 7, "keep_weekly": 4, "keep_monthly": 12}),
                hourly,
                44,
            ),
            (json!({"keep_last": 7, "keep_hourly": 24, "keep_daily": 30}), daily, 30),
            (json!({"keep_daily": 30, "keep_weekly": 4}), daily, 31),
            (
                json!({"keep_hourly": 48, "keep_within_hourly": "2d", "keep_daily": 2}),
                "rate(20 minutes)",
                51,
            ),
            (json!({"keep_within": "14d"}), hourly, 336),
            (json!({"keep_within": "14d"}), daily, 14),
            (json!({"max_age": "30d", "keep_last": 3}), daily, 30),
            (json!({"keep_within_yearly": "10y"}), daily, 13),
            (json!({"keep_within": "3y"}), hourly, 1_099 * 24),
        ] {
            let bound = kept(&rules, expression);
            assert_eq!(
                (bound.bounded, bound.endless_every_seconds.len()),
                (expected, 0),
                "{rules}"
            );
        }
    }

    #[test]
    fn minus_one_grows_without_end_beside_what_the_others_keep() {
        let bound = kept(&json!({"keep_last": 5, "keep_yearly": -1}), "rate(1 day)");

        assert_eq!(bound.bounded, 5);
        assert_eq!(bound.endless_every_seconds, [365 * DAY - CLOCK_CHANGE]);
    }

    fn some_rules() -> impl Strategy<Value = Rules> {
        let count = || prop::option::of(1_u32..6);
        let span = || {
            prop::option::of(prop::sample::select(vec![
                "5h", "1d", "10d", "1m", "2m3d", "1y", "13m", "3d7h", "40d",
            ]))
        };
        (count(), count(), count(), count(), (span(), span(), span(), span(), span())).prop_filter_map(
            "a rule that keeps something",
            |(last, hourly, daily, monthly, (within, hours, weeks, years, max_age))| {
                let rules = json!({
                    "keep_last": last, "keep_hourly": hourly, "keep_daily": daily,
                    "keep_monthly": monthly, "keep_within": within, "keep_within_hourly": hours,
                    "keep_within_weekly": weeks, "keep_within_yearly": years, "max_age": max_age,
                });
                serde_json::from_value(rules).ok()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whether a sweep deletes after each fire or never.
        #[test]
        fn what_a_simulation_keeps_is_never_more(
            rules in some_rules(),
            expression in prop::sample::select(vec![
                "rate(1 hour)", "rate(17 hours)", "cron(0 2 * * ? *)", "cron(30 0/6 ? * MON-FRI *)",
                "cron(15 23 ? * SUN *)", "cron(0 12 1,31 * ? *)", "cron(0 3 L * ? *)",
            ]),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York"]),
            begin in 0_i64..400,
        ) {
            let (expression, zone) = (expression.parse::<Expression>().unwrap(), zone.parse::<Zone>().unwrap());
            let bound = rules.kept_at_most(&expression, &zone).bounded;
            let anchor: Timestamp = "2026-01-01T00:20:00Z".parse().unwrap();
            let mut at = anchor + jiff::SignedDuration::from_hours(24 * begin);
            let (mut all, mut swept) = (Vec::new(), Vec::new());
            for fire in 0..500 {
                at = expression.next_after(&zone, anchor, at).unwrap();
                all.push(at);
                swept.push(at);
                let verdicts = rules.plan(&swept, &zone, at);
                let mut verdicts = verdicts.iter();
                swept.retain(|_| verdicts.next().unwrap().keep);
                prop_assert!(u64::try_from(swept.len()).unwrap() <= bound, "{} of {bound}", swept.len());
                if fire % 50 == 49 {
                    let kept = rules.plan(&all, &zone, at).iter().filter(|one| one.keep).count();
                    prop_assert!(u64::try_from(kept).unwrap() <= bound, "{kept} of {bound} unswept");
                }
            }
        }
    }
}
