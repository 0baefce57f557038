//! Schedules, one or a page of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::ScheduleId;
use crate::domain::schedule::Schedule;
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::Slice;
use crate::views::paging::collect;

/// Which schedules are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFilter {
    /// Whether they fire.
    pub enabled: Option<bool>,
    /// With this text in name or id; case does not matter.
    pub q: Option<String>,
}

/// The schedule of this id.
pub async fn show(service: &Service, id: &ScheduleId) -> Result<Schedule, Error> {
    service.table.schedule(id).await?.ok_or_else(|| Error::not_found("schedule", id))
}

/// The names of these schedules; those that are deleted have none.
pub async fn names(
    service: &Service,
    ids: &BTreeSet<ScheduleId>,
) -> Result<BTreeMap<ScheduleId, String>, Error> {
    let schedules = service.table.schedules(ids).await?;
    Ok(schedules.into_iter().map(|(id, one)| (id, one.settings.name)).collect())
}

/// One page of the schedules that are wanted. It may be short although more follow, where few of many are wanted.
pub async fn list(
    service: &Service,
    filter: &ScheduleFilter,
    request: &PageRequest,
) -> Result<Page<Schedule>, Error> {
    let read = |slice: Slice| async move {
        let Slice { order, limit, after } = slice;
        let request = PageRequest { limit, cursor: after.map(Cursor::after), order };
        let Page { items, next_cursor } = service.table.list_schedules(&request).await?;
        let items = items.into_iter().map(|schedule| (schedule.id.to_string(), schedule)).collect();
        Ok((items, next_cursor.is_some()))
    };
    collect(request, read, |schedule| filter.wants(schedule)).await
}

/// How many schedules are wanted in all.
pub async fn total(service: &Service, filter: &ScheduleFilter) -> Result<u64, Error> {
    let all = service.table.every_schedule().await?;
    let count = all.values().filter(|schedule| filter.wants(schedule)).count();
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

impl ScheduleFilter {
    fn wants(&self, schedule: &Schedule) -> bool {
        let settings = &schedule.settings;
        let has = |text: &String| {
            let text = text.to_lowercase();
            settings.name.to_lowercase().contains(&text) || schedule.id.as_str().contains(&text)
        };
        self.enabled.is_none_or(|enabled| settings.enabled == enabled)
            && self.q.as_ref().is_none_or(has)
    }
}
