//! How many instances are protected how: a look at the first two hundred.

use jiff::Timestamp;

use crate::domain::cursor::{Order, PageRequest};
use crate::domain::ids::InstanceId;
use crate::domain::instance::coverage::ProtectionStatus;
use crate::error::Error;
use crate::service::Service;
use crate::views::instance_coverage::{InstanceView, ViewFilter, list_views};
use crate::views::instances::InstanceQuery;

/// How many instances are looked at.
pub const INSTANCES_MAX: usize = 200;

/// The first instances there are, by how they are protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionCounts {
    /// As their schedules promise.
    pub ok: usize,
    /// Those that are not, the first of them by name.
    pub late: Vec<(InstanceId, Option<String>)>,
    /// Those that no schedule is for.
    pub unprotected: Vec<(InstanceId, Option<String>)>,
    /// Those whose records could not be read in time.
    pub unknown: usize,
    /// Whether there are more than were looked at.
    pub more: bool,
    /// The regions that gave no answer.
    pub out_of_reach: Vec<String>,
}

/// How the first 200 instances are protected: one page of the list of instances.
pub async fn protection_counts(
    service: &Service,
    now: Timestamp,
) -> Result<ProtectionCounts, Error> {
    let request =
        PageRequest { limit: INSTANCES_MAX, order: Order::default(), ..PageRequest::default() };
    let (query, filter) = (InstanceQuery::default(), ViewFilter::default());
    let views = list_views(service, &query, &filter, &request, now).await?;
    let more = views.page.next_cursor.is_some();
    let mut counts =
        ProtectionCounts { more, out_of_reach: views.out_of_reach, ..ProtectionCounts::default() };
    let named = |view: InstanceView| (view.instance.id, view.instance.name);
    for view in views.page.items {
        match view.protection.assessment.as_ref().map(|one| one.status) {
            Some(ProtectionStatus::Ok) => counts.ok += 1,
            Some(ProtectionStatus::Late) => counts.late.push(named(view)),
            Some(ProtectionStatus::Unprotected) => counts.unprotected.push(named(view)),
            None => counts.unknown += 1,
        }
    }
    Ok(counts)
}
