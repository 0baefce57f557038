//! Findings: their pages, and the way through them.

use proptest::prelude::*;

use super::*;
use crate::domain::installation::Installation;
use crate::domain::ownership::StorageTier;
use crate::domain::tags::Tags;

fn finding(number: u32, owner: Owner, place: FindingState) -> Finding {
    let seen = EbsSnapshot {
        state_message: None,
        id: format!("snap-{number:08x}").parse().unwrap(),
        volume_id: Some(format!("vol-{:08x}", number / 2).parse().unwrap()),
        state: EbsState::Completed,
        started_at: Timestamp::UNIX_EPOCH,
        completed_at: None,
        progress_percent: 100,
        volume_size_gib: 8,
        full_size_bytes: None,
        tier: StorageTier::Standard,
        restore_expires_at: None,
        description: format!("Before upgrade {number}"),
        tags: Tags::new(),
        installation: Installation::Ours,
    };
    Finding { place, ..Finding::here(&seen, owner, VolumeStanding::Here(None)) }
}

fn region(name: &str, pages: &Pages) -> RegionFindings {
    let found = FoundPages {
        run: format!("run-of-{name}"),
        written_at: Timestamp::UNIX_EPOCH,
        as_of: Timestamp::UNIX_EPOCH,
        buckets: pages.summary(),
    };
    RegionFindings {
        region: name.to_owned(),
        version: 1,
        found: Some(found),
        looked_at: Timestamp::UNIX_EPOCH,
        out_of_reach: None,
    }
}

fn mixed(count: u32) -> Pages {
    let findings = (0..count).map(|number| match number % 3 {
        0 => finding(number, Owner::Other, FindingState::Orphaned),
        1 => finding(number, Owner::Other, FindingState::Here),
        _ => finding(number, Owner::Ours, FindingState::Missing),
    });
    Pages::of(findings.collect())
}

// A page once kept the room of all that followed: 6.5 GB for 100,000 findings, in a function of 512 MB.
#[test]
fn pages_take_no_more_room_than_what_is_in_them() {
    let count = 10 * PAGE_FINDINGS + 1;

    let pages = mixed(u32::try_from(count).unwrap());

    let room: usize = pages.pages.values().flatten().map(Vec::capacity).sum();
    assert!(room < 2 * count, "room for {room} where there are {count}");
}

/// What a reader sees who takes `limit` at a time.
fn read(stored: &BTreeMap<String, Pages>, wanted: &FindingFilter, limit: usize) -> Vec<Finding> {
    let regions: Vec<_> = stored.iter().map(|(name, pages)| region(name, pages)).collect();
    let mut all = Vec::new();
    let mut position: Option<FindingsPosition> = None;
    loop {
        let mut taken = Vec::new();
        for page in pages_after(&regions, wanted, position.as_ref()) {
            let findings = &stored[&page.region].pages[&page.bucket][page.number - 1];
            let is_after = |one: &&Finding| {
                position.as_ref().is_none_or(|at| {
                    (&page.region, page.bucket) != (&at.region, at.bucket)
                        || one.ebs_snapshot_id > at.after
                })
            };
            let wanted = findings.iter().filter(is_after).filter(|one| wanted.wants(one));
            taken.extend(wanted.map(|one| (page.region.clone(), one.clone())));
        }
        taken.truncate(limit);
        let Some((region, last)) = taken.last().cloned() else { return all };
        let after = last.ebs_snapshot_id.clone();
        let text = FindingsPosition { region, bucket: last.bucket(), after }.to_string();
        position = Some(text.parse().unwrap());
        all.extend(taken.into_iter().map(|(_, one)| one));
    }
}

proptest! {
    #[test]
    fn whoever_pages_sees_all_there_is_once(count in 0u32..700, limit in 1usize..300) {
        let stored = BTreeMap::from([("a".to_owned(), mixed(count)), ("b".to_owned(), mixed(9))]);

        let seen = read(&stored, &FindingFilter::default(), limit);

        prop_assert_eq!(seen.len(), count as usize + 9);
        let mut ids: Vec<_> = seen[..count as usize].iter().map(|one| &one.ebs_snapshot_id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count as usize);
    }
}

#[test]
fn only_what_is_wanted_is_read() {
    let stored = BTreeMap::from([("a".to_owned(), mixed(30)), ("b".to_owned(), mixed(30))]);
    let count = |wanted: FindingFilter| read(&stored, &wanted, 7).len();

    let owner = Some(Owner::Ours);
    assert_eq!(count(FindingFilter { owner, ..FindingFilter::default() }), 20);
    assert_eq!(
        count(FindingFilter { region: Some("b".to_owned()), ..FindingFilter::default() }),
        30
    );
    assert_eq!(count(FindingFilter { orphaned: Some(true), ..FindingFilter::default() }), 20);
    assert_eq!(count(FindingFilter { orphaned: Some(false), ..FindingFilter::default() }), 40);
    assert_eq!(count(FindingFilter { missing: Some(true), ..FindingFilter::default() }), 20);
    let volume_id = Some("vol-00000003".parse().unwrap());
    assert_eq!(count(FindingFilter { volume_id, ..FindingFilter::default() }), 4);
    assert_eq!(
        count(FindingFilter { text: Some("UPGRADE 29".to_owned()), ..FindingFilter::default() }),
        0
    );
    assert_eq!(
        count(FindingFilter { text: Some("UPGRADE 28".to_owned()), ..FindingFilter::default() }),
        2
    );
    assert_eq!(
        count(FindingFilter { text: Some("0001d".to_owned()), ..FindingFilter::default() }),
        2
    );
}

#[test]
fn a_position_holds_when_a_new_run_has_replaced_the_old() {
    let after = "snap-00000010".parse().unwrap();
    let bucket = Bucket { owner: Owner::Other, place: FindingState::Here };
    let position = FindingsPosition { region: "a".to_owned(), bucket, after };
    // The one it was taken at is gone; pages begin elsewhere.
    let fewer =
        (0..500).filter(|n| n % 3 != 0).map(|n| finding(n, Owner::Other, FindingState::Here));
    let pages = Pages::of(fewer.collect());

    let left = pages_after(&[region("a", &pages)], &FindingFilter::default(), Some(&position));

    assert_eq!(left.iter().map(|page| page.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_same_findings_have_the_same_digest_in_any_order() {
    let one = mixed(300);
    let mut reversed: Vec<_> = one.pages.values().flatten().flatten().cloned().collect();
    reversed.reverse();

    assert_eq!(Pages::of(reversed).digest(), one.digest());
    assert_ne!(mixed(299).digest(), one.digest());
}

#[test]
fn a_summary_counts_and_adds_up() {
    let summary = mixed(601).summary();

    let counts: Vec<_> = summary.iter().map(|one| (one.count, one.size_gib)).collect();
    assert_eq!(counts, [(200, 1_600), (200, 1_600), (201, 1_608)]);
    assert_eq!(summary.iter().map(|one| one.begins.len()).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn what_is_no_position_is_refused() {
    for text in ["", "a", "a/b/c", "us-east-1/other#here/x", "us-east-1/other#x/snap-00000001"] {
        assert!(text.parse::<FindingsPosition>().is_err(), "{text}");
    }
}

#[test]
fn the_largest_page_fits_an_item_by_far() {
    let long = "\u{1f9ca}".repeat(300);
    let image = |number: usize| format!("ami-{number:017x}").parse().unwrap();
    let images: Vec<ImageId> = (0..100).map(image).collect();
    let seen = EbsSnapshot {
        state_message: None,
        id: "snap-0123456789abcdef0".parse().unwrap(),
        volume_id: Some("vol-0123456789abcdef0".parse().unwrap()),
        state: EbsState::Completed,
        started_at: "2026-03-01T02:00:00.123456789Z".parse().unwrap(),
        completed_at: None,
        progress_percent: 100,
        volume_size_gib: 65_536,
        full_size_bytes: Some(i64::MAX),
        tier: StorageTier::Standard,
        restore_expires_at: None,
        description: long.clone(),
        tags: Tags::from([("Name".to_owned(), long)]),
        installation: Installation::Ours,
    };
    let instance = VolumeStanding::Here("i-0123456789abcdef0".parse().ok());
    let owner = Owner::ApplicationMigration;
    let finding = Finding {
        snapshot_id: "snp_0195500c-6d00-7000-8000-000000000000".parse().ok(),
        ..Finding::here(&seen, owner, instance).used_by(&images)
    };

    let size = serde_json::to_vec(&finding).unwrap().len();

    assert!(size * PAGE_FINDINGS < 350_000, "{size}");
}
