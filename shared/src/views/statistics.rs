//! The numbers of all snapshots, read as they are kept: no answer costs more when there are more records.

use jiff::{Timestamp, ToSpan as _};

use crate::domain::cursor::{Order, Page, PageRequest};
use crate::domain::snapshot::Snapshot;
pub use crate::domain::statistics::DimensionKind;
use crate::domain::statistics::history::{Day, days};
use crate::domain::statistics::{Measure, Row, Tally, date_of};
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::{Listed, Slice};
use crate::table::statistics::Rows;
use crate::table::{Presence, SnapshotList};
use crate::views::paging::collect;

/// Of how many days the growth is told.
pub const GROWTH_DAYS: i64 = 30;
/// Among how many records the newest and the oldest available one are looked for.
const ENDS_EXAMINED: usize = 25;
/// The numbers of all snapshots.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// When all records were last counted; none if never.
    pub recounted_at: Option<Timestamp>,
    pub total: Tally,
    pub regions: Vec<Row>,
    /// The last 30 days in UTC, in order: first as if there were nothing, then each region by itself.
    pub growth: Vec<Vec<Day>>,
    /// The newest good snapshot among the latest 25 that lists show.
    pub newest: Option<Snapshot>,
    /// The oldest good one among the first 25.
    pub oldest: Option<Snapshot>,
}

/// The numbers of all snapshots as they stand.
pub async fn show(service: &Service, now: Timestamp) -> Result<Statistics, Error> {
    let regions = regions(service).await?;
    let mut total = Tally::default();
    for row in &regions {
        total.add_all(&row.tally);
    }
    let today = date_of(now);
    let from = today.checked_sub((GROWTH_DAYS - 1).days()).unwrap_or(today);
    let rows = service.table.days_from(from).await?;
    let nothing = days(&[], 0, from, now);
    let of_regions = regions.iter().map(|region| {
        let name = region.dimension.region();
        let rows: Vec<_> = rows.iter().filter(|row| row.dimension.region() == name).collect();
        days(&rows, region.tally.get(Measure::VolumeGib), from, now)
    });
    Ok(Statistics {
        recounted_at: service.table.last_recount().await?,
        total,
        growth: std::iter::once(nothing).chain(of_regions).collect(),
        newest: end(service, Order::NewestFirst).await?,
        oldest: end(service, Order::OldestFirst).await?,
        regions,
    })
}

/// The rows of all regions that have ever had a snapshot.
pub(crate) async fn regions(service: &Service) -> Result<Vec<Row>, Error> {
    service.table.every_row(DimensionKind::Region).await
}

async fn end(service: &Service, order: Order) -> Result<Option<Snapshot>, Error> {
    let list = SnapshotList::All(Presence::Here);
    let slice = Slice { order, limit: ENDS_EXAMINED, after: None };
    let Listed { snapshots, .. } = service.table.list_snapshots(&list, &slice).await?;
    Ok(snapshots.into_iter().map(|(_, snapshot)| snapshot).find(Snapshot::is_good))
}

/// One page of the rows of a kind that have something stored, in the order of their identifiers.
pub async fn list_rows(
    service: &Service,
    kind: DimensionKind,
    request: &PageRequest,
) -> Result<Page<Row>, Error> {
    let read = |slice: Slice| async move {
        let Rows { rows, more } = service.table.rows(kind, slice.after, slice.limit).await?;
        Ok((rows, more))
    };
    collect(request, read, |row| row.tally.get(Measure::Stored) > 0).await
}
