//! The ends of the last drills.

use std::collections::BTreeMap;

use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::restore::last_drill::LastDrill;
use crate::error::Error;
use crate::service::Service;

/// Returns the end of the last drill of an instance, whether a person or a schedule asked for it.
pub async fn last_drill_of_instance(
    service: &Service,
    id: &InstanceId,
) -> Result<Option<LastDrill>, Error> {
    service.table.last_drill_of_instance(id).await
}

/// Returns the end of the last drill of each of these schedules' snapshots.
pub async fn last_drills_of_schedules(
    service: &Service,
    ids: &[ScheduleId],
) -> Result<BTreeMap<ScheduleId, LastDrill>, Error> {
    service.table.last_drills_of_schedules(ids).await
}
