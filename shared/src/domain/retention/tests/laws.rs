//! The rules against a second reading of them, which looks at every pair, and their laws.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{
    super::{Moment, RawRules, Rules, period::Period, rules::Count},
    Zone, kept, survivors, zone,
};

/// The period as text: equal for equal periods.
fn period_of(period: Period, at: Timestamp, zone: &Zone) -> String {
    let at = at.to_zoned(zone.time_zone().clone());
    let format = match period {
        Period::Each => return String::new(),
        Period::Hour => "%F %H %z",
        Period::Day => "%F",
        Period::Week => "%G-%V",
        Period::Month => "%Y-%m",
        Period::Year => "%Y",
    };
    at.strftime(format).to_string()
}

/// Which stay, each looked at on its own.
fn kept_naively(rules: &Rules, taken_at: &[Timestamp], zone: &Zone, now: Timestamp) -> Vec<bool> {
    let is_newer = |one: usize, other: usize| {
        taken_at[one] > taken_at[other] || taken_at[one] == taken_at[other] && one < other
    };
    let same_period = |period, one: usize, other: usize| {
        if period == Period::Each {
            one == other
        } else {
            period_of(period, taken_at[one], zone) == period_of(period, taken_at[other], zone)
        }
    };
    let all = 0..taken_at.len();
    let is_newest_of_period = |period, one| {
        all.clone().all(|other| !is_newer(other, one) || !same_period(period, other, one))
    };
    let latest = taken_at.iter().copied().filter(|&at| at <= now).max();
    let is_kept = |one: usize| {
        let is_oldest = all.clone().all(|other| other == one || is_newer(other, one));
        let by_count = rules.counts.iter().any(|(&period, count)| {
            let newer_periods = all
                .clone()
                .filter(|&other| is_newer(other, one) && is_newest_of_period(period, other))
                .count();
            let has_room = match count {
                Count::All => true,
                Count::UpTo(count) => newer_periods < usize::try_from(count.get()).unwrap(),
            };
            has_room && (is_oldest || is_newest_of_period(period, one))
        });
        let by_span = rules.within.iter().any(|(&period, span)| {
            let inside = latest.is_none_or(|latest| taken_at[one] > span.before(latest, zone));
            inside && (is_oldest || is_newest_of_period(period, one))
        });
        by_count
            || by_span
            || rules.max_age.is_some_and(|age| taken_at[one] > age.before(now, zone))
    };
    all.clone().map(is_kept).collect()
}

fn any_rules() -> BoxedStrategy<Rules> {
    let count = || prop::option::weighted(0.3, prop_oneof![9 => 0_i64..8, 1 => Just(-1)]);
    let span = || {
        let part = |unit: char| (0..40).prop_map(move |number| format!("{number}{unit}"));
        prop::option::weighted(
            0.2,
            prop_oneof![
                part('h'),
                part('d'),
                (0..14).prop_map(|months| format!("{months}m")),
                (0..3, 0..40).prop_map(|(years, days)| format!("{years}y{days}d")),
            ],
        )
    };
    let counts = prop::array::uniform6(count());
    let spans = (prop::array::uniform6(span()), span());
    (counts, spans)
        .prop_filter_map("empty", |(counts, (spans, max_age))| {
            let [keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly] =
                counts;
            let [within, hourly, daily, weekly, monthly, yearly] = spans;
            let raw = RawRules {
                keep_last,
                keep_hourly,
                keep_daily,
                keep_weekly,
                keep_monthly,
                keep_yearly,
                keep_within: within,
                keep_within_hourly: hourly,
                keep_within_daily: daily,
                keep_within_weekly: weekly,
                keep_within_monthly: monthly,
                keep_within_yearly: yearly,
                max_age,
            };
            Rules::try_from(raw).ok()
        })
        .boxed()
}

/// Up to 40 instants, closer or farther apart, with ties; some histories cross clock changes.
fn histories() -> BoxedStrategy<Vec<Timestamp>> {
    let begin: Timestamp = "2010-10-01T00:00:00Z".parse().unwrap();
    let unit = prop::sample::select(vec![10_i64, 60, 360, 1_440, 9_000, 40_000]);
    (0_i64..800, unit, prop::collection::vec(0_i64..60, 0..40))
        .prop_map(move |(days, unit, steps)| {
            let mut at = begin + SignedDuration::from_hours(24 * days);
            let mut instants = Vec::new();
            for step in steps {
                instants.push(at);
                at += SignedDuration::from_mins(step / 10 * unit + step % 10);
            }
            instants
        })
        .boxed()
}

fn zones() -> BoxedStrategy<Zone> {
    let names = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"];
    prop::sample::select(names.to_vec()).prop_map(zone).boxed()
}

/// Some time after the newest: no snapshot is in the future.
fn later_than(taken_at: &[Timestamp], hours: i64) -> Timestamp {
    let newest = taken_at.iter().copied().max().unwrap_or(Timestamp::UNIX_EPOCH);
    newest + SignedDuration::from_hours(hours)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_stays_is_what_a_naive_reading_keeps(
        rules in any_rules(),
        taken_at in histories().prop_shuffle(),
        zone in zones(),
        hours in -500_i64..1_000,
    ) {
        let now = later_than(&taken_at, hours);

        prop_assert_eq!(
            kept(&rules, &taken_at, &zone, now),
            kept_naively(&rules, &taken_at, &zone, now)
        );
    }

    #[test]
    fn without_their_reasons_the_verdicts_are_the_same(
        rules in any_rules(),
        taken_at in histories(),
        zone in zones(),
        hours in -500_i64..1_000,
    ) {
        let now = later_than(&taken_at, hours);
        let mut newest_first = taken_at.clone();
        newest_first.reverse();
        let moments: Vec<_> = taken_at.iter().map(|&at| Moment::new(at, &zone)).collect();

        let mut expected = kept(&rules, &newest_first, &zone, now);
        expected.reverse();

        prop_assert_eq!(rules.kept(&moments, &zone, now), expected);
    }

    #[test]
    fn the_order_of_input_does_not_matter(
        rules in any_rules(),
        (sorted, shuffled) in histories()
            .prop_map(|mut taken_at| { taken_at.dedup(); taken_at })
            .prop_flat_map(|taken_at| (Just(taken_at.clone()), Just(taken_at).prop_shuffle())),
        zone in zones(),
    ) {
        let now = later_than(&sorted, 1);
        let verdicts = |taken_at: &[Timestamp]| {
            let mut verdicts: Vec<_> =
                taken_at.iter().copied().zip(rules.plan(taken_at, &zone, now)).collect();
            verdicts.sort_by_key(|(at, _)| *at);
            verdicts
        };

        prop_assert_eq!(verdicts(&sorted), verdicts(&shuffled));
    }

    #[test]
    fn a_plan_carried_out_plans_nothing_more(
        rules in any_rules(),
        taken_at in histories().prop_shuffle(),
        zone in zones(),
        hours in 0_i64..1_000,
    ) {
        let now = later_than(&taken_at, hours);
        let survivors = survivors(&taken_at, &kept(&rules, &taken_at, &zone, now));

        let again = kept(&rules, &survivors, &zone, now);

        prop_assert!(again.iter().all(|kept| *kept));
    }

    #[test]
    fn a_higher_count_or_a_longer_span_never_deletes_more(
        rules in any_rules(),
        taken_at in histories(),
        zone in zones(),
        hours in -500_i64..1_000,
        more in 1_i64..10,
    ) {
        let now = later_than(&taken_at, hours);
        let before = kept(&rules, &taken_at, &zone, now);
        let raw = RawRules::from(rules);
        let raise = |count: Option<i64>| count.map(|count| if count < 0 { -1 } else { count + more });
        let lengthen = |span: Option<String>| span.map(|span| {
            let (years, rest) = span.split_once('y').unwrap_or(("0", &span));
            format!("{}y{rest}", years.parse::<i64>().unwrap() + more)
        });
        let generous = Rules::try_from(RawRules {
            keep_last: raise(raw.keep_last),
            keep_hourly: raise(raw.keep_hourly),
            keep_daily: raise(raw.keep_daily.or(Some(0))),
            keep_weekly: raise(raw.keep_weekly),
            keep_monthly: raise(raw.keep_monthly),
            keep_yearly: raise(raw.keep_yearly),
            keep_within: lengthen(raw.keep_within),
            keep_within_hourly: lengthen(raw.keep_within_hourly),
            keep_within_daily: lengthen(raw.keep_within_daily),
            keep_within_weekly: lengthen(raw.keep_within_weekly),
            keep_within_monthly: lengthen(raw.keep_within_monthly),
            keep_within_yearly: lengthen(raw.keep_within_yearly),
            max_age: lengthen(raw.max_age),
        })
        .unwrap();

        let after = kept(&generous, &taken_at, &zone, now);

        prop_assert!(before.iter().zip(&after).all(|(before, after)| *after || !before));
    }

    #[test]
    fn the_newest_stays_under_every_rule_but_max_age(
        rules in any_rules(),
        taken_at in histories(),
        zone in zones(),
    ) {
        let only_max_age = rules.counts.is_empty() && rules.within.is_empty();
        let verdicts = kept(&rules, &taken_at, &zone, later_than(&taken_at, 1));

        let newest = taken_at.last();
        let newest_stays = taken_at.iter().zip(verdicts).any(|(at, keep)| keep && newest == Some(at));
        prop_assert!(only_max_age || newest.is_none() || newest_stays);
    }

    #[test]
    fn rules_print_and_read_as_the_same(rules in any_rules()) {
        let json = serde_json::to_string(&rules).unwrap();

        prop_assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
    }
}
