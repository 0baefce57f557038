//! What fires next, over all schedules.

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Schedule;
use crate::domain::schedule::slots::Timing;
use crate::error::Error;
use crate::service::Service;

/// How many fires one answer has at the most.
pub const FIRES_MAX: usize = 500;

/// A fire that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComingFire {
    pub at: Timestamp,
    pub schedule_id: ScheduleId,
    pub schedule_name: String,
    /// Over how many minutes its targets are staggered.
    pub spread_minutes: u32,
    /// How many instances the schedule names.
    pub named_instances: usize,
    /// Whether it selects instances by their tags as well.
    pub selects_by_tags: bool,
}

/// The fires of a time to come.
#[derive(Clone, Debug)]
pub struct Upcoming {
    /// The fires in order.
    pub fires: Vec<ComingFire>,
    /// Whether there are more than these.
    pub more: bool,
}

/// What fires after `now` and within `span`, the next first: one read of all schedules.
pub async fn upcoming(
    service: &Service,
    span: SignedDuration,
    now: Timestamp,
) -> Result<Upcoming, Error> {
    let schedules = service.table.every_schedule().await?;
    Ok(fires_of(schedules.values(), now, now.saturating_add(span).unwrap_or(now), FIRES_MAX))
}

/// The first `most` fires of these schedules after `from`, until `to`.
pub(crate) fn fires_of<'a>(
    schedules: impl Iterator<Item = &'a Schedule>,
    from: Timestamp,
    to: Timestamp,
    most: usize,
) -> Upcoming {
    let mut fires: Vec<_> = schedules
        .filter(|schedule| schedule.settings.enabled)
        .flat_map(|schedule| {
            let slots = Timing::of(schedule).slots_after(from).take_while(move |at| *at <= to);
            // No schedule has more of the first so many than so many.
            slots.take(most + 1).map(|at| fire(schedule, at))
        })
        .collect();
    fires.sort_by(|one, other| (one.at, &one.schedule_id).cmp(&(other.at, &other.schedule_id)));
    let more = fires.len() > most;
    fires.truncate(most);
    Upcoming { fires, more }
}

fn fire(schedule: &Schedule, at: Timestamp) -> ComingFire {
    let settings = &schedule.settings;
    ComingFire {
        at,
        schedule_id: schedule.id.clone(),
        schedule_name: settings.name.clone(),
        spread_minutes: settings.spread_minutes.unwrap_or(0),
        named_instances: settings.targets.instance_ids.len(),
        selects_by_tags: !settings.targets.tags.is_empty(),
    }
}
