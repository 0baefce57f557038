//! A simulation on the wire: its days, its sums, and what the numbers rest on.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::Serialize;
use shared::domain::cost::{Price, Stored, Volume};
use shared::domain::retention::Rules;
use shared::domain::schedule::preview::describe;
use shared::domain::simulation::{Day, Scenario, Simulation};
use utoipa::ToSchema;

/// A schedule and its rules, run forward.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SimulationResult {
    /// The local days, in order.
    days: Vec<SimulatedDay>,
    /// All days together.
    totals: SimulationTotals,
    /// What the numbers rest on, in words.
    assumptions: SimulationAssumptions,
    /// The price that was reckoned with.
    price: SimulationPrice,
    /// The schedule and its rules, in plain English.
    #[schema(example = "every hour, Europe/Berlin; keep the last 7")]
    description: String,
}

/// One local day.
#[derive(Debug, Serialize, ToSchema)]
struct SimulatedDay {
    /// The date, in the schedule's zone.
    #[schema(value_type = String, format = Date, example = "2026-03-29")]
    date: Date,
    /// How often the schedule fires.
    fires: u32,
    /// How many snapshots exist as the day ends.
    snapshots: usize,
    /// The oldest restore point then.
    oldest: Option<Timestamp>,
    /// As if each snapshot held the whole volume.
    gib_upper_bound: f64,
    /// The oldest in full, each later one with what has changed since the one before it.
    gib_estimate: f64,
    /// What the upper bound costs for one day.
    cost_upper_bound: f64,
    /// What the estimate costs for one day.
    cost_estimate: f64,
    /// The matching local times of that day that a clock change skips.
    #[schema(value_type = Vec<String>, example = json!(["2026-03-29T02:30:00"]))]
    missed: Vec<DateTime>,
    /// When the snapshots that exist as the day ends were due, the oldest first: on the days that `survivors_every_days`
    /// asked for, else null. Of more than 200 the oldest, the newest and some evenly between are told.
    #[schema(required)]
    survivors: Option<Vec<Timestamp>>,
}

/// How many snapshots of a day are told.
const SURVIVORS_MAX: usize = 200;

/// All days of a simulation together.
#[derive(Debug, Default, Serialize, ToSchema)]
struct SimulationTotals {
    /// How often the schedule fires.
    fires: u32,
    /// How many matching local times clock changes skip.
    missed: usize,
    /// The most snapshots that exist as a day ends.
    snapshots_max: usize,
    /// The days' `cost_upper_bound` together.
    cost_upper_bound: f64,
    /// The days' `cost_estimate` together.
    cost_estimate: f64,
}

/// What the numbers of a simulation rest on, in words: a text for each field that needs one.
#[derive(Debug, Serialize, ToSchema)]
struct SimulationAssumptions {
    /// Of `snapshots`.
    snapshots: String,
    /// Of `oldest`.
    oldest: String,
    /// Of `gib_upper_bound`.
    gib_upper_bound: String,
    /// Of `gib_estimate`.
    gib_estimate: String,
    /// Of `cost_upper_bound`.
    cost_upper_bound: String,
    /// Of `cost_estimate`.
    cost_estimate: String,
    /// Of `missed`.
    missed: String,
    /// Of `price`.
    price: String,
}

/// The price that was reckoned with: EBS snapshots in the standard tier.
#[derive(Debug, Serialize, ToSchema)]
struct SimulationPrice {
    /// A GiB for a month.
    #[schema(example = 0.05)]
    per_gib_month: f64,
    /// The currency's code.
    #[schema(example = "USD")]
    currency: String,
    /// The region whose price it is.
    #[schema(example = "us-east-1")]
    region: String,
    /// The month in which it was looked up.
    #[schema(example = "2026-11")]
    as_of: String,
    /// Where.
    source: String,
}

impl SimulationResult {
    /// Runs the simulation, and tells the survivors of each `every`th day. The price is the one that is taken in the
    /// region beside it.
    pub(super) fn of(
        scenario: &Scenario<'_>,
        simulation: Simulation<'_>,
        (volume, every): (Volume, Option<usize>),
        (price, region): (Price, &str),
    ) -> Self {
        let is_told = |at: usize| every.is_some_and(|every| at.is_multiple_of(every));
        let told = |(at, day): (usize, Day)| {
            let survivors = is_told(at).then(|| thinned(&day.survivors));
            SimulatedDay { survivors, ..SimulatedDay::of(day, volume, &price) }
        };
        let days: Vec<_> = simulation.enumerate().map(told).collect();
        let mut totals = SimulationTotals::default();
        for day in &days {
            totals.add(day);
        }
        let rules = scenario.rules.map_or_else(|| "keep everything".to_owned(), Rules::describe);
        Self {
            days,
            totals: totals.rounded(),
            assumptions: SimulationAssumptions::of(volume, &price, region),
            description: format!("{}; {rules}", describe(&scenario.timing)),
            price: price.into(),
        }
    }
}

impl SimulatedDay {
    fn of(day: Day, volume: Volume, price: &Price) -> Self {
        let Day { date, fires, survivors, missed } = day;
        let Stored { upper_bound_gib, estimate_gib } = Stored::of(&survivors, volume);
        Self {
            date,
            fires,
            snapshots: survivors.len(),
            oldest: survivors.first().copied(),
            gib_upper_bound: rounded(upper_bound_gib),
            gib_estimate: rounded(estimate_gib),
            cost_upper_bound: rounded(price.standard_day(upper_bound_gib)),
            cost_estimate: rounded(price.standard_day(estimate_gib)),
            missed,
            survivors: None,
        }
    }
}

impl SimulationTotals {
    fn add(&mut self, day: &SimulatedDay) {
        self.fires += day.fires;
        self.missed += day.missed.len();
        self.snapshots_max = self.snapshots_max.max(day.snapshots);
        self.cost_upper_bound += day.cost_upper_bound;
        self.cost_estimate += day.cost_estimate;
    }

    fn rounded(self) -> Self {
        Self {
            cost_upper_bound: rounded(self.cost_upper_bound),
            cost_estimate: rounded(self.cost_estimate),
            ..self
        }
    }
}

/// All of them, or so many that the first, the last and some evenly between are there.
fn thinned(all: &[Timestamp]) -> Vec<Timestamp> {
    if all.len() <= SURVIVORS_MAX {
        return all.to_vec();
    }
    let place = |at: usize| at * (all.len() - 1) / (SURVIVORS_MAX - 1);
    (0..SURVIVORS_MAX).filter_map(|at| all.get(place(at)).copied()).collect()
}

/// To six places: no more is meant.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

impl SimulationAssumptions {
    fn of(volume: Volume, price: &Price, region: &str) -> Self {
        let Volume { size_gib, daily_change_percent } = volume;
        let day = "the GiB that exist as the day ends, for the whole day, at the price of a month divided by 30";
        let of_region = if price.region == region {
            format!("the list price of {region}, standard tier, as of {}", price.as_of)
        } else {
            format!(
                "the price list has no price of {region}; that of {} is taken, standard tier, as of {}",
                price.region, price.as_of
            )
        };
        Self {
            snapshots: "one instance without any snapshot at the beginning; each snapshot is there as soon as it \
                        is due and never fails; a sweep at every full hour of UTC judges what was due before it, \
                        the newest always stays, and what is condemned no longer counts; no holds, no brake"
                .to_owned(),
            oldest: "the instant at which the oldest snapshot that exists as the day ends was due".to_owned(),
            gib_upper_bound: format!(
                "every snapshot counted with the full {size_gib} GiB of the volume; it cannot be more"
            ),
            gib_estimate: format!(
                "the oldest snapshot counted in full, each later one with {daily_change_percent} % of {size_gib} \
                 GiB for each day since the one before it, at most in full; EBS bills the blocks that have \
                 changed, which nobody knows before"
            ),
            cost_upper_bound: format!("gib_upper_bound: {day}"),
            cost_estimate: format!("gib_estimate: {day}"),
            missed: "a local time that a clock change skips does not fire; one that is repeated fires the first \
                     time"
                .to_owned(),
            price: of_region,
        }
    }
}

impl From<Price> for SimulationPrice {
    fn from(price: Price) -> Self {
        let Price {
            standard_gib_month,
            archive_gib_month: _archive_gib_month,
            fast_restore_zone_hour: _fast_restore_zone_hour,
            currency,
            region,
            as_of,
            source,
        } = price;
        Self { per_gib_month: standard_gib_month, currency, region, as_of, source }
    }
}
