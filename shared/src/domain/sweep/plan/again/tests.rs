//! What is condemned and would not be condemned now.

use super::super::plan;
use super::super::tests::{Case, hour, rules, schedule_when_gone, snapshot};
use super::*;
use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::condemnation::{BlockedCause, Condemnation};
use crate::domain::sweep::plan::Verdict;

fn keeping(json: &str) -> Schedule {
    schedule_when_gone(Some(rules(json)), WhenGone::Apply)
}

fn condemned(snapshot: &Snapshot, schedule: &Schedule) -> Snapshot {
    condemned_by(snapshot, CondemnedBy::Rules { digest: schedule.rules_digest() })
}

fn condemned_by(snapshot: &Snapshot, by: CondemnedBy) -> Snapshot {
    let condemnation = Condemnation {
        by,
        reason: "x".to_owned(),
        at: hour(9),
        delete_after: hour(10),
        from: Status::Available,
    };
    Snapshot {
        status: Status::Condemned,
        ending: Ending { condemnation: Some(condemnation), ..snapshot.ending.clone() },
        ..snapshot.clone()
    }
}

/// The hours of those that are rescued, of sets of these hours: the first `count` are condemned.
fn rescued(schedule: &Schedule, hours: &[i64], count: usize) -> Vec<i64> {
    let mut case = Case::new(schedule, hours.iter().copied(), 100);
    for one in &mut case.snapshots[..count] {
        *one = condemned(one, schedule);
    }
    rescued_in(&case)
}

fn rescued_in(case: &Case) -> Vec<i64> {
    let found = case.with_world(rescues);
    let taken = |id: &SnapshotId| {
        let one = case.snapshots.iter().find(|one| one.id == *id).unwrap();
        one.taken_at().duration_since(hour(0)).as_hours()
    };
    let mut hours: Vec<_> = found.iter().map(|(id, _)| taken(id)).collect();
    hours.sort_unstable();
    hours
}

#[test]
fn what_rules_condemned_is_reopened_as_it_was_but_not_what_had_failed_or_is_being_deleted() {
    let schedule = keeping(r#"{"keep_last": 1}"#);
    let good = snapshot(1, Some(&schedule));
    let condemned = condemned(&good, &schedule);
    let blocked = condemned.block(BlockedCause::Held, hour(10)).unwrap();
    let again = reopened(&blocked).unwrap();
    assert_eq!((again.status, again.ending), (good.status, good.ending));

    let mut had_failed = condemned.clone();
    had_failed.ending.condemnation.as_mut().unwrap().from = Status::Error;
    assert_eq!(reopened(&had_failed), None);
    assert_eq!(reopened(&condemned.begin_deletion(hour(10)).unwrap()), None);
}

#[test]
fn what_the_rules_would_condemn_again_stays_condemned() {
    assert_eq!(rescued(&keeping(r#"{"keep_last": 3}"#), &[1, 2, 3, 4, 5], 2), Vec::<i64>::new());
}

#[test]
fn as_many_are_rescued_as_the_rules_promise_and_the_newest_of_them() {
    assert_eq!(rescued(&keeping(r#"{"keep_last": 3}"#), &[1, 2, 5], 2), [1, 2]);
    assert_eq!(rescued(&keeping(r#"{"keep_last": 2}"#), &[1, 2, 5], 2), [2]);
}

#[test]
fn the_newest_of_all_is_rescued_whatever_the_rules_say() {
    assert_eq!(rescued(&keeping(r#"{"max_age": "1h"}"#), &[1, 2, 3], 3), [3]);
}

#[test]
fn what_a_person_condemned_and_what_ec2_does_not_show_whole_is_left() {
    let schedule = keeping(r#"{"keep_last": 9}"#);
    let mut case = Case::new(&schedule, [1, 2, 3], 100);
    let person = CondemnedBy::Person { who: "ada".to_owned() };
    case.snapshots[0] = condemned_by(&case.snapshots[0], person);
    case.snapshots[1] = condemned(&case.snapshots[1], &schedule);
    case.snapshots[1].course.absent_since = Some(hour(99));

    assert_eq!(rescued_in(&case), Vec::<i64>::new());
}

#[test]
fn one_whose_expiry_was_put_off_is_rescued() {
    let schedule = keeping(r#"{"keep_last": 9}"#);
    let mut case = Case::new(&schedule, [5], 100);
    let by = CondemnedBy::Expiry { expires_at: hour(8) };
    let expired = condemned_by(&snapshot(1, None), by);
    case.snapshots.push(Snapshot {
        ending: Ending { expires_at: Some(hour(8)), ..expired.ending.clone() },
        ..expired.clone()
    });
    assert_eq!(rescued_in(&case), Vec::<i64>::new());

    case.snapshots[1].ending.expires_at = Some(hour(200));

    assert_eq!(rescued_in(&case), [1]);
}

#[test]
fn what_a_plan_condemns_is_not_rescued_by_the_next() {
    for json in [
        r#"{"keep_last": 3}"#,
        r#"{"keep_daily": 4, "keep_weekly": 2}"#,
        r#"{"keep_hourly": 5, "keep_monthly": 2}"#,
        r#"{"keep_within": "2d"}"#,
        r#"{"max_age": "3d"}"#,
    ] {
        let schedule = keeping(json);
        let mut case = Case::new(&schedule, (0..400).step_by(7), 400);
        let doomed: Vec<_> = case
            .with_world(plan)
            .into_iter()
            .filter(|entry| matches!(entry.verdict, Verdict::Delete { .. }))
            .map(|entry| entry.snapshot_id)
            .collect();
        for one in &mut case.snapshots {
            if doomed.contains(&one.id) {
                *one = condemned(one, &schedule);
            }
        }

        assert!(!doomed.is_empty(), "{json}");
        assert_eq!(rescued_in(&case), Vec::<i64>::new(), "{json}");
    }
}

// The last check asks this right before a deletion: no answer may mean that it goes.
#[test]
fn of_what_is_not_among_the_judged_no_rule_condemns_anything() {
    let schedule = keeping(r#"{"keep_last": 1}"#);
    let mut case = Case::new(&schedule, [1, 2, 3], 100);

    let reason = |case: &Case, one: &Snapshot| case.with_world(|world| kept_because(one, world));
    let oldest = case.snapshots[0].clone();
    assert_eq!(reason(&case, &oldest), None);

    case.snapshots.remove(0);

    assert!(reason(&case, &oldest).is_some());
}
