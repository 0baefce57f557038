//! What a preview reads of a schedule: the records of its snapshots, or of many the combs of all instances.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::cursor::Order;
use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, ScheduleId, SnapshotId};
use crate::domain::instance::gone::has_rule;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::statistics::{Dimension, DimensionKind};
use crate::domain::sweep::newest::NEWEST_AVAILABLE;
use crate::domain::sweep::plan::{PlanEntry, World, plan};
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};
use crate::views::fates::combs_of;
use crate::views::gone_instances::look;

/// Of how many instances the newest snapshots are looked for one by one.
const INSTANCES_MAX: usize = 500;
/// Of how many instances the combs are in memory at once.
const COMBS_AT_ONCE: usize = 64;
/// How many of an instance's newest records are read at once.
const NEWEST_PAGE: usize = 20;

/// What a sweep sees of one schedule.
pub(super) struct PreviewInput<'a> {
    service: &'a Service,
    /// The available snapshots that are judged.
    judged: BTreeSet<SnapshotId>,
    /// They and whatever decides about them.
    snapshots: Vec<Snapshot>,
    /// The instances that are certainly gone, where a rule is for them.
    gone: BTreeSet<InstanceId>,
    /// Those that may be.
    absent: BTreeSet<InstanceId>,
    now: Timestamp,
}

impl<'a> PreviewInput<'a> {
    /// Loads what a sweep judges a schedule by, in each of the forms it is given in.
    pub(super) async fn load(
        service: &'a Service,
        forms: &[&Schedule],
        records_max: usize,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (judged, gone, absent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut input = Self { service, judged, snapshots: Vec::new(), gone, absent, now };
        let Some(schedule) = forms.first() else { return Ok(input) };
        let mut are_records = input.read_records(&schedule.id, records_max).await?;
        if !are_records {
            input.read_combs(&schedule.id).await?;
        }
        input.look_for_gone(forms).await?;
        let instances = input.newest_wanted(forms);
        if are_records && instances.len() > INSTANCES_MAX {
            input.read_combs(&schedule.id).await?;
            are_records = false;
        }
        if are_records {
            for ((instance, region), oldest) in &instances {
                input.add_newer(instance, region, *oldest).await?;
            }
        }
        Ok(input)
    }

    /// Everything that was read.
    pub(super) fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// What is known of instances that are gone, if one of the forms has a rule for them.
    async fn look_for_gone(&mut self, forms: &[&Schedule]) -> Result<(), Error> {
        let Some(schedule) = forms.iter().find(|schedule| has_rule(schedule)) else {
            return Ok(());
        };
        let schedules = BTreeMap::from([(schedule.id.clone(), (*schedule).clone())]);
        let looks = look(self.service, &schedules, &self.snapshots).await?;
        (self.gone, self.absent) = (looks.gone(self.now), looks.in_doubt(self.now));
        Ok(())
    }

    /// The instances of which newer snapshots than the schedule's decide, and newer than when.
    fn newest_wanted(&self, forms: &[&Schedule]) -> BTreeMap<(InstanceId, String), Timestamp> {
        let mut instances: BTreeMap<_, Timestamp> = BTreeMap::new();
        for (place, taken_at) in forms.iter().flat_map(|schedule| self.last_resorts(schedule)) {
            let oldest = instances.entry(place).or_insert(taken_at);
            *oldest = taken_at.min(*oldest);
        }
        instances
    }

    /// Reads the records of the schedule's snapshots, unless there are more than `most`.
    async fn read_records(&mut self, id: &ScheduleId, most: usize) -> Result<bool, Error> {
        let list = SnapshotList::OfSchedule(id.clone(), Presence::Here);
        let slice = Slice { order: Order::OldestFirst, limit: most + 1, after: None };
        let (ids, more) = self.service.table.snapshot_ids(&list, &slice).await?;
        if more || ids.len() > most {
            return Ok(false);
        }
        for snapshot in self.service.table.snapshots(&ids).await?.into_values() {
            self.take(snapshot);
        }
        self.snapshots
            .sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(true)
    }

    /// Reads the combs of all instances, and keeps those that have snapshots of the schedule.
    async fn read_combs(&mut self, id: &ScheduleId) -> Result<(), Error> {
        self.judged.clear();
        self.snapshots.clear();
        let rows = self.service.table.every_row(DimensionKind::Instance).await?;
        let instances: BTreeSet<_> = rows
            .into_iter()
            .filter_map(|row| match row.dimension {
                Dimension::Instance(id, _) => Some(id),
                Dimension::Region(_) | Dimension::Schedule(..) | Dimension::Day(..) => None,
            })
            .collect();
        let instances: Vec<_> = instances.into_iter().collect();
        for some in instances.chunks(COMBS_AT_ONCE) {
            for (instance, comb) in combs_of(self.service, some.to_vec()).await {
                let comb = comb.ok_or_else(|| Error::Unavailable {
                    service: "DynamoDB",
                    source: format!("the snapshots of {instance} cannot be read now").into(),
                })?;
                let is_of_it = |one: &Snapshot| one.schedule_id() == Some(id);
                if comb.snapshots().iter().any(is_of_it) {
                    let wanted = |one: &Snapshot| is_of_it(one) || one.is_good();
                    for snapshot in comb.into_snapshots().into_iter().filter(wanted) {
                        if is_of_it(&snapshot) {
                            self.take(snapshot);
                        } else {
                            self.snapshots.push(snapshot);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes a snapshot of the schedule in; it is judged if it is available.
    fn take(&mut self, snapshot: Snapshot) {
        if snapshot.status == Status::Available {
            self.judged.insert(snapshot.id.clone());
        }
        self.snapshots.push(snapshot);
    }

    /// The instances, each with a region, of which one of these snapshots stays only because it is the newest there, or the
    /// newest of a volume, as far as is known; and when that was taken.
    fn last_resorts(&self, schedule: &Schedule) -> Vec<((InstanceId, String), Timestamp)> {
        let regions: BTreeMap<_, _> =
            self.snapshots.iter().map(|one| (&one.id, &one.source.region)).collect();
        self.entries(schedule)
            .into_iter()
            .filter(|entry| entry.reasons.iter().any(|reason| reason.starts_with(NEWEST_AVAILABLE)))
            .filter_map(|entry| {
                let region = regions.get(&entry.snapshot_id)?;
                Some(((entry.instance_id, (*region).clone()), entry.taken_at))
            })
            .collect()
    }

    /// Adds the instance's good snapshots in a region that are newer than `oldest`, whatever they were taken for.
    async fn add_newer(
        &mut self,
        instance: &InstanceId,
        region: &str,
        oldest: Timestamp,
    ) -> Result<(), Error> {
        let list = SnapshotList::Of(instance.clone(), Presence::Here);
        let mut after = None;
        loop {
            let slice = Slice { order: Order::NewestFirst, limit: NEWEST_PAGE, after };
            let listed = self.service.table.list_snapshots(&list, &slice).await?;
            after = listed.snapshots.last().map(|(position, _)| position.clone());
            for (_, snapshot) in listed.snapshots {
                let counts = snapshot.is_good() && snapshot.source.region == region;
                // The list is by when records were made, and no content is newer than its record.
                if snapshot.created_at < oldest {
                    return Ok(());
                }
                if counts && !self.judged.contains(&snapshot.id) {
                    self.snapshots.push(snapshot);
                }
            }
            if !listed.more || after.is_none() {
                return Ok(());
            }
        }
    }

    /// The EBS snapshots that images use, as far as sweeps have noted it.
    fn in_use(&self) -> BTreeMap<EbsSnapshotId, ImageId> {
        let mut in_use = BTreeMap::new();
        for snapshot in &self.snapshots {
            let cause = snapshot.ending.blocked.as_ref().map(|blocked| &blocked.cause);
            if let Some(BlockedCause::InUse { image_id: Some(image), .. }) = cause {
                let members = snapshot.living_members();
                in_use.extend(members.map(|one| (one.ebs_snapshot_id.clone(), image.clone())));
            }
        }
        in_use
    }

    /// The sweep's plan for the schedule's available snapshots, if it were in this form.
    pub(super) fn entries(&self, schedule: &Schedule) -> Vec<PlanEntry> {
        let world = World {
            schedules: &BTreeMap::from([(schedule.id.clone(), schedule.clone())]),
            snapshots: &self.snapshots,
            in_use: &self.in_use(),
            gone: &self.gone,
            absent: &self.absent,
            failed_kept: self.service.settings.failed_kept,
            now: self.now,
        };
        let mut entries = plan(&world);
        entries.retain(|entry| self.judged.contains(&entry.snapshot_id));
        entries
    }
}
