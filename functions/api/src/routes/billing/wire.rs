//! Bills on the wire.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use shared::domain::cost::Price;
use shared::domain::cursor::Page;
use shared::domain::ids::{InstanceId, ScheduleId};
use shared::domain::statistics::Dimension;
use shared::views::billing::{self as bills, BillRow, Subject};
use utoipa::ToSchema;

use super::By;
use crate::cursor::written;

/// GiB, and money.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Amount {
    /// How much; of a month, GiB-months.
    pub(super) gib: f64,
    /// What so much costs for a month; of a month, what it has cost.
    pub(super) cost: f64,
}

/// All blocks as EC2 reports them, where it does.
#[derive(Debug, Serialize, ToSchema)]
struct FullAmount {
    /// How much; of a month, GiB-months.
    gib: f64,
    /// What so much costs for a month; of a month, what it has cost.
    cost: f64,
    /// The sizes of the volumes of whose snapshots EC2 has reported it; null by month.
    measured_size_gib: Option<f64>,
}

/// The price list's prices of a region.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BillingPrice {
    /// The region whose price it is: us-east-1's where the list lacks a region.
    #[schema(example = "us-east-1")]
    price_region: String,
    /// A GiB for a month in the standard tier.
    #[schema(example = 0.05)]
    standard_gib_month: f64,
    /// A GiB for a month in the archive tier; null where the list lacks it.
    #[schema(example = 0.0125)]
    archive_gib_month: Option<f64>,
    /// Fast snapshot restore of one EBS snapshot in one zone for an hour; null where the list lacks it.
    #[schema(example = 0.75)]
    fast_restore_zone_hour: Option<f64>,
    /// The currency's code.
    #[schema(example = "USD")]
    currency: String,
    /// The month that it is of.
    #[schema(example = "2026-11")]
    as_of: String,
    /// Where it was looked up.
    source: String,
}

/// A row of a bill.
#[derive(Debug, Serialize, ToSchema)]
struct BillingRow {
    /// By month: the month.
    #[schema(example = "2026-03")]
    month: Option<String>,
    /// By instance: the instance.
    #[schema(value_type = Option<String>, example = "i-0123456789abcdef0")]
    instance_id: Option<InstanceId>,
    /// By schedule: the schedule; null for snapshots that have none.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The region; null by month.
    #[schema(example = "us-east-1")]
    region: Option<String>,
    /// How many snapshots are stored; by month, how many were added.
    snapshots: i64,
    /// As if each snapshot held its whole volumes: the upper bound.
    size: Amount,
    /// As if each held all its blocks, as EC2 reports them: the full size, not the billed one.
    full_size: FullAmount,
    /// The first snapshot of each volume in full, later ones with what has changed, archived ones in full at the archive's
    /// price: nearest to the bill. Null until all
    /// snapshots have been counted for the first time.
    estimated_incremental: Option<Amount>,
    /// The regions whose prices these are.
    #[schema(example = json!(["us-east-1"]))]
    price_regions: Vec<String>,
}

/// A page of a bill.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Bill {
    /// What the rows are of.
    group_by: By,
    /// How much of a volume is written anew within a day, of a hundred; what the estimates rest on.
    daily_change_percent: f64,
    /// The instant of the answer; sizes and counts are of then.
    as_of: Timestamp,
    /// When all snapshots were last counted, which is done each hour: the estimates are of then, and what sizes and
    /// counts lacked was added then. Null if not yet.
    recounted_at: Option<Timestamp>,
    /// The rows. There may be fewer than `limit`, even none, although more follow.
    items: Vec<BillingRow>,
    /// Where the next page begins; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Everything there is now, on whatever page; by month, all months that are told.
    total: BillingRow,
    /// The prices that were reckoned with.
    prices: Vec<BillingPrice>,
}

impl Bill {
    /// A bill for an answer at `now`.
    pub(super) fn of(bill: bills::Bill, by: By, daily_change_percent: f64, now: Timestamp) -> Self {
        let bills::Bill { page, total, recounted_at } = bill;
        let Page { items, next_cursor } = page;
        Self {
            group_by: by,
            daily_change_percent,
            as_of: now,
            recounted_at,
            items: items.into_iter().map(|row| BillingRow::of(row, by)).collect(),
            next_cursor: next_cursor.as_ref().map(written),
            prices: total.prices.iter().cloned().map(BillingPrice::from).collect(),
            total: BillingRow::of(total, by),
        }
    }
}

impl BillingRow {
    fn of(row: BillRow, by: By) -> Self {
        let BillRow { subject, snapshots, amounts, prices } = row;
        let bills::Amounts { volume_size, full_size, measured_gib, estimate } = amounts;
        let mut row = Self {
            month: None,
            instance_id: None,
            schedule_id: None,
            region: None,
            snapshots,
            size: volume_size.into(),
            full_size: FullAmount {
                gib: rounded(full_size.gib),
                cost: rounded(full_size.cost),
                measured_size_gib: match by {
                    By::Region | By::Instance | By::Schedule => Some(rounded(measured_gib)),
                    By::Month => None,
                },
            },
            estimated_incremental: estimate.map(Amount::from),
            price_regions: prices.into_iter().map(|price| price.region).collect(),
        };
        match subject {
            Subject::Month(date) => row.month = Some(month(date)),
            Subject::Dimension(dimension) => {
                row.region = Some(dimension.region().to_owned());
                match dimension {
                    Dimension::Instance(id, _) => row.instance_id = Some(id),
                    Dimension::Schedule(id, _) => row.schedule_id = id,
                    Dimension::Region(_) | Dimension::Day(..) => {}
                }
            }
            Subject::All => {}
        }
        row
    }
}

fn month(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

impl From<bills::Amount> for Amount {
    fn from(amount: bills::Amount) -> Self {
        let bills::Amount { gib, cost } = amount;
        Self { gib: rounded(gib), cost: rounded(cost) }
    }
}

impl From<Price> for BillingPrice {
    fn from(price: Price) -> Self {
        let Price {
            standard_gib_month,
            archive_gib_month,
            fast_restore_zone_hour,
            currency,
            region,
            as_of,
            source,
        } = price;
        Self {
            price_region: region,
            standard_gib_month,
            archive_gib_month,
            fast_restore_zone_hour,
            currency,
            as_of,
            source,
        }
    }
}

/// Without what floating-point numbers leave behind.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
