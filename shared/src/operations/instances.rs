//! Instances, as EC2 has them, with what we know of their protection.

use super::list_snapshots::{SnapshotFilter, list_snapshots};
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::InstanceId;
use crate::domain::instance::{Instance, InstanceType, VolumeDetails};
use crate::domain::schedule::{Schedule, TagMatch};
use crate::domain::snapshot::{Snapshot, Status};
use crate::ec2::InstanceFilter;
use crate::error::Error;
use crate::service::Service;

/// The smallest page that EC2 gives.
const EC2_PAGE_MIN: usize = 5;
/// How many of EC2's pages one of ours looks at before it answers with what it has and a cursor.
const EC2_PAGES_MAX: usize = 10;

/// Which instances are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct InstanceQuery {
    /// Bearing all of these tags.
    pub tags: Vec<TagMatch>,
    /// With this text in id, name or type; case does not matter.
    pub q: Option<String>,
    /// Of which a snapshot can be taken, or cannot.
    pub eligible: Option<bool>,
    /// Of this region.
    pub region: Option<String>,
}

/// An instance with everything there is to say of it.
#[derive(Clone, Debug)]
pub struct InstanceDetails {
    /// The instance.
    pub instance: Instance,
    /// What its type offers.
    pub kind: Option<InstanceType>,
    /// Its volumes.
    pub volumes: Vec<VolumeDetails>,
    /// Its newest restorable snapshot.
    pub newest_available: Option<Snapshot>,
    /// The schedules that are for it.
    pub schedules: Vec<Schedule>,
}

/// One page of the instances that `query` wants, in EC2's order. A page may be short although more follow.
pub async fn list_instances(
    service: &Service,
    query: &InstanceQuery,
    request: &PageRequest,
) -> Result<Page<Instance>, Error> {
    let mut items = Vec::new();
    if query.region.as_ref().is_some_and(|region| region != service.ec2.region()) {
        return Ok(Page { items, next_cursor: None });
    }
    let filter = InstanceFilter { tags: query.tags.clone(), ..InstanceFilter::default() };
    let limit = i32::try_from(request.limit.max(EC2_PAGE_MIN)).unwrap_or(i32::MAX);
    let mut position = Position::of(request.cursor.as_ref())?;
    for _ in 0..EC2_PAGES_MAX {
        let page = service.ec2.instances_page(&filter, limit, position.token.clone()).await?;
        for (index, instance) in page.instances.into_iter().enumerate().skip(position.skip) {
            if items.len() == request.limit {
                let next = Position { skip: index, token: position.token };
                return Ok(Page { items, next_cursor: Some(next.cursor()) });
            }
            if query.wants(&instance) {
                items.push(instance);
            }
        }
        let Some(token) = page.next_token else {
            return Ok(Page { items, next_cursor: None });
        };
        position = Position { skip: 0, token: Some(token) };
        if items.len() == request.limit {
            break;
        }
    }
    Ok(Page { items, next_cursor: Some(position.cursor()) })
}

/// Where a page goes on: so many instances into the page that EC2 gives for this token.
struct Position {
    skip: usize,
    token: Option<String>,
}

impl Position {
    fn of(cursor: Option<&Cursor>) -> Result<Self, Error> {
        let Some(cursor) = cursor else { return Ok(Self { skip: 0, token: None }) };
        let parts = cursor.key().split_once(':');
        let skip = parts.and_then(|(skip, token)| Some((skip.parse().ok()?, token)));
        let (skip, token) = skip.ok_or_else(|| {
            Error::invalid(
                "cursor",
                "is no cursor of this list; take the next_cursor of the page before",
            )
        })?;
        Ok(Self { skip, token: (!token.is_empty()).then(|| token.to_owned()) })
    }

    fn cursor(&self) -> Cursor {
        Cursor::after(format!("{}:{}", self.skip, self.token.as_deref().unwrap_or_default()))
    }
}

impl InstanceQuery {
    fn wants(&self, instance: &Instance) -> bool {
        let has_text = |text: &str| {
            let text = text.to_lowercase();
            let places = [
                Some(instance.id.as_str()),
                instance.name.as_deref(),
                Some(instance.instance_type.as_str()),
            ];
            places.into_iter().flatten().any(|place| place.to_lowercase().contains(&text))
        };
        self.eligible.is_none_or(|eligible| instance.eligibility().is_ok() == eligible)
            && self.q.as_deref().is_none_or(has_text)
    }
}

/// The instance of this id. EC2 shows a terminated one for about an hour.
pub async fn show_instance(service: &Service, id: &InstanceId) -> Result<InstanceDetails, Error> {
    let found = service.ec2.instances(std::slice::from_ref(id)).await?.remove(id);
    let instance = found.ok_or_else(|| Error::not_found("instance", id))?;
    let names = std::slice::from_ref(&instance.instance_type);
    let kind = service.ec2.instance_types(names).await?.remove(&instance.instance_type);
    let volume_ids: Vec<_> = instance.volumes.iter().map(|one| one.volume_id.clone()).collect();
    let volumes = service.ec2.volumes(&volume_ids).await?;
    let volumes = volume_ids.iter().filter_map(|id| volumes.get(id).cloned()).collect();
    let schedules = service.table.every_schedule().await?;
    Ok(InstanceDetails {
        newest_available: newest_available(service, id).await?,
        schedules: schedules.into_values().filter(|one| one.targets.include(&instance)).collect(),
        instance,
        kind,
        volumes,
    })
}

/// The newest snapshot of an instance that can be restored.
pub(super) async fn newest_available(
    service: &Service,
    id: &InstanceId,
) -> Result<Option<Snapshot>, Error> {
    let filter = SnapshotFilter {
        instance_id: Some(id.clone()),
        status: Some(Status::Available),
        ..SnapshotFilter::default()
    };
    let mut request = PageRequest { limit: 1, ..PageRequest::default() };
    loop {
        let page = list_snapshots(service, &filter, &request).await?;
        if let Some(newest) = page.items.into_iter().find(Snapshot::is_good) {
            return Ok(Some(newest));
        }
        if page.next_cursor.is_none() {
            return Ok(None);
        }
        request.cursor = page.next_cursor;
    }
}
