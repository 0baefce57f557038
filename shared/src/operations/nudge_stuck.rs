//! The tick's second half: deletions whose grace is over, and what is stuck, are made known again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tracing::warn;

use crate::domain::run::GIVEN_UP_AFTER;
use crate::domain::snapshot::{ScheduleSlot, Snapshot};
use crate::error::{Error, chain};
use crate::events::{
    JobDue, OwnEvent, PER_EVENT_MAX, RequestedTarget, SnapshotDeletionDue, SnapshotRequested,
    SweepRequested,
};
use crate::metrics::Metric;
use crate::operations::copies::order::order_copies;
use crate::operations::runs::ask_targets::requests_for;
use crate::service::Service;
use crate::table::DueKind;

/// How many snapshots of each kind one tick makes known; the next goes on.
const SNAPSHOTS_MAX: usize = 500;
/// How many of them are written before they are made known: so many wait for another quarter of an hour if the
/// tick dies in between.
const NUDGED_AT_ONCE: usize = 50;
/// How many sweeps.
const SWEEPS_MAX: usize = 10;
/// How many images.
const IMAGES_MAX: usize = 50;
/// How many restores.
const RESTORES_MAX: usize = 100;

/// What was made known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NudgeReport {
    /// Snapshots asked for again.
    pub creations: usize,
    /// Deletions that are due.
    pub deletions: usize,
    /// Sweeps asked for again.
    pub sweeps: usize,
    /// Images that have something to do.
    pub images: usize,
    /// Restores that have something to do.
    pub restores: usize,
    /// Regions that copies are made to.
    pub copies: usize,
}

/// Makes known what is due at `now`, the longest due first. What was made known is looked at again in a quarter
/// of an hour. Each kind is although another fails; then the whole fails with the first failure.
pub async fn nudge_stuck(service: &Service, now: Timestamp) -> Result<NudgeReport, Error> {
    let mut failures = Failures(None);
    let creations = nudge_snapshots(service, DueKind::Creation, creation_events, now).await;
    let creations = failures.none_for("creations", creations);
    let deletions = nudge_snapshots(service, DueKind::Deletion, deletion_events, now).await;
    let report = NudgeReport {
        creations,
        deletions: failures.none_for("deletions", deletions),
        sweeps: failures.none_for("sweeps", nudge_sweeps(service, now).await),
        images: failures.none_for("images", nudge_images(service, now).await),
        restores: failures.none_for("restores", nudge_restores(service, now).await),
        copies: failures.none_for("copies", order_copies(service, now).await),
    };
    failures.0.map_or(Ok(report), Err)
}

/// The first failure of several parts.
struct Failures(Option<Error>);

impl Failures {
    /// How many of a kind were made known; none if that failed.
    fn none_for(&mut self, kind: &str, count: Result<usize, Error>) -> usize {
        count.unwrap_or_else(|error| {
            warn!(error.chain = %chain(&error), "Due {kind} are made known by the next tick");
            self.0.get_or_insert(error);
            0
        })
    }
}

async fn nudge_snapshots(
    service: &Service,
    kind: DueKind,
    events: fn(&[Snapshot]) -> Vec<OwnEvent>,
    now: Timestamp,
) -> Result<usize, Error> {
    let due = service.table.due_snapshots(kind, now, SNAPSHOTS_MAX).await?;
    let since = due.iter().filter_map(unfinished_since);
    if let Some(oldest) = since.min() {
        service.metrics.measure(Metric::OldestUnfinishedSeconds, now.duration_since(oldest));
    }
    nudge(service, &due, events, now).await
}

/// Since when a snapshot that is due waits for what is to be done. A grace is no delay, and what is blocked has an alarm of
/// its own.
fn unfinished_since(snapshot: &Snapshot) -> Option<Timestamp> {
    match &snapshot.ending.condemnation {
        None => Some(snapshot.created_at),
        Some(_) if snapshot.ending.blocked.is_some() => None,
        Some(condemnation) => Some(condemnation.delete_after),
    }
}

/// Makes images known that have something to do, or are to be looked at.
async fn nudge_images(service: &Service, now: Timestamp) -> Result<usize, Error> {
    let due = service.table.due_images(now, IMAGES_MAX).await?;
    let images = service.table.images(&due).await?;
    let mut events = Vec::new();
    for image in due.iter().filter_map(|id| images.get(id)) {
        // Written meanwhile: then its writer has set its own time.
        if service.table.update_image(image, &image.nudged(now), now).await?.is_done() {
            events.push(OwnEvent::JobDue(JobDue::Image(image.id.clone())));
        }
    }
    service.bus.publish(&events).await?;
    Ok(events.len())
}

/// Makes known which restores have waited long enough to be looked at again, or have lost their worker.
async fn nudge_restores(service: &Service, now: Timestamp) -> Result<usize, Error> {
    let mut events = Vec::new();
    for restore in service.table.due_restores(now, RESTORES_MAX).await? {
        // Written meanwhile: then somebody is at it.
        if service.table.update_restore(&restore, &restore.nudged(now), now).await?.is_some() {
            events.push(OwnEvent::JobDue(JobDue::Restore(restore.id)));
        }
    }
    service.bus.publish(&events).await?;
    Ok(events.len())
}

/// Asks again for sweeps that are not finished, and gives up those of more than a day ago.
async fn nudge_sweeps(service: &Service, now: Timestamp) -> Result<usize, Error> {
    let mut events = Vec::new();
    for id in service.table.stuck_sweeps(now, SWEEPS_MAX).await? {
        let Some(sweep) = service.table.sweep(&id).await? else { continue };
        let touched = if now.duration_since(sweep.created_at) >= GIVEN_UP_AFTER {
            sweep.given_up(now)
        } else {
            events.push(OwnEvent::SweepRequested(SweepRequested { sweep_id: id }));
            sweep.released()
        };
        // Written meanwhile: then it is not stuck.
        _ = service.table.update_sweep(&sweep, &touched, now).await?;
    }
    service.bus.publish(&events).await?;
    Ok(events.len())
}

/// Makes these known, and answers how many. The time of the next look is written first: written later, it could
/// come between the reading and the writing of whoever does what was made known. What has changed meanwhile needs no
/// nudge: its writer has set its own time.
async fn nudge(
    service: &Service,
    snapshots: &[Snapshot],
    events: fn(&[Snapshot]) -> Vec<OwnEvent>,
    now: Timestamp,
) -> Result<usize, Error> {
    let mut count = 0;
    for chunk in snapshots.chunks(NUDGED_AT_ONCE) {
        let mut nudged = Vec::new();
        for snapshot in chunk {
            let next = snapshot.nudged(now);
            if service.table.update_snapshot(snapshot, &next).await?.is_done() {
                nudged.push(next);
            }
        }
        service.bus.publish(&events(&nudged)).await?;
        count += nudged.len();
    }
    Ok(count)
}

fn creation_events(snapshots: &[Snapshot]) -> Vec<OwnEvent> {
    let mut by_slot: BTreeMap<Option<&ScheduleSlot>, Vec<RequestedTarget>> = BTreeMap::new();
    for snapshot in snapshots {
        by_slot.entry(snapshot.slot.as_ref()).or_default().push(RequestedTarget {
            snapshot_id: snapshot.id.clone(),
            instance_id: snapshot.source.instance_id.clone(),
        });
    }
    by_slot
        .into_iter()
        .flat_map(|(slot, targets)| match slot {
            Some(slot) => requests_for(slot, &targets),
            None => targets
                .chunks(PER_EVENT_MAX)
                .map(|targets| {
                    let targets = targets.to_vec();
                    OwnEvent::SnapshotRequested(SnapshotRequested { run: None, targets })
                })
                .collect(),
        })
        .collect()
}

fn deletion_events(snapshots: &[Snapshot]) -> Vec<OwnEvent> {
    let ids: Vec<_> = snapshots.iter().map(|snapshot| snapshot.id.clone()).collect();
    ids.chunks(PER_EVENT_MAX)
        .map(|ids| {
            OwnEvent::SnapshotDeletionDue(SnapshotDeletionDue { snapshot_ids: ids.to_vec() })
        })
        .collect()
}
