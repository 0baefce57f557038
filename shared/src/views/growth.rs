//! How much was stored, day by day, week by week or month by month.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::statistics::history::{Day, days};
use crate::domain::statistics::{Measure, date_of};
use crate::error::Error;
use crate::service::Service;
use crate::views::{known_region, statistics};

/// How many days an answer goes back at the most.
pub const DAYS_BACK_MAX: i64 = 1_100;
/// How many periods an answer has at the most.
pub const PERIODS_MAX: usize = 400;

/// How long the periods are that are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Day,
    /// From Monday on.
    Week,
    Month,
}

/// Which growth is wanted.
#[derive(Clone, Debug)]
pub struct GrowthQuery {
    /// From this day on, in UTC.
    pub from: Date,
    /// Until this day, which is in it.
    pub to: Date,
    pub step: Step,
    /// Of this region only.
    pub region: Option<String>,
}

/// What came and went within a period, and what was stored as it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first day.
    pub begins: Date,
    /// Snapshots that came to be stored.
    pub added: i64,
    /// Snapshots that ceased to be.
    pub gone: i64,
    pub added_gib: i64,
    pub gone_gib: i64,
    /// The sizes of the volumes of what was stored as it ended, or is now.
    pub size_gib: i64,
}

/// The periods in order: one read of the rows of all regions, one of those of the days.
pub async fn growth(
    service: &Service,
    query: &GrowthQuery,
    now: Timestamp,
) -> Result<Vec<Period>, Error> {
    known_region::check(service, query.region.as_ref()).await?;
    let today = date_of(now);
    let earliest = today.checked_sub(DAYS_BACK_MAX.days()).unwrap_or(today);
    if query.from < earliest {
        let reason =
            format!("must not lie before {earliest}: growth is told for {DAYS_BACK_MAX} days");
        return Err(Error::invalid("from", reason));
    }
    let regions = statistics::regions(service).await?;
    let rows = service.table.days_from(query.from).await?;
    let is_wanted =
        |region: &str| query.region.as_ref().is_none_or(|wanted| wanted.as_str() == region);
    let mut periods: Vec<Period> = Vec::new();
    for region in regions.iter().filter(|row| is_wanted(row.dimension.region())) {
        let name = region.dimension.region();
        let rows: Vec<_> = rows.iter().filter(|row| row.dimension.region() == name).collect();
        let level = region.tally.get(Measure::VolumeGib);
        let days = days(&rows, level, query.from, now);
        let days: Vec<_> = days.into_iter().filter(|day| day.date <= query.to).collect();
        add(&mut periods, &in_periods(&days, query.step));
    }
    if periods.len() > PERIODS_MAX {
        let reason = format!("would give {} periods, of {PERIODS_MAX} at the most", periods.len());
        return Err(Error::invalid("step", reason));
    }
    Ok(periods)
}

/// Days that follow each other, put together.
fn in_periods(days: &[Day], step: Step) -> Vec<Period> {
    let mut periods: Vec<Period> = Vec::new();
    for day in days {
        let begins_anew = match step {
            Step::Day => true,
            Step::Week => day.date.weekday() == jiff::civil::Weekday::Monday,
            Step::Month => day.date.day() == 1,
        };
        match periods.last_mut().filter(|_| !begins_anew) {
            Some(period) => {
                period.added += day.added;
                period.gone += day.gone;
                period.added_gib += day.added_gib;
                period.gone_gib += day.gone_gib;
                period.size_gib = day.volume_gib;
            }
            None => periods.push(Period {
                begins: day.date,
                added: day.added,
                gone: day.gone,
                added_gib: day.added_gib,
                gone_gib: day.gone_gib,
                size_gib: day.volume_gib,
            }),
        }
    }
    periods
}

/// Adds the periods of one more region, which are the same periods.
fn add(sums: &mut Vec<Period>, periods: &[Period]) {
    if sums.is_empty() {
        sums.extend_from_slice(periods);
        return;
    }
    for (sum, period) in sums.iter_mut().zip(periods) {
        sum.added += period.added;
        sum.gone += period.gone;
        sum.added_gib += period.added_gib;
        sum.gone_gib += period.gone_gib;
        sum.size_gib += period.size_gib;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, added: i64, volume_gib: i64) -> Day {
        Day {
            date: date.parse().unwrap(),
            added,
            gone: 1,
            added_gib: 2 * added,
            gone_gib: 2,
            volume_gib,
            gib_seconds: 0,
            estimates: None,
        }
    }

    #[test]
    fn weeks_begin_on_monday_and_have_the_level_of_their_last_day() {
        // 2026-03-01 is a Sunday.
        let days = [day("2026-03-01", 1, 10), day("2026-03-02", 2, 20), day("2026-03-03", 3, 30)];

        let weeks = in_periods(&days, Step::Week);

        let told: Vec<_> =
            weeks.iter().map(|one| (one.begins.to_string(), one.added, one.size_gib)).collect();
        assert_eq!(told, [("2026-03-01".to_owned(), 1, 10), ("2026-03-02".to_owned(), 5, 30)]);
        assert_eq!((weeks[1].gone, weeks[1].added_gib, weeks[1].gone_gib), (2, 10, 4));
    }

    #[test]
    fn months_begin_on_the_first_and_days_stand_alone() {
        let days = [day("2026-02-28", 1, 10), day("2026-03-01", 2, 20), day("2026-03-02", 3, 30)];

        assert_eq!(in_periods(&days, Step::Month).len(), 2);
        assert_eq!(in_periods(&days, Step::Day).len(), 3);
    }

    #[test]
    fn the_periods_of_regions_add_up() {
        let mut sums = Vec::new();
        let one = in_periods(&[day("2026-03-01", 1, 10)], Step::Day);

        add(&mut sums, &one);
        add(&mut sums, &one);

        assert_eq!((sums[0].added, sums[0].gone, sums[0].size_gib), (2, 2, 20));
    }
}
