//! Fates of single snapshots in all their states, and of groups.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use super::*;
use crate::domain::ids::ImageId;
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsState, StorageTier};
use crate::domain::schedule::Settings;
use crate::domain::snapshot::condemnation::{Blocked, BlockedCause};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Course, Ending, Keepers};
use crate::domain::snapshot::{Origin, ScheduleSlot, Source};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// Nightly at 02:30 in Berlin, which is 01:30 UTC in winter.
fn nightly(rules: Option<&str>) -> Schedule {
    let created_at = at("2026-01-01T12:00:00Z");
    let id = ScheduleId::derived(created_at, &["nightly"]);
    let new = Settings::of("nightly", "cron(30 2 * * ? *)".parse().unwrap());
    let rules = rules.map(|json| serde_json::from_str(json).unwrap());
    let timezone = "Europe/Berlin".parse().unwrap();
    Schedule::made(id, Settings { rules, timezone, grace_minutes: Some(30), ..new }, created_at)
}

/// Taken at an instant; by a schedule, or by hand.
fn snapshot(taken_at: &str, schedule: Option<&Schedule>) -> Snapshot {
    let taken_at = at(taken_at);
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
        ebs_snapshot_id: "snap-00000001".parse().unwrap(),
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
    let origin = if schedule.is_some() { Origin::Schedule } else { Origin::Manual };
    let slot =
        schedule.map(|schedule| ScheduleSlot { schedule_id: schedule.id.clone(), slot: taken_at });
    Snapshot {
        status: Status::Available,
        members: vec![member],
        started_at: Some(taken_at),
        ..Snapshot::requested(SnapshotId::derived(taken_at, &["x"]), origin, source, slot, taken_at)
    }
}

fn held(kind: HoldKind) -> Hold {
    Hold { kind, by: "ada".to_owned(), at: Timestamp::UNIX_EPOCH, reason: None, review_at: None }
}

/// A line for each snapshot: why it is kept, when it goes, and why then.
fn told(schedule: Option<&Schedule>, snapshots: &[Snapshot], now: &str) -> String {
    told_with(schedule, snapshots, &BTreeSet::new(), now)
}

/// The same, with these instances gone.
fn told_with(
    schedule: Option<&Schedule>,
    snapshots: &[Snapshot],
    gone: &BTreeSet<InstanceId>,
    now: &str,
) -> String {
    let schedules = schedule.map(|schedule| (schedule.id.clone(), schedule.clone()));
    let fates = fates(&FateFacts {
        schedules: &schedules.into_iter().collect(),
        snapshots,
        gone,
        grace: hours(1),
        failed_kept: hours(24),
        now: at(now),
    });
    let mut text = String::new();
    for snapshot in snapshots {
        let Fate { kept_by, outlook, because } = &fates[&snapshot.id];
        let outlook = match outlook {
            Outlook::At(instant) => instant.to_string(),
            Outlook::Never => "never".to_owned(),
            Outlook::Unknown => "unknown".to_owned(),
        };
        let taken_at = snapshot.taken_at().strftime("%m-%dT%H:%M");
        writeln!(text, "{taken_at} [{}] {outlook}: {because}", kept_by.join(", ")).unwrap();
    }
    text
}

fn fate(schedule: Option<&Schedule>, snapshot: Snapshot) -> String {
    told(schedule, &[snapshot], "2026-03-03T10:00:00Z")
}

#[test]
fn a_week_of_nights_goes_one_by_one_and_sundays_stay_longer() {
    let schedule = nightly(Some(r#"{"keep_daily": 3, "keep_weekly": 2}"#));
    // Sunday to Wednesday; the 1st is the Sunday that ends its week.
    let nights = ["2026-02-22", "2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"];
    let snapshots: Vec<_> =
        nights.iter().map(|day| snapshot(&format!("{day}T01:30:00Z"), Some(&schedule))).collect();

    insta::assert_snapshot!(told(Some(&schedule), &snapshots, "2026-03-04T10:00:00Z"), @"
    02-22T01:30 [] 2026-03-04T10:30:00Z: no rule keeps it then; the sweep between 2026-03-04T10:00:00Z and 2026-03-04T11:00:00Z lets it go
    03-01T01:30 [weekly 2 of 2] 2026-03-08T23:30:00Z: from the first snapshot begun after 2026-03-08T23:00:00Z on, weekly has enough newer ones; the sweep between 2026-03-08T23:00:00Z and 2026-03-09T00:00:00Z lets it go
    03-02T01:30 [daily 3 of 3] 2026-03-05T01:30:00Z: from the snapshot of 2026-03-05T01:30:00Z on, daily has enough newer ones; the sweep between 2026-03-05T01:00:00Z and 2026-03-05T02:00:00Z lets it go
    03-03T01:30 [daily 2 of 3] 2026-03-06T01:30:00Z: from the snapshot of 2026-03-06T01:30:00Z on, daily has enough newer ones; the sweep between 2026-03-06T01:00:00Z and 2026-03-06T02:00:00Z lets it go
    03-04T01:30 [daily 1 of 3, weekly 1 of 2] 2026-03-07T01:30:00Z: from the snapshot of 2026-03-07T01:30:00Z on, daily has enough newer ones; the sweep between 2026-03-07T01:00:00Z and 2026-03-07T02:00:00Z lets it go
    ");
}

#[test]
fn what_is_being_taken_counts_as_if_it_were_there() {
    let schedule = nightly(Some(r#"{"keep_last": 1}"#));
    let mut pending = snapshot("2026-03-03T01:30:00Z", Some(&schedule));
    pending.status = Status::Pending;
    let snapshots = [snapshot("2026-03-02T01:30:00Z", Some(&schedule)), pending];

    insta::assert_snapshot!(told(Some(&schedule), &snapshots, "2026-03-03T01:40:00Z"), @"
    03-02T01:30 [last 1 of 1] 2026-03-03T02:10:00Z: no rule keeps it then; the sweep between 2026-03-03T01:00:00Z and 2026-03-03T02:00:00Z lets it go
    03-03T01:30 [] unknown: EC2 is still writing it
    ");
}

#[test]
fn a_hold_comes_before_the_rules() {
    let schedule = nightly(Some(r#"{"keep_last": 1}"#));
    let with = |kind| {
        let mut next = snapshot("2026-03-03T01:30:00Z", Some(&schedule));
        next.keepers.hold = Some(held(kind));
        next
    };

    let never = fate(Some(&schedule), with(HoldKind::Never));
    let until = fate(Some(&schedule), with(HoldKind::Until(at("2026-03-20T08:10:00Z"))));
    let shorter = fate(Some(&schedule), with(HoldKind::Until(at("2026-03-03T11:00:00Z"))));

    insta::assert_snapshot!(format!("{never}{until}{shorter}"), @"
    03-03T01:30 [last 1 of 1] never: held: never delete automatically
    03-03T01:30 [last 1 of 1] 2026-03-20T08:40:00Z: held until 2026-03-20T08:10:00Z; the sweep between 2026-03-20T08:00:00Z and 2026-03-20T09:00:00Z lets it go
    03-03T01:30 [last 1 of 1] 2026-03-04T01:30:00Z: the newest of its instance until the snapshot of 2026-03-04T01:30:00Z; the sweep between 2026-03-04T01:00:00Z and 2026-03-04T02:00:00Z lets it go
    ");
}

#[test]
fn without_rules_without_schedule_and_by_hand_it_stays() {
    let without_rules = nightly(None);
    let by_hand = snapshot("2026-03-02T01:30:00Z", None);
    let taken = snapshot("2026-03-02T01:30:00Z", Some(&without_rules));

    let kept = fate(Some(&without_rules), taken.clone());
    let orphaned = fate(None, taken);
    let manual = fate(None, by_hand);

    insta::assert_snapshot!(format!("{kept}{orphaned}{manual}"), @"
    03-02T01:30 [its schedule has no rules and keeps everything] never: its schedule has no rules and keeps everything
    03-02T01:30 [its schedule is gone; nothing deletes it] never: its schedule is gone; nothing deletes it
    03-02T01:30 [no schedule and no expires_at: kept] never: no schedule and no expires_at
    ");
}

#[test]
fn what_expires_goes_unless_it_is_the_newest() {
    let expires_at = Some(at("2026-03-05T12:20:00Z"));
    let older = {
        let mut next = snapshot("2026-03-01T01:30:00Z", None);
        next.ending.expires_at = expires_at;
        next
    };
    let newer = {
        let mut next = snapshot("2026-03-02T01:30:00Z", None);
        next.ending.expires_at = expires_at;
        next
    };

    insta::assert_snapshot!(told(None, &[older, newer], "2026-03-03T10:00:00Z"), @"
    03-01T01:30 [expires at 2026-03-05T12:20:00Z] 2026-03-05T13:20:00Z: it expires at 2026-03-05T12:20:00Z; the sweep between 2026-03-05T12:00:00Z and 2026-03-05T13:00:00Z lets it go
    03-02T01:30 [expires at 2026-03-05T12:20:00Z] unknown: it expires at 2026-03-05T12:20:00Z, but stays as long as it is the newest of its instance
    ");
}

#[test]
fn what_is_not_available_says_what_is_true() {
    let schedule = nightly(Some(r#"{"keep_last": 1}"#));
    let whole = snapshot("2026-03-02T01:30:00Z", Some(&schedule));
    let now = at("2026-03-03T10:00:00Z");
    let condemned =
        whole.condemn(CondemnedBy::Failed, "failed", at("2026-03-03T11:00:00Z"), now).unwrap();
    let image_id: ImageId = "ami-0123456789abcdef0".parse().unwrap();
    let blocked = Snapshot {
        ending: Ending {
            blocked: Some(Blocked {
                cause: BlockedCause::InUse { image_id: Some(image_id), message: None },
                since: now,
                wanted: None,
            }),
            ..condemned.ending.clone()
        },
        ..condemned.clone()
    };
    let gone = |status| Snapshot {
        status,
        ending: Ending { gone_at: Some(now), ..whole.ending.clone() },
        ..whole.clone()
    };
    let deleted = Snapshot { members: Vec::new(), ..gone(Status::Deleted) };
    let still_held = Snapshot {
        keepers: Keepers { hold: Some(held(HoldKind::Never)), ..condemned.keepers.clone() },
        ..condemned.clone()
    };
    let others = [
        Snapshot { status: Status::Requested, ..whole.clone() },
        Snapshot { status: Status::Pending, ..whole.clone() },
        Snapshot {
            status: Status::Error,
            course: Course { touched_at: at("2026-03-03T01:40:00Z"), ..whole.course.clone() },
            ..whole.clone()
        },
        Snapshot { status: Status::Deleting, ..condemned.clone() },
        Snapshot {
            course: Course { absent_since: Some(now), ..whole.course.clone() },
            ..whole.clone()
        },
        gone(Status::Missing),
        gone(Status::Deleted),
    ];

    let told: String = [condemned, blocked, still_held, deleted]
        .into_iter()
        .chain(others)
        .map(|snapshot| fate(Some(&schedule), snapshot))
        .collect();

    insta::assert_snapshot!(told, @"
    03-02T01:30 [] 2026-03-03T11:00:00Z: condemned by a sweep: failed
    03-02T01:30 [] unknown: it should be gone, but since 2026-03-03T10:00:00Z: in use by ami-0123456789abcdef0
    03-02T01:30 [] never: condemned, but held: never delete automatically
    03-02T01:30 [] 2026-03-03T10:00:00Z: it was deleted at 2026-03-03T10:00:00Z
    03-02T01:30 [] unknown: it is not taken yet
    03-02T01:30 [] unknown: EC2 is still writing it
    03-02T01:30 [failed; kept until 2026-03-04T01:40:00Z to show why] 2026-03-04T02:10:00Z: failed; kept until 2026-03-04T01:40:00Z to show why
    03-02T01:30 [] 2026-03-03T10:00:00Z: it is being deleted
    03-02T01:30 [EC2 does not show all of it; looked for again] unknown: EC2 does not show all of it; it is looked for again
    03-02T01:30 [] 2026-03-03T10:00:00Z: EC2 no longer has it, as was found at 2026-03-03T10:00:00Z
    03-02T01:30 [] 2026-03-03T10:00:00Z: only its record was removed, at 2026-03-03T10:00:00Z; EC2 keeps what it has
    ");
}

#[test]
fn only_what_the_rules_or_an_expiry_decide_needs_the_others() {
    let (ruled, unruled) = (nightly(Some(r#"{"keep_last": 1}"#)), nightly(None));
    let scheduled = snapshot("2026-03-02T01:30:00Z", Some(&ruled));
    let manual = snapshot("2026-03-02T01:30:00Z", None);
    let expiring = Snapshot {
        ending: Ending { expires_at: Some(at("2026-04-01T00:00:00Z")), ..manual.ending.clone() },
        ..manual.clone()
    };
    let duplicate = Snapshot { duplicate_of: Some(manual.id.clone()), ..manual.clone() };
    let pending = Snapshot { status: Status::Pending, ..scheduled.clone() };

    assert!(!stands_alone(&scheduled, Some(&ruled)));
    assert!(!stands_alone(&expiring, None));
    assert!(!stands_alone(&duplicate, None));
    assert!(stands_alone(&scheduled, Some(&unruled)));
    assert!(stands_alone(&scheduled, None));
    assert!(stands_alone(&manual, None));
    assert!(stands_alone(&pending, Some(&ruled)));
}

#[test]
fn what_is_left_of_a_gone_instance_goes_by_the_rule_for_it_and_nothing_newer_comes() {
    let nights = ["2026-03-01T01:30:00Z", "2026-03-02T01:30:00Z", "2026-03-03T01:30:00Z"];
    let told = |when_gone| {
        let schedule = nightly(Some(r#"{"keep_last": 3}"#)).set(|new| new.when_gone = when_gone);
        let snapshots = nights.map(|night| snapshot(night, Some(&schedule)));
        let gone = BTreeSet::from([snapshots[0].source.instance_id.clone()]);
        told_with(Some(&schedule), &snapshots, &gone, "2026-03-03T10:00:00Z")
    };
    let two = WhenGone::KeepLast(NonZeroU32::new(2).unwrap());

    insta::assert_snapshot!(told(two), @r"
    03-01T01:30 [] 2026-03-03T10:30:00Z: its instance is gone; the next sweep lets it go
    03-02T01:30 [instance gone: last 2 of 2] never: instance gone: last 2 of 2
    03-03T01:30 [instance gone: last 1 of 2] never: instance gone: last 1 of 2
    ");
    insta::assert_snapshot!(told(WhenGone::KeepAll), @r"
    03-01T01:30 [instance gone: all are kept] never: instance gone: all are kept
    03-02T01:30 [instance gone: all are kept] never: instance gone: all are kept
    03-03T01:30 [instance gone: all are kept] never: instance gone: all are kept
    ");
}

#[test]
fn what_an_image_keeps_from_going_says_so_though_it_is_available() {
    let schedule = nightly(Some(r#"{"keep_last": 1}"#));
    let image_id: ImageId = "ami-0123456789abcdef0".parse().unwrap();
    let blocked = Blocked {
        cause: BlockedCause::InUse { image_id: Some(image_id), message: None },
        since: at("2026-03-02T02:00:00Z"),
        wanted: None,
    };
    let old = {
        let mut next = snapshot("2026-03-01T01:30:00Z", Some(&schedule));
        next.ending.blocked = Some(blocked);
        next
    };

    assert_eq!(
        fate(Some(&schedule), old).split_once("] ").unwrap().1,
        "unknown: it should be gone, but since 2026-03-02T02:00:00Z: in use by ami-0123456789abcdef0\n"
    );
}
