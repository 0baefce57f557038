//! What guards what: volume by volume.

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;
use crate::domain::ownership::StorageTier;
use crate::domain::snapshot::Course;
use crate::domain::snapshot::Status;
use crate::domain::sweep::plan::tests::{hour, snapshot};

/// The volume that EC2 makes up for copies.
const MADE_UP: &str = "vol-ffffffff";

/// A set of this hour with these volumes, each `/dev/sd…` in its turn.
fn set(taken: i64, volumes: &[&str]) -> Snapshot {
    let base = snapshot(taken, None);
    let member = base.members[0].clone();
    let members = volumes.iter().zip('a'..).map(|(volume, letter)| Member {
        ebs_snapshot_id: format!("snap-{taken:06x}{letter}f").parse().unwrap(),
        volume_id: volume.parse().unwrap(),
        device: Some(format!("/dev/sd{letter}")),
        ..member.clone()
    });
    Snapshot { members: members.collect(), ..base }
}

/// The hours of those that let the set of `hour` go; none if it stays.
fn guardians_of(taken: i64, sets: &[Snapshot]) -> Option<Vec<i64>> {
    let newest = Newest::among(sets);
    let judged = sets.iter().find(|one| one.taken_at() == hour(taken)).unwrap();
    let guardians = newest.guardians(judged).ok()?;
    let hours = guardians.iter().map(|one| one.taken_at().duration_since(hour(0)).as_hours());
    let mut hours: Vec<_> = hours.collect();
    hours.sort_unstable();
    Some(hours)
}

const ROOT: &str = "vol-0000000a";
const DATA: &str = "vol-0000000b";
const OTHER: &str = "vol-0000000c";

#[test]
fn a_set_goes_while_a_newer_one_has_all_its_volumes() {
    let sets = [set(1, &[ROOT, DATA]), set(2, &[ROOT, DATA]), set(3, &[ROOT, DATA, OTHER])];

    assert_eq!(guardians_of(1, &sets), Some(vec![3]));
    assert_eq!(guardians_of(3, &sets), None);
}

#[test]
fn a_newer_set_with_fewer_volumes_lets_no_fuller_one_go() {
    let sets = [set(1, &[ROOT, DATA]), set(2, &[DATA])];

    assert_eq!(guardians_of(1, &sets), None);
    let newest = Newest::among(&sets);
    let reason = newest.guardians(&sets[0]).unwrap_err();
    assert_eq!(reason, format!("newest available of {ROOT}"));
}

#[test]
fn newer_sets_let_one_go_together() {
    let sets = [set(1, &[ROOT, DATA]), set(2, &[DATA]), set(3, &[ROOT])];

    assert_eq!(guardians_of(1, &sets), Some(vec![2, 3]));
}

#[test]
fn of_a_volume_that_was_replaced_the_newest_set_stays_and_only_that() {
    let sets = [
        set(1, &[ROOT, DATA]),
        set(2, &[ROOT, DATA]),
        set(3, &[ROOT, OTHER]),
        set(4, &[ROOT, OTHER]),
    ];

    assert_eq!(guardians_of(1, &sets), Some(vec![2, 4]));
    assert_eq!(guardians_of(2, &sets), None);
    assert_eq!(guardians_of(3, &sets), Some(vec![4]));
}

#[test]
fn what_is_not_whole_guards_nothing() {
    let older = set(1, &[ROOT]);
    let good = set(2, &[ROOT]);
    let with_tier = |tier| {
        let mut one = good.clone();
        one.members[0].tier = tier;
        one
    };
    let damages = [
        with_tier(StorageTier::Archive),
        with_tier(StorageTier::Restored),
        Snapshot {
            course: Course { absent_since: Some(hour(3)), ..good.course.clone() },
            ..good.clone()
        },
        Snapshot { status: Status::Condemned, ..good.clone() },
        Snapshot { duplicate_of: Some(older.id.clone()), ..good.clone() },
    ];

    assert_eq!(guardians_of(1, &[older.clone(), good.clone()]), Some(vec![2]));
    for damaged in damages {
        assert_eq!(guardians_of(1, &[older.clone(), damaged]), None);
    }
}

// What is condemned is judged too: it is none of the good ones, and may be newer than all of them.
#[test]
fn an_older_set_lets_no_newer_one_go() {
    let condemned = Snapshot { status: Status::Condemned, ..set(3, &[ROOT]) };

    assert_eq!(guardians_of(3, &[set(1, &[ROOT]), set(2, &[ROOT]), condemned.clone()]), None);
    assert_eq!(guardians_of(3, &[set(2, &[ROOT]), condemned, set(4, &[ROOT])]), Some(vec![4]));
}

#[test]
fn copies_are_told_by_where_they_were_attached() {
    let copies = set(1, &[MADE_UP, MADE_UP]);
    let one_volume = set(2, &[ROOT]);
    let both = set(3, &[ROOT, DATA]);

    assert_eq!(guardians_of(1, &[copies.clone(), one_volume.clone()]), None);
    assert_eq!(guardians_of(1, &[copies, one_volume, both]), Some(vec![3]));
}

#[test]
fn copies_of_nobody_knows_what_go_only_beside_a_full_set_with_no_fewer() {
    let mut unknown = set(1, &[MADE_UP, MADE_UP]);
    unknown.members.iter_mut().for_each(|member| member.device = None);
    let smaller = set(2, &[ROOT]);
    let full = set(3, &[ROOT, DATA]);
    let mut partial = full.clone();
    partial.request.exclusions.boot_volume = true;

    assert_eq!(guardians_of(1, &[unknown.clone(), smaller.clone()]), None);
    assert_eq!(guardians_of(1, &[unknown.clone(), smaller.clone(), partial]), None);
    assert_eq!(guardians_of(1, &[unknown, smaller, full]), Some(vec![3]));
}

#[test]
fn an_original_has_all_of_what_was_made_twice_for_it_or_it_does_not_stand_for_it() {
    assert!(has_all_of(&set(1, &[ROOT, DATA]), &set(2, &[ROOT, DATA])));
    assert!(!has_all_of(&set(1, &[ROOT]), &set(2, &[ROOT, DATA])));
}

prop_compose! {
    fn any_set()(taken in 0..60_i64, volumes in prop::collection::btree_set(0..5_u8, 1..5)) -> (i64, Vec<String>) {
        (taken, volumes.into_iter().map(|number| format!("vol-0000000{number}")).collect())
    }
}

proptest! {
    /// However sets are let go, one after the other and in any order, the newest of each volume is there at the end.
    #[test]
    fn whatever_goes_the_newest_of_each_volume_stays(
        made in prop::collection::vec(any_set(), 1..20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut sets: Vec<_> = made
            .iter()
            .enumerate()
            .map(|(number, (taken, volumes))| {
                let volumes: Vec<_> = volumes.iter().map(String::as_str).collect();
                let id = SnapshotId::derived(hour(*taken), &[&number.to_string()]);
                Snapshot { id, ..set(*taken, &volumes) }
            })
            .collect();
        let newest_of = |sets: &[Snapshot], volume: &str| {
            let having = |one: &&Snapshot| one.members.iter().any(|it| it.volume_id.as_str() == volume);
            sets.iter().filter(having).map(|one| (one.taken_at(), one.id.clone())).max()
        };
        let volumes: Vec<_> = (0..5).map(|number| format!("vol-0000000{number}")).collect();
        let before: Vec<_> = volumes.iter().map(|volume| newest_of(&sets, volume)).collect();

        for index in order {
            let position = index.index(sets.len());
            let may_go = Newest::among(&sets).guardians(&sets[position]).is_ok();
            if may_go {
                sets.remove(position);
            }
        }

        let after: Vec<_> = volumes.iter().map(|volume| newest_of(&sets, volume)).collect();
        prop_assert_eq!(before, after);
    }

    /// What is there more can let more go, and never less.
    #[test]
    fn another_set_never_makes_one_stay(
        made in prop::collection::vec(any_set(), 1..20),
        judged in any_set(),
    ) {
        let of = |(number, (taken, volumes)): (usize, &(i64, Vec<String>))| {
            let volumes: Vec<_> = volumes.iter().map(String::as_str).collect();
            let id = SnapshotId::derived(hour(*taken), &[&number.to_string()]);
            Snapshot { id, started_at: Some(hour(0) + taken.hours()), ..set(*taken, &volumes) }
        };
        let sets: Vec<_> = made.iter().enumerate().map(of).collect();
        let judged = of((99, &judged));
        for count in 0..sets.len() {
            let fewer = Newest::among(&sets[..count]).guardians(&judged).is_ok();
            let more = Newest::among(&sets[..=count]).guardians(&judged).is_ok();
            prop_assert!(more || !fewer);
        }
    }
}
