//! What is condemned and would not be condemned now stays after all.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
use crate::regions::members_by_region;
use crate::service::Service;

/// How many one sweep rescues; the next goes on, and each is asked for once more before it is deleted.
const RESCUED_MAX: usize = 1_000;

/// Rescues these, each for its reason, and takes their marks off. Who has changed one meanwhile is judged by the next sweep.
pub(crate) async fn rescue_condemned(
    service: &Service,
    found: Vec<(&Snapshot, String)>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut rescued = Vec::new();
    for (snapshot, reason) in found.into_iter().take(RESCUED_MAX) {
        if snapshot.status != Status::Condemned {
            continue;
        }
        let next = snapshot.rescue(now).map_err(Error::conflict)?;
        let table = service.table.because(&format!("the rules keep it now: {reason}"));
        if table.update_snapshot(snapshot, &next).await?.is_done() {
            info!(snapshot.id = %next.id, "Snapshot {} stays: {reason}", next.id);
            rescued.push(next);
        }
    }
    for (region, members) in members_by_region(&rescued) {
        let unmarked = match service.ec2_in(&region) {
            Ok(ec2) => ec2.unmark_condemned(&members).await,
            Err(error) => Err(error),
        };
        if let Err(error) = unmarked {
            // Without its record in `condemned` nothing is deleted; the next sweep takes the marks off.
            warn!(region = %region, error.chain = %chain(&error), "Marks in {region} wait for the next sweep");
        }
    }
    Ok(())
}
