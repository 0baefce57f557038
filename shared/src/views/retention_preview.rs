//! The plan of a sweep for one schedule under other rules. Nothing is written.
//!
//! It is the sweep's own plan over the snapshots of one schedule, and over the newest of those instances for
//! which being the newest decides. Images are not asked for: what the last sweep found to be used by one stays.

mod input;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::input::PreviewInput;
use crate::domain::schedule::Schedule;
use crate::domain::sweep::brake::brakes;
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::plan::{PlanEntry, Verdict};
use crate::error::Error;
use crate::service::Service;

/// How many snapshots a preview takes that are given to it.
pub const SNAPSHOTS_MAX: usize = 10_000;

/// Of how many snapshots of a schedule the records are read; of more, the combs of all instances.
pub const RECORDS_MAX: usize = 1_000;

/// How many changed verdicts a preview tells one by one.
pub const CHANGES_MAX: usize = 1_000;

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
/// oldest first, each with its reasons. Of more than `records_max` of them the combs of all instances are read, and no
/// record.
pub async fn preview_rules(
    service: &Service,
    schedule: &Schedule,
    records_max: usize,
    now: Timestamp,
) -> Result<Vec<PlanEntry>, Error> {
    let input = PreviewInput::load(service, &[schedule], records_max, now).await?;
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
    let input = PreviewInput::load(service, &[old, new], RECORDS_MAX, now).await?;
    let (before, after) = (input.entries(old), input.entries(new));
    let limits = service.settings.brake;
    let tallies = Tallies::of(&after, input.snapshots());
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
