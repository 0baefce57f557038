//! The fate of a snapshot: why it is kept, and when it will go, as far as its schedule and the rules foresee it.
//!
//! Not foreseen is what nobody can know: edits, the brake, deletions by hand, images, instances that will be gone. What
//! is told is the earliest instant: later it may always be. Taken for granted is what
//! [`outlook`](crate::domain::retention::outlook) says.

mod available;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use self::available::Group;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use crate::domain::retention::outlook::{hour_before, sweep_after, sweep_from};
use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::condemnation::{Condemnation, CondemnedBy};
use crate::domain::snapshot::noted::InTheWay;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::plan::{Verdict, World, plan};

/// Why a snapshot is kept, and when it will go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The reasons that a sweep would give at this moment; none if it would let it go, or has no say.
    pub kept_by: Vec<String>,
    /// When it will go.
    pub outlook: Outlook,
    /// Why then, or why not, in words.
    pub because: String,
}

/// When a snapshot will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// At this instant or later, mostly within the hour; it may be past.
    At(Timestamp),
    /// Not as things stand.
    Never,
    /// Nobody can say.
    Unknown,
}

/// Everything a fate depends on.
#[derive(Clone, Copy, Debug)]
pub struct FateFacts<'a> {
    /// The schedules of the snapshots whose fate is wanted.
    pub schedules: &'a BTreeMap<ScheduleId, Schedule>,
    /// All snapshots of one instance that lists show, in the order of their records; of what
    /// [`stands_alone`], it may be the only one.
    pub snapshots: &'a [Snapshot],
    /// The instances that are certainly gone, of schedules with a rule for them.
    pub gone: &'a BTreeSet<InstanceId>,
    /// How long what a sweep condemns can be rescued, where the schedule says nothing.
    pub grace: SignedDuration,
    /// How long a failed set is kept.
    pub failed_kept: SignedDuration,
    /// The instant the reasons are for.
    pub now: Timestamp,
}

/// Whether the other snapshots of its instance have no part in its fate.
pub fn stands_alone(snapshot: &Snapshot, schedule: Option<&Schedule>) -> bool {
    let is_decided_with_others = match snapshot.schedule_id() {
        Some(_) => match schedule {
            Some(schedule) => {
                schedule.rules_of(snapshot).is_some()
                    || schedule.settings.when_gone != WhenGone::Apply
            }
            None => snapshot.ending.expires_at.is_some(),
        },
        None => snapshot.ending.expires_at.is_some(),
    };
    snapshot.status != Status::Available || snapshot.twin().is_none() && !is_decided_with_others
}

impl Fate {
    /// Nobody can say, and why.
    pub fn unknown(because: impl Into<String>) -> Self {
        Self { kept_by: Vec::new(), outlook: Outlook::Unknown, because: because.into() }
    }
}

/// The fate of every snapshot given whose schedule is given, or that has none.
pub fn fates(facts: &FateFacts<'_>) -> BTreeMap<SnapshotId, Fate> {
    fates_of(facts, |_| true)
}

/// The same of those that are wanted: what is in store for the others is not put into words.
pub fn fates_of(
    facts: &FateFacts<'_>,
    is_wanted: impl Fn(&SnapshotId) -> bool,
) -> BTreeMap<SnapshotId, Fate> {
    let FateFacts { schedules, snapshots, gone, failed_kept, now, .. } = *facts;
    // What a sweep asks EC2 about is not foreseen.
    let (in_use, absent) = (BTreeMap::new(), BTreeSet::new());
    let (in_use, absent) = (&in_use, &absent);
    let world = World { schedules, snapshots, in_use, gone, absent, failed_kept, now };
    let entries = plan(&world).into_iter().map(|entry| (entry.snapshot_id.clone(), entry));
    let mut entries: BTreeMap<_, _> = entries.collect();
    let group = Group::of(facts);
    snapshots
        .iter()
        .filter(|snapshot| is_wanted(&snapshot.id))
        .map(|snapshot| {
            let kept_by = match entries.remove(&snapshot.id) {
                Some(entry) if entry.verdict == Verdict::Keep => entry.reasons,
                Some(_) | None => Vec::new(),
            };
            let (outlook, because) = facts.outlook(snapshot, &group, &kept_by);
            (snapshot.id.clone(), Fate { kept_by, outlook, because })
        })
        .collect()
}

type Reasoned = (Outlook, String);

impl FateFacts<'_> {
    fn outlook(&self, snapshot: &Snapshot, group: &Group<'_>, kept_by: &[String]) -> Reasoned {
        match snapshot.status {
            Status::Requested | Status::Creating => {
                (Outlook::Unknown, "it is not taken yet".to_owned())
            }
            Status::Pending => (Outlook::Unknown, "EC2 is still writing it".to_owned()),
            Status::Available => match &snapshot.ending.blocked {
                Some(_) => blocked(snapshot),
                None => self.despite_ec2(snapshot, group.outlook(snapshot, kept_by)),
            },
            Status::Error => self.despite_ec2(snapshot, self.outlook_of_failed(snapshot)),
            Status::Condemned => self.despite_ec2(snapshot, condemned(snapshot)),
            Status::Deleting => match &snapshot.ending.blocked {
                Some(_) => blocked(snapshot),
                None => (Outlook::At(self.now), "it is being deleted".to_owned()),
            },
            Status::Deleted => gone(snapshot, "it was deleted"),
            Status::Missing => self.outlook_of_missing(snapshot),
        }
    }

    /// What is foreseen, with what EC2 was last seen to have against it: a lock puts it off, and what has no end that is
    /// known leaves nobody able to say.
    fn despite_ec2(&self, snapshot: &Snapshot, foreseen: Reasoned) -> Reasoned {
        let (outlook, because) = foreseen;
        match (outlook, snapshot.in_the_way(self.now)) {
            (Outlook::At(instant), Some(InTheWay { because: why, until })) => {
                let put_off = until.map_or(Outlook::Unknown, |end| Outlook::At(instant.max(end)));
                (put_off, format!("{because}; {why}"))
            }
            (Outlook::At(_) | Outlook::Never | Outlook::Unknown, _) => (outlook, because),
        }
    }

    fn outlook_of_missing(&self, snapshot: &Snapshot) -> Reasoned {
        let (outlook, because) = gone(snapshot, "EC2 no longer has it, as was found");
        let because = match snapshot.recycled_until(self.now) {
            Some(end) => format!("{because}; until {end} it can be taken out of the Recycle Bin"),
            None => because,
        };
        (outlook, because)
    }

    fn outlook_of_failed(&self, snapshot: &Snapshot) -> Reasoned {
        let end =
            snapshot.course.touched_at.saturating_add(self.failed_kept).unwrap_or(Timestamp::MAX);
        let because = format!("failed; kept until {end} to show why");
        match self.sweep_despite_hold(snapshot, sweep_from(end)) {
            Ok(sweep) => (self.after_grace(snapshot, sweep, end), because),
            Err(hold) => (Outlook::Never, hold.describe()),
        }
    }

    /// The first sweep from `sweep` on that is still to come and that no hold stops; or the hold, if it has no end.
    fn sweep_despite_hold<'s>(
        &self,
        snapshot: &'s Snapshot,
        sweep: Timestamp,
    ) -> Result<Timestamp, &'s Hold> {
        let sweep = sweep.max(sweep_after(self.now));
        match &snapshot.keepers.hold {
            Some(hold) => match hold.kind {
                HoldKind::Never => Err(hold),
                HoldKind::Until(end) => Ok(sweep.max(sweep_from(end))),
            },
            None => Ok(sweep),
        }
    }

    /// What a sweep condemns goes when its grace is over. The sweep that is foreseen for a full hour runs in the hour
    /// before it.
    fn after_grace(&self, snapshot: &Snapshot, sweep: Timestamp, not_before: Timestamp) -> Outlook {
        let held = snapshot.keepers.hold.as_ref().map_or(self.now, |hold| match hold.kind {
            HoldKind::Until(end) => end,
            HoldKind::Never => self.now,
        });
        let sweep = hour_before(sweep).max(self.now).max(not_before).max(held);
        let schedule = snapshot.schedule_id().and_then(|id| self.schedules.get(id));
        let grace = schedule.map_or(self.grace, |schedule| schedule.grace(self.grace));
        Outlook::At(sweep.saturating_add(grace).unwrap_or(Timestamp::MAX))
    }
}

fn condemned(snapshot: &Snapshot) -> Reasoned {
    let Some(condemnation) = &snapshot.ending.condemnation else {
        return (Outlook::Unknown, "the record does not say who condemned it".to_owned());
    };
    let Condemnation { by, reason, delete_after, .. } = condemnation;
    let hold =
        snapshot.keepers.hold.as_ref().filter(|hold| hold.forbids(by.deleter(), *delete_after));
    match hold.map(|hold| (hold, hold.kind)) {
        Some((hold, HoldKind::Never)) => {
            (Outlook::Never, format!("condemned, but {}", hold.describe()))
        }
        Some((hold, HoldKind::Until(end))) => {
            (Outlook::At(end), format!("condemned, but {}", hold.describe()))
        }
        None if snapshot.ending.blocked.is_some() => blocked(snapshot),
        None => {
            let who = match by {
                CondemnedBy::Person { who } => who.as_str(),
                CondemnedBy::Rules { .. } => "the rules",
                CondemnedBy::InstanceGone { .. } => "the rule for instances that are gone",
                CondemnedBy::Expiry { .. } => "its expiry",
                CondemnedBy::Failed | CondemnedBy::Duplicate => "a sweep",
            };
            (Outlook::At(*delete_after), format!("condemned by {who}: {reason}"))
        }
    }
}

fn blocked(snapshot: &Snapshot) -> Reasoned {
    let because = snapshot.ending.blocked.as_ref().map_or_else(
        || "something is in the way".to_owned(),
        |blocked| {
            format!("it should be gone, but since {}: {}", blocked.since, blocked.cause.describe())
        },
    );
    (Outlook::Unknown, because)
}

fn gone(snapshot: &Snapshot, what: &str) -> Reasoned {
    match snapshot.ending.gone_at {
        Some(at)
            if snapshot.living_members().next().is_some() && snapshot.status == Status::Deleted =>
        {
            (
                Outlook::At(at),
                format!("only its record was removed, at {at}; EC2 keeps what it has"),
            )
        }
        Some(at) => (Outlook::At(at), format!("{what} at {at}")),
        None => (Outlook::Unknown, what.to_owned()),
    }
}

#[cfg(test)]
mod tests;
