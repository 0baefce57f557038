//! The whole at a glance: numbers, protection, what waits for a person, what fires next, and how it grew.

use jiff::{SignedDuration, Timestamp};

use crate::domain::todo::TodoItem;
use crate::error::Error;
use crate::service::Service;
use crate::views::protection_counts::ProtectionCounts;
use crate::views::statistics::{self, Statistics};
use crate::views::todo::{Todo, todo};
use crate::views::upcoming::{ComingFire, fires_of};

/// How many of the next fires are told.
const FIRES: usize = 5;
/// How far ahead they are looked for.
const FIRES_WITHIN: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The whole at a glance.
#[derive(Clone, Debug)]
pub struct Overview {
    pub statistics: Statistics,
    /// How the instances are protected; none where that cannot be told.
    pub protection: Option<ProtectionCounts>,
    pub todo: Vec<TodoItem>,
    /// The next five, within 35 days.
    pub next_fires: Vec<ComingFire>,
}

/// The whole as it stands: what the numbers, the list of what is to be done and all schedules cost to read.
pub async fn overview(service: &Service, now: Timestamp) -> Result<Overview, Error> {
    let statistics = statistics::show(service, now).await?;
    let Todo { items, protection } = todo(service, now).await?;
    let schedules = service.table.every_schedule().await?;
    let until = now.saturating_add(FIRES_WITHIN).unwrap_or(now);
    let next_fires = fires_of(schedules.values(), now, until, FIRES).fires;
    Ok(Overview { statistics, protection, todo: items, next_fires })
}
