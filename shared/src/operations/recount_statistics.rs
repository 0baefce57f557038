//! Counts all records, and mends the numbers that were kept beside them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use crate::domain::cursor::Order;
use crate::domain::statistics::recount::{Correction, Recount};
use crate::domain::statistics::{Dimension, Row, Tally, flow};
use crate::error::{Error, chain};
use crate::service::Service;
use crate::table::keys::statistics::Kind;
use crate::table::keys::{self, Index, Presence};
use crate::table::snapshots::{Listed, Slice, SnapshotList};

/// How many records one page of the count reads.
const PAGE: usize = 1_000;

/// What a count of all records found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecountReport {
    /// Records counted.
    pub records: usize,
    /// Rows whose counts lacked something.
    pub corrected: usize,
    /// Rows that could not be written; the next count finds them again.
    pub failed: usize,
}

/// Counts all records that lists show and adds to the numbers what they lack, then sets the estimates of chains, which
/// only a count of all knows. Repeated, it finds nothing more. What is written meanwhile is not taken for a difference.
pub async fn recount_statistics(service: &Service, now: Timestamp) -> Result<RecountReport, Error> {
    let before = Reading::of(service).await?;
    let recount = count(service).await?;
    let after = Reading::of(service).await?;
    let mut report = RecountReport { records: recount.records, ..RecountReport::default() };
    for correction in recount.corrections(&before.rows, &after.rows) {
        report.note(correct(service, &correction).await, &correction);
    }
    let estimates = recount.estimates();
    let kept = after.rows.iter().map(|row| &row.dimension);
    // A region of which nothing is stored any more has a day too: that of nothing.
    let all: BTreeSet<_> = recount.tallies().keys().chain(kept).collect();
    for dimension in all {
        let Dimension::Region(region) = dimension else { continue };
        let (gib, sets) = recount.days_lack(region, &before.days, &after.days);
        let (day, tally) = flow(region, now, gib, sets);
        let estimates = estimates.get(dimension).copied().unwrap_or_default();
        if let Err(error) = service.table.add_to_row(&day, &tally, Some(&estimates)).await {
            report.failed += 1;
            warn!(error.chain = %chain(&error), "The day of {region} lacks this hour");
        }
    }
    service.table.note_recount(now).await?;
    info!("{} records counted, {} rows corrected", report.records, report.corrected);
    Ok(report)
}

/// The kept numbers at a moment.
struct Reading {
    rows: Vec<Row>,
    days: Vec<Row>,
}

impl Reading {
    async fn of(service: &Service) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for kind in [Kind::Region, Kind::Instance, Kind::Schedule] {
            rows.extend(service.table.every_row(kind).await?);
        }
        Ok(Self { rows, days: service.table.every_row(Kind::Day).await? })
    }
}

async fn count(service: &Service) -> Result<Recount, Error> {
    let list = SnapshotList { index: Index::All, partition: keys::all(Presence::Here) };
    let mut recount = Recount::default();
    let mut after = None;
    loop {
        let slice = Slice { order: Order::OldestFirst, limit: PAGE, after };
        let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
        after = snapshots.last().map(|(position, _)| position.clone());
        for (_, snapshot) in &snapshots {
            // One that has left the list since the index was read is among them as it is now.
            if !snapshot.status.is_gone() {
                recount.note(snapshot);
            }
        }
        if !more || after.is_none() {
            return Ok(recount);
        }
    }
}

async fn correct(service: &Service, correction: &Correction) -> Result<(), Error> {
    let Correction { dimension, tally, estimates } = correction;
    service.table.add_to_row(dimension, tally, Some(estimates)).await
}

impl RecountReport {
    fn note(&mut self, written: Result<(), Error>, correction: &Correction) {
        let Correction { dimension, tally, .. } = correction;
        match written {
            Ok(()) if tally.is_empty() => {}
            Ok(()) => {
                self.corrected += 1;
                warn!("The numbers of {dimension:?} lacked {}", words(tally));
            }
            Err(error) => {
                self.failed += 1;
                warn!(error.chain = %chain(&error), "The numbers of {dimension:?} stay wrong");
            }
        }
    }
}

fn words(tally: &Tally) -> String {
    let words: Vec<_> =
        tally.iter().map(|(measure, count)| format!("{measure:?} {count:+}")).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::statistics::{Measure, date_of};

    #[test]
    fn what_was_lacking_is_said_in_words() {
        let (day, tally) = flow("eu-west-1", "2026-03-02T23:59:00Z".parse().unwrap(), -8, -1);

        assert_eq!(day, Dimension::Day("2026-03-02".parse().unwrap(), "eu-west-1".to_owned()));
        assert_eq!(date_of("2026-03-02T23:59:00Z".parse().unwrap()).to_string(), "2026-03-02");
        assert_eq!(tally.get(Measure::GibSeconds), -480);
        assert_eq!(words(&tally), "GoneStored +1, GoneGib +8, GibSeconds -480");
    }
}
