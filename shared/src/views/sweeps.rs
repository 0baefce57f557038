//! Sweeps and their plans.

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::SweepId;
use crate::domain::sweep::Sweep;
use crate::domain::sweep::plan::PlanEntry;
use crate::error::Error;
use crate::service::Service;

/// The sweep of this id.
pub async fn show(service: &Service, id: &SweepId) -> Result<Sweep, Error> {
    service.table.sweep(id).await?.ok_or_else(|| Error::not_found("sweep", id))
}

/// One page of a sweep's plan, from 1 on. An hourly sweep's has only what is not kept.
pub async fn plan_entries(
    service: &Service,
    sweep: &Sweep,
    page: u32,
) -> Result<Vec<PlanEntry>, Error> {
    service.table.plan_page(sweep, page).await
}

/// One page of all sweeps.
pub async fn list(service: &Service, request: &PageRequest) -> Result<Page<Sweep>, Error> {
    service.table.list_sweeps(request).await
}
