//! Turns: two snapshots of one instance are never begun within 15 seconds, whoever asks for them.

use jiff::{SignedDuration, Timestamp};
use tracing::info;

use super::batch::Batch;
use super::{TakeOutcome, create, later};
use crate::clock::{Clock, Pace};
use crate::domain::instance::Instance;
use crate::events::RequestedTarget;
use crate::service::Service;
use crate::table::turns::Turn;

/// How often the turn at one instance is waited for; then the tick asks again.
const WAITS_MAX: usize = 3;

/// Creates the snapshots of a batch, one after the other.
pub(super) struct Creator<'a> {
    service: &'a Service,
    batch: &'a Batch,
    clock: &'a Clock,
    pace: Pace,
}

/// What came of an attempt.
pub(super) enum TurnOutcome {
    /// It was made, to this end.
    Made(TakeOutcome),
    /// It is another's turn, until then.
    NotYet(Timestamp),
}

/// A target that waits for its turn.
pub(super) struct Waiting<'a> {
    pub(super) target: &'a RequestedTarget,
    pub(super) instance: &'a Instance,
    pub(super) free_at: Timestamp,
}

impl<'a> Creator<'a> {
    pub(super) fn new(service: &'a Service, batch: &'a Batch, clock: &'a Clock) -> Self {
        Self { service, batch, clock, pace: Pace::new(service.settings.create_pace) }
    }

    /// Creates the snapshot of a target, if it is its turn.
    pub(super) async fn attempt(
        &self,
        target: &RequestedTarget,
        instance: &Instance,
    ) -> TurnOutcome {
        let Self { service, batch, clock, pace } = self;
        // The pause comes before the turn, or a long one would use it up.
        pace.wait(clock).await;
        match service.table.take_turn(&instance.id, clock.now()).await {
            Ok(Turn::Ours) => {
                pace.begin(clock.now());
                TurnOutcome::Made(create(service, batch, target, instance, clock).await)
            }
            Ok(Turn::FreeAt(at)) => TurnOutcome::NotYet(at),
            Err(error) => TurnOutcome::Made(later(target, &error)),
        }
    }

    /// Creates the snapshot of a target once it is its turn, or has the tick ask for it then.
    pub(super) async fn attempt_in_turn(&self, waiting: Waiting<'_>) -> TakeOutcome {
        let Waiting { target, instance, mut free_at } = waiting;
        for _ in 0..WAITS_MAX {
            let rest = free_at.duration_since(self.clock.now()).max(SignedDuration::ZERO);
            if !self.clock.has_room_for(rest) {
                break;
            }
            self.clock.pause(rest).await;
            match self.attempt(target, instance).await {
                TurnOutcome::Made(taken) => return taken,
                TurnOutcome::NotYet(at) => free_at = at,
            }
        }
        self.postpone(target, free_at).await
    }

    /// Records that a target is wanted, and when.
    async fn postpone(&self, target: &RequestedTarget, until: Timestamp) -> TakeOutcome {
        let Self { service, batch, clock, pace: _pace } = self;
        let now = clock.now();
        let old = batch.records.get(&target.snapshot_id);
        let intent = old.cloned().unwrap_or_else(|| batch.intent(target, now));
        let Ok(postponed) = intent.postponed(until, now) else { return TakeOutcome::AlreadySo };
        info!(snapshot.id = %postponed.id, "Snapshot {} waits for its turn", postponed.id);
        let written = match old {
            Some(old) => service.table.update_snapshot(old, &postponed).await,
            None => service.table.insert_snapshot(&postponed).await,
        };
        match written {
            Ok(written) if written.is_done() => TakeOutcome::PutOff,
            Ok(_) => TakeOutcome::AlreadySo,
            Err(error) => later(target, &error),
        }
    }
}
