//! How many snapshots a list has in all: told where numbers or a few requests tell it, and refused where records would have to
//! be read.

use super::{Deleted, SnapshotFilter};
use crate::domain::cursor::Order;
use crate::domain::snapshot::Status;
use crate::domain::statistics::{Dimension, DimensionKind, Measure, Row};
use crate::error::Error;
use crate::service::Service;
use crate::table::SnapshotList;
use crate::table::snapshots::Slice;

/// How many are counted one by one.
const COUNTED_MAX: usize = 50_000;
/// How many positions one request asks for; its megabyte may end it sooner.
const POSITIONS_MAX: usize = 10_000;

/// How a filter is counted.
enum Way {
    /// The numbers of regions tell it.
    Numbers(Vec<Measure>),
    /// These lists have nothing else.
    Positions(Vec<SnapshotList>),
}

/// How many snapshots `filter` wants in all: by the numbers, which are kept up to date and counted anew each hour, or by the
/// positions in a list.
pub async fn total(service: &Service, filter: &SnapshotFilter) -> Result<u64, Error> {
    match way(filter)? {
        Way::Numbers(measures) => {
            let rows = service.table.every_row(DimensionKind::Region).await?;
            let is_wanted = |row: &&Row| match &row.dimension {
                Dimension::Region(region) => filter.region.as_ref().is_none_or(|it| it == region),
                Dimension::Instance(..) | Dimension::Schedule(..) | Dimension::Day(..) => false,
            };
            let of_row = |row: &Row| measures.iter().map(|one| row.tally.get(*one)).sum::<i64>();
            let sum: i64 = rows.iter().filter(is_wanted).map(of_row).sum();
            Ok(u64::try_from(sum).unwrap_or_default())
        }
        Way::Positions(lists) => {
            let mut count = 0;
            for list in lists {
                count += positions(service, filter, &list, COUNTED_MAX - count).await?;
            }
            Ok(count.try_into().unwrap_or(u64::MAX))
        }
    }
}

/// How the filter is counted, or why it is not.
fn way(filter: &SnapshotFilter) -> Result<Way, Error> {
    let SnapshotFilter {
        instance_id,
        status,
        region,
        schedule_id,
        origin,
        tags,
        q,
        created_after,
        created_before,
        deleted,
    } = filter;
    if !tags.is_empty() || q.is_some() {
        return Err(refused("tag and q are looked for in each record, and are not counted"));
    }
    let are_gone_wanted = *deleted == Deleted::Show || status.iter().any(|one| one.is_gone());
    let is_of_something = instance_id.is_some() || schedule_id.is_some();
    let is_bounded = created_after.is_some() || created_before.is_some();
    if !are_gone_wanted && !is_of_something && !is_bounded {
        let mut wanted = status.clone();
        wanted.sort_unstable();
        wanted.dedup();
        return match (origin, wanted.is_empty()) {
            (None, true) => {
                let here = Status::ALL.iter().filter(|one| !one.is_gone());
                Ok(Way::Numbers(here.map(|one| Measure::Status(*one)).collect()))
            }
            (None, false) => Ok(Way::Numbers(wanted.into_iter().map(Measure::Status).collect())),
            (Some(origin), true) => Ok(Way::Numbers(vec![Measure::Origin(*origin)])),
            (Some(_), false) => Err(refused("origin and status are counted one without the other")),
        };
    }
    if region.is_some() || origin.is_some() {
        let reason = "region and origin are counted of what is there, without instance_id, schedule_id, from and to";
        return Err(refused(reason));
    }
    if instance_id.is_some() && schedule_id.is_some() {
        return Err(refused("instance_id and schedule_id are counted one without the other"));
    }
    let is_listed = |one: &Status| SnapshotList::in_status(*one).is_some();
    if !status.is_empty() && (is_of_something || !status.iter().all(is_listed)) {
        let reason = "status is counted by itself; available and deleted without from, to and include_deleted";
        return Err(refused(reason));
    }
    Ok(Way::Positions(filter.lists()))
}

fn refused(reason: &str) -> Error {
    Error::invalid("count", format!("cannot be told here: {reason}; leave it out"))
}

/// How many positions of a list lie within the filter's bounds.
async fn positions(
    service: &Service,
    filter: &SnapshotFilter,
    list: &SnapshotList,
    most: usize,
) -> Result<usize, Error> {
    let order = Order::NewestFirst;
    let (mut count, mut after) = (0, filter.start(order, None));
    loop {
        let slice = Slice { order, limit: POSITIONS_MAX, after };
        let (found, more) = service.table.snapshot_positions(list, &slice).await?;
        let within = found.iter().take_while(|one| !filter.is_past(order, one)).count();
        count += within;
        if count > most {
            let reason = format!("there are more than {COUNTED_MAX}");
            return Err(refused(&reason));
        }
        after = found.last().cloned();
        if !more || within < found.len() || after.is_none() {
            return Ok(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::TagMatch;
    use crate::domain::snapshot::Origin;

    /// How a filter is counted, in a word.
    fn word(filter: &SnapshotFilter) -> &'static str {
        match way(filter) {
            Ok(Way::Numbers(_)) => "numbers",
            Ok(Way::Positions(_)) => "positions",
            Err(_) => "refused",
        }
    }

    #[test]
    fn what_numbers_or_a_list_tell_is_counted_and_nothing_else() {
        let none = SnapshotFilter::default;
        let instance = Some("i-0123456789abcdef0".parse().unwrap());
        let schedule = Some("sch_0195500c-6d00-7000-8000-000000000000".parse().unwrap());
        let at = Some(jiff::Timestamp::UNIX_EPOCH);
        let status = |one| vec![one];
        let (available, error) = (Status::Available, Status::Error);
        let tag = TagMatch { key: "a".to_owned(), value: "b".to_owned() };

        for (filter, wanted) in [
            (none(), "numbers"),
            (SnapshotFilter { status: status(available), ..none() }, "numbers"),
            (SnapshotFilter { region: Some("eu-west-1".to_owned()), ..none() }, "numbers"),
            (SnapshotFilter { origin: Some(Origin::Manual), ..none() }, "numbers"),
            (SnapshotFilter { instance_id: instance.clone(), ..none() }, "positions"),
            (
                SnapshotFilter { schedule_id: schedule.clone(), created_after: at, ..none() },
                "positions",
            ),
            (SnapshotFilter { created_before: at, ..none() }, "positions"),
            (SnapshotFilter { status: status(error), created_after: at, ..none() }, "positions"),
            (SnapshotFilter { status: status(Status::Missing), ..none() }, "positions"),
            (SnapshotFilter { deleted: Deleted::Show, ..none() }, "positions"),
            (SnapshotFilter { q: Some("x".to_owned()), ..none() }, "refused"),
            (SnapshotFilter { tags: vec![tag], ..none() }, "refused"),
            (
                SnapshotFilter { instance_id: instance.clone(), schedule_id: schedule, ..none() },
                "refused",
            ),
            (SnapshotFilter { instance_id: instance, status: status(error), ..none() }, "refused"),
            (SnapshotFilter { status: status(Status::Deleted), ..none() }, "refused"),
            (SnapshotFilter { status: status(available), created_after: at, ..none() }, "refused"),
            (
                SnapshotFilter { status: status(error), origin: Some(Origin::Copy), ..none() },
                "refused",
            ),
            (
                SnapshotFilter { region: Some("x".to_owned()), created_after: at, ..none() },
                "refused",
            ),
        ] {
            assert_eq!(word(&filter), wanted, "{filter:?}");
        }
    }
}
