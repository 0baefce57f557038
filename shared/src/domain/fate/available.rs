//! The outlook of an available snapshot among the others of its instance.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{FateFacts, Outlook, Reasoned};
use crate::domain::hold::HoldKind;
use crate::domain::ids::{ScheduleId, SnapshotId};
use crate::domain::retention::outlook::{
    Candidate, End, Expected, ReasonedEnd, hour_before, sweep_after, sweep_from,
};
use crate::domain::schedule::WhenGone;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::newest::Newest;
use crate::domain::sweep::plan::SCHEDULE_GONE;

/// The snapshots of one instance, and what the rules have in store for them.
pub(super) struct Group<'a> {
    facts: &'a FateFacts<'a>,
    lasting: Lasting<'a>,
    prospects: BTreeMap<&'a SnapshotId, ReasonedEnd>,
}

/// What stays as the newest of its instance or of a volume, whatever the rules say.
struct Lasting<'a> {
    /// The newest of each volume in each region that are good, or will be as far as anybody knows.
    newest: Newest<'a>,
    /// The newest in each region that is to be taken with nothing left out: which volumes it will have nobody knows.
    coming: BTreeMap<&'a str, &'a Snapshot>,
}

impl<'a> Lasting<'a> {
    fn among(good: impl Iterator<Item = &'a Snapshot> + Clone) -> Self {
        let newest = Newest::of(good.clone().filter(|one| !one.members.is_empty()));
        let mut coming: BTreeMap<&str, &Snapshot> = BTreeMap::new();
        for one in good.filter(|one| one.members.is_empty() && one.leaves_nothing_out()) {
            let kept = coming.entry(&one.source.region).or_insert(one);
            if (one.standing(), &one.id) > (kept.standing(), &kept.id) {
                *kept = one;
            }
        }
        Self { newest, coming }
    }

    fn has(&self, snapshot: &Snapshot) -> bool {
        let coming = self.coming.get(snapshot.source.region.as_str());
        let is_newer = |one: &&Snapshot| {
            one.id != snapshot.id && (one.standing(), &one.id) > (snapshot.standing(), &snapshot.id)
        };
        !coming.copied().as_ref().is_some_and(is_newer) && self.newest.guardians(snapshot).is_err()
    }
}

impl<'a> Group<'a> {
    pub(super) fn of(facts: &'a FateFacts<'a>) -> Self {
        let good = facts.snapshots.iter().filter(|snapshot| is_good(snapshot));
        let lasting = Lasting::among(good.clone());
        let mut of_schedules: BTreeMap<_, Vec<&Snapshot>> = BTreeMap::new();
        for snapshot in good {
            if let Some(schedule) = snapshot.schedule_id() {
                let group = (schedule, snapshot.copied_to());
                of_schedules.entry(group).or_default().push(snapshot);
            }
        }
        let mut prospects = BTreeMap::new();
        for ((id, copied_to), snapshots) in of_schedules {
            let Some(schedule) = facts.schedules.get(id) else { continue };
            let rules = snapshots.first().and_then(|any| schedule.rules_of(any));
            let Some(rules) = rules else { continue };
            let candidates: Vec<_> = snapshots
                .iter()
                .map(|snapshot| Candidate {
                    taken_at: snapshot.taken_at(),
                    hold: snapshot.keepers.hold.as_ref().map(|hold| hold.kind),
                    is_newest: lasting.has(snapshot),
                })
                .collect();
            let expected = Expected::of(schedule, latest_slot(facts.snapshots, id, copied_to));
            let foreseen = rules.foresee(schedule, &candidates, expected, facts.now);
            prospects.extend(snapshots.into_iter().map(|one| &one.id).zip(foreseen));
        }
        Self { facts, lasting, prospects }
    }

    /// When an available snapshot goes, and why; `kept_by` is what a sweep would say now.
    pub(super) fn outlook(&self, snapshot: &Snapshot, kept_by: &[String]) -> Reasoned {
        if snapshot.twin().is_some() {
            return self.outlook_of_duplicate(snapshot, kept_by);
        }
        let Some(schedule_id) = snapshot.schedule_id() else {
            return self.outlook_by_expiry(snapshot);
        };
        let is_gone = !self.facts.schedules.contains_key(schedule_id);
        if is_gone && snapshot.ending.expires_at.is_some() {
            return self.outlook_by_expiry(snapshot);
        }
        if let Some(hold) = &snapshot.keepers.hold
            && hold.kind == HoldKind::Never
        {
            return (Outlook::Never, hold.describe());
        }
        let Some(schedule) = self.facts.schedules.get(schedule_id) else {
            return (Outlook::Never, SCHEDULE_GONE.to_owned());
        };
        if self.facts.gone.contains(&snapshot.source.instance_id) {
            match schedule.settings.when_gone {
                WhenGone::Apply => {}
                WhenGone::KeepLast(_) | WhenGone::KeepAll => {
                    return self.outlook_of_gone(snapshot, kept_by);
                }
            }
        }
        if schedule.rules_of(snapshot).is_none() {
            let because = "its schedule has no rules and keeps everything";
            return (Outlook::Never, because.to_owned());
        }
        match self.prospects.get(&snapshot.id) {
            Some(ReasonedEnd { end: End::Sweep(sweep), because }) => {
                let because = match schedule.settings.spread_minutes {
                    Some(minutes) if minutes > 0 => {
                        format!(
                            "{because}; each slot's snapshots are taken within {minutes} minutes"
                        )
                    }
                    Some(_) | None => because.clone(),
                };
                (self.facts.after_grace(snapshot, *sweep, self.facts.now), because)
            }
            Some(ReasonedEnd { end: End::Never, because }) => (Outlook::Never, because.clone()),
            Some(ReasonedEnd { end: End::Unforeseen, because }) => {
                (Outlook::Unknown, because.clone())
            }
            None if snapshot.course.absent_since.is_none() => {
                (Outlook::Unknown, kept_by.join("; "))
            }
            None => {
                let because = "EC2 does not show all of it; it is looked for again";
                (Outlook::Unknown, because.to_owned())
            }
        }
    }

    /// No newer ones come: what is kept now stays, but for a hold that ends.
    fn outlook_of_gone(&self, snapshot: &Snapshot, kept_by: &[String]) -> Reasoned {
        let is_held = snapshot.keepers.hold.is_some();
        if !kept_by.is_empty() && !is_held {
            return (Outlook::Never, kept_by.join("; "));
        }
        let sweep = sweep_after(self.facts.now);
        match self.facts.sweep_despite_hold(snapshot, sweep) {
            Ok(sweep) if kept_by.is_empty() => {
                let because = "its instance is gone; the next sweep lets it go".to_owned();
                (self.facts.after_grace(snapshot, sweep, self.facts.now), because)
            }
            Ok(_) => (Outlook::Unknown, kept_by.join("; ")),
            Err(hold) => (Outlook::Never, hold.describe()),
        }
    }

    fn outlook_by_expiry(&self, snapshot: &Snapshot) -> Reasoned {
        let sweep = snapshot.ending.expires_at.map_or(Timestamp::MAX, sweep_from);
        let sweep = match self.facts.sweep_despite_hold(snapshot, sweep) {
            Ok(sweep) => sweep,
            Err(hold) => return (Outlook::Never, hold.describe()),
        };
        let Some(expires_at) = snapshot.ending.expires_at else {
            return (Outlook::Never, "no schedule and no expires_at".to_owned());
        };
        if self.lasting.has(snapshot) {
            let because = format!(
                "it expires at {expires_at}, but stays as long as it is the newest of its instance"
            );
            return (Outlook::Unknown, because);
        }
        let from = hour_before(sweep);
        let because =
            format!("it expires at {expires_at}; the sweep between {from} and {sweep} lets it go");
        (self.facts.after_grace(snapshot, sweep, expires_at), because)
    }

    fn outlook_of_duplicate(&self, snapshot: &Snapshot, kept_by: &[String]) -> Reasoned {
        if let Some(hold) = &snapshot.keepers.hold
            && hold.kind == HoldKind::Never
        {
            return (Outlook::Never, hold.describe());
        }
        if !kept_by.is_empty() {
            return (Outlook::Unknown, kept_by.join("; "));
        }
        let sweep = sweep_after(self.facts.now);
        let because = "made twice; the next sweep lets it go".to_owned();
        (self.facts.after_grace(snapshot, sweep, self.facts.now), because)
    }
}

/// The latest slot of this schedule that has a record, in this region if it is of copies.
fn latest_slot(
    snapshots: &[Snapshot],
    schedule: &ScheduleId,
    copied_to: Option<&String>,
) -> Option<Timestamp> {
    let slots = snapshots.iter().filter(|one| one.copied_to() == copied_to);
    let slots = slots.filter_map(|one| one.slot.as_ref());
    slots.filter(|slot| slot.schedule_id == *schedule).map(|slot| slot.slot).max()
}

/// Whether it counts for the rules, or will once EC2 has written it.
fn is_good(snapshot: &Snapshot) -> bool {
    let is_there = match snapshot.status {
        Status::Requested | Status::Creating | Status::Pending => true,
        Status::Available => snapshot.is_whole(),
        Status::Error
        | Status::Condemned
        | Status::Deleting
        | Status::Deleted
        | Status::Missing => false,
    };
    is_there && snapshot.twin().is_none() && snapshot.course.absent_since.is_none()
}
