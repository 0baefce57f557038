//! Decisions of a visit to a run: which targets are asked for, now or once more, and how the others stand.

use jiff::Timestamp;

use crate::domain::run::Run;
use crate::domain::snapshot::ScheduleSlot;
use crate::error::Error;
use crate::events::{
    OwnEvent, RequestedTarget, RunReference, SnapshotRequested, TARGETS_PER_EVENT,
};
use crate::operations::runs::overlap::overlapping;
use crate::service::Service;

/// A visit that is decided, and neither recorded nor made known yet.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The run as it is to be recorded; only then may the events be published: whoever decides otherwise at the
    /// same time must not be able to record it.
    pub(crate) run: Run,
    /// What asks for the snapshots.
    pub(crate) events: Vec<OwnEvent>,
}

/// Decides what is to be done for a run at `now`: the targets that are due are asked for, unless they overlap;
/// those that were asked for and have no record yet, are so again, until they are given up.
pub(crate) async fn visit(service: &Service, run: &Run, now: Timestamp) -> Result<Visit, Error> {
    let asked_before: Vec<_> = run.snapshots_of(run.to_check(now)).collect();
    let ids: Vec<_> = asked_before.iter().map(|(id, _)| id.clone()).collect();
    let records = service.table.snapshots(&ids).await?;
    let due = run.due(now);
    let overlap = overlapping(service, run, due.clone(), now).await?;

    let next = run.asking(due.end, overlap, now);
    let is_given_up = run.is_given_up(now);
    let untaken =
        asked_before.into_iter().filter(|(id, _)| !is_given_up && !records.contains_key(id));
    let targets: Vec<_> = untaken
        .chain(next.snapshots_of(due))
        .map(|(snapshot_id, instance)| RequestedTarget {
            snapshot_id,
            instance_id: instance.clone(),
        })
        .collect();
    let events = requests_for(&run.slot, &targets);
    let run = if run.is_look_due(now) { next.looked_at(&records, now) } else { next };
    Ok(Visit { run, events })
}

/// The events that ask for the snapshots of these targets of a slot, a hundred to an event.
pub(crate) fn requests_for(slot: &ScheduleSlot, targets: &[RequestedTarget]) -> Vec<OwnEvent> {
    let reference = RunReference { schedule_id: slot.schedule_id.clone(), slot: slot.slot };
    targets
        .chunks(TARGETS_PER_EVENT)
        .map(|targets| {
            OwnEvent::SnapshotRequested(SnapshotRequested {
                run: Some(reference.clone()),
                targets: targets.to_vec(),
            })
        })
        .collect()
}
