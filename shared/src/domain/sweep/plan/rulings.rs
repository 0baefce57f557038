//! What the rules say of every available snapshot of a schedule, for each instance by itself.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{World, halves};
use crate::domain::ids::{InstanceId, ScheduleId};
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

/// A ruling for each snapshot of a world, in their order; what no rule is for has none, and stays.
pub(super) type Rulings = Vec<Option<Ruling>>;

/// Which instances are there.
#[derive(Clone, Copy)]
enum InstancePresence {
    Here,
    /// Not there by this look, which is not believed.
    Absent,
    Gone,
}

/// What decides about the snapshots of one instance.
#[derive(Clone, Copy, PartialEq)]
struct InForce<'a> {
    rules: Option<&'a Rules>,
    /// `Apply` while the instance is there.
    when_gone: WhenGone,
    zone: &'a Zone,
}

/// What the rules say of every available snapshot of a schedule.
pub(super) fn rulings(world: &World<'_>) -> Rulings {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, snapshot) in world.snapshots.iter().enumerate() {
        if let Some(schedule) = snapshot.schedule_id().filter(|_| snapshot.is_good()) {
            // Copies are kept by rules of their own in each region.
            let group = (&snapshot.source.instance_id, schedule, snapshot.copied_to());
            groups.entry(group).or_default().push(place);
        }
    }
    let mut rulings: Rulings = world.snapshots.iter().map(|_| None).collect();
    // Each condemnation bears the fingerprint of its rules: it is reckoned once.
    let mut digests: BTreeMap<&ScheduleId, String> = BTreeMap::new();
    for ((instance, schedule_id, _), places) in groups {
        let Some(schedule) = world.schedules.get(schedule_id) else { continue };
        let snapshots: Vec<_> =
            places.iter().filter_map(|place| world.snapshots.get(*place)).collect();
        let presence = InstancePresence::of(instance, world);
        let digest = digests.entry(schedule_id).or_insert_with(|| schedule.rules_digest());
        let judged = rulings_of((schedule, digest), presence, &snapshots, world.now);
        for (place, ruling) in places.into_iter().zip(judged.into_iter().flatten()) {
            if let Some(of_this) = rulings.get_mut(place) {
                *of_this = Some(ruling);
            }
        }
    }
    rulings
}

/// What a schedule, whose rules have this digest, says of each of these snapshots of one instance, in their order; none if nothing is to be said.
fn rulings_of(
    (schedule, digest): (&Schedule, &str),
    presence: InstancePresence,
    snapshots: &[&Snapshot],
    now: Timestamp,
) -> Option<Vec<Ruling>> {
    if matches!(presence, InstancePresence::Absent)
        && schedule.settings.when_gone != WhenGone::Apply
    {
        // The rules are for instances that are there, and the rule for gone ones is not for it yet.
        let reason = "EC2 does not show its instance; looked for again";
        let kept = |_: &&Snapshot| Ruling::Keep(vec![reason.to_owned()]);
        return Some(snapshots.iter().map(kept).collect());
    }
    let any = snapshots.first()?;
    if !is_named(any, &schedule.settings.copies) {
        // What was copied to a region that is not named any more stays, whatever becomes of its instance.
        return None;
    }
    let in_force = InForce::now(schedule, any, presence);
    let verdicts = halves::apart(snapshots, |these| in_force.verdicts(these, now))?;
    let expected = expected_deletions(schedule, presence, (snapshots, &verdicts), now);
    let (by, reason) = in_force.condemns(digest);
    let ruling = |(verdict, is_expected): (Verdict, bool)| {
        if verdict.keep {
            Ruling::Keep(verdict.reasons)
        } else {
            let (by, reason) = (by.clone(), reason.clone());
            Ruling::Delete { by, reason, unexpected: !is_expected }
        }
    };
    Some(verdicts.into_iter().zip(expected).map(ruling).collect())
}

/// For each of these snapshots, on which the verdicts of now are known, whether what was in force at the last executed
/// sweep would delete it now: of those that were the schedule's then or were taken since.
fn expected_deletions(
    schedule: &Schedule,
    presence: InstancePresence,
    (snapshots, verdicts): (&[&Snapshot], &[Verdict]),
    now: Timestamp,
) -> Vec<bool> {
    let since = schedule.enforced.at;
    let is_known = |snapshot: &Snapshot| snapshot.joined_at().is_none_or(|at| at < since);
    let known: Vec<_> = snapshots.iter().copied().filter(|one| is_known(one)).collect();
    let none = || vec![false; snapshots.len()];
    let Some(any) = known.first() else { return none() };
    if !is_named(any, &schedule.enforced.copies) {
        return none();
    }
    let before = InForce::before(schedule, any, presence);
    if known.len() == snapshots.len() && before == InForce::now(schedule, any, presence) {
        // The same rules say the same of the same snapshots.
        return verdicts.iter().map(|verdict| !verdict.keep).collect();
    }
    let Some(verdicts) = halves::apart(&known, |these| before.verdicts(these, now)) else {
        return none();
    };
    let mut verdicts = verdicts.into_iter();
    let mut goes = |snapshot: &Snapshot| {
        is_known(snapshot) && verdicts.next().is_some_and(|verdict| !verdict.keep)
    };
    snapshots.iter().map(|snapshot| goes(snapshot)).collect()
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
    fn condemns(&self, digest: &str) -> (CondemnedBy, String) {
        let digest = digest.to_owned();
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
