//! What is promised, and whether it is kept.

use proptest::prelude::*;

use super::*;
use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Settings;

const MADE: &str = "2026-03-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(expression: &str) -> Schedule {
    let made = at(MADE);
    let id = ScheduleId::derived(made, &[expression]);
    Schedule::made(id, Settings::of(expression, expression.parse().unwrap()), made)
}

/// In hours.
fn promised(expressions: &[&str], now: &str) -> Option<i64> {
    let schedules: Vec<_> = expressions.iter().map(|one| schedule(one)).collect();
    let interval = promised_interval(&schedules.iter().collect::<Vec<_>>(), at(now));
    interval.map(|interval| interval.as_hours())
}

fn assessed(schedules: &[&Schedule], taken: LastTaken, now: &str) -> Assessment {
    let now = at(now);
    assess(schedules, promised_interval(schedules, now), taken, None, now)
}

fn status(expression: &str, taken: LastTaken, now: &str) -> ProtectionStatus {
    assessed(&[&schedule(expression)], taken, now).status
}

#[test]
fn the_longest_gap_is_what_is_promised() {
    let now = "2026-03-04T12:00:00Z";
    for (expressions, hours) in [
        (&["rate(1 hour)"][..], Some(1)),
        (&["cron(0 2 * * ? *)"], Some(24)),
        // From Friday to Monday.
        (&["cron(0 2 ? * MON-FRI *)"], Some(72)),
        (&["cron(0 2 ? * MON-FRI *)", "cron(0 2 ? * SAT,SUN *)"], Some(24)),
        // Each minute, but not at night and not on weekends: from 17:59 on Friday to 09:00 on Monday.
        (&["cron(* 9-17 ? * MON-FRI *)"], Some(63)),
        (&["cron(0 0 1 * ? *)"], Some(31 * 24)),
        (&["rate(1 day)", "rate(1 hour)"], Some(1)),
        (&["at(2026-04-01T00:00:00)"], None),
        (&["at(2026-01-01T00:00:00)"], None),
        (&[], None),
    ] {
        assert_eq!(promised(expressions, now), hours, "{expressions:?}");
    }
}

#[test]
fn an_end_ends_the_promise() {
    let mut ending = schedule("rate(1 day)");
    ending.settings.end_at = Some(at("2026-03-06T00:00:00Z"));

    let now = "2026-03-05T12:00:00Z";
    assert_eq!(promised_interval(&[&ending], at(now)), None);
    let newest = LastTaken::At(at("2026-03-05T00:00:00Z"));
    assert_eq!(assessed(&[&ending], newest, now).status, ProtectionStatus::Ok);
    let over = assessed(&[&ending], LastTaken::At(at(now)), "2026-03-06T00:00:00Z");
    assert_eq!(over.status, ProtectionStatus::Unprotected);
    assert!(over.reason.contains("no fire to come"), "{over:?}");
}

#[test]
fn no_enabled_schedule_is_no_protection_whatever_there_is() {
    let mut disabled = schedule("rate(1 hour)");
    disabled.settings.enabled = false;
    let taken = LastTaken::At(at("2026-03-04T11:59:00Z"));

    let none = assessed(&[], taken, "2026-03-04T12:00:00Z");
    let off = assessed(&[&disabled], taken, "2026-03-04T12:00:00Z");

    assert_eq!(
        (none.status, off.status),
        (ProtectionStatus::Unprotected, ProtectionStatus::Unprotected)
    );
    assert_eq!(none.reason, "no schedule is for it");
    assert_eq!(off.reason, "no enabled schedule is for it; disabled: rate(1 hour)");
}

#[test]
fn a_slot_has_a_quarter_of_the_interval_to_be_kept() {
    let nightly = "cron(0 2 * * ? *)";
    let yesterday = LastTaken::At(at("2026-03-03T02:00:05Z"));

    assert_eq!(status(nightly, yesterday, "2026-03-04T07:59:59Z"), ProtectionStatus::Ok);
    assert_eq!(status(nightly, yesterday, "2026-03-04T08:00:00Z"), ProtectionStatus::Late);
    let today = LastTaken::At(at("2026-03-04T02:00:05Z"));
    assert_eq!(status(nightly, today, "2026-03-04T08:00:00Z"), ProtectionStatus::Ok);
}

#[test]
fn of_a_weekly_gap_a_missed_day_shows_the_same_day() {
    let workdays = "cron(0 2 ? * MON-FRI *)";
    // Tuesday's is there, Wednesday's is not; 72 hours are promised.
    let tuesday = LastTaken::At(at("2026-03-03T02:00:05Z"));

    assert_eq!(status(workdays, tuesday, "2026-03-04T21:00:00Z"), ProtectionStatus::Late);
}

#[test]
fn what_is_late_is_said_with_the_slot_and_the_promise() {
    let late = assessed(
        &[&schedule("cron(0 2 * * ? *)")],
        LastTaken::At(at("2026-03-02T02:00:00Z")),
        "2026-03-04T12:30:00Z",
    );

    assert_eq!(
        late.reason,
        "its newest available snapshot is 2 days 10 hours old, and cron(0 2 * * ? *) was due at \
         2026-03-04T02:00:00Z; one at least every 1 day is promised"
    );
}

#[test]
fn before_its_first_slot_nothing_is_late() {
    let ok = assessed(&[&schedule("cron(0 2 * * ? *)")], LastTaken::Never, "2026-03-01T01:00:00Z");

    assert_eq!(ok.status, ProtectionStatus::Ok);
    assert_eq!(
        ok.reason,
        "there is no snapshot of it yet; one at least every 1 day is promised; cron(0 2 * * ? *) is due at \
         2026-03-01T02:00:00Z"
    );
}

#[test]
fn an_instance_without_any_record_may_have_come_to_the_schedule_with_its_last_edit() {
    let mut edited = schedule("cron(0 2 * * ? *)");
    edited.updated_at = at("2026-03-04T10:00:00Z");
    let now = "2026-03-04T12:00:00Z";

    assert_eq!(assessed(&[&edited], LastTaken::Never, now).status, ProtectionStatus::Ok);
    assert_eq!(assessed(&[&edited], LastTaken::NoneAvailable, now).status, ProtectionStatus::Late);
    let tomorrow = "2026-03-05T12:00:00Z";
    assert_eq!(assessed(&[&edited], LastTaken::Never, tomorrow).status, ProtectionStatus::Late);
}

#[test]
fn a_slot_from_before_the_instance_does_not_count() {
    let nightly = schedule("cron(0 2 * * ? *)");
    let (now, since) = (at("2026-03-04T12:00:00Z"), at("2026-03-04T09:00:00Z"));

    let assessment = assess(&[&nightly], None, LastTaken::Never, Some(since), now);

    assert_eq!(assessment.status, ProtectionStatus::Ok);
}

#[test]
fn lengths_of_time_read_well() {
    for (seconds, words) in [
        (0, "less than a minute"),
        (60, "1 minute"),
        (3_600, "1 hour"),
        (5_400, "1 hour 30 minutes"),
        (86_400, "1 day"),
        (90_000, "1 day 1 hour"),
        (86_460, "1 day"),
        (259_200, "3 days"),
    ] {
        assert_eq!(in_words(SignedDuration::from_secs(seconds)), words);
    }
}

const EXPRESSIONS: [&str; 10] = [
    "rate(5 minutes)",
    "rate(7 hours)",
    "rate(11 days)",
    "cron(0 2 * * ? *)",
    "cron(0/20 1-3 * * ? *)",
    "cron(5 4 ? * MON,THU *)",
    "cron(0 8-17 ? * MON-FRI *)",
    "cron(0 0 1,15 * ? *)",
    "cron(0 0 1 1 ? *)",
    "at(2026-05-01T00:00:00)",
];

fn any_schedules() -> impl Strategy<Value = Vec<Schedule>> {
    prop::collection::vec(prop::sample::select(EXPRESSIONS.to_vec()), 0..4)
        .prop_map(|chosen| chosen.into_iter().map(schedule).collect())
}

proptest! {
    #[test]
    fn the_gap_is_the_one_that_counting_finds(
        schedules in any_schedules(),
        minutes in 0_i64..100_000,
    ) {
        let now = at(MADE) + SignedDuration::from_mins(minutes);
        let all: Vec<_> = schedules.iter().collect();
        let next = |after| all.iter().filter_map(|one| Timing::of(one).next_after(after)).min();
        let mut counted = None;
        let begin = next(now);
        let mut slot = begin;
        let mut gaps = 0;
        while let (Some(begin), Some(at)) = (begin, slot) {
            if at.duration_since(begin) >= AHEAD && gaps >= GAPS_MIN {
                break;
            }
            slot = next(at);
            counted = counted.max(slot.map(|slot| slot.duration_since(at)));
            gaps += 1;
        }

        let found = promised_interval(&all, now);

        // Where slots are many, gaps of less than an hour are found only among the first.
        let is_same = found == counted || counted <= Some(COARSE) && found <= counted;
        prop_assert!(is_same, "{found:?} {counted:?}");
    }

    #[test]
    fn a_newer_snapshot_never_makes_it_worse(
        schedules in any_schedules(),
        older in 0_i64..100_000,
        newer in 0_i64..100_000,
        elapsed in 0_i64..100_000,
    ) {
        let now = at(MADE) + SignedDuration::from_mins(elapsed);
        let all: Vec<_> = schedules.iter().collect();
        let promised = promised_interval(&all, now);
        let of = |age| {
            assess(&all, promised, LastTaken::At(now - SignedDuration::from_mins(age)), None, now).status
        };

        prop_assert!(of(older.min(newer)) <= of(older.max(newer)));
    }

    #[test]
    fn what_is_newer_than_the_tolerance_is_never_late(
        schedules in any_schedules(),
        age in 0_i64..60,
        elapsed in 0_i64..100_000,
    ) {
        let now = at(MADE) + SignedDuration::from_mins(elapsed);
        let all: Vec<_> = schedules.iter().collect();
        let taken = LastTaken::At(now - SignedDuration::from_mins(age));

        let assessment = assess(&all, promised_interval(&all, now), taken, None, now);

        prop_assert_ne!(assessment.status, ProtectionStatus::Late);
    }

    #[test]
    fn what_is_older_than_promised_is_late_once_the_schedule_is_old_enough(
        expression in prop::sample::select(EXPRESSIONS[..7].to_vec()),
        more in 0_i64..100_000,
        elapsed in 60_000_i64..100_000,
    ) {
        let schedule = schedule(expression);
        let now = at(MADE) + SignedDuration::from_mins(elapsed);
        let promised = promised_interval(&[&schedule], now);
        let age = promised.unwrap() + tolerance(promised) + SignedDuration::from_mins(more + 1);

        let assessment = assess(&[&schedule], promised, LastTaken::At(now - age), None, now);

        prop_assert_eq!(assessment.status, ProtectionStatus::Late);
    }

    #[test]
    fn it_is_unprotected_exactly_if_nothing_is_to_fire(
        schedules in any_schedules(),
        enabled in prop::collection::vec(any::<bool>(), 4),
        elapsed in 0_i64..100_000,
    ) {
        let now = at(MADE) + SignedDuration::from_mins(elapsed);
        let schedules: Vec<_> = schedules
            .into_iter()
            .zip(enabled)
            .map(|(one, enabled)| one.set(|new| new.enabled = enabled))
            .collect();
        let all: Vec<_> = schedules.iter().collect();
        let fires = |one: &&Schedule| one.settings.enabled && Timing::of(one).next_after(now).is_some();

        let assessment = assess(&all, promised_interval(&all, now), LastTaken::Never, None, now);

        let is_unprotected = assessment.status == ProtectionStatus::Unprotected;
        prop_assert_eq!(is_unprotected, !all.iter().any(fires));
        prop_assert!(!assessment.reason.is_empty());
    }
}
