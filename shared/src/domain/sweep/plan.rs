//! The plan of a sweep: for every snapshot a verdict and its reasons. Pure.

pub mod again;
mod halves;
mod rulings;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::hold::Deleter;
use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, ScheduleId, SnapshotId, digest};
use crate::domain::later::is_default;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::brake::group::Group;
use crate::domain::sweep::newest::{Newest, has_all_of, using_image};
use crate::domain::sweep::plan::rulings::{Ruling, rulings};

/// The reason of what stays because nobody has said what is to become of it.
pub const SCHEDULE_GONE: &str = "its schedule is gone; nothing deletes it";

/// The reason of what stays because it may be missing.
const NOT_SHOWN: &str = "EC2 does not show all of it; looked for again";

/// The reason of what stays because it is of no use now, and so lets nothing else go.
const NOT_READY: &str =
    "a member of it is archived or not completed: it does not count, and no rule deletes it";

/// Everything a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// All schedules.
    pub schedules: &'a BTreeMap<ScheduleId, Schedule>,
    /// All snapshots that lists show.
    pub snapshots: &'a [Snapshot],
    /// Which EBS snapshots images use, disabled images too.
    pub in_use: &'a BTreeMap<EbsSnapshotId, ImageId>,
    /// The instances that are certainly gone, of those whose schedules have a rule for it.
    pub gone: &'a BTreeSet<InstanceId>,
    /// Of the same, those that are not there by this look and not yet believed to be gone.
    pub absent: &'a BTreeSet<InstanceId>,
    /// How long a failed set is kept, so that somebody can see why.
    pub failed_kept: SignedDuration,
    /// The instant the decisions are for.
    pub now: Timestamp,
}

/// What the plan says of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// Its instance.
    pub instance_id: InstanceId,
    /// Its schedule.
    pub schedule_id: Option<ScheduleId>,
    /// The instant whose content it has.
    pub taken_at: Timestamp,
    /// What is to become of it.
    pub verdict: Verdict,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Which rule would delete it if nothing protected it, where the rules of the last executed sweep would not. It counts
    /// for the brake: what protects it ends, and the rule is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shielded_from: Option<CondemnedBy>,
    /// With what it is counted together.
    #[serde(default, skip_serializing_if = "is_default")]
    pub group: Group,
    /// What became of it.
    pub outcome: Option<Outcome>,
}

/// What is to become of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It goes.
    Delete {
        /// Which rule says so.
        by: CondemnedBy,
        /// Whether the rules of the last executed sweep would not have.
        unexpected: bool,
    },
    /// It should go and cannot.
    Blocked {
        /// The image that uses it.
        image_id: ImageId,
        /// Which rule wants it gone; none in plans of earlier versions.
        #[serde(default)]
        by: Option<CondemnedBy>,
    },
}

/// What became of an entry of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Condemned.
    Condemned,
    /// It had changed meanwhile and was left alone.
    Changed,
    /// The brake stopped it.
    Stopped,
    /// The limit of one sweep was reached; the next goes on.
    Later,
    /// A fault that passes.
    Failed,
}

impl PlanEntry {
    /// Which rule deletes it, now or once nothing protects it any more, where the rules of the last executed sweep would not.
    pub fn unexpected_by(&self) -> Option<&CondemnedBy> {
        match &self.verdict {
            Verdict::Delete { unexpected: true, by } => Some(by),
            Verdict::Delete { unexpected: false, .. } => None,
            Verdict::Keep | Verdict::Blocked { .. } => self.shielded_from.as_ref(),
        }
    }
}

/// The plan: an entry for every snapshot that could go, oldest first.
///
/// What is not whole yet, and what is already condemned, is not in it.
pub fn plan(world: &World<'_>) -> Vec<PlanEntry> {
    let known = Known::of(world);
    let mut judged: Vec<_> = world
        .snapshots
        .iter()
        .zip(rulings(world))
        .filter(|(snapshot, _)| matches!(snapshot.status, Status::Available | Status::Error))
        .map(|(snapshot, ruling)| (snapshot.taken_at(), snapshot, ruling))
        .collect();
    judged.sort_by(|(one_at, one, _), (other_at, other, _)| {
        (one_at, &one.id).cmp(&(other_at, &other.id))
    });
    judged
        .into_iter()
        .map(|(taken_at, snapshot, ruling)| {
            let wanted = wanted(snapshot, ruling, world, &known);
            let shielded_from = wanted.unexpected_by().cloned();
            let (verdict, reasons) = protected(snapshot, wanted, &known.newest, world);
            let is_shielded = !matches!(verdict, Verdict::Delete { .. });
            PlanEntry {
                snapshot_id: snapshot.id.clone(),
                instance_id: snapshot.source.instance_id.clone(),
                schedule_id: snapshot.schedule_id().cloned(),
                taken_at,
                verdict,
                reasons,
                shielded_from: shielded_from.filter(|_| is_shielded),
                group: Group::of(snapshot),
                outcome: None,
            }
        })
        .collect()
}

/// A fingerprint of a plan: of which snapshots there are, the verdict on each, and what protection keeps from showing.
/// Two plans with the same one have the same entries in the same order.
pub fn plan_hash(entries: &[PlanEntry]) -> String {
    let part = |entry: &PlanEntry| {
        let verdict = format!("{} {:?}", entry.snapshot_id, entry.verdict);
        match &entry.shielded_from {
            Some(by) => format!("{verdict} {by:?}"),
            None => verdict,
        }
    };
    let parts: Vec<_> = entries.iter().map(part).collect();
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    digest(&parts)
}

/// What is looked up for one snapshot among all others.
struct Known<'a> {
    newest: Newest<'a>,
    /// What others were made twice for, where it is there.
    originals: BTreeMap<&'a SnapshotId, &'a Snapshot>,
}

impl<'a> Known<'a> {
    fn of(world: &World<'a>) -> Self {
        let asked: BTreeSet<_> = world.snapshots.iter().filter_map(Snapshot::twin).collect();
        // Mostly nothing was made twice.
        let among = if asked.is_empty() { &[] } else { world.snapshots };
        let originals = among.iter().filter(|one| asked.contains(&one.id));
        let originals = originals.map(|one| (&one.id, one)).collect();
        Self { newest: Newest::among(world.snapshots), originals }
    }
}

/// What the rules want, before protection: a deletion with its reason, or the reasons to keep.
enum RuleOutcome {
    Keep(Vec<String>),
    Delete { by: CondemnedBy, reason: String, unexpected: bool },
}

impl RuleOutcome {
    /// Which rule wants a deletion that the rules of the last executed sweep would not want.
    fn unexpected_by(&self) -> Option<&CondemnedBy> {
        match self {
            Self::Delete { by, unexpected: true, .. } => Some(by),
            Self::Delete { unexpected: false, .. } | Self::Keep(_) => None,
        }
    }
}

fn wanted(
    snapshot: &Snapshot,
    ruling: Option<Ruling>,
    world: &World<'_>,
    known: &Known<'_>,
) -> RuleOutcome {
    if let Some(original) = snapshot.twin() {
        return wanted_of_duplicate(snapshot, original, known);
    }
    if snapshot.status == Status::Error {
        let end =
            snapshot.course.touched_at.saturating_add(world.failed_kept).unwrap_or(Timestamp::MAX);
        return if end <= world.now {
            let reason = format!("failed; kept until {end} to show why");
            RuleOutcome::Delete { by: CondemnedBy::Failed, reason, unexpected: false }
        } else {
            RuleOutcome::Keep(vec![format!("failed; kept until {end} to show why")])
        };
    }
    match snapshot.schedule_id() {
        Some(schedule_id) => wanted_by_schedule(snapshot, schedule_id, ruling, world),
        None if snapshot.course.absent_since.is_some() => {
            RuleOutcome::Keep(vec![NOT_SHOWN.to_owned()])
        }
        None => wanted_by_expiry(snapshot, world.now),
    }
}

/// A duplicate goes while its original is whole and has all that it has, and once the original is gone, while newer ones
/// have.
fn wanted_of_duplicate(
    snapshot: &Snapshot,
    original: &SnapshotId,
    known: &Known<'_>,
) -> RuleOutcome {
    let is_covered = match known.originals.get(original) {
        Some(found) if found.status == Status::Available => {
            found.is_whole() && has_all_of(found, snapshot)
        }
        Some(found) if !matches!(found.status, Status::Condemned | Status::Deleting) => false,
        Some(_) | None => known.newest.lets_go(snapshot).is_ok(),
    };
    if is_covered {
        let reason = format!("made twice: the same as {original}");
        RuleOutcome::Delete { by: CondemnedBy::Duplicate, reason, unexpected: false }
    } else {
        RuleOutcome::Keep(vec![format!("made twice, but {original} is not available")])
    }
}

fn wanted_by_schedule(
    snapshot: &Snapshot,
    schedule_id: &ScheduleId,
    ruling: Option<Ruling>,
    world: &World<'_>,
) -> RuleOutcome {
    let is_gone = !world.schedules.contains_key(schedule_id);
    if is_gone && snapshot.ending.expires_at.is_none() {
        return RuleOutcome::Keep(vec![SCHEDULE_GONE.to_owned()]);
    }
    if let Some(reason) = not_counted(snapshot) {
        return RuleOutcome::Keep(vec![reason.to_owned()]);
    }
    if is_gone {
        // An end that a person has given it since.
        return wanted_by_expiry(snapshot, world.now);
    }
    match ruling {
        None => {
            RuleOutcome::Keep(vec!["its schedule has no rules and keeps everything".to_owned()])
        }
        Some(Ruling::Keep(reasons)) => RuleOutcome::Keep(reasons),
        Some(Ruling::Delete { by, reason, unexpected }) => {
            RuleOutcome::Delete { by, reason, unexpected }
        }
    }
}

/// Why an available snapshot does not count for the rules, which then have no say over it.
fn not_counted(snapshot: &Snapshot) -> Option<&'static str> {
    if snapshot.course.absent_since.is_some() {
        return Some(NOT_SHOWN);
    }
    (!snapshot.is_whole()).then_some(NOT_READY)
}

fn wanted_by_expiry(snapshot: &Snapshot, now: Timestamp) -> RuleOutcome {
    match snapshot.ending.expires_at {
        Some(expires_at) if expires_at <= now => RuleOutcome::Delete {
            by: CondemnedBy::Expiry { expires_at },
            reason: format!("expired at {expires_at}"),
            unexpected: false,
        },
        Some(expires_at) => RuleOutcome::Keep(vec![format!("expires at {expires_at}")]),
        None => RuleOutcome::Keep(vec!["no schedule and no expires_at: kept".to_owned()]),
    }
}

/// The verdict after protection: a hold, being the newest, or an image in the way.
fn protected(
    snapshot: &Snapshot,
    wanted: RuleOutcome,
    newest: &Newest<'_>,
    world: &World<'_>,
) -> (Verdict, Vec<String>) {
    let (by, reason, unexpected) = match wanted {
        RuleOutcome::Keep(reasons) => return (Verdict::Keep, reasons),
        RuleOutcome::Delete { by, reason, unexpected } => (by, reason, unexpected),
    };
    if let Some(hold) =
        snapshot.keepers.hold.as_ref().filter(|hold| hold.forbids(Deleter::Rule, world.now))
    {
        return (Verdict::Keep, vec![hold.describe()]);
    }
    if let Some(reason) = unguarded(snapshot, &by, newest) {
        return (Verdict::Keep, vec![reason]);
    }
    if let Some(reason) = snapshot.awaited_copy(world.now) {
        return (Verdict::Keep, vec![reason]);
    }
    if let Some(image) = using_image(snapshot, world.in_use) {
        let reasons = vec![reason, format!("in use by {image}")];
        return (Verdict::Blocked { image_id: image.clone(), by: Some(by) }, reasons);
    }
    (Verdict::Delete { by, unexpected }, vec![reason])
}

/// Why a snapshot stays although a rule wants it gone: there are no newer ones that have all its volumes. What failed
/// never was one, and what was made twice is guarded by what it was made twice for.
fn unguarded(snapshot: &Snapshot, by: &CondemnedBy, newest: &Newest<'_>) -> Option<String> {
    let is_to_be_guarded = match by {
        CondemnedBy::Failed | CondemnedBy::Duplicate => false,
        CondemnedBy::Person { .. }
        | CondemnedBy::Rules { .. }
        | CondemnedBy::InstanceGone { .. }
        | CondemnedBy::Expiry { .. } => true,
    };
    if is_to_be_guarded { newest.lets_go(snapshot).err() } else { None }
}

#[cfg(test)]
mod copies;
#[cfg(test)]
mod laws;
#[cfg(test)]
pub(in crate::domain::sweep) mod tests;
