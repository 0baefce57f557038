//! What the oracle knows by itself: what EC2 was asked to make, what people were promised, what outsiders did.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Snapshot, SnapshotState, StorageTier, Tags};

use crate::plan::Setup;
use crate::rules::Promise;

/// How long before a function was called something may have been done that it does not see: EC2 shows it late.
const SEEN_AFTER: SignedDuration = SignedDuration::from_secs(40);

/// How long it takes after a standstill to record what was missed, calls being late.
const CAUGHT_UP_AFTER: SignedDuration = SignedDuration::from_mins(40);

/// The EBS snapshots that one call made together: what can be restored as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Our snapshot's identifier, as the tags had it.
    pub(crate) set: String,
    pub(crate) instance: String,
    pub(crate) region: String,
    pub(crate) schedule: Option<String>,
    pub(crate) slot: Option<String>,
    /// EBS snapshot and volume of each member.
    pub(crate) members: Vec<(String, String)>,
    pub(crate) begun: Timestamp,
    /// Those of its members that we have deleted.
    pub(crate) deleted: BTreeSet<String>,
    /// When the rules let it go.
    pub(crate) let_go: Option<Timestamp>,
}

/// How certainly a hold is on a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hold {
    #[default]
    Free,
    /// Somebody is about to place or remove one.
    Uncertain,
    /// Acknowledged: nobody deletes it by a rule.
    Never,
    /// Acknowledged: nobody deletes it before.
    Until(Timestamp),
}

/// What people have said of one of our snapshots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) hold: Hold,
    /// When somebody first asked for its deletion by name.
    pub(crate) named: Option<Timestamp>,
    /// Whether somebody ever has, be it rescued since.
    pub(crate) was_named: bool,
    /// Since when it is acknowledged that it goes by name.
    pub(crate) goes: Option<Timestamp>,
    pub(crate) expires: Option<Timestamp>,
}

/// One state of a schedule's rules.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) sent: Timestamp,
    pub(crate) acked: Option<Timestamp>,
    /// None keeps everything.
    pub(crate) rules: Option<Promise>,
}

/// What people have said of a schedule.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleFacts {
    pub(crate) edits: Vec<Edit>,
    /// Whether somebody has asked for its deletion.
    pub(crate) dropped: bool,
    /// From when its slots count, and how many minutes lie between them.
    pub(crate) anchor: Timestamp,
    pub(crate) minutes: i64,
    /// Whether it wants a drill each day.
    pub(crate) drills: bool,
    /// Whether it fires: since when that is certain, or uncertain.
    pub(crate) fires: Vec<(Timestamp, Fires)>,
}

/// Whether a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fires {
    Yes,
    No,
    /// Somebody is about to change it.
    Perhaps,
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub kind: &'static str,
    /// What was seen.
    pub text: String,
}

/// Everything the oracle knows.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) groups: Vec<Group>,
    pub(crate) of_member: BTreeMap<String, usize>,
    pub(crate) wishes: BTreeMap<String, Wishes>,
    pub(crate) schedules: BTreeMap<String, ScheduleFacts>,
    /// When an outsider took an EBS snapshot away, archived it or took our tags off.
    pub(crate) lost: BTreeMap<String, Timestamp>,
    /// Since when something stands in the way of an EBS snapshot's deletion.
    pub(crate) obstacles: BTreeMap<String, Timestamp>,
    /// Which EBS snapshots images of outsiders use.
    pub(crate) imaged: BTreeSet<String>,
    /// Restores that people were told of: of which set, since when.
    pub(crate) restores: BTreeMap<String, (String, Timestamp)>,
    /// Since when an instance may write to a volume.
    pub(crate) written: BTreeMap<String, Timestamp>,
    /// The volumes that our functions have made.
    pub(crate) our_volumes: BTreeSet<String>,
    /// EBS snapshots of another installation, with the tags that it gave them.
    pub(crate) others: BTreeMap<String, Tags>,
    /// What rules let go, of which schedule and when, although the rules of a day before would have kept it.
    pub(crate) unexpected: Vec<(String, Timestamp)>,
    /// From when to when nothing of ours ran.
    pub(crate) standstills: Vec<(Timestamp, Timestamp)>,
    /// When a person last approved a plan.
    pub(crate) approved: Option<Timestamp>,
    pub(crate) brake_deletions: usize,
    pub(crate) database: Option<SimDynamoDb>,
    /// What somebody has asked to adopt, whatever the answer.
    pub(crate) adopting: BTreeSet<String>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) history: Vec<String>,
    /// Who is at work.
    pub(crate) actor: String,
    /// Since when.
    pub(crate) actor_since: Option<Timestamp>,
    /// Whether each call is a line of the history.
    pub(crate) tells_calls: bool,
    pub(crate) events: usize,
    pub(crate) calls: usize,
    /// The same by who called and what for.
    pub(crate) calls_by: BTreeMap<String, usize>,
}

impl Ledger {
    /// One of a history that begins so.
    pub(crate) fn of(setup: &Setup, database: &SimDynamoDb) -> Self {
        Self {
            database: Some(database.clone()),
            tells_calls: setup.tells_calls,
            brake_deletions: usize::try_from(setup.brake_deletions).unwrap_or(0),
            ..Self::default()
        }
    }

    /// A line of the history.
    pub(crate) fn note(&mut self, now: Timestamp, text: impl AsRef<str>) {
        let time = now.strftime("%d. %H:%M:%S");
        self.history.push(format!("{time}  {}", text.as_ref()));
    }

    /// Something that must never be; the first of its kind counts.
    pub(crate) fn violated(&mut self, now: Timestamp, kind: &'static str, text: String) {
        self.note(now, format!("VIOLATED {kind}: {text}"));
        if self.violations.iter().all(|one| one.kind != kind) {
            self.violations.push(Violation { kind, text });
        }
    }

    /// Nothing of ours ran from one instant to another. In a moment between two such times nobody catches up.
    pub(crate) fn stood_still(&mut self, from: Timestamp, to: Timestamp) {
        match self.standstills.last_mut() {
            Some(last) if last.1 + CAUGHT_UP_AFTER > from => last.1 = to,
            _ => self.standstills.push((from, to)),
        }
    }

    pub(crate) fn wishes(&mut self, set: &str) -> &mut Wishes {
        self.wishes.entry(set.to_owned()).or_default()
    }

    /// Takes note of EBS snapshots that were made just now.
    pub(crate) fn made(&mut self, new: &[&Snapshot]) {
        for snapshot in new {
            let Some(set) = snapshot.tags.get("snapkeep:id") else { continue };
            let volume = match &snapshot.copy_of {
                None => snapshot.volume_id.clone(),
                Some(source) => self.volume_of(&source.snapshot_id),
            };
            let member = (snapshot.id.clone(), volume);
            let at = self.place(set, snapshot);
            self.groups[at].members.push(member);
            self.of_member.insert(snapshot.id.clone(), at);
        }
    }

    /// Takes note of what the API says that it has adopted.
    pub(crate) fn adopted(&mut self, one: &Value, schedule: Option<&str>, shown: &Shown<'_>) {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let ids = one["ebs_snapshot_ids"].as_array().into_iter().flatten();
        let members: Vec<&Snapshot> =
            ids.filter_map(|id| shown.0.get(id.as_str()?).copied()).collect();
        let Some(first) = members.first() else { return };
        for member in &members {
            self.of_member.insert(member.id.clone(), self.groups.len());
        }
        self.groups.push(Group {
            set: text("snapshot_id"),
            instance: text("instance_id"),
            region: first.region.clone(),
            schedule: schedule.map(str::to_owned),
            slot: None,
            members: members.iter().map(|one| (one.id.clone(), one.volume_id.clone())).collect(),
            begun: first.started_at,
            deleted: BTreeSet::new(),
            let_go: None,
        });
    }

    /// The volume that a member is of, whatever EC2 says of a copy.
    pub(crate) fn volume_of(&self, ebs_snapshot: &str) -> String {
        let group = self.of_member.get(ebs_snapshot).map(|at| &self.groups[*at]);
        let member =
            group.and_then(|group| group.members.iter().find(|(id, _)| id == ebs_snapshot));
        member.map_or_else(|| "vol-unknown".to_owned(), |(_, volume)| volume.clone())
    }

    /// The group that a new member belongs to: that of the same call, or, of copies, the one that still lacks it.
    fn place(&mut self, set: &str, snapshot: &Snapshot) -> usize {
        let is_copy = snapshot.copy_of.is_some();
        let fits = |group: &Group| {
            group.set == set
                && group.region == snapshot.region
                && (is_copy || group.begun == snapshot.started_at)
        };
        if let Some(at) = self.groups.iter().rposition(fits) {
            return at;
        }
        let tag = |key: &str| snapshot.tags.get(key).cloned();
        // A copy is of the instant that its original is of.
        let source = snapshot.copy_of.as_ref().and_then(|of| self.of_member.get(&of.snapshot_id));
        let begun = source.map_or(snapshot.started_at, |at| self.groups[*at].begun);
        self.groups.push(Group {
            set: set.to_owned(),
            instance: tag("snapkeep:instance").unwrap_or_default(),
            region: snapshot.region.clone(),
            schedule: tag("snapkeep:schedule"),
            slot: tag("snapkeep:slot"),
            members: Vec::new(),
            begun,
            deleted: BTreeSet::new(),
            let_go: None,
        });
        self.groups.len() - 1
    }

    /// The rules that may be in force: the last that was acknowledged a while ago, and whatever came after.
    pub(crate) fn rules_of(&self, schedule: &str) -> Option<Vec<Option<Promise>>> {
        let facts = self.schedules.get(schedule)?;
        let is_settled = |edit: &Edit| edit.acked.is_some_and(|acked| !self.is_news(acked));
        let from = facts.edits.iter().rposition(is_settled).unwrap_or(0);
        Some(facts.edits[from..].iter().map(|edit| edit.rules).collect())
    }

    /// The rules of a schedule at an instant, or its first.
    pub(crate) fn rules_at(&self, schedule: &str, at: Timestamp) -> Option<Option<Promise>> {
        let facts = self.schedules.get(schedule)?;
        let old = facts.edits.iter().rfind(|edit| edit.acked.is_some_and(|acked| acked <= at));
        old.or_else(|| facts.edits.first()).map(|edit| edit.rules)
    }

    /// Whether who is at work may not know of what was done at `at`: it began before that.
    pub(crate) fn is_news(&self, at: Timestamp) -> bool {
        self.actor_since.is_some_and(|since| at + SEEN_AFTER >= since)
    }

    /// Whether all of the group is in EC2, complete and at hand, or was a moment ago.
    pub(crate) fn is_good(&self, group: &Group, shown: &Shown<'_>) -> bool {
        group.members.iter().all(|(id, _)| {
            self.lost.get(id).is_some_and(|at| self.is_news(*at))
                || shown.0.get(id.as_str()).is_some_and(|one| is_usable(one))
        })
    }

    /// The newest time at which each set that is there began, for people and outsiders to choose from: oldest first.
    pub(crate) fn living(&self, shown: &Shown<'_>) -> Vec<usize> {
        let is_there =
            |group: &Group| group.members.iter().any(|(id, _)| shown.0.contains_key(id.as_str()));
        (0..self.groups.len()).filter(|at| is_there(&self.groups[*at])).collect()
    }
}

/// Whether a volume can be made of it.
pub(crate) fn is_usable(snapshot: &Snapshot) -> bool {
    snapshot.state == SnapshotState::Completed && snapshot.tiering.tier == StorageTier::Standard
}

/// EBS snapshots by id, as they really are.
pub(crate) struct Shown<'a>(pub(crate) BTreeMap<&'a str, &'a Snapshot>);

impl<'a> Shown<'a> {
    pub(crate) fn of(snapshots: &'a [Snapshot]) -> Self {
        Self(snapshots.iter().map(|one| (one.id.as_str(), one)).collect())
    }
}
