//! Counts all records, and mends the numbers that were kept beside them. Whoever reads all records has them counted: no
//! count reads them by itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use crate::domain::snapshot::Snapshot;
use crate::domain::statistics::DimensionKind;
use crate::domain::statistics::recount::{Correction, Recount};
use crate::domain::statistics::{Dimension, Row, Tally, flow};
use crate::error::{Error, chain};
use crate::service::Service;
use crate::table::{Presence, SnapshotList};

/// What a count of all records found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecountReport {
    pub records: usize,
    /// Rows whose counts lacked something.
    pub corrected: usize,
    /// Rows that could not be written; the next count finds them again.
    pub failed: usize,
}

/// The kept numbers at a moment.
pub(crate) struct Reading {
    rows: Vec<Row>,
    days: Vec<Row>,
}

impl Reading {
    /// The numbers as they are now.
    pub(crate) async fn of(service: &Service) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for kind in [DimensionKind::Region, DimensionKind::Instance, DimensionKind::Schedule] {
            rows.extend(service.table.every_row(kind).await?);
        }
        Ok(Self { rows, days: service.table.every_row(DimensionKind::Day).await? })
    }
}

/// What a count of all records found, before anything of it is written.
pub(crate) struct Counted {
    records: usize,
    corrections: Vec<Correction>,
    /// What the regions' days lack, with the estimates of the hour.
    days: Vec<Correction>,
}

impl Counted {
    /// Counts `records`, all that lists show, and finds what the numbers lack, and the estimates of chains, which only
    /// a count of all knows. The numbers `before` must have been read before the records; here they are read again.
    /// What is written between the two readings and stays is not taken for a difference. What rises and falls again
    /// between them can be: until the next hour's count.
    pub(crate) async fn of<'a>(
        service: &Service,
        before: &Reading,
        records: impl Iterator<Item = &'a Snapshot>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut recount = Recount::default();
        // One that has left the list since the index was read is among them as it is now.
        records.filter(|one| !one.status.is_gone()).for_each(|one| recount.note(one));
        let after = Reading::of(service).await?;
        let corrections = recount.corrections(&before.rows, &after.rows);
        let estimates = recount.estimates();
        let kept = after.rows.iter().map(|row| &row.dimension);
        // A region of which nothing is stored any more has a day too: that of nothing.
        let all: BTreeSet<_> = recount.tallies().keys().chain(kept).collect();
        let mut days = Vec::new();
        for one in all {
            let Dimension::Region(region) = one else { continue };
            let (gib, sets) = recount.days_lack(region, &before.days, &after.days);
            let (dimension, tally) = flow(region, now, gib, sets);
            let estimates = estimates.get(one).copied().unwrap_or_default();
            days.push(Correction { dimension, tally, estimates });
        }
        Ok(Self { records: recount.records, corrections, days })
    }

    /// Adds to the numbers what they lack, and sets the estimates. A count after that finds nothing more.
    pub(crate) async fn carry_out(
        self,
        service: &Service,
        now: Timestamp,
    ) -> Result<RecountReport, Error> {
        let mut report = RecountReport { records: self.records, ..RecountReport::default() };
        for correction in &self.corrections {
            report.note(correct(service, correction).await, correction);
        }
        for day in &self.days {
            if let Err(error) = correct(service, day).await {
                report.failed += 1;
                let region = day.dimension.region();
                warn!(error.chain = %chain(&error), "The day of {region} lacks this hour");
            }
        }
        service.table.note_recount(now).await?;
        info!("{} records counted, {} rows corrected", report.records, report.corrected);
        Ok(report)
    }
}

/// Counts all records at once, and sets the numbers: for a table that something else has filled than our functions, whose
/// reconciliation counts beside what it has to do. Comes back with how many records there are.
pub async fn recount(service: &Service, now: Timestamp) -> Result<usize, Error> {
    let before = Reading::of(service).await?;
    let list = SnapshotList::All(Presence::Here);
    let records = service.table.every_snapshot(&list).await?;
    let counted = Counted::of(service, &before, records.iter(), now).await?;
    for correction in counted.corrections.iter().chain(&counted.days) {
        correct(service, correction).await?;
    }
    service.table.note_recount(now).await?;
    Ok(counted.records)
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
