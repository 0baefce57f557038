//! The way to a deletion: what is in its way, in which words, and who hastens it.

use super::*;
use crate::domain::ids::ImageId;
use crate::domain::snapshot::condemnation::BlockedCause;

fn due(snapshot: &Snapshot) -> Timestamp {
    snapshot.ending.condemnation.as_ref().unwrap().delete_after
}

fn images<const N: usize>(ids: [&str; N]) -> std::collections::BTreeSet<ImageId> {
    ids.into_iter().map(|id| id.parse().unwrap()).collect()
}

#[test]
fn who_asks_again_for_a_deletion_makes_it_sooner_and_never_later() {
    let condemned = condemned();
    assert_eq!(due(&condemned), at(70));

    let sooner = condemned.hurried(at(30), at(20)).unwrap();
    assert_eq!((due(&sooner), sooner.course.attention_at), (at(30), Some(at(30))));
    let at_once = condemned.hurried(at(15), at(20)).unwrap();
    assert_eq!(at_once.course.attention_at, Some(at(20)));

    assert_eq!(condemned.hurried(at(70), at(20)), None);
    assert_eq!(condemned.hurried(at(90), at(20)), None);
    assert_eq!(available().hurried(at(30), at(20)), None);
    let members = [member(1), member(2)].map(|one| one.ebs_snapshot_id);
    let deleting = condemned.begin_deletion(at(70)).unwrap();
    let deleted = deleting.members_deleted(&members, at(71)).unwrap();
    assert_eq!(deleted.hurried(at(30), at(72)), None);
}

#[test]
fn who_asks_again_for_what_is_blocked_has_it_tried_at_once_when_its_grace_is_over() {
    let locked = || BlockedCause::Locked { message: None };
    let blocked = condemned().block(locked(), at(75)).unwrap();
    let retried_at = blocked.course.attention_at.unwrap();

    let hurried = blocked.hurried(at(100), at(80)).unwrap();
    assert_eq!((due(&hurried), hurried.course.attention_at), (at(70), Some(at(80))));
    // At the very end of the grace as well.
    let early = condemned().block(locked(), at(20)).unwrap();
    assert!(early.hurried(at(100), at(70)).is_some());

    assert_eq!(blocked.hurried(at(100), retried_at), None, "it is tried now anyway");
    assert_eq!(early.hurried(at(100), at(69)), None, "its grace is not over");
    let nudged = condemned().nudged(at(75));
    assert_eq!(nudged.hurried(at(100), at(76)), None, "nothing is in the way");
}

#[test]
fn what_is_in_the_way_says_when_it_is_tried_again() {
    let retried = |one: &Snapshot, cause| one.block(cause, at(70)).unwrap().course.attention_at;
    let mut held = condemned();
    let (by, until) = ("ada".to_owned(), HoldKind::Until(at(500)));
    held.keepers.hold = Some(Hold { kind: until, by, at: at(6), reason: None, review_at: None });

    assert_eq!(retried(&held, BlockedCause::Held), Some(at(500)));
    assert_eq!(retried(&held, BlockedCause::Newest), Some(at(70 + 24 * 60)));
    let unmarked = BlockedCause::NotMarked { message: None };
    assert_eq!(retried(&held, unmarked), Some(at(70 + 60)));
}

#[test]
fn why_a_member_can_have_no_mark_is_said_once_and_moves_nothing_else() {
    let condemned = condemned();
    let refused = condemned.mark_refused("fifty tags".to_owned(), at(20)).unwrap();

    let blocked = refused.ending.blocked.clone().unwrap();
    let message = Some("fifty tags".to_owned());
    assert_eq!((blocked.cause, blocked.since), (BlockedCause::NotMarked { message }, at(20)));
    assert_eq!(refused.version, condemned.version + 1);
    assert_eq!(refused.course, condemned.course);
    assert_eq!(refused.mark_refused("fifty tags".to_owned(), at(30)), None);
    let other = refused.mark_refused("no right".to_owned(), at(30)).unwrap();
    assert_eq!(other.ending.blocked.unwrap().since, at(20));
    assert_eq!(available().mark_refused("x".to_owned(), at(20)), None);
}

#[test]
fn an_image_in_the_way_is_named_along_with_all_others() {
    let member = member(1).ebs_snapshot_id;
    let used = |ids| BlockedCause::used_by(&member, &ids);

    assert_eq!(used(images([])), None);
    assert_eq!(
        used(images(["ami-00000002", "ami-00000001"])),
        Some(BlockedCause::InUse {
            image_id: Some("ami-00000001".parse().unwrap()),
            message: Some("snap-00000001 by ami-00000001, ami-00000002".to_owned()),
        })
    );
}

#[test]
fn each_cause_is_said_in_words() {
    let text = || Some("EC2 says so".to_owned());
    let message = "EC2 says so".to_owned();
    let image: Option<ImageId> = Some("ami-00000001".parse().unwrap());
    let restore: RestoreId = "rst_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
    let in_restore = format!("in use by the restore {restore}");
    let said = [
        (BlockedCause::InUse { image_id: image.clone(), message: text() }, "in use: EC2 says so"),
        (BlockedCause::InUse { image_id: image, message: None }, "in use by ami-00000001"),
        (BlockedCause::InUse { image_id: None, message: None }, "in use by an image"),
        (BlockedCause::Locked { message: text() }, "locked: EC2 says so"),
        (BlockedCause::Locked { message: None }, "locked"),
        (BlockedCause::NotPermitted { message: message.clone() }, "not permitted: EC2 says so"),
        (BlockedCause::Held, "held"),
        (BlockedCause::InRestore { restore_id: restore }, &in_restore),
        (BlockedCause::Newest, "newest available snapshot of its instance"),
        (BlockedCause::NotMarked { message: None }, "not yet marked as condemned in EC2"),
        (
            BlockedCause::NotMarked { message: text() },
            "cannot be marked as condemned in EC2: EC2 says so",
        ),
        (BlockedCause::Refused { message }, "refused: EC2 says so"),
    ];
    for (cause, words) in said {
        assert_eq!(cause.describe(), words);
    }
}
