//! The keys of the numbers that are kept up to date.

use super::Key;
use crate::domain::statistics::{Dimension, DimensionKind};

/// What has no schedule.
const NO_SCHEDULE: &str = "none";

/// The partition of a kind.
pub fn partition(kind: DimensionKind) -> &'static str {
    match kind {
        DimensionKind::Region => "STATISTICS#REGION",
        DimensionKind::Instance => "STATISTICS#INSTANCE",
        DimensionKind::Schedule => "STATISTICS#SCHEDULE",
        DimensionKind::Day => "STATISTICS#DAY",
    }
}

/// The numbers of a dimension.
pub fn row(dimension: &Dimension) -> Key {
    let (kind, sort) = match dimension {
        Dimension::Region(region) => (DimensionKind::Region, region.clone()),
        Dimension::Instance(id, region) => (DimensionKind::Instance, format!("{id}#{region}")),
        Dimension::Schedule(id, region) => {
            let id = id.as_ref().map_or(NO_SCHEDULE, |id| id.as_str());
            (DimensionKind::Schedule, format!("{id}#{region}"))
        }
        Dimension::Day(date, region) => (DimensionKind::Day, format!("{date}#{region}")),
    };
    Key::new(partition(kind), sort)
}

/// What the numbers at a sort key are of.
pub fn dimension(kind: DimensionKind, sort: &str) -> Option<Dimension> {
    if kind == DimensionKind::Region {
        return Some(Dimension::Region(sort.to_owned()));
    }
    let (name, region) = sort.split_once('#')?;
    let region = region.to_owned();
    match kind {
        DimensionKind::Region => None,
        DimensionKind::Instance => Some(Dimension::Instance(name.parse().ok()?, region)),
        DimensionKind::Schedule if name == NO_SCHEDULE => Some(Dimension::Schedule(None, region)),
        DimensionKind::Schedule => Some(Dimension::Schedule(Some(name.parse().ok()?), region)),
        DimensionKind::Day => Some(Dimension::Day(name.parse().ok()?, region)),
    }
}

/// A bound below all of a day.
pub fn day(date: jiff::civil::Date) -> String {
    date.to_string()
}

/// When all records were last counted.
pub fn last_recount() -> Key {
    Key::new("META", "LAST_RECOUNT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_is_of_is_read_back() {
        let region = || "eu-west-1".to_owned();
        for (kind, dimension) in [
            (DimensionKind::Region, Dimension::Region(region())),
            (
                DimensionKind::Instance,
                Dimension::Instance("i-0123456789abcdef0".parse().unwrap(), region()),
            ),
            (DimensionKind::Schedule, Dimension::Schedule(None, region())),
            (DimensionKind::Day, Dimension::Day("2026-03-02".parse().unwrap(), region())),
        ] {
            let key = row(&dimension);

            assert_eq!(key.pk, partition(kind));
            assert_eq!(super::dimension(kind, &key.sk), Some(dimension));
        }
    }
}
