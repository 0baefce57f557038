//! How a snapshot stands: what was tried for it, what EC2 shows, who uses it, and what it is good for.

use super::*;
use crate::domain::hold::Deleter;

#[test]
fn an_attempt_is_settled_when_ec2_shows_all_that_it_has_made() {
    let creating = requested().begin_attempt(at(1)).unwrap();

    assert!(requested().is_attempt_settled(at(0)));
    assert!(!creating.is_attempt_settled(at(10)));
    assert!(creating.is_attempt_settled(at(11)));
}

#[test]
fn what_was_given_up_unmade_and_nothing_else_is_found_created_after_all() {
    let failure = || Failure::new("X", "x");
    let given_up = requested().fail(failure(), at(1)).unwrap();
    let failed = pending().fail(failure(), at(2)).unwrap();

    assert!(given_up.is_given_up_unmade());
    assert_eq!(given_up.created(vec![member(1)], at(2)).unwrap().status, Status::Pending);
    assert!(!failed.is_given_up_unmade(), "EC2 has made it");
    assert!(!requested().is_given_up_unmade(), "it is still to be made");
    for one in [failed, available()] {
        assert!(one.created(vec![member(1)], at(2)).is_err());
    }
}

#[test]
fn why_it_failed_is_what_was_said_first_and_is_forgotten_when_it_is_available() {
    let both = |state| [seen(1, state), seen(2, state)];
    let mut late = pending();
    late.course.failure = Some(Failure::new("Late", "its turn came late"));

    assert_eq!(available().course.failure, None);
    let coming = late.observed(&both(EbsState::Pending), at(5)).unwrap();
    assert_eq!(coming.course.failure, late.course.failure);
    let come = late.observed(&both(EbsState::Completed), at(5)).unwrap();
    assert_eq!(come.course.failure, None);
    let failed = late.observed(&both(EbsState::Error), at(5)).unwrap();
    assert_eq!(failed.course.failure, late.course.failure);
    let silent = pending().observed(&both(EbsState::Error), at(5)).unwrap();
    assert_eq!(silent.course.failure.unwrap().code, "SnapshotFailed");
}

#[test]
fn what_is_only_noted_counts_as_a_write_and_as_no_event() {
    let available = available();
    let touched = available.course.touched_at;
    let restore: RestoreId = "rst_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
    let image = || ["ami-00000001".parse().unwrap()].into();

    let nudged = available.nudged(at(9));
    let used = available.restore_begun(&restore).unwrap();
    let over = used.restore_ended(&restore);
    let noted = available.with_images(image(), at(9)).unwrap();
    for (one, version) in [(&nudged, 1), (&used, 1), (&over, 2), (&noted, 1)] {
        assert_eq!((one.version, one.course.touched_at), (available.version + version, touched));
    }
    assert_eq!(nudged.course.attention_at, Some(at(24)));
    assert_eq!((used.keepers.restores.len(), over.keepers.restores.len()), (1, 0));

    assert_eq!(noted.image_ids(), ["ami-00000001".parse().unwrap()]);
    assert_eq!(noted.with_images(image(), at(10)), None);
    assert!(available.image_ids().is_empty());
}

#[test]
fn images_are_fresh_as_long_as_ec2_may_not_show_them() {
    let noted = available().with_images(["ami-00000001".parse().unwrap()].into(), at(9)).unwrap();

    assert!(noted.has_fresh_images(at(13)));
    assert!(!noted.has_fresh_images(at(14)));
    assert!(!noted.has_fresh_images(at(8)), "by a clock that is behind nothing is known");
    assert!(!available().has_fresh_images(at(9)));
}

#[test]
fn a_member_is_refreshed_by_all_that_ec2_shows() {
    let mut one = seen(1, EbsState::Completed);
    one.progress_percent = 40;
    (one.tier, one.restore_expires_at) = (StorageTier::Archive, Some(at(90)));

    let refreshed = available().observed(&[one, seen(2, EbsState::Completed)], at(9)).unwrap();

    let member = &refreshed.members[0];
    assert_eq!((member.progress_percent, member.restore_expires_at), (40, Some(at(90))));
}

#[test]
fn it_is_restorable_until_its_window_ends() {
    let mut one = available();
    assert!(one.is_restorable(at(1_000_000)));

    one.ending.restore_until = Some(at(60));
    assert!(one.is_restorable(at(59)));
    assert!(!one.is_restorable(at(60)));
    assert!(!one.is_restorable(at(61)));
}

#[test]
fn what_has_copies_stands_behind_all_that_was_taken() {
    let taken = available();
    let mut copied = available();
    copied.started_at = Some(at(500));
    copied.members[1].volume_id = "vol-ffffffff".parse().unwrap();

    assert!(copied.has_copies() && !taken.has_copies());
    assert!(copied.standing() < taken.standing());
    let later = Snapshot { started_at: Some(at(2)), ..taken.clone() };
    assert!(taken.standing() < later.standing());
}

#[test]
fn it_knows_its_members_and_who_may_not_delete_it() {
    let mut one = available();
    assert!(one.has_member(&member(2).ebs_snapshot_id));
    assert!(!one.has_member(&member(3).ebs_snapshot_id));

    assert!(!one.is_held(Deleter::Person, at(9)));
    let kind = HoldKind::Until(at(60));
    one.keepers.hold =
        Some(Hold { kind, by: "ada".to_owned(), at: at(6), reason: None, review_at: None });
    assert!(one.is_held(Deleter::Person, at(9)));
}

#[test]
fn only_what_is_deleted_or_missing_is_gone() {
    let gone: Vec<_> = Status::ALL.iter().copied().filter(|one| one.is_gone()).collect();
    assert_eq!(gone, [Status::Deleted, Status::Missing]);
}

#[test]
fn who_stands_in_for_a_failed_one_says_so_and_what_is_gone_gets_no_end() {
    assert!(available().standing_in(at(9)).stands_in);

    assert!(available().expiring(Some(at(90)), at(9)).is_ok());
    for one in [requested(), condemned().begin_deletion(at(70)).unwrap()] {
        assert!(one.expiring(Some(at(90)), at(80)).is_err());
    }
}
