//! What the rules say of every available snapshot of a schedule, for each instance by itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{World, halves};
use crate::domain::ids::{InstanceId, SnapshotId};
use crate::domain::retention::{Rules, Verdict};
use crate::domain::schedule::copies::CopyTarget;
use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{Schedule, WhenGone};
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::condemnation::CondemnedBy;

/// What the rules say of one snapshot.
pub(super) enum Ruling {
    /// It stays, for these reasons.
    Keep(Vec<String>),
    /// It goes.
    Delete { by: CondemnedBy, reason: String, unexpected: bool },
}

/// The rulings; what no rule is for has none, and stays.
pub(super) type Rulings<'a> = BTreeMap<&'a SnapshotId, Ruling>;

/// Which instances are there.
#[derive(Clone, Copy)]
enum InstancePresence {
    Here,
    /// Not there by this look, which is not believed.
    Absent,
    Gone,
}

/// What decides about the snapshots of one instance.
#[derive(Clone, Copy)]
struct InForce<'a> {
    rules: Option<&'a Rules>,
    /// `Apply` while the instance is there.
    when_gone: WhenGone,
    zone: &'a Zone,
}

/// What the rules say of every available snapshot of a schedule.
pub(super) fn rulings<'a>(world: &World<'a>) -> Rulings<'a> {
    let mut groups: BTreeMap<_, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in world.snapshots {
        if let Some(schedule) = snapshot.schedule_id().filter(|_| snapshot.is_good()) {
            // Copies are kept by rules of their own in each region.
            let group = (schedule, &snapshot.source.instance_id, snapshot.copied_to());
            groups.entry(group).or_default().push(snapshot);
        }
    }
    let mut rulings = BTreeMap::new();
    for ((schedule_id, instance, _), snapshots) in groups {
        let Some(schedule) = world.schedules.get(schedule_id) else { continue };
        let presence = InstancePresence::of(instance, world);
        if matches!(presence, InstancePresence::Absent)
            && schedule.settings.when_gone != WhenGone::Apply
        {
            // The rules are for instances that are there, and the rule for gone ones is not for it yet.
            let reason = "EC2 does not show its instance; looked for again";
            let kept = || Ruling::Keep(vec![reason.to_owned()]);
            rulings.extend(snapshots.into_iter().map(|snapshot| (&snapshot.id, kept())));
            continue;
        }
        let Some(any) = snapshots.first() else { continue };
        if !is_named(any, &schedule.settings.copies) {
            // What was copied to a region that is not named any more stays, whatever becomes of its instance.
            continue;
        }
        let now = InForce::now(schedule, any, presence);
        let judged = halves::apart(&snapshots, |these| now.verdicts(these, world.now));
        let Some(verdicts) = judged else { continue };
        let expected = expected_deletions(schedule, presence, &snapshots, world.now);
        for (snapshot, verdict) in snapshots.into_iter().zip(verdicts) {
            let ruling = if verdict.keep {
                Ruling::Keep(verdict.reasons)
            } else {
                let (by, reason) = now.condemns(schedule);
                Ruling::Delete { by, reason, unexpected: !expected.contains(&snapshot.id) }
            };
            rulings.insert(&snapshot.id, ruling);
        }
    }
    rulings
}

/// What was in force at the last executed sweep would delete now, of snapshots that were the schedule's then or
/// were taken since.
fn expected_deletions(
    schedule: &Schedule,
    presence: InstancePresence,
    snapshots: &[&Snapshot],
    now: Timestamp,
) -> BTreeSet<SnapshotId> {
    let since = schedule.enforced.at;
    let known: Vec<_> = snapshots
        .iter()
        .copied()
        .filter(|snapshot| snapshot.joined_at().is_none_or(|joined| joined < since))
        .collect();
    let Some(any) = known.first() else { return BTreeSet::new() };
    if !is_named(any, &schedule.enforced.copies) {
        return BTreeSet::new();
    }
    let before = InForce::before(schedule, any, presence);
    let verdicts = halves::apart(&known, |these| before.verdicts(these, now)).unwrap_or_default();
    known
        .into_iter()
        .zip(verdicts)
        .filter(|(_, verdict)| !verdict.keep)
        .map(|(snapshot, _)| snapshot.id.clone())
        .collect()
}

/// Whether a snapshot is no copy, or one in a region that is named.
fn is_named(snapshot: &Snapshot, copies: &[CopyTarget]) -> bool {
    snapshot.copied_to().is_none_or(|region| copies.iter().any(|one| one.region == *region))
}

impl<'a> InForce<'a> {
    /// What the schedule says now of such as this one.
    fn now(schedule: &'a Schedule, of: &Snapshot, presence: InstancePresence) -> Self {
        let rules = schedule.rules_of(of);
        let when_gone = presence.choose(schedule.settings.when_gone);
        Self { rules, when_gone, zone: &schedule.settings.timezone }
    }

    /// What it said at the last executed sweep of such as this one.
    fn before(schedule: &'a Schedule, of: &Snapshot, presence: InstancePresence) -> Self {
        let enforced = &schedule.enforced;
        let when_gone = presence.choose(enforced.when_gone);
        Self { rules: enforced.rules_of(of), when_gone, zone: &enforced.timezone }
    }

    /// A verdict for each snapshot, in their order; none if nothing is to be said.
    fn verdicts(&self, snapshots: &[&Snapshot], now: Timestamp) -> Option<Vec<Verdict>> {
        let taken_at: Vec<_> = snapshots.iter().map(|snapshot| snapshot.taken_at()).collect();
        match self.when_gone {
            WhenGone::Apply => self.rules.map(|rules| rules.plan(&taken_at, self.zone, now)),
            WhenGone::KeepLast(count) => Some(newest(&taken_at, count.get())),
            WhenGone::KeepAll => {
                let reasons = vec!["instance gone: all are kept".to_owned()];
                Some(vec![Verdict { keep: true, reasons }; taken_at.len()])
            }
        }
    }

    /// Which rule a deletion is by, and its words.
    fn condemns(&self, schedule: &Schedule) -> (CondemnedBy, String) {
        let digest = schedule.rules_digest();
        match (self.when_gone, self.rules) {
            (WhenGone::KeepLast(count), _) => {
                let reason = format!("instance gone: not among the last {count}");
                (CondemnedBy::InstanceGone { digest }, reason)
            }
            (WhenGone::Apply | WhenGone::KeepAll, rules) => {
                let rules = rules.map(Rules::describe).unwrap_or_default();
                (CondemnedBy::Rules { digest }, format!("no rule keeps it ({rules})"))
            }
        }
    }
}

impl InstancePresence {
    fn of(instance: &InstanceId, world: &World<'_>) -> Self {
        if world.gone.contains(instance) {
            Self::Gone
        } else if world.absent.contains(instance) {
            Self::Absent
        } else {
            Self::Here
        }
    }

    /// The rule for an instance that is gone, or none that differs.
    fn choose(self, when_gone: WhenGone) -> WhenGone {
        match self {
            Self::Here | Self::Absent => WhenGone::Apply,
            Self::Gone => when_gone,
        }
    }
}

/// The newest `count` stay. Of equal instants an earlier one counts as newer, as for the rules.
fn newest(taken_at: &[Timestamp], count: u32) -> Vec<Verdict> {
    let mut newest_first: Vec<_> = taken_at.iter().copied().enumerate().collect();
    newest_first.sort_by_key(|&(_, at)| Reverse(at));
    let mut verdicts: Vec<_> = (1..)
        .zip(newest_first)
        .map(|(rank, (position, _))| {
            let keep = rank <= count;
            let reason = keep.then(|| format!("instance gone: last {rank} of {count}"));
            (position, Verdict { keep, reasons: reason.into_iter().collect() })
        })
        .collect();
    verdicts.sort_unstable_by_key(|&(position, _)| position);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}
