//! What schedules come to, example by example.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Settings;

const NOW: &str = "2026-03-02T10:00:30Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(expression: &str, rules: &serde_json::Value) -> Schedule {
    let mut new = Settings::of("x", expression.parse().unwrap());
    new.rules = serde_json::from_value(rules.clone()).unwrap();
    Schedule::made(ScheduleId::derived(at(NOW), &["x"]), new, at(NOW))
}

fn of_two_volumes(instances: u64) -> PresentTargets {
    PresentTargets { instances, volumes: 2 * instances, slow_volumes: 0, fullest: None }
}

fn means() -> Means {
    let pace = SignedDuration::from_millis(400);
    Means { create_pace: pace, delete_pace: pace, condemn_max: 1_000, quota: 100_000 }
}

fn checked(schedule: &Schedule, present: &PresentTargets) -> (Demand, Vec<String>) {
    let limits = limits(schedule, Some(present), &means(), at(NOW));
    (limits.demand.unwrap(), limits.warnings)
}

/// Numbers, then the warnings, one a line.
fn told(expression: &str, rules: &serde_json::Value, instances: u64) -> String {
    let schedule = schedule(expression, rules);
    let limits = limits(&schedule, Some(&of_two_volumes(instances)), &means(), at(NOW));
    let demand = limits.demand.unwrap();
    let numbers = format!(
        "{}/day, {} creates/h, {} deletes/h, {:?} steady, {} s/slot",
        limits.fires_per_day,
        demand.creates_per_hour,
        demand.deletes_per_hour,
        demand.ebs_snapshots_steady,
        demand.seconds_per_slot
    );
    [numbers].into_iter().chain(limits.warnings).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_modest_schedule_has_no_warnings() {
    assert_eq!(
        told("cron(30 2 * * ? *)", &json!({"keep_daily": 7}), 10),
        "1/day, 10 creates/h, 1 deletes/h, Some(140) steady, 2 s/slot"
    );
    assert_eq!(
        told("cron(0 3 ? * SUN *)", &json!({"keep_last": 4}), 100),
        "0.143/day, 100 creates/h, 2 deletes/h, Some(800) steady, 20 s/slot"
    );
    assert_eq!(
        told("at(2026-03-09T00:00:00)", &json!(null), 10),
        "1/day, 10 creates/h, 0 deletes/h, Some(20) steady, 2 s/slot"
    );
}

#[test]
fn ten_thousand_instances_every_hour_are_too_much_in_every_way() {
    assert_eq!(
        told("cron(0 * * * ? *)", &json!({"keep_last": 24}), 10_000),
        "24/day, 10000 creates/h, 20000 deletes/h, Some(480000) steady, 2000 s/slot\n\
         the last of 10000 instances is taken 34 minutes after its time, at 5 a second: \
         spread_minutes of 34 gives each a time of its own that can be kept\n\
         40000 DeleteSnapshot calls an hour, two for each volume of a set of several, are more than \
         the 18000 that 5 a second make, so that ever more snapshots wait for their deletion: let it \
         fire less often, or have EC2's limit raised and SNAPKEEP_DELETES_PER_SECOND with it\n\
         10000 snapshots an hour go in the long run, and the hourly sweep condemns 1000 at the most: \
         raise SNAPKEEP_CONDEMN_MAX\n\
         it comes to 480000 EBS snapshots, more than the quota of 100000 allows: keep fewer, or have \
         the quota raised and SNAPKEEP_SNAPSHOT_QUOTA with it"
    );
}

#[test]
fn a_slot_that_lasts_longer_than_its_interval_is_told() {
    let (demand, warnings) =
        checked(&schedule("rate(10 minutes)", &json!({"keep_last": 1})), &of_two_volumes(4_000));

    assert_eq!((demand.creates_per_hour, demand.seconds_per_slot), (24_000, 800));
    assert!(
        warnings[0].contains("24000 CreateSnapshots calls in its busiest hour"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].contains("lasts 14 minutes, and the next slot can be due 10 minutes later")
    );
}

#[test]
fn what_lasts_longer_than_a_day_is_not_told_to_spread() {
    let late = |instances| {
        let of = schedule("at(2026-03-09T00:00:00)", &json!({"keep_last": 1}));
        let warnings = checked(&of, &of_two_volumes(instances)).1;
        warnings.into_iter().find(|warning| warning.starts_with("the last of")).unwrap()
    };

    assert!(late(432_000).contains("spread_minutes of 1440"));
    assert!(!late(432_001).contains("spread_minutes"));
    assert!(late(432_001).contains("take fewer instances"));
}

#[test]
fn the_quota_is_warned_of_from_four_fifths_on() {
    let rules = json!({"keep_last": 10});
    let warned = |instances| {
        let warnings = checked(&schedule("rate(1 day)", &rules), &of_two_volumes(instances)).1;
        warnings.into_iter().find(|warning| warning.contains("quota")).unwrap_or_default()
    };

    assert_eq!(warned(4_000), "");
    assert!(warned(4_001).contains("80020 EBS snapshots, more than 80 % of the quota of 100000"));
    assert!(warned(5_000).contains("80 %"));
    assert!(warned(5_001).contains("100020 EBS snapshots, more than the quota of 100000 allows"));
}

#[test]
fn what_grows_without_end_is_told_with_the_day_it_is_too_much() {
    assert_eq!(
        told("rate(1 day)", &json!(null), 500),
        "1/day, 500 creates/h, 0 deletes/h, None steady, 100 s/slot\n\
         without retention nothing is ever deleted: its EBS snapshots grow by 1000 a day and reach \
         the quota of 100000 on 2026-06-10; give it rules that end"
    );
    let (demand, warnings) =
        checked(&schedule("rate(1 day)", &json!({"keep_yearly": -1})), &of_two_volumes(500));
    assert_eq!(demand.ebs_snapshots_steady, None);
    assert!(warnings[0].starts_with("a rule of -1 keeps without end"), "{warnings:?}");
    assert!(warnings[0].contains("grow by 2.8 a day"), "{warnings:?}");
}

#[test]
fn no_targets_are_told_and_nothing_else() {
    let (demand, warnings) =
        checked(&schedule("rate(1 minute)", &json!(null)), &PresentTargets::default());

    assert_eq!(demand.creates_per_hour, 0);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("no instance at present"));
}

#[test]
fn more_targets_than_a_run_can_have_are_told() {
    let nightly = schedule("rate(1 day)", &json!({"keep_last": 1}));

    assert!(!checked(&nightly, &of_two_volumes(12_000)).1.concat().contains("too many"));
    assert!(checked(&nightly, &of_two_volumes(12_001)).1[0].contains("at most 12000"));
}

#[test]
fn slow_volumes_are_told_under_an_hour_only() {
    let present = PresentTargets { slow_volumes: 1, ..of_two_volumes(1) };
    let warned = |expression: &str| {
        let schedule = schedule(expression, &json!({"keep_last": 1}));
        checked(&schedule, &present).1.concat().contains("st1 or sc1")
    };

    assert!(warned("rate(59 minutes)"));
    assert!(!warned("rate(1 hour)"));
}

#[test]
fn a_spread_takes_the_edge_off() {
    let mut nightly = schedule("cron(0 2 * * ? *)", &json!({"keep_last": 1}));
    let all = of_two_volumes(9_000);
    let (at_once, warnings) = checked(&nightly, &all);
    assert_eq!(at_once.creates_per_hour, 9_000);
    assert!(warnings[0].contains("30 minutes after its time"), "{warnings:?}");

    nightly.settings.spread_minutes = Some(15);
    assert!(!checked(&nightly, &all).1.concat().contains("after its time"));
    nightly.settings.spread_minutes = Some(180);
    assert_eq!(checked(&nightly, &all).0.creates_per_hour, 3_000);
}

#[test]
fn without_ec2_there_is_what_the_schedule_itself_tells() {
    let limits = limits(&schedule("rate(6 hours)", &json!(null)), None, &means(), at(NOW));

    assert_eq!((limits.fires_per_day, limits.demand), (4.0, None));
}

#[test]
fn a_schedule_that_ends_does_not_grow() {
    let mut schedule = schedule("rate(1 day)", &json!(null));
    schedule.settings.end_at = Some(at("2026-03-12T10:00:30Z"));

    let (demand, warnings) = checked(&schedule, &of_two_volumes(1));

    assert_eq!(demand.ebs_snapshots_steady, Some(20));
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn the_quota_is_held_against_the_fullest_region() {
    let hourly = schedule("rate(1 hour)", &json!({ "keep_last": 240 }));
    let together = PresentTargets { instances: 300, volumes: 600, ..of_two_volumes(0) };
    let apart = PresentTargets { fullest: Some(("eu-west-1".to_owned(), 450)), ..together.clone() };
    let quota = |present: &PresentTargets| {
        let warnings = checked(&hourly, present).1;
        warnings.into_iter().find(|warning| warning.contains("quota")).unwrap()
    };

    assert!(quota(&together).contains("comes to 144000 EBS snapshots, more than the quota"));
    assert!(quota(&apart).contains("comes to 108000 EBS snapshots in eu-west-1, more than"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Against counting each target of each fire.
    #[test]
    fn the_busiest_hour_is_the_one_that_counting_finds(
        expression in prop::sample::select(vec![
            "rate(7 minutes)", "rate(50 minutes)", "cron(0,5 8-10 * * ? *)", "cron(0 2 ? * MON *)",
        ]),
        spread_minutes in prop::sample::select(vec![0_u32, 1, 20, 60, 90, 200]),
        targets in 1_u64..5,
    ) {
        let mut schedule = schedule(expression, &json!(null));
        schedule.settings.spread_minutes = Some(spread_minutes);
        let reckoned = Fires::of(&schedule, at(NOW)).in_busiest_hour(spread_minutes, targets);

        let mut times = Vec::new();
        let mut after = at(NOW);
        let first = schedule.next_due.unwrap();
        while let Some(fire) = crate::domain::schedule::slots::next_due(&schedule, after) {
            if fire.duration_since(first) >= SignedDuration::from_hours(7 * 24) {
                break;
            }
            let apart = i64::from(spread_minutes) * 60 / i64::try_from(targets).unwrap();
            times.extend((0..i64::try_from(targets).unwrap()).map(|n| fire.as_second() + n * apart));
            after = fire;
        }
        times.sort_unstable();
        let counted = times.iter().map(|begin| {
            times.iter().filter(|time| (*begin..begin + 3_600).contains(time)).count()
        });
        let counted = u64::try_from(counted.max().unwrap()).unwrap();
        // Evenly is reckoned as a stream, so each fire may differ by one target at each end of the hour.
        let fires_in_an_hour = Fires::of(&schedule, at(NOW)).in_busiest_hour(0, 1);
        let under_way = fires_in_an_hour * (2 + u64::from(spread_minutes) / 60);
        let slack = if spread_minutes == 0 { 0 } else { 2 * under_way };
        prop_assert!(reckoned.abs_diff(counted) <= slack, "{reckoned} {counted}");
    }
}
