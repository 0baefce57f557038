//! Finds things by any identifier, or by a part of their name.

use std::collections::BTreeSet;

use tracing::warn;

use crate::domain::audit::AuditItem;
use crate::domain::cursor::{Order, PageRequest};
use crate::domain::ids::{
    EbsSnapshotId, ImageId, ImageJobId, InstanceId, RestoreId, ScheduleId, SnapshotId, SweepId,
    VolumeId,
};
use crate::domain::image::Image;
use crate::domain::instance::Instance;
use crate::domain::restore::Restore;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::Snapshot;
use crate::domain::sweep::Sweep;
use crate::error::{Error, chain};
use crate::service::Service;
use crate::table::audit::Pages;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};
use crate::views;
use crate::views::instances::{InstanceQuery, list_instances};

/// How many things of a kind are told.
const FOUND_MAX: usize = 20;
/// How many of the newest snapshots are looked at for a name.
const EXAMINED: usize = 500;

/// Something that was found.
#[derive(Clone, Debug)]
pub enum Hit {
    Instance(Box<Instance>),
    /// An instance that EC2 shows no more, by the newest of its snapshots.
    GoneInstance(Box<Snapshot>),
    Snapshot(Box<Snapshot>),
    /// A member, with the set that it is of.
    EbsSnapshot(EbsSnapshotId, Box<Snapshot>),
    Schedule(Box<Schedule>),
    Sweep(Box<Sweep>),
    Restore(Box<Restore>),
    Image(Box<Image>),
    /// What a request has done.
    AuditEntry(Box<AuditItem>),
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// Whether there may be more, of a name among older snapshots for example.
    pub more: bool,
    /// The regions that gave no answer.
    pub out_of_reach: Vec<String>,
}

/// What a text may be the identifier of.
enum Wanted {
    Instance(InstanceId),
    Snapshot(SnapshotId),
    EbsSnapshot(EbsSnapshotId),
    Volume(VolumeId),
    Ami(ImageId),
    Schedule(ScheduleId),
    Sweep(SweepId),
    Restore(RestoreId),
    Image(ImageJobId),
    /// None: a request's, or a part of a name.
    Text,
}

impl Wanted {
    fn of(text: &str) -> Self {
        let parsed = [
            text.parse().ok().map(Self::Instance),
            text.parse().ok().map(Self::Snapshot),
            text.parse().ok().map(Self::EbsSnapshot),
            text.parse().ok().map(Self::Volume),
            text.parse().ok().map(Self::Ami),
            text.parse().ok().map(Self::Schedule),
            text.parse().ok().map(Self::Sweep),
            text.parse().ok().map(Self::Restore),
            text.parse().ok().map(Self::Image),
        ];
        parsed.into_iter().flatten().next().unwrap_or(Self::Text)
    }
}

/// What `text` names. An identifier costs a read or two, of a volume or an AMI a question to each region; anything else
/// is looked for in the names of schedules, of instances, of the newest 500 snapshots, and in the audit as the identifier of a
/// request.
pub async fn search(service: &Service, text: &str) -> Result<Found, Error> {
    let table = &service.table;
    let mut found = Found::default();
    match Wanted::of(text) {
        Wanted::Instance(id) => of_instance(service, &id, &mut found).await?,
        Wanted::Snapshot(id) => {
            found.hits.extend(table.snapshot(&id).await?.map(|one| Hit::Snapshot(Box::new(one))));
        }
        Wanted::EbsSnapshot(id) => of_members(service, &[id], &mut found).await?,
        Wanted::Volume(id) => of_volume(service, &id, &mut found).await?,
        Wanted::Ami(id) => of_ami(service, &id, &mut found).await?,
        Wanted::Schedule(id) => {
            found.hits.extend(table.schedule(&id).await?.map(|one| Hit::Schedule(Box::new(one))));
        }
        Wanted::Sweep(id) => {
            found.hits.extend(table.sweep(&id).await?.map(|one| Hit::Sweep(Box::new(one))));
        }
        Wanted::Restore(id) => {
            found.hits.extend(table.restore(&id).await?.map(|one| Hit::Restore(Box::new(one))));
        }
        Wanted::Image(id) => {
            found.hits.extend(table.image(&id).await?.map(|one| Hit::Image(Box::new(one))));
        }
        Wanted::Text => {
            of_request(service, text, &mut found).await?;
            by_name(service, text, &mut found).await?;
        }
    }
    Ok(found)
}

/// The instance, as EC2 has it; or else the newest snapshot there is or was of it.
async fn of_instance(service: &Service, id: &InstanceId, found: &mut Found) -> Result<(), Error> {
    match views::instances::show(service, id).await {
        Ok(instance) => {
            found.hits.push(Hit::Instance(Box::new(instance)));
            return Ok(());
        }
        Err(Error::NotFound { .. }) => {}
        Err(error) => warn!(error.chain = %chain(&error), "EC2 does not say whether {id} is there"),
    }
    for presence in [Presence::Here, Presence::Gone] {
        let list = SnapshotList::Of(id.clone(), presence);
        let slice = Slice { order: Order::NewestFirst, limit: 1, after: None };
        let listed = service.table.list_snapshots(&list, &slice).await?;
        if let Some((_, newest)) = listed.snapshots.into_iter().next() {
            found.hits.push(Hit::GoneInstance(Box::new(newest)));
            return Ok(());
        }
    }
    Ok(())
}

/// The sets that these EBS snapshots are members of.
async fn of_members(
    service: &Service,
    ids: &[EbsSnapshotId],
    found: &mut Found,
) -> Result<(), Error> {
    let sets = service.table.sets_of(ids).await?;
    let distinct: BTreeSet<_> = sets.values().cloned().collect();
    let distinct: Vec<_> = distinct.into_iter().collect();
    let snapshots = service.table.snapshots(&distinct).await?;
    for (member, set) in sets {
        if let Some(snapshot) = snapshots.get(&set) {
            found.hits.push(Hit::EbsSnapshot(member, Box::new(snapshot.clone())));
        }
    }
    Ok(())
}

/// The instance that a volume is attached to, and the newest of our sets that have it.
async fn of_volume(service: &Service, id: &VolumeId, found: &mut Found) -> Result<(), Error> {
    let volumes = std::slice::from_ref(id);
    let mut of_it = Vec::new();
    for ec2 in service.everywhere() {
        let attached = match ec2.attachments(volumes).await {
            Ok(attached) => attached,
            Err(error) => {
                warn!(error.chain = %chain(&error), "{} does not say who has {id}", ec2.region());
                found.out_of_reach.push(ec2.region().to_owned());
                continue;
            }
        };
        if let Some(instance) = attached.get(id).and_then(Option::as_ref) {
            let known = ec2.instances(std::slice::from_ref(instance)).await?;
            let instances = known.into_values().map(|one| Hit::Instance(Box::new(one)));
            found.hits.extend(instances);
        }
        of_it.extend(ec2.snapshots_of_volumes(volumes).await?.into_iter().flatten());
    }
    of_it.sort_by_key(|one| std::cmp::Reverse(one.started_at));
    found.more |= of_it.len() > FOUND_MAX;
    let ids: Vec<_> = of_it.into_iter().take(FOUND_MAX).map(|one| one.id).collect();
    of_members(service, &ids, found).await
}

/// Our image of this AMI, and our sets that it uses.
async fn of_ami(service: &Service, id: &ImageId, found: &mut Found) -> Result<(), Error> {
    for ec2 in service.everywhere() {
        let seen = match ec2.image(id).await {
            Ok(Some(seen)) => seen,
            Ok(None) => continue,
            Err(error) => {
                warn!(error.chain = %chain(&error), "{} does not say whose {id} is", ec2.region());
                found.out_of_reach.push(ec2.region().to_owned());
                continue;
            }
        };
        if let Some(job) = seen.named_job()
            && let Some(image) = service.table.image(&job).await?
            && image.ami_id.as_ref() == Some(id)
        {
            found.hits.push(Hit::Image(Box::new(image)));
        }
        return of_members(service, &seen.ebs_snapshot_ids, found).await;
    }
    Ok(())
}

/// What the request of this identifier has done.
async fn of_request(service: &Service, text: &str, found: &mut Found) -> Result<(), Error> {
    let pages = Pages::OfRequest(text.to_owned());
    let entries = service.table.entries(&pages, None, FOUND_MAX).await?;
    found.more |= entries.more;
    found.hits.extend(entries.items.into_iter().map(|(_, one)| Hit::AuditEntry(Box::new(one))));
    Ok(())
}

async fn by_name(service: &Service, text: &str, found: &mut Found) -> Result<(), Error> {
    let lower = text.to_lowercase();
    let has = |place: &str| place.to_lowercase().contains(&lower);
    let schedules = service.table.every_schedule().await?;
    let named = schedules.into_values().filter(|one| has(&one.settings.name));
    found.hits.extend(named.take(FOUND_MAX).map(|one| Hit::Schedule(Box::new(one))));
    let query = InstanceQuery { q: Some(text.to_owned()), ..InstanceQuery::default() };
    let request = PageRequest { limit: FOUND_MAX, ..PageRequest::default() };
    match list_instances(service, &query, &request).await {
        Ok(list) => {
            found.more |= list.page.next_cursor.is_some();
            found.out_of_reach.extend(list.out_of_reach);
            let instances = list.page.items.into_iter();
            found.hits.extend(instances.map(|one| Hit::Instance(Box::new(one))));
        }
        Err(error) => {
            warn!(error.chain = %chain(&error), "EC2 does not say which instances are named like that");
            found.out_of_reach.extend(service.settings.regions.iter().cloned());
        }
    }
    let slice = Slice { order: Order::NewestFirst, limit: EXAMINED, after: None };
    let list = SnapshotList::All(Presence::Here);
    let listed = service.table.list_snapshots(&list, &slice).await?;
    let snapshots = listed.snapshots.into_iter().map(|(_, one)| one);
    let mut named: Vec<_> = snapshots.filter(|one| has(&one.name)).collect();
    found.more |= listed.more || named.len() > FOUND_MAX;
    named.truncate(FOUND_MAX);
    found.hits.extend(named.into_iter().map(|one| Hit::Snapshot(Box::new(one))));
    Ok(())
}
