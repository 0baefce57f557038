//! Sweeps: each hour by the rule, and when a person asks for one or releases one.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::{Envelope, SweepRequested};
use shared::operations::sweeps::execute::{carry_out, hourly_sweep};
use shared::{Error, Service};

/// Answers the hourly rule and our own `SweepRequested`. Delivered twice, the sweep is the same one.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("sweeper"));
    let event: Envelope =
        serde_json::from_value(event).map_err(|source| Error::invalid("event", source))?;
    let sweep = match event.detail_type.as_str() {
        "SweepRequested" => {
            let detail: SweepRequested = serde_json::from_value(event.detail)
                .map_err(|source| Error::invalid("detail", source))?;
            carry_out(service, &detail.sweep_id, clock).await?
        }
        "Scheduled Event" => hourly_sweep(service, event.time, clock).await?,
        other => {
            let allowed = "must be `Scheduled Event` or `SweepRequested`";
            return Err(Error::invalid("detail-type", format!("is `{other}`; it {allowed}")));
        }
    };
    serde_json::to_value(sweep).map_err(|source| Error::internal("writing the report", source))
}
