//! Reconciliation: each hour every EBS snapshot of the account against every record.

use serde_json::Value;
use shared::clock::Clock;
use shared::operations::reconcile::reconcile;
use shared::{Error, Service};

/// Answers the hourly rule with what was found and mended. Repeated, it finds nothing more to mend.
pub async fn handle(service: &Service, clock: &Clock, _event: Value) -> Result<Value, Error> {
    let report = reconcile(service, clock.now()).await?;
    serde_json::to_value(report).map_err(|source| Error::internal("writing the report", source))
}
