//! Whether a list can be asked for a region: it is looked after, or has been.

use crate::error::Error;
use crate::service::Service;
use crate::views::statistics;

/// Refuses a region that nothing can be of. One that is no longer looked after may have records still.
pub(crate) async fn check(service: &Service, region: Option<&String>) -> Result<(), Error> {
    let Some(region) = region else { return Ok(()) };
    let looked_after = &service.settings.regions;
    if looked_after.contains(region) {
        return Ok(());
    }
    let rows = statistics::regions(service).await?;
    if rows.iter().any(|row| row.dimension.region() == region) {
        return Ok(());
    }
    Err(refusal(service))
}

/// What a region that is not looked after is refused with.
pub(crate) fn refusal(service: &Service) -> Error {
    let all = service.settings.regions.join(", ");
    Error::invalid("region", format!("is not looked after; there are {all}"))
}
