//! A count of all records, from scratch, and what it corrects.

use std::collections::{BTreeMap, BTreeSet};

use super::{Delta, Dimension, Measure, Row, Tally, standing, stored_members};
use crate::domain::chain::{Estimates, Link};
use crate::domain::ids::{EbsSnapshotId, VolumeId};
use crate::domain::ownership::StorageTier;
use crate::domain::snapshot::Snapshot;

/// A count of all records that lists show, one after the other, in any order.
#[derive(Clone, Debug, Default)]
pub struct Recount {
    tallies: Delta,
    /// What the archive holds: it shares no block with what is in the standard tier.
    archived: Vec<Member>,
    chains: BTreeMap<(String, VolumeId), Vec<Member>>,
    /// How many records were counted.
    pub records: usize,
}

/// A link with what it is counted for.
#[derive(Clone, Debug)]
struct Member {
    link: Link,
    id: EbsSnapshotId,
    dimensions: [Dimension; 3],
}

/// What numbers lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    pub dimension: Dimension,
    /// What is to be added to its counts.
    pub tally: Tally,
    /// What its estimates are now.
    pub estimates: Estimates,
}

impl Recount {
    /// Counts one record.
    pub fn note(&mut self, snapshot: &Snapshot) {
        self.records += 1;
        for (dimension, tally) in standing(snapshot) {
            self.tallies.entry(dimension).or_default().add_all(&tally);
        }
        let region = &snapshot.source.region;
        for member in stored_members(snapshot) {
            let link = Link {
                taken_at: snapshot.taken_at(),
                volume_gib: i64::from(member.size_gib),
                full_bytes: member.full_size_bytes,
            };
            let dimensions = [
                Dimension::Region(region.clone()),
                Dimension::Instance(snapshot.source.instance_id.clone(), region.clone()),
                Dimension::Schedule(snapshot.schedule_id().cloned(), region.clone()),
            ];
            let id = member.ebs_snapshot_id.clone();
            let counted = Member { link, id, dimensions };
            match member.tier {
                StorageTier::Archive => self.archived.push(counted),
                StorageTier::Standard | StorageTier::Restored => {
                    let chain = (region.clone(), member.volume_id.clone());
                    self.chains.entry(chain).or_default().push(counted);
                }
            }
        }
    }

    /// The counts.
    pub fn tallies(&self) -> &Delta {
        &self.tallies
    }

    /// What the snapshots of each dimension add to their chains.
    pub fn estimates(&self) -> BTreeMap<Dimension, Estimates> {
        let mut sums: BTreeMap<Dimension, Estimates> = BTreeMap::new();
        for member in &self.archived {
            let estimates = Estimates::of_archived(&member.link);
            for dimension in &member.dimensions {
                let sum = sums.entry(dimension.clone()).or_default();
                *sum = sum.plus(estimates);
            }
        }
        for members in self.chains.values() {
            let mut chain: Vec<_> = members.iter().collect();
            chain.sort_by_key(|member| (member.link.taken_at, &member.id));
            let mut previous = None;
            for member in chain {
                let estimates = Estimates::of(&member.link, previous);
                for dimension in &member.dimensions {
                    let sum = sums.entry(dimension.clone()).or_default();
                    *sum = sum.plus(estimates);
                }
                previous = Some(&member.link);
            }
        }
        sums
    }

    /// What the kept numbers lack, as they were read `before` the records were and `after`.
    ///
    /// Records are written while they are counted, so a difference may be a write that one reading has and the other has
    /// not. Only what both readings differ by is corrected: all of it where nothing was written meanwhile. What rises
    /// after the one reading and falls again before the other (or the reverse) is in neither: where the record was read
    /// in between, it is taken for a difference until the next hour's count.
    pub fn corrections(&self, before: &[Row], after: &[Row]) -> Vec<Correction> {
        let (before, after) = (by_dimension(before), by_dimension(after));
        let mut estimates = self.estimates();
        let nothing = Tally::default();
        let dimensions: BTreeSet<_> = self
            .tallies
            .keys()
            .chain(before.keys().copied())
            .chain(after.keys().copied())
            .collect();
        let mut corrections = Vec::new();
        for dimension in dimensions {
            let exact = self.tallies.get(dimension).unwrap_or(&nothing);
            let kept = |rows: &BTreeMap<&Dimension, &Row>| {
                rows.get(dimension).map_or_else(Tally::default, |row| row.tally.clone())
            };
            let tally = agreed(&exact.less(&kept(&before)), &exact.less(&kept(&after)));
            let estimates = estimates.remove(dimension).unwrap_or_default();
            let known = after.get(dimension).and_then(|row| row.estimates);
            if !tally.is_empty() || known != Some(estimates) {
                corrections.push(Correction { dimension: dimension.clone(), tally, estimates });
            }
        }
        corrections
    }

    /// How many GiB and sets the days of a region lack, as all their rows were read `before` the records were and
    /// `after`: what came less what went must be what stands.
    pub fn days_lack(&self, region: &str, before: &[Row], after: &[Row]) -> (i64, i64) {
        let exact = self.tallies.get(&Dimension::Region(region.to_owned()));
        let mut standing = Tally::default();
        for measure in [Measure::VolumeGib, Measure::Stored] {
            standing.add(measure, exact.map_or(0, |exact| exact.get(measure)));
        }
        let came = |rows: &[Row]| {
            let mut came = Tally::default();
            for row in rows.iter().filter(|row| row.dimension.region() == region) {
                let of = |measure| row.tally.get(measure);
                came.add(Measure::VolumeGib, of(Measure::AddedGib) - of(Measure::GoneGib));
                came.add(Measure::Stored, of(Measure::AddedStored) - of(Measure::GoneStored));
            }
            came
        };
        let lacks = agreed(&standing.less(&came(before)), &standing.less(&came(after)));
        (lacks.get(Measure::VolumeGib), lacks.get(Measure::Stored))
    }
}

fn by_dimension(rows: &[Row]) -> BTreeMap<&Dimension, &Row> {
    rows.iter().map(|row| (&row.dimension, row)).collect()
}

/// What two differences agree on.
fn agreed(one: &Tally, other: &Tally) -> Tally {
    let mut tally = Tally::default();
    for (measure, count) in one.iter().filter(|(measure, _)| measure.is_recounted()) {
        let again = other.get(measure);
        if count.signum() == again.signum() {
            tally.add(measure, if count > 0 { count.min(again) } else { count.max(again) });
        }
    }
    tally
}
