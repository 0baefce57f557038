//! Numbers in the table: rows of counts to which every write of a snapshot adds what it changes.
//!
//! They have no `body` and no version: DynamoDB adds to an attribute for each measure, so that any number of writers need
//! not read what they add to. A writer that dies between a record, or a batch of them, and their numbers leaves these off
//! until the next count of all records.

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::client::{QueryPage, Range, Table, Written, failed};
use super::keys::statistics as keys;
use super::record::{Item, Record, SCHEMA, key_item, text};
use super::together::Together;
use crate::domain::chain::Estimates;
use crate::domain::cursor::Order;
use crate::domain::snapshot::Snapshot;
use crate::domain::statistics::{Delta, Dimension, DimensionKind, Measure, Row, Tally, delta};
use crate::error::{Error, chain};

/// The attributes of the volume sizes and full sizes that the last count of all found.
const COUNTED_GIB: &str = "counted_gib";
const COUNTED_FULL_MIB: &str = "counted_full_mib";
const COUNTED_ARCHIVED_MIB: &str = "counted_archived_mib";
/// How many rows one Query asks for where all are wanted.
const ROWS_MAX: usize = 1_000;

/// Rows with their positions.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The rows, in order.
    pub rows: Vec<(String, Row)>,
    /// Whether there may be more behind.
    pub more: bool,
}

#[derive(Serialize, Deserialize)]
struct RecountBody {
    at: Timestamp,
}

impl Table {
    /// The same table, whose writes add to the numbers together, a few at a time and the last by [`Table::add_together`]: a row
    /// that several of them change is written once.
    #[must_use]
    pub fn counting_together(&self) -> Self {
        Self { together: Some(Together::default()), ..self.clone() }
    }

    /// Adds to the numbers what the writes of a batch have changed. Whoever dies before leaves them off until the next count
    /// of all, as between a record and its numbers.
    pub async fn add_together(&self) {
        let gathered = self.together.as_ref().map(Together::take).unwrap_or_default();
        self.add(gathered).await;
    }

    /// Adds to the numbers what the write of `new` in place of `old` has changed, if it was written.
    pub(super) async fn count(&self, written: Written, old: Option<&Snapshot>, new: &Snapshot) {
        if !written.is_done() {
            return;
        }
        let changed = delta(old, new);
        let due = match &self.together {
            Some(together) => together.gather(changed),
            None => changed,
        };
        self.add(due).await;
    }

    /// A failure is logged and mended by the next count of all: no write of a record fails for its numbers.
    async fn add(&self, changed: Delta) {
        for (dimension, tally) in changed {
            if let Err(error) = self.add_to_row(&dimension, &tally, None).await {
                let error = chain(&error);
                warn!(error.chain = %error, "The numbers of {dimension:?} are off until the next recount");
            }
        }
    }

    /// Adds to the counts of a dimension, and sets its estimates if there are any. Repeated, it adds again.
    pub async fn add_to_row(
        &self,
        dimension: &Dimension,
        tally: &Tally,
        estimates: Option<&Estimates>,
    ) -> Result<(), Error> {
        let mut set = "SET #schema = :schema".to_owned();
        let mut add = String::new();
        let schema = AttributeValue::N(SCHEMA.to_string());
        let mut request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key_item(keys::row(dimension))))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema);
        for (place, (name, number)) in estimates.map(numbers).into_iter().flatten().enumerate() {
            // Writing to a String cannot fail.
            _ = write!(set, ", #e{place} = :e{place}");
            request = request
                .expression_attribute_names(format!("#e{place}"), name)
                .expression_attribute_values(
                    format!(":e{place}"),
                    AttributeValue::N(number.to_string()),
                );
        }
        for (place, (measure, count)) in tally.iter().enumerate() {
            let before = if place == 0 { " ADD" } else { "," };
            _ = write!(add, "{before} #a{place} :a{place}");
            request = request
                .expression_attribute_names(format!("#a{place}"), attribute(measure))
                .expression_attribute_values(
                    format!(":a{place}"),
                    AttributeValue::N(count.to_string()),
                );
        }
        let answer = request.update_expression(format!("{set}{add}")).send().await;
        answer.map_err(|error| failed("adding to numbers", error))?;
        Ok(())
    }

    /// At most `limit` rows of a kind, in the order of their keys, after a position.
    pub async fn rows(
        &self,
        kind: DimensionKind,
        after: Option<String>,
        limit: usize,
    ) -> Result<Rows, Error> {
        let range = Range {
            order: Order::OldestFirst,
            limit,
            after,
            ..Range::of(None, keys::partition(kind))
        };
        let QueryPage { items, more } = self.query_items(&range).await?;
        let rows = items
            .iter()
            .filter_map(|item| {
                let sort = text(item, "sk")?;
                let dimension = keys::dimension(kind, &sort)?;
                let (tally, estimates) = (tally_of(item), estimates_of(item));
                Some((sort, Row { dimension, tally, estimates }))
            })
            .collect();
        Ok(Rows { rows, more })
    }

    /// All rows of a kind.
    pub async fn every_row(&self, kind: DimensionKind) -> Result<Vec<Row>, Error> {
        self.rows_after(kind, None).await
    }

    /// The rows of all days from `from` on.
    pub async fn days_from(&self, from: Date) -> Result<Vec<Row>, Error> {
        self.rows_after(DimensionKind::Day, Some(keys::day(from))).await
    }

    async fn rows_after(
        &self,
        kind: DimensionKind,
        after: Option<String>,
    ) -> Result<Vec<Row>, Error> {
        let mut all = Vec::new();
        let mut after = after;
        loop {
            let Rows { rows, more } = self.rows(kind, after, ROWS_MAX).await?;
            after = rows.last().map(|(position, _)| position.clone());
            all.extend(rows.into_iter().map(|(_, row)| row));
            if !more || after.is_none() {
                return Ok(all);
            }
        }
    }

    /// When all records were last counted; none if never.
    pub async fn last_recount(&self) -> Result<Option<Timestamp>, Error> {
        let body: Option<RecountBody> = self.get(keys::last_recount()).await?;
        Ok(body.map(|body| body.at))
    }

    /// All records have been counted at `at`.
    pub async fn note_recount(&self, at: Timestamp) -> Result<(), Error> {
        let body = RecountBody { at };
        let key = keys::last_recount();
        let record = Record { key, version: 1, indexes: Vec::new(), body: &body, expires_at: None };
        self.overwrite(record).await
    }
}

/// The attribute that has a measure.
fn attribute(measure: Measure) -> String {
    match measure {
        Measure::Status(status) => format!("status_{status}"),
        Measure::Origin(origin) => format!("origin_{origin}"),
        Measure::Stored => "stored".to_owned(),
        Measure::Available => "available".to_owned(),
        Measure::VolumeGib => "volume_gib".to_owned(),
        Measure::FullMib => "full_mib".to_owned(),
        Measure::MeasuredGib => "measured_gib".to_owned(),
        Measure::AddedStored => "added_stored".to_owned(),
        Measure::GoneStored => "gone_stored".to_owned(),
        Measure::AddedGib => "added_gib".to_owned(),
        Measure::GoneGib => "gone_gib".to_owned(),
        Measure::GibSeconds => "gib_seconds".to_owned(),
    }
}

/// The attributes of estimates.
fn numbers(estimates: &Estimates) -> Vec<(String, i64)> {
    let Estimates { volume_gib, full_mib, mib, archived_mib } = estimates;
    let mut numbers =
        vec![(COUNTED_GIB.to_owned(), *volume_gib), (COUNTED_FULL_MIB.to_owned(), *full_mib)];
    numbers.push((COUNTED_ARCHIVED_MIB.to_owned(), *archived_mib));
    numbers.extend(mib.iter().enumerate().map(|(place, mib)| (estimate(place), *mib)));
    numbers
}

fn estimate(place: usize) -> String {
    format!("estimate_{place}_mib")
}

fn tally_of(item: &Item) -> Tally {
    let mut tally = Tally::default();
    for measure in Measure::all() {
        tally.add(measure, number(item, &attribute(measure)).unwrap_or(0));
    }
    tally
}

fn estimates_of(item: &Item) -> Option<Estimates> {
    let mut estimates = Estimates {
        volume_gib: number(item, COUNTED_GIB)?,
        full_mib: number(item, COUNTED_FULL_MIB)?,
        // It came later.
        archived_mib: number(item, COUNTED_ARCHIVED_MIB).unwrap_or(0),
        ..Estimates::default()
    };
    for (place, mib) in estimates.mib.iter_mut().enumerate() {
        *mib = number(item, &estimate(place))?;
    }
    Some(estimates)
}

fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
