//! Tests of runs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::outcome::{Counts, Outcome};
use super::promise::SlotOutcome;
use super::visit::Overlap;
use super::*;
use crate::domain::ids::ScheduleId;
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::schedule::TARGETS_MAX;
use crate::domain::snapshot::Course;
use crate::domain::snapshot::{Origin, Source, Status};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn run() -> Run {
    let slot = at("2026-03-01T02:00:00Z");
    let schedule_id = ScheduleId::derived(slot, &["x"]);
    let slot = ScheduleSlot { schedule_id, slot };
    Run::claimed(slot, Trigger::Schedule, 0, at("2026-03-01T02:00:30Z"))
}

fn instances(count: usize) -> Vec<InstanceId> {
    (0..count).map(|number| format!("i-{number:017x}").parse().unwrap()).collect()
}

/// A run of so many targets over so many minutes, as its first visit finds it.
fn begun(targets: usize, minutes: u32) -> Run {
    run().begun(instances(targets), minutes, at("2026-03-01T02:00:30Z"))
}

fn asked(run: &Run, now: Timestamp) -> Run {
    run.asking(run.due(now).end, Overlap::default(), now)
}

fn records(run: &Run, statuses: &[Status]) -> BTreeMap<SnapshotId, Snapshot> {
    let targets = run.snapshots_of(0..run.targets.len());
    targets.zip(statuses).map(|((id, _), status)| (id.clone(), snapshot(id, *status))).collect()
}

fn snapshot(id: SnapshotId, status: Status) -> Snapshot {
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
    let now = at("2026-03-01T02:01:00Z");
    let completed_at = (status == Status::Available).then_some(now);
    let snapshot = Snapshot::requested(id, Origin::Schedule, source, None, now);
    Snapshot { status, course: Course { completed_at, ..snapshot.course }, ..snapshot }
}

#[test]
fn lateness_is_what_lies_between_the_slot_and_the_claim() {
    assert_eq!(run().lateness_seconds, 30);
}

#[test]
fn a_claim_holds_until_it_is_over() {
    let run = run();

    assert_eq!(run.reclaimed(at("2026-03-01T02:01:19Z")), None);
    assert!(run.reclaimed(at("2026-03-01T02:01:20Z")).is_some());
}

#[test]
fn a_run_that_a_later_slot_has_overtaken_is_missed_and_keeps_how_late_it_was() {
    let now = at("2026-03-01T02:05:30Z");

    let missed = run().superseded(now);

    assert_eq!((missed.status, missed.version), (RunStatus::Missed, 2));
    assert_eq!((missed.finished_at, missed.attention_at), (Some(now), None));
    assert_eq!((missed.lateness_seconds, missed.begun_at()), (30, run().begun_at()));
}

#[test]
fn a_run_is_overdue_a_day_after_its_last_target_was_due() {
    let run = begun(4, 60);

    assert!(!run.is_overdue(at("2026-03-02T03:00:29Z")));
    assert!(run.is_overdue(at("2026-03-02T03:00:30Z")));
}

#[test]
fn a_run_without_targets_has_failed_at_once() {
    let now = at("2026-03-01T02:00:31Z");
    let run = asked(&begun(0, 60), now);
    let waiting = asked(&begun(0, 60).lacking(vec!["eu-west-1".to_owned()]), now);

    assert_eq!((run.status, run.attention_at), (RunStatus::Failed, None));
    assert_eq!(run.failure.unwrap().code, "NoTargets");
    // There may be some in a region out of reach.
    assert_eq!(waiting.status, RunStatus::Running);
}

#[test]
fn a_run_ends_when_nothing_is_outstanding() {
    let now = at("2026-03-01T02:10:00Z");
    let run = asked(&begun(2, 0), now);
    let standing = |statuses: &[Status]| run.looked_at(&records(&run, statuses), now).status;

    assert_eq!(standing(&[Status::Available]), RunStatus::Running);
    assert_eq!(standing(&[Status::Available, Status::Pending]), RunStatus::Running);
    assert_eq!(standing(&[Status::Available, Status::Available]), RunStatus::Done);
    assert_eq!(standing(&[Status::Available, Status::Error]), RunStatus::PartlyFailed);
    assert_eq!(standing(&[Status::Error, Status::Error]), RunStatus::Failed);
}

#[test]
fn targets_are_asked_for_at_their_time_and_the_run_lasts_until_the_last() {
    let mut run = begun(4, 60);
    let mut asked_for = Vec::new();
    let mut visits = vec![run.clone()];

    for minute in 0..60 {
        let now = run.slot.slot + SignedDuration::from_mins(minute);
        let due = run.due(now);
        asked_for.extend(due.clone().map(|_| minute));
        run = run.asking(due.end, Overlap::default(), now);
        assert_eq!(run.status, RunStatus::Running);
        assert_eq!(run.dispatched_at.is_some(), minute >= 45, "{minute}");
        visits.push(run.clone());
    }

    assert_eq!(asked_for, [0, 15, 30, 45]);
    assert_eq!(run.counts.outstanding, 4);
    let all = records(&run, &[Status::Available; 4]);
    // What is waiting is outstanding, however well the others stand.
    let early = &visits[20];
    let first = all
        .clone()
        .into_iter()
        .filter(|(id, _)| early.snapshots_of(0..2).any(|(one, _)| one == *id));
    assert_eq!(early.looked_at(&first.collect(), early.slot.slot).status, RunStatus::Running);
    assert_eq!(run.looked_at(&all, at("2026-03-01T03:05:00Z")).status, RunStatus::Done);
}

#[test]
fn the_next_visit_is_when_the_next_target_is_due() {
    let run = asked(&begun(60, 60), at("2026-03-01T02:00:30Z"));
    let sparse = asked(&begun(2, 600), at("2026-03-01T02:00:30Z"));

    assert_eq!(run.attention_at, Some(at("2026-03-01T02:01:00Z")));
    // What was asked for is looked at before.
    assert_eq!(sparse.attention_at, Some(at("2026-03-01T02:02:30Z")));
    assert_eq!(sparse.due_at(1), at("2026-03-01T07:00:00Z"));
}

#[test]
fn each_batch_is_checked_once_and_all_from_time_to_time() {
    let run = asked(&begun(60, 60), at("2026-03-01T02:00:30Z"));
    let next = asked(&run, at("2026-03-01T02:01:00Z"));

    assert_eq!(next.to_check(at("2026-03-01T02:02:00Z")), 1..2);
    assert_eq!(next.to_check(at("2026-03-01T02:02:30Z")), 0..2);
}

#[test]
fn what_a_person_starts_is_not_spread() {
    let slot = run().slot;
    let run = Run::claimed(slot, Trigger::Person, 0, at("2026-03-01T02:00:00Z"));

    let run = run.begun(instances(9), 60, at("2026-03-01T02:00:00Z"));

    assert_eq!(run.due(at("2026-03-01T02:00:00Z")), 0..9);
}

#[test]
fn what_nobody_takes_up_is_given_up_a_day_after_the_last_was_asked_for() {
    let run = asked(&begun(2, 1_440), at("2026-03-01T02:00:30Z"));
    let run = asked(&run, at("2026-03-01T14:00:00Z"));
    let one = records(&run, &[Status::Available]);

    let before = run.looked_at(&one, at("2026-03-02T13:59:00Z"));
    let after = run.looked_at(&one, at("2026-03-02T14:00:00Z"));

    assert_eq!(before.status, RunStatus::Running);
    assert_eq!(after.status, RunStatus::PartlyFailed);
    assert_eq!(after.failure.unwrap().code, "GivenUp");
    assert_eq!((after.counts.succeeded, after.counts.failed), (1, 1));
}

#[test]
fn skipped_targets_are_not_asked_for_and_make_a_run_partly_failed() {
    let now = at("2026-03-01T02:00:30Z");
    let skipped = vec![Skipped { slot: at("2026-03-01T01:00:00Z"), positions: vec![1] }];
    let run = begun(3, 0).asking(3, Overlap { skipped, under_way: Vec::new() }, now);
    let others = records(&run, &[Status::Available; 2]);

    let looked = run.looked_at(&others, now);

    assert_eq!(run.snapshots_of(0..3).count(), 2);
    assert_eq!((run.counts.skipped, run.counts.outstanding), (1, 2));
    assert_eq!(looked.status, RunStatus::PartlyFailed);
    assert_eq!(looked.outcome(1, None, &looked.skipped_for()), Outcome::Skipped);
}

#[test]
fn a_run_whose_targets_were_all_skipped_has_failed_and_says_so() {
    let now = at("2026-03-01T02:00:30Z");
    let skipped = vec![Skipped { slot: at("2026-03-01T01:00:00Z"), positions: vec![0, 1] }];

    let run = begun(2, 0).asking(2, Overlap { skipped, under_way: Vec::new() }, now);

    assert_eq!((run.status, run.attention_at), (RunStatus::Failed, None));
    assert!(run.failure.unwrap().message.contains("still pending"));
}

#[test]
fn a_failed_set_that_is_condemned_has_not_succeeded() {
    let id = run().slot.snapshot_id(&instances(1)[0]);
    let failed = snapshot(id, Status::Condemned);
    let good = Snapshot {
        course: Course { completed_at: Some(failed.created_at), ..failed.course.clone() },
        ..failed.clone()
    };
    let gone = Snapshot { status: Status::Deleted, ..good.clone() };

    assert_eq!(Outcome::of(&failed), Outcome::Failed);
    assert_eq!(Outcome::of(&good), Outcome::Available);
    assert_eq!(Outcome::of(&gone), Outcome::Gone);
}

/// What an item of this content weighs in DynamoDB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>), rounded up.
fn weight(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => number.to_string().len().div_ceil(2) + 2,
        Value::String(text) => text.len(),
        Value::Array(items) => 3 + items.iter().map(|item| 1 + weight(item)).sum::<usize>(),
        Value::Object(fields) => {
            3 + fields.iter().map(|(key, value)| 1 + key.len() + weight(value)).sum::<usize>()
        }
    }
}

#[test]
fn the_largest_run_fits_into_a_record() {
    let now = at("2026-03-01T02:00:30Z");
    let slots: Vec<_> = (1..=60).map(|hours| now - SignedDuration::from_hours(hours)).collect();
    let all: Vec<_> = (0..TARGETS_MAX).collect();
    let share = TARGETS_MAX / slots.len();
    let skipped = slots.iter().zip(all.chunks(share));
    let skipped =
        skipped.map(|(slot, positions)| Skipped { slot: *slot, positions: positions.to_vec() });
    let overlap = Overlap { skipped: skipped.collect(), under_way: slots };
    let run = run().begun(instances(TARGETS_MAX), 1_440, now);

    let run = run.asking(TARGETS_MAX - 1, overlap, now);

    assert_eq!(run.skipped_for().len(), TARGETS_MAX);
    let weight = weight(&serde_json::to_value(&run).unwrap());
    assert!((250_000..350_000).contains(&weight), "{weight} of DynamoDB's 409,600 bytes");
}

#[test]
fn counts_add_up() {
    let mut counts = Counts::default();
    for outcome in [Outcome::Waiting, Outcome::Pending, Outcome::Failed, Outcome::Gone] {
        counts.add(outcome);
    }

    assert_eq!(
        counts.skipping(1),
        Counts { total: 4, succeeded: 1, failed: 1, skipped: 1, outstanding: 1 }
    );
}

#[test]
fn a_run_waits_for_a_region_out_of_reach_and_keeps_the_places_of_its_targets() {
    let now = at("2026-03-01T02:00:30Z");
    let lacking = asked(&begun(2, 0).lacking(vec!["eu-west-1".to_owned()]), now);
    let whole = [Status::Available, Status::Available];
    let looked = lacking.looked_at(&records(&lacking, &whole), now);

    let joined = lacking.joined_by(instances(4), Vec::new());
    let all_asked = asked(&joined, at("2026-03-01T02:05:00Z"));

    assert_eq!((looked.status, looked.dispatched_at), (RunStatus::Running, None));
    assert_eq!(looked.attention_at, Some(at("2026-03-01T02:02:30Z")));
    assert_eq!(joined.targets[..2], lacking.targets[..]);
    assert_eq!((joined.targets.len(), joined.counts.total, joined.counts.outstanding), (4, 4, 4));
    assert_eq!(joined.due(now), 2..4);
    assert_eq!(all_asked.dispatched_at, Some(at("2026-03-01T02:05:00Z")));
}

#[test]
fn a_run_that_gives_a_region_up_is_not_done() {
    let now = at("2026-03-01T02:00:30Z");
    let ended = |targets: usize| {
        let lacking = begun(targets, 0).lacking(vec!["eu-west-1".to_owned()]);
        let given_up = lacking.without_unresolved(Failure::new("OutOfReach", "it is"));
        let run = asked(&given_up, now);
        run.looked_at(&records(&run, &[Status::Available]), now)
    };

    assert_eq!(
        (ended(1).status, ended(1).failure.unwrap().code.as_str()),
        (RunStatus::PartlyFailed, "OutOfReach")
    );
    assert_eq!(ended(0).status, RunStatus::Failed);
    assert_eq!(ended(1).unreached, ["eu-west-1"]);
}

/// What became of the slot for the first target, whose snapshot was taken so many minutes after it.
fn promise_after(minutes: i64) -> (SlotOutcome, Option<SignedDuration>) {
    let run = begun(1, 0);
    let taken_at = run.slot.slot + SignedDuration::from_mins(minutes);
    let (id, _) = run.snapshots_of(0..1).next().unwrap();
    let record = Snapshot { started_at: Some(taken_at), ..snapshot(id, Status::Available) };
    let promise = run.promise(Some(0), Some(&record)).unwrap();
    (promise.outcome, promise.lateness)
}

#[test]
fn a_slot_is_met_within_a_quarter_of_an_hour_and_then_late() {
    let minutes = |count| Some(SignedDuration::from_mins(count));

    assert_eq!(promise_after(15), (SlotOutcome::Met, minutes(15)));
    assert_eq!(promise_after(16), (SlotOutcome::Late, minutes(16)));
}

#[test]
fn a_slot_that_nobody_took_up_is_missed_for_whoever_it_is_for() {
    let missed = Run::never_begun(run().slot, at("2026-03-01T03:00:00Z"));

    assert_eq!(missed.promise(None, None).unwrap().outcome, SlotOutcome::Missed);
}

#[test]
fn what_a_person_ran_and_what_an_instance_was_no_target_of_was_not_promised() {
    let by_hand = Run { trigger: Trigger::Person, ..begun(1, 0) };

    assert_eq!(by_hand.promise(Some(0), None), None);
    assert_eq!(begun(1, 0).promise(None, None), None);
}
