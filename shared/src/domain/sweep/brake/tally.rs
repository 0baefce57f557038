//! What a plan takes from each schedule that nobody expects, in the groups that the brake counts apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{ScheduleId, digest};
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::Sweep;
use crate::domain::sweep::brake::Brake;
use crate::domain::sweep::brake::group::{Group, GroupCount};
use crate::domain::sweep::plan::PlanEntry;

/// What the execution of a plan has to know of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The groups with anything unexpected.
    pub groups: Vec<GroupCount>,
    /// By which rules: [`crate::domain::schedule::Schedule::rules_digest`].
    pub rules_digest: Option<String>,
    /// Why it is stopped, if it is.
    pub brake: Option<Brake>,
    /// Whether its rules are not in force after this sweep, whatever else: see [`Sweep::unsettled`].
    pub is_unsettled: bool,
}

/// The tallies of a plan; a schedule without one has nothing unexpected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies(BTreeMap<ScheduleId, Tally>);

impl Tally {
    fn new(schedule_id: &ScheduleId) -> Self {
        Self {
            schedule_id: schedule_id.clone(),
            groups: Vec::new(),
            rules_digest: None,
            brake: None,
            is_unsettled: false,
        }
    }
}

impl Tallies {
    /// What `entries` take from each schedule, of what it has among `snapshots`.
    pub fn of(entries: &[PlanEntry], snapshots: &[Snapshot]) -> Self {
        let mut unexpected: BTreeMap<(&ScheduleId, Group), u32> = BTreeMap::new();
        let mut tallies: BTreeMap<ScheduleId, Tally> = BTreeMap::new();
        for entry in entries {
            let (Some(by), Some(id)) = (entry.unexpected_by(), &entry.schedule_id) else {
                continue;
            };
            for group in entry.group.clone().counted_in() {
                *unexpected.entry((id, group)).or_default() += 1;
            }
            let tally = tallies.entry(id.clone()).or_insert_with(|| Tally::new(id));
            if tally.rules_digest.is_none() {
                tally.rules_digest = digest_of(by).cloned();
            }
        }
        let available = available(snapshots);
        for ((id, group), unexpected) in unexpected {
            let available = available.get(&(id, group.clone())).copied().unwrap_or_default();
            if let Some(tally) = tallies.get_mut(id) {
                tally.groups.push(GroupCount { group, unexpected, available });
            }
        }
        Self(tallies)
    }

    /// The same, with these schedules stopped and those not settled.
    #[must_use]
    pub fn with(mut self, brakes: &[Brake], unsettled: &[ScheduleId]) -> Self {
        for brake in brakes {
            self.entry(&brake.schedule_id).brake = Some(brake.clone());
        }
        for id in unsettled {
            self.entry(id).is_unsettled = true;
        }
        self
    }

    /// What the record of a sweep says by itself: all there is of one that an earlier version has planned.
    pub fn of_record(sweep: &Sweep) -> Self {
        Self::default().with(&sweep.brakes, &sweep.unsettled)
    }

    /// A fingerprint.
    pub fn hash(&self) -> String {
        let parts: Vec<_> = self.iter().map(|tally| format!("{tally:?}")).collect();
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        digest(&parts)
    }

    /// The tally of a schedule, if it has one.
    pub fn get(&self, id: &ScheduleId) -> Option<&Tally> {
        self.0.get(id)
    }

    /// All, by schedule.
    pub fn iter(&self) -> impl Iterator<Item = &Tally> {
        self.0.values()
    }

    /// The schedules that are stopped.
    pub fn brakes(&self) -> impl Iterator<Item = &Brake> {
        self.0.values().filter_map(|tally| tally.brake.as_ref())
    }

    /// The schedules whose rules are not in force after this sweep, whatever else.
    pub fn unsettled(&self) -> impl Iterator<Item = &ScheduleId> {
        self.0.values().filter(|tally| tally.is_unsettled).map(|tally| &tally.schedule_id)
    }

    /// Whether the brake stops this schedule, or the whole sweep, and nobody has released it.
    pub fn is_braked(&self, sweep: &Sweep, schedule: Option<&ScheduleId>) -> bool {
        sweep.approval.is_none() && (sweep.refusal.is_some() || self.is_stopped(schedule))
    }

    /// Whether the plan stopped this schedule, released since or not.
    pub fn is_stopped(&self, schedule: Option<&ScheduleId>) -> bool {
        let tally = schedule.and_then(|id| self.get(id));
        tally.is_some_and(|tally| tally.brake.is_some())
    }

    fn entry(&mut self, id: &ScheduleId) -> &mut Tally {
        self.0.entry(id.clone()).or_insert_with(|| Tally::new(id))
    }
}

impl FromIterator<Tally> for Tallies {
    fn from_iter<I: IntoIterator<Item = Tally>>(iter: I) -> Self {
        Self(iter.into_iter().map(|tally| (tally.schedule_id.clone(), tally)).collect())
    }
}

/// What the rules were, if they condemn.
fn digest_of(by: &CondemnedBy) -> Option<&String> {
    match by {
        CondemnedBy::Rules { digest } | CondemnedBy::InstanceGone { digest } => Some(digest),
        CondemnedBy::Person { .. }
        | CondemnedBy::Expiry { .. }
        | CondemnedBy::Failed
        | CondemnedBy::Duplicate => None,
    }
}

/// How many available snapshots each group has.
fn available(snapshots: &[Snapshot]) -> BTreeMap<(&ScheduleId, Group), u32> {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|one| one.status == Status::Available) {
        let Some(id) = snapshot.schedule_id() else { continue };
        for group in Group::of(snapshot).counted_in() {
            *counts.entry((id, group)).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::audit::entries_of_sweep;
    use crate::domain::ids::SweepId;
    use crate::domain::sweep::{NAMED_MAX, SweepMode, SweepStatus};

    fn brake(number: usize) -> Brake {
        Brake {
            schedule_id: ScheduleId::derived(Timestamp::UNIX_EPOCH, &[&number.to_string()]),
            unexpected: 100_000,
            earlier: 100_000,
            available: 100_000,
            rules_digest: Some("0".repeat(64)),
        }
    }

    #[test]
    fn ten_thousand_stopped_schedules_leave_the_record_of_a_sweep_small() {
        let brakes: Vec<_> = (0..10_000).map(brake).collect();
        let unsettled: Vec<_> = brakes.iter().map(|one| one.schedule_id.clone()).collect();
        let tallies = Tallies::default().with(&brakes, &unsettled);
        let id = SweepId::derived(Timestamp::UNIX_EPOCH, &["x"]);
        let asked = Sweep::requested(id, SweepMode::Execute, None, Timestamp::UNIX_EPOCH);
        let sweep = Sweep { status: SweepStatus::NeedsApproval, ..asked.clone() }.naming(&tallies);

        let entries = entries_of_sweep(Some(&asked), &sweep, Timestamp::UNIX_EPOCH);

        assert_eq!((sweep.brakes.len(), sweep.brakes_total), (NAMED_MAX, 10_000));
        assert!(serde_json::to_string(&sweep).unwrap().len() < 40_000);
        let reason = entries[0].reason.clone().unwrap();
        assert!(reason.starts_with("the brake stopped 10000 schedules") && reason.len() < 10_000);
        assert!(entries[0].subject.to_string().len() < 10_000);
    }

    #[test]
    fn tallies_are_told_apart_by_all_that_they_say() {
        let (stopped, unsettled) = (brake(1), brake(2).schedule_id);
        let both = Tallies::default()
            .with(std::slice::from_ref(&stopped), std::slice::from_ref(&unsettled));
        let one = Tallies::default().with(&[stopped], &[]);

        let again: Tallies = both.iter().cloned().collect();

        assert_eq!((&again, again.hash()), (&both, both.hash()));
        assert_ne!(one.hash(), both.hash());
        assert_ne!(Tallies::default().hash(), one.hash());
        assert_eq!(both.unsettled().collect::<Vec<_>>(), [&unsettled]);
        assert_eq!(one.unsettled().count(), 0);
    }

    #[test]
    fn what_an_earlier_version_has_planned_says_all_in_its_record() {
        let id = SweepId::derived(Timestamp::UNIX_EPOCH, &["x"]);
        let sweep = Sweep::requested(id, SweepMode::Execute, None, Timestamp::UNIX_EPOCH);
        let mut stored = serde_json::to_value(&sweep).unwrap();
        let (stopped, unsettled) = (brake(1).schedule_id, brake(2).schedule_id);
        stored["brakes"] =
            serde_json::json!([{ "schedule_id": stopped, "unexpected": 12, "available": 20 }]);
        stored["unsettled"] = serde_json::json!([unsettled]);
        for new in ["brakes_total", "tally_hash", "tally_pages", "claimed_at"] {
            stored.as_object_mut().unwrap().remove(new);
        }

        let read: Sweep = serde_json::from_value(stored).unwrap();
        let tallies = Tallies::of_record(&read);

        assert!(tallies.is_braked(&read, Some(&stopped)));
        assert!(!tallies.is_braked(&read, Some(&unsettled)));
        assert!(tallies.get(&unsettled).unwrap().is_unsettled);
    }
}
