//! Time drives the world: calls are made when they are due, several at a time, and settled as they end.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::{
    clock::SimulatedClock,
    dispatch::{Delivery, Outcome},
    server::{Stage, reached},
    world::World,
};

/// How often the simulated EC2 is asked for events, in simulated time …
const EVENTS_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// … but not more often than this in real time, and not less often than that.
const LOOKS_APART: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// Drives `world` until the run is draining; then finishes the calls under way.
pub(super) async fn drive(
    world: Arc<World>,
    clock: SimulatedClock,
    stages: watch::Receiver<Stage>,
) {
    let mut calls = FuturesUnordered::new();
    let mut end = Box::pin(reached(stages, Stage::Draining));
    loop {
        let now = clock.now();
        world.pull_events(now);
        let due = world.bus().dispatch().due(now);
        for delivery in due {
            calls.push(call(&world, delivery));
        }
        let pause = pause(&clock, now, world.bus().dispatch().next_at());
        tokio::select! {
            Some((delivery, outcome)) = calls.next() => {
                world.bus().dispatch().settle(delivery, &outcome, clock.now());
            }
            () = world.bus().published() => {}
            () = tokio::time::sleep(pause) => {}
            () = &mut end => break,
        }
    }
    while let Some((delivery, outcome)) = calls.next().await {
        world.bus().dispatch().settle(delivery, &outcome, clock.now());
    }
}

/// One call, in no more than its function's time.
async fn call(world: &World, delivery: Delivery) -> (u64, Outcome) {
    let id = delivery.id;
    let function = delivery.function;
    let limit = world.timeout(function).unsigned_abs();
    if let Ok(outcome) = tokio::time::timeout(limit, world.call(&delivery)).await {
        return (id, outcome);
    }
    let failure = format!("it took longer than {} s", limit.as_secs());
    tracing::warn!("A call of {function} was ended: {failure}");
    (id, Outcome::Failed(failure))
}

fn pause(clock: &SimulatedClock, now: Timestamp, next: Option<Timestamp>) -> Duration {
    let (shortest, longest) = LOOKS_APART;
    let look = clock.real_duration(EVENTS_EVERY).clamp(shortest, longest);
    let next = next.map(|next| clock.real_duration(next.duration_since(now)));
    next.map_or(look, |next| next.min(look)).max(Duration::from_millis(1))
}
