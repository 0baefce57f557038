//! Combs to look at: the snapshots of instances, each with its fate, and what fires next for them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::fate::Fate;
use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::Snapshot;
use crate::error::Error;
use crate::service::Service;
use crate::table::Presence;
use crate::table::comb::{Comb, CombBounds};
use crate::views::fates::{combs_of, fates_in};
use crate::views::upcoming::{ComingFire, fires_of};

/// How many snapshots one comb shows at the most, and each of many.
pub const SHOWN_MAX: usize = 3_000;
pub const SHOWN_OF_MANY_MAX: usize = 200;
/// How many instances are asked about at once.
pub const INSTANCES_MAX: usize = 25;
/// How many fires are told, and how far ahead they are looked for.
const FIRES: usize = 5;
const FIRES_WITHIN: SignedDuration = SignedDuration::from_hours(35 * 24);

/// Which snapshots of the comb are wanted.
#[derive(Clone, Copy, Debug)]
pub struct CombQuery {
    /// Taken at this instant or later.
    pub from: Option<Timestamp>,
    /// Taken before this instant.
    pub to: Option<Timestamp>,
    /// Whether those that are deleted or missing are wanted too.
    pub gone: bool,
    /// How many at the most.
    pub limit: usize,
}

/// The comb of an instance.
#[derive(Clone, Debug)]
pub struct CombView {
    pub instance_id: InstanceId,
    /// Its name when the newest was taken.
    pub instance_name: Option<String>,
    /// The next fires of the schedules that name it or took these.
    pub next_fires: Vec<ComingFire>,
    /// The newest so many that are wanted, in the order in which they were taken, each with its fate.
    pub items: Vec<(Snapshot, Fate)>,
    /// Whether there are older ones.
    pub more: bool,
}

/// The combs of these instances, as far as they can be read: one Query for each megabyte of each, all schedules, and what
/// is known of instances that are gone.
pub async fn combs(
    service: &Service,
    instances: Vec<InstanceId>,
    query: CombQuery,
    now: Timestamp,
) -> Result<Vec<CombView>, Error> {
    let schedules = service.table.every_schedule().await?;
    let order = instances.clone();
    let mut found = combs_of(service, instances).await;
    let mut views = Vec::new();
    for id in order {
        let Some(comb) = found.remove(&id) else { continue };
        let comb = comb.ok_or_else(|| Error::Unavailable {
            service: "DynamoDB",
            source: format!("the snapshots of {id} cannot be read at this moment").into(),
        })?;
        views.push(view(service, id, comb, (query, now), &schedules).await?);
    }
    Ok(views)
}

async fn view(
    service: &Service,
    instance_id: InstanceId,
    comb: Comb,
    (query, now): (CombQuery, Timestamp),
    schedules: &BTreeMap<ScheduleId, Schedule>,
) -> Result<CombView, Error> {
    let mut all = comb.into_snapshots();
    let mut fates = fates_in(service, &all, now).await;
    if query.gone {
        let gone = service.table.comb(&instance_id, Presence::Gone, CombBounds::default()).await?;
        let gone = gone.into_snapshots();
        fates.extend(fates_in(service, &gone, now).await);
        all.extend(gone);
    }
    let instance_name = all.last().and_then(|newest| newest.source.instance_name.clone());
    let took: BTreeSet<_> = all.iter().filter_map(Snapshot::schedule_id).collect();
    let is_for = |one: &&Schedule| {
        took.contains(&one.id) || one.settings.targets.instance_ids.contains(&instance_id)
    };
    let until = now.saturating_add(FIRES_WITHIN).unwrap_or(now);
    let next_fires = fires_of(schedules.values().filter(is_for), now, until, FIRES).fires;
    all.retain(|one| {
        let at = one.taken_at();
        query.from.is_none_or(|from| at >= from) && query.to.is_none_or(|to| at < to)
    });
    all.sort_by(|one, other| (one.taken_at(), &one.id).cmp(&(other.taken_at(), &other.id)));
    let more = all.len() > query.limit;
    let items = all.split_off(all.len().saturating_sub(query.limit));
    let with_fate = |one: Snapshot| {
        let fate = fates.remove(&one.id).unwrap_or_else(|| Fate::unknown("it cannot be told"));
        (one, fate)
    };
    let items = items.into_iter().map(with_fate).collect();
    Ok(CombView { instance_id, instance_name, next_fires, items, more })
}
