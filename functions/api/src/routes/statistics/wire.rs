//! Numbers on the wire.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use shared::domain::chain::mib_to_gib;
use shared::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use shared::domain::snapshot::{Origin, Snapshot, Status};
use shared::domain::statistics::history::Day;
use shared::domain::statistics::{Dimension, Measure, Row, Tally};
use shared::views::statistics::Statistics;
use utoipa::ToSchema;

/// The numbers of all snapshots.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SnapshotStatistics {
    /// The instant of the answer.
    as_of: Timestamp,
    /// When all snapshots were last counted, which is done each hour: what the numbers lacked was added then. Null if not
    /// yet.
    recounted_at: Option<Timestamp>,
    /// How many snapshots lists show: all but those that are deleted or missing.
    snapshots: i64,
    /// How many stand where.
    by_status: StatusCounts,
    /// How those that lists show came to be.
    by_origin: OriginCounts,
    /// How much of them is stored.
    size: StoredSize,
    /// Region by region.
    by_region: Vec<RegionNumbers>,
    /// The newest that is available, by when it was made; looked for among the latest 25.
    newest: Option<EndSnapshot>,
    /// The oldest that is available; looked for among the first 25.
    oldest: Option<EndSnapshot>,
    /// The last 30 days in UTC, today last.
    growth: Vec<GrowthDay>,
}

/// How many snapshots stand where.
#[derive(Debug, Serialize, ToSchema)]
struct StatusCounts {
    /// Wanted; nothing asked of EC2 yet.
    requested: i64,
    /// Asked of EC2.
    creating: i64,
    /// EC2 is writing them.
    pending: i64,
    /// Whole and restorable.
    available: i64,
    /// Failed.
    error: i64,
    /// To be deleted once their grace is over.
    condemned: i64,
    /// Being deleted.
    deleting: i64,
    /// Deleted, since counting began; these are not counted anew each hour.
    deleted: i64,
    /// Gone, not by us, since counting began; these are not counted anew each hour.
    missing: i64,
}

/// How snapshots came to be.
#[derive(Debug, Serialize, ToSchema)]
struct OriginCounts {
    /// A person asked for them.
    manual: i64,
    /// A schedule did.
    schedule: i64,
    /// They were found in EC2 and taken over.
    adopted: i64,
    /// They were copied from another region.
    copy: i64,
}

/// How much is stored, in two numbers neither of which is what AWS bills.
#[derive(Debug, Serialize, ToSchema)]
struct StoredSize {
    /// How many snapshots EC2 stores something of.
    snapshots: i64,
    /// The sizes of their volumes: the upper bound.
    size_gib: i64,
    /// All their blocks as EC2 reports them, where it does: full, not billed.
    full_size_gib: f64,
    /// The sizes of the volumes of whose snapshots EC2 has reported it.
    measured_size_gib: i64,
}

/// The numbers of a region.
#[derive(Debug, Serialize, ToSchema)]
struct RegionNumbers {
    /// The region.
    #[schema(example = "us-east-1")]
    region: String,
    /// How many snapshots are available.
    available: i64,
    /// How many stand where.
    by_status: StatusCounts,
    /// How they came to be.
    by_origin: OriginCounts,
    /// How much is stored.
    size: StoredSize,
}

/// The numbers of an instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InstanceNumbers {
    /// The instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its region.
    #[schema(example = "us-east-1")]
    region: String,
    /// How many snapshots are available.
    available: i64,
    /// How much is stored.
    size: StoredSize,
}

/// The numbers of a schedule in a region.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScheduleNumbers {
    /// The schedule; null for snapshots that have none.
    #[schema(value_type = Option<String>, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: Option<ScheduleId>,
    /// The region.
    #[schema(example = "us-east-1")]
    region: String,
    /// How many snapshots are available.
    available: i64,
    /// How much is stored.
    size: StoredSize,
}

/// The newest or oldest snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct EndSnapshot {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its name.
    name: String,
    /// Its instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// The instant whose content it has.
    taken_at: Timestamp,
}

/// What came and went on a day in UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GrowthDay {
    /// The day, or the first day of the period.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    pub(super) date: Date,
    /// Snapshots that came to be stored.
    pub(super) added: i64,
    /// Snapshots that ceased to be.
    pub(super) gone: i64,
    /// The sizes of the volumes of those that came.
    pub(super) added_gib: i64,
    /// The sizes of the volumes of those that went.
    pub(super) gone_gib: i64,
    /// The sizes of the volumes of all that was stored as the day ended, or is now.
    pub(super) size_gib: i64,
}

impl SnapshotStatistics {
    /// The numbers for an answer at `now`.
    pub(crate) fn of(statistics: Statistics, now: Timestamp) -> Self {
        let Statistics { recounted_at, total, regions, growth, newest, oldest } = statistics;
        let here = Status::ALL.iter().filter(|status| !status.is_gone());
        Self {
            as_of: now,
            recounted_at,
            snapshots: here.map(|status| total.get(Measure::Status(*status))).sum(),
            by_status: StatusCounts::from(&total),
            by_origin: OriginCounts::from(&total),
            size: StoredSize::from(&total),
            by_region: regions.into_iter().map(RegionNumbers::of).collect(),
            newest: newest.map(EndSnapshot::of),
            oldest: oldest.map(EndSnapshot::of),
            growth: together(growth),
        }
    }
}

/// The days of all regions, which are the same days, added up.
fn together(regions: Vec<Vec<Day>>) -> Vec<GrowthDay> {
    let mut sums: Vec<GrowthDay> = Vec::new();
    for days in regions {
        if sums.is_empty() {
            sums = days.iter().map(GrowthDay::none_on).collect();
        }
        for (sum, day) in sums.iter_mut().zip(days) {
            sum.add(&day);
        }
    }
    sums
}

impl GrowthDay {
    fn none_on(day: &Day) -> Self {
        Self { date: day.date, added: 0, gone: 0, added_gib: 0, gone_gib: 0, size_gib: 0 }
    }

    fn add(&mut self, day: &Day) {
        self.added += day.added;
        self.gone += day.gone;
        self.added_gib += day.added_gib;
        self.gone_gib += day.gone_gib;
        self.size_gib += day.volume_gib;
    }
}

impl From<&Tally> for StatusCounts {
    fn from(tally: &Tally) -> Self {
        let of = |status| tally.get(Measure::Status(status));
        Self {
            requested: of(Status::Requested),
            creating: of(Status::Creating),
            pending: of(Status::Pending),
            available: of(Status::Available),
            error: of(Status::Error),
            condemned: of(Status::Condemned),
            deleting: of(Status::Deleting),
            deleted: of(Status::Deleted),
            missing: of(Status::Missing),
        }
    }
}

impl From<&Tally> for OriginCounts {
    fn from(tally: &Tally) -> Self {
        let of = |origin| tally.get(Measure::Origin(origin));
        Self {
            manual: of(Origin::Manual),
            schedule: of(Origin::Schedule),
            adopted: of(Origin::Adopted),
            copy: of(Origin::Copy),
        }
    }
}

impl From<&Tally> for StoredSize {
    fn from(tally: &Tally) -> Self {
        Self {
            snapshots: tally.get(Measure::Stored),
            size_gib: tally.get(Measure::VolumeGib),
            full_size_gib: mib_to_gib(tally.get(Measure::FullMib)),
            measured_size_gib: tally.get(Measure::MeasuredGib),
        }
    }
}

impl RegionNumbers {
    fn of(row: Row) -> Self {
        let Row { dimension, tally, estimates: _estimates } = row;
        Self {
            region: dimension.region().to_owned(),
            available: tally.get(Measure::Available),
            by_status: StatusCounts::from(&tally),
            by_origin: OriginCounts::from(&tally),
            size: StoredSize::from(&tally),
        }
    }
}

impl InstanceNumbers {
    /// The numbers, if they are of an instance.
    pub(super) fn of(row: Row) -> Option<Self> {
        let Row { dimension, tally, estimates: _estimates } = row;
        match dimension {
            Dimension::Instance(instance_id, region) => Some(Self {
                instance_id,
                region,
                available: tally.get(Measure::Available),
                size: StoredSize::from(&tally),
            }),
            Dimension::Region(_) | Dimension::Schedule(..) | Dimension::Day(..) => None,
        }
    }
}

impl ScheduleNumbers {
    /// The numbers, if they are of a schedule.
    pub(super) fn of(row: Row) -> Option<Self> {
        let Row { dimension, tally, estimates: _estimates } = row;
        match dimension {
            Dimension::Schedule(schedule_id, region) => Some(Self {
                schedule_id,
                region,
                available: tally.get(Measure::Available),
                size: StoredSize::from(&tally),
            }),
            Dimension::Region(_) | Dimension::Instance(..) | Dimension::Day(..) => None,
        }
    }
}

impl EndSnapshot {
    fn of(snapshot: Snapshot) -> Self {
        let taken_at = snapshot.taken_at();
        Self {
            snapshot_id: snapshot.id,
            name: snapshot.name,
            instance_id: snapshot.source.instance_id,
            taken_at,
        }
    }
}
