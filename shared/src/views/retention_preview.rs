//! The plan of a sweep for one schedule under other rules. Nothing is written.
//!
//! It is the sweep's own plan over the snapshots of one schedule, and over the newest of those instances for
//! which being the newest decides. Images are not asked for: what the last sweep found to be used by one stays.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::cursor::Order;
use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, ScheduleId, SnapshotId};
use crate::domain::instance::gone::has_rule;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::BlockedCause;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::brakes;
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::newest::NEWEST_AVAILABLE;
use crate::domain::sweep::plan::{PlanEntry, Verdict, World, plan};
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::Slice;
use crate::table::{Presence, SnapshotList};
use crate::views::gone_instances::look;

/// How many available snapshots a preview looks at.
pub const SNAPSHOTS_MAX: usize = 10_000;

/// How many changed verdicts a preview tells one by one.
pub const CHANGES_MAX: usize = 1_000;

/// Of how many instances the newest snapshot is looked for.
const INSTANCES_MAX: usize = 500;

/// How many records are read at once.
const PAGE: usize = 1_000;
const NEWEST_PAGE: usize = 20;

/// What the next sweep would do with and without an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditPreview {
    /// With the schedule as it is.
    pub before: Counts,
    /// With the schedule as it would be.
    pub after: Counts,
    /// The snapshots of which the verdict would be another, oldest first; no more than [`CHANGES_MAX`].
    pub changes: Vec<ChangedVerdict>,
    /// How many there are in all.
    pub changes_total: u32,
    /// Why the brake would stop the edited schedule; none if it would not.
    pub braked: Option<String>,
}

/// A plan in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// So many would stay.
    pub kept: u32,
    /// So many would go.
    pub deleted: u32,
}

/// A snapshot of which an edit would change the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedVerdict {
    /// What the sweep would do as the schedule is.
    pub before: KeepOrDelete,
    /// The entry of the plan as the schedule would be.
    pub after: PlanEntry,
}

/// Whether a snapshot stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepOrDelete {
    /// It does.
    Keep,
    /// It goes.
    Delete,
}

impl KeepOrDelete {
    /// The outcome of a verdict: a snapshot that is blocked does not go.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Keep | Verdict::Blocked { .. } => Self::Keep,
            Verdict::Delete { .. } => Self::Delete,
        }
    }
}

/// Returns what a sweep at `now` would do with the available snapshots of a schedule in the form `schedule`:
/// oldest first, each with its reasons. More than `most` of them are [`Error::Conflict`].
pub async fn preview_rules(
    service: &Service,
    schedule: &Schedule,
    most: usize,
    now: Timestamp,
) -> Result<Vec<PlanEntry>, Error> {
    let input = PreviewInput::load(service, &[schedule], most, now).await?;
    Ok(input.entries(schedule))
}

/// What a sweep at `now` would do with the available snapshots of a schedule as it is, `old`, and as an edit would
/// make it, `new`; and whether the brake would let it.
pub async fn preview_edit(
    service: &Service,
    old: &Schedule,
    new: &Schedule,
    now: Timestamp,
) -> Result<EditPreview, Error> {
    let input = PreviewInput::load(service, &[old, new], SNAPSHOTS_MAX, now).await?;
    let (before, after) = (input.entries(old), input.entries(new));
    let limits = service.settings.brake;
    let tallies = Tallies::of(&after, &input.snapshots);
    let edited = BTreeMap::from([(new.id.clone(), new.clone())]);
    let brake = brakes(&tallies, &edited, limits, now).into_iter().next();
    let counts = (Counts::of(&before), Counts::of(&after));
    // Both have the same snapshots in the same order.
    let mut changes: Vec<_> = before
        .iter()
        .zip(after)
        .map(|(before, after)| ChangedVerdict { before: KeepOrDelete::of(&before.verdict), after })
        .filter(|change| change.before != KeepOrDelete::of(&change.after.verdict))
        .collect();
    let changes_total = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    changes.truncate(CHANGES_MAX);
    let braked = brake.map(|brake| {
        let earlier = match brake.earlier {
            0 => String::new(),
            earlier => format!(", after {earlier} within 24 hours"),
        };
        format!(
            "{} of its {} available snapshots would go that the rules of the last executed sweep would have \
             kept{earlier}; more than {} that are also more than {} % wait for an admin's approval",
            brake.unexpected, brake.available, limits.deletions, limits.percent
        )
    });
    Ok(EditPreview { before: counts.0, after: counts.1, changes, changes_total, braked })
}

impl Counts {
    fn of(entries: &[PlanEntry]) -> Self {
        let count = |wanted| {
            let wanted = |entry: &&PlanEntry| KeepOrDelete::of(&entry.verdict) == wanted;
            u32::try_from(entries.iter().filter(wanted).count()).unwrap_or(u32::MAX)
        };
        Self { kept: count(KeepOrDelete::Keep), deleted: count(KeepOrDelete::Delete) }
    }
}

/// What a sweep sees of one schedule.
struct PreviewInput<'a> {
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
    async fn load(
        service: &'a Service,
        forms: &[&Schedule],
        most: usize,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (judged, gone, absent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut input = Self { service, judged, snapshots: Vec::new(), gone, absent, now };
        if let Some(schedule) = forms.first() {
            input.read(&schedule.id, most).await?;
        }
        if let Some(schedule) = forms.iter().find(|schedule| has_rule(schedule)) {
            let schedules = BTreeMap::from([(schedule.id.clone(), (*schedule).clone())]);
            let looks = look(service, &schedules, &input.snapshots).await?;
            (input.gone, input.absent) = (looks.gone(now), looks.in_doubt(now));
        }
        let mut instances: BTreeMap<_, Timestamp> = BTreeMap::new();
        for (place, taken_at) in forms.iter().flat_map(|schedule| input.last_resorts(schedule)) {
            let oldest = instances.entry(place).or_insert(taken_at);
            *oldest = taken_at.min(*oldest);
        }
        if instances.len() > INSTANCES_MAX {
            return Err(Error::conflict(format!(
                "of more than {INSTANCES_MAX} instances nothing but the newest snapshot would stay, which is \
                 more than a preview looks into; ask for a sweep with the mode plan_only"
            )));
        }
        for ((instance, region), oldest) in &instances {
            input.add_newer(instance, region, *oldest).await?;
        }
        Ok(input)
    }

    async fn read(&mut self, id: &ScheduleId, most: usize) -> Result<(), Error> {
        let list = SnapshotList::OfSchedule(id.clone(), Presence::Here);
        let mut after = None;
        loop {
            let slice = Slice { order: Order::OldestFirst, limit: PAGE, after };
            let listed = self.service.table.list_snapshots(&list, &slice).await?;
            after = listed.snapshots.last().map(|(position, _)| position.clone());
            for (_, snapshot) in listed.snapshots {
                if snapshot.status == Status::Available {
                    self.judged.insert(snapshot.id.clone());
                }
                self.snapshots.push(snapshot);
            }
            if self.judged.len() > most {
                return Err(Error::conflict(format!(
                    "the schedule has more than {most} available snapshots, which is more than a \
                     preview looks at; ask for a sweep with the mode plan_only"
                )));
            }
            if !listed.more || after.is_none() {
                return Ok(());
            }
        }
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
    fn entries(&self, schedule: &Schedule) -> Vec<PlanEntry> {
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
