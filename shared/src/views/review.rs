//! Things for a person to look at from time to time: snapshots and schedules that stay and perhaps need not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::cursor::{Order, Page, PageRequest};
use crate::domain::ids::ScheduleId;
use crate::domain::restore::{Restore, RestoreStatus};
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::statistics::DimensionKind;
use crate::domain::statistics::{Dimension, Measure, Tally};
use crate::error::Error;
use crate::service::Service;
use crate::table::restores::RestoreList;
use crate::table::snapshots::{Listed, Slice};
use crate::table::{Presence, SnapshotList};
use crate::views::held_and_blocked::{Holds, list_blocked, list_held};
use crate::views::restores::{WithVolumes, with_all_volumes, with_kept_image, with_old_volumes};

/// How many of a kind are named.
const NAMED_MAX: usize = 20;
/// Among how many blocked ones the long blocked are looked for, and among how many schedules the disabled.
const LEDGER_MAX: usize = 200;
/// Among how many of the oldest records those without rules are looked for.
const EXAMINED_MAX: usize = 500;

/// From when on something is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewBounds {
    /// How old a snapshot is that nothing lets go.
    pub older_than: SignedDuration,
    /// How long something has been in the way of a deletion.
    pub blocked_for: SignedDuration,
}

/// What there is of a kind: at most 20.
#[derive(Clone, Debug)]
pub struct Section<T> {
    /// Which, the oldest first.
    pub items: Vec<T>,
    /// Whether there may be more.
    pub more: bool,
}

/// A schedule that is disabled and of which snapshots are stored.
#[derive(Clone, Debug)]
pub struct DisabledSchedule {
    pub schedule: Schedule,
    /// How many, and how much.
    pub tally: Tally,
}

/// What is worth a look.
#[derive(Clone, Debug)]
pub struct Review {
    /// Held, and somebody should have looked at the hold by now.
    pub held: Section<Snapshot>,
    /// They are torn: members of them are gone, and others cannot be deleted.
    pub damaged: Section<Snapshot>,
    /// They should be gone, and something has been in the way for long.
    pub blocked: Section<Snapshot>,
    /// Old, and no rule, expiry or hold says for how long they stay.
    pub without_rules: Section<Snapshot>,
    /// Nothing new comes of them, and what there is stays.
    pub disabled: Section<DisabledSchedule>,
    /// They have stopped, and wait for somebody; with what they have made or taken off.
    pub stopped_restores: Section<WithVolumes>,
    /// Their old volumes are past the time for which they are kept.
    pub old_volumes: Section<WithVolumes>,
    /// An image of theirs has been kept for as long.
    pub kept_images: Section<Restore>,
}

/// Returns what is worth a look at `now`. The reads do not grow with the number of records.
pub async fn review(
    service: &Service,
    bounds: ReviewBounds,
    now: Timestamp,
) -> Result<Review, Error> {
    let request =
        |limit| PageRequest { limit, order: Order::OldestFirst, ..PageRequest::default() };
    let Page { items, next_cursor } =
        list_held(service, Holds::ReviewDue, &request(NAMED_MAX), now).await?;
    let held = Section { items, more: next_cursor.is_some() };
    let Page { items, next_cursor } = list_blocked(service, &request(LEDGER_MAX)).await?;
    let since = before(now, bounds.blocked_for);
    let is_long =
        |one: &Snapshot| one.ending.blocked.as_ref().is_some_and(|blocked| blocked.since <= since);
    let items = items.into_iter().filter(is_long).collect();
    let blocked = Section { items, more: next_cursor.is_some() }.cut();
    let without_rules = without_rules(service, before(now, bounds.older_than)).await?;
    let damaged = damaged(service).await?;
    let disabled = disabled(service).await?;
    let stopped = restores_that(service, RestoreStatus::Failed).await?.cut();
    let Section { items, more } = stopped;
    let stopped_restores = Section { items: with_all_volumes(service, items).await?, more };
    let over = over(service).await?;
    Ok(Review {
        held,
        damaged,
        blocked,
        without_rules,
        disabled,
        stopped_restores,
        old_volumes: old_volumes(service, &over, now).await?,
        kept_images: kept_images(service, &over, now).await?,
    })
}

/// The oldest restores that stand there.
async fn restores_that(
    service: &Service,
    status: RestoreStatus,
) -> Result<Section<Restore>, Error> {
    let slice = Slice { order: Order::OldestFirst, limit: LEDGER_MAX, after: None };
    let (found, more) = service.table.list_restores(&RestoreList::That(status), &slice).await?;
    Ok(Section { items: found.into_iter().map(|(_, one)| one).collect(), more })
}

/// The oldest restores that are over.
async fn over(service: &Service) -> Result<Section<Restore>, Error> {
    let mut all = restores_that(service, RestoreStatus::Done).await?;
    let cancelled = restores_that(service, RestoreStatus::Cancelled).await?;
    all.items.extend(cancelled.items);
    all.items.sort_by(|one, other| one.id.cmp(&other.id));
    all.more |= cancelled.more;
    Ok(all)
}

/// Of those that are over, the ones whose old volumes are there and past their time.
async fn old_volumes(
    service: &Service,
    over: &Section<Restore>,
    now: Timestamp,
) -> Result<Section<WithVolumes>, Error> {
    let due = over.items.iter().filter(|restore| restore.has_old_volumes_due(now));
    let items = with_old_volumes(service, due.cloned().collect()).await?;
    Ok(Section { items, more: over.more }.cut())
}

/// Of those that are over, the ones whose image is there and was kept for long.
async fn kept_images(
    service: &Service,
    over: &Section<Restore>,
    now: Timestamp,
) -> Result<Section<Restore>, Error> {
    let due = over.items.iter().filter(|restore| restore.has_image_due(now));
    let items = with_kept_image(service, due.cloned().collect()).await?;
    Ok(Section { items, more: over.more }.cut())
}

/// What is being deleted is never much, unless it is torn.
pub(crate) async fn damaged(service: &Service) -> Result<Section<Snapshot>, Error> {
    let list = SnapshotList::InStatus(Status::Deleting);
    let slice = Slice { order: Order::OldestFirst, limit: LEDGER_MAX, after: None };
    let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
    let items = snapshots.into_iter().map(|(_, one)| one).filter(Snapshot::is_given_up_torn);
    Ok(Section { items: items.collect(), more }.cut())
}

fn before(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_sub(by).unwrap_or(now)
}

impl<T> Section<T> {
    fn cut(mut self) -> Self {
        self.more |= self.items.len() > NAMED_MAX;
        self.items.truncate(NAMED_MAX);
        self
    }
}

async fn without_rules(service: &Service, until: Timestamp) -> Result<Section<Snapshot>, Error> {
    let list = SnapshotList::All(Presence::Here);
    let slice = Slice { order: Order::OldestFirst, limit: EXAMINED_MAX, after: None };
    let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
    let mut old: Vec<_> = snapshots.into_iter().map(|(_, snapshot)| snapshot).collect();
    let more = more && old.last().is_some_and(|last| last.taken_at() <= until);
    old.retain(|one| {
        one.is_good()
            && one.taken_at() <= until
            && one.ending.expires_at.is_none()
            && one.keepers.hold.is_none()
    });
    let ids: BTreeSet<ScheduleId> =
        old.iter().filter_map(|snapshot| snapshot.schedule_id().cloned()).collect();
    let schedules = service.table.schedules(&ids).await?;
    old.retain(|snapshot| {
        let schedule = snapshot.schedule_id().and_then(|id| schedules.get(id));
        schedule.is_none_or(|schedule| schedule.rules_of(snapshot).is_none())
    });
    Ok(Section { items: old, more }.cut())
}

/// Schedules that are disabled and of which snapshots are stored.
pub(crate) async fn disabled(service: &Service) -> Result<Section<DisabledSchedule>, Error> {
    let request =
        PageRequest { limit: LEDGER_MAX, order: Order::OldestFirst, ..PageRequest::default() };
    let Page { items, next_cursor } = service.table.list_schedules(&request).await?;
    let rows = service.table.rows(DimensionKind::Schedule, None, 1_000).await?;
    let mut tallies: BTreeMap<ScheduleId, Tally> = BTreeMap::new();
    for (_, row) in rows.rows {
        if let Dimension::Schedule(Some(id), _) = row.dimension {
            tallies.entry(id).or_default().add_all(&row.tally);
        }
    }
    let with_numbers = |schedule: Schedule| {
        let tally = tallies.remove(&schedule.id)?;
        (tally.get(Measure::Stored) > 0).then_some(DisabledSchedule { schedule, tally })
    };
    let items =
        items.into_iter().filter(|one| !one.settings.enabled).filter_map(with_numbers).collect();
    Ok(Section { items, more: next_cursor.is_some() || rows.more }.cut())
}
