//! The plan of a sweep: verdicts, reasons, protection, and the brake on top.

use std::fmt::Write as _;

use jiff::ToSpan;

use super::*;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsState, StorageTier};
use crate::domain::retention::Rules;
use crate::domain::schedule::{Settings, WhenGone};
use crate::domain::snapshot::Course;
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, ScheduleSlot, Source};
use crate::domain::sweep::brake::group::GroupCount;
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::brake::{Brake, BrakeLimits, brakes};

const LIMITS: BrakeLimits = BrakeLimits { deletions: 10, percent: 25 };

pub(in crate::domain::sweep) fn hour(hour: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + hour.hours()
}

pub(in crate::domain::sweep) fn rules(json: &str) -> Rules {
    serde_json::from_str(json).unwrap()
}

pub(in crate::domain::sweep) fn schedule(rules: Option<Rules>) -> Schedule {
    let id = ScheduleId::derived(hour(0), &["nightly"]);
    let new = Settings::of("nightly", "rate(1 hour)".parse().unwrap());
    Schedule::made(id, Settings { rules, ..new }, hour(0))
}

/// A schedule with a rule for instances that are gone, in force since it was made.
pub(super) fn schedule_when_gone(rules: Option<Rules>, when_gone: WhenGone) -> Schedule {
    let id = ScheduleId::derived(hour(0), &["nightly"]);
    let new = Settings::of("nightly", "rate(1 hour)".parse().unwrap());
    Schedule::made(id, Settings { rules, when_gone, ..new }, hour(0))
}

pub(super) fn keep_last(count: u32) -> WhenGone {
    WhenGone::KeepLast(count.try_into().unwrap())
}

pub(in crate::domain::sweep) fn snapshot(taken: i64, schedule: Option<&Schedule>) -> Snapshot {
    let source = Source {
        instance_id: "i-0123456789abcdef0".parse().unwrap(),
        instance_name: None,
        instance_type: None,
        architecture: None,
        platform: None,
        region: "us-east-1".to_owned(),
        zone: None,
        tags: [].into(),
        launch: LaunchSettings::default(),
        machine: None,
    };
    let member = Member {
        ebs_snapshot_id: format!("snap-{taken:08x}").parse().unwrap(),
        volume_id: "vol-00000001".parse().unwrap(),
        device: None,
        boot: true,
        size_gib: 8,
        state: EbsState::Completed,
        progress_percent: 100,
        full_size_bytes: None,
        volume: None,
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    };
    let id = SnapshotId::derived(hour(taken), &["x"]);
    let slot = schedule
        .map(|schedule| ScheduleSlot { schedule_id: schedule.id.clone(), slot: hour(taken) });
    let mut next = Snapshot::requested(id, Origin::Schedule, source, slot, hour(taken));
    next.status = Status::Available;
    next.members = vec![member];
    next.started_at = Some(hour(taken));
    next.course.completed_at = Some(hour(taken));
    next
}

pub(super) struct Case {
    pub(super) schedules: BTreeMap<ScheduleId, Schedule>,
    pub(super) snapshots: Vec<Snapshot>,
    in_use: BTreeMap<EbsSnapshotId, ImageId>,
    pub(super) gone: BTreeSet<InstanceId>,
    absent: BTreeSet<InstanceId>,
    pub(super) now: i64,
}

impl Case {
    pub(super) fn new(schedule: &Schedule, hours: impl IntoIterator<Item = i64>, now: i64) -> Self {
        Self {
            snapshots: hours.into_iter().map(|hour| snapshot(hour, Some(schedule))).collect(),
            schedules: BTreeMap::from([(schedule.id.clone(), schedule.clone())]),
            in_use: BTreeMap::new(),
            gone: BTreeSet::new(),
            absent: BTreeSet::new(),
            now,
        }
    }

    pub(super) fn entries(&self) -> Vec<PlanEntry> {
        self.with_world(plan)
    }

    pub(super) fn with_world<T>(&self, ask: impl FnOnce(&World<'_>) -> T) -> T {
        ask(&World {
            schedules: &self.schedules,
            snapshots: &self.snapshots,
            in_use: &self.in_use,
            gone: &self.gone,
            absent: &self.absent,
            failed_kept: SignedDuration::from_hours(24),
            now: hour(self.now),
        })
    }

    pub(super) fn brakes(&self) -> Vec<Brake> {
        let tallies = Tallies::of(&self.entries(), &self.snapshots);
        brakes(&tallies, &self.schedules, LIMITS, hour(self.now))
    }

    /// A line for each snapshot: hour, verdict, reasons.
    fn text(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            let hours = entry.taken_at.duration_since(hour(0)).as_hours();
            let verdict = match entry.verdict {
                Verdict::Keep => "keep",
                Verdict::Delete { unexpected: false, .. } => "delete",
                Verdict::Delete { unexpected: true, .. } => "delete!",
                Verdict::Blocked { .. } => "blocked",
            };
            writeln!(text, "{hours}: {verdict} ({})", entry.reasons.join("; ")).unwrap();
        }
        text
    }
}

#[test]
fn the_rules_keep_what_they_keep_and_say_why() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 2}"#)));
    let text = Case::new(&schedule, [1, 2, 3], 4).text();

    let verdicts: Vec<_> = text.lines().map(|line| line.split(" (").next().unwrap()).collect();
    assert_eq!(verdicts, ["1: delete", "2: keep", "3: keep"]);
    assert!(text.contains("last 1 of 2"), "{text}");
}

#[test]
fn a_schedule_without_rules_keeps_everything() {
    let text = Case::new(&schedule(None), [1, 2], 10_000).text();

    assert_eq!(text.matches("keep").count(), 4, "{text}");
}

#[test]
fn what_a_deleted_schedule_has_left_is_kept() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let mut case = Case::new(&schedule, [1, 2], 10);
    case.schedules.clear();

    assert!(!case.text().contains(": delete"), "{}", case.text());
}

#[test]
fn what_a_deleted_schedule_has_left_goes_at_an_end_that_a_person_gives_it() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 2}"#)));
    let mut case = Case::new(&schedule, [1, 2], 10);
    case.snapshots[0].ending.expires_at = Some(hour(5));
    case.snapshots[1].ending.expires_at = Some(hour(5));
    let while_it_is_there = case.text();
    case.schedules.clear();
    let gone = case.text();
    assert!(!while_it_is_there.contains("delete"), "{while_it_is_there}");
    assert!(gone.contains("1: delete (expired at"), "{gone}");
    assert!(gone.contains("2: keep (newest available"), "{gone}");
}

#[test]
fn what_was_given_to_the_schedule_since_the_last_sweep_is_unexpected_and_counts_by_itself() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 200}"#)));
    let swept = schedule.enforced.at;
    for (given_at, unexpected) in [(swept - 1.seconds(), 0), (swept, 20), (hour(299), 20)] {
        let mut case = Case::new(&schedule, 1..=220, 300);
        for given in &mut case.snapshots[..20] {
            given.given_at = Some(given_at);
        }
        let stopped = case.brakes();
        let counts = stopped.first().map_or((0, 0), |one| (one.unexpected, one.available));
        assert_eq!(counts, (unexpected, unexpected), "{given_at}");
    }
}

#[test]
fn the_good_second_of_a_failed_set_counts_in_its_stead() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 2}"#)));
    let mut case = Case::new(&schedule, [1, 3], 4);
    case.snapshots[0].status = Status::Error;
    let failed = case.snapshots[0].id.clone();
    let second = Snapshot { duplicate_of: Some(failed), ..snapshot(2, Some(&schedule)) };
    case.snapshots.push(Snapshot { stands_in: true, ..second });
    let text = case.text();
    assert!(text.contains("2: keep (last 2 of 2"), "{text}");
}

#[test]
fn a_held_one_is_kept_and_the_hold_is_the_reason() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let mut case = Case::new(&schedule, [1, 2], 4);
    case.snapshots[0].keepers.hold = Some(Hold {
        kind: HoldKind::Never,
        by: "ada".to_owned(),
        at: hour(3),
        reason: None,
        review_at: None,
    });

    assert!(case.text().contains("1: keep (held: never delete automatically)"), "{}", case.text());
}

#[test]
fn one_in_use_by_an_image_is_blocked_and_the_others_go() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let mut case = Case::new(&schedule, [1, 2, 3], 4);
    case.in_use =
        BTreeMap::from([("snap-00000001".parse().unwrap(), "ami-00000001".parse().unwrap())]);

    let text = case.text();

    assert!(text.contains("1: blocked") && text.contains("in use by ami-00000001"), "{text}");
    assert!(text.contains("2: delete"), "{text}");
}

#[test]
fn the_newest_available_of_an_instance_is_kept_whatever_the_rules_say() {
    let schedule = schedule(Some(rules(r#"{"max_age": "1d"}"#)));
    let text = Case::new(&schedule, [1, 2], 1_000).text();

    assert!(text.contains("1: delete"), "{text}");
    assert!(text.contains("2: keep (newest available)"), "{text}");
}

#[test]
fn one_that_failed_does_not_count_and_goes_after_a_day() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let mut case = Case::new(&schedule, [1, 2], 25);
    case.snapshots[1].status = Status::Error;

    let early = case.text();
    case.now = 26;
    let late = case.text();

    assert!(early.contains("1: keep") && early.contains("2: keep (failed"), "{early}");
    assert!(late.contains("1: keep") && late.contains("2: delete (failed"), "{late}");
}

#[test]
fn a_manual_one_goes_at_its_expiry_and_not_before() {
    let schedule = schedule(None);
    let mut case = Case::new(&schedule, [9], 4);
    let manual = {
        let mut next = snapshot(1, None);
        next.origin = Origin::Manual;
        next.ending.expires_at = Some(hour(5));
        next
    };
    case.snapshots.push(manual);

    assert!(case.text().contains("1: keep (expires at"), "{}", case.text());
    case.now = 5;
    assert!(case.text().contains("1: delete (expired at"), "{}", case.text());
}

#[test]
fn one_made_twice_goes_while_the_other_is_good() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 5}"#)));
    let mut case = Case::new(&schedule, [1, 3], 4);
    let original = case.snapshots[0].id.clone();
    let double = Snapshot { duplicate_of: Some(original), ..snapshot(2, Some(&schedule)) };
    case.snapshots.push(double);

    let good = case.text();
    case.snapshots[0].status = Status::Error;
    let bad = case.text();

    assert!(good.contains("2: delete (made twice"), "{good}");
    assert!(bad.contains("2: keep (made twice"), "{bad}");
}

#[test]
fn one_made_twice_goes_with_its_original_only_while_newer_ones_have_what_it_has() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 5}"#)));
    for (newer, status, tier, goes) in [
        (true, Status::Condemned, StorageTier::Standard, true),
        (true, Status::Deleting, StorageTier::Standard, true),
        (false, Status::Condemned, StorageTier::Standard, false),
        (false, Status::Deleting, StorageTier::Standard, false),
        // At hand it is not, though it has all.
        (true, Status::Available, StorageTier::Archive, false),
        (true, Status::Missing, StorageTier::Standard, false),
    ] {
        let mut case = Case::new(&schedule, if newer { vec![1, 3] } else { vec![1] }, 4);
        case.snapshots[0].status = status;
        case.snapshots[0].members[0].tier = tier;
        let original = case.snapshots[0].id.clone();
        let double = Snapshot { duplicate_of: Some(original), ..snapshot(2, Some(&schedule)) };
        case.snapshots.push(double);

        let text = case.text();

        assert_eq!(text.contains("2: delete (made twice"), goes, "{status}: {text}");
        assert_eq!(text.contains("2: keep (made twice"), !goes, "{status}: {text}");
    }
}

#[test]
fn two_deletions_by_the_rules_that_were_in_force_are_expected() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let case = Case::new(&schedule, 1..=40, 41);

    assert!(!case.text().contains("delete!"), "{}", case.text());
    assert!(case.brakes().is_empty());
}

#[test]
fn deletions_by_edited_rules_are_unexpected_and_too_many_are_stopped() {
    let mut schedule = schedule(Some(rules(r#"{"keep_last": 40}"#)));
    schedule.settings.rules = Some(rules(r#"{"keep_last": 5}"#));
    let case = Case::new(&schedule, 1..=40, 41);

    let stopped = case.brakes();

    assert_eq!(case.text().matches("delete!").count(), 35);
    assert_eq!((stopped[0].unexpected, stopped[0].available), (35, 40));
}

#[test]
fn what_is_held_used_or_the_newest_counts_for_the_brake_as_what_the_rules_make_of_it() {
    let mut schedule = schedule(Some(rules(r#"{"max_age": "100d"}"#)));
    schedule.settings.rules = Some(rules(r#"{"max_age": "1h"}"#));
    let mut case = Case::new(&schedule, 1..=40, 100);
    for snapshot in &mut case.snapshots[..20] {
        snapshot.keepers.hold = Some(Hold {
            kind: HoldKind::Never,
            by: "ada".to_owned(),
            at: hour(3),
            reason: None,
            review_at: None,
        });
    }
    let used = case.snapshots[20..30].iter().map(|one| one.members[0].ebs_snapshot_id.clone());
    case.in_use = used.map(|id| (id, "ami-00000001".parse().unwrap())).collect();

    let stopped = case.brakes();

    assert_eq!(case.text().matches("delete!").count(), 9);
    assert_eq!((stopped[0].unexpected, stopped[0].available), (40, 40));
    assert_eq!(stopped[0].rules_digest, Some(schedule.rules_digest()));
    // What an earlier version has stored knows of no such thing.
    let entry = case.entries().remove(0);
    let stored = serde_json::to_value(&entry).unwrap();
    let mut earlier = stored.clone();
    earlier.as_object_mut().unwrap().remove("shielded_from");
    let read: PlanEntry = serde_json::from_value(earlier).unwrap();
    assert_eq!(serde_json::from_value::<PlanEntry>(stored).unwrap(), entry);
    assert_eq!((read.shielded_from, entry.shielded_from.is_some()), (None, true));
}

#[test]
fn the_brake_lets_through_what_is_not_both_many_and_much() {
    let edited = |keep: usize, hours: i64| {
        let mut schedule = schedule(Some(rules(r#"{"keep_last": 1000}"#)));
        schedule.settings.rules = Some(rules(&format!(r#"{{"keep_last": {keep}}}"#)));
        let case = Case::new(&schedule, 1..=hours, hours + 1);
        case.brakes().len()
    };

    // 10 of 12: much, but not more than 10.
    assert_eq!(edited(2, 12), 0);
    // 11 of 12: both.
    assert_eq!(edited(1, 12), 1);
    // 11 of 44: many, but not more than 25 %.
    assert_eq!(edited(33, 44), 0);
    // 12 of 44: both.
    assert_eq!(edited(32, 44), 1);
}

#[test]
fn what_was_adopted_since_the_last_sweep_is_unexpected() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let mut case = Case::new(&schedule, 1..=20, 30);
    for adopted in &mut case.snapshots[..15] {
        adopted.origin = Origin::Adopted;
        adopted.created_at = hour(25);
    }

    assert_eq!(case.brakes().len(), 1);
}

#[test]
fn what_was_adopted_counts_by_itself_however_much_the_schedule_has() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 200}"#)));
    let mut case = Case::new(&schedule, 1..=220, 300);
    for adopted in &mut case.snapshots[..20] {
        adopted.origin = Origin::Adopted;
        adopted.created_at = hour(299);
    }

    let stopped = case.brakes();

    assert_eq!(case.text().matches("delete!").count(), 20);
    assert_eq!((stopped[0].unexpected, stopped[0].available), (20, 20));
}

#[test]
fn what_went_unexpectedly_within_a_day_counts_together() {
    let sweep_id = crate::domain::ids::SweepId::derived(hour(0), &["before"]);
    let lost = [GroupCount { group: Group::Own, unexpected: 20, available: 100 }];
    let mut schedule = schedule(Some(rules(r#"{"keep_last": 80}"#)));
    schedule.losses = schedule.losses.with(&sweep_id, &lost, hour(90));
    let stopped = |keep: usize, now: i64| {
        let edited = rules(&format!(r#"{{"keep_last": {keep}}}"#));
        let edited = schedule.clone().set(|settings| settings.rules = Some(edited));
        let mut case = Case::new(&edited, 1..=80, now);
        case.now = now;
        case.brakes().first().map(|one| (one.unexpected, one.earlier, one.available))
    };

    // 25 of 100, and one more.
    assert_eq!(stopped(75, 100), None);
    assert_eq!(stopped(74, 100), Some((6, 20, 100)));
    assert_eq!(stopped(74, 113), Some((6, 20, 100)));
    // A day later the day begins with what there is.
    assert_eq!(stopped(74, 114), None);
    assert_eq!(stopped(59, 114), Some((21, 0, 80)));
    // Where nothing goes there is nothing to stop.
    assert_eq!(stopped(80, 100), None);
}

#[test]
fn what_was_still_being_adopted_at_the_last_sweep_is_unexpected() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let mut case = Case::new(&schedule, 1..=20, 30);
    for adopted in &mut case.snapshots[..15] {
        adopted.origin = Origin::Adopted;
        adopted.course.completed_at = Some(hour(25));
    }

    assert_eq!(case.brakes().len(), 1);
}

#[test]
fn of_an_instance_that_is_gone_the_newest_stay_whatever_the_rules_say() {
    let rules = Some(rules(r#"{"keep_last": 1, "keep_daily": -1}"#));
    let mut case = Case::new(&schedule_when_gone(rules, keep_last(2)), [1, 30, 60, 90], 100);

    let there = case.text();
    case.gone = [case.snapshots[0].source.instance_id.clone()].into();
    let gone = case.text();

    assert!(!there.contains("delete") && !there.contains("gone"), "{there}");
    assert_eq!(
        gone,
        "1: delete (instance gone: not among the last 2)\n\
         30: delete (instance gone: not among the last 2)\n\
         60: keep (instance gone: last 2 of 2)\n\
         90: keep (instance gone: last 1 of 2)\n"
    );
    let digest = case.schedules.values().next().unwrap().rules_digest();
    let by = CondemnedBy::InstanceGone { digest };
    assert_eq!(case.entries()[0].verdict, Verdict::Delete { by, unexpected: false });
}

#[test]
fn of_an_instance_that_is_gone_all_stay_if_the_schedule_says_so() {
    let rules = Some(rules(r#"{"keep_last": 1}"#));
    let mut case = Case::new(&schedule_when_gone(rules, WhenGone::KeepAll), [1, 2], 4);

    assert!(case.text().contains("1: delete"), "{}", case.text());
    case.gone = [case.snapshots[0].source.instance_id.clone()].into();
    assert_eq!(case.text().matches("keep (instance gone: all are kept)").count(), 2);
}

#[test]
fn of_an_instance_that_is_not_there_at_one_look_nothing_goes_where_a_rule_is_for_it() {
    let rules = || Some(rules(r#"{"keep_last": 1}"#));
    let [apply, keep_all, keep_one] =
        [WhenGone::Apply, WhenGone::KeepAll, keep_last(1)].map(|when_gone| {
            let mut case = Case::new(&schedule_when_gone(rules(), when_gone), [1, 2, 3], 4);
            case.absent = [case.snapshots[0].source.instance_id.clone()].into();
            case.text()
        });

    let kept = "keep (EC2 does not show its instance; looked for again)";
    assert_eq!(apply.matches("delete").count(), 2, "{apply}");
    assert_eq!((keep_all.matches(kept).count(), keep_one.matches(kept).count()), (3, 3));
}

#[test]
fn one_that_ec2_has_failed_to_show_does_not_expire() {
    let mut case = Case::new(&schedule(None), [9], 10);
    let expired = {
        let mut next = snapshot(1, None);
        next.ending.expires_at = Some(hour(5));
        next
    };
    case.snapshots.push(Snapshot {
        course: Course { absent_since: Some(hour(8)), ..expired.course.clone() },
        ..expired.clone()
    });

    assert!(case.text().contains("1: keep (EC2 does not show all of it"), "{}", case.text());
    case.snapshots[1] = expired;
    assert!(case.text().contains("1: delete"), "{}", case.text());
}

#[test]
fn a_schedule_without_rules_deletes_by_its_rule_for_what_is_gone_only() {
    let mut case = Case::new(&schedule_when_gone(None, keep_last(1)), [1, 2], 4);

    assert!(!case.text().contains("delete"), "{}", case.text());
    case.gone = [case.snapshots[0].source.instance_id.clone()].into();
    assert!(case.text().contains("1: delete"), "{}", case.text());
}

#[test]
fn a_rule_for_what_is_gone_is_unexpected_until_a_sweep_has_enforced_it() {
    let mut schedule = schedule(None);
    schedule.settings.when_gone = keep_last(1);
    let mut case = Case::new(&schedule, 1..=20, 30);
    case.gone = [case.snapshots[0].source.instance_id.clone()].into();

    let before = case.brakes();
    let enforced = schedule.enforced_at(hour(29));
    case.schedules.insert(enforced.id.clone(), enforced);
    let after = case.brakes();

    assert_eq!(before[0].unexpected, 19);
    assert!(after.is_empty());
}

#[test]
fn a_brake_remembers_what_the_plan_was_made_with() {
    let mut schedule = schedule(Some(rules(r#"{"keep_last": 40}"#)));
    schedule.settings.rules = Some(rules(r#"{"keep_last": 5}"#));
    let case = Case::new(&schedule, 1..=40, 41);
    let brake = case.brakes().remove(0);

    assert_eq!(brake.outdated(Some(&schedule)), None);
    assert!(brake.outdated(None).unwrap().contains("is gone"));
    schedule.settings.when_gone = WhenGone::KeepAll;
    assert!(brake.outdated(Some(&schedule)).unwrap().contains("have changed"));
    // One that an earlier version has stored does not know.
    let json = format!(r#"{{"schedule_id": "{}", "unexpected": 1, "available": 1}}"#, schedule.id);
    let old: Brake = serde_json::from_str(&json).unwrap();
    assert_eq!(old.outdated(Some(&schedule)), None);
}

#[test]
fn a_plan_with_the_same_verdicts_has_the_same_hash() {
    let first = schedule(Some(rules(r#"{"keep_last": 1}"#)));
    let hash = |hours: std::ops::Range<i64>| plan_hash(&Case::new(&first, hours, 50).entries());
    let mut case = Case::new(&first, 1..5, 50);
    case.snapshots.push(snapshot(7, None));
    let with_one_more_that_stays = plan_hash(&case.entries());
    case.in_use = [("snap-00000001".parse().unwrap(), "ami-00000001".parse().unwrap())].into();

    assert_eq!(hash(1..5), hash(1..5));
    assert_ne!(hash(1..5), hash(1..6));
    assert_ne!(hash(1..5), with_one_more_that_stays);
    assert_ne!(with_one_more_that_stays, plan_hash(&case.entries()));
}

#[test]
fn a_plan_carried_out_plans_nothing_more() {
    let schedule = schedule(Some(rules(r#"{"keep_last": 3, "keep_daily": 2}"#)));
    let mut case = Case::new(&schedule, 1..=100, 101);

    let deleted: Vec<_> = case
        .entries()
        .into_iter()
        .filter(|entry| matches!(entry.verdict, Verdict::Delete { .. }))
        .map(|entry| entry.snapshot_id)
        .collect();
    case.snapshots.retain(|snapshot| !deleted.contains(&snapshot.id));

    assert!(!deleted.is_empty());
    assert!(!case.text().contains("delete"), "{}", case.text());
}
