//! Numbers of snapshots that are kept up to date: what each write of a record changes in them, and a count of all.
//!
//! Each write of a record adds a [`Delta`] to the numbers; the sum of all deltas is what a count of all records gives.
//! What does not show in a number is no change: progress, holds, names, being looked at again.

pub mod history;
pub mod recount;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::chain::{Estimates, full_mib};
use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::ownership::EbsState;
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, Snapshot, Status};

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Snapshots that stand there.
    Status(Status),
    /// Snapshots that lists show and that came to be like this.
    Origin(Origin),
    /// Snapshots of which EC2 stores something.
    Stored,
    /// Snapshots that are whole and there.
    Available,
    /// The sizes of the volumes of what is stored.
    VolumeGib,
    /// The full sizes that EC2 has reported of it.
    FullMib,
    /// The sizes of the volumes of which EC2 has reported them.
    MeasuredGib,
    /// Of a day: snapshots that came to be stored.
    AddedStored,
    /// Of a day: snapshots that ceased to be.
    GoneStored,
    /// Of a day: volume sizes that came to be stored.
    AddedGib,
    /// Of a day: volume sizes that ceased to be.
    GoneGib,
    /// Of a day: GiB that came, less those that went, each times the seconds that the day had left.
    GibSeconds,
}

impl Measure {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let standing = [
            Self::Stored,
            Self::Available,
            Self::VolumeGib,
            Self::FullMib,
            Self::MeasuredGib,
            Self::AddedStored,
            Self::GoneStored,
            Self::AddedGib,
            Self::GoneGib,
            Self::GibSeconds,
        ];
        let statuses = Status::ALL.iter().copied().map(Self::Status);
        statuses.chain(Origin::ALL.iter().copied().map(Self::Origin)).chain(standing)
    }

    /// Whether a count of the records that lists show finds it: of what is gone there are only the deltas.
    pub fn is_recounted(self) -> bool {
        match self {
            Self::Status(status) => !status.is_gone(),
            Self::Origin(_)
            | Self::Stored
            | Self::Available
            | Self::VolumeGib
            | Self::FullMib
            | Self::MeasuredGib => true,
            Self::AddedStored
            | Self::GoneStored
            | Self::AddedGib
            | Self::GoneGib
            | Self::GibSeconds => false,
        }
    }
}

/// Counts that can be added up. What is zero is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Measure, i64>);

impl Tally {
    /// How many there are of something.
    pub fn get(&self, measure: Measure) -> i64 {
        self.0.get(&measure).copied().unwrap_or(0)
    }

    /// So many more.
    pub fn add(&mut self, measure: Measure, count: i64) {
        let sum = self.get(measure) + count;
        if sum == 0 {
            self.0.remove(&measure);
        } else {
            self.0.insert(measure, sum);
        }
    }

    /// All of another's more.
    pub fn add_all(&mut self, other: &Self) {
        for (measure, count) in other.iter() {
            self.add(measure, count);
        }
    }

    /// What must be added to `other` to make it this.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for (measure, count) in other.iter() {
            rest.add(measure, -count);
        }
        rest
    }

    /// What is counted, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, i64)> {
        self.0.iter().map(|(measure, count)| (*measure, *count))
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What numbers are kept of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// A region: all measures of what stands.
    Region(String),
    /// An instance, and its region.
    Instance(InstanceId, String),
    /// A schedule, or what has none, in a region.
    Schedule(Option<ScheduleId>, String),
    /// What came and went on a day in UTC, in a region.
    Day(Date, String),
}

/// A kind of dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DimensionKind {
    /// Regions.
    Region,
    /// Instances.
    Instance,
    /// Schedules.
    Schedule,
    /// Days.
    Day,
}

impl Dimension {
    /// The region, whose prices count.
    pub fn region(&self) -> &str {
        match self {
            Self::Region(region)
            | Self::Instance(_, region)
            | Self::Schedule(_, region)
            | Self::Day(_, region) => region,
        }
    }
}

/// The numbers of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub dimension: Dimension,
    /// The counts.
    pub tally: Tally,
    /// What its snapshots add to their chains, as of the last count of all; of a day, as of its last count.
    pub estimates: Option<Estimates>,
}

/// What a write changes in the numbers.
pub type Delta = BTreeMap<Dimension, Tally>;

/// What the write of `new` in place of `old` changes: nothing for most.
pub fn delta(old: Option<&Snapshot>, new: &Snapshot) -> Delta {
    let mut delta = standing(new);
    for (dimension, tally) in old.map(standing).unwrap_or_default() {
        let rest = delta.remove(&dimension).unwrap_or_default().less(&tally);
        delta.insert(dimension, rest);
    }
    let (before, now) = (old.map_or(0, stored_gib), stored_gib(new));
    if before != now {
        // A copy is stored from when it is made, and its content is older.
        let came = if new.copy_of.is_some() { new.created_at } else { new.taken_at() };
        let at =
            if now > before { came } else { new.ending.gone_at.unwrap_or(new.course.touched_at) };
        let sets = i64::from(now > 0) - i64::from(before > 0);
        let (day, flow) = flow(&new.source.region, at, now - before, sets);
        delta.insert(day, flow);
    }
    delta.retain(|_, tally| !tally.is_empty());
    delta
}

/// What a record adds to the numbers that stand.
pub fn standing(snapshot: &Snapshot) -> Delta {
    let region = snapshot.source.region.clone();
    let mut stored = Tally::default();
    let members: Vec<_> = stored_members(snapshot).collect();
    stored.add(Measure::Stored, i64::from(!members.is_empty()));
    stored.add(Measure::Available, i64::from(snapshot.status == Status::Available));
    stored.add(Measure::VolumeGib, stored_gib(snapshot));
    for member in members {
        stored.add(Measure::FullMib, full_mib(member.full_size_bytes));
        let size_gib = i64::from(member.size_gib);
        let measured = if member.full_size_bytes.is_some() { size_gib } else { 0 };
        stored.add(Measure::MeasuredGib, measured);
    }
    let mut all = stored.clone();
    all.add(Measure::Status(snapshot.status), 1);
    if !snapshot.status.is_gone() {
        all.add(Measure::Origin(snapshot.origin), 1);
    }
    let instance = Dimension::Instance(snapshot.source.instance_id.clone(), region.clone());
    let schedule = Dimension::Schedule(snapshot.schedule_id().cloned(), region.clone());
    let mut delta = Delta::from([
        (Dimension::Region(region), all),
        (instance, stored.clone()),
        (schedule, stored),
    ]);
    delta.retain(|_, tally| !tally.is_empty());
    delta
}

/// The flow of a day: so many GiB and sets came (or went, if negative) at `at`.
pub fn flow(region: &str, at: Timestamp, gib: i64, sets: i64) -> (Dimension, Tally) {
    let date = date_of(at);
    let mut tally = Tally::default();
    tally.add(if gib > 0 { Measure::AddedGib } else { Measure::GoneGib }, gib.abs());
    tally.add(if sets > 0 { Measure::AddedStored } else { Measure::GoneStored }, sets.abs());
    tally.add(Measure::GibSeconds, gib * seconds_left(date, at));
    (Dimension::Day(date, region.to_owned()), tally)
}

/// The members of which EC2 stores something.
pub fn stored_members(snapshot: &Snapshot) -> impl Iterator<Item = &Member> {
    let here = !snapshot.status.is_gone();
    snapshot.living_members().filter(move |member| here && member.state != EbsState::Error)
}

fn stored_gib(snapshot: &Snapshot) -> i64 {
    stored_members(snapshot).map(|member| i64::from(member.size_gib)).sum()
}

/// The day of an instant, in UTC.
pub fn date_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// How many seconds a day in UTC has left at `at`.
pub fn seconds_left(date: Date, at: Timestamp) -> i64 {
    let end = date.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
    end.map_or(0, |end| end.timestamp().duration_since(at).as_secs())
}

#[cfg(test)]
mod tests;
