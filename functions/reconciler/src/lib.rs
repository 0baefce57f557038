//! Reconciliation: each hour, and when a person asks, every EBS snapshot of the account against every record. And the
//! second half of adoptions, which nobody else may do.

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::audit::Author;
use shared::events::AdoptionRequested;
use shared::operations::reconciliation;
use shared::{Error, Service};

/// Answers the hourly rule and our own `ReconciliationRequested` with what was found and mended, and our own
/// `AdoptionRequested` with what is adopted. Repeated, it finds nothing more to do.
pub async fn handle(service: &Service, clock: &Clock, event: Value) -> Result<Value, Error> {
    let service = &service.acting(Author::rule("reconciler"));
    let detail_type = event.get("detail-type").and_then(Value::as_str).unwrap_or_default();
    let report = if detail_type == "AdoptionRequested" {
        let detail = event.get("detail").cloned().unwrap_or_default();
        let AdoptionRequested { snapshot_ids } =
            serde_json::from_value(detail).map_err(|source| Error::invalid("detail", source))?;
        serde_json::to_value(
            reconciliation::tag_adopted(service, &snapshot_ids, clock.now()).await?,
        )
    } else {
        serde_json::to_value(Box::pin(reconciliation::reconcile(service, clock.now())).await?)
    };
    report.map_err(|source| Error::internal("writing the report", source))
}
