//! The laws of plans, over worlds made at random.

use jiff::ToSpan;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsState, StorageTier};
use crate::domain::retention::Rules;
use crate::domain::schedule::{Settings, WhenGone};
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, ScheduleSlot, Source};

/// Schedules of the world; one more has snapshots and is unknown.
const SCHEDULES: usize = 3;
const INSTANCES: usize = 3;

/// Owned, so that a law can change it.
#[derive(Clone, Debug)]
struct Made {
    schedules: BTreeMap<ScheduleId, Schedule>,
    snapshots: Vec<Snapshot>,
    in_use: BTreeMap<EbsSnapshotId, ImageId>,
    gone: BTreeSet<InstanceId>,
    absent: BTreeSet<InstanceId>,
}

impl Made {
    fn plan(&self) -> Vec<PlanEntry> {
        plan(&World {
            schedules: &self.schedules,
            snapshots: &self.snapshots,
            in_use: &self.in_use,
            gone: &self.gone,
            absent: &self.absent,
            failed_kept: SignedDuration::from_hours(24),
            now: now(),
        })
    }

    fn deleted(&self) -> BTreeSet<SnapshotId> {
        let entries = self.plan().into_iter();
        entries
            .filter(|entry| matches!(entry.verdict, Verdict::Delete { .. }))
            .map(|entry| entry.snapshot_id)
            .collect()
    }
}

fn now() -> Timestamp {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

fn schedule_id(number: usize) -> ScheduleId {
    ScheduleId::derived(Timestamp::UNIX_EPOCH, &[&number.to_string()])
}

fn instance_id(number: usize) -> InstanceId {
    format!("i-{number:08x}").parse().unwrap()
}

fn any_rules() -> impl Strategy<Value = Option<Rules>> {
    let parts = prop_oneof![
        (1..6_u32).prop_map(|count| format!(r#""keep_last": {count}"#)),
        (1..6_u32).prop_map(|count| format!(r#""keep_daily": {count}"#)),
        (1..90_u32).prop_map(|hours| format!(r#""keep_within": "{hours}h""#)),
        (1..400_u32).prop_map(|hours| format!(r#""max_age": "{hours}h""#)),
    ];
    prop::option::weighted(
        0.8,
        parts.prop_map(|part| serde_json::from_str(&format!("{{{part}}}")).unwrap()),
    )
}

fn any_when_gone() -> impl Strategy<Value = WhenGone> {
    prop_oneof![
        Just(WhenGone::Apply),
        (1..4_u32).prop_map(|count| WhenGone::KeepLast(count.try_into().unwrap())),
        Just(WhenGone::KeepAll),
    ]
}

prop_compose! {
    /// A schedule whose rules may have been edited since they were enforced.
    fn any_schedule(number: usize)(
        rules in any_rules(),
        when_gone in any_when_gone(),
        edited in prop::option::of((any_rules(), any_when_gone())),
    ) -> Schedule {
        let new = Settings::of("x", "rate(1 hour)".parse().unwrap());
        let made = Schedule::made(schedule_id(number), Settings { rules, when_gone, ..new }, now() - 1000.hours());
        match edited {
            Some((rules, when_gone)) => made.set(|new| (new.rules, new.when_gone) = (rules, when_gone)),
            None => made,
        }
    }
}

fn any_hold() -> impl Strategy<Value = Option<Hold>> {
    let kind = prop_oneof![
        Just(HoldKind::Never),
        (-50..50_i64).prop_map(|hours| HoldKind::Until(now() + hours.hours())),
    ];
    let hold = kind.prop_map(|kind| Hold {
        kind,
        by: "ada".to_owned(),
        at: now(),
        reason: None,
        review_at: None,
    });
    prop::option::weighted(0.15, hold)
}

fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![
        12 => Just(Status::Available),
        2 => Just(Status::Error),
        1 => Just(Status::Pending),
        1 => Just(Status::Condemned),
    ]
}

prop_compose! {
    fn any_snapshot()(
        // Few enough that some are of the same instant.
        hours in 0..400_i64,
        schedule in prop::option::weighted(0.85, 0..=SCHEDULES),
        instance in 0..INSTANCES,
        status in any_status(),
        hold in any_hold(),
        absent in prop::bool::weighted(0.08),
        expires in prop::option::weighted(0.3, -50..50_i64),
    ) -> Snapshot {
        let taken = now() - hours.hours();
        let source = Source {
            instance_id: instance_id(instance),
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
        let slot = schedule
            .map(|number| ScheduleSlot { schedule_id: schedule_id(number), slot: taken });
        let id = SnapshotId::derived(taken, &["x"]);
        let expires_at = expires.filter(|_| slot.is_none()).map(|hours| now() + hours.hours());
        let mut snapshot = Snapshot::requested(id, Origin::Schedule, source, slot, taken);
        snapshot.status = status;
        snapshot.started_at = Some(taken);
        snapshot.keepers.hold = hold;
        snapshot.course.absent_since = absent.then_some(taken);
        snapshot.ending.expires_at = expires_at;
        snapshot
    }
}

/// What names it and its one member.
fn numbered(number: usize, snapshot: Snapshot) -> Snapshot {
    let id = SnapshotId::derived(snapshot.created_at, &[&number.to_string()]);
    let member = Member {
        ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
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
    Snapshot { id, members: vec![member], ..snapshot }
}

prop_compose! {
    fn any_world()(
        zero in any_schedule(0),
        one in any_schedule(1),
        two in any_schedule(2),
        snapshots in prop::collection::vec(any_snapshot(), 1..40),
        doubles in prop::collection::vec((any::<Index>(), any::<Index>()), 0..4),
        used in prop::collection::vec(any::<Index>(), 0..4),
        gone in prop::collection::btree_set(0..INSTANCES, 0..=INSTANCES),
        absent in prop::collection::btree_set(0..INSTANCES, 0..=INSTANCES),
    ) -> Made {
        let mut snapshots: Vec<_> =
            (0..).zip(snapshots).map(|(number, one)| numbered(number, one)).collect();
        for (double, original) in doubles {
            let original = original.get(&snapshots).clone();
            let at = double.index(snapshots.len());
            if snapshots[at].id != original.id && original.duplicate_of.is_none() {
                snapshots[at].duplicate_of = Some(original.id);
                snapshots[at].slot = original.slot;
                snapshots[at].source = original.source;
            }
        }
        let image: ImageId = "ami-00000001".parse().unwrap();
        let used = used.iter().map(|one| &one.get(&snapshots).members[0].ebs_snapshot_id);
        Made {
            schedules: [zero, one, two].into_iter().map(|one| (one.id.clone(), one)).collect(),
            in_use: used.map(|id| (id.clone(), image.clone())).collect(),
            absent: absent.difference(&gone).copied().map(instance_id).collect(),
            gone: gone.into_iter().map(instance_id).collect(),
            snapshots,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_that_is_held_or_in_use_goes(world in any_world()) {
        let deleted = world.deleted();

        for snapshot in &world.snapshots {
            let is_held = snapshot.is_held(Deleter::Rule, now());
            let is_used = using_image(snapshot, &world.in_use).is_some();
            prop_assert!(!(is_held || is_used) || !deleted.contains(&snapshot.id));
        }
    }

    #[test]
    fn the_newest_available_of_each_instance_stays(world in any_world()) {
        let deleted = world.deleted();

        for instance in (0..INSTANCES).map(instance_id) {
            let good = world.snapshots.iter().filter(|one| {
                one.source.instance_id == instance
                    && one.status == Status::Available
                    && one.course.absent_since.is_none()
                    && one.duplicate_of.is_none()
            });
            let newest = good.max_by_key(|one| (one.taken_at(), one.id.clone()));
            prop_assert!(newest.is_none_or(|newest| !deleted.contains(&newest.id)));
        }
    }

    #[test]
    fn nothing_of_an_unknown_schedule_goes_but_what_failed_or_was_made_twice(world in any_world()) {
        let deleted = world.deleted();

        for snapshot in &world.snapshots {
            let is_unknown = snapshot.schedule_id() == Some(&schedule_id(SCHEDULES));
            let is_plain =
                snapshot.status == Status::Available && snapshot.duplicate_of.is_none();
            prop_assert!(!(is_unknown && is_plain && deleted.contains(&snapshot.id)));
        }
    }

    #[test]
    fn a_plan_carried_out_plans_nothing_more_by_rules(world in any_world()) {
        let mut after = world.clone();
        let deleted = world.deleted();
        for snapshot in &mut after.snapshots {
            if deleted.contains(&snapshot.id) {
                snapshot.status = Status::Condemned;
            }
        }

        // What was made twice may go once the other has gone.
        let more = after.plan().into_iter().find(|entry| match &entry.verdict {
            Verdict::Delete { by, .. } => *by != CondemnedBy::Duplicate,
            Verdict::Keep | Verdict::Blocked { .. } => false,
        });
        prop_assert_eq!(more, None);
    }

    #[test]
    fn of_a_gone_instance_that_keeps_all_and_of_one_that_may_be_gone_nothing_goes_by_rules(
        world in any_world(),
    ) {
        for entry in world.plan() {
            let schedule = entry.schedule_id.as_ref().and_then(|id| world.schedules.get(id));
            let when_gone = schedule.map(|one| one.settings.when_gone).unwrap_or_default();
            let keeps_all =
                when_gone == WhenGone::KeepAll && world.gone.contains(&entry.instance_id);
            let waits = when_gone != WhenGone::Apply && world.absent.contains(&entry.instance_id);
            if keeps_all || waits {
                let by_rules = matches!(
                    entry.verdict,
                    Verdict::Delete {
                        by: CondemnedBy::Rules { .. } | CondemnedBy::InstanceGone { .. },
                        ..
                    }
                );
                prop_assert!(!by_rules, "{entry:?}");
            }
        }
    }

    #[test]
    fn of_a_gone_instance_so_many_stay(world in any_world()) {
        for schedule in world.schedules.values() {
            let WhenGone::KeepLast(count) = schedule.settings.when_gone else { continue };
            for instance in &world.gone {
                let of_it = world.snapshots.iter().filter(|one| {
                    one.schedule_id() == Some(&schedule.id)
                        && one.source.instance_id == *instance
                        && one.status == Status::Available
                        && one.duplicate_of.is_none()
                        && one.course.absent_since.is_none()
                });
                let of_it: BTreeSet<_> = of_it.map(|one| one.id.clone()).collect();
                let left = of_it.difference(&world.deleted()).count();
                let wanted = usize::try_from(count.get()).unwrap();
                prop_assert!(left >= wanted.min(of_it.len()));
            }
        }
    }

    #[test]
    fn protection_hides_no_unexpected_deletion_from_the_brake(world in any_world()) {
        let mut bare = world.clone();
        bare.in_use.clear();
        for snapshot in &mut bare.snapshots {
            snapshot.keepers.hold = None;
        }

        let counted = |made: &Made| -> BTreeSet<_> {
            let entries = made.plan().into_iter();
            entries
                .filter(|entry| entry.unexpected_by().is_some())
                .map(|entry| entry.snapshot_id)
                .collect()
        };
        prop_assert_eq!(counted(&world), counted(&bare));
    }

    #[test]
    fn raising_keep_last_never_deletes_more(world in any_world(), low in 1..6_u32, more in 1..6_u32) {
        let with = |count: u32| {
            let mut world = world.clone();
            for schedule in world.schedules.values_mut() {
                let rules = format!(r#"{{"keep_last": {count}}}"#);
                schedule.settings.rules = Some(serde_json::from_str(&rules).unwrap());
                if let WhenGone::KeepLast(_) = schedule.settings.when_gone {
                    schedule.settings.when_gone = WhenGone::KeepLast(count.try_into().unwrap());
                }
            }
            world.deleted()
        };

        prop_assert!(with(low + more).is_subset(&with(low)));
    }
}
