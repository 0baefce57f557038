//! Schedules, one or a page of them.

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Schedule;
use crate::error::Error;
use crate::service::Service;

/// The schedule of this id.
pub async fn show(service: &Service, id: &ScheduleId) -> Result<Schedule, Error> {
    service.table.schedule(id).await?.ok_or_else(|| Error::not_found("schedule", id))
}

/// One page of all schedules.
pub async fn list(service: &Service, request: &PageRequest) -> Result<Page<Schedule>, Error> {
    service.table.list_schedules(request).await
}
