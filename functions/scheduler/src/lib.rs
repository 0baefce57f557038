//! The tick, once a minute: due slots become runs, due drills are begun, due deletions become events, what is stuck is
//! asked for again, and other systems are told what became of records.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::Envelope;
use shared::operations::announce::announce;
use shared::operations::nudge_stuck::{NudgeReport, nudge_stuck};
use shared::operations::restores;
use shared::operations::restores::drill_due::DrillReport;
use shared::operations::runs;
use shared::operations::runs::begin_due::DueReport;
use shared::{Error, Service};

/// What a tick did.
#[derive(Debug, Serialize)]
struct Report {
    now: Timestamp,
    schedules: DueReport,
    runs: usize,
    drills: DrillReport,
    nudged: NudgeReport,
    announced: usize,
}

/// Answers one tick. Its `now` is the event's own time: delivered late, it still does the slot it was sent for,
/// and delivered twice, nothing twice. Each part is done although another fails; then the tick fails, and the
/// next one goes on.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("scheduler"));
    let event: Envelope =
        serde_json::from_value(event).map_err(|source| Error::invalid("event", source))?;
    let now = event.time;
    // What is stuck first: it is bounded, while many due schedules may take all the time there is.
    let nudged = nudge_stuck(service, now).await;
    // Of these two either may take all the time there is: in turn each is the first.
    let (runs, schedules) = if is_turn_of_runs(now) {
        let runs = runs::look_after(service, now, clock).await;
        (runs, runs::begin_due(service, now, clock).await)
    } else {
        let schedules = runs::begin_due(service, now, clock).await;
        (runs::look_after(service, now, clock).await, schedules)
    };
    let drills = restores::begin_due_drills(service, now, clock).await;
    // Last, so that what this tick itself has done is told as well.
    let announced = announce(service, clock).await;
    let report = Report {
        now,
        schedules: schedules?,
        runs: runs?,
        drills: drills?,
        nudged: nudged?,
        announced: announced?,
    };
    serde_json::to_value(report).map_err(|source| Error::internal("writing the report", source))
}

/// Whether runs under way are looked after first in this minute, before what is due is begun.
fn is_turn_of_runs(now: Timestamp) -> bool {
    now.as_second().div_euclid(60) % 2 == 0
}
