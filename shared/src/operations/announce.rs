//! The tick tells other systems what became of records: it publishes what waits in the outbox.

use tracing::info;

use crate::clock::Clock;
use crate::error::Error;
use crate::events::OwnEvent;
use crate::service::Service;

/// How many events are read, published and cleared at once.
const EVENTS_AT_ONCE: usize = 100;
/// How many times over one tick does that; the next goes on.
const ROUNDS_MAX: usize = 50;

/// Publishes what waits, the oldest first, and answers how many that were. Died between publishing and clearing,
/// the next tick publishes the same once more, under the same `event_id`.
pub async fn announce(service: &Service, clock: &Clock) -> Result<usize, Error> {
    let mut count = 0;
    for round in 0..ROUNDS_MAX {
        let waiting = service.table.outbox(EVENTS_AT_ONCE).await?;
        // Once, however late it is: a tick that is always late would never tell anybody.
        if waiting.is_empty() || (round > 0 && clock.is_over()) {
            break;
        }
        let events: Vec<_> =
            waiting.iter().map(|one| OwnEvent::Domain(one.event.clone())).collect();
        service.bus.publish(&events).await?;
        service.table.clear_outbox(&waiting).await?;
        count += waiting.len();
        if waiting.len() < EVENTS_AT_ONCE {
            break;
        }
    }
    if count > 0 {
        info!("{count} events are published");
    }
    Ok(count)
}
