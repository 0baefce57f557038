//! Records of slots that nobody ran.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::run::Run;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::ScheduleSlot;
use crate::error::Error;
use crate::service::Service;

/// Leaves a record of each slot that nobody ran. One that did run, or is recorded already, keeps its record.
///
/// The earliest comes first. While one tick after the other dies amid the records, further slots pass, and the earliest are
/// the first to fall out of the hundred that are named.
pub(crate) async fn record_missed(
    service: &Service,
    schedule: &Schedule,
    slots: &[Timestamp],
    now: Timestamp,
) -> Result<(), Error> {
    if slots.is_empty() {
        return Ok(());
    }
    let recorded = service.table.runs(&schedule.id, slots).await?;
    let recorded: BTreeSet<_> = recorded.into_iter().map(|run| run.slot.slot).collect();
    let mut lacking: Vec<_> = slots.iter().filter(|slot| !recorded.contains(slot)).collect();
    lacking.sort();
    for slot in lacking {
        let slot = ScheduleSlot { schedule_id: schedule.id.clone(), slot: *slot };
        _ = service.table.insert_run(&Run::never_begun(slot, now)).await?;
    }
    Ok(())
}
