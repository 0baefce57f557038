//! The estimated cost of snapshots: of one in its chain, and of all by source or by month.

mod other_snapshots;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use self::other_snapshots::copies_beside;
use crate::domain::chain::{Estimates, Freed, Increment, Link, gib, mib_to_gib};
use crate::domain::cost::Price;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::{SnapshotId, VolumeId};
use crate::domain::ownership::{EbsSnapshot, EbsState, StorageTier};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;
use crate::domain::statistics::history::{Day, days};
use crate::domain::statistics::{Dimension, Measure, Row, Tally, date_of, stored_members};
use crate::error::Error;
use crate::service::Service;
use crate::views::statistics::{DimensionKind, list_rows, regions};

/// How far back months are told.
pub const MONTHS_MAX: i32 = 24;

/// GiB, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    pub gib: f64,
    /// What it costs for a month, or of a month.
    pub cost: f64,
}

impl Amount {
    fn of(gib: f64, price: &Price) -> Self {
        Self { gib, cost: price.standard_month(gib) }
    }

    fn archived(gib: f64, price: &Price) -> Self {
        Self { gib, cost: price.archive_month(gib) }
    }

    fn plus(self, other: Self) -> Self {
        Self { gib: self.gib + other.gib, cost: self.cost + other.cost }
    }
}

/// The three numbers, none of which is what AWS bills: that nobody can know from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amounts {
    /// As if each snapshot held its whole volumes: it cannot be more.
    pub volume_size: Amount,
    /// As if each held all blocks it has, as EC2 reports them: full, not billed. Of what EC2 has reported only.
    pub full_size: Amount,
    /// The sizes of the volumes of which EC2 has reported full sizes.
    pub measured_gib: f64,
    /// The first of each chain in full, later ones with what has changed, and what is archived in full at the archive's
    /// price; none before the first count of all.
    pub estimate: Option<Amount>,
}

impl Amounts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            volume_size: self.volume_size.plus(other.volume_size),
            full_size: self.full_size.plus(other.full_size),
            measured_gib: self.measured_gib + other.measured_gib,
            estimate: match (self.estimate, other.estimate) {
                (Some(one), Some(more)) => Some(one.plus(more)),
                (one, more) => one.or(more),
            },
        }
    }

    fn of(tally: &Tally, estimates: Option<Estimates>, percent: f64, price: &Price) -> Self {
        let estimate = estimates.map(|one| {
            Amount::of(one.gib_at(percent), price).plus(Amount::archived(one.archived_gib(), price))
        });
        Self {
            volume_size: Amount::of(gib(tally.get(Measure::VolumeGib)), price),
            full_size: Amount::of(mib_to_gib(tally.get(Measure::FullMib)), price),
            measured_gib: gib(tally.get(Measure::MeasuredGib)),
            estimate,
        }
    }
}

/// What one member of a snapshot adds to the chain of its volume.
#[derive(Clone, Debug)]
pub struct MemberBill {
    pub member: Member,
    pub increment: Increment,
    /// What its deletion frees.
    pub freed: Freed,
}

impl MemberBill {
    /// What so many GiB of it cost for a month, where EC2 keeps it.
    pub fn month(&self, gib: f64, price: &Price) -> f64 {
        match self.member.tier {
            StorageTier::Standard | StorageTier::Restored => price.standard_month(gib),
            StorageTier::Archive => price.archive_month(gib),
        }
    }
}

/// What one snapshot costs.
#[derive(Clone, Debug)]
pub struct SnapshotBill {
    pub snapshot: Snapshot,
    /// Its members of which EC2 stores something.
    pub members: Vec<MemberBill>,
    /// The price of its region.
    pub price: Price,
}

/// A row of a bill.
#[derive(Clone, Debug)]
pub struct BillRow {
    pub subject: Subject,
    pub snapshots: i64,
    pub amounts: Amounts,
    /// The prices of its regions.
    pub prices: Vec<Price>,
}

/// What a row of a bill is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A region, an instance or a schedule.
    Dimension(Dimension),
    /// A month in UTC, by its first day.
    Month(Date),
    /// All together.
    All,
}

/// A page of a bill.
#[derive(Clone, Debug)]
pub struct Bill {
    pub page: Page<BillRow>,
    /// Everything that stands now; by month, all months that are told.
    pub total: BillRow,
    /// When all records were last counted; the estimates are of then.
    pub recounted_at: Option<Timestamp>,
}

fn price_of(region: &str) -> Result<Price, Error> {
    Price::of(region).map_err(|error| Error::internal("reading the price list", error))
}

/// What the snapshot of this id costs, and what its deletion frees: of all snapshots of its volumes that EC2 shows now,
/// others' as well.
pub async fn bill_snapshot(
    service: &Service,
    id: &SnapshotId,
    daily_change_percent: f64,
) -> Result<SnapshotBill, Error> {
    let snapshot = service.table.snapshot(id).await?;
    let snapshot = snapshot.ok_or_else(|| Error::not_found("snapshot", id))?;
    let price = price_of(&snapshot.source.region)?;
    // What lies in the Recycle Bin is billed until it has left it.
    let is_recycled = |member: &&Member| member.notes.recycled_until.is_some();
    let recycled = snapshot.living_members().filter(is_recycled);
    let members: Vec<_> = stored_members(&snapshot).chain(recycled).cloned().collect();
    let volumes: BTreeSet<VolumeId> =
        members.iter().map(|member| member.volume_id.clone()).collect();
    let volumes: Vec<_> = volumes.into_iter().collect();
    let seen = if snapshot.copy_of.is_some() {
        copies_beside(service, &snapshot).await?
    } else if volumes.is_empty() {
        Some(Vec::new())
    } else {
        service.ec2_in(&snapshot.source.region)?.snapshots_of_volumes(&volumes).await?
    };
    let bills = members
        .into_iter()
        .map(|member| bill_member(&snapshot, member, seen.as_deref(), daily_change_percent));
    Ok(SnapshotBill { members: bills.collect(), price, snapshot })
}

/// Returns what a member adds and frees, by the snapshots of its volume that EC2 shows; none if they are too many.
fn bill_member(
    snapshot: &Snapshot,
    member: Member,
    seen: Option<&[EbsSnapshot]>,
    percent: f64,
) -> MemberBill {
    let mut chain: Vec<_> = seen
        .unwrap_or_default()
        .iter()
        .filter(|one| one.volume_id.as_ref() == Some(&member.volume_id))
        .filter(|one| one.state != EbsState::Error || one.id == member.ebs_snapshot_id)
        .filter(|one| one.tier != StorageTier::Archive)
        .collect();
    chain.sort_by_key(|one| (one.started_at, one.id.clone()));
    let place = chain.iter().position(|one| one.id == member.ebs_snapshot_id);
    let link_at =
        |place: Option<usize>| place.and_then(|place| chain.get(place)).map(|one| link(one));
    let previous = link_at(place.and_then(|place| place.checked_sub(1)));
    let next = link_at(place.map(|place| place + 1));
    let own = link_at(place).unwrap_or_else(|| Link {
        taken_at: snapshot.taken_at(),
        volume_gib: i64::from(member.size_gib),
        full_bytes: member.full_size_bytes,
    });
    if member.tier == StorageTier::Archive {
        let (increment, freed) = own.archived();
        return MemberBill { member, increment, freed };
    }
    let freed = if place.is_some() {
        own.freed(previous.as_ref(), next.as_ref())
    } else {
        own.freed_somehow()
    };
    MemberBill { increment: own.increment(previous.as_ref(), percent), freed, member }
}

fn link(seen: &EbsSnapshot) -> Link {
    Link {
        taken_at: seen.started_at,
        volume_gib: i64::from(seen.volume_size_gib),
        full_bytes: seen.full_size_bytes,
    }
}

/// One page of what the snapshots of each row of a kind cost for a month, as they stand.
pub async fn bill_rows(
    service: &Service,
    kind: DimensionKind,
    daily_change_percent: f64,
    request: &PageRequest,
) -> Result<Bill, Error> {
    let page = list_rows(service, kind, request).await?;
    let Page { items, next_cursor } = page;
    let items = items.into_iter().map(|row| bill_row(row, daily_change_percent));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let mut total = nothing();
    for row in regions(service).await? {
        total.add(&bill_row(row, daily_change_percent)?);
    }
    let recounted_at = service.table.last_recount().await?;
    Ok(Bill { page: Page { items, next_cursor }, total, recounted_at })
}

fn nothing() -> BillRow {
    BillRow { subject: Subject::All, snapshots: 0, amounts: Amounts::default(), prices: Vec::new() }
}

fn bill_row(row: Row, percent: f64) -> Result<BillRow, Error> {
    let price = price_of(row.dimension.region())?;
    Ok(BillRow {
        snapshots: row.tally.get(Measure::Stored),
        amounts: Amounts::of(&row.tally, row.estimates, percent, &price),
        subject: Subject::Dimension(row.dimension),
        prices: vec![price],
    })
}

impl BillRow {
    fn add(&mut self, other: &Self) {
        self.snapshots += other.snapshots;
        self.amounts = self.amounts.plus(other.amounts);
        for price in &other.prices {
            if !self.prices.contains(price) {
                self.prices.push(price.clone());
            }
        }
    }
}

/// One page of what the snapshots have cost month by month in UTC, newest first: of the last 24 months, the present one
/// as far as it has gone. A snapshot counts from when it was taken until it was gone.
pub async fn bill_months(
    service: &Service,
    daily_change_percent: f64,
    request: &PageRequest,
    now: Timestamp,
) -> Result<Bill, Error> {
    let today = date_of(now);
    let horizon = today.first_of_month().checked_sub((MONTHS_MAX - 1).months()).unwrap_or(today);
    let rows = service.table.days_from(horizon).await?;
    let first = rows.iter().filter_map(|row| match &row.dimension {
        Dimension::Day(date, _) => Some(*date),
        Dimension::Region(_) | Dimension::Instance(..) | Dimension::Schedule(..) => None,
    });
    let first = first.min().unwrap_or(today);
    let mut months: BTreeMap<Date, BillRow> = BTreeMap::new();
    for region in regions(service).await? {
        let name = region.dimension.region();
        let price = price_of(name)?;
        let rows: Vec<_> = rows.iter().filter(|row| row.dimension.region() == name).collect();
        for day in days(&rows, region.tally.get(Measure::VolumeGib), first, now) {
            let month = day.date.first_of_month();
            let row = months
                .entry(month)
                .or_insert_with(|| BillRow { subject: Subject::Month(month), ..nothing() });
            row.add(&BillRow {
                snapshots: day.added,
                amounts: of_day(&day, daily_change_percent, &price),
                prices: vec![price.clone()],
                subject: Subject::Month(month),
            });
        }
    }
    let mut total = nothing();
    for row in months.values() {
        total.add(row);
    }
    let page = page_of(months, request);
    Ok(Bill { page, total, recounted_at: service.table.last_recount().await? })
}

/// What a day adds to its month, whose GiB count as long as they are stored of it. Full sizes and estimates are the same
/// part of the volume sizes as at the last count.
fn of_day(day: &Day, percent: f64, price: &Price) -> Amounts {
    let seconds = gib(i64::from(day.date.days_in_month()) * 86_400);
    let volume_gib = gib(day.gib_seconds) / seconds;
    let counted = day.estimates.filter(|estimates| estimates.volume_gib > 0);
    let part = |counted: Estimates, gib_of: f64| volume_gib * gib_of / gib(counted.volume_gib);
    let full_size = counted.map(|one| Amount::of(part(one, mib_to_gib(one.full_mib)), price));
    let estimate = |one: Estimates| {
        let archived = Amount::archived(part(one, one.archived_gib()), price);
        Amount::of(part(one, one.gib_at(percent)), price).plus(archived)
    };
    Amounts {
        volume_size: Amount::of(volume_gib, price),
        full_size: full_size.unwrap_or_default(),
        measured_gib: 0.0,
        estimate: counted.map(estimate),
    }
}

fn page_of(months: BTreeMap<Date, BillRow>, request: &PageRequest) -> Page<BillRow> {
    let after = request.cursor.as_ref().map(|cursor| cursor.key().to_owned());
    let is_after = |date: &Date| after.as_ref().is_none_or(|after| date.to_string() < *after);
    let mut rest = months.into_iter().rev().filter(|(date, _)| is_after(date)).peekable();
    let mut items = Vec::new();
    let mut last = None;
    for (date, row) in rest.by_ref().take(request.limit) {
        items.push(row);
        last = Some(Cursor::after(date.to_string()));
    }
    let next_cursor = last.filter(|_| rest.peek().is_some());
    Page { items, next_cursor }
}
