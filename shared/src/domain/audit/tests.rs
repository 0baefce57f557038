//! Each transition gives its entry, progress gives none, and an entry's identity follows from the record's.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::*;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::ids::SweepId;
use crate::domain::installation::Installation;
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsSnapshot, EbsState, StorageTier};
use crate::domain::run::{Run, RunStatus, Trigger};
use crate::domain::schedule::{Schedule, Settings, Targets};
use crate::domain::snapshot::condemnation::{BlockedCause, CondemnedBy};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Course, Keepers};
use crate::domain::snapshot::{Failure, Origin, ScheduleSlot, Snapshot, Source, Status};
use crate::domain::sweep::{ExecutionCounts, Sweep, SweepMode, SweepStatus};

const INSTANCE: &str = "i-0123456789abcdef0";

fn at(minute: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn requested() -> Snapshot {
    let source = Source {
        instance_id: INSTANCE.parse().unwrap(),
        instance_name: Some("web 1".to_owned()),
        instance_type: None,
        architecture: None,
        platform: None,
        region: "us-east-1".to_owned(),
        zone: None,
        tags: [].into(),
        launch: LaunchSettings::default(),
        machine: None,
    };
    let id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
    Snapshot::requested(id, Origin::Manual, source, None, at(0))
}

fn member() -> Member {
    Member {
        ebs_snapshot_id: "snap-00000001".parse().unwrap(),
        volume_id: "vol-00000001".parse().unwrap(),
        device: None,
        boot: true,
        size_gib: 8,
        state: EbsState::Pending,
        progress_percent: 0,
        full_size_bytes: None,
        volume: None,
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    }
}

fn seen(state: EbsState, progress_percent: u8) -> EbsSnapshot {
    EbsSnapshot {
        state_message: None,
        id: "snap-00000001".parse().unwrap(),
        volume_id: None,
        state,
        started_at: at(1),
        completed_at: None,
        progress_percent,
        volume_size_gib: 8,
        full_size_bytes: None,
        tier: StorageTier::Standard,
        restore_expires_at: None,
        description: String::new(),
        tags: [].into(),
        installation: Installation::Ours,
    }
}

fn pending() -> Snapshot {
    requested().begin_attempt(at(0)).unwrap().created(vec![member()], at(1)).unwrap()
}

fn available() -> Snapshot {
    pending().observed(&[seen(EbsState::Completed, 100)], at(5)).unwrap()
}

fn condemned() -> Snapshot {
    available().condemn(CondemnedBy::Failed, "the third of three", at(70), at(10)).unwrap()
}

fn deleting() -> Snapshot {
    condemned().begin_deletion(at(80)).unwrap()
}

fn actions(entries: &[Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

fn of(old: &Snapshot, new: &Snapshot) -> Vec<&'static str> {
    actions(&entries_of_snapshot(Some(old), new))
}

#[test]
fn each_transition_of_a_snapshot_gives_its_entry() {
    let failed = requested().fail(Failure::new("X", "no such volume"), at(2)).unwrap();
    let gone = ["snap-00000001".parse().unwrap()];
    let deleted = deleting().members_deleted(&gone, at(81)).unwrap();
    let absent = available().observed(&[], at(20)).unwrap();
    let missing = absent.observed(&[], at(40)).unwrap();
    let returned = missing.returned(&[seen(EbsState::Completed, 100)], at(50)).unwrap();
    let blocked = condemned().block(BlockedCause::Locked { message: None }, at(71)).unwrap();
    let named = condemned()
        .condemn(CondemnedBy::Person { who: "ada".to_owned() }, "by name", at(12), at(12))
        .unwrap();

    assert_eq!(actions(&entries_of_snapshot(None, &requested())), ["snapshot.requested"]);
    assert_eq!(actions(&entries_of_snapshot(None, &failed)), ["snapshot.failed"]);
    assert_eq!(of(&requested(), &failed), ["snapshot.failed"]);
    assert_eq!(of(&pending(), &available()), ["snapshot.available"]);
    assert_eq!(of(&available(), &condemned()), ["snapshot.condemned"]);
    assert_eq!(of(&condemned(), &named), ["snapshot.condemned"]);
    assert_eq!(of(&condemned(), &condemned().rescue(at(11)).unwrap()), ["snapshot.rescued"]);
    assert_eq!(of(&condemned(), &blocked), ["snapshot.blocked"]);
    let torn = deleting().torn(BlockedCause::Locked { message: None }, at(81)).unwrap();
    assert_eq!(of(&deleting(), &torn), ["snapshot.blocked", "snapshot.damaged"]);
    assert_eq!(of(&deleting(), &deleted), ["snapshot.deleted"]);
    assert_eq!(
        of(&available(), &available().record_removed(at(9)).unwrap()),
        ["snapshot.record_removed"]
    );
    assert_eq!(of(&absent, &missing), ["snapshot.missing"]);
    assert_eq!(of(&missing, &returned), ["snapshot.returned"]);
}

#[test]
fn progress_and_looks_and_nudges_give_none() {
    let old = pending();
    let creating = requested().begin_attempt(at(0)).unwrap();
    let failure = Failure::new("RequestLimitExceeded", "later");
    let blocked = condemned().block(BlockedCause::Locked { message: None }, at(71)).unwrap();
    let quiet = vec![
        (requested(), creating.clone()),
        (creating.clone(), creating.put_off(failure, at(1)).unwrap()),
        (creating.clone(), creating.postponed(at(3), at(2)).unwrap()),
        (creating, pending()),
        (old.clone(), old.observed(&[seen(EbsState::Pending, 40)], at(3)).unwrap()),
        (available(), available().observed(&[], at(20)).unwrap()),
        (available(), available().nudged(at(30))),
        (condemned(), deleting()),
        (deleting(), deleting().deletion_put_off(at(81)).unwrap()),
        (deleting(), deleting().noticed_absent(at(81))),
        (blocked.clone(), blocked.block(BlockedCause::Locked { message: None }, at(90)).unwrap()),
    ];

    for (old, new) in quiet {
        assert_eq!(of(&old, &new), [""; 0], "{} to {}", old.status, new.status);
    }
}

#[test]
fn an_edit_names_what_it_changed_from_and_to() {
    let old = available();
    let named = Snapshot {
        version: 9,
        name: "x".to_owned(),
        course: Course { touched_at: at(9), ..old.course.clone() },
        ..old.clone()
    };
    let hold = Hold {
        kind: HoldKind::Never,
        by: "ada".to_owned(),
        at: at(9),
        reason: Some("the audit".to_owned()),
        review_at: None,
    };
    let kept = Snapshot {
        version: 9,
        keepers: Keepers { hold: Some(hold), ..old.keepers.clone() },
        course: Course { touched_at: at(9), ..old.course.clone() },
        ..old.clone()
    };

    let entries = entries_of_snapshot(Some(&old), &named);

    assert_eq!(actions(&entries), ["snapshot.edited"]);
    let change = FieldChange { field: "name".to_owned(), before: json!(""), after: json!("x") };
    assert_eq!(entries[0].changes, [change]);
    assert_eq!(of(&old, &kept), ["snapshot.held"]);
    assert_eq!(of(&kept, &old), ["snapshot.released"]);
    assert_eq!(entries_of_snapshot(Some(&old), &kept)[0].reason.as_deref(), Some("the audit"));
}

#[test]
fn a_condemnation_says_why_and_is_told() {
    let entries = entries_of_snapshot(Some(&available()), &condemned());
    let author = Author::rule("sweeper");

    let item = entries[0].recorded(&author);
    let event = entries[0].event(&author).unwrap();

    assert_eq!(item.reason.as_deref(), Some("the third of three"));
    assert_eq!(item.actor.name(), "sweeper");
    let status = item.changes.iter().find(|change| change.field == "status").unwrap();
    assert_eq!((&status.before, &status.after), (&json!("available"), &json!("condemned")));
    assert_eq!(event.action.event_type(), "snapkeep.snapshot.condemned");
    assert_eq!(event.detail["event_id"], json!(item.id));
    assert_eq!(event.detail["snapshot"]["delete_after"], json!(at(70)));
    assert!(event.detail["summary"].as_str().unwrap().ends_with(": the third of three"));
}

#[test]
fn what_a_person_says_comes_before_what_the_record_says() {
    let entry = entries_of_snapshot(Some(&available()), &condemned()).remove(0);
    let author = Author { reason: Some("ticket 7".to_owned()), ..Author::rule("api") };

    assert_eq!(entry.recorded(&author).reason.as_deref(), Some("ticket 7"));
}

#[test]
fn a_second_set_and_one_found_again_are_told_apart() {
    let twice = Snapshot { duplicate_of: Some(requested().id), ..available() };
    let adopted = Snapshot { origin: Origin::Adopted, ..available() };

    assert_eq!(actions(&entries_of_snapshot(None, &twice)), ["snapshot.duplicate"]);
    assert_eq!(actions(&entries_of_snapshot(None, &adopted)), ["snapshot.adopted"]);
    assert_eq!(actions(&entries_of_snapshot(None, &available())), ["snapshot.rebuilt"]);
}

fn schedule(named: &[&str]) -> Schedule {
    let id = ScheduleId::derived(at(0), &["x"]);
    let new = Settings::of("nightly", "cron(0 2 * * ? *)".parse().unwrap());
    let instance_ids = named.iter().map(|id| id.parse().unwrap()).collect();
    let targets = Targets { instance_ids, ..Targets::default() };
    Schedule::made(id, Settings { targets, ..new }, at(0))
}

#[test]
fn a_schedule_tells_of_people_and_not_of_ticks() {
    let other = "i-00000002";
    let old = schedule(&[INSTANCE]);
    let edited = Schedule {
        version: 2,
        revision: 2,
        updated_at: at(5),
        settings: schedule(&[other]).settings,
        ..old.clone()
    };

    let made = entries_of_schedule(None, &old);
    let entries = entries_of_schedule(Some(&old), &edited);
    let removed = entries_of_removed_schedule(&old, at(9));

    assert_eq!(actions(&made), ["schedule.created", "instance.assigned"]);
    let expected = ["schedule.edited", "instance.assigned", "instance.unassigned"];
    assert_eq!(actions(&entries), expected);
    assert_eq!(entries[0].subject["changed"], json!(["targets"]));
    assert_eq!(entries[1].timeline, Some(Timeline::Instance(other.parse().unwrap())));
    assert_eq!(actions(&removed), ["schedule.deleted", "instance.unassigned"]);
    assert_eq!(removed[0].changes[0].before, json!("nightly"));
    assert_eq!(removed[0].changes[0].after, Value::Null);
    assert!(entries_of_schedule(Some(&old), &old.advanced(at(9))).is_empty());
    assert!(entries_of_schedule(Some(&old), &old.enforced_at(at(9))).is_empty());
}

#[test]
fn a_schedule_that_names_thousands_has_entries_of_bounded_size_and_number() {
    let ids: Vec<_> = (0..12_000).map(|number| format!("i-{number:017x}")).collect();
    let names: Vec<_> = ids.iter().map(String::as_str).collect();
    let old = schedule(&names);
    let fewer = schedule(&names[1..]).settings;
    let edited = Schedule { version: 2, revision: 2, settings: fewer, ..old.clone() };

    let made = entries_of_schedule(None, &old);
    let entries = entries_of_schedule(Some(&old), &edited);

    assert_eq!(made.len(), 61);
    assert!(made[0].summary.ends_with("and 11940 more"));
    assert!(json!(made[0].changes).to_string().len() < 10_000);
    assert_eq!(actions(&entries), ["schedule.edited", "instance.unassigned"]);
    let change = &entries[0].changes[0];
    assert_eq!(change.before["instance_ids"], json!([names[0]]));
    assert_eq!(change.before["instances"], json!(12_000));
    assert_eq!(change.after["instances"], json!(11_999));
    assert_eq!(change.after["instance_ids"], json!([]));
}

#[test]
fn an_instance_that_several_schedules_take_at_once_has_an_entry_for_each() {
    let (one, other) = (schedule(&[INSTANCE]), schedule(&[INSTANCE]));
    let other = Schedule { id: ScheduleId::derived(at(0), &["y"]), ..other };

    let ids: BTreeSet<_> = [one, other]
        .iter()
        .flat_map(|schedule| entries_of_schedule(None, schedule))
        .map(|entry| entry.id())
        .collect();

    assert_eq!(ids.len(), 4);
}

fn run(missed: u32) -> Run {
    let schedule_id = ScheduleId::derived(at(0), &["x"]);
    let slot = ScheduleSlot { schedule_id, slot: at(0) };
    Run::claimed(slot, Trigger::Schedule, missed, at(1))
}

#[test]
fn a_run_tells_when_it_begins_ends_or_is_missed() {
    let slot = run(0).slot;
    let done = Run { status: RunStatus::Done, finished_at: Some(at(9)), ..run(0) };
    let failed = run(0).failed(Failure::new("X", "no"), at(9));

    assert_eq!(actions(&entries_of_run(None, &run(0))), ["run.started"]);
    assert_eq!(actions(&entries_of_run(None, &run(3))), ["run.started", "schedule.missed"]);
    assert_eq!(entries_of_run(None, &run(3))[1].subject["missed"], json!(3));
    assert_eq!(actions(&entries_of_run(None, &Run::never_begun(slot, at(9)))), ["run.missed"]);
    let superseded = entries_of_run(Some(&run(0)), &run(0).superseded(at(9)));
    assert_eq!(actions(&superseded), ["run.missed", "schedule.missed"]);
    let finished = entries_of_run(Some(&run(0)), &done);
    assert_eq!(actions(&finished), ["run.finished"]);
    assert_eq!(finished[0].timeline, None);
    let finished = entries_of_run(Some(&run(0)), &failed);
    assert_eq!(finished[0].reason.as_deref(), Some("no"));
    assert!(finished[0].timeline.is_some());
    // Nothing was asked for: no snapshot will tell of it.
    assert_eq!(actions(&finished), ["run.finished", "schedule.missed"]);
    assert_eq!(finished[1].reason.as_deref(), Some("no"));
    let asked = Run { asked: 1, ..failed.clone() };
    assert_eq!(actions(&entries_of_run(Some(&run(0)), &asked)), ["run.finished"]);
    let by_person = Run { trigger: Trigger::Person, ..failed };
    assert_eq!(actions(&entries_of_run(Some(&run(0)), &by_person)), ["run.finished"]);
    assert!(entries_of_run(Some(&run(0)), &run(0).reclaimed(at(9)).unwrap()).is_empty());
}

#[test]
fn an_hourly_sweep_that_did_nothing_leaves_nothing() {
    let hourly = Sweep::hourly(at(0));
    let done = Sweep { status: SweepStatus::Done, version: 2, ..hourly.clone() };
    let acted = Sweep {
        executed: ExecutionCounts { condemned: 1, ..ExecutionCounts::default() },
        ..done.clone()
    };
    let id = SweepId::derived(at(0), &["x"]);
    let asked = Sweep::requested(id, SweepMode::Execute, Some("ada".to_owned()), at(0));
    let stopped = Sweep { status: SweepStatus::NeedsApproval, version: 2, ..asked.clone() };
    let refused = hourly.given_up(at(9));

    assert!(entries_of_sweep(None, &hourly, at(0)).is_empty());
    assert!(entries_of_sweep(Some(&hourly), &done, at(1)).is_empty());
    assert_eq!(actions(&entries_of_sweep(Some(&hourly), &acted, at(1))), ["sweep.finished"]);
    assert_eq!(actions(&entries_of_sweep(None, &asked, at(0))), ["sweep.requested"]);
    let waits = entries_of_sweep(Some(&asked), &stopped, at(1));
    assert_eq!(actions(&waits), ["sweep.needs_approval"]);
    let refused = entries_of_sweep(Some(&hourly), &refused, at(9));
    assert_eq!(refused[0].reason.as_deref(), Some("it was not carried out within 24 hours"));
}

#[test]
fn every_action_is_written_once_and_read_back() {
    let words: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();

    assert_eq!(words.len(), Action::ALL.len());
    for action in Action::ALL {
        assert_eq!(action.as_str().parse(), Ok(*action));
        assert_eq!(serde_json::to_value(action).unwrap(), json!(action.as_str()));
        assert!(action.as_str().starts_with(&format!("{}.", action.kind())), "{action}");
    }
}

fn any_status() -> impl Strategy<Value = Status> {
    prop::sample::select(Status::ALL)
}

proptest! {
    #[test]
    fn the_same_write_twice_is_the_same_entry(
        before in any_status(),
        after in any_status(),
        version in 1_u64..1_000,
        minute in 0_i64..10_000,
    ) {
        let old = Snapshot { status: before, version, ..available() };
        let mut new = Snapshot { status: after, version: version + 1, ..old.clone() };
        new.course.touched_at = at(minute);

        let once = entries_of_snapshot(Some(&old), &new);
        let again = entries_of_snapshot(Some(&old), &new);

        prop_assert_eq!(&once, &again);
        prop_assert!(once.iter().zip(&again).all(|(one, other)| one.id() == other.id()));
        prop_assert!(once.len() <= 2);
        prop_assert!(before != after || once.is_empty());
    }

    #[test]
    fn two_writes_are_two_entries(version in 1_u64..1_000, minute in 0_i64..10_000) {
        let write = |version: u64| {
            let old = Snapshot { version, ..available() };
            let mut new = Snapshot { version: version + 1, name: "x".to_owned(), ..old.clone() };
            new.course.touched_at = at(minute);
            entries_of_snapshot(Some(&old), &new).remove(0).id()
        };

        prop_assert_ne!(write(version), write(version + 1));
    }
}
