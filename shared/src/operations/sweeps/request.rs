//! Sweeps that people ask for, look at and release.

use jiff::Timestamp;

use crate::domain::ids::SweepId;
use crate::domain::sweep::{Sweep, SweepMode};
use crate::error::Error;
use crate::events::{OwnEvent, SweepRequested};
use crate::service::Service;
use crate::views;

/// Records that a sweep is wanted and makes it known. Asked again under the same id, it answers what there is.
pub async fn request(
    service: &Service,
    id: SweepId,
    mode: SweepMode,
    who: &str,
    now: Timestamp,
) -> Result<Sweep, Error> {
    let sweep = Sweep::requested(id, mode, Some(who.to_owned()), now);
    if !service.table.insert_sweep(&sweep, now).await?.is_done() {
        return views::sweeps::show(service, &sweep.id).await;
    }
    make_known(service, &sweep).await;
    Ok(sweep)
}

/// Releases what the brake has stopped: this very plan, by its hash, and none that is older than an hour or whose
/// rules have changed since. Repeated, it does nothing more.
pub async fn approve(
    service: &Service,
    id: &SweepId,
    plan_hash: &str,
    who: &str,
    now: Timestamp,
) -> Result<Sweep, Error> {
    let sweep = views::sweeps::show(service, id).await?;
    if sweep.approval.is_some() && sweep.plan_hash.as_deref() == Some(plan_hash) {
        return Ok(sweep);
    }
    let approved = sweep.approve(who, plan_hash, now).map_err(Error::conflict)?;
    let tallies = service.table.tallies(&sweep).await?;
    let ids = tallies.brakes().map(|brake| brake.schedule_id.clone()).collect();
    let schedules = service.table.schedules(&ids).await?;
    for brake in tallies.brakes() {
        if let Some(reason) = brake.outdated(schedules.get(&brake.schedule_id)) {
            return Err(Error::conflict(reason));
        }
    }
    if !service.table.update_sweep(&sweep, &approved, now).await?.is_done() {
        return Err(Error::Stale { noun: "the sweep", current: sweep.version });
    }
    make_known(service, &approved).await;
    Ok(approved)
}

/// What is recorded and not known is made known by the tick.
async fn make_known(service: &Service, sweep: &Sweep) {
    let event = OwnEvent::SweepRequested(SweepRequested { sweep_id: sweep.id.clone() });
    service.bus.publish_or_leave(&[event]).await;
}
