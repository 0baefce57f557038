//! Copies in the plan: judged by the rules of their region, apart from the originals.

use super::tests::{Case, hour, keep_last, rules, schedule_when_gone, snapshot};
use super::*;
use crate::domain::retention::Rules;
use crate::domain::schedule::WhenGone;
use crate::domain::schedule::copies::CopyTarget;
use crate::domain::snapshot::copying::{CopyOf, CopyStage};

const FAR: &str = "eu-west-1";

fn to(region: &str, rules: Option<Rules>) -> CopyTarget {
    CopyTarget { region: region.to_owned(), kms_key: None, rules }
}

/// A schedule that has been copying to `FAR` since its last sweep.
fn copying(own: Option<Rules>, far: Option<Rules>, when_gone: WhenGone) -> Schedule {
    let mut schedule = schedule_when_gone(own, when_gone);
    schedule.settings.copies = vec![to(FAR, far)];
    schedule.enforced_at(hour(0))
}

/// The available copy of what was taken at this hour.
fn copy(taken: i64, schedule: &Schedule) -> Snapshot {
    let original = snapshot(taken, Some(schedule));
    let wanted = original.with_copies_wanted([to(FAR, None).order()]);
    let made = wanted.copy_ordered(&wanted.keepers.copies[0], hour(taken + 1));
    let mut member = wanted.members[0].clone();
    member.ebs_snapshot_id = format!("snap-c{taken:07x}").parse().unwrap();
    let copy_of = made.copy_of.as_ref().map(CopyOf::of_duplicate);
    Snapshot { status: Status::Available, members: vec![member], copy_of, ..made }
}

/// So many originals, the last one at `now`, and so many copies.
fn case(schedule: &Schedule, originals: i64, copies: i64, now: i64) -> Case {
    let mut case = Case::new(schedule, now - originals + 1..=now, now);
    case.snapshots.extend((now - copies + 1..=now).map(|hour| copy(hour, schedule)));
    case
}

/// How many of each place the plan deletes.
fn deleted(case: &Case) -> (usize, usize) {
    let is_copy: BTreeMap<_, _> =
        case.snapshots.iter().map(|one| (&one.id, one.copy_of.is_some())).collect();
    let entries = case.entries();
    let gone = entries.iter().filter(|entry| matches!(entry.verdict, Verdict::Delete { .. }));
    let (far, here): (Vec<_>, Vec<_>) = gone.partition(|entry| is_copy[&entry.snapshot_id]);
    (here.len(), far.len())
}

#[test]
fn each_region_goes_by_its_own_rules() {
    let keep = |count: u32| Some(rules(&format!(r#"{{"keep_last": {count}}}"#)));
    let schedule = copying(keep(3), keep(1), WhenGone::Apply);

    assert_eq!(deleted(&case(&schedule, 8, 8, 400)), (5, 7));
    let forever = copying(keep(3), None, WhenGone::Apply);
    assert_eq!(deleted(&case(&forever, 8, 8, 400)), (5, 0));
}

#[test]
fn many_copies_do_not_hide_that_all_originals_would_go() {
    let keep = |count: u32| Some(rules(&format!(r#"{{"keep_last": {count}}}"#)));
    let before = copying(keep(30), keep(365), WhenGone::Apply);
    let edited = before.set(|new| new.rules = keep(1));
    let case = case(&edited, 30, 365, 400);

    let stopped = case.brakes();

    assert_eq!(stopped.len(), 1);
    assert_eq!((stopped[0].unexpected, stopped[0].available), (29, 30));
}

#[test]
fn what_was_copied_to_a_region_that_is_not_named_any_more_stays_also_when_its_instance_is_gone() {
    let keep = |count: u32| Some(rules(&format!(r#"{{"keep_last": {count}}}"#)));
    let mut schedule = copying(keep(3), keep(1), keep_last(1));
    schedule.settings.copies.clear();
    let mut case = case(&schedule, 4, 4, 400);
    case.gone.insert("i-0123456789abcdef0".parse().unwrap());

    assert_eq!(deleted(&case), (3, 0));
    // Named again it is unexpected: the last sweep would have kept them.
    let schedule = case.schedules.values_mut().next().unwrap();
    schedule.enforced.copies.clear();
    schedule.settings.copies = vec![to(FAR, None)];
    let is_unexpected =
        |entry: &PlanEntry| matches!(entry.verdict, Verdict::Delete { unexpected: true, .. });
    assert_eq!(case.entries().iter().filter(|entry| is_unexpected(entry)).count(), 3);
}

#[test]
fn the_newest_copy_and_the_newest_original_stay_whatever_the_rules_say() {
    let gone = || Some(rules(r#"{"max_age": "1h"}"#));
    let schedule = copying(gone(), gone(), WhenGone::Apply);

    assert_eq!(deleted(&case(&schedule, 1, 1, 100)), (0, 0));
    let mut old = case(&schedule, 3, 3, 100);
    old.now = 200;
    assert_eq!(deleted(&old), (2, 2));
}

#[test]
fn an_original_stays_while_its_copy_is_under_way() {
    let schedule = copying(Some(rules(r#"{"keep_last": 1}"#)), None, WhenGone::Apply);
    let mut case = case(&schedule, 3, 0, 100);
    for one in &mut case.snapshots {
        *one = one.clone().with_copies_wanted([to(FAR, None).order()]);
    }
    let under_way = deleted(&case);
    for one in &mut case.snapshots {
        *one = one.copies_at(&[(FAR.to_owned(), CopyStage::Over)]);
    }

    assert_eq!((under_way, deleted(&case)), ((0, 0), (2, 0)));
}
