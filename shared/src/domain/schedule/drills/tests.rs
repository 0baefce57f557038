//! Tests of when drills are due, and of what.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Settings;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(every: &str) -> Schedule {
    let made_at = at("2026-03-01T02:00:00Z");
    let id = ScheduleId::derived(made_at, &["x"]);
    let mut new = Settings::of("x", "rate(1 hour)".parse().unwrap());
    new.drill_every = Some(every.parse().unwrap());
    Schedule::made(id, new, made_at)
}

fn instance(number: u32) -> InstanceId {
    format!("i-{number:08x}").parse().unwrap()
}

fn drill(number: u32) -> Restore {
    serde_json::from_value(json!({
        "id": "rst_0195500c-6d00-7000-8000-000000000000", "version": 1,
        "snapshot_id": "snp_0195500c-6d00-7000-8000-000000000000", "snapshot_name": "web",
        "instance_id": instance(number), "instance_name": null, "region": "us-east-1",
        "zone": "us-east-1a", "mode": {"type": "drill"}, "requested_by": "x",
        "created_at": "2026-03-01T02:00:00Z", "status": "requested", "steps": [], "volumes": [],
        "keep_old_days": 14,
    }))
    .unwrap()
}

#[test]
fn drills_lie_a_day_to_a_year_apart() {
    for (every, allowed) in [
        ("0d", false),
        ("23h", false),
        ("24h", true),
        ("1d", true),
        ("1m", true),
        ("12m", true),
        ("1y", true),
        ("366d", true),
        ("1y2d", false),
        ("99999y", false),
    ] {
        assert_eq!(is_allowed(every.parse().unwrap()), allowed, "{every}");
    }
}

#[test]
fn the_first_drill_is_due_a_period_after_the_schedule_was_made() {
    let schedule = schedule("7d");

    assert_eq!(schedule.due_drill(at("2026-03-08T01:59:59Z")), None);
    let due = at("2026-03-08T02:00:00Z");
    assert_eq!(schedule.due_drill(due), Some(due));
}

#[test]
fn before_its_start_a_schedule_is_not_drilled() {
    let start = at("2026-04-01T00:00:00Z");
    let schedule = schedule("1d").set(|new| new.start_at = Some(start));

    let schedule = schedule.with_drills_since(None, at("2026-03-01T02:00:00Z"));

    assert_eq!(schedule.drills.due, Some(at("2026-04-02T00:00:00Z")));
}

#[test]
fn drills_keep_their_time_and_an_outage_is_not_made_up_for() {
    let first = schedule("7d");

    let late = first.drilled(&drill(1), at("2026-03-08T05:00:00Z"));
    let after_an_outage = first.drilled(&drill(1), at("2026-03-20T05:00:00Z"));

    assert_eq!(late.drills.due, Some(at("2026-03-15T02:00:00Z")));
    assert_eq!(late.drills.after, Some(instance(1)));
    assert_eq!((late.revision, late.version), (first.revision + 1, first.version));
    assert_eq!(after_an_outage.drills.due, Some(at("2026-03-27T05:00:00Z")));
}

#[test]
fn what_cannot_be_begun_is_tried_at_most_24_times_and_then_is_the_next_one() {
    for every in ["1d", "7d", "1m", "1y"] {
        let mut schedule = schedule(every);
        let due = schedule.drills.due.unwrap();
        let mut tries = 0;

        while schedule.drills.due == Some(due) {
            let now = schedule.drill_at().unwrap();
            let later = schedule.drill_put_off("nothing is there", None, now);
            assert!(later.drill_at().unwrap() >= now + TRIED_AGAIN_AFTER, "{every}");
            let why = (later.drills.due == Some(due)).then_some("nothing is there");
            assert_eq!(later.drills.put_off.as_deref(), why, "{every}");
            schedule = later;
            tries += 1;
        }

        assert_eq!(tries, 24, "{every}");
        let every: Span = every.parse().unwrap();
        assert_eq!(schedule.drills.due, Some(every.after(due, &Zone::default())));
    }
}

#[test]
fn an_edit_of_something_else_moves_no_drill() {
    let old = schedule("7d");
    let now = at("2026-03-05T00:00:00Z");

    let renamed = old.clone().set(|new| new.name = "y".to_owned());
    assert_eq!(renamed.with_drills_since(Some(&old), now).drills, old.drills);
    let disabled = old.clone().set(|new| new.enabled = false).with_drills_since(Some(&old), now);
    assert_eq!(disabled.drill_at(), None);
    let again = disabled.clone().set(|new| new.enabled = true);
    let again = again.with_drills_since(Some(&disabled), now);
    assert_eq!(again.drill_at(), Some(at("2026-03-12T00:00:00Z")));
    let often = old.clone().set(|new| new.drill_every = Some("1d".parse().unwrap()));
    let often = often.with_drills_since(Some(&old), now);
    assert_eq!(often.drill_at(), Some(at("2026-03-06T00:00:00Z")));
    let never = old.clone().set(|new| new.drill_every = None).with_drills_since(Some(&old), now);
    assert_eq!(never.drill_at(), None);
}

#[test]
fn an_edit_of_a_start_that_lies_ahead_moves_the_drill() {
    let now = at("2026-03-05T00:00:00Z");
    let starting = |start: Option<&str>| schedule("7d").set(|new| new.start_at = start.map(at));
    let due_after = |old: Option<&str>, new: Option<&str>| {
        starting(new).with_drills_since(Some(&starting(old)), now).drills.due
    };
    let as_it_was = schedule("7d").drills.due;
    let (past, earlier) = ("2026-03-04T00:00:00Z", "2026-03-01T12:00:00Z");
    let (ahead, later) = ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z");

    assert_eq!(due_after(None, Some(ahead)), Some(at("2026-04-08T00:00:00Z")));
    assert_eq!(due_after(Some(past), Some(ahead)), Some(at("2026-04-08T00:00:00Z")));
    assert_eq!(due_after(Some(ahead), Some(later)), Some(at("2026-05-08T00:00:00Z")));
    for new in [None, Some(past)] {
        assert_eq!(due_after(Some(ahead), new), Some(at("2026-03-12T00:00:00Z")), "{new:?}");
    }
    for (old, new) in [(None, Some(past)), (Some(past), Some(earlier)), (Some(past), None)] {
        assert_eq!(due_after(old, new), as_it_was, "{old:?} {new:?}");
    }
    assert_eq!(due_after(Some(ahead), Some(ahead)), as_it_was);
}

proptest! {
    #[test]
    fn each_instance_is_next_once_before_any_is_again(
        numbers in proptest::collection::btree_set(0_u32..1_000, 1..40),
        last in proptest::option::of(0_u32..1_000),
    ) {
        let instances: BTreeSet<_> = numbers.into_iter().map(instance).collect();
        let mut after = last.map(instance);
        let mut seen = Vec::new();

        for _ in 0..instances.len() {
            let next = next_instances(&instances, after.as_ref()).remove(0);
            seen.push(next.clone());
            after = Some(next);
        }

        prop_assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), instances);
    }

    #[test]
    fn what_is_looked_at_is_bounded_and_names_none_twice(
        numbers in proptest::collection::btree_set(0_u32..1_000, 0..40),
        last in proptest::option::of(0_u32..1_000),
    ) {
        let instances: BTreeSet<_> = numbers.into_iter().map(instance).collect();

        let next = next_instances(&instances, last.map(instance).as_ref());

        prop_assert_eq!(next.len(), instances.len().min(INSTANCES_MAX));
        prop_assert_eq!(next.iter().collect::<BTreeSet<_>>().len(), next.len());
        prop_assert!(next.iter().all(|one| instances.contains(one)));
    }

    #[test]
    fn a_drill_that_was_begun_is_never_due_again_at_once(
        days in 1_i64..366, late_minutes in 0_i64..2_000_000,
    ) {
        let schedule = schedule(&format!("{days}d"));
        let now = schedule.drills.due.unwrap() + SignedDuration::from_mins(late_minutes);

        for next in [schedule.drilled(&drill(1), now), schedule.drill_put_off("x", None, now)] {
            prop_assert!(next.drill_at().unwrap() > now);
            prop_assert_eq!(next.due_drill(now), None);
        }
    }
}
