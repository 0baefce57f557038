//! How the last drills ended.

use std::collections::BTreeMap;

use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::restore::last_drill::LastDrill;
use crate::error::Error;
use crate::service::Service;

/// How the last drill of an instance ended, whoever asked for it.
pub async fn last_drill_of_instance(
    service: &Service,
    id: &InstanceId,
) -> Result<Option<LastDrill>, Error> {
    service.table.last_drill_of_instance(id).await
}

/// How the last drill of each of these schedules' snapshots ended, whoever asked for it.
pub async fn last_drills_of_schedules(
    service: &Service,
    ids: &[ScheduleId],
) -> Result<BTreeMap<ScheduleId, LastDrill>, Error> {
    service.table.last_drills_of_schedules(ids).await
}
