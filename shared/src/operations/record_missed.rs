//! Records of slots that nobody ran.

use jiff::Timestamp;

use crate::domain::run::Run;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::ScheduleSlot;
use crate::error::Error;
use crate::service::Service;

/// Leaves a record of each slot that nobody ran. One that did run, or is recorded already, keeps its record.
pub(crate) async fn record_missed(
    service: &Service,
    schedule: &Schedule,
    slots: &[Timestamp],
    now: Timestamp,
) -> Result<(), Error> {
    for slot in slots {
        let slot = ScheduleSlot { schedule_id: schedule.id.clone(), slot: *slot };
        _ = service.table.insert_run(&Run::never_begun(slot, now)).await?;
    }
    Ok(())
}
