//! What can be adopted, and what is one set.

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;
use crate::domain::installation::Installation;
use crate::domain::ownership::StorageTier;
use crate::domain::tags::Tags;

const WEB: &str = "i-0123456789abcdef0";
const DB: &str = "i-0123456789abcdef1";

fn id(number: u32) -> EbsSnapshotId {
    format!("snap-{number:08x}").parse().unwrap()
}

/// Of its own volume, so many seconds after the first.
fn candidate(number: u32, second: i64, instance: &str) -> Candidate {
    Candidate {
        seen: EbsSnapshot {
            state_message: None,
            id: id(number),
            volume_id: Some(format!("vol-{number:08x}").parse().unwrap()),
            state: EbsState::Completed,
            started_at: "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + second.seconds(),
            completed_at: None,
            progress_percent: 100,
            volume_size_gib: 8,
            full_size_bytes: None,
            tier: StorageTier::Standard,
            restore_expires_at: None,
            description: String::new(),
            tags: Tags::new(),
            installation: Installation::Ours,
        },
        region: "us-east-1".to_owned(),
        instance_id: instance.parse().ok(),
    }
}

fn tagged(number: u32, key: &str, value: &str) -> Candidate {
    let mut candidate = candidate(number, 0, WEB);
    candidate.seen.tags.insert(key.to_owned(), value.to_owned());
    candidate
}

fn each(candidates: &[Candidate]) -> (Vec<Vec<EbsSnapshotId>>, Vec<Refused>) {
    let ids = candidates.iter().map(|one| one.seen.id.clone()).collect();
    sorted(&Choice::Each(ids), candidates)
}

fn group(candidates: &[Candidate]) -> (Vec<Vec<EbsSnapshotId>>, Vec<Refused>) {
    let ids = candidates.iter().map(|one| one.seen.id.clone()).collect();
    sorted(&Choice::Groups(vec![ids]), candidates)
}

fn sorted(choice: &Choice, candidates: &[Candidate]) -> (Vec<Vec<EbsSnapshotId>>, Vec<Refused>) {
    let (groups, refused) = sort_out(choice, AdoptedFrom::Nobody, candidates, &Images::default());
    let ids = |group: Group| group.members.into_iter().map(|one| one.id).collect();
    (groups.into_iter().map(ids).collect(), refused)
}

#[test]
fn those_of_one_instance_that_began_within_a_minute_are_one_set() {
    let chosen =
        [candidate(1, 0, WEB), candidate(2, 59, WEB), candidate(3, 60, WEB), candidate(4, 5, DB)];

    let (sets, refused) = each(&chosen);

    assert_eq!(sets, [vec![id(1), id(2)], vec![id(4)], vec![id(3)]]);
    assert!(refused.is_empty());
}

#[test]
fn under_a_schedule_copies_are_refused_and_the_others_of_their_group() {
    let mut copy = candidate(1, 0, WEB);
    copy.seen.volume_id = Some("vol-ffffffff".parse().unwrap());
    let mut candidates = vec![copy, candidate(2, 0, WEB)];

    let copies = refuse_copies(&mut candidates, AdoptedFrom::Nobody, &Images::default());
    let choice = Choice::Groups(vec![vec![id(1), id(2)]]);
    let (sets, others) = sorted(&choice, &candidates);

    assert_eq!(copies.len(), 1);
    assert_eq!((&copies[0].ebs_snapshot_id, copies[0].reason), (&id(1), Reason::Copy));
    assert!(sets.is_empty());
    assert_eq!(others[0].reason, Reason::GroupRefused);
}

#[test]
fn a_volume_is_in_a_set_once() {
    let mut again = candidate(2, 10, WEB);
    again.seen.volume_id = candidate(1, 0, WEB).seen.volume_id;
    let chosen = [candidate(1, 0, WEB), again];

    assert_eq!(each(&chosen).0, [vec![id(1)], vec![id(2)]]);
    assert!(group(&chosen).1.iter().all(|one| one.reason == Reason::NoSet));
}

#[test]
fn a_person_may_say_what_is_one_set() {
    let chosen = [candidate(1, 0, WEB), candidate(2, 3_600, WEB)];

    assert_eq!(group(&chosen).0, [vec![id(1), id(2)]]);
}

#[test]
fn a_group_is_adopted_whole_or_not_at_all() {
    let mut pending = candidate(2, 0, WEB);
    pending.seen.state = EbsState::Pending;
    let chosen = [candidate(1, 0, WEB), pending];

    let (sets, refused) = group(&chosen);

    assert!(sets.is_empty());
    let reasons: Vec<_> = refused.iter().map(|one| one.reason).collect();
    assert_eq!(reasons, [Reason::NotCompleted, Reason::GroupRefused]);
    assert_eq!(each(&chosen).0, [vec![id(1)]]);
    assert!(group(&[candidate(1, 0, WEB), candidate(2, 0, DB)]).0.is_empty());
}

#[test]
fn what_belongs_to_somebody_is_refused_and_says_to_whom() {
    for (key, value, reason, said) in [
        ("aws:dlm:lifecycle-policy-id", "p", Reason::Owned, "Data Lifecycle Manager's"),
        ("aws:backup:source-resource", "v", Reason::Owned, "AWS Backup's"),
        ("CSIVolumeSnapshotName", "s", Reason::Owned, "Kubernetes's"),
        ("snapkeep:managed-by", "snapkeep", Reason::AlreadyOurs, "take the tag off"),
        ("snapkeep:state", "condemned", Reason::Marked, "snapkeep:state"),
    ] {
        let (sets, refused) = each(&[tagged(1, key, value)]);

        assert!(sets.is_empty(), "{key}");
        assert_eq!(refused[0].reason, reason, "{key}");
        assert!(refused[0].detail.contains(said), "{}", refused[0].detail);
    }
}

#[test]
fn another_installations_is_taken_over_only_if_that_is_said() {
    let mut candidate = tagged(1, "snapkeep:managed-by", "snapkeep");
    candidate.seen.tags.insert("snapkeep:installation".to_owned(), "staging".to_owned());
    candidate.seen.installation = Installation::Another;
    let chosen = |from, candidate: &Candidate| {
        let candidates = [candidate.clone()];
        sort_out(&Choice::Each(vec![id(1)]), from, &candidates, &Images::default())
    };

    let (sets, refused) = chosen(AdoptedFrom::Nobody, &candidate);
    let taken = chosen(AdoptedFrom::AnotherInstallation, &candidate);
    candidate.seen.tags.insert("snapkeep:state".to_owned(), "condemned".to_owned());
    let condemned = chosen(AdoptedFrom::AnotherInstallation, &candidate);

    assert!(sets.is_empty());
    assert_eq!(refused[0].reason, Reason::Owned);
    assert!(refused[0].detail.contains("installation staging"), "{}", refused[0].detail);
    assert_eq!((taken.0.len(), taken.1), (1, Vec::new()));
    assert_eq!(condemned.1[0].reason, Reason::Marked);
}

#[test]
fn what_an_image_uses_is_refused_and_names_it() {
    let images = Images {
        using: [(id(1), vec!["ami-01234567".parse().unwrap()])].into(),
        ..Images::default()
    };

    let (sets, refused) =
        sort_out(&Choice::Each(vec![id(1)]), AdoptedFrom::Nobody, &[candidate(1, 0, WEB)], &images);

    assert!(sets.is_empty());
    assert!(refused[0].detail.contains("ami-01234567"));
}

#[test]
fn an_instance_must_be_known() {
    let (sets, refused) = each(&[candidate(1, 0, "")]);

    assert!(sets.is_empty());
    assert_eq!(refused[0].reason, Reason::InstanceUnknown);
}

#[test]
fn a_choice_that_cannot_be_right_is_refused() {
    let many = (0..201).map(id).collect();

    assert!(Choice::Each(Vec::new()).refusal().unwrap().contains("at least one"));
    assert!(Choice::Groups(vec![Vec::new()]).refusal().unwrap().contains("at least one"));
    assert!(Choice::Each(many).refusal().unwrap().contains("at most 200"));
    assert!(Choice::Groups(vec![vec![id(1)], vec![id(1)]]).refusal().unwrap().contains("once"));
    assert_eq!(Choice::Each((0..200).map(id).collect()).refusal(), None);
}

proptest! {
    #[test]
    fn everything_is_in_one_set_or_refused(
        chosen in proptest::collection::vec((0i64..200, 0usize..3, 0u8..4), 1..30)
    ) {
        let instances = [WEB, DB, ""];
        let candidates: Vec<_> = (1u32..)
            .zip(chosen)
            .map(|(number, (second, instance, state))| {
                let mut one = candidate(number, second, instances[instance]);
                one.seen.volume_id = format!("vol-{:08x}", number % 5).parse().ok();
                if state == 0 {
                    one.seen.state = EbsState::Pending;
                }
                one
            })
            .collect();
        let ids: Vec<_> = candidates.iter().map(|one| one.seen.id.clone()).collect();

        let (groups, refused) = sort_out(&Choice::Each(ids.clone()), AdoptedFrom::Nobody, &candidates, &Images::default());

        let mut all: Vec<_> = refused.iter().map(|one| one.ebs_snapshot_id.clone()).collect();
        for group in &groups {
            let volumes: BTreeSet<_> = group.members.iter().map(|one| &one.volume_id).collect();
            prop_assert_eq!(volumes.len(), group.members.len());
            for one in &group.members {
                prop_assert!(one.started_at.duration_since(group.taken_at()) < TOGETHER);
                prop_assert_eq!(one.state, EbsState::Completed);
            }
            all.extend(group.members.iter().map(|one| one.id.clone()));
        }
        all.sort();
        prop_assert_eq!(all, ids);
    }

    #[test]
    fn the_same_members_are_the_same_set_in_any_order(
        seconds in proptest::collection::vec(0i64..60, 1..6)
    ) {
        let members: Vec<_> = (1u32..)
            .zip(seconds)
            .map(|(number, second)| candidate(number, second, WEB).seen)
            .collect();
        let set = |members| Group {
            instance_id: WEB.parse().unwrap(),
            region: "us-east-1".to_owned(),
            members,
        };
        let mut reversed = members.clone();
        reversed.reverse();

        prop_assert_eq!(set(members).snapshot_id(), set(reversed).snapshot_id());
    }
}
