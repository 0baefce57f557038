//! Numbers: the sum of all changes is a count of everything.

use jiff::ToSpan;
use proptest::prelude::*;

use super::history::days;
use super::recount::Recount;
use super::*;
use crate::domain::ids::SnapshotId;
use crate::domain::installation::Installation;
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsSnapshot, StorageTier};
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Failure, ScheduleSlot, Source};
use crate::domain::tags::Tags;

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

fn at(minute: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn requested(number: u8, now: Timestamp) -> Snapshot {
    let source = Source {
        instance_id: format!("i-{:08x}", number % 3).parse().unwrap(),
        instance_name: None,
        instance_type: None,
        architecture: None,
        platform: None,
        region: REGIONS[usize::from(number % 2)].to_owned(),
        zone: None,
        tags: [].into(),
        launch: LaunchSettings::default(),
        machine: None,
    };
    let id = SnapshotId::derived(now, &[&number.to_string()]);
    let schedule_id = "sch_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
    let slot = number.is_multiple_of(2).then_some(ScheduleSlot { schedule_id, slot: now });
    let origin = if slot.is_some() { Origin::Schedule } else { Origin::Manual };
    Snapshot::requested(id, origin, source, slot, now)
}

fn members(number: u8) -> Vec<Member> {
    let member = |volume: u8| Member {
        ebs_snapshot_id: format!("snap-{number:04x}{volume:04x}").parse().unwrap(),
        volume_id: format!("vol-{:04x}{volume:04x}", number % 3).parse().unwrap(),
        device: None,
        boot: volume == 0,
        size_gib: 8 + i32::from(volume),
        state: EbsState::Pending,
        progress_percent: 0,
        full_size_bytes: None,
        volume: None,
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    };
    (0..=number % 2).map(member).collect()
}

fn seen(member: &Member, state: EbsState, now: Timestamp) -> EbsSnapshot {
    EbsSnapshot {
        state_message: None,
        id: member.ebs_snapshot_id.clone(),
        volume_id: Some(member.volume_id.clone()),
        state,
        started_at: now,
        completed_at: None,
        progress_percent: 100,
        volume_size_gib: member.size_gib,
        full_size_bytes: Some(3 * 1_073_741_824),
        tier: StorageTier::Standard,
        restore_expires_at: None,
        description: String::new(),
        tags: Tags::new(),
        installation: Installation::Ours,
    }
}

/// What a step does to a snapshot, where it may be done.
fn step(snapshot: &Snapshot, number: u8, what: u8, now: Timestamp) -> Option<Snapshot> {
    let all = |state| -> Vec<_> {
        snapshot.members.iter().map(|member| seen(member, state, now)).collect()
    };
    let gone: Vec<_> =
        snapshot.members.iter().map(|member| member.ebs_snapshot_id.clone()).collect();
    match what {
        0 => snapshot.begin_attempt(now).ok(),
        1 => snapshot.created(members(number), now).ok(),
        2 => snapshot.observed(&all(EbsState::Completed), now),
        3 => snapshot.observed(&all(EbsState::Error), now),
        4 => snapshot.observed(&[], now),
        5 => snapshot.returned(&all(EbsState::Completed), now),
        6 => snapshot.condemn(CondemnedBy::Failed, "because", now, now).ok(),
        7 => snapshot.rescue(now).ok(),
        8 => snapshot.begin_deletion(now).ok(),
        9 => snapshot.members_deleted(gone.get(..1).unwrap_or_default(), now).ok(),
        10 => snapshot.members_deleted(&gone, now).ok(),
        11 => snapshot.record_removed(now).ok(),
        12 => snapshot.fail(Failure::new("x", "y"), now).ok(),
        _ => Some(snapshot.nudged(now)),
    }
}

/// The kept numbers and the records after a sequence of steps, and what each step changed.
fn lived(steps: &[(u8, u8)]) -> (Delta, BTreeMap<u8, Snapshot>, Vec<Delta>) {
    let mut kept = Delta::default();
    let mut records: BTreeMap<u8, Snapshot> = BTreeMap::new();
    let mut deltas = Vec::new();
    for (minute, (number, what)) in (0_i64..).zip(steps) {
        let now = at(minute * 97);
        let old = records.get(number);
        let new = match old {
            None => Some(requested(*number, now)),
            Some(old) => step(old, *number, *what, now),
        };
        let Some(new) = new else { continue };
        let change = delta(old, &new);
        for (dimension, tally) in &change {
            kept.entry(dimension.clone()).or_default().add_all(tally);
        }
        deltas.push(change);
        records.insert(*number, new);
    }
    kept.retain(|_, tally| !tally.is_empty());
    (kept, records, deltas)
}

fn all_rows(delta: &Delta) -> Vec<Row> {
    let row = |(dimension, tally): (&Dimension, &Tally)| Row {
        dimension: dimension.clone(),
        tally: tally.clone(),
        estimates: None,
    };
    delta.iter().map(row).collect()
}

fn rows(delta: &Delta) -> Vec<Row> {
    let mut rows = all_rows(delta);
    rows.retain(|row| !matches!(row.dimension, Dimension::Day(..)));
    rows
}

fn counted(records: &BTreeMap<u8, Snapshot>) -> Recount {
    let mut recount = Recount::default();
    for record in records.values().filter(|record| !record.status.is_gone()) {
        recount.note(record);
    }
    recount
}

fn steps() -> impl Strategy<Value = Vec<(u8, u8)>> {
    // The common way, with whatever else in between.
    let what = prop_oneof![3 => 0_u8..3, 1 => 3_u8..6, 2 => 6_u8..14];
    prop::collection::vec((0_u8..4, what), 0..120)
}

#[test]
fn a_snapshots_life_is_counted_at_every_stage() {
    let requested = requested(1, at(0));
    let creating = requested.begin_attempt(at(0)).unwrap();
    let pending = creating.created(members(1), at(1)).unwrap();
    let region = Dimension::Region("eu-west-1".to_owned());
    let instance = Dimension::Instance("i-00000001".parse().unwrap(), "eu-west-1".to_owned());

    let first = delta(None, &requested);
    let second = delta(Some(&requested), &creating);
    let third = delta(Some(&creating), &pending);

    assert_eq!(first.keys().collect::<Vec<_>>(), [&region]);
    assert_eq!(second.keys().collect::<Vec<_>>(), [&region]);
    assert_eq!(second[&region].get(Measure::Status(Status::Requested)), -1);
    assert_eq!(third[&instance].get(Measure::VolumeGib), 17);
    assert_eq!(
        third[&Dimension::Day("2026-03-01".parse().unwrap(), "eu-west-1".to_owned())]
            .get(Measure::AddedStored),
        1
    );
    assert_eq!(delta(Some(&pending), &pending.nudged(at(2))), Delta::default());
}

#[test]
fn a_month_counts_a_snapshot_as_long_as_it_is_stored() {
    let noon = "2026-03-01T12:00:00Z".parse().unwrap();
    let next_six = "2026-03-02T06:00:00Z".parse().unwrap();
    let now: Timestamp = "2026-03-04T18:00:00Z".parse().unwrap();
    let mut kept = Delta::default();
    for (at, gib, sets) in [(noon, 10, 1), (next_six, -10, -1), (now - 6.hours(), 7, 1)] {
        let (day, tally) = flow("eu-west-1", at, gib, sets);
        kept.entry(day).or_default().add_all(&tally);
    }
    let rows: Vec<_> = kept
        .into_iter()
        .map(|(dimension, tally)| Row { dimension, tally, estimates: None })
        .collect();

    let days = days(&rows.iter().collect::<Vec<_>>(), 7, "2026-02-28".parse().unwrap(), now);

    let hours: Vec<_> = days.iter().map(|day| day.gib_seconds / 3_600).collect();
    let standing: Vec<_> = days.iter().map(|day| day.volume_gib).collect();
    assert_eq!(hours, [0, 10 * 12, 10 * 6, 0, 7 * 6]);
    assert_eq!(standing, [0, 10, 0, 0, 7]);
}

proptest! {
    #[test]
    fn the_sum_of_all_changes_is_a_count_of_everything(steps in steps()) {
        let (kept, records, _) = lived(&steps);

        let mut exact = Delta::default();
        for record in records.values() {
            for (dimension, tally) in standing(record) {
                exact.entry(dimension).or_default().add_all(&tally);
            }
        }

        let kept: Delta = kept.into_iter().filter(|(one, _)| !matches!(one, Dimension::Day(..))).collect();
        prop_assert_eq!(kept, exact);
    }

    #[test]
    fn what_came_less_what_went_is_what_stands(steps in steps()) {
        let (kept, ..) = lived(&steps);

        for name in REGIONS {
            let sum = |measure| kept.iter()
                .filter(|(one, _)| matches!(one, Dimension::Day(..)) && one.region() == name)
                .map(|(_, tally)| tally.get(measure))
                .sum::<i64>();
            let region = kept.get(&Dimension::Region(name.to_owned())).cloned().unwrap_or_default();

            prop_assert_eq!(sum(Measure::AddedGib) - sum(Measure::GoneGib), region.get(Measure::VolumeGib));
            prop_assert_eq!(sum(Measure::AddedStored) - sum(Measure::GoneStored), region.get(Measure::Stored));
        }
    }

    #[test]
    fn a_count_corrects_nothing_that_is_right_and_everything_that_was_lost(
        steps in steps(), lost in any::<prop::sample::Index>(),
    ) {
        let (kept, records, deltas) = lived(&steps);
        let recount = counted(&records);
        let right = rows(&kept);
        prop_assert!(recount.corrections(&right, &right).iter().all(|one| one.tally.is_empty()));
        if deltas.is_empty() {
            return Ok(());
        }

        let mut lacking = kept.clone();
        for (dimension, tally) in lost.get(&deltas) {
            let row = lacking.entry(dimension.clone()).or_default();
            *row = row.less(tally);
        }
        let days: Vec<_> = all_rows(&lacking).into_iter()
            .filter(|row| matches!(row.dimension, Dimension::Day(..))).collect();
        for correction in recount.corrections(&rows(&lacking), &rows(&lacking)) {
            lacking.entry(correction.dimension).or_default().add_all(&correction.tally);
        }

        for name in REGIONS {
            let (gib, sets) = recount.days_lack(name, &days, &days);
            let came = |added, gone| days.iter().filter(|row| row.dimension.region() == name)
                .map(|row| row.tally.get(added) - row.tally.get(gone)).sum::<i64>();
            let standing = kept.get(&Dimension::Region(name.to_owned())).cloned().unwrap_or_default();
            prop_assert_eq!(came(Measure::AddedGib, Measure::GoneGib) + gib, standing.get(Measure::VolumeGib));
            prop_assert_eq!(came(Measure::AddedStored, Measure::GoneStored) + sets, standing.get(Measure::Stored));
        }
        for (dimension, tally) in recount.tallies() {
            for (measure, count) in tally.iter().filter(|(measure, _)| measure.is_recounted()) {
                prop_assert_eq!(lacking[dimension].get(measure), count, "{:?} {:?}", dimension, measure);
            }
        }
    }

    #[test]
    fn what_is_written_while_all_is_counted_is_no_difference(
        steps in steps(), cut in any::<prop::sample::Index>(), read in prop::collection::vec(any::<bool>(), 4),
    ) {
        // Each record is read before or after the last steps, and the numbers before and after them.
        let cut = cut.index(steps.len() + 1);
        let (before, early, _) = lived(&steps[..cut]);
        let (after, late, deltas) = lived(&steps);
        let counts = |delta: &Delta| -> i64 {
            delta.values().flat_map(|tally| tally.iter().map(|(_, count)| count.abs())).sum()
        };
        let mut mixed = early.clone();
        for (number, record) in &late {
            if read[usize::from(*number)] {
                mixed.insert(*number, record.clone());
            }
        }

        let corrections = counted(&mixed).corrections(&rows(&before), &rows(&after));

        let corrected: i64 = corrections.iter()
            .flat_map(|one| one.tally.iter().map(|(_, count)| count.abs())).sum();
        // Never more than what was written meanwhile, and nothing where nothing was.
        let (_, _, first) = lived(&steps[..cut]);
        let meanwhile: i64 = deltas[first.len()..].iter().map(counts).sum();
        prop_assert!(corrected <= meanwhile, "{corrected} of {meanwhile}");
    }
}
