//! Copies: which are wanted, how one is made part by part, and what keeps its original meanwhile.

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;
use crate::domain::ids::InstanceId;
use crate::domain::notes::Notes;
use crate::domain::ownership::StorageTier;
use crate::domain::snapshot::condemnation::CondemnedBy;

fn at(minute: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn member(number: usize) -> Member {
    let settings = VolumeSettings {
        volume_type: "gp3".to_owned(),
        kms_key_id: Some("arn:aws:kms:us-east-1:1:key/x".to_owned()),
        ..VolumeSettings::default()
    };
    Member {
        ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
        volume_id: format!("vol-{number:08x}").parse().unwrap(),
        device: Some(format!("/dev/sd{number}")),
        boot: number == 0,
        size_gib: 8,
        state: EbsState::Completed,
        progress_percent: 100,
        full_size_bytes: Some(1),
        volume: Some(settings),
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    }
}

fn copy_number(number: usize) -> EbsSnapshotId {
    format!("snap-c{number:07x}").parse().unwrap()
}

fn to(region: &str) -> CopyOrder {
    CopyOrder { region: region.to_owned(), kms_key: None, stage: CopyStage::Wanted }
}

/// An available snapshot of so many volumes in us-east-1, of which copies are wanted there.
fn original(members: usize, regions: &[&str]) -> Snapshot {
    let instance: InstanceId = "i-0123456789abcdef0".parse().unwrap();
    let mut source = Source::unknown(instance, "us-east-1");
    source.zone = Some("us-east-1a".to_owned());
    source.launch.subnet_id = Some("subnet-1".to_owned());
    source.launch.root_device = Some("/dev/sd0".to_owned());
    let id = SnapshotId::derived(at(0), &["x"]);
    let wanted = Snapshot::requested(id, Origin::Schedule, source, None, at(0));
    let mut next = wanted.with_copies_wanted(regions.iter().map(|region| to(region)));
    next.status = Status::Available;
    next.started_at = Some(at(1));
    next.members = (0..members).map(member).collect();
    next.course.completed_at = Some(at(5));
    next
}

fn copy_of(original: &Snapshot) -> Snapshot {
    original.copy_ordered(&original.keepers.copies[0], at(6))
}

#[test]
fn copies_are_wanted_everywhere_but_where_the_snapshot_is() {
    let original = original(1, &["eu-west-1", "us-east-1", "us-east-2"]);

    let regions: Vec<_> = original.keepers.copies.iter().map(|order| &*order.region).collect();

    assert_eq!(regions, ["eu-west-1", "us-east-2"]);
    assert!(original.has_copies_to_order());
    let pending = Snapshot { status: Status::Pending, ..original };
    assert!(!pending.has_copies_to_order());
}

#[test]
fn a_copy_is_a_snapshot_of_the_same_instant_in_another_region() {
    let original = original(2, &["eu-west-1", "us-east-2"]);

    let copy = copy_of(&original);

    assert_eq!(copy.id, original.copy_id("eu-west-1"));
    assert_ne!(copy.id, original.copy_id("us-east-2"));
    assert_eq!((copy.taken_at(), copy.created_at), (original.taken_at(), at(6)));
    assert_eq!(copy.copied_to().map(String::as_str), Some("eu-west-1"));
    assert_eq!((copy.instance_region(), &copy.source.zone), (&original.source.region, &None));
    // What belongs to a network of the other region is of no use here.
    assert_eq!(copy.source.launch.subnet_id, None);
    assert_eq!(copy.source.launch.root_device.as_deref(), Some("/dev/sd0"));
    assert!(copy.keepers.copies.is_empty() && copy.members.is_empty());
}

#[test]
fn an_original_stays_until_its_copies_are_over_or_seven_days_have_passed() {
    let original = original(1, &["eu-west-1"]);
    let by = CondemnedBy::Person { who: "ada".to_owned() };
    let condemned = |one: &Snapshot, now| one.condemn(by.clone(), "x", now, now);
    let at_stage = |one: &Snapshot, stage| one.copies_at(&[("eu-west-1".to_owned(), stage)]);

    let refusal = condemned(&original, at(9)).unwrap_err();
    let under_way = at_stage(&original, CopyStage::UnderWay);

    assert!(refusal.contains("eu-west-1"), "{refusal}");
    assert!(condemned(&under_way, at(9)).is_err());
    assert!(condemned(&under_way, at(5 + 7 * 24 * 60)).is_ok());
    assert!(condemned(&at_stage(&under_way, CopyStage::Over), at(9)).is_ok());
}

#[test]
fn the_key_of_the_original_stays_in_its_region() {
    let copy = copy_of(&original(1, &["eu-west-1"]));
    let source = [member(0).ebs_snapshot_id];
    let answer = PartAnswer::Begun(copy_number(0));

    let claimed = copy.parts_claimed(&source, at(7)).unwrap();
    let begun = claimed.parts_answered(&[(source[0].clone(), answer)].into(), at(7)).unwrap();

    let volume = begun.members[0].volume.as_ref().unwrap();
    assert_eq!((volume.volume_type.as_str(), &volume.kms_key_id), ("gp3", &None));
    assert_eq!(begun.members[0].volume_id, member(0).volume_id);
    assert_eq!(begun.members[0].device, member(0).device);
}

#[test]
fn what_is_refused_fails_the_copy_and_keeps_what_has_begun_in_sight() {
    let copy = copy_of(&original(2, &["eu-west-1"]));
    let sources = [member(0).ebs_snapshot_id, member(1).ebs_snapshot_id];
    let refused = PartAnswer::Refused(Failure::new("NotFound", "no key"));
    let answers =
        [(sources[0].clone(), PartAnswer::Begun(copy_number(0))), (sources[1].clone(), refused)];

    let claimed = copy.parts_claimed(&sources, at(7)).unwrap();
    let failed = claimed.parts_answered(&answers.into(), at(7)).unwrap();

    assert_eq!(failed.status, Status::Error);
    assert_eq!(failed.members.len(), 1);
    assert_eq!(failed.course.failure.as_ref().map(|one| one.message.as_str()), Some("no key"));
    assert!(failed.no_longer_awaited().is_some());
}

#[test]
fn what_waits_for_seven_days_is_given_up_unless_ec2_was_asked() {
    let copy = copy_of(&original(1, &["eu-west-1"]));
    let late = at(6 + 7 * 24 * 60);

    assert_eq!(copy.copy_given_up(late - 1.seconds()), None);
    assert!(copy.copy_given_up(late).unwrap().message.contains("not its turn"));
    let claimed = copy.parts_claimed(&[member(0).ebs_snapshot_id], at(7)).unwrap();
    assert_eq!(claimed.copy_given_up(late), None);
}

#[test]
fn a_claim_is_unanswered_after_five_minutes_and_nobody_claims_it_again() {
    let copy = copy_of(&original(1, &["eu-west-1"]));
    let source = [member(0).ebs_snapshot_id];

    let claimed = copy.parts_claimed(&source, at(7)).unwrap();

    let part = &claimed.copy_of.as_ref().unwrap().parts[0];
    assert!(!part.is_unanswered(at(11)) && part.is_unanswered(at(12)));
    assert!(claimed.parts_claimed(&source, at(20)).is_err());
}

/// What EC2 says to one claim: begun, not now, or nothing.
#[derive(Clone, Copy, Debug)]
enum Word {
    Begun,
    NotNow,
    Silence,
}

proptest! {
    #[test]
    fn however_often_ec2_hesitates_each_part_is_copied_once(
        members in 1_usize..6,
        words in prop::collection::vec(
            prop_oneof![Just(Word::Begun), Just(Word::NotNow), Just(Word::Silence)],
            0..40,
        ),
    ) {
        let mut copy = copy_of(&original(members, &["eu-west-1"]));
        let mut made = 0;
        for (round, word) in (7..).zip(words.into_iter().chain([Word::Begun; 12])) {
            let parts = copy.copy_of.as_ref().unwrap().parts.clone();
            let Some(part) = parts.iter().find(|part| part.copy.is_none()) else { break };
            let source = part.source.ebs_snapshot_id.clone();
            if part.is_waiting() {
                copy = copy.parts_claimed(std::slice::from_ref(&source), at(round)).unwrap();
            }
            let answer = match word {
                Word::Begun => {
                    made += 1;
                    PartAnswer::Begun(copy_number(made))
                }
                Word::NotNow => PartAnswer::NotNow(Failure::new("NotNow", "later")),
                Word::Silence => continue,
            };
            copy = copy.parts_answered(&[(source, answer)].into(), at(round)).unwrap();
            let is_whole = made == members;
            prop_assert_eq!(copy.members.len(), made);
            prop_assert_eq!(copy.status == Status::Pending, is_whole);
            prop_assert!(is_whole || copy.is_being_copied());
        }
        prop_assert_eq!(made, members);
        let volumes: Vec<_> = copy.members.iter().map(|one| one.volume_id.clone()).collect();
        let all: Vec<_> = (0..members).map(|number| member(number).volume_id).collect();
        prop_assert_eq!(volumes, all);
        prop_assert_eq!(copy.course.failure, None);
    }
}
