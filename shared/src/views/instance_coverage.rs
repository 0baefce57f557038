//! Instances with everything there is to say of them: whether a snapshot can be taken, what they are made of, and how
//! they are protected.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;
use tracing::warn;

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{InstanceId, ScheduleId, VolumeId};
use crate::domain::instance::coverage::{Assessment, ProtectionStatus, assess, promised_interval};
use crate::domain::instance::pending::{region_caveat, room_for};
use crate::domain::instance::{AttachedVolume, Ineligible, Instance, InstanceType, VolumeDetails};
use crate::domain::schedule::Schedule;
use crate::error::{Error, chain};
use crate::service::Service;
use crate::views;
use crate::views::instances::{InstanceQuery, list_instances};
use crate::views::known_region;
pub use crate::views::latest_snapshots::Latest;
use crate::views::latest_snapshots::{latest_of, pending_by_region};

/// After how many instances of which none is wanted a page is given up.
const LOOKED_AT_MAX: usize = 400;
/// And after how many pages of EC2's.
const ROUNDS_MAX: usize = 5;
/// How many volumes of a page are asked for; those beyond are not described.
const VOLUMES_MAX: usize = 1_000;
/// How long a page may wait for what EC2 and the table say beside the instances themselves.
const LOOK_LASTS: Duration = Duration::from_secs(6);

/// Which instances are wanted, by what EC2 does not know.
#[derive(Clone, Debug, Default)]
pub struct ViewFilter {
    /// How they are protected.
    pub protection: Option<ProtectionStatus>,
    /// That this schedule is for.
    pub schedule_id: Option<ScheduleId>,
}

/// An instance with everything there is to say of it.
#[derive(Clone, Debug)]
pub struct InstanceView {
    pub instance: Instance,
    /// What its type offers; nothing if EC2 does not say.
    pub kind: Option<InstanceType>,
    /// What EC2 knows of its volumes; those that it did not tell of are left out.
    pub volumes: BTreeMap<VolumeId, VolumeDetails>,
    /// Whether a snapshot of it can be taken now, or why not.
    pub eligibility: Result<(), Ineligible>,
    /// What makes a snapshot of it of less use than one might think, or late, in words.
    pub caveats: Vec<String>,
    /// How it is protected.
    pub protection: InstanceProtection,
}

/// How an instance is protected.
#[derive(Clone, Debug)]
pub struct InstanceProtection {
    /// The schedules that are for it, by their ids.
    pub schedules: Vec<Schedule>,
    /// The longest time between two snapshots that they promise together.
    pub promised: Option<SignedDuration>,
    /// The latest there is of it; nothing if the records could not be read.
    pub latest: Option<Latest>,
    /// How it is protected; nothing if the records could not be read.
    pub assessment: Option<Assessment>,
}

/// One page of instances, and what is not in it.
#[derive(Clone, Debug)]
pub struct InstanceViews {
    pub page: Page<InstanceView>,
    /// The regions that this page came to and that gave no answer: their instances, or the rest of them, are left out.
    pub out_of_reach: Vec<String>,
}

/// All schedules.
type Schedules = BTreeMap<ScheduleId, Schedule>;

/// One page of the instances that are wanted. A page may be short although more follow, and even empty: then up to 400
/// were looked at that `filter` or `query.eligible` leaves out. What cannot be read within six seconds is left out of
/// the views, unless the filter needs it: then it is [`Error::Unavailable`].
pub async fn list_views(
    service: &Service,
    query: &InstanceQuery,
    filter: &ViewFilter,
    request: &PageRequest,
    now: Timestamp,
) -> Result<InstanceViews, Error> {
    checked_region(service, query)?;
    let schedules = service.table.every_schedule().await?;
    let mut query = query.clone();
    if let Some(id) = &filter.schedule_id {
        let Some(schedule) = schedules.get(id) else {
            let page = Page { items: Vec::new(), next_cursor: None };
            return Ok(InstanceViews { page, out_of_reach: Vec::new() });
        };
        query.targets = Some(schedule.settings.targets.clone());
    }
    let mut request = request.clone();
    let (mut looked_at, mut rounds) = (0, 0);
    let mut out_of_reach = BTreeSet::new();
    loop {
        let list = list_instances(service, &query, &request).await?;
        out_of_reach.extend(list.out_of_reach);
        let page = list.page;
        let count = page.items.len();
        (looked_at, rounds) = (looked_at + count, rounds + 1);
        let mut items = Vec::new();
        for view in views(service, page.items, &schedules, now).await {
            if is_wanted(&view, &query, filter)? {
                items.push(view);
            }
        }
        request.cursor = page.next_cursor;
        // A position is one of EC2's pages: what was looked at is all on this page or all behind it.
        let is_enough = count == 0 || looked_at >= LOOKED_AT_MAX || rounds >= ROUNDS_MAX;
        if !items.is_empty() || is_enough || request.cursor.is_none() {
            let page = Page { items, next_cursor: request.cursor };
            return Ok(InstanceViews { page, out_of_reach: out_of_reach.into_iter().collect() });
        }
    }
}

/// Refuses a region that is not looked after.
pub(crate) fn checked_region(service: &Service, query: &InstanceQuery) -> Result<(), Error> {
    let is_looked_after = |region| service.settings.regions.contains(region);
    if query.region.as_ref().is_none_or(is_looked_after) {
        Ok(())
    } else {
        Err(known_region::refusal(service))
    }
}

fn is_wanted(
    view: &InstanceView,
    query: &InstanceQuery,
    filter: &ViewFilter,
) -> Result<bool, Error> {
    let protection = &view.protection;
    let unreadable = || Error::Unavailable {
        service: "DynamoDB",
        source: "the records that the filter needs were not read in time".into(),
    };
    let is_eligible = query.eligible.is_none_or(|wanted| view.eligibility.is_ok() == wanted);
    let Some(status) = filter.protection else { return Ok(is_eligible) };
    let assessment = protection.assessment.as_ref().ok_or_else(unreadable)?;
    Ok(is_eligible && assessment.status == status)
}

/// The instance of this id. EC2 shows a terminated one for about an hour.
pub async fn show_view(
    service: &Service,
    id: &InstanceId,
    now: Timestamp,
) -> Result<InstanceView, Error> {
    let instance = views::instances::show(service, id).await?;
    let schedules = service.table.every_schedule().await?;
    view_of(service, instance, &schedules, now).await
}

/// The instance with these schedules for all there are.
pub(crate) async fn view_of(
    service: &Service,
    instance: Instance,
    schedules: &Schedules,
    now: Timestamp,
) -> Result<InstanceView, Error> {
    let id = instance.id.clone();
    let view = views(service, vec![instance], schedules, now).await.pop();
    view.ok_or_else(|| Error::not_found("instance", id))
}

/// The instances as they are, each with what else there is to say. It never fails: what cannot be read is left out.
async fn views(
    service: &Service,
    instances: Vec<Instance>,
    schedules: &Schedules,
    now: Timestamp,
) -> Vec<InstanceView> {
    if instances.is_empty() {
        return Vec::new();
    }
    let ids: Vec<_> = instances.iter().map(|instance| instance.id.clone()).collect();
    let described = timeout(LOOK_LASTS, Box::pin(Described::read(service, &instances)));
    let records = timeout(LOOK_LASTS, Box::pin(latest_of(service, &ids)));
    let pending = timeout(LOOK_LASTS, Box::pin(pending_by_region(service)));
    let (described, records, pending) = tokio::join!(described, records, pending);
    let mut latest = match records {
        Ok(Ok(latest)) => Some(latest),
        Ok(Err(error)) => {
            warn!(error.chain = %chain(&error), "Protection is unknown");
            None
        }
        Err(_) => {
            warn!("Protection is unknown: the records were not read in time");
            None
        }
    };
    let mut described = described.unwrap_or_default();
    described.pending = pending.ok().and_then(Result::ok).unwrap_or_default();
    let mut reckoner = Promises { now, known: BTreeMap::new() };
    instances
        .into_iter()
        .map(|instance| {
            let latest = latest.as_mut().and_then(|all| all.remove(&instance.id));
            let protection = protection(&instance, schedules, latest, &mut reckoner);
            described.view(instance, protection)
        })
        .collect()
}

fn protection(
    instance: &Instance,
    schedules: &Schedules,
    latest: Option<Latest>,
    reckoner: &mut Promises,
) -> InstanceProtection {
    let schedules: Vec<_> =
        schedules.values().filter(|one| one.settings.targets.include(instance)).collect();
    let promised = reckoner.of(&schedules);
    let assessment = latest.as_ref().map(|latest| {
        assess(&schedules, promised, latest.taken(), instance.there_since(), reckoner.now)
    });
    let schedules = schedules.into_iter().cloned().collect();
    InstanceProtection { schedules, promised, latest, assessment }
}

/// What schedules promise, reckoned once for those that go together.
struct Promises {
    now: Timestamp,
    known: BTreeMap<Vec<ScheduleId>, Option<SignedDuration>>,
}

impl Promises {
    fn of(&mut self, schedules: &[&Schedule]) -> Option<SignedDuration> {
        let key = schedules.iter().map(|one| one.id.clone()).collect();
        *self.known.entry(key).or_insert_with(|| promised_interval(schedules, self.now))
    }
}

/// What EC2 says of the types and the volumes of instances.
#[derive(Default)]
struct Described {
    /// By region and name.
    kinds: BTreeMap<(String, String), InstanceType>,
    volumes: BTreeMap<VolumeId, VolumeDetails>,
    /// How many EBS snapshots are pending, by region.
    pending: BTreeMap<String, usize>,
}

impl Described {
    /// Asked in each region, as far as it answers.
    async fn read(service: &Service, instances: &[Instance]) -> Self {
        let mut all = Self::default();
        let regions: BTreeSet<_> = instances.iter().map(|one| one.region.as_str()).collect();
        for region in regions {
            let here = || instances.iter().filter(|one| one.region == region);
            let names: BTreeSet<_> = here().map(|one| one.instance_type.clone()).collect();
            let names: Vec<_> = names.into_iter().collect();
            let volumes = here().flat_map(|one| &one.volumes);
            let ids: Vec<_> = volumes.map(|one| one.volume_id.clone()).take(VOLUMES_MAX).collect();
            let Ok(ec2) = service.ec2_in(region) else { continue };
            let (kinds, volumes) = tokio::join!(ec2.instance_types(&names), ec2.volumes(&ids));
            let kinds = kinds.unwrap_or_else(|error| left_out("types", &error));
            let kinds = kinds.into_iter().map(|(name, kind)| ((region.to_owned(), name), kind));
            all.kinds.extend(kinds);
            all.volumes.extend(volumes.unwrap_or_else(|error| left_out("volumes", &error)));
        }
        all
    }

    fn view(&self, instance: Instance, protection: InstanceProtection) -> InstanceView {
        let kind = self.kinds.get(&(instance.region.clone(), instance.instance_type.clone()));
        let details = |one: &AttachedVolume| {
            let details = self.volumes.get(&one.volume_id)?;
            Some((one.volume_id.clone(), details.clone()))
        };
        let volumes = instance.volumes.iter().filter_map(details).collect();
        let pending = protection.latest.as_ref().map(|latest| latest.pending.as_slice());
        let eligibility = instance
            .eligibility()
            .and_then(|()| room_for(&instance.volumes, pending.unwrap_or_default(), &volumes));
        let here = self.pending.get(&instance.region).copied().unwrap_or(0);
        let caveats = instance.caveats().into_iter().map(str::to_owned);
        let caveats = caveats.chain(region_caveat(here)).collect();
        InstanceView { kind: kind.cloned(), volumes, eligibility, caveats, protection, instance }
    }
}

fn left_out<T: Default>(what: &str, error: &Error) -> T {
    warn!(error.chain = %chain(error), "What EC2 says of {what} is left out");
    T::default()
}
