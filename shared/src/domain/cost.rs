//! The cost of EBS snapshots: the price list, and how much a history of snapshots of one volume holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// The price list.
const PRICES: &str = include_str!("../../data/ebs_prices.json");

/// The region whose prices are taken where the list has none.
const FALLBACK_REGION: &str = "us-east-1";

/// A price is for a month; this many days are one.
const DAYS_OF_MONTH: f64 = 30.0;

const HOURS_OF_DAY: f64 = 24.0;

const SECONDS_OF_DAY: f64 = 86_400.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceList {
    as_of: String,
    currency: String,
    source: String,
    volumes: VolumePrices,
    regions: BTreeMap<String, RegionPrices>,
}

/// What a GiB of a volume costs for a month by its type, without what is provisioned of operations and throughput.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumePrices {
    region: String,
    gib_month: BTreeMap<String, f64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionPrices {
    standard_gib_month: f64,
    archive_gib_month: Option<f64>,
    fast_restore_zone_hour: Option<f64>,
    /// Where it is not that of the list.
    as_of: Option<String>,
}

/// What EBS snapshots cost in a region.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// A GiB for a month, in the standard tier.
    pub standard_gib_month: f64,
    /// A GiB for a month, in the archive tier, where the list has it.
    pub archive_gib_month: Option<f64>,
    /// Fast snapshot restore of one snapshot in one zone for an hour, whatever its size, where the list has it.
    pub fast_restore_zone_hour: Option<f64>,
    /// The currency's code.
    pub currency: String,
    /// The region whose price it is: not the one asked for if the list lacks that.
    pub region: String,
    /// The month that it is of.
    pub as_of: String,
    /// Where it was looked up.
    pub source: String,
}

impl Price {
    /// The price in `region`, or where the list lacks that, in us-east-1.
    pub fn of(region: &str) -> Result<Self, serde_json::Error> {
        let PriceList { as_of, currency, source, volumes: _volumes, regions } = price_list()?;
        let found =
            regions.get_key_value(region).or_else(|| regions.get_key_value(FALLBACK_REGION));
        let (region, prices) = found.ok_or_else(|| {
            serde::de::Error::custom(format!("the price list lacks {FALLBACK_REGION}"))
        })?;
        let RegionPrices {
            standard_gib_month,
            archive_gib_month,
            fast_restore_zone_hour,
            as_of: own,
        } = prices.clone();
        Ok(Self {
            standard_gib_month,
            archive_gib_month,
            fast_restore_zone_hour,
            currency,
            region: region.clone(),
            as_of: own.unwrap_or(as_of),
            source,
        })
    }

    /// What so many GiB cost in the standard tier for a month.
    pub fn standard_month(&self, gib: f64) -> f64 {
        gib * self.standard_gib_month
    }

    /// What so many GiB cost in the archive for a month; as much as in the standard tier where the list lacks its price.
    pub fn archive_month(&self, gib: f64) -> f64 {
        gib * self.archive_gib_month.unwrap_or(self.standard_gib_month)
    }

    /// What fast snapshot restore of so many pairs of a snapshot and a zone costs for a month; nothing where the list lacks it.
    pub fn fast_restore_month(&self, zones: u32) -> Option<f64> {
        self.fast_restore_zone_hour
            .map(|hour| f64::from(zones) * hour * HOURS_OF_DAY * DAYS_OF_MONTH)
    }

    /// What so many GiB cost in the standard tier for one day: a thirtieth of the month's price.
    pub fn standard_day(&self, gib: f64) -> f64 {
        gib * self.standard_gib_month / DAYS_OF_MONTH
    }
}

fn price_list() -> Result<PriceList, serde_json::Error> {
    serde_json::from_str(PRICES)
}

/// What volumes cost for a month.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumesMonth {
    pub price: f64,
    /// The currency's code.
    pub currency: String,
    /// The region of the price list, whichever the volumes are in.
    pub region: String,
}

/// What volumes of these types and GiB cost for a month, without operations and throughput that are paid for; nothing if there
/// are none, or the list lacks a type.
pub fn volumes_month<'a>(
    volumes: impl IntoIterator<Item = (&'a str, u32)>,
) -> Option<VolumesMonth> {
    let PriceList {
        as_of: _as_of,
        currency,
        source: _source,
        volumes: prices,
        regions: _of_snapshots,
    } = price_list().ok()?;
    let VolumePrices { region, gib_month } = prices;
    let each = volumes
        .into_iter()
        .map(|(volume_type, gib)| gib_month.get(volume_type).map(|price| price * f64::from(gib)));
    let price = each.sum::<Option<f64>>().filter(|price| *price > 0.0)?;
    Some(VolumesMonth { price, currency, region })
}

/// A volume of which snapshots are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    pub size_gib: u32,
    /// How much of it is written anew within a day, of a hundred.
    pub daily_change_percent: f64,
}

/// How much the snapshots of a volume hold, in GiB. EBS bills the blocks that have changed, which nobody knows
/// before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stored {
    /// As if each held the whole volume: it cannot be more.
    pub upper_bound_gib: f64,
    /// The oldest in full, each later one with what has changed since the one before it.
    pub estimate_gib: f64,
}

impl Stored {
    /// What snapshots of these instants hold, given from the oldest to the newest.
    pub fn of(oldest_first: &[Timestamp], volume: Volume) -> Self {
        let size_gib = f64::from(volume.size_gib);
        let count = u32::try_from(oldest_first.len()).unwrap_or(u32::MAX);
        let changed: f64 = oldest_first
            .iter()
            .zip(oldest_first.iter().skip(1))
            .map(|(one, next)| {
                let days = next.duration_since(*one).as_secs_f64() / SECONDS_OF_DAY;
                (days * volume.daily_change_percent / 100.0).min(1.0) * size_gib
            })
            .sum();
        let first = if oldest_first.is_empty() { 0.0 } else { size_gib };
        Self { upper_bound_gib: f64::from(count) * size_gib, estimate_gib: first + changed }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    const VOLUME: Volume = Volume { size_gib: 100, daily_change_percent: 3.0 };

    fn day(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn is_near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn volumes_cost_by_type_and_size() {
        let month = volumes_month([("gp3", 100), ("st1", 200)]).unwrap();

        assert!(is_near(month.price, 8.0 + 9.0), "{month:?}");
        assert_eq!((&*month.currency, &*month.region), ("USD", "us-east-1"));
        assert_eq!(volumes_month([("gp3", 100), ("gp9", 1)]), None);
        assert_eq!(volumes_month([]), None);
    }

    #[test]
    fn the_price_is_that_of_the_region() {
        let price = Price::of("us-east-1").unwrap();

        assert_eq!((price.region.as_str(), price.currency.as_str()), ("us-east-1", "USD"));
        assert!(is_near(price.standard_gib_month, 0.05));
        assert!(is_near(price.archive_gib_month.unwrap(), 0.0125));
        assert_eq!(price.as_of, "2026-11");
    }

    #[test]
    fn the_archive_has_its_own_price_where_the_list_has_it() {
        assert!(is_near(Price::of("us-east-1").unwrap().archive_month(100.0), 1.25));
        assert!(is_near(Price::of("us-west-1").unwrap().archive_month(100.0), 5.5));
    }

    // 0.75 for each zone and hour: docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/amazon-ebs.html.
    #[test]
    fn fast_restore_costs_for_each_zone_and_hour_where_the_list_has_its_price() {
        let price = Price::of("us-east-1").unwrap();

        assert!(is_near(price.fast_restore_zone_hour.unwrap(), 0.75));
        assert!(is_near(price.fast_restore_month(2).unwrap(), 2.0 * 720.0 * 0.75));
        assert_eq!(price.fast_restore_month(0), Some(0.0));
        assert_eq!(Price::of("us-west-1").unwrap().fast_restore_month(1), None);
    }

    #[test]
    fn a_price_of_another_month_says_so() {
        let price = Price::of("us-west-1").unwrap();

        assert_eq!((price.region.as_str(), price.as_of.as_str()), ("us-west-1", "2023-08"));
        assert!(is_near(price.standard_month(100.0), 5.5));
        assert_eq!(price.archive_gib_month, None);
    }

    #[test]
    fn without_a_price_of_its_own_a_region_has_that_of_us_east_1() {
        assert_eq!(Price::of("mars-north-1").unwrap(), Price::of("us-east-1").unwrap());
    }

    #[test]
    fn a_day_costs_a_thirtieth_of_the_month() {
        assert!(is_near(Price::of("us-east-1").unwrap().standard_day(300.0), 0.5));
    }

    #[test]
    fn nothing_holds_nothing_and_one_holds_all() {
        assert_eq!(Stored::of(&[], VOLUME), Stored::default());
        let one = Stored::of(&[day(0)], VOLUME);
        assert!(is_near(one.upper_bound_gib, 100.0) && is_near(one.estimate_gib, 100.0));
    }

    #[test]
    fn each_later_one_holds_the_change_since_the_one_before_and_never_more_than_the_volume() {
        let daily = Stored::of(&[day(0), day(24), day(36)], VOLUME);
        let far = Stored::of(&[day(0), day(24 * 400)], VOLUME);

        assert!(is_near(daily.upper_bound_gib, 300.0));
        assert!(is_near(daily.estimate_gib, 100.0 + 3.0 + 1.5));
        assert!(is_near(far.estimate_gib, 200.0));
    }

    proptest! {
        #[test]
        fn the_estimate_lies_between_one_volume_and_the_upper_bound(
            mut hours in prop::collection::vec(0_i64..100_000, 1..50),
            percent in 0.0_f64..=100.0,
        ) {
            hours.sort_unstable();
            let instants: Vec<_> = hours.into_iter().map(day).collect();

            let stored = Stored::of(&instants, Volume { daily_change_percent: percent, ..VOLUME });

            prop_assert!(stored.estimate_gib >= 100.0);
            prop_assert!(stored.estimate_gib <= stored.upper_bound_gib + 1e-6);
        }
    }
}
