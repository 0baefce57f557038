//! The states of a snapshot: each transition, and what is refused.

mod ending;
mod standing;

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::condemnation::{BlockedCause, CondemnedBy, WantedDeletion};
use super::*;
use crate::domain::hold::HoldKind;
use crate::domain::installation::Installation;
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsSnapshot, EbsState, StorageTier};

const ID: &str = "snp_0195500c-6d00-7000-8000-000000000000";

fn at(minute: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn requested() -> Snapshot {
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
    Snapshot::requested(ID.parse().unwrap(), Origin::Manual, source, None, at(0))
}

fn member(number: u8) -> Member {
    Member {
        ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
        volume_id: format!("vol-{number:08x}").parse().unwrap(),
        device: None,
        boot: number == 1,
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

fn seen(number: u8, state: EbsState) -> EbsSnapshot {
    EbsSnapshot {
        state_message: None,
        id: format!("snap-{number:08x}").parse().unwrap(),
        volume_id: None,
        state,
        started_at: at(1),
        completed_at: None,
        progress_percent: 100,
        volume_size_gib: 8,
        full_size_bytes: Some(1_000),
        tier: StorageTier::Standard,
        restore_expires_at: None,
        description: String::new(),
        tags: Tags::new(),
        installation: Installation::Ours,
    }
}

fn pending() -> Snapshot {
    let creating = requested().begin_attempt(at(0)).unwrap();
    creating.created(vec![member(1), member(2)], at(1)).unwrap()
}

pub(super) fn available() -> Snapshot {
    let both = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];
    pending().observed(&both, at(5)).unwrap()
}

fn condemned() -> Snapshot {
    available().condemn(CondemnedBy::Failed, "because", at(70), at(10)).unwrap()
}

#[test]
fn it_goes_from_request_to_available() {
    let available = available();

    assert_eq!(available.status, Status::Available);
    assert_eq!(available.course.completed_at, Some(at(5)));
    assert_eq!(available.started_at, Some(at(1)));
    assert_eq!(available.full_size_bytes(), Some(2_000));
    assert!(available.is_restorable(at(6)));
}

#[test]
fn every_write_counts_up() {
    let versions: Vec<_> =
        [requested(), pending(), available(), condemned()].iter().map(|one| one.version).collect();

    assert_eq!(versions, [1, 3, 4, 5]);
}

#[test]
fn an_attempt_without_an_answer_is_not_repeated_for_five_minutes() {
    let creating = requested().begin_attempt(at(0)).unwrap();
    let just_before = at(5) - SignedDuration::from_nanos(1);

    assert!(creating.begin_attempt(just_before).is_err());
    assert_eq!(creating.begin_attempt(at(5)).unwrap().course.attempt.unwrap().number, 2);
}

#[test]
fn what_was_put_off_is_taken_up_at_once() {
    let creating = requested().begin_attempt(at(0)).unwrap();

    let waiting = creating.put_off(Failure::new("RequestLimitExceeded", "x"), at(0)).unwrap();

    assert_eq!(waiting.status, Status::Requested);
    assert!(waiting.begin_attempt(at(0)).is_ok());
}

#[test]
fn it_is_available_only_when_all_members_are() {
    let half = [seen(1, EbsState::Completed), seen(2, EbsState::Pending)];

    assert_eq!(pending().observed(&half, at(5)).unwrap().status, Status::Pending);
}

#[test]
fn one_failed_member_fails_the_set() {
    let half = [seen(1, EbsState::Completed), seen(2, EbsState::Error)];

    let failed = pending().observed(&half, at(5)).unwrap();

    assert_eq!(failed.status, Status::Error);
    assert_eq!(failed.course.failure.unwrap().code, "SnapshotFailed");
}

#[test]
fn seeing_the_same_again_changes_nothing() {
    let both = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];

    assert_eq!(available().observed(&both, at(6)), None);
}

#[test]
fn a_late_event_does_not_bring_it_back() {
    let both = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];

    assert_eq!(condemned().observed(&both, at(20)), None);
}

#[test]
fn it_is_missing_after_two_looks_ten_minutes_apart() {
    let one = [seen(1, EbsState::Completed)];

    let absent = available().observed(&one, at(10)).unwrap();
    let too_soon = absent.observed(&one, at(20) - SignedDuration::from_nanos(1));
    let missing = absent.observed(&one, at(20)).unwrap();

    assert_eq!((absent.status, absent.course.absent_since), (Status::Available, Some(at(10))));
    assert_eq!(too_soon, None);
    assert_eq!((missing.status, missing.ending.gone_at), (Status::Missing, Some(at(20))));
}

#[test]
fn one_that_shows_again_in_between_is_not_missing() {
    let both = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];
    let absent = available().observed(&[], at(10)).unwrap();

    let back = absent.observed(&both, at(15)).unwrap();
    let absent_again = back.observed(&[], at(25)).unwrap();

    assert_eq!(back.course.absent_since, None);
    assert_eq!(absent_again.status, Status::Available);
}

#[test]
fn a_missing_one_whose_members_are_back_is_available_again() {
    let both = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];
    let missing = available().observed(&[], at(10)).unwrap().observed(&[], at(20)).unwrap();

    let half = missing.returned(&both[..1], at(30));
    let back = missing.returned(&both, at(30)).unwrap();

    assert_eq!(half, None);
    assert_eq!(back.status, Status::Available);
    assert_eq!(back.version, missing.version + 1);
}

#[test]
fn a_rescue_brings_it_back_to_where_it_was() {
    let failed = pending().fail(Failure::new("x", "x"), at(3)).unwrap();
    let condemned = failed.condemn(CondemnedBy::Failed, "x", at(9), at(4)).unwrap();

    let rescued = condemned.rescue(at(5)).unwrap();

    assert_eq!(rescued.status, Status::Error);
    assert_eq!(rescued.ending.condemnation, None);
}

#[test]
fn nobody_rescues_what_is_being_deleted() {
    let deleting = condemned().begin_deletion(at(70)).unwrap();

    assert!(deleting.rescue(at(70)).unwrap_err().contains("deleting"));
}

// Each place among what is due that it leaves, and each that it takes, is a write.
#[test]
fn a_deletion_that_was_just_made_known_keeps_its_place_among_what_is_due() {
    let nudged = |now| condemned().nudged(at(now));
    let due = |one: &Snapshot, now| one.begin_deletion(at(now)).unwrap().course.attention_at;

    assert_eq!(due(&nudged(70), 70), Some(at(85)));
    assert_eq!(due(&nudged(70), 75), Some(at(85)));
    // So late somebody else would look at it while it is deleted.
    assert_eq!(due(&nudged(70), 76), Some(at(91)));
    assert_eq!(due(&condemned(), 80), Some(at(95)));
    // What waits for a day does not once it is begun.
    let mut far = condemned();
    far.course.attention_at = Some(at(86));
    assert_eq!(due(&far, 70), Some(at(85)));
}

#[test]
fn it_is_deleted_when_all_members_are() {
    let deleting = condemned().begin_deletion(at(70)).unwrap();

    let half = deleting.members_deleted(&[member(1).ebs_snapshot_id], at(71)).unwrap();
    let all = half.members_deleted(&[member(2).ebs_snapshot_id], at(72)).unwrap();

    assert_eq!(half.status, Status::Deleting);
    assert_eq!((all.status, all.ending.gone_at), (Status::Deleted, Some(at(72))));
}

#[test]
fn a_held_one_is_not_condemned() {
    let hold = |kind| {
        let hold = Hold { kind, by: "ada".to_owned(), at: at(6), reason: None, review_at: None };
        let mut next = available();
        next.keepers.hold = Some(hold);
        next
    };
    let person = || CondemnedBy::Person { who: "ada".to_owned() };
    let condemn = |one: &Snapshot, by| one.condemn(by, "x", at(70), at(10));

    let never = hold(HoldKind::Never);
    let until = hold(HoldKind::Until(at(60)));

    assert!(condemn(&never, CondemnedBy::Failed).is_err());
    assert!(condemn(&never, person()).is_ok());
    assert!(condemn(&until, CondemnedBy::Failed).is_err());
    assert!(condemn(&until, person()).unwrap_err().contains("held until"));
}

#[test]
fn a_person_may_hasten_what_a_rule_has_condemned() {
    let hastened = condemned()
        .condemn(CondemnedBy::Person { who: "ada".to_owned() }, "x", at(11), at(11))
        .unwrap();

    assert_eq!(hastened.ending.condemnation.unwrap().from, Status::Available);
    assert!(condemned().condemn(CondemnedBy::Failed, "x", at(11), at(11)).is_err());
}

#[test]
fn what_is_not_whole_is_not_condemned() {
    for snapshot in [requested(), pending()] {
        assert!(snapshot.condemn(CondemnedBy::Failed, "x", at(70), at(10)).is_err());
    }
}

#[test]
fn a_block_keeps_when_it_began_and_tries_again_in_a_day() {
    let first = condemned().block(BlockedCause::Locked { message: None }, at(70)).unwrap();

    let again = first.block(BlockedCause::Locked { message: None }, at(700)).unwrap();

    assert_eq!(again.ending.blocked.unwrap().since, at(70));
    assert_eq!(again.course.attention_at, Some(at(700 + 24 * 60)));
}

#[test]
fn what_is_in_the_way_at_every_attempt_is_there_since_the_first() {
    let locked = |one: &Snapshot, minute| {
        let deleting = one.begin_deletion(at(minute)).unwrap();
        let back = Snapshot { status: Status::Condemned, ..deleting };
        back.block(BlockedCause::Locked { message: None }, at(minute)).unwrap()
    };

    let again = locked(&locked(&condemned(), 70), 70 + 24 * 60);
    let deleting = again.begin_deletion(at(3_000)).unwrap();
    let put_off = deleting.deletion_put_off(at(3_001)).unwrap();
    let ids: Vec<_> = deleting.members.iter().map(|one| one.ebs_snapshot_id.clone()).collect();

    assert_eq!(again.ending.blocked.as_ref().unwrap().since, at(70));
    assert_eq!((put_off.status, put_off.course.attention_at), (Status::Condemned, Some(at(3_016))));
    assert_eq!(put_off.ending.blocked, again.ending.blocked);
    assert_eq!(deleting.members_deleted(&ids, at(3_001)).unwrap().ending.blocked, None);
}

#[test]
fn what_an_image_keeps_says_so_and_stays_what_it_is() {
    let available = available();
    let wanted = |image: &str| {
        let by = CondemnedBy::Rules { digest: "x".to_owned() };
        Some((image.parse().unwrap(), WantedDeletion { by, reason: "no rule keeps it".to_owned() }))
    };

    let noted = available.noted_in_use(wanted("ami-00000001"), at(60)).unwrap();
    let other = noted.noted_in_use(wanted("ami-00000002"), at(120)).unwrap();
    let free = other.noted_in_use(None, at(180)).unwrap();

    assert_eq!(noted.noted_in_use(wanted("ami-00000001"), at(120)), None);
    assert_eq!((noted.status, noted.version), (Status::Available, available.version + 1));
    assert_eq!(noted.course.touched_at, available.course.touched_at);
    assert!(noted.is_restorable(at(60)));
    assert_eq!(noted.wanted_by().unwrap().reason, "no rule keeps it");
    assert_eq!(other.ending.blocked.unwrap().since, at(60));
    assert_eq!((free.ending.blocked.clone(), free.noted_in_use(None, at(200))), (None, None));
    assert_eq!(condemned().noted_in_use(wanted("ami-00000001"), at(60)), None);
}

#[test]
fn progress_is_weighed_by_size() {
    let mut snapshot = pending();
    snapshot.members[0].size_gib = 90;
    snapshot.members[0].progress_percent = 50;
    snapshot.members[1].size_gib = 10;
    snapshot.members[1].progress_percent = 100;

    assert_eq!(snapshot.progress_percent(), 55);
}

#[test]
fn it_reads_back_as_it_was_written() {
    let written = serde_json::to_string(&condemned()).unwrap();

    assert_eq!(serde_json::from_str::<Snapshot>(&written).unwrap(), condemned());
}

fn adopting() -> Snapshot {
    let source = requested().source;
    let members = vec![member(1), member(2)];
    Snapshot::adopting(ID.parse().unwrap(), source, None, (members, at(-90)), at(0))
}

fn tagged(number: u8) -> EbsSnapshot {
    let tags = adopting().adoption_tags();
    EbsSnapshot { tags, ..seen(number, EbsState::Completed) }
}

#[test]
fn an_adopted_set_is_available_once_all_its_members_bear_our_tags() {
    let plain = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];
    let untagged = adopting().observed(&plain, at(5)).unwrap();
    let half = untagged.observed(&[tagged(1), plain[1].clone()], at(6));
    let whole = untagged.observed(&[tagged(1), tagged(2)], at(7)).unwrap();

    assert_eq!(untagged.status, Status::Pending);
    assert!(half.is_none_or(|half| half.status == Status::Pending));
    assert_eq!((whole.status, whole.course.completed_at), (Status::Available, Some(at(7))));
    assert_eq!((whole.taken_at(), whole.created_at), (at(1), at(0)));
}

#[test]
fn an_adopted_set_never_fails_for_a_failed_one_goes_by_itself() {
    let broken = EbsSnapshot { state: EbsState::Error, ..tagged(2) };

    let observed = adopting().observed(&[tagged(1), broken], at(5)).unwrap();

    assert_eq!(observed.status, Status::Pending);
}

#[test]
fn what_is_being_adopted_cannot_be_condemned_and_can_be_given_up() {
    let adopting = adopting();

    let by = CondemnedBy::Person { who: "ada".to_owned() };
    adopting.condemn(by, "deleted by name", at(5), at(5)).unwrap_err();
    assert_eq!(adopting.record_removed(at(5)).unwrap().status, Status::Deleted);
    pending().record_removed(at(5)).unwrap_err();
}

#[test]
fn why_an_adoption_waits_is_told_once_and_forgotten_when_it_is_done() {
    let why = || Failure::new("UnauthorizedOperation", "no");
    let refused = adopting().adoption_refused(why(), at(5)).unwrap();

    assert_eq!(refused.course.failure, Some(why()));
    assert_eq!(refused.adoption_refused(why(), at(6)), None);
    assert_eq!(refused.observed(&[tagged(1), tagged(2)], at(7)).unwrap().course.failure, None);
    let done = refused.adopted(at(7)).unwrap();
    assert_eq!((done.status, done.course.failure.as_ref()), (Status::Available, None));
    assert_eq!(done.adopted(at(8)), None);
    assert_eq!(done.adoption_refused(why(), at(8)), None);
}

#[test]
fn a_good_look_takes_the_absence_of_a_condemned_one_back() {
    let noticed = condemned().noticed_absent(at(20));
    let one = [seen(1, EbsState::Completed)];
    let both = [seen(1, EbsState::Completed), seen(2, EbsState::Completed)];

    let cleared = noticed.observed(&both, at(30)).unwrap();

    assert_eq!(noticed.observed(&one, at(30)), None);
    assert_eq!((cleared.status, cleared.course.absent_since), (Status::Condemned, None));
    assert_eq!(
        (cleared.course.touched_at, cleared.course.attention_at),
        (at(20), noticed.course.attention_at)
    );
    assert_eq!(cleared.observed(&both, at(31)), None);
}

#[test]
fn what_is_torn_waits_for_a_person_and_goes_on_when_one_asks() {
    let deleting = condemned().begin_deletion(at(80)).unwrap();
    let half = deleting.members_deleted(&["snap-00000001".parse().unwrap()], at(81)).unwrap();
    let torn = half.torn(BlockedCause::Locked { message: None }, at(81)).unwrap();
    let person = CondemnedBy::Person { who: "ada".to_owned() };

    let again = torn.condemn(person.clone(), "by name", at(90), at(90)).unwrap();

    assert!(!torn.is_good() && !torn.is_restorable(at(82)) && torn.is_given_up_torn());
    assert_eq!(torn.course.attention_at, None);
    assert!(torn.rescue(at(82)).is_err());
    assert!(torn.condemn(CondemnedBy::Failed, "x", at(90), at(90)).is_err());
    assert!(half.condemn(person, "by name", at(90), at(90)).is_err());
    assert_eq!((again.status, again.course.attention_at), (Status::Deleting, Some(at(90))));
    assert!(!again.is_given_up_torn());
    let twice = again.torn(BlockedCause::Held, at(91)).unwrap();
    assert_eq!(twice.ending.damaged.unwrap().at, at(81));
}

#[test]
fn what_is_archived_is_neither_good_nor_restorable_and_what_is_out_for_days_is_restorable() {
    let in_tier = |tier| {
        let second = EbsSnapshot { tier, ..seen(2, EbsState::Completed) };
        available().observed(&[seen(1, EbsState::Completed), second], at(6)).unwrap()
    };
    let archived = in_tier(StorageTier::Archive);
    let restored = in_tier(StorageTier::Restored);

    assert_eq!((archived.is_good(), archived.is_restorable(at(7))), (false, false));
    assert_eq!((restored.is_good(), restored.is_restorable(at(7))), (false, true));
    assert!(archived.is_archived() && !restored.is_archived());
}

#[test]
fn a_record_of_before_there_were_tiers_and_torn_sets_reads_as_whole() {
    let mut json = serde_json::to_value(available()).unwrap();
    json.as_object_mut().unwrap().remove("damaged");
    for member in json["members"].as_array_mut().unwrap() {
        let member = member.as_object_mut().unwrap();
        member.remove("tier");
        member.remove("restore_expires_at");
    }

    assert_eq!(serde_json::from_value::<Snapshot>(json).unwrap(), available());
}
